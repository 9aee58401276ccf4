//! A region of a results document that records are added to, and kept by the program: where it is, where a line is
//! added, and how a record is written so that a slip of the hand shows.

use std::ops::Range;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::{EvidenceProblem, ProblemKind};

/// What tells one kind of records from another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegionFormat {
    /// The region's name in its markers and in the records: `evidence`.
    pub(crate) name: &'static str,
    /// Its heading: `## Evidence`.
    pub(crate) heading: &'static str,
    /// The head of its table; the first column is When.
    pub(crate) head: &'static str,
    /// The line below that.
    pub(crate) rule: &'static str,
    /// What to do about a record that cannot be relied on: `verify again`.
    pub(crate) remedy: &'static str,
}

impl RegionFormat {
    fn begin(self) -> String {
        format!("<!-- cargo-poc:begin {} -->", self.name)
    }

    fn end(self) -> String {
        format!("<!-- cargo-poc:end {} -->", self.name)
    }

    /// How a record's line begins; its version and checksum follow.
    fn record(self) -> String {
        format!("<!-- cargo-poc:{} ", self.name)
    }

    /// The first sixteen hexadecimal digits of BLAKE3 over the record as it is written.
    fn checksum(self, json: &str) -> String {
        let hash = blake3::Hasher::new()
            .update(format!("cargo-poc {} v1\n", self.name).as_bytes())
            .update(json.as_bytes())
            .finalize();
        hash.to_hex()[..16].to_owned()
    }

    /// A record as a line of the document.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn line(self, record: &impl Serialize) -> Result<String> {
        let json = serde_json::to_string(record)
            .with_context(|| format!("failed to write the {} as JSON", self.name))?;
        // Two hyphens may end a comment; in JSON they stand in strings alone, where one can be spelled out.
        let json = json.replace("--", "-\\u002d");
        Ok(format!(
            "{}v1 {} {json} -->",
            self.record(),
            self.checksum(&json)
        ))
    }

    /// The records of a document with their checksums and lines, and what is no record any more. Total.
    pub(crate) fn read<T: DeserializeOwned>(
        self,
        text: &str,
    ) -> (Vec<(T, String, usize)>, Vec<EvidenceProblem>) {
        let (lead, mut records, mut problems) = (self.record(), Vec::new(), Vec::new());
        for (number, line) in lines_with(text, &lead) {
            let Some(rest) = line.strip_prefix(&lead) else {
                continue;
            };
            match self.read_line(rest) {
                Ok((checksum, record)) => records.push((record, checksum, number)),
                Err(kind) => problems.push(self.problem(kind, number)),
            }
        }
        problems.extend(unpaired(self, text));
        (records, problems)
    }

    /// What follows the beginning: `v1 CHECKSUM JSON -->`.
    fn read_line<T: DeserializeOwned>(self, rest: &str) -> Result<(String, T), ProblemKind> {
        let damaged = ProblemKind::Damaged;
        let (version, rest) = rest.split_once(' ').ok_or(damaged)?;
        if version != "v1" {
            return Err(ProblemKind::UnknownVersion);
        }
        let (claimed, rest) = rest.split_once(' ').ok_or(damaged)?;
        let json = rest.strip_suffix("-->").ok_or(damaged)?.trim_end();
        if self.checksum(json) != claimed {
            return Err(ProblemKind::Edited);
        }
        let record = serde_json::from_str(json).map_err(|_| damaged)?;
        Ok((claimed.to_owned(), record))
    }

    /// What is wrong with a record's line.
    pub(crate) fn problem(self, kind: ProblemKind, line: usize) -> EvidenceProblem {
        let Self { name, remedy, .. } = self;
        let message = match kind {
            ProblemKind::UnknownVersion => format!(
                "this {name} is of a version that this program does not know and does not count; update cargo-poc"
            ),
            ProblemKind::Edited => format!(
                "this {name} was edited and does not count; restore the line from git, or {remedy}"
            ),
            ProblemKind::Gap => format!(
                "the {name} recorded before this is gone or cannot be read; restore it from git"
            ),
            ProblemKind::Damaged | ProblemKind::Unpaired => format!(
                "this {name} is cut or wrapped and does not count; restore the line from git, or {remedy}"
            ),
        };
        EvidenceProblem {
            kind,
            line,
            message,
        }
    }
}

/// The text with rows of the table and a record's line added.
pub(crate) fn add(format: RegionFormat, text: &str, rows: &[String], record: &str) -> String {
    let end = line_ending(text);
    let Some(region) = find(format, text) else {
        return format!("{text}{}", new_region(format, text, rows, record));
    };
    let (head, rule, end_marker) = (format.head, format.rule, format.end());
    let rows = rows.iter().map(String::as_str);
    let inner = &text[region.clone()];
    let record_at = record_place(format, inner);
    // Without a table, or with one that was taken apart: a new one, above everything.
    let row_at = row_place(inner);
    let row_lines: Vec<&str> = match row_at {
        Some(_) => rows.collect(),
        None => ["", head, rule]
            .into_iter()
            .chain(rows)
            .chain([""])
            .collect(),
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
        .is_none_or(|(_, line)| line.trim() != end_marker)
    {
        // The end marker was lost: without it the next reader could not tell where evidence stops.
        pieces.push((inner.len(), vec![&end_marker]));
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
fn new_region(format: RegionFormat, text: &str, rows: &[String], record: &str) -> String {
    let end = line_ending(text);
    let gap = match text {
        text if text.is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n") => {
            String::new()
        }
        text if text.ends_with('\n') => end.to_owned(),
        _ => end.repeat(2),
    };
    let (begin, end_marker) = (format.begin(), format.end());
    let head = [format.heading, "", &begin, "", format.head, format.rule];
    let rows = rows.iter().map(String::as_str);
    let foot = ["", record, "", &end_marker, ""];
    let lines: Vec<&str> = head.into_iter().chain(rows).chain(foot).collect();
    gap + &lines.join(end)
}

/// A marker that stands without the other.
fn unpaired(format: RegionFormat, text: &str) -> Option<EvidenceProblem> {
    let line_of = |marker: &str| {
        let mut lines = lines_with(text, marker);
        lines.find_map(|(number, line)| (line == marker).then_some(number))
    };
    let (line, marker) = match (line_of(&format.begin()), line_of(&format.end())) {
        (Some(begin), None) => (begin, "end"),
        (None, Some(end)) => (end, "begin"),
        (Some(begin), Some(end)) if end < begin => (begin, "end"),
        _ => return None,
    };
    Some(EvidenceProblem {
        kind: ProblemKind::Unpaired,
        line,
        message: format!(
            "the {name} has no `<!-- cargo-poc:{marker} {name} -->`; put it back",
            name = format.name
        ),
    })
}

/// What stands between the markers; without an end marker, up to the line after the last record.
fn find(format: RegionFormat, text: &str) -> Option<Range<usize>> {
    let (begin, end, record) = (format.begin(), format.end(), format.record());
    let begin = lines(text).find(|(_, line)| line.trim() == begin)?;
    let start = begin.0 + begin.1.len();
    let inside = || lines(&text[start..]).map(|(at, line)| (start + at, line));
    if let Some((at, _)) = inside().find(|(_, line)| line.trim() == end) {
        return Some(start..at);
    }
    let last = inside()
        .filter(|(_, line)| line.trim().starts_with(&record))
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
fn record_place(format: RegionFormat, inner: &str) -> usize {
    let record = format.record();
    let last = lines(inner)
        .filter(|(_, line)| line.trim().starts_with(&record))
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

/// The lines that begin so, blanks aside, with their numbers from 1. Most documents are long and have few of them.
fn lines_with<'t>(text: &'t str, lead: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
    let (mut number, mut counted) = (1, 0);
    let places = memchr::memmem::find_iter(text.as_bytes(), lead);
    places.filter_map(move |at| {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        if !text[start..at].trim().is_empty() {
            return None;
        }
        number += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..start]).count();
        counted = start;
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        Some((number, text[at..end].trim_end()))
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
