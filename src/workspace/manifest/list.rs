//! Appends elements to an array or an inline table, in its existing layout.

use std::ops::Range;

/// A replacement: the bytes, and the new text.
pub(super) type Splice = (Range<usize>, String);

/// Appends `items` to the bracketed list at `brackets` with the elements at `elements`.
///
/// A list on one line stays on one line. If the closing bracket is on a separate line, each item gets a line with the indentation of the last
/// one; a trailing comma is kept. Comments are kept.
pub(super) fn append(
    text: &str,
    brackets: &Range<usize>,
    elements: &[Range<usize>],
    items: &[String],
) -> Splice {
    let close = brackets.end - 1;
    let Some(last) = elements.last() else {
        return append_to_empty(text, brackets, items);
    };
    let comma = comma_after(&text[..close], last.end);
    let tail = comma.map_or(last.end, |comma| comma + 1);
    let Some(newline) = text[tail..close].find('\n').map(|offset| tail + offset) else {
        return (last.end..last.end, format!(", {}", items.join(", ")));
    };
    let indent = match indent_of(text, last.start) {
        // The last element is on the line of the opening bracket.
        indent if line_start(text, last.start) <= brackets.start => format!("{indent}    "),
        indent => indent.to_owned(),
    };
    let end_of_line = newline - usize::from(text[..newline].ends_with('\r'));
    let eol = &text[end_of_line..=newline];
    let separator = if comma.is_some() { "" } else { "," };
    let lines = items
        .iter()
        .map(|item| format!("{eol}{indent}{item}"))
        .collect::<Vec<_>>()
        .join(",");
    let end = if comma.is_some() { "," } else { "" };
    (
        last.end..end_of_line,
        format!("{separator}{}{lines}{end}", &text[last.end..end_of_line]),
    )
}

fn append_to_empty(text: &str, brackets: &Range<usize>, items: &[String]) -> Splice {
    let (open, close) = (brackets.start + 1, brackets.end - 1);
    let inner = &text[open..close];
    if !inner.contains('\n') {
        let pad = if text[brackets.clone()].starts_with('{') {
            " "
        } else {
            ""
        };
        return (open..close, format!("{pad}{}{pad}", items.join(", ")));
    }
    let at = line_start(text, close);
    let eol = line_break_after(text, brackets.start);
    let indent = indent_of(text, close);
    let lines: Vec<_> = items
        .iter()
        .map(|item| format!("{indent}    {item},{eol}"))
        .collect();
    (at..at, lines.concat())
}

/// The comma after the element that ends at `from`, ignoring white space and comments.
fn comma_after(text: &str, from: usize) -> Option<usize> {
    let mut in_comment = false;
    for (offset, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            b'\n' => in_comment = false,
            _ if in_comment => {}
            b'#' => in_comment = true,
            b',' => return Some(offset),
            _ => {}
        }
    }
    None
}

/// The offset of the first byte of the line that contains `offset`.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The line end directly after `offset`, that of the first line, or `\n`.
pub(super) fn line_break_after(text: &str, offset: usize) -> &'static str {
    let newline = text[offset..]
        .find('\n')
        .map(|found| offset + found)
        .or_else(|| text.find('\n'));
    match newline {
        Some(newline) if text[..newline].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The white space at the start of a line.
pub(super) fn indent_of(text: &str, offset: usize) -> &str {
    let line = &text[line_start(text, offset)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
