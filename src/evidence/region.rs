//! A generated region of a results document: its position, insertion of lines, and the format of records with checksums against
//! accidental edits.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::chain::{self, Link};
use super::problem::{EvidenceProblem, ProblemKind};

/// The format of one kind of records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegionFormat {
    /// The region's name in its markers and in the records: `evidence`.
    pub(crate) name: &'static str,
    /// Its heading: `## Evidence`.
    pub(crate) heading: &'static str,
    /// The header of its table; the first column is When.
    pub(crate) head: &'static str,
    /// The separator line below the header.
    pub(crate) rule: &'static str,
    /// The remedy for an unusable record: `verify again`.
    pub(crate) remedy: &'static str,
}

impl RegionFormat {
    fn begin(self) -> String {
        format!("<!-- cargo-poc:begin {} -->", self.name)
    }

    fn end(self) -> String {
        format!("<!-- cargo-poc:end {} -->", self.name)
    }

    /// The start of a record's line; its version and checksum follow.
    fn record(self) -> String {
        format!("<!-- cargo-poc:{} ", self.name)
    }

    /// The first sixteen hexadecimal digits of BLAKE3 over the written record.
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
    fn line(self, record: &impl Serialize) -> Result<(String, String)> {
        let json = serde_json::to_string(record)
            .with_context(|| format!("failed to write the {} as JSON", self.name))?;
        // Two hyphens may end a comment. In JSON they occur in strings only, where one can be escaped.
        let json = json.replace("--", "-\\u002d");
        let checksum = self.checksum(&json);
        let line = format!("{}v1 {checksum} {json} -->", self.record());
        Ok((line, checksum))
    }

    /// The records of a document in the order of their chain, and the problems. Accepts any text. A duplicate record, as after a
    /// merge, counts once.
    pub(crate) fn read<T: RegionRecord>(self, text: &str) -> (Vec<Entry<T>>, Vec<EvidenceProblem>) {
        let lead = self.record();
        let (mut entries, mut problems) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for (line, written) in lines_with(text, &lead) {
            let Some(rest) = written.strip_prefix(&lead) else {
                continue;
            };
            match self.read_line::<T>(rest) {
                // A record without a readable time could not be ordered.
                Ok((_, record)) if record.time().is_none() => {
                    problems.push(self.problem(ProblemKind::Damaged, line));
                }
                Ok((checksum, record)) if known.insert(checksum.clone()) => entries.push(Entry {
                    record,
                    checksum,
                    line,
                }),
                Ok(_) => {}
                Err(kind) => problems.push(self.problem(kind, line)),
            }
        }
        let follows_unknown = |entry: &&Entry<T>| {
            let mut previous = entry.record.previous().iter();
            previous.any(|previous| !known.contains(previous))
        };
        let gaps = entries.iter().filter(follows_unknown);
        let gaps = gaps.map(|entry| self.problem(ProblemKind::Gap, entry.line));
        problems.extend(gaps);
        problems.extend(self.row_problems(text, &entries, problems.len()));
        problems.extend(unpaired(self, text));
        problems.sort_by_key(|problem| problem.line);
        let order = chain::order(&links(&entries));
        let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
        let ordered = order.into_iter().filter_map(|at| entries[at].take());
        (ordered.collect(), problems)
    }

    /// Rows without a record, and records without their rows. `unreadable` records, including missing ones, may have rows too.
    fn row_problems<T: RegionRecord>(
        self,
        text: &str,
        entries: &[Entry<T>],
        unreadable: usize,
    ) -> Vec<EvidenceProblem> {
        let visible = self.visible_rows(text);
        let expected: BTreeSet<String> = entries
            .iter()
            .flat_map(|entry| entry.record.rows())
            .map(|row| plain_row(&row))
            .collect();
        let foreign = visible
            .iter()
            .filter(|(_, row)| !expected.contains(row))
            .map(|(line, _)| self.problem(ProblemKind::Row, *line));
        let foreign: Vec<_> = foreign.collect();
        if foreign.len() > unreadable {
            return foreign;
        }
        let visible: BTreeSet<&String> = visible.iter().map(|(_, row)| row).collect();
        let unseen = |entry: &&Entry<T>| {
            let mut rows = entry.record.rows().into_iter();
            rows.any(|row| !visible.contains(&plain_row(&row)))
        };
        let unseen = entries.iter().filter(unseen);
        unseen
            .map(|entry| self.problem(ProblemKind::Row, entry.line))
            .collect()
    }

    /// The rows of the region's tables with their lines, from 1.
    fn visible_rows(self, text: &str) -> Vec<(usize, String)> {
        let Some(region) = find(self, text) else {
            return Vec::new();
        };
        let first = 1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..region.start]).count();
        let inside = text[region].lines().enumerate();
        inside
            .filter(|(_, line)| is_row(line))
            .map(|(at, line)| (first + at, plain_row(line)))
            .collect()
    }

    /// Adds a record as the successor of all records without successor. Every other byte is kept. Without a region, one is added at
    /// the end. Rows and records that a merge has duplicated or moved are sorted.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub(crate) fn append<T: RegionRecord>(self, text: &str, record: &T) -> Result<String> {
        let (entries, _) = self.read::<T>(text);
        let (line, _) = self.line(&record.following(chain::heads(&links(&entries))))?;
        let text = match self.without_merged(text, &entries) {
            None => text.to_owned(),
            Some(mut stripped) => {
                for entry in &entries {
                    let (line, _) = self.line(&entry.record)?;
                    stripped = add(self, &stripped, &entry.record.rows(), &line);
                }
                stripped
            }
        };
        Ok(add(self, &text, &record.rows(), &line))
    }

    /// The text without the records and their rows, if a merge has duplicated one or moved a row after a record.
    fn without_merged<T: RegionRecord>(self, text: &str, entries: &[Entry<T>]) -> Option<String> {
        let region = find(self, text)?;
        let rows: BTreeSet<String> = entries
            .iter()
            .flat_map(|entry| entry.record.rows())
            .map(|row| plain_row(&row))
            .collect();
        let lead = self.record();
        let written_as_now = |rest: &str| {
            let (_, record) = self.read_line::<T>(rest).ok()?;
            let (line, _) = self.line(&record).ok()?;
            (line.strip_prefix(&lead) == Some(rest)).then_some(line)
        };
        let (mut merged, mut behind_record) = (false, false);
        let mut known = BTreeSet::new();
        let mut kept = String::new();
        for line in text[region.clone()].split_inclusive('\n') {
            let plain = line.trim();
            let own = if is_row(plain) && rows.contains(&plain_row(plain)) {
                merged |= behind_record;
                Some(plain_row(plain))
            } else if let Some(rest) = plain.strip_prefix(&lead) {
                behind_record = true;
                // A record in an older form would get another checksum, and stays.
                Some(written_as_now(rest)?)
            } else {
                None
            };
            match own {
                Some(own) => merged |= !known.insert(own),
                None if plain.is_empty() && kept.ends_with("\n\n") => {}
                None => kept.push_str(line),
            }
        }
        let (before, after) = (&text[..region.start], &text[region.end..]);
        merged.then(|| format!("{before}{kept}{after}"))
    }

    /// Parses the rest of a record's line: `v1 CHECKSUM JSON -->`.
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

    /// A problem of this kind at a line.
    pub(super) fn problem(self, kind: ProblemKind, line: usize) -> EvidenceProblem {
        let Self { name, remedy, .. } = self;
        let message = match kind {
            ProblemKind::UnknownVersion => {
                format!("this {name} has an unknown version and does not count; update cargo-poc")
            }
            ProblemKind::Edited => format!(
                "this {name} was edited and does not count; restore the line from git, or {remedy}"
            ),
            ProblemKind::Gap => format!(
                "the {name} recorded before this is missing or cannot be read; restore it from git"
            ),
            ProblemKind::Row => format!(
                "the table of the {name} differs from the records; restore its rows from git"
            ),
            ProblemKind::Damaged | ProblemKind::Unpaired => format!(
                "this {name} is truncated or wrapped and does not count; restore the line from git, or {remedy}"
            ),
        };
        EvidenceProblem {
            kind,
            line,
            message,
        }
    }
}

/// A record of a region.
pub(crate) trait RegionRecord: Serialize + DeserializeOwned {
    /// The checksums of its predecessors.
    fn previous(&self) -> &[String];

    /// The same record with these predecessors.
    #[must_use]
    fn following(&self, previous: Vec<String>) -> Self;

    /// The time of the record; `None` if it is invalid.
    fn time(&self) -> Option<Timestamp>;

    /// Its rows of the table, without line ends. Documents are compared with them, so the rows of existing records must not
    /// change.
    fn rows(&self) -> Vec<String>;
}

/// A record of a document.
pub(crate) struct Entry<T> {
    pub(crate) record: T,
    pub(crate) checksum: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

fn links<T: RegionRecord>(entries: &[Entry<T>]) -> Vec<Link<'_>> {
    let mut links = Vec::with_capacity(entries.len());
    for entry in entries {
        links.push(Link {
            checksum: &entry.checksum,
            previous: entry.record.previous(),
            time: entry.record.time(),
        });
    }
    links
}

/// Whether a line is a table row with content: neither a header nor a separator.
fn is_row(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('|')
        && !line.starts_with("| When ")
        && line.contains(|character| !"|-: ".contains(character))
}

/// A row without blanks around its cells, which formatters change.
fn plain_row(row: &str) -> String {
    let cells: Vec<&str> = row.trim().split('|').map(str::trim).collect();
    cells.join("|")
}

/// Adds rows and a record's line.
fn add(format: RegionFormat, text: &str, rows: &[String], record: &str) -> String {
    let end = line_ending(text);
    let Some(region) = find(format, text) else {
        return format!("{text}{}", new_region(format, text, rows, record));
    };
    let (head, rule, end_marker) = (format.head, format.rule, format.end());
    let rows = rows.iter().map(String::as_str);
    let inner = &text[region.clone()];
    let record_at = record_place(format, inner);
    // If there is no table, or a broken one, add a new one at the top.
    let row_at = row_place(inner);
    let row_lines: Vec<&str> = match row_at {
        Some(_) => rows.collect(),
        None => ["", head, rule]
            .into_iter()
            .chain(rows)
            .chain([""])
            .collect(),
    };
    // Markdown would parse a comment directly below a table as a row.
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
        // Restore a missing end marker, which marks the end of the evidence for the next reader.
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

/// A new region for the end of a document.
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

/// A begin marker without an end marker, or the reverse.
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
            "the {name} has no `<!-- cargo-poc:{marker} {name} -->`; restore it",
            name = format.name
        ),
    })
}

/// The range between the markers; without an end marker, up to the end of the last record.
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

/// The position after the last row of the table.
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

/// The position after the last record, or before the blank lines at the end of the region.
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

/// Lines that start with `lead` after blanks, with their numbers from 1.
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

/// Every line with its offset, including its line end.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// The line ending that most lines have.
fn line_ending(text: &str) -> &'static str {
    let all = text.matches('\n').count();
    let with_return = text.matches("\r\n").count();
    if with_return * 2 > all { "\r\n" } else { "\n" }
}
