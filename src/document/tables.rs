//! Tables of keys and values, files, and tests.

use std::ops::Range;

use super::outline::{Cell, Node, NodeKind, Outline, Piece, TableRow};
use super::parts::{ParseProblem, ProblemKind, Row};
use super::plan::{Action, Count, FileRow, TestRow};
use super::quarantine::Quarantined;
use super::text::{Document, Span};
use super::time::Timestamp;
use super::{counts, vocabulary};

/// A table with its header and rows.
pub(crate) struct Table<'o> {
    outline: &'o Outline<'o>,
    rows: &'o [TableRow],
}

/// The tables among some blocks.
pub(crate) fn tables<'o>(
    outline: &'o Outline<'o>,
    nodes: Range<usize>,
) -> impl Iterator<Item = Table<'o>> {
    outline.nodes[nodes]
        .iter()
        .filter_map(move |node| match &node.kind {
            NodeKind::Table { rows } => Some(Table { outline, rows }),
            _ => None,
        })
}

impl<'o> Table<'o> {
    /// The column whose heading starts with one of some words, in order of preference.
    fn column(&self, names: &[&str]) -> Option<usize> {
        let header = self.rows.first()?;
        let titles: Vec<_> = header
            .cells
            .iter()
            .map(|cell| vocabulary::words(&self.outline.plain(cell.pieces.clone())))
            .collect();
        names.iter().find_map(|name| {
            titles.iter().position(|title| {
                title
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        })
    }

    /// Whether there is no row below the header.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The rows below the header.
    fn body(&self) -> impl Iterator<Item = &'o TableRow> {
        self.rows.iter().skip(1)
    }

    fn text(&self, row: &TableRow, column: Option<usize>) -> String {
        column
            .and_then(|column| row.cells.get(column))
            .map(|cell| self.outline.plain(cell.pieces.clone()))
            .unwrap_or_default()
    }

    /// The bytes of a cell's text; empty, at the end of the row, for a missing cell.
    fn span(&self, row: &TableRow, column: Option<usize>) -> Span {
        let end = self.outline.trimmed(&row.span).end;
        match column.and_then(|column| row.cells.get(column)) {
            Some(cell) if cell.span.start < end => cell_text(self.outline, cell),
            _ => end..end,
        }
    }

    /// The rows as tests in quarantine; none where no column names tests.
    pub(super) fn quarantined(&self, document: &Document) -> Vec<Quarantined> {
        let Some(test) = self.column(&["test", "tests", "name"]) else {
            return Vec::new();
        };
        let owner = self.column(&["owner", "who"]);
        let reason = self.column(&["reason", "why"]);
        let until = self.column(&["until", "expires", "expiry", "last day"]);
        self.body()
            .map(|row| Quarantined {
                test: self.text(row, Some(test)).trim().to_owned(),
                owner: self.text(row, owner).trim().to_owned(),
                reason: self.text(row, reason).trim().to_owned(),
                until: Timestamp::read(&self.text(row, until)),
                line: document.line_of(row.span.start),
            })
            .filter(|row| row.test.chars().any(char::is_alphanumeric))
            .collect()
    }

    /// Rows of two columns, key and value.
    pub(crate) fn pairs(&self, document: &Document) -> Vec<Row> {
        self.body()
            .map(|row| Row {
                key: self.text(row, Some(0)),
                value: self.text(row, Some(1)),
                key_span: self.span(row, Some(0)),
                value_span: self.span(row, Some(1)),
                line: document.line_of(row.span.start),
            })
            .filter(|row| !row.key.is_empty())
            .collect()
    }

    /// Rows of a Files table, one for each path; empty without a column of paths. `fallback` is the action in the heading above, for
    /// tables without an Action column.
    pub(crate) fn files(
        &self,
        document: &Document,
        fallback: Option<&Action>,
        problems: &mut Vec<ParseProblem>,
    ) -> Vec<FileRow> {
        let Some(columns) = self.file_columns() else {
            return Vec::new();
        };
        let mut files = Vec::new();
        for row in self.body() {
            let paths = self.paths(row, columns.path);
            let Some((first, _)) = paths.first() else {
                continue;
            };
            let text = self.text(row, columns.action);
            let mut read = match fallback {
                Some(fallback) if columns.action.is_none() => fallback.clone(),
                None if columns.action.is_none() => Action::Unknown(String::new()),
                _ => read_action(&text),
            };
            let mut rows = paths.as_slice();
            // `old.rs` → `new.rs` in one cell.
            if let (Action::Unknown(_), [_, (to, _)]) = (&read, rows)
                && is_rename(&text)
            {
                read = Action::Rename(to.clone());
                rows = &paths[..1];
            }
            if let Action::Unknown(text) = &read {
                problems.push(document.problem(
                    ProblemKind::UnreadableAction,
                    self.span(row, columns.action),
                    &format!("the action `{text}` of {first} is not one of Create, Modify, Delete, Rename to …, No change"),
                ));
            }
            files.extend(rows.iter().map(|(path, span)| FileRow {
                path: path.clone(),
                action: read.clone(),
                note: self.text(row, columns.note),
                path_span: span.clone(),
                note_span: self.span(row, columns.note),
                span: row.span.clone(),
                line: document.line_of(row.span.start),
            }));
        }
        files
    }

    /// The columns of a Files table by their headings, or by the content of their cells.
    fn file_columns(&self) -> Option<FileColumns> {
        let action = self.column(&["action", "change", "type", "operation"]);
        let note = self.column(&[
            "status",
            "purpose",
            "description",
            "notes",
            "changes",
            "what",
            "reason",
            "details",
        ]);
        if let Some(path) = self.column(&["file", "files", "path", "paths"]) {
            return Some(FileColumns { path, action, note });
        }
        let columns = 0..self.rows.first()?.cells.len();
        let holds_paths = |column: &usize| {
            let mut rows = self
                .body()
                .filter(|row| !self.text(row, Some(*column)).is_empty());
            let is_path = |row: &TableRow| {
                let paths = self.paths(row, *column);
                !paths.is_empty() && paths.iter().all(|(path, _)| looks_like_path(path))
            };
            rows.next().is_some_and(is_path) && rows.all(is_path)
        };
        let path = columns.clone().find(holds_paths)?;
        let holds_actions = |column: &usize| {
            let known = |row: &TableRow| {
                let text = self.text(row, Some(*column));
                !text.is_empty() && !matches!(read_action(&text), Action::Unknown(_))
            };
            *column != path && self.body().any(known)
        };
        let action = action
            .or_else(|| columns.clone().find(holds_actions))
            .or_else(|| columns.clone().find(|column| *column != path));
        let note = note.or_else(|| {
            let mut free = columns.rev();
            free.find(|column| *column != path && Some(*column) != action)
        });
        Some(FileColumns { path, action, note })
    }

    /// The paths of a cell with their bytes: code spans, or the targets of links, or the text.
    fn paths(&self, row: &TableRow, column: usize) -> Vec<(String, Span)> {
        let Some(cell) = row.cells.get(column) else {
            return Vec::new();
        };
        let found = paths_in(self.outline, cell.pieces.clone());
        if !found.is_empty() {
            return found;
        }
        let span = self.span(row, Some(column));
        let text = self.outline.plain(cell.pieces.clone());
        let parts: Vec<&str> = text
            .split([',', ';', ' '])
            .filter(|part| !part.is_empty())
            .collect();
        if parts.len() > 1 && !text.contains('{') && parts.iter().all(|part| looks_like_path(part))
        {
            return parts
                .into_iter()
                .map(|part| (part.to_owned(), span.clone()))
                .collect();
        }
        if text.is_empty() {
            Vec::new()
        } else {
            vec![(text, span)]
        }
    }

    /// Rows of a Test Summary, whatever the headings of its columns, without rows that contain sums.
    pub(crate) fn tests(&self, document: &Document) -> Vec<TestRow> {
        let Some(header) = self.rows.first() else {
            return Vec::new();
        };
        let columns = header.cells.len();
        let count = self
            .column(&[
                "tests",
                "count",
                "test count",
                "number",
                "new tests",
                "total",
                "cases",
            ])
            .filter(|column| *column > 0);
        let covers = self
            .column(&[
                "what it covers",
                "covers",
                "coverage",
                "what",
                "description",
                "purpose",
                "focus",
                "notes",
                "scope",
            ])
            .or_else(|| {
                (0..columns)
                    .rev()
                    .find(|column| *column > 0 && Some(*column) != count)
            });
        self.body()
            .map(|row| TestRow {
                target: self.text(row, Some(0)),
                count: counts::count(&self.text(row, count)),
                covers: self.text(row, covers),
                table: self.rows.first().map_or(0, |header| header.span.start),
                count_span: self.span(row, count),
                line: document.line_of(row.span.start),
            })
            .filter(|row| !row.target.is_empty() && !is_total(&row.target))
            .collect()
    }

    /// Named numbers with their lines: the first column and the first other column with a number.
    pub(crate) fn numbers(&self, document: &Document) -> Vec<(String, Count, usize)> {
        self.body()
            .filter_map(|row| {
                let count = (1..row.cells.len())
                    .find_map(|column| counts::count(&self.text(row, Some(column))))?;
                Some((
                    self.text(row, Some(0)),
                    count,
                    document.line_of(row.span.start),
                ))
            })
            .collect()
    }
}

/// The columns of a Files table.
struct FileColumns {
    path: usize,
    action: Option<usize>,
    note: Option<usize>,
}

/// The paths in code spans or links, with their bytes. The first code span is always a path.
pub(crate) fn paths_in(outline: &Outline<'_>, pieces: Range<usize>) -> Vec<(String, Span)> {
    let mut found: Vec<(String, Span)> = Vec::new();
    let mut link: Option<(String, Span, String)> = None;
    for (span, piece) in &outline.pieces[pieces] {
        match piece {
            Piece::LinkStart(to) => link = Some((to.to_string(), span.clone(), String::new())),
            Piece::LinkEnd => {
                let Some((to, span, text)) = link.take() else {
                    continue;
                };
                if looks_like_path(&text) {
                    found.push((text, span));
                } else if let Some(path) = link_path(&to) {
                    found.push((path, span));
                }
            }
            Piece::Text(text) | Piece::Code(text) if link.is_some() => {
                if let Some((_, _, inner)) = &mut link {
                    inner.push_str(text.trim());
                }
            }
            Piece::Code(code) => {
                let code = code.trim();
                if !code.is_empty() && (found.is_empty() || looks_like_path(code)) {
                    found.push((code.to_owned(), span.clone()));
                }
            }
            _ => {}
        }
    }
    found
}

/// The path that a link names, relative to the workspace root; `None` for a URL.
fn link_path(to: &str) -> Option<String> {
    let path = to.split(['#', '?']).next().unwrap_or_default();
    if path.contains(':') {
        return None;
    }
    let mut path = path.trim_start_matches('/');
    while let Some(rest) = path.strip_prefix("../").or_else(|| path.strip_prefix("./")) {
        path = rest;
    }
    (!path.is_empty()).then(|| path.to_owned())
}

/// Whether a text looks like a path: one word with a `/` or an extension.
pub(crate) fn looks_like_path(text: &str) -> bool {
    let text = text.trim_end_matches('/');
    let plain = |sign: char| sign.is_alphanumeric() || "._-/\\*?{},[]@+".contains(sign);
    let extension = || {
        text.rsplit_once('.').is_some_and(|(_, extension)| {
            (1..=8).contains(&extension.len())
                && extension.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '*')
        })
    };
    !text.is_empty()
        && text.chars().all(plain)
        && text.chars().any(char::is_alphanumeric)
        && (text.contains(['/', '\\']) || extension())
}

fn is_rename(text: &str) -> bool {
    let words = vocabulary::words(text);
    matches!(words.as_str(), "rename" | "renamed" | "move" | "moved")
}

/// The files of a list entry: a path in code or as a link, with the action from the entry's text or from the heading above.
pub(crate) fn files_in_entry(
    document: &Document,
    outline: &Outline<'_>,
    node: &Node,
    fallback: Option<&Action>,
) -> Vec<FileRow> {
    let mut paths = paths_in(outline, node.pieces.clone());
    paths.retain(|(path, _)| looks_like_path(path));
    let mut words = String::new();
    for (_, piece) in &outline.pieces[node.pieces.clone()] {
        match piece {
            Piece::Text(text) => words.push_str(text),
            _ => words.push(' '),
        }
    }
    let mut known = words.split_whitespace().map(read_action);
    let action = known
        .find(|action| matches!(action, Action::Create | Action::Modify | Action::Delete))
        .or_else(|| {
            let renames = words.split_whitespace().next().is_some_and(is_rename);
            let to = paths.get(1).filter(|_| renames)?.0.clone();
            paths.truncate(1);
            Some(Action::Rename(to))
        })
        .or_else(|| fallback.cloned());
    let Some(action) = action else {
        return Vec::new();
    };
    let end = outline.trimmed(&node.span).end;
    let rows = paths.into_iter().map(|(path, span)| FileRow {
        path,
        action: action.clone(),
        note: outline.plain(node.pieces.clone()),
        path_span: span,
        note_span: end..end,
        span: node.span.start..end,
        line: document.line_of(node.span.start),
    });
    rows.collect()
}

/// Whether a row contains the sum of the others.
pub(crate) fn is_total(name: &str) -> bool {
    let words = vocabulary::words(name);
    words == "total"
        || words.starts_with("total ")
        || words.starts_with("all tests")
        || words == "sum"
}

/// Parses an action of the Files table; also used for headings such as `### New files`.
pub(crate) fn read_action(text: &str) -> Action {
    let words = vocabulary::words(text);
    let first = words.split(' ').next().unwrap_or_default();
    match first {
        "create" | "created" | "new" | "add" | "added" => Action::Create,
        "modify" | "modified" | "update" | "updated" | "edit" | "change" | "changed" | "extend" => {
            Action::Modify
        }
        "delete" | "deleted" | "remove" | "removed" => Action::Delete,
        "rename" | "renamed" | "move" | "moved" => {
            let to = text
                .find(" to ")
                .map_or("", |at| &text[at + " to ".len()..]);
            let to = to.trim().trim_matches('`');
            if to.is_empty() {
                Action::Unknown(text.to_owned())
            } else {
                Action::Rename(to.to_owned())
            }
        }
        "no" | "none" | "unchanged" | "keep" | "" => Action::None,
        _ => Action::Unknown(text.to_owned()),
    }
}

/// The bytes of a cell's text; for an empty cell, one blank after its bar.
fn cell_text(outline: &Outline<'_>, cell: &Cell) -> Span {
    let span = outline.trimmed(&cell.span);
    if !span.is_empty() {
        return span;
    }
    let at = (cell.span.start + usize::from(cell.span.len() > 1)).min(cell.span.end);
    at..at
}
