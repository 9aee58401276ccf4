//! Findings: one disagreement each, with a stable code, a place, and what to do about it.

use std::fmt;

use serde::Serialize;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To look at; gates nothing.
    Warning,
    /// Something claimed is not so; `--check` ends with 1.
    Error,
}

/// What kind of disagreement; the codes are a public contract and are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A part of a document could not be read, or not as it was meant.
    Unclear,
    /// A document cannot be relied on: no steps, doubled ids, an open comment.
    Unreliable,
    /// A plan without its results document.
    NoResults,
    /// Evidence that was edited, cut, or does not belong here.
    DamagedEvidence,
    /// Said to be done, and no run of ours has shown it.
    Claimed,
    /// The last run failed.
    Failed,
    /// Passed once, and what it depended on has changed.
    Stale,
    /// The baseline passed it, a later run did not.
    Regression,
    /// The Dependencies section cannot be compared with the manifests.
    Dependencies,
    /// What changed since the base cannot be found out.
    UnknownChange,
}

impl Code {
    /// The code as it is printed: `POC001`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unclear => "POC001",
            Self::Unreliable => "POC002",
            Self::NoResults => "POC003",
            Self::DamagedEvidence => "POC010",
            Self::Claimed => "POC020",
            Self::Failed => "POC021",
            Self::Stale => "POC022",
            Self::Regression => "POC023",
            Self::Dependencies => "POC030",
            Self::UnknownChange => "POC031",
        }
    }

    /// How much it weighs.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Unclear | Self::Stale | Self::UnknownChange => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// The file below the workspace root, with `/`.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// What disagrees, and what to do.
    pub message: String,
}
