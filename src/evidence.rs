//! Evidence: the records of runs in a results document.
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
//! <!-- cargo-poc:evidence v1 0123456789abcdef {"after":"89abcdef01234567",…} -->
//!
//! <!-- cargo-poc:end evidence -->
//! ```
//!
//! The sixteen digits are a checksum of the record. It detects accidental corruption; it is not tamper-proof, so CI runs `verify`
//! itself. Each record names the checksum of the preceding record, so a removed record leaves a gap. Parsing is total: a line that
//! cannot be parsed is an [`EvidenceProblem`] and never evidence.

use anyhow::Result;

mod chain;
pub(crate) mod compact;
mod packed;
mod problem;
pub(crate) mod record;
mod region;
mod strength;

pub use packed::{Names, Packed};
pub use problem::{EvidenceProblem, ProblemKind};
pub(crate) use region::{RegionFormat, RegionRecord};

pub(crate) use record::format_duration;
pub use record::{
    CHANGED, Check, Confirmation, Measured, Outcome, Record, Runs, Scope, Selected, Source,
    TestCounts,
};
pub use strength::{Escape, Excluded, Exclusion, Strength, Survivor};

/// The format of evidence.
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
    /// The readable records in the order of their chain: the last one is the newest.
    pub records: Vec<Located>,
    /// Parts that cannot be used.
    pub problems: Vec<EvidenceProblem>,
}

/// A record and its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The record.
    pub record: Record,
    /// Its checksum.
    pub checksum: String,
    /// Its line, from 1.
    pub line: usize,
}

/// Reads the evidence of a results document. Accepts any text.
#[must_use]
pub fn read(text: &str) -> Evidence {
    let (entries, problems) = FORMAT.read::<Record>(text);
    let records = entries.into_iter().map(|entry| Located {
        record: entry.record,
        checksum: entry.checksum,
        line: entry.line,
    });
    Evidence {
        records: records.collect(),
        problems,
    }
}

/// Returns the text with `record` added after the last record. Every other byte is kept. Without a region, one is added at
/// the end.
///
/// # Errors
/// When the record cannot be written as JSON.
pub fn append(text: &str, record: &Record) -> Result<String> {
    FORMAT.append(text, &record.shortened())
}

/// The current local time with its offset, in seconds, as in records.
#[must_use]
pub fn now() -> String {
    jiff::Zoned::now()
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

impl Evidence {
    /// The last record of a scope.
    #[must_use]
    pub fn last(&self, scope: &Scope) -> Option<&Record> {
        self.last_located(scope).map(|located| &located.record)
    }

    /// The last record of a scope, with its position.
    #[must_use]
    pub fn last_located(&self, scope: &Scope) -> Option<&Located> {
        let mut records = self.records.iter().rev();
        records.find(|located| located.record.scope == *scope)
    }

    /// The last record of a scope with judged mutants.
    #[must_use]
    pub fn last_with_strength(&self, scope: &Scope) -> Option<&Located> {
        let mut records = self.records.iter().rev();
        records.find(|located| located.record.scope == *scope && located.record.strength.is_some())
    }

    /// The tests that failed in any of the runs, by binary id.
    #[must_use]
    pub fn failing(&self) -> Names {
        let mut failing = Names::new();
        let lists = self
            .records
            .iter()
            .flat_map(|located| &located.record.failing);
        for (binary, tests) in lists {
            failing
                .entry(binary.clone())
                .or_default()
                .extend(tests.iter().cloned());
        }
        failing
    }

    /// Whether each test that failed in the record at `position` has passed in a later run.
    #[must_use]
    pub fn is_superseded(&self, position: usize) -> bool {
        let Some(failed) = self.records.get(position).map(|located| &located.record) else {
            return false;
        };
        let later = &self.records[position + 1..];
        let passed = |binary: &String, test: &String| {
            let mut later = later.iter().map(|located| &located.record.recovered);
            later.any(|recovered| {
                recovered
                    .get(binary)
                    .is_some_and(|tests| tests.contains(test))
            })
        };
        failed.outcome == Outcome::Failed
            && !failed.failing.is_empty()
            && failed.missing.is_empty()
            && failed.checks.iter().all(|check| check.unmet.is_empty())
            && failed
                .failing
                .iter()
                .all(|(binary, tests)| tests.iter().all(|test| passed(binary, test)))
    }

    /// The baseline for regressions: the first that completed, because a later one may already contain the regression.
    #[must_use]
    pub fn baseline(&self) -> Option<&Record> {
        let mut records = self.records.iter().map(|located| &located.record);
        records.find(|record| {
            record.scope == Scope::Baseline && record.passed.is_some() && record.outcome.is_whole()
        })
    }
}
