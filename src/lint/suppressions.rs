//! The file of `check --baseline`: findings that do not fail a check, for example of old documents.
//!
//! A finding is identified by its code, its file, the text of its line and its subject, so it stays suppressed when lines
//! move. The file has one finding per line, which makes it easy to review and edit.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, OrExit as _, usage};
use crate::finding::Finding;
use crate::sys::files;

/// The version of the file format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

/// The identity of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    path: String,
    text: String,
    subject: String,
}

/// Suppressed findings, each with its number of occurrences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppressions {
    entries: BTreeMap<Entry, usize>,
}

impl Suppressions {
    /// Reads the file of `--baseline`.
    ///
    /// # Errors
    /// A usage error if the file does not exist or has another format. The message contains the line.
    pub fn read(path: &Utf8Path) -> Result<Self> {
        let bytes = files::read_if_exists(path)?.ok_or_else(|| {
            usage(format!(
                "{path} does not exist; `--write-baseline` creates it"
            ))
        })?;
        let written: Written = serde_json::from_slice(&bytes)
            .with_context(|| format!("failed to read the baseline {path}"))
            .or_exit(Exit::Usage)?;
        if written.version != VERSION {
            return Err(usage(format!(
                "the baseline {path} has version {}, but this program reads version {VERSION}",
                written.version
            )));
        }
        let mut suppressions = Self::default();
        for entry in written.findings {
            *suppressions.entries.entry(entry).or_default() += 1;
        }
        Ok(suppressions)
    }

    /// Returns for each finding whether it is suppressed, and the number of suppressions that match none. `line` returns the
    /// text of a finding's line.
    pub fn apply(
        &self,
        findings: &[&Finding],
        line: impl Fn(&Finding) -> String,
    ) -> (Vec<bool>, usize) {
        let mut left = self.entries.clone();
        let mut is_suppressed = |finding: &&Finding| {
            let count = left.get_mut(&entry(finding, line(finding)));
            count.filter(|count| **count > 0).is_some_and(|count| {
                *count -= 1;
                true
            })
        };
        let suppressed = findings.iter().map(&mut is_suppressed).collect();
        (suppressed, left.values().sum())
    }
}

/// Writes a file that suppresses exactly these findings, sorted, one per line.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    path: &Utf8Path,
    findings: &[&Finding],
    line: impl Fn(&Finding) -> String,
) -> Result<()> {
    let mut entries: Vec<Entry> = findings
        .iter()
        .map(|finding| entry(finding, line(finding)))
        .collect();
    entries.sort();
    let lines: Result<Vec<String>, _> = entries.iter().map(serde_json::to_string).collect();
    let lines = lines.context("failed to write the baseline as JSON")?;
    let separator = if lines.is_empty() { "" } else { "\n" };
    let text = format!(
        "{{\"version\": {VERSION}, \"findings\": [{separator}{}{separator}]}}\n",
        lines.join(",\n")
    );
    files::write_atomic(path, text.as_bytes())
}

fn entry(finding: &Finding, line: String) -> Entry {
    Entry {
        code: finding.code.as_str().to_owned(),
        path: finding.path.clone(),
        text: line,
        subject: finding.subject.clone(),
    }
}
