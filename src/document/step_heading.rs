//! Headings of steps: `### Step 4b: title`, in all common forms.

use super::outline::{Node, Outline, Piece};
use super::parts::{HeadingMark, Status, StepId};
use super::vocabulary;

/// A heading of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepHeading {
    pub(crate) id: StepId,
    pub(crate) title: String,
    pub(crate) withdrawn: bool,
    pub(crate) mark: Option<HeadingMark>,
    /// whether a colon or a dash follows the id
    pub(crate) separated: bool,
}

/// Parses `Step 4b: title`, with or without marks and struck-out parts.
pub(crate) fn read(outline: &Outline<'_>, node: &Node) -> Option<StepHeading> {
    let plain = outline.plain(node.pieces.clone());
    let (lead, rest) = leading_sign(&plain);
    let word = rest
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("step"))?;
    let rest = rest[word.len()..]
        .strip_prefix(|character: char| character.is_whitespace())?
        .trim_start();
    let (id, rest) = step_id(rest)?;
    let rest = without_note(rest);
    let (separated, rest) = separator(rest);
    let (title, mark) = trailing_mark(rest);
    let source = &outline.source[node.span.clone()];
    let mark = match (mark, lead) {
        (Some((status, text)), _) => Some(heading_mark(status, source.rfind(text), text, node)),
        (None, Some((status, text))) => Some(heading_mark(status, source.find(text), text, node)),
        (None, None) => None,
    };
    let done = mark
        .as_ref()
        .is_some_and(|mark| mark.status == Status::Complete);
    let withdrawn = struck(outline, node) && !done
        || mark
            .as_ref()
            .is_some_and(|mark| mark.status == Status::Withdrawn);
    Some(StepHeading {
        id,
        title: title.to_owned(),
        withdrawn,
        mark,
        separated,
    })
}

/// The bytes of the mark in the raw heading; the whole heading if the mark contains markup.
fn heading_mark(status: Status, at: Option<usize>, text: &str, node: &Node) -> HeadingMark {
    let span = at.map_or(node.span.clone(), |at| {
        node.span.start + at..node.span.start + at + text.len()
    });
    HeadingMark { status, span }
}

/// `Step` followed by an intended id: a number or the word for one.
pub(crate) fn looks_like_one(plain: &str) -> bool {
    let words = vocabulary::words(plain);
    let Some(rest) = words
        .strip_prefix("step ")
        .or_else(|| words.strip_prefix("steps "))
    else {
        return false;
    };
    let first = rest.split(' ').next().unwrap_or_default();
    first.starts_with(|character: char| character.is_ascii_digit())
        || matches!(
            first,
            "zero"
                | "one"
                | "two"
                | "three"
                | "four"
                | "five"
                | "six"
                | "seven"
                | "eight"
                | "nine"
                | "ten"
        )
}

fn leading_sign(plain: &str) -> (Option<(Status, &str)>, &str) {
    let rest = plain.trim_start();
    let Some(first) = rest.chars().next() else {
        return (None, rest);
    };
    let Some(status) = vocabulary::sign(first) else {
        return (None, rest);
    };
    let after = rest[first.len_utf8()..].trim_start_matches('\u{fe0f}');
    (
        Some((status, &rest[..first.len_utf8()])),
        after.trim_start(),
    )
}

/// Digits with an optional letter (`4b`), parts (`3.1`) or a range (`3-5`); one capital letter; `[N]` of a template.
fn step_id(text: &str) -> Option<(StepId, &str)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (id, rest) = inner.split_once(']')?;
        return (!id.is_empty() && id.len() <= 4 && id.chars().all(char::is_alphanumeric))
            .then(|| (StepId::new(id), rest));
    }
    let text = text.strip_prefix('#').unwrap_or(text);
    if !text.starts_with(|character: char| character.is_ascii_digit()) {
        let mut characters = text.chars();
        let letter = characters.next().filter(char::is_ascii_uppercase)?;
        let rest = characters.as_str();
        return (separator(rest).0).then(|| (StepId::new(&letter.to_string()), rest));
    }
    let bytes = text.as_bytes();
    let mut end = 0;
    while end < bytes.len() {
        let joined = matches!(bytes[end], b'.' | b'/' | b'-' | b'&' | b'+')
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !(bytes[end].is_ascii_digit() || joined) {
            let letter = bytes[end].is_ascii_alphabetic()
                && bytes[end - 1].is_ascii_digit()
                && !text[end + 1..].starts_with(char::is_alphanumeric);
            if letter {
                end += 1;
                continue;
            }
            break;
        }
        end += 1;
    }
    (!text[end..].starts_with(char::is_alphanumeric))
        .then(|| (StepId::new(&text[..end]), &text[end..]))
}

/// The rest without a note in parentheses between id and colon: ` (optional): title`.
fn without_note(rest: &str) -> &str {
    let inside = rest.trim_start().strip_prefix('(');
    let after = inside.and_then(|inside| Some(inside.split_once(')')?.1));
    after
        .filter(|after| after.trim_start().starts_with([':', '-', '–', '—']))
        .unwrap_or(rest)
}

/// The correct form of a heading that resembles a step's, with its id and title; `None` without an id.
pub(crate) fn suggestion(plain: &str) -> Option<String> {
    const NUMBERS: [&str; 11] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    let lower = plain.to_ascii_lowercase();
    let at = lower.find("step")?;
    let rest = plain.get(at + "step".len()..)?;
    let rest = rest.strip_prefix(['s', 'S']).unwrap_or(rest);
    let rest = rest.trim_start_matches(|sign: char| !sign.is_alphanumeric());
    let first = rest.split(|sign: char| !sign.is_alphanumeric()).next()?;
    let (id, rest) = match NUMBERS
        .iter()
        .position(|word| first.eq_ignore_ascii_case(word))
    {
        Some(number) => (StepId::new(&number.to_string()), &rest[first.len()..]),
        None => step_id(rest).unwrap_or_else(|| (StepId::new(first), &rest[first.len()..])),
    };
    let rest = without_note(rest);
    // `Steps 15 and 16` are several.
    if vocabulary::words(rest).starts_with("and ") || rest.starts_with(',') {
        return None;
    }
    let title = separator(rest).1;
    let title = if title.is_empty() { "title" } else { title };
    (!id.as_str().is_empty()).then(|| format!("### Step {id}: {title}"))
}

/// The colon or dash between id and title, once.
fn separator(text: &str) -> (bool, &str) {
    let rest = text.trim_start();
    for mark in [":", "--", "—", "–", "-", ".", ")"] {
        if let Some(rest) = rest.strip_prefix(mark) {
            return (true, rest.trim());
        }
    }
    (rest.is_empty(), rest.trim())
}

/// The longest end of a title that consists of symbols and a state: ` - Complete`, ` -- COMPLETE ✅`, ` (complete)`, ` ✅ DONE`; or the
/// whole title.
fn trailing_mark(title: &str) -> (&str, Option<(Status, &str)>) {
    const EDGES: [char; 9] = ['-', '–', '—', ' ', '(', ')', '[', ']', ':'];
    let title = title.trim();
    let mut before = ' ';
    for (at, character) in title.char_indices() {
        let dash = before == ' ' && matches!(character, '-' | '–' | '—');
        let edge = at == 0
            || dash
            || matches!(character, '(' | '[')
            || before != '/' && vocabulary::sign(character).is_some();
        before = character;
        if edge && let Some(status) = mark(&title[at..]) {
            let text = title[at..].trim_matches(EDGES);
            return (
                title[..at].trim_end_matches(['-', '–', '—', ' ']),
                Some((status, text)),
            );
        }
    }
    (title, None)
}

/// The status in a text that consists only of symbols, dashes, brackets and a state.
fn mark(text: &str) -> Option<Status> {
    let words = vocabulary::words(text);
    let is_state = matches!(
        words.as_str(),
        "complete"
            | "completed"
            | "done"
            | "in progress"
            | "wip"
            | "pending"
            | "not started"
            | "blocked"
            | "failed"
            | "skipped"
            | "partial"
            | "partially complete"
            | "withdrawn"
            | "deferred"
            | "passed"
            | "incomplete"
    );
    // a template with several alternatives: `✅/🔄/⬜`
    if text.contains('/') || !(is_state || words.is_empty()) {
        return None;
    }
    vocabulary::status(&text.replace(['(', ')'], " "))
}

/// Whether the id, or the whole title, is struck out.
fn struck(outline: &Outline<'_>, node: &Node) -> bool {
    let (mut depth, mut seen_id) = (0_usize, false);
    let (mut outside, mut inside) = (false, false);
    for (_, piece) in &outline.pieces[node.pieces.clone()] {
        match piece {
            Piece::StrikeStart => depth += 1,
            Piece::StrikeEnd => depth = depth.saturating_sub(1),
            Piece::Text(text) | Piece::Code(text) => {
                if depth > 0 && !seen_id && text.to_ascii_lowercase().contains("step") {
                    return true;
                }
                let title = if seen_id {
                    text.as_ref()
                } else {
                    text.split_once([':', '-', '—', '–'])
                        .map_or("", |(_, title)| title)
                };
                let has_title = title.chars().any(char::is_alphanumeric);
                outside |= has_title && depth == 0 && !title.trim_start().starts_with('(');
                inside |= has_title && depth > 0;
                seen_id = true;
            }
            _ => {}
        }
    }
    inside && !outside
}
