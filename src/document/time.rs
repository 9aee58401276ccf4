//! Dates as people write them.

use jiff::civil::{Date, DateTime};

/// A date or time of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// as written
    pub text: String,
    /// what it means; `None` when it cannot be read
    pub moment: Option<Moment>,
}

/// A point in time, as exact as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// with an offset from UTC
    Instant(jiff::Timestamp),
    /// a date and a time somewhere
    Local(DateTime),
    /// a day somewhere
    Day(Date),
}

impl Timestamp {
    /// Reads a date; `None` for an empty one (nothing, `--`, `—`).
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if matches!(text, "" | "--" | "—" | "-" | "–") {
            return None;
        }
        let moment = text
            .parse::<jiff::Timestamp>()
            .map(Moment::Instant)
            .or_else(|_| text.parse::<DateTime>().map(Moment::Local))
            .ok();
        Some(Self {
            text: text.to_owned(),
            moment,
        })
    }
}
