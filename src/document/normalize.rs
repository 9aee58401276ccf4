//! Corrects the block structure where Markdown differs from the author's intention.
//!
//! Markdown treats a label directly under a list as a part of the last entry, and a line directly under a table as a row. A table
//! whose header and delimiter row differ is not a table. All three are common in documents written by hand.

use std::ops::Range;

use super::outline::{Cell, Node, NodeKind, Outline, Piece, TableRow};
use super::parts::ProblemKind;
use super::text::Span;
use super::{fields, label};

/// Splits and converts blocks; returns the problems to report.
pub(crate) fn normalize(outline: &mut Outline<'_>) -> Vec<(ProblemKind, Span)> {
    let nodes = std::mem::take(&mut outline.nodes);
    let mut mender = Mender {
        outline,
        nodes: Vec::with_capacity(nodes.len()),
        open: Vec::new(),
        found: Vec::new(),
    };
    for node in nodes {
        mender.node(node);
    }
    let (nodes, found) = (mender.nodes, mender.found);
    outline.nodes = nodes;
    found
}

struct Mender<'o, 'a> {
    outline: &'o mut Outline<'a>,
    nodes: Vec<Node>,
    /// the list entries that may contain the next node
    open: Vec<usize>,
    found: Vec<(ProblemKind, Span)>,
}

impl Mender<'_, '_> {
    fn node(&mut self, mut node: Node) {
        while self
            .open
            .last()
            .is_some_and(|open| self.nodes[*open].span.end <= node.span.start)
        {
            self.open.pop();
        }
        match &mut node.kind {
            NodeKind::Item { .. } => self.entry(node, true),
            NodeKind::Paragraph if node.in_list => self.entry(node, false),
            NodeKind::Paragraph => {
                if let Some(rows) = self.broken_table(&node) {
                    self.found
                        .push((ProblemKind::BrokenTable, node.span.clone()));
                    node.kind = NodeKind::Table { rows };
                }
                self.nodes.push(node);
            }
            NodeKind::Table { rows } => {
                let source = self.outline.source;
                let length = rows
                    .iter()
                    .skip(1)
                    .position(|row| !row.has_bar(source))
                    .map_or(rows.len(), |at| at + 1);
                let below = rows.split_off(length);
                self.extra_cells(rows);
                if let Some(row) = below.first() {
                    node.span.end = row.span.start;
                }
                self.nodes.push(node);
                for row in below {
                    let pieces = row.cells.first().map_or(0..0, |cell| cell.pieces.clone());
                    self.nodes.push(Node {
                        kind: NodeKind::Paragraph,
                        span: row.span,
                        pieces,
                        in_list: false,
                    });
                }
            }
            _ => self.nodes.push(node),
        }
    }

    /// Splits an entry before a label at the start of a line.
    fn entry(&mut self, mut node: Node, opens: bool) {
        let outline = &*self.outline;
        let label = fields::lines(outline, node.pieces.clone())
            .skip(1)
            .find(|line| is_label(outline, line));
        let rest = label.map(|line| {
            let start = outline.pieces[line.start].0.start;
            let end = outline.pieces[line.start..node.pieces.end]
                .iter()
                .map(|(span, _)| span.end)
                .max();
            let pieces = line.start..node.pieces.end;
            node.pieces.end = line.start.saturating_sub(1).max(node.pieces.start);
            Node {
                kind: NodeKind::Paragraph,
                span: start..end.unwrap_or(start),
                pieces,
                in_list: false,
            }
        });
        if opens {
            self.open.push(self.nodes.len());
        }
        self.nodes.push(node);
        if let Some(rest) = rest {
            for open in self.open.drain(..) {
                let span = &mut self.nodes[open].span;
                span.end = span.end.min(rest.span.start);
            }
            self.nodes.push(rest);
        }
    }

    /// Reports rows with more cells than the header: Markdown omits the rest. The usual cause is a bar without a backslash.
    fn extra_cells(&mut self, rows: &[TableRow]) {
        let columns = rows.first().map_or(0, |row| row.cells.len());
        for row in rows {
            let span = self.outline.trimmed(&row.span);
            if cells(self.outline, &span).len() > columns {
                self.found.push((ProblemKind::ExtraCells, span));
            }
        }
    }

    /// A paragraph with a delimiter row as its second line.
    fn broken_table(&mut self, node: &Node) -> Option<Vec<TableRow>> {
        let lines: Vec<_> = fields::lines(self.outline, node.pieces.clone())
            .take(2)
            .collect();
        let [header, delimiter] = lines.as_slice() else {
            return None;
        };
        let (header, delimiter) = (self.span(header.clone()), self.span(delimiter.clone()));
        let delimiter = &self.outline.source[delimiter];
        let is_delimiter = delimiter.contains('|')
            && delimiter.contains("--")
            && delimiter
                .chars()
                .all(|character| matches!(character, '|' | '-' | ':' | ' ' | '\t'));
        if !is_delimiter || !self.outline.source[header].contains('|') {
            return None;
        }
        let lines: Vec<_> = fields::lines(self.outline, node.pieces.clone()).collect();
        let lines = lines
            .into_iter()
            .enumerate()
            .filter(|(index, _)| *index != 1);
        Some(lines.map(|(_, line)| self.row(&line)).collect())
    }

    /// Splits a line into cells; a text piece may span several cells.
    fn row(&mut self, line: &Range<usize>) -> TableRow {
        let span = self.span(line.clone());
        let outline = &mut *self.outline;
        let mut row = TableRow {
            cells: Vec::new(),
            span,
        };
        for cell in cells(outline, &row.span) {
            let start = outline.pieces.len();
            for index in line.clone() {
                let (span, piece) = outline.pieces[index].clone();
                let within = span.start.max(cell.start)..span.end.min(cell.end);
                match piece {
                    // markers are searched in all pieces, and must not be found twice
                    Piece::Html => {}
                    Piece::Text(text) if text.len() == span.len() && within.start < within.end => {
                        let text = &outline.source[within.clone()];
                        outline.pieces.push((within, Piece::Text(text.into())));
                    }
                    piece if cell.contains(&span.start) => outline.pieces.push((span, piece)),
                    _ => {}
                }
            }
            row.cells.push(Cell {
                pieces: start..outline.pieces.len(),
                span: cell,
            });
        }
        row
    }

    fn span(&self, line: Range<usize>) -> Span {
        let start = self.outline.pieces[line.start].0.start;
        let end = self.outline.pieces[line]
            .iter()
            .map(|(span, _)| span.end)
            .max();
        start..end.unwrap_or(start)
    }
}

/// A line that starts with bold text: a label or a footer.
fn is_label(outline: &Outline<'_>, line: &Range<usize>) -> bool {
    let (span, piece) = &outline.pieces[line.start];
    let at_start = outline.source[..span.start].ends_with('\n');
    let bold = *piece == Piece::StrongStart
        && (label::read(outline, line.clone()).is_some()
            || span.end == outline.pieces[line.end - 1].0.end);
    at_start && (bold || label::read_plain(outline, line.clone()).is_some())
}

/// Splits a row at its bars, except those after a backslash.
fn cells(outline: &Outline<'_>, row: &Span) -> Vec<Span> {
    let text = &outline.source[row.clone()];
    let mut start = usize::from(text.starts_with('|'));
    let mut cells = Vec::new();
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        if byte == b'|' && !escaped {
            cells.push(row.start + start..row.start + at);
            start = at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    if !text[start.min(text.len())..].trim().is_empty() {
        cells.push(row.start + start..row.end);
    }
    cells
}
