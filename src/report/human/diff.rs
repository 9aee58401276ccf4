//! What would change, as a unified diff.

use anyhow::Result;

use crate::terminal::{BAD, GOOD, Terminal};

/// The difference between two texts of a file; `path` is below the workspace root. Empty when there is none.
#[must_use]
pub fn unified(path: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// Prints a diff, coloured, with the line ends it has.
///
/// # Errors
/// When the output cannot be written.
pub fn print(text: &str, terminal: &mut Terminal) -> Result<()> {
    let out = terminal.out();
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let end = &line[content.len()..];
        match content.chars().next() {
            Some('+') => write!(out, "{GOOD}{content}{GOOD:#}{end}")?,
            Some('-') => write!(out, "{BAD}{content}{BAD:#}{end}")?,
            _ => write!(out, "{line}")?,
        }
    }
    Ok(())
}
