//! The region of a results document that holds the evidence: where it is, and where a line is added.

use std::ops::Range;

use super::{Problem, ProblemKind, RECORD};

const BEGIN: &str = "<!-- cargo-poc:begin evidence -->";
const END: &str = "<!-- cargo-poc:end evidence -->";
const HEAD: &str = "| When | Scope | Command | Outcome | Tests | Commit | Took |";
const RULE: &str = "|------|-------|---------|---------|-------|--------|------|";

/// The text with a row of the table and a record's line added.
pub(super) fn add(text: &str, row: &str, record: &str) -> String {
    let end = line_ending(text);
    let Some(region) = find(text) else {
        return format!("{text}{}", new_region(text, row, record));
    };
    let inner = &text[region.clone()];
    let record_at = record_place(inner);
    // Without a table, or with one that was taken apart: a new one, above everything.
    let row_at = row_place(inner);
    let row_lines = match row_at {
        Some(_) => vec![row],
        None => vec!["", HEAD, RULE, row, ""],
    };
    // A comment right below a table would be taken for one of its rows.
    let record_lines = if row_at == Some(record_at) {
        vec!["", record]
    } else {
        vec![record]
    };
    let mut pieces = vec![(row_at.unwrap_or(0), row_lines), (record_at, record_lines)];
    pieces.sort_by_key(|(at, _)| *at);
    if lines(&text[region.end..])
        .next()
        .is_none_or(|(_, line)| line.trim() != END)
    {
        // The end marker was lost: without it the next reader could not tell where evidence stops.
        pieces.push((inner.len(), vec![END]));
    }
    let mut added = text[..region.start].to_owned();
    let mut done = 0;
    for (at, new_lines) in pieces {
        added.push_str(&inner[done..at]);
        done = at;
        for line in new_lines {
            if !added.ends_with('\n') {
                added.push_str(end);
            }
            added.push_str(line);
            added.push_str(end);
        }
    }
    added.push_str(&text[region.start + done..]);
    added
}

/// A region for a document that has none, to stand at its end.
fn new_region(text: &str, row: &str, record: &str) -> String {
    let end = line_ending(text);
    let gap = match text {
        text if text.is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n") => {
            String::new()
        }
        text if text.ends_with('\n') => end.to_owned(),
        _ => end.repeat(2),
    };
    let lines = [
        "## Evidence",
        "",
        BEGIN,
        "",
        HEAD,
        RULE,
        row,
        "",
        record,
        "",
        END,
        "",
    ];
    gap + &lines.join(end)
}

/// A marker that stands without the other.
pub(super) fn unpaired(text: &str) -> Option<Problem> {
    let lines: Vec<_> = lines(text).collect();
    let line_of = |marker: &str| lines.iter().position(|(_, line)| line.trim() == marker);
    let (line, marker) = match (line_of(BEGIN), line_of(END)) {
        (Some(begin), None) => (begin, "end"),
        (None, Some(end)) => (end, "begin"),
        (Some(begin), Some(end)) if end < begin => (begin, "end"),
        _ => return None,
    };
    Some(Problem {
        kind: ProblemKind::Unpaired,
        line: line + 1,
        message: format!("the evidence has no `<!-- cargo-poc:{marker} evidence -->`; put it back"),
    })
}

/// What stands between the markers; without an end marker, up to the line after the last record.
fn find(text: &str) -> Option<Range<usize>> {
    let begin = lines(text).find(|(_, line)| line.trim() == BEGIN)?;
    let start = begin.0 + begin.1.len();
    let inside = || lines(&text[start..]).map(|(at, line)| (start + at, line));
    if let Some((at, _)) = inside().find(|(_, line)| line.trim() == END) {
        return Some(start..at);
    }
    let last = inside()
        .filter(|(_, line)| line.trim().starts_with(RECORD))
        .last();
    Some(start..last.map_or(start, |(at, line)| at + line.len()))
}

/// Behind the last row of the table.
fn row_place(inner: &str) -> Option<usize> {
    let mut place = None;
    for (at, line) in lines(inner) {
        let is_row = line.trim_start().starts_with('|');
        if place.is_none() && line.trim().starts_with("| When ") || place.is_some() && is_row {
            place = Some(at + line.len());
        } else if place.is_some() {
            break;
        }
    }
    place
}

/// Behind the last record, else before the blank lines that end the region.
fn record_place(inner: &str) -> usize {
    let last = lines(inner)
        .filter(|(_, line)| line.trim().starts_with(RECORD))
        .last();
    if let Some((at, line)) = last {
        return at + line.len();
    }
    let blank = |line: &str| line.trim().is_empty();
    let last_blank = lines(inner).filter(|(_, line)| blank(line)).last();
    last_blank.map_or(inner.len(), |(at, line)| {
        if at + line.len() == inner.len() {
            at
        } else {
            inner.len()
        }
    })
}

/// Every line with its offset, its line end included.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// How most lines of the text end.
fn line_ending(text: &str) -> &'static str {
    let all = text.matches('\n').count();
    let with_return = text.matches("\r\n").count();
    if with_return * 2 > all { "\r\n" } else { "\n" }
}
