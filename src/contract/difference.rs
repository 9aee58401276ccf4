//! One difference between two promises.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One part of the promise that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What changed: `criterion`, `command of step 1`, `expectation of done`, `step 4`, `test`.
    pub what: String,
    /// What became of it.
    pub how: How,
    /// What was; `null` for what is new.
    pub was: Option<String>,
    /// What is; `null` for what is gone.
    pub is: Option<String>,
}

/// What became of a part of the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is new.
    Added,
    /// It asks for more.
    Tightened,
    /// It says something else.
    Changed,
    /// It is gone.
    Removed,
    /// It asks for less.
    Relaxed,
    /// It runs less.
    Narrowed,
    /// It is there, and is not run.
    Ignored,
}

impl How {
    /// Whether less is promised than before.
    #[must_use]
    pub fn weakens(self) -> bool {
        matches!(
            self,
            Self::Removed | Self::Relaxed | Self::Narrowed | Self::Ignored
        )
    }

    /// Whether nothing of what was promised is touched.
    #[must_use]
    pub fn extends(self) -> bool {
        matches!(self, Self::Added | Self::Tightened)
    }
}

impl fmt::Display for How {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Added => "added",
            Self::Tightened => "tightened",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Relaxed => "relaxed",
            Self::Narrowed => "narrowed",
            Self::Ignored => "newly ignored",
        })
    }
}

impl fmt::Display for Difference {
    /// `criterion relaxed: p99 < 1 ms → p99 < 5 ms`, on one line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        write!(out, "{} {}", self.what, self.how)?;
        match (&self.was, &self.is) {
            (Some(was), Some(is)) => write!(out, ": {} → {}", one_line(was), one_line(is)),
            (Some(text), None) | (None, Some(text)) => write!(out, ": {}", one_line(text)),
            (None, None) => Ok(()),
        }
    }
}
