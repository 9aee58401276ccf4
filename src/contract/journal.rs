//! The entries of a contract in a results document, in the same format as evidence: a row for people, and a line with a checksum
//! for the program.
//!
//! ```text
//! <!-- cargo-poc:begin contract -->
//!
//! | When | Who | What | Was | Is | Why |
//! |------|-----|------|-----|----|-----|
//! | 2026-01-03 10:04:05-08:00 | A Person | locked | — | 3 criteria, 4 steps, 31 tests (0123456789abcdef) | — |
//!
//! <!-- cargo-poc:contract v1 0123456789abcdef {"after":null,…} -->
//!
//! <!-- cargo-poc:end contract -->
//! ```

use anyhow::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::difference::Difference;
use super::locked::Contract;
use crate::evidence::compact::{self, is_default};
use crate::evidence::record::escape;
use crate::evidence::{EvidenceProblem, ProblemKind, RegionFormat, RegionRecord, now};
use crate::freshness::Inputs;

/// The format of entries.
const FORMAT: RegionFormat = RegionFormat {
    name: "contract",
    heading: "## Contract",
    head: "| When | Who | What | Was | Is | Why |",
    rule: "|------|-----|------|-----|----|-----|",
    remedy: "amend it again",
};

/// The maximum number of rows for the changes of one amendment; the entry's line contains all.
const SHOWN: usize = 20;

/// An entry. Unknown values are `null`, never omitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The checksums of its predecessors, several after a merge; set when the entry is written.
    #[serde(
        rename = "after",
        default,
        with = "compact::previous",
        skip_serializing_if = "is_default"
    )]
    pub previous: Vec<String>,
    /// The PoC's name.
    pub poc: String,
    /// Its kind.
    pub kind: Kind,
    /// The time, RFC 3339 with the local offset.
    pub time: String,
    /// The author's name from git; `null` if git does not know it.
    pub by: Option<String>,
    /// The reason; `null` for a lock.
    pub reason: Option<String>,
    /// The step of an override.
    pub step: Option<String>,
    /// The differences that an amendment records.
    pub changes: Vec<Difference>,
    /// The contract after this entry; `null` for an override and a confirmation.
    pub contract: Option<Contract>,
    /// The confirmation; `null` for every other kind.
    #[serde(default)]
    pub confirmed: Option<Confirmed>,
    /// The program that wrote the entry.
    pub tool: String,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The work begins.
    Lock,
    /// The contract was changed deliberately.
    Amend,
    /// A step was marked as done without evidence.
    Override,
    /// A person confirmed a result that no program can check.
    Confirm,
}

/// A person's confirmation and its inputs. It is stale once one of the inputs has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The subject: `criterion: TEXT` or `checklist: TEXT`.
    pub what: String,
    /// The commit at HEAD; `null` if there is none.
    pub commit: Option<String>,
    /// Content hashes of the plan's packages.
    pub inputs: Inputs,
}

impl Confirmed {
    /// The subject of a confirmation of the criterion with this text.
    #[must_use]
    pub fn name_of_criterion(text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        format!("criterion: {}", words.join(" "))
    }

    /// The name under which an item of the checklist with this text is confirmed.
    #[must_use]
    pub fn name_of_item(text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        format!("checklist: {}", words.join(" "))
    }
}

/// An entry and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The entry.
    pub entry: Entry,
    /// Its checksum.
    pub checksum: String,
    /// Its line, from 1.
    pub line: usize,
}

impl RegionRecord for Entry {
    fn previous(&self) -> &[String] {
        &self.previous
    }

    fn following(&self, previous: Vec<String>) -> Self {
        Self {
            previous,
            ..self.clone()
        }
    }

    fn time(&self) -> Option<Timestamp> {
        self.time.parse().ok()
    }

    fn rows(&self) -> Vec<String> {
        self.table_rows()
    }
}

impl Entry {
    /// A new entry with the current time.
    #[must_use]
    pub fn new(kind: Kind, poc: &str, by: Option<String>) -> Self {
        Self {
            previous: Vec::new(),
            poc: poc.to_owned(),
            kind,
            time: now(),
            by,
            reason: None,
            step: None,
            changes: Vec::new(),
            contract: None,
            confirmed: None,
            tool: concat!("cargo-poc ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Its rows of the table, without line ends.
    fn table_rows(&self) -> Vec<String> {
        let summary = self
            .contract
            .as_ref()
            .map(|contract| format!("{} ({})", contract.summary(), contract.hash()));
        match self.kind {
            Kind::Lock => vec![self.row("locked", None, summary.as_deref())],
            Kind::Override => {
                let step = self.step.as_deref().unwrap_or_default();
                vec![self.row(
                    &format!("step {step} called done without proof"),
                    None,
                    None,
                )]
            }
            Kind::Confirm => {
                let what = self.confirmed.as_ref().map(|confirmed| &confirmed.what);
                vec![self.row("confirmed", None, what.map(String::as_str))]
            }
            Kind::Amend => {
                let mut rows: Vec<String> = self
                    .changes
                    .iter()
                    .take(SHOWN)
                    .map(|change| {
                        let what = format!("{} {}", change.what, change.how);
                        let what = if change.how.weakens() {
                            format!("**weaker**: {what}")
                        } else {
                            what
                        };
                        self.row(&what, change.was.as_deref(), change.is.as_deref())
                    })
                    .collect();
                if self.changes.len() > SHOWN {
                    let more = format!("and {} more", self.changes.len() - SHOWN);
                    rows.push(self.row(&more, None, None));
                }
                rows
            }
        }
    }

    fn row(&self, what: &str, was: Option<&str>, is: Option<&str>) -> String {
        let dash = |text: Option<&str>| text.map_or_else(|| "—".to_owned(), shown);
        let cells = [
            self.time.replacen('T', " ", 1),
            dash(self.by.as_deref()),
            what.to_owned(),
            dash(was),
            dash(is),
            dash(self.reason.as_deref()),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
        format!("| {} |", cells.join(" | "))
    }
}

/// A person's text for a cell: shortened and without markup.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(160).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace('<', "&lt;")
}

/// Reads the entries of a results document. Accepts any text.
#[must_use]
pub(super) fn read(text: &str) -> (Vec<Located>, Vec<EvidenceProblem>) {
    let (entries, problems) = FORMAT.read::<Entry>(text);
    let entries = entries.into_iter().map(|entry| Located {
        entry: entry.record,
        checksum: entry.checksum,
        line: entry.line,
    });
    (entries.collect(), problems)
}

/// An entry that belongs to another PoC.
pub(super) fn foreign(located: &Located) -> EvidenceProblem {
    EvidenceProblem {
        kind: ProblemKind::Damaged,
        line: located.line,
        message: format!(
            "this contract belongs to the PoC `{}` and does not count here; remove it",
            located.entry.poc
        ),
    }
}

/// Adds `entry` to the text. Every other byte is kept.
///
/// # Errors
/// When the entry cannot be written as JSON.
pub fn append(text: &str, entry: &Entry) -> Result<String> {
    FORMAT.append(text, entry)
}
