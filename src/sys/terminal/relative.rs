//! Paths in messages, relative to the workspace as in findings.

use std::borrow::Cow;
use std::sync::OnceLock;

use camino::Utf8Path;

/// The folder of the workspace, with a separator at its end. A process works on one workspace, and an error may be printed after
/// the workspace is gone.
static ROOT: OnceLock<String> = OnceLock::new();

/// Makes messages show paths in `root` relative to it.
pub fn set_root(root: &Utf8Path) {
    ROOT.get_or_init(|| root.join("").into_string());
}

/// A message with such paths.
#[must_use]
pub fn shown(message: &str) -> Cow<'_, str> {
    match ROOT.get() {
        Some(root) => without(message, root),
        None => Cow::Borrowed(message),
    }
}

/// `message` without `root` at the beginning of paths.
fn without<'m>(message: &'m str, root: &str) -> Cow<'m, str> {
    let mut shown = String::new();
    let mut done = 0;
    for (at, _) in message.match_indices(root) {
        let before = message[..at].chars().next_back();
        let is_inside = |letter: char| letter.is_alphanumeric() || "/\\._-".contains(letter);
        let after = message[at + root.len()..].chars().next();
        if !before.is_some_and(is_inside) && after.is_some_and(|letter| !letter.is_whitespace()) {
            shown += &message[done..at];
            done = at + root.len();
        }
    }
    if done == 0 {
        return Cow::Borrowed(message);
    }
    shown += &message[done..];
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn only_paths_that_begin_with_the_root_are_shortened() {
        for (message, shown) in [
            (
                "failed to read /w/docs/a.md: no",
                "failed to read docs/a.md: no",
            ),
            ("`/w/a` and /w/b", "`a` and b"),
            ("in /w", "in /w"),
            ("in /w/ there", "in /w/ there"),
            ("/tmp/w/a and file:///w/a", "/tmp/w/a and file:///w/a"),
        ] {
            assert_eq!(without(message, "/w/"), shown);
        }
    }
}
