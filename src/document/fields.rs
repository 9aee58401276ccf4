//! Labelled parts: `**Label** (note): value` and the content after it.

use std::ops::Range;

use super::outline::{Node, NodeKind, Outline, Piece};
use super::parts::{Block, Field, Item, Label};
use super::text::Document;
use super::{label, vocabulary};

/// The content of a step, a prerequisite or a section, in document order.
///
/// The first field has no name if there is content before the first label.
pub(crate) fn read(document: &Document, outline: &Outline<'_>, nodes: Range<usize>) -> Vec<Field> {
    let start = outline.nodes[..nodes.start]
        .last()
        .map_or(0, |node| node.span.end);
    let mut reader = Reader {
        document,
        outline,
        fields: vec![unnamed(document, start)],
        bulleted: true,
    };
    for index in nodes.clone() {
        reader.node(&outline.nodes[index]);
    }
    let end = outline
        .nodes
        .get(nodes.end)
        .map_or(document.text().len(), |node| node.span.start);
    let mut fields = reader.fields;
    let mut next = end;
    for field in fields.iter_mut().rev() {
        let span = field.span.start..next.max(field.span.start);
        next = field.span.start;
        field.span = span.start..span.start + document.text()[span].trim_end().len();
    }
    let lead = &fields[0];
    if lead.value.is_empty()
        && lead.entries.is_empty()
        && lead.items.is_empty()
        && lead.blocks.is_empty()
    {
        fields.remove(0);
    }
    fields
}

/// The checkboxes among some blocks, under any label.
pub(crate) fn items(document: &Document, outline: &Outline<'_>, nodes: Range<usize>) -> Vec<Item> {
    nodes
        .filter_map(|index| item(document, outline, &outline.nodes[index]))
        .collect()
}

/// The code blocks among some blocks.
pub(crate) fn blocks(
    document: &Document,
    outline: &Outline<'_>,
    nodes: Range<usize>,
) -> Vec<Block> {
    nodes
        .filter_map(|index| block(document, outline, &outline.nodes[index]))
        .collect()
}

/// A list entry that starts with a box: `[ ]`, `[x]`, `[]`, or another single character.
pub(crate) fn item(document: &Document, outline: &Outline<'_>, node: &Node) -> Option<Item> {
    let NodeKind::Item { depth, .. } = node.kind else {
        return None;
    };
    let first = outline.pieces[node.pieces.clone()].first()?.0.start;
    let inner = outline.source[first..node.span.end].strip_prefix('[')?;
    let (sign, rest) = inner.split_once(']').filter(|(sign, _)| sign.len() <= 8)?;
    let checked = match sign {
        "" | " " | "-" | "~" | "/" | ">" | "!" | "?" | "\u{a0}" | "✗" | "✘" | "❌" => false,
        "x" | "X" | "✓" | "✔" | "✔\u{fe0f}" | "✅" | "☑" => true,
        _ => return None,
    };
    if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    let mark = first + 1..first + 1 + sign.len();
    let own = node.pieces.clone();
    let after = outline.pieces_in(own.clone(), &(mark.end + 1..usize::MAX));
    let own_end = outline.pieces[own]
        .last()
        .map_or(mark.end + 1, |(span, _)| span.end);
    let end = outline.trimmed(&(node.span.start..node.span.end)).end;
    // only for outermost entries: kept for each entry, the texts of a deep list would exceed the document's size
    let detail = outline
        .source
        .get(own_end..end)
        .filter(|_| depth == 0)
        .unwrap_or_default()
        .trim();
    let text = label::text_from(outline, after, mark.end + 1);
    let line = document.line_of(mark.start);
    Some(Item {
        checked,
        text,
        detail: detail.to_owned(),
        depth,
        span: node.span.start..end,
        mark,
        line,
    })
}

/// A fenced code block.
pub(crate) fn block(document: &Document, outline: &Outline<'_>, node: &Node) -> Option<Block> {
    let NodeKind::Fence {
        info,
        fenced: true,
        code,
    } = &node.kind
    else {
        return None;
    };
    let lang = info
        .split([' ', ',', '{', '\t'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let text = outline.pieces[node.pieces.clone()]
        .iter()
        .filter_map(|(_, piece)| match piece {
            Piece::Text(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    let line = document.line_of(node.span.start);
    Some(Block {
        lang,
        code: text,
        span: node.span.clone(),
        code_span: code.clone(),
        line,
    })
}

struct Reader<'d> {
    document: &'d Document,
    outline: &'d Outline<'d>,
    fields: Vec<Field>,
    /// whether all labels so far were in bullets, as in `- **Goal**: …`
    bulleted: bool,
}

impl Reader<'_> {
    fn node(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Heading(_) => self.heading(node),
            NodeKind::Paragraph if node.in_list => {}
            NodeKind::Paragraph => self.paragraph(node.pieces.clone()),
            NodeKind::Item { depth, .. } => self.entry(node, *depth),
            NodeKind::Fence { .. } => {
                if let Some(block) = block(self.document, self.outline, node) {
                    self.current().blocks.push(block);
                }
            }
            NodeKind::Table { .. } | NodeKind::Html | NodeKind::Rule => {}
        }
    }

    fn current(&mut self) -> &mut Field {
        if self.fields.is_empty() {
            self.fields.push(unnamed(self.document, 0));
        }
        let last = self.fields.len() - 1;
        &mut self.fields[last]
    }

    /// A heading below the step acts as a label.
    fn heading(&mut self, node: &Node) {
        let name = self.outline.plain(node.pieces.clone());
        let end = self.outline.trimmed(&node.span).end;
        let name = name.trim_end_matches(':').trim().to_owned();
        self.fields.push(Field {
            label: vocabulary::label(&name),
            name,
            span: node.span.clone(),
            value_span: end..end,
            line: self.document.line_of(node.span.start),
            ..unnamed(self.document, node.span.start)
        });
    }

    /// A paragraph may contain several labels, one per line.
    fn paragraph(&mut self, pieces: Range<usize>) {
        let mut fresh = true;
        let lines: Vec<_> = lines(self.outline, pieces).collect();
        for line in lines {
            let label = label::read(self.outline, line.clone())
                .or_else(|| label::read_plain(self.outline, line.clone()));
            if let Some(label) = label.filter(|label| !self.continues(label)) {
                self.bulleted = false;
                self.begin(label, line);
                fresh = false;
            } else {
                self.more(line, fresh);
                fresh = false;
            }
        }
    }

    /// Inside free text, an unknown label (`**Cause**: …` under Issues) is part of the text.
    fn continues(&self, label: &label::LabelLine) -> bool {
        let current = self.fields.last().map_or(Label::Other, |field| field.label);
        label.label == Label::Other
            && matches!(
                current,
                Label::Issues
                    | Label::LessonsLearned
                    | Label::Review
                    | Label::Deviation
                    | Label::Implementation
            )
    }

    fn begin(&mut self, label: label::LabelLine, line: Range<usize>) {
        let start = self.outline.pieces[line.start].0.start;
        self.fields.push(Field {
            label: label.label,
            name: label.name,
            note: label.note,
            value: label.value,
            value_span: label.value_span,
            line: self.document.line_of(start),
            ..unnamed(self.document, start)
        });
    }

    /// Text without a label: the rest of a value, or a new paragraph.
    fn more(&mut self, line: Range<usize>, fresh: bool) {
        let text = self.outline.plain(line.clone());
        let Some(end) = self.outline.pieces[line.clone()]
            .last()
            .map(|(span, _)| span.end)
        else {
            return;
        };
        let start = self.outline.pieces[line.start].0.start;
        let field = self.current();
        if text.is_empty() {
            return;
        }
        let is_first = field.name.is_empty() && field.value.is_empty() && field.entries.is_empty();
        if is_first {
            field.value = text;
            field.value_span = start..end;
        } else if fresh || !field.entries.is_empty() {
            field.entries.push(text);
        } else {
            if field.value.is_empty() {
                field.value_span.start = start;
            } else {
                field.value.push(' ');
            }
            field.value.push_str(&text);
            field.value_span.end = end;
        }
    }

    fn entry(&mut self, node: &Node, depth: usize) {
        if let Some(item) = item(self.document, self.outline, node) {
            self.current().items.push(item);
            return;
        }
        if depth > 0 {
            return;
        }
        let mut lines = lines(self.outline, node.pieces.clone());
        let first = lines.next().unwrap_or(node.pieces.clone());
        let label = label::read(self.outline, first.clone())
            .filter(|label| self.bulleted && label.label != Label::Other);
        if let Some(label) = label {
            self.begin(label, first);
            for line in lines {
                self.more(line, false);
            }
        } else {
            let text = self.outline.plain(node.pieces.clone());
            self.current().entries.push(text);
        }
    }
}

pub(crate) fn unnamed(document: &Document, at: usize) -> Field {
    Field {
        label: Label::Other,
        name: String::new(),
        note: String::new(),
        value: String::new(),
        value_span: at..at,
        entries: Vec::new(),
        items: Vec::new(),
        blocks: Vec::new(),
        span: at..at,
        line: document.line_of(at),
    }
}

/// The lines of a paragraph as ranges of pieces.
pub(crate) fn lines<'o>(
    outline: &'o Outline<'_>,
    pieces: Range<usize>,
) -> impl Iterator<Item = Range<usize>> + 'o {
    let mut at = pieces.start;
    std::iter::from_fn(move || {
        if at >= pieces.end {
            return None;
        }
        let length = outline.pieces[at..pieces.end]
            .iter()
            .position(|(_, piece)| *piece == Piece::Break)
            .unwrap_or(pieces.end - at);
        let line = at..at + length;
        at = line.end + 1;
        Some(line)
    })
    .filter(|line| !line.is_empty())
}
