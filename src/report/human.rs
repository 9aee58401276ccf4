//! For people at a terminal.

pub mod affected;
pub mod check;
pub mod contract;
pub mod diff;
pub mod status;
pub mod verify;

use unicode_width::UnicodeWidthStr;

use crate::terminal::harmless::harmless;

/// `text` with blanks after it up to `width` columns; wide characters take two.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The columns of the widest text.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// `1 file`, `2 files`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
