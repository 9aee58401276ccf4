//! Dates in the forms that people write.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// A date or time of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp {
    /// as written
    pub text: String,
    /// its meaning; `None` if it is invalid
    pub moment: Option<Moment>,
}

/// A point in time with the precision of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// with an offset from UTC
    Instant {
        /// the instant
        at: jiff::Timestamp,
        /// the offset in the text
        offset: Offset,
    },
    /// a local date and time without an offset
    Local(DateTime),
    /// a local date without an offset
    Day(Date),
}

impl Timestamp {
    /// Parses a date; `None` for an empty one (nothing, `--`, `—`, `N/A`, `TBD`, a state such as `Pending`, a placeholder of a template).
    ///
    /// Supported: RFC 3339 with `Z`, `-08:00` or `-0800`, with or without seconds, with `T` or a blank; a date alone; `January 3, 2026`
    /// and `3 January 2026`, with or without a time; each with a note in parentheses after it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let core = text
            .split('(')
            .next()
            .unwrap_or_default()
            .trim()
            .trim_start_matches(['~', '≈'])
            .trim();
        if !core.chars().any(|character| character.is_ascii_digit()) {
            let unreadable = !core.is_empty() && !is_empty_word(core);
            return unreadable.then(|| Self {
                text: text.to_owned(),
                moment: None,
            });
        }
        Some(Self {
            text: text.to_owned(),
            moment: read_moment(core),
        })
    }

    /// Compares two times: two instants exactly, otherwise by the parts that both have. `None` if one is invalid, or if the less precise
    /// one includes the other.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = (self.moment?, other.moment?);
        match (left, right) {
            (Moment::Instant { at: left, .. }, Moment::Instant { at: right, .. }) => {
                Some(left.cmp(&right))
            }
            (Moment::Local(left), Moment::Local(right)) => Some(left.cmp(&right)),
            (Moment::Day(left), Moment::Day(right)) => Some(left.cmp(&right)),
            _ => Some(left.day().cmp(&right.day())).filter(|order| order.is_ne()),
        }
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.text
    }
}

/// Fails for the text of an empty date.
impl TryFrom<String> for Timestamp {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or("no date")
    }
}

impl Moment {
    fn day(self) -> Date {
        match self {
            Self::Instant { at, offset } => offset.to_datetime(at).date(),
            Self::Local(at) => at.date(),
            Self::Day(day) => day,
        }
    }
}

fn is_empty_word(core: &str) -> bool {
    let only_signs = core.chars().all(|character| !character.is_alphanumeric());
    let word = core.to_lowercase();
    let state = super::vocabulary::status(core).is_some();
    only_signs
        || state
        || core.starts_with('[')
        || matches!(word.as_str(), "n/a" | "tbd" | "none" | "unknown" | "never")
}

/// Splits a text into date, time and offset by their forms, in any combination.
fn read_moment(core: &str) -> Option<Moment> {
    let (date, rest) = read_date(core)?;
    let rest = rest
        .trim_start_matches([',', ' ', 'T', 't', '_'])
        .trim_start_matches("at ")
        .trim();
    if rest.is_empty() {
        return Some(Moment::Day(date));
    }
    let (time, rest) = read_time(rest)?;
    let local = date.to_datetime(time);
    let rest = rest.trim();
    if rest.is_empty() {
        return Some(Moment::Local(local));
    }
    match read_offset(rest) {
        Some(offset) => offset
            .to_timestamp(local)
            .ok()
            .map(|at| Moment::Instant { at, offset }),
        // a zone by its letters (`PST`) is ambiguous: the time is kept, the zone is not
        None => rest
            .chars()
            .all(char::is_alphabetic)
            .then_some(Moment::Local(local)),
    }
}

fn read_date(text: &str) -> Option<(Date, &str)> {
    if text.starts_with(|character: char| character.is_ascii_digit()) {
        let mut parts = text.splitn(3, ['-', '/', '.']);
        let (year, month, rest) = (parts.next()?, parts.next(), parts.next());
        if let (4, Some(month), Some(rest)) = (year.len(), month, rest) {
            let (day, rest) = digits(rest)?;
            return Some((
                Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?,
                rest,
            ));
        }
    }
    let mut rest = text;
    let (mut day, mut month) = (None, None);
    loop {
        rest = rest.trim_start_matches([' ', ',', '.']);
        if let Some((number, after)) = digits(rest) {
            if number.len() == 4 {
                return Some((Date::new(number.parse().ok()?, month?, day?).ok()?, after));
            }
            day = Some(number.parse().ok()?);
            rest = ["st", "nd", "rd", "th"]
                .iter()
                .find_map(|suffix| after.strip_prefix(suffix))
                .unwrap_or(after);
        } else {
            let end = rest
                .find(|character: char| !character.is_alphabetic())
                .unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            // a name that is not a month is a day of the week
            month = month.or_else(|| read_month(&rest[..end]));
            rest = &rest[end..];
        }
    }
}

fn read_month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_lowercase();
    let at = MONTHS.iter().position(|month| {
        name.len() >= 3 && month.starts_with(&name) || name == "sept" && *month == "september"
    })?;
    i8::try_from(at + 1).ok()
}

/// `10:20`, `10:20:30`, `10:20:30.5`, `10:20 PM`.
fn read_time(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = digits(text)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?)?;
    let (second, mut rest) = match rest.strip_prefix(':').and_then(digits) {
        Some((second, rest)) => (second.parse().ok()?, rest),
        None => (0, rest),
    };
    if let Some((_, after)) = rest.strip_prefix('.').and_then(digits) {
        rest = after;
    }
    let mut hour: i8 = hour.parse().ok()?;
    let half = rest.trim_start().get(..2).map(str::to_ascii_lowercase);
    if let Some(half @ ("am" | "pm")) = half.as_deref() {
        hour = hour % 12 + if half == "pm" { 12 } else { 0 };
        rest = &rest.trim_start()[2..];
    }
    Some((Time::new(hour, minute.parse().ok()?, second, 0).ok()?, rest))
}

/// `Z`, `UTC`, `+01`, `-0800`, `-08:00`, optionally prefixed with `UTC` or `GMT`.
fn read_offset(text: &str) -> Option<Offset> {
    let text = text
        .strip_prefix("UTC")
        .or_else(|| text.strip_prefix("GMT"))
        .unwrap_or(text);
    if matches!(text, "" | "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, text) = match text.chars().next()? {
        '+' => (1, &text[1..]),
        '-' => (-1, &text[1..]),
        '−' => (-1, &text['−'.len_utf8()..]),
        _ => return None,
    };
    let (digits, rest) = digits(text)?;
    let (hours, minutes) = match (digits.len(), rest.strip_prefix(':')) {
        (1 | 2, None) if rest.is_empty() => (digits, "0"),
        (1 | 2, Some(minutes)) if minutes.len() == 2 => (digits, minutes),
        (4, None) if rest.is_empty() => digits.split_at(2),
        _ => return None,
    };
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok()
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&end).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Timestamp::read(text) {
            None => "empty".to_owned(),
            Some(Timestamp { moment: None, .. }) => "unreadable".to_owned(),
            Some(Timestamp {
                moment: Some(moment),
                ..
            }) => match moment {
                Moment::Instant { at, .. } => at.to_string(),
                Moment::Local(at) => at.to_string(),
                Moment::Day(day) => day.to_string(),
            },
        }
    }

    #[test]
    fn common_forms() {
        for (text, expected) in [
            ("2026-01-03T10:20:30-0800", "2026-01-03T18:20:30Z"),
            ("2026-01-03T10:20:30-08:00", "2026-01-03T18:20:30Z"),
            ("2026-01-03T10:20-08", "2026-01-03T18:20:00Z"),
            ("2026-01-03T10:20:30Z", "2026-01-03T10:20:30Z"),
            ("2026-01-03 10:20:30 UTC", "2026-01-03T10:20:30Z"),
            ("2026-01-03 10:20:30.123 +0530", "2026-01-03T04:50:30Z"),
            ("2026-01-03 10:20 PST", "2026-01-03T10:20:00"),
            ("2026-01-03 10:20", "2026-01-03T10:20:00"),
            ("2026-01-03", "2026-01-03"),
            ("2026/1/3", "2026-01-03"),
            ("January 3, 2026", "2026-01-03"),
            ("Jan 3rd 2026", "2026-01-03"),
            (
                "Saturday, January 3, 2026 at 4:05 pm",
                "2026-01-03T16:05:00",
            ),
            ("3 January 2026", "2026-01-03"),
            ("2026-01-03 (approximately)", "2026-01-03"),
            ("--", "empty"),
            ("—", "empty"),
            ("", "empty"),
            ("TBD", "empty"),
            ("Pending", "empty"),
            ("[timestamp]", "empty"),
            ("2026-13-03", "unreadable"),
            ("03.01.26", "unreadable"),
            ("last Tuesday", "unreadable"),
            ("2026-01-03T99:00:00Z", "unreadable"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn day_and_instant_compare_by_day() {
        let at = |text| Timestamp::read(text).unwrap();
        let compare = |left, right| at(left).compare(&at(right));
        assert_eq!(compare("2026-01-03", "2026-01-03T10:00:00Z"), None);
        assert_eq!(
            compare("2026-01-04", "2026-01-03T10:00:00Z"),
            Some(Ordering::Greater)
        );
        assert_eq!(
            compare("2026-01-03T23:30:00-08:00", "2026-01-04T07:00:00Z"),
            Some(Ordering::Greater)
        );
        assert_eq!(compare("2026-01-03T23:30:00-08:00", "2026-01-03"), None);
        assert_eq!(compare("nonsense", "2026-01-03"), None);
    }
}
