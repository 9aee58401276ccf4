//! For people at a terminal.

pub mod affected;
pub mod check;
pub mod contract;
pub mod status;
pub mod verify;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

use crate::sys::terminal::sanitize::sanitize;

/// `text` with blanks after it up to `width` columns; wide characters take two.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// `text` cut to `width` columns, where there are so few.
fn fitted(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| text.width() > *width) else {
        return text.to_owned();
    };
    let mut used = 1;
    let kept = text.chars().take_while(|letter| {
        used += letter.width().unwrap_or_default();
        used <= width
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

/// `text` over as many lines as it needs in `columns`, of which `used` are taken on the first; those after it begin `indent`
/// columns to the right. On one line where there is no end to it.
fn wrapped(text: &str, columns: Option<usize>, used: usize, indent: usize) -> String {
    let Some(columns) = columns else {
        return text.to_owned();
    };
    let (before, below) = (" ".repeat(used), " ".repeat(indent));
    // A path or a command that is too long is for the terminal to break, so that it can be copied whole.
    let options = textwrap::Options::new(columns.max(indent + 20))
        .initial_indent(&before)
        .subsequent_indent(&below)
        .break_words(false);
    let lines = textwrap::fill(text, options);
    lines.get(used..).unwrap_or_default().to_owned()
}

/// The columns of the widest text.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(UnicodeWidthStr::width).max().unwrap_or(0)
}
