//! What would change, as a unified diff.

use anyhow::Result;

use crate::sys::terminal::{BAD, DIM, GOOD, Terminal};

/// How much of a line is shown that the program keeps for itself, in bytes.
const SHOWN: usize = 80;

/// Prints a diff, coloured, with the line ends it has. Lines that only the program reads are cut: they are long.
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
