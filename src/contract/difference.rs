//! One difference between a plan and its contract.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a plan that differs from the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The part: `criterion`, `command of step 1`, `expectation of done`, `step 4`, `test`.
    pub what: String,
    /// How it differs.
    pub how: How,
    /// The locked text; `null` if it was added.
    pub was: Option<String>,
    /// The current text; `null` if it was removed.
    pub is: Option<String>,
}

/// How a part of a plan differs from the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Added to the plan.
    Added,
    /// The plan requires more.
    Tightened,
    /// Different, but neither stricter nor weaker.
    Changed,
    /// Removed from the plan.
    Removed,
    /// The plan requires less.
    Relaxed,
    /// The command runs less.
    Narrowed,
    /// The test exists but is ignored.
    Ignored,
    /// The test runs, and its body cannot fail any more.
    Emptied,
}

impl How {
    /// Whether the plan requires less than the contract.
    #[must_use]
    pub fn weakens(self) -> bool {
        matches!(
            self,
            Self::Removed | Self::Relaxed | Self::Narrowed | Self::Ignored | Self::Emptied
        )
    }

    /// Whether the plan still contains the whole contract.
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
            Self::Emptied => "without any assertion now",
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
