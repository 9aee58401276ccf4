//! Labelled parts: `**Label** (note): value` and what follows.

use std::ops::Range;

use super::outline::{Node, NodeKind, Outline, Piece};
use super::{Block, Document, Field, Item, Label, Span, vocabulary};

/// What stands in a step, a prerequisite or a section, in document order.
///
/// The first field has no name when something stands before the first label.
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

/// The checkboxes among some blocks, whatever labels stand between them.
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

/// A list entry that begins with a box: `[ ]`, `[x]`, `[]`, or another single sign people tick with.
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
    let detail = outline.source.get(own_end..end).unwrap_or_default().trim();
    let text = text_from(outline, after, mark.end + 1);
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

/// The text of some pieces without markup; the piece before them may reach beyond `from`, and then its end counts.
fn text_from(outline: &Outline<'_>, pieces: Range<usize>, from: usize) -> String {
    let mut text = String::new();
    if let Some((span, Piece::Text(part))) = pieces
        .start
        .checked_sub(1)
        .and_then(|at| outline.pieces.get(at))
        && span.start < from
        && span.end > from
        && span.len() == part.len()
    {
        text.push_str(&part[from - span.start..]);
    }
    text.push_str(&outline.plain(pieces));
    text.trim().to_owned()
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
    /// whether all labels so far stood in bullets, as in `- **Goal**: …`
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

    /// A heading below the step is a label of its own.
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

    /// A paragraph may hold several labels, one a line.
    fn paragraph(&mut self, pieces: Range<usize>) {
        let mut fresh = true;
        let lines: Vec<_> = lines(self.outline, pieces).collect();
        for line in lines {
            if let Some(label) =
                label(self.outline, line.clone()).filter(|label| !self.continues(label))
            {
                self.bulleted = false;
                self.begin(label, line);
                fresh = false;
            } else {
                self.more(line, fresh);
                fresh = false;
            }
        }
    }

    /// Inside free text an unknown label (`**Cause**: …` under Issues) is a part of the text.
    fn continues(&self, label: &LabelLine) -> bool {
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

    fn begin(&mut self, label: LabelLine, line: Range<usize>) {
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

    /// Text that carries no label: the rest of a value, or a paragraph of its own.
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
        let label = label(self.outline, first.clone())
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

/// A label at the beginning of a line.
pub(crate) struct LabelLine {
    pub(crate) label: Label,
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) value: String,
    pub(crate) value_span: Span,
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

/// Reads `**Label**: value`, `**Label:** value`, `**Label** (note): value`, ``**Update** `f`:``, `**Label: value**`, or a
/// known label that stands alone on its line or before a dash.
pub(crate) fn label(outline: &Outline<'_>, line: Range<usize>) -> Option<LabelLine> {
    let pieces = &outline.pieces[line.clone()];
    let (_, Piece::StrongStart) = pieces.first()? else {
        return None;
    };
    let close = line.start
        + pieces
            .iter()
            .position(|(_, piece)| *piece == Piece::StrongEnd)?;
    let inner = outline.plain(line.start + 1..close);
    let after = Rest {
        outline,
        line: close + 1..line.end,
        from: outline.pieces[close].0.end,
    };
    if let Some(name) = inner.strip_suffix(':') {
        return Some(after.label(name, String::new()));
    }
    if let Some((note, value)) = after.at_colon() {
        let known = vocabulary::label(&inner) != Label::Other;
        let code = matches!(
            outline.pieces.get(value.line.start.min(close + 2)),
            Some((_, Piece::Code(_)))
        );
        let plausible = note.is_empty() || note.starts_with('(') || known || code;
        if plausible && note.len() <= 200 {
            return Some(value.label(&inner, note));
        }
    }
    let rest = after.text();
    if vocabulary::label(&inner) != Label::Other {
        if rest.is_empty() {
            return Some(after.label(&inner, String::new()));
        }
        if rest.starts_with('(') && rest.ends_with(')') {
            let end = after.span().end;
            let value = Rest {
                line: line.end..line.end,
                from: end,
                ..after
            };
            return Some(value.label(&inner, rest));
        }
        if let Some(dash) = ["- ", "-- ", "— ", "– "]
            .iter()
            .find(|dash| rest.starts_with(**dash))
        {
            let value = after.skip(dash.len());
            return Some(value.label(&inner, String::new()));
        }
    }
    let inside = Rest {
        outline,
        line: line.start + 1..close,
        from: outline.pieces[line.start + 1].0.start,
    };
    let closes = rest.is_empty()
        || rest.starts_with('(')
        || rest.chars().all(|character| !character.is_alphanumeric());
    match inside.at_colon() {
        Some((name, value)) if closes && !name.is_empty() => {
            Some(value.label(&name, String::new()))
        }
        _ => None,
    }
}

/// The part of a line from a byte on.
#[derive(Clone)]
struct Rest<'o> {
    outline: &'o Outline<'o>,
    /// the pieces that begin at or after `from`; the one before may reach into it
    line: Range<usize>,
    from: usize,
}

impl<'o> Rest<'o> {
    fn label(&self, name: &str, note: String) -> LabelLine {
        let name = name.trim().to_owned();
        LabelLine {
            label: vocabulary::label(&name),
            name,
            note,
            value: self.text(),
            value_span: self.span(),
        }
    }

    /// The text without markup.
    fn text(&self) -> String {
        text_from(self.outline, self.line.clone(), self.from)
    }

    fn span(&self) -> Span {
        let last = self.outline.pieces[..self.line.end]
            .last()
            .map_or(self.from, |(span, _)| span.end);
        let span = self.outline.trimmed(&(self.from..last.max(self.from)));
        if span.is_empty() {
            self.from..self.from
        } else {
            span
        }
    }

    /// Splits at the first colon outside code and parentheses: the text before it, and the rest.
    fn at_colon(&self) -> Option<(String, Self)> {
        let mut depth = 0_usize;
        for index in self.line.clone() {
            let (span, Piece::Text(text)) = &self.outline.pieces[index] else {
                continue;
            };
            if text.len() != span.len() {
                continue;
            }
            for (at, byte) in text.bytes().enumerate() {
                match byte {
                    b'(' => depth += 1,
                    b')' => depth = depth.saturating_sub(1),
                    b':' if depth == 0 => {
                        let mut note = self.outline.plain(self.line.start..index);
                        if !note.is_empty() && text.starts_with(' ') {
                            note.push(' ');
                        }
                        note.push_str(text[..at].trim());
                        let from = span.start + at + 1;
                        return Some((
                            note.trim().to_owned(),
                            Self {
                                line: index + 1..self.line.end,
                                from,
                                ..self.clone()
                            },
                        ));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// Without the first `length` bytes of its text.
    fn skip(&self, length: usize) -> Self {
        let from = self.span().start + length;
        let line = self
            .outline
            .pieces_in(self.line.clone(), &(from..usize::MAX));
        Self {
            line,
            from,
            ..self.clone()
        }
    }
}
