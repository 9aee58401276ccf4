//! Labels at the start of a line, such as `**Label** (note): value`.

use std::ops::Range;

use super::outline::{Outline, Piece};
use super::parts::Label;
use super::text::Span;
use super::vocabulary;

/// A label at the start of a line.
pub(crate) struct LabelLine {
    pub(crate) label: Label,
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) value: String,
    pub(crate) value_span: Span,
}

/// Parses `**Label**: value`, `**Label:** value`, `**Label** (note): value`, ``**Update** `f`:``, `**Label: value**`, or a known label
/// that is alone on its line or before a dash.
pub(crate) fn read(outline: &Outline<'_>, line: Range<usize>) -> Option<LabelLine> {
    let pieces = &outline.pieces[line.clone()];
    let (_, Piece::StrongStart) = pieces.first()? else {
        return None;
    };
    let length = pieces
        .iter()
        .position(|(_, piece)| *piece == Piece::StrongEnd)?;
    let close = line.start + length;
    let bold = Bold {
        text: outline.plain(line.start + 1..close),
        inside: Rest {
            outline,
            line: line.start + 1..close,
            from: outline.pieces[line.start + 1].0.start,
        },
        after: Rest {
            outline,
            line: close + 1..line.end,
            from: outline.pieces[close].0.end,
        },
    };
    let meaning = vocabulary::label(&bold.text);
    let known = meaning != Label::Other;
    let (name, note, value) = bold
        .colon_inside()
        .or_else(|| bold.colon_after(known))
        .or_else(|| bold.alone().filter(|_| known))
        .or_else(|| bold.sentence())?;
    let name = name.trim();
    Some(LabelLine {
        label: if name == bold.text {
            meaning
        } else {
            vocabulary::label(name)
        },
        name: name.to_owned(),
        note,
        value: value.text(),
        value_span: value.span(),
    })
}

/// Parses a known label without markup that is alone on its line, such as `Verification:`.
pub(crate) fn read_plain(outline: &Outline<'_>, line: Range<usize>) -> Option<LabelLine> {
    let pieces = &outline.pieces[line.clone()];
    let all_text = pieces
        .iter()
        .all(|(_, piece)| matches!(piece, Piece::Text(_)));
    let text = outline.plain(line);
    let name = text.strip_suffix(':').filter(|_| all_text)?;
    let end = pieces.last()?.0.end;
    vocabulary::is_label(name).then(|| LabelLine {
        label: vocabulary::label(name),
        name: name.to_owned(),
        note: String::new(),
        value: String::new(),
        value_span: end..end,
    })
}

/// Bold text at the start of a line, and the text after it.
struct Bold<'o> {
    text: String,
    inside: Rest<'o>,
    after: Rest<'o>,
}

/// The name of a label, its note, and its value.
type Parts<'b, 'o> = (&'b str, String, Rest<'o>);

impl<'o> Bold<'o> {
    /// `**Label:** value`
    fn colon_inside(&self) -> Option<Parts<'_, 'o>> {
        let name = self.text.strip_suffix(':')?;
        Some((name, String::new(), self.after.clone()))
    }

    /// `**Label**: value`, `**Label** (note): value`, ``**Label** `f`: value``, and any short note after a known label.
    fn colon_after(&self, known: bool) -> Option<Parts<'_, 'o>> {
        let (note, value) = self.after.at_colon()?;
        let before = &self.after.outline.pieces[self.after.line.start..value.line.start];
        let code = before
            .iter()
            .take(2)
            .any(|(_, piece)| matches!(piece, Piece::Code(_)));
        let plausible = note.is_empty() || note.starts_with('(') || known || code;
        (plausible && note.len() <= 200).then_some((&self.text, note, value))
    }

    /// `**Label**`, `**Label** (note)`, `**Label** - value`
    fn alone(&self) -> Option<Parts<'_, 'o>> {
        let rest = self.after.text();
        if rest.is_empty() {
            return Some((&self.text, rest, self.after.clone()));
        }
        if rest.starts_with('(') && rest.ends_with(')') {
            let value = Rest {
                line: self.after.line.end..self.after.line.end,
                from: self.after.span().end,
                ..self.after.clone()
            };
            return Some((&self.text, rest, value));
        }
        let dash = ["- ", "-- ", "— ", "– "]
            .iter()
            .find(|dash| rest.starts_with(**dash))?;
        Some((&self.text, String::new(), self.after.skip(dash.len())))
    }

    /// `**Label: value**`, followed only by symbols or a note
    fn sentence(&self) -> Option<Parts<'_, 'o>> {
        let rest = self.after.text();
        let closes = rest.starts_with('(') || !rest.chars().any(char::is_alphanumeric);
        let (name, value) = self.inside.at_colon().filter(|_| closes)?;
        let name = self.text.get(..name.len()).filter(|text| *text == name)?;
        (!name.is_empty()).then_some((name, String::new(), value))
    }
}

/// The rest of a line from a byte.
#[derive(Clone)]
struct Rest<'o> {
    outline: &'o Outline<'o>,
    /// the pieces that start at or after `from`; the one before may extend into it
    line: Range<usize>,
    from: usize,
}

impl Rest<'_> {
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

    /// Splits at the first colon outside code and parentheses, into the text before it and the rest.
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

    /// The rest without the first `length` bytes of its text.
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

/// The text of some pieces without markup. The piece before them may extend beyond `from`; then its end is included.
pub(crate) fn text_from(outline: &Outline<'_>, pieces: Range<usize>, from: usize) -> String {
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
