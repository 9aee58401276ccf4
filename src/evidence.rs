//! Evidence: what runs of ours saw, as it is written into a results document.
//!
//! A region between two markers holds a table for people and one comment line per record for the program:
//!
//! ```text
//! <!-- cargo-poc:begin evidence -->
//!
//! | When | Scope | Command | Outcome | Tests | Commit | Took |
//! |------|-------|---------|---------|-------|--------|------|
//! | 2026-01-03 10:04:05 -08:00 | step 1 | `cargo test -p store` | passed | 12 passed | `0a1b2c3d4e5f` | 3.2 s |
//!
//! <!-- cargo-poc:evidence v1 0123456789abcdef {"after":null,…} -->
//!
//! <!-- cargo-poc:end evidence -->
//! ```
//!
//! The sixteen digits are a checksum of the record. It tells a slip of the hand and a merge gone wrong, not a
//! forger: what CI trusts is its own run. Each record names the checksum of the one before it, so that a record
//! taken out leaves a gap. Reading is total: a line that cannot be read is a [`EvidenceProblem`] and never evidence.

use std::collections::BTreeSet;

use anyhow::Result;

mod packed;
mod problem;
pub(crate) mod record;
pub(crate) mod region;

pub use packed::{Names, Packed};
pub use problem::{EvidenceProblem, ProblemKind};
pub(crate) use region::RegionFormat;

pub(crate) use record::format_duration;
pub use record::{Check, Confirmation, Outcome, Record, Scope, Selected, Source, TestCounts};

/// How evidence is written.
const FORMAT: RegionFormat = RegionFormat {
    name: "evidence",
    heading: "## Evidence",
    head: "| When | Scope | Command | Outcome | Tests | Commit | Took |",
    rule: "|------|-------|---------|---------|-------|--------|------|",
    remedy: "verify again",
};

/// The evidence of one results document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// What can be relied on, in the order it stands in the document.
    pub records: Vec<Located>,
    /// What cannot.
    pub problems: Vec<EvidenceProblem>,
}

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The record.
    pub record: Record,
    /// Its checksum.
    pub checksum: String,
    /// Its line, counted from 1.
    pub line: usize,
}

/// Reads the evidence of a results document. Total: any text gives an answer.
#[must_use]
pub fn read(text: &str) -> Evidence {
    let mut evidence = Evidence::default();
    let (records, problems) = FORMAT.read::<Record>(text);
    evidence.problems = problems;
    for (record, checksum, line) in records {
        // A time that cannot be read would have to be handled wherever records are put in order.
        if record.moment().is_some() {
            evidence.records.push(Located {
                record,
                checksum,
                line,
            });
        } else {
            let problem = FORMAT.problem(ProblemKind::Damaged, line);
            evidence.problems.push(problem);
        }
    }
    evidence.problems.extend(gaps(&evidence.records));
    evidence.problems.sort_by_key(|problem| problem.line);
    evidence
}

/// The text with `record` added; every other byte stays as it is. Without a region, one is made at the end.
///
/// # Errors
/// When the record cannot be written as JSON.
pub fn append(text: &str, record: &Record) -> Result<String> {
    let mut record = record.clone();
    record.previous = read(text).records.last().map(|last| last.checksum.clone());
    let line = FORMAT.line(&record)?;
    Ok(region::add(FORMAT, text, &[record.row()], &line))
}

/// Now, to the second, with the offset of this machine: how records tell the time.
#[must_use]
pub fn now() -> String {
    jiff::Zoned::now()
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

fn gaps(records: &[Located]) -> Vec<EvidenceProblem> {
    let known: BTreeSet<&str> = records
        .iter()
        .map(|located| located.checksum.as_str())
        .collect();
    let missing = |located: &&Located| {
        let previous = located.record.previous.as_deref();
        previous.is_some_and(|previous| !known.contains(previous))
    };
    let gap = |located: &Located| FORMAT.problem(ProblemKind::Gap, located.line);
    records.iter().filter(missing).map(gap).collect()
}

impl Evidence {
    /// The last record of a scope.
    #[must_use]
    pub fn last(&self, scope: &Scope) -> Option<&Record> {
        self.last_located(scope).map(|located| &located.record)
    }

    /// The last record of a scope, with its place.
    #[must_use]
    pub fn last_located(&self, scope: &Scope) -> Option<&Located> {
        let of_scope = |located: &&Located| located.record.scope == *scope;
        let last = self.records.iter().filter(of_scope);
        // Branches that were merged put their records one after the other, not in the order of time.
        last.max_by_key(|located| located.record.moment())
    }

    /// The baseline that regressions are measured against: the first that ran to its end, since a later one may
    /// hold the damage already.
    #[must_use]
    pub fn baseline(&self) -> Option<&Record> {
        let whole = |located: &&Located| {
            let record = &located.record;
            record.scope == Scope::Baseline && record.passed.is_some() && record.outcome.is_whole()
        };
        let first = self.records.iter().filter(whole);
        first
            .min_by_key(|located| located.record.moment())
            .map(|located| &located.record)
    }
}
