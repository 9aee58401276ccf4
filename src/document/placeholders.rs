//! Placeholders: `[fill in: …]` anywhere, and the bracketed texts of the original template.
//!
//! Brackets have many other meanings (links, boxes, arrays, attributes, TOML tables), so those of the template are recognized
//! only by their first words. A missed placeholder is better than a false one.

use std::ops::Range;

use super::outline::{NodeKind, Outline, Piece};
use super::parts::Placeholder;
use super::text::{Document, Span};

/// First words of placeholders with several words, in prose.
const LEADS: &[&str] = &[
    "what ",
    "why ",
    "how ",
    "brief ",
    "description ",
    "describe ",
    "actual ",
    "command to ",
    "specific ",
    "your ",
    "name of ",
    "path to ",
    "criterion ",
    "task ",
    "risk ",
    "prerequisite ",
    "setup step",
    "implementation task",
    "integration task",
    "additional principle",
    "next task",
    "final integration",
    "final validation",
    "write tests",
    "poc name",
    "key decision",
    "setup/infrastructure",
    "function/tool",
    "path/to/",
    "yyyy-",
    "new-",
    "existing-",
];

/// Placeholders of one word, in prose.
const WORDS: &[&str] = &[
    "Name",
    "name",
    "Description",
    "description",
    "Purpose",
    "purpose",
    "Strategy",
    "Mitigation",
    "Rationale",
    "Component",
    "component",
    "Topic",
    "topic",
    "Timestamp",
    "timestamp",
    "Date",
    "date",
    "TBD",
    "TODO",
    "N",
    "X",
    "M",
    "ClassName",
    "ERROR_CODE",
    "directory",
    "project-root",
    "file-path",
    "source-doc",
];

/// In inline code: only texts that cannot be code.
const CODE_LEADS: &[&str] = &[
    "path/to/",
    "new-f",
    "existing-",
    "what ",
    "actual ",
    "command to ",
];
const CODE_WORDS: &[&str] = &[
    "file-path",
    "source-doc",
    "ERROR_CODE",
    "project-root",
    "directory",
    "new-folder",
    "ClassName",
];

/// In code blocks: only texts that cannot be code.
const FENCE_LEADS: &[&str] = &[
    "actual ",
    "command to ",
    "what ",
    "description of ",
    "path/to/",
];
const FENCE_WORDS: &[&str] = &["directory", "project-root", "Description"];

/// The maximum length of a placeholder, in bytes: a sentence or two.
const LONGEST: usize = 500;

/// Finds all placeholders, in document order.
pub(crate) fn read(document: &Document, outline: &Outline<'_>) -> Vec<Placeholder> {
    let mut spans = ours(outline);
    for node in &outline.nodes {
        match &node.kind {
            NodeKind::Fence { code, .. } => fence(outline, code, &mut spans),
            NodeKind::Table { rows } => {
                for cell in rows.iter().flat_map(|row| &row.cells) {
                    inline(outline, cell.pieces.clone(), &mut spans);
                }
            }
            NodeKind::Item { .. } => inline(
                outline,
                without_box(outline, node.pieces.clone()),
                &mut spans,
            ),
            NodeKind::Heading(_) | NodeKind::Paragraph => {
                inline(outline, node.pieces.clone(), &mut spans);
            }
            NodeKind::Html | NodeKind::Rule => {}
        }
    }
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut end = 0;
    spans.retain(|span| {
        let fresh = span.start >= end;
        end = end.max(span.end);
        fresh
    });
    spans
        .into_iter()
        .map(|span| Placeholder {
            text: document.text()[span.clone()].to_owned(),
            line: document.line_of(span.start),
            span,
        })
        .collect()
}

/// `[fill in: …]` everywhere except in comments, which are not visible.
fn ours(outline: &Outline<'_>) -> Vec<Span> {
    const OPENING: &str = "[fill in:";
    let blocks = outline
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Html))
        .map(|node| &node.span);
    let inline = outline
        .pieces
        .iter()
        .filter(|(_, piece)| *piece == Piece::Html)
        .map(|(span, _)| span);
    let mut hidden: Vec<_> = blocks.chain(inline).collect();
    hidden.sort_by_key(|span| span.start);
    let mut hidden = hidden.into_iter().peekable();
    let mut spans = Vec::new();
    for (start, _) in outline.source.match_indices(OPENING) {
        while hidden.next_if(|span| span.end <= start).is_some() {}
        if hidden.peek().is_some_and(|span| span.start <= start) {
            continue;
        }
        let end = closing(&outline.source[start..])
            .map_or(start + OPENING.len(), |length| start + length);
        spans.push(start..end);
    }
    spans
}

/// The length of a bracketed text, including nested brackets; `None` if it does not end in its paragraph.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut line_is_empty) = (0_usize, false);
    for (at, character) in text.char_indices().take_while(|(at, _)| *at < LONGEST) {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            '\n' if line_is_empty => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
        line_is_empty = character == '\n' || line_is_empty && character.is_whitespace();
    }
    None
}

/// The pieces of a list entry after its box.
fn without_box(outline: &Outline<'_>, pieces: Range<usize>) -> Range<usize> {
    let Some((first, _)) = outline.pieces[pieces.clone()].first() else {
        return pieces;
    };
    let raw = &outline.source[first.start..];
    let is_box = ["[ ]", "[x]", "[X]", "[]"]
        .iter()
        .find(|mark| raw.starts_with(**mark));
    match is_box {
        Some(mark) => outline.pieces_in(pieces, &(first.start + mark.len()..usize::MAX)),
        None => pieces,
    }
}

fn inline(outline: &Outline<'_>, pieces: Range<usize>, spans: &mut Vec<Span>) {
    let mut links = 0_usize;
    let mut run: Option<Span> = None;
    for (span, piece) in &outline.pieces[pieces] {
        match piece {
            Piece::Text(_) if links == 0 => match &mut run {
                Some(run) if run.end == span.start => run.end = span.end,
                _ => {
                    prose(outline, run.take(), spans);
                    run = Some(span.clone());
                }
            },
            Piece::Code(_) if links == 0 => {
                prose(outline, run.take(), spans);
                brackets(
                    outline.source,
                    span,
                    |found| {
                        let named = found.text == "name"
                            && (found.after.starts_with(['-', '_']) || found.before.ends_with('_'));
                        named || found.matches(CODE_LEADS, CODE_WORDS) || found.is_affected()
                    },
                    spans,
                );
            }
            _ => {
                prose(outline, run.take(), spans);
                match piece {
                    Piece::LinkStart(_) => links += 1,
                    Piece::LinkEnd => links = links.saturating_sub(1),
                    _ => {}
                }
            }
        }
    }
    prose(outline, run, spans);
}

fn prose(outline: &Outline<'_>, run: Option<Span>, spans: &mut Vec<Span>) {
    let Some(run) = run else { return };
    brackets(
        outline.source,
        &run,
        |found| {
            let glued = found.before.ends_with(|character: char| {
                character.is_alphanumeric()
                    || matches!(character, ']' | ')' | '!' | '&' | '#' | '$')
            });
            !glued && !found.after.starts_with(['(', '[', ':']) && found.matches(LEADS, WORDS)
        },
        spans,
    );
}

fn fence(outline: &Outline<'_>, code: &Span, spans: &mut Vec<Span>) {
    brackets(
        outline.source,
        code,
        |found| {
            let glued = found.before.ends_with(|character: char| {
                character.is_alphanumeric()
                    || matches!(character, ']' | ')' | '!' | '&' | '#' | '$' | '"')
            });
            let toml_table = found.before.trim_end_matches([' ', '\t']).ends_with('\n')
                && found.after.starts_with(['\n', '\r']);
            !glued
                && (found.matches(FENCE_LEADS, &[])
                    || (!toml_table && found.matches(&[], FENCE_WORDS))
                    || found.is_affected())
        },
        spans,
    );
}

/// A bracketed text and its surroundings.
struct Bracketed<'t> {
    before: &'t str,
    text: &'t str,
    after: &'t str,
}

impl Bracketed<'_> {
    fn matches(&self, leads: &[&str], words: &[&str]) -> bool {
        let code = self.text.contains([';', '=', '"', '{', '<', '\\']);
        let starts = |lead: &&&str| {
            self.text
                .get(..lead.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(lead))
        };
        words.contains(&self.text) || (!code && leads.iter().any(|lead| starts(&lead)))
    }

    /// `tests/test_[affected1].py` of the template.
    fn is_affected(&self) -> bool {
        self.text
            .strip_prefix("affected")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Tries every bracketed text that contains no brackets or line ends.
fn brackets(
    source: &str,
    within: &Span,
    accept: impl Fn(&Bracketed<'_>) -> bool,
    spans: &mut Vec<Span>,
) {
    let bytes = source.as_bytes();
    // Most texts contain none.
    let Some(first) = memchr::memchr(b'[', &bytes[within.clone()]) else {
        return;
    };
    let mut open = None;
    for at in within.start + first..within.end {
        match bytes[at] {
            b'[' => open = Some(at),
            b'\n' => open = None,
            b']' => {
                let Some(start) = open.take().filter(|start| at - start <= LONGEST) else {
                    continue;
                };
                let found = Bracketed {
                    before: &source[..start],
                    text: &source[start + 1..at],
                    after: &source[at + 1..],
                };
                if accept(&found) {
                    spans.push(start..at + 1);
                }
            }
            _ => {}
        }
    }
}
