//! The Markdown layer: converts text to a flat list of blocks in document order, each with its byte range.
//!
//! The blocks come from pulldown-cmark, so that fences, nested fences and comments have the same meaning as in renderers. Inline
//! markup is one list of pieces; a block knows its range in the list.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use super::text::Span;

/// A document as blocks.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) source: &'a str,
    pub(crate) nodes: Vec<Node>,
    pub(crate) pieces: Vec<(Span, Piece<'a>)>,
}

/// A block.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// the whole block, including nested blocks
    pub(crate) span: Span,
    /// its direct inline content
    pub(crate) pieces: Range<usize>,
    /// whether it is inside a list
    pub(crate) in_list: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Heading(u8),
    Paragraph,
    /// A list entry; its text is its first paragraph.
    Item {
        depth: usize,
    },
    Fence {
        info: String,
        fenced: bool,
        code: Span,
    },
    Table {
        rows: Vec<TableRow>,
    },
    Html,
    Rule,
}

/// A row of a table; the first is the header.
#[derive(Debug, Clone)]
pub(crate) struct TableRow {
    pub(crate) span: Span,
    pub(crate) cells: Vec<Cell>,
}

impl TableRow {
    /// Whether the row contains a bar. A row without one is a line of text directly below a table.
    pub(crate) fn has_bar(&self, source: &str) -> bool {
        source[self.span.clone()].contains('|')
    }
}

/// A cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// the bytes between the bars, including blanks
    pub(crate) span: Span,
    pub(crate) pieces: Range<usize>,
}

/// A piece of inline content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece<'a> {
    Text(CowStr<'a>),
    Code(CowStr<'a>),
    /// the end of a line inside a paragraph
    Break,
    StrongStart,
    StrongEnd,
    StrikeStart,
    StrikeEnd,
    LinkStart(CowStr<'a>),
    LinkEnd,
    Html,
}

/// The byte order mark, which Markdown would treat as a character of the first line.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'a> Outline<'a> {
    /// Parses the blocks of `source` in one pass.
    pub(crate) fn read(source: &'a str) -> Self {
        match with_closing_fences(source) {
            None => Self::read_as(source),
            Some(normalized) => Outline::read_as(&normalized).over(source),
        }
    }

    /// The blocks of a text that differs from `source` only in blanks.
    fn over(self, source: &str) -> Outline<'_> {
        let text = |text: CowStr<'_>, span: &Span| {
            let own = source
                .get(span.clone())
                .filter(|own| own.len() == text.len());
            own.map_or_else(|| text.into_static(), CowStr::Borrowed)
        };
        let pieces = self.pieces.into_iter().map(|(span, piece)| {
            let piece = match piece {
                Piece::Text(part) => Piece::Text(text(part, &span)),
                Piece::Code(part) => Piece::Code(part.into_static()),
                Piece::LinkStart(to) => Piece::LinkStart(to.into_static()),
                Piece::Break => Piece::Break,
                Piece::StrongStart => Piece::StrongStart,
                Piece::StrongEnd => Piece::StrongEnd,
                Piece::StrikeStart => Piece::StrikeStart,
                Piece::StrikeEnd => Piece::StrikeEnd,
                Piece::LinkEnd => Piece::LinkEnd,
                Piece::Html => Piece::Html,
            };
            (span, piece)
        });
        Outline {
            source,
            pieces: pieces.collect(),
            nodes: self.nodes,
        }
    }

    fn read_as(source: &'a str) -> Self {
        let text = source.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source);
        let lines = memchr::memchr_iter(b'\n', source.as_bytes()).count();
        let mut reader = Reader {
            offset: source.len() - text.len(),
            outline: Self {
                source,
                nodes: Vec::with_capacity(lines / 2),
                pieces: Vec::with_capacity(lines * 3 / 2),
            },
            open: Vec::new(),
            list_depth: 0,
        };
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        for (event, span) in Parser::new_ext(text, options).into_offset_iter() {
            reader.event(event, span);
        }
        reader.outline
    }

    /// The text of some pieces without markup, on one line.
    pub(crate) fn plain(&self, pieces: Range<usize>) -> String {
        let mut text = String::new();
        for (_, piece) in &self.pieces[pieces] {
            match piece {
                Piece::Text(part) | Piece::Code(part) => text.push_str(part),
                Piece::Break => text.push(' '),
                _ => {}
            }
        }
        let trimmed = text.trim();
        if trimmed.len() == text.len() {
            text
        } else {
            trimmed.to_owned()
        }
    }

    /// The pieces of `within` that start in `span`.
    pub(crate) fn pieces_in(&self, within: Range<usize>, span: &Span) -> Range<usize> {
        let pieces = &self.pieces[within.clone()];
        let start = pieces.partition_point(|(at, _)| at.start < span.start);
        let end = pieces.partition_point(|(at, _)| at.start < span.end);
        within.start + start..within.start + end.max(start)
    }

    /// `span` without blanks at both ends.
    pub(crate) fn trimmed(&self, span: &Span) -> Span {
        let text = &self.source[span.clone()];
        let start = span.start + (text.len() - text.trim_start().len());
        start..start + text.trim().len()
    }
}

/// Replaces tabs after a possible closing fence with blanks. Markdown allows tabs there (specification 0.31, section 4.5), but
/// pulldown-cmark continues the fence to the end of the document.
fn with_closing_fences(source: &str) -> Option<String> {
    let is_fence = |line: &str| {
        let marks = line.trim_start_matches([' ', '\t', '>']).trim_end();
        marks.len() >= 3
            && ['`', '~']
                .iter()
                .any(|sign| marks.chars().all(|mark| mark == *sign))
    };
    let has_tab = |line: &str| line.trim_end_matches(['\r', '\n', ' ']).ends_with('\t');
    memchr::memchr(b'\t', source.as_bytes())?;
    let mut lines = source.split_inclusive('\n');
    lines.find(|line| has_tab(line) && is_fence(line))?;
    let lines = source.split_inclusive('\n').map(|line| {
        if !is_fence(line) {
            return line.to_owned();
        }
        let end = line.trim_end().len();
        line[..end].to_owned() + &line[end..].replace('\t', " ")
    });
    Some(lines.collect())
}

struct Reader<'a> {
    /// the number of bytes before the parsed text
    offset: usize,
    outline: Outline<'a>,
    /// the open blocks: an index into `nodes`, and whether inline content still belongs to the block
    open: Vec<Open>,
    list_depth: usize,
}

struct Open {
    node: usize,
    /// the block for inline content; the text of an entry ends at its first nested block
    takes_text: bool,
}

impl<'a> Reader<'a> {
    fn event(&mut self, event: Event<'a>, span: Span) {
        let span = span.start + self.offset..span.end + self.offset;
        match event {
            Event::Start(tag) => self.start(tag, span),
            Event::End(tag) => self.end(tag, &span),
            Event::Text(text) => self.text(text, span),
            Event::Code(code) => self.piece(span, Piece::Code(code)),
            Event::SoftBreak | Event::HardBreak => self.piece(span, Piece::Break),
            Event::InlineHtml(_) => self.piece(span, Piece::Html),
            Event::Rule => self.leaf(NodeKind::Rule, span),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'a>, span: Span) {
        match tag {
            Tag::Heading { level, .. } => self.open(NodeKind::Heading(level as u8), span),
            Tag::Paragraph => self.open_paragraph(span),
            Tag::CodeBlock(kind) => {
                let (info, fenced) = match kind {
                    CodeBlockKind::Fenced(info) => (info.to_string(), true),
                    CodeBlockKind::Indented => (String::new(), false),
                };
                let code = span.start..span.start;
                self.open(NodeKind::Fence { info, fenced, code }, span);
            }
            Tag::HtmlBlock => self.open(NodeKind::Html, span),
            Tag::List(_) => {
                self.list_depth += 1;
                self.close_text();
            }
            Tag::Item => {
                let depth = self.list_depth.saturating_sub(1);
                self.open(NodeKind::Item { depth }, span);
            }
            Tag::Table(_) => self.open(NodeKind::Table { rows: Vec::new() }, span),
            Tag::TableHead | Tag::TableRow => {
                if let Some(rows) = self.rows() {
                    rows.push(TableRow {
                        span,
                        cells: Vec::new(),
                    });
                }
            }
            Tag::TableCell => {
                let at = self.outline.pieces.len();
                if let Some(row) = self.rows().and_then(|rows| rows.last_mut()) {
                    row.cells.push(Cell {
                        span,
                        pieces: at..at,
                    });
                }
            }
            Tag::Strong => self.piece(span, Piece::StrongStart),
            Tag::Strikethrough => self.piece(span, Piece::StrikeStart),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.piece(span, Piece::LinkStart(dest_url));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, span: &Span) {
        let at = span.end..span.end;
        match tag {
            TagEnd::Heading(_)
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::Item
            | TagEnd::Table => {
                self.open.pop();
            }
            TagEnd::Paragraph => self.close_paragraph(),
            TagEnd::List(_) => {
                self.list_depth = self.list_depth.saturating_sub(1);
            }
            TagEnd::TableCell => {
                let end = self.outline.pieces.len();
                if let Some(cell) = self
                    .rows()
                    .and_then(|rows| rows.last_mut())
                    .and_then(|row| row.cells.last_mut())
                {
                    cell.pieces.end = end;
                }
            }
            TagEnd::Strong => self.piece(at, Piece::StrongEnd),
            TagEnd::Strikethrough => self.piece(at, Piece::StrikeEnd),
            TagEnd::Link | TagEnd::Image => self.piece(at, Piece::LinkEnd),
            _ => {}
        }
    }

    fn open(&mut self, kind: NodeKind, span: Span) {
        self.close_text();
        let at = self.outline.pieces.len();
        self.open.push(Open {
            node: self.outline.nodes.len(),
            takes_text: true,
        });
        self.outline.nodes.push(Node {
            kind,
            span,
            pieces: at..at,
            in_list: self.list_depth > 0,
        });
    }

    fn leaf(&mut self, kind: NodeKind, span: Span) {
        self.open(kind, span);
        self.open.pop();
    }

    /// Treats the first paragraph of a loose list entry as the text of the entry.
    fn open_paragraph(&mut self, span: Span) {
        if let Some(open) = self.open.last()
            && open.takes_text
            && let Some(node) = self.outline.nodes.get(open.node)
            && matches!(node.kind, NodeKind::Item { .. })
            && node.pieces.is_empty()
        {
            return;
        }
        self.open(NodeKind::Paragraph, span);
    }

    fn close_paragraph(&mut self) {
        let in_paragraph = self
            .open
            .last()
            .and_then(|open| self.outline.nodes.get(open.node))
            .is_some_and(|node| matches!(node.kind, NodeKind::Paragraph));
        if in_paragraph {
            self.open.pop();
        } else {
            self.close_text();
        }
    }

    /// Ends the text of the entry when nested blocks start.
    fn close_text(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.takes_text = false;
        }
    }

    fn text(&mut self, text: CowStr<'a>, span: Span) {
        if let Some(node) = self
            .open
            .last()
            .and_then(|open| self.outline.nodes.get_mut(open.node))
            && let NodeKind::Fence { code, .. } = &mut node.kind
        {
            if code.start == node.span.start {
                code.start = span.start;
            }
            code.end = span.end;
        }
        self.piece(span, Piece::Text(text));
    }

    fn piece(&mut self, span: Span, piece: Piece<'a>) {
        self.outline.pieces.push((span, piece));
        let end = self.outline.pieces.len();
        if let Some(open) = self.open.last()
            && open.takes_text
            && let Some(node) = self.outline.nodes.get_mut(open.node)
        {
            node.pieces.end = end;
        }
    }

    fn rows(&mut self) -> Option<&mut Vec<TableRow>> {
        let open = self.open.last()?;
        match &mut self.outline.nodes.get_mut(open.node)?.kind {
            NodeKind::Table { rows } => Some(rows),
            _ => None,
        }
    }
}
