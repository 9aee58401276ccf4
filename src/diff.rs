//! Two texts compared: what differs as a unified diff, and how alike they are.

use std::collections::BTreeMap;

/// The difference between two texts of a file, as `patch` takes it; `path` is below the workspace root. Empty when there is
/// none.
#[must_use]
pub fn unified(path: &str, old: &str, new: &str) -> String {
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(format!("a/{path}"));
    options.set_modified_filename(format!("b/{path}"));
    let hunks = options.create_patch(old, new);
    if hunks.hunks().is_empty() {
        return String::new();
    }
    // As `diff` writes a blank line that stays: with its leading space.
    let formatter = diffy::PatchFormatter::new().suppress_blank_empty(false);
    formatter.fmt_patch(&hunks).to_string()
}

/// How much of two texts is the same words, in whatever order, from 0 to 1.
#[must_use]
pub fn likeness_by_words(old: &str, new: &str) -> f64 {
    likeness(old.split_whitespace(), new.split_whitespace())
}

/// How much of two texts is the same lines, in whatever order, from 0 to 1.
#[must_use]
pub fn likeness_by_lines(old: &str, new: &str) -> f64 {
    likeness(old.lines(), new.lines())
}

/// The Sørensen–Dice coefficient of two bags: twice what both have, of all.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_what_patch_takes() {
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
    fn likeness_is_the_share_of_both_that_is_in_both() {
        let close = |share: f64, expected: f64| (share - expected).abs() < 1e-9;
        assert!(close(likeness_by_words("", ""), 1.0));
        assert!(close(likeness_by_words("a b b", "b a d"), 4.0 / 6.0));
        assert!(close(likeness_by_words("a", "b"), 0.0));
        assert!(close(likeness_by_lines("a\nb\n", "a\r\nb\n"), 1.0));
    }
}
