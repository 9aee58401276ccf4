//! Tests that a plan has put into quarantine: rows of a table with an owner, a reason and the last day.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::time::{Moment, Timestamp};

/// A test whose failure a plan excuses for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// the test's name, perhaps with its crate or binary before it
    pub test: String,
    /// who takes it out again
    pub owner: String,
    /// why it is there
    pub reason: String,
    /// the last day
    pub until: Option<Timestamp>,
    /// the line of the row, from 1
    pub line: usize,
}

impl Quarantined {
    /// The last day; `None` where none can be read.
    #[must_use]
    pub fn last_day(&self) -> Option<Date> {
        match self.until.as_ref()?.moment? {
            Moment::Instant { at, offset } => Some(offset.to_datetime(at).date()),
            Moment::Local(time) => Some(time.date()),
            Moment::Day(day) => Some(day),
        }
    }

    /// Why it excuses nothing on this day; `None` where it excuses the test.
    #[must_use]
    pub fn objection(&self, today: Date) -> Option<String> {
        let is_empty =
            |text: &str| !text.chars().any(char::is_alphanumeric) || text.starts_with('[');
        let required = [(&self.owner, "owner"), (&self.reason, "reason")];
        if let Some((_, what)) = required.iter().find(|(text, _)| is_empty(text)) {
            return Some(format!("it has no {what}"));
        }
        match self.last_day() {
            None => Some("it has no last day, such as 2027-01-31".to_owned()),
            Some(day) if day < today => Some(format!("it ended on {day}")),
            Some(_) => None,
        }
    }
}

/// Today, in the local time zone.
#[must_use]
pub fn today() -> Date {
    jiff::Zoned::now().date()
}
