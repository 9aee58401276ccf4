//! A baseline: findings that are known, as of old documents, and do not fail a check.
//!
//! A finding is known by its code, its file, the text of its line and its subject, never by a line number: what is
//! written above it does not matter. A file that is edited by hand in review is one finding a line.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, OrExit as _, usage};
use crate::finding::Finding;
use crate::sys::files;

/// The version of the file's form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

/// What a finding is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    path: String,
    text: String,
    subject: String,
}

/// Known findings, each with how often it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    entries: BTreeMap<Entry, usize>,
}

impl Known {
    /// Reads a baseline.
    ///
    /// # Errors
    /// Bad usage: there is no such file, or it is none of ours; with the place.
    pub fn read(path: &Utf8Path) -> Result<Self> {
        let bytes = files::read_if_exists(path)?
            .ok_or_else(|| usage(format!("there is no {path}; `--write-baseline` writes one")))?;
        let written: Written = serde_json::from_slice(&bytes)
            .with_context(|| format!("failed to read the baseline {path}"))
            .or_exit(Exit::Usage)?;
        if written.version != VERSION {
            return Err(usage(format!(
                "the baseline {path} is of version {}, and this program reads version {VERSION}",
                written.version
            )));
        }
        let mut known = Self::default();
        for entry in written.findings {
            *known.entries.entry(entry).or_default() += 1;
        }
        Ok(known)
    }

    /// Which of the findings are known, in their order, and how many known ones were not found again. `line` gives the
    /// text of a finding's line.
    pub fn recognize(
        &self,
        findings: &[&Finding],
        line: impl Fn(&Finding) -> String,
    ) -> (Vec<bool>, usize) {
        let mut left = self.entries.clone();
        let known =
            findings.iter().map(
                |finding| match left.get_mut(&entry(finding, line(finding))) {
                    Some(count) if *count > 0 => {
                        *count -= 1;
                        true
                    }
                    _ => false,
                },
            );
        let known = known.collect();
        (known, left.values().sum())
    }
}

/// Writes the baseline that knows exactly these findings, sorted, one a line.
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
