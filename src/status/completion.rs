//! Problems of the results that prevent Complete, apart from unproven parts.

use crate::document::results::Results;
use crate::document::{Row, Status, vocabulary};
use crate::project::Poc;

/// A problem that only a person can resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Its line in the results.
    pub line: usize,
    /// The problem, as the end of a sentence after "everything is proven, but".
    pub why: String,
}

/// The first problem of the results that prevents Complete.
pub(super) fn blocker(poc: &Poc) -> Option<Blocker> {
    let Some((_, results)) = &poc.results else {
        return Some(Blocker {
            line: 1,
            why: "the results document is missing".to_owned(),
        });
    };
    let Some(row) = summary_row(results, "status") else {
        return Some(Blocker {
            line: 1,
            why: "the Summary of the results has no Status row".to_owned(),
        });
    };
    (!is_plain(&row.value)).then(|| Blocker {
        line: row.line,
        why: format!("the Status is `{}`, which only you can change", row.value),
    })
}

/// The row of the Summary with this key.
#[must_use]
pub fn summary_row<'r>(results: &'r Results, key: &str) -> Option<&'r Row> {
    let mut rows = results.summary.iter();
    rows.find(|row| row.key.eq_ignore_ascii_case(key))
}

/// Whether a status is only a word for pending or in progress.
fn is_plain(value: &str) -> bool {
    let words = vocabulary::words(value);
    let plain = [
        "",
        "pending",
        "not started",
        "planned",
        "todo",
        "to do",
        "in progress",
        "started",
        "ongoing",
        "wip",
    ];
    let goes_on = matches!(
        vocabulary::status(value),
        None | Some(Status::Pending | Status::InProgress)
    );
    goes_on && plain.contains(&words.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_statuses_are_replaced() {
        for plain in [
            "",
            "--",
            "Pending",
            "In Progress",
            "🔄 In Progress",
            "in-progress",
            "⏳",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for own in [
            "In Progress (waits for Ada)",
            "Blocked",
            "❌",
            "Pending / Complete",
            "Complete",
            "Review",
        ] {
            assert!(!is_plain(own), "{own}");
        }
    }
}
