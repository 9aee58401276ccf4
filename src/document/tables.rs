//! Tables: keys and values, files, tests.

use std::ops::Range;

use super::outline::{Cell, NodeKind, Outline, Piece, TableRow};
use super::parts::{ParseProblem, ProblemKind, Row};
use super::plan::{Action, Count, FileRow, TestRow};
use super::text::{Document, Span};
use super::{counts, vocabulary};

/// A table as its header and its rows.
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
    /// The column whose heading begins with one of some words, the words in order of preference.
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

    /// The bytes of a cell's text; empty, at the end of the row, where there is no cell.
    fn span(&self, row: &TableRow, column: Option<usize>) -> Span {
        let end = self.outline.trimmed(&row.span).end;
        match column.and_then(|column| row.cells.get(column)) {
            Some(cell) if cell.span.start < end => cell_text(self.outline, cell),
            _ => end..end,
        }
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

    /// Rows of a Files table. `fallback` is what the heading above says where there is no Action column.
    pub(crate) fn files(
        &self,
        document: &Document,
        fallback: Option<&Action>,
        problems: &mut Vec<ParseProblem>,
    ) -> Vec<FileRow> {
        let path = self.column(&["file", "files", "path"]);
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
        let Some(path) = path else {
            return Vec::new();
        };
        let mut files = Vec::new();
        for row in self.body() {
            let text = self.text(row, action);
            let read = match fallback {
                Some(fallback) if action.is_none() => fallback.clone(),
                None if action.is_none() => Action::Unknown(String::new()),
                _ => read_action(&text),
            };
            let file = self.path(row, path);
            if file.is_empty() {
                continue;
            }
            if let Action::Unknown(text) = &read {
                problems.push(document.problem(
                    ProblemKind::UnreadableAction,
                    self.span(row, action),
                    &format!("the action `{text}` is not one of Create, Modify, Delete, Rename to …, No change"),
                ));
            }
            files.push(FileRow {
                path: file,
                action: read,
                note: self.text(row, note),
                path_span: self.span(row, Some(path)),
                note_span: self.span(row, note),
                span: row.span.clone(),
                line: document.line_of(row.span.start),
            });
        }
        files
    }

    /// The code of a cell, else its text.
    fn path(&self, row: &TableRow, column: usize) -> String {
        let Some(cell) = row.cells.get(column) else {
            return String::new();
        };
        let code =
            self.outline.pieces[cell.pieces.clone()]
                .iter()
                .find_map(|(_, piece)| match piece {
                    Piece::Code(code) => Some(code.trim().to_owned()),
                    _ => None,
                });
        code.unwrap_or_else(|| self.outline.plain(cell.pieces.clone()))
    }

    /// Rows of a Test Summary, whatever its columns are called; a row that sums up the others is none.
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
                count_span: self.span(row, count),
                line: document.line_of(row.span.start),
            })
            .filter(|row| !row.target.is_empty() && !is_total(&row.target))
            .collect()
    }

    /// Named numbers: the first column and the first other column that holds one.
    pub(crate) fn numbers(&self) -> Vec<(String, Count)> {
        self.body()
            .filter_map(|row| {
                let count = (1..row.cells.len())
                    .find_map(|column| counts::count(&self.text(row, Some(column))))?;
                Some((self.text(row, Some(0)), count))
            })
            .collect()
    }
}

/// Whether a row is the sum of the others.
pub(crate) fn is_total(name: &str) -> bool {
    let words = vocabulary::words(name);
    words == "total"
        || words.starts_with("total ")
        || words.starts_with("all tests")
        || words == "sum"
}

/// Reads an action of the Files table; also used for headings such as `### New files`.
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

/// The bytes of a cell's text; where it is empty, one blank after its bar.
fn cell_text(outline: &Outline<'_>, cell: &Cell) -> Span {
    let span = outline.trimmed(&cell.span);
    if !span.is_empty() {
        return span;
    }
    let at = (cell.span.start + usize::from(cell.span.len() > 1)).min(cell.span.end);
    at..at
}
