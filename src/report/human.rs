//! Output for people at a terminal.

pub mod affected;
pub mod check;
pub mod contract;
pub mod review;
pub mod status;
pub mod verify;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

use crate::sys::terminal::sanitize::sanitize;

/// Pads `text` with blanks to `width` columns; wide characters take two.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Cuts `text` to `width` columns, if there is a limit.
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

/// Wraps `text` to `columns`, of which `used` are taken on the first line. Further lines are indented by `indent` columns. Without
/// `columns`, the text stays on one line.
fn wrapped(text: &str, columns: Option<usize>, used: usize, indent: usize) -> String {
    let Some(columns) = columns else {
        return text.to_owned();
    };
    let (before, below) = (" ".repeat(used), " ".repeat(indent));
    // A longer word, such as a path or a command, stays whole, so that it can be copied.
    let options = textwrap::Options::new(columns.max(indent + 20))
        .initial_indent(&before)
        .subsequent_indent(&below)
        .break_words(false);
    let lines = textwrap::fill(text, options);
    lines.get(used..).unwrap_or_default().to_owned()
}

/// The width of the widest text in columns.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(UnicodeWidthStr::width).max().unwrap_or(0)
}
