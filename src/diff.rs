//! Unified diffs, and the similarity of two texts.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::sys::terminal::{BAD, DIM, GOOD, Terminal};

/// The difference between two texts of a file in the format of `patch`; `path` is relative to the workspace root. Empty if the texts
/// are equal.
#[must_use]
pub fn unified(path: &str, old: &str, new: &str) -> String {
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(format!("a/{path}"));
    options.set_modified_filename(format!("b/{path}"));
    let hunks = options.create_patch(old, new);
    if hunks.hunks().is_empty() {
        return String::new();
    }
    // `diff` writes a blank context line with its leading space.
    let formatter = diffy::PatchFormatter::new().suppress_blank_empty(false);
    formatter.fmt_patch(&hunks).to_string()
}

/// The share of equal words in two texts in any order, from 0 to 1.
#[must_use]
pub fn likeness_by_words(old: &str, new: &str) -> f64 {
    likeness(old.split_whitespace(), new.split_whitespace())
}

/// The share of equal lines in two texts in any order, from 0 to 1.
#[must_use]
pub fn likeness_by_lines(old: &str, new: &str) -> f64 {
    likeness(old.lines(), new.lines())
}

/// The Sørensen–Dice coefficient of two multisets: twice the size of the intersection, divided by the sum of the sizes.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn likeness<'t>(old: impl Iterator<Item = &'t str>, new: impl Iterator<Item = &'t str>) -> f64 {
    let (mut left, mut all, mut both) = (BTreeMap::<&str, usize>::new(), 0_usize, 0_usize);
    for part in old {
        *left.entry(part).or_default() += 1;
        all += 1;
    }
    for part in new {
        all += 1;
        if let Some(count) = left.get_mut(part).filter(|count| **count > 0) {
            *count -= 1;
            both += 2;
        }
    }
    if all == 0 {
        1.0
    } else {
        both as f64 / all as f64
    }
}

/// The maximum number of bytes to show of a line that only the program reads.
const SHOWN: usize = 80;

/// Prints a colored diff and keeps its line ends. Long lines that only the program reads are shortened.
///
/// # Errors
/// When the output cannot be written.
pub fn print(text: &str, terminal: &mut Terminal) -> Result<()> {
    let out = terminal.out();
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let end = &line[content.len()..];
        let kept = content
            .get(1..)
            .is_some_and(|line| line.starts_with("<!-- cargo-poc:"));
        if kept && content.len() > SHOWN {
            let cut = (0..=SHOWN).rev().find(|at| content.is_char_boundary(*at));
            let content = &content[..cut.unwrap_or_default()];
            let style = match content.chars().next() {
                Some('+') => GOOD,
                Some('-') => BAD,
                _ => DIM,
            };
            write!(out, "{style}{content}…{style:#}{end}")?;
            continue;
        }
        match content.chars().next() {
            Some('+') => write!(out, "{GOOD}{content}{GOOD:#}{end}")?,
            Some('-') => write!(out, "{BAD}{content}{BAD:#}{end}")?,
            _ => write!(out, "{line}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_has_the_format_of_patch() {
        assert_eq!(unified("f", "same\n", "same\n"), "");
        assert_eq!(
            unified("f", "a\nb\nc", "a\nB\nc\nd\n"),
            "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n a\n-b\n-c\n\\ No newline at end of file\n+B\n+c\n+d\n"
        );
        assert_eq!(
            unified("f", "", "new\n"),
            "--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+new\n"
        );
    }

    #[test]
    fn likeness_is_the_share_of_common_elements() {
        let close = |share: f64, expected: f64| (share - expected).abs() < 1e-9;
        assert!(close(likeness_by_words("", ""), 1.0));
        assert!(close(likeness_by_words("a b b", "b a d"), 4.0 / 6.0));
        assert!(close(likeness_by_words("a", "b"), 0.0));
        assert!(close(likeness_by_lines("a\nb\n", "a\r\nb\n"), 1.0));
    }
}
