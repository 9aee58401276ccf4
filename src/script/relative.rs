//! Limits relative to the baseline: `p99 within 5 % of baseline`.

use std::fmt;

use super::measure::{Sample, samples_of};

/// An expectation about a value of a command, relative to the same value in the files of the base commit.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeLimit {
    /// The name of the value in the output; `None` for the duration of the command.
    pub name: Option<String>,
    /// The maximum difference in percent.
    pub percent: f64,
    /// The limited direction, if the text names one; otherwise it depends on the unit of the value.
    pub worse: Option<Worse>,
}

/// In which direction a value may not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// A larger value is worse: a time or a size.
    Larger,
    /// A smaller value is worse: a rate.
    Smaller,
    /// Nothing is known of a number without a unit.
    Either,
}

impl Worse {
    /// By the base unit of a value.
    pub(crate) fn of(unit: &str) -> Self {
        match unit {
            "s" | "B" | "b" => Self::Larger,
            unit if unit.ends_with("/s") => Self::Smaller,
            _ => Self::Either,
        }
    }
}

impl RelativeLimit {
    /// The values in an output.
    ///
    /// # Errors
    /// A description if there is none, or if one cannot be read.
    pub(crate) fn samples(&self, output: &str) -> Result<Vec<Sample>, String> {
        match &self.name {
            Some(name) => samples_of(name, None, output),
            None => Ok(Vec::new()),
        }
    }

    /// The name for messages: that of the value, or `duration`.
    pub(crate) fn subject(&self) -> &str {
        self.name.as_deref().unwrap_or("duration")
    }
}

impl fmt::Display for RelativeLimit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(out, "{name} ")?;
        }
        let percent = self.percent;
        match self.worse {
            None | Some(Worse::Either) => write!(out, "within {percent} % of baseline"),
            Some(Worse::Larger) => write!(out, "at most {percent} % above baseline"),
            Some(Worse::Smaller) => write!(out, "at most {percent} % below baseline"),
        }
    }
}
