//! What keeps the Summary of the results from saying Complete, besides what is not proven.

use crate::document::results::Results;
use crate::document::{Row, Status, vocabulary};
use crate::project::Poc;

/// Something that only a person can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Its line in the results.
    pub line: usize,
    /// What it is, after "everything is proven, and".
    pub why: String,
}

/// The first thing about the results themselves that keeps them from saying Complete.
pub(super) fn blocker(poc: &Poc) -> Option<Blocker> {
    let Some((_, results)) = &poc.results else {
        return Some(Blocker {
            line: 1,
            why: "there is no results document".to_owned(),
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
        why: format!("the Status is `{}`, which is for you to change", row.value),
    })
}

/// The row of the Summary with this key.
#[must_use]
pub fn summary_row<'r>(results: &'r Results, key: &str) -> Option<&'r Row> {
    let mut rows = results.summary.iter();
    rows.find(|row| row.key.eq_ignore_ascii_case(key))
}

/// Whether a status says that the work is pending or goes on, and nothing else.
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
    fn only_a_plain_word_is_replaced_by_the_program() {
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
