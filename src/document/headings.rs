//! Headings: which of them are steps, which are sections, and what belongs to each.

use std::collections::HashSet;
use std::ops::Range;

use super::outline::{Node, NodeKind, Outline, Piece};
use super::{
    Document, HeadingMark, Problem, ProblemKind, Section, SectionKind, Span, Status, StepId,
    vocabulary,
};

/// The headings of a document.
#[derive(Debug, Default)]
pub(crate) struct Headings {
    /// every heading with its extent
    pub(crate) sections: Vec<Section>,
    /// the blocks of each section, its heading aside, as a range of nodes
    pub(crate) bodies: Vec<Range<usize>>,
    /// the step headings, with the section each belongs to
    pub(crate) steps: Vec<(usize, StepHeading)>,
}

/// A heading that begins a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepHeading {
    pub(crate) id: StepId,
    pub(crate) title: String,
    pub(crate) withdrawn: bool,
    pub(crate) mark: Option<HeadingMark>,
    /// whether a colon or a dash follows the id
    separated: bool,
}

impl Headings {
    /// Finds the headings; a line that Markdown takes for a heading only because of the rule under it becomes a
    /// paragraph again.
    pub(crate) fn read(
        document: &Document,
        outline: &mut Outline<'_>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut reader = Reader {
            document,
            headings: Self::default(),
            starts: Vec::new(),
            ancestors: Vec::new(),
            titled: false,
        };
        let mut ids = HashSet::new();
        for index in 0..outline.nodes.len() {
            let node = &outline.nodes[index];
            let NodeKind::Heading(level) = node.kind else {
                continue;
            };
            if node.in_list || !reader.is_heading(outline, node) {
                outline.nodes[index].kind = NodeKind::Paragraph;
                continue;
            }
            let (node, pieces) = (
                outline.nodes[index].clone(),
                outline.nodes[index].pieces.clone(),
            );
            let step = step_heading(outline, &node)
                .filter(|step| step.separated || !ids.contains(&step.id));
            let kind = match &step {
                Some(_) => SectionKind::Step,
                None => reader.kind(level, &outline.plain(pieces.clone())),
            };
            if level == 1 && kind == SectionKind::Other {
                problems.push(document.problem(
                    ProblemKind::SecondTitle,
                    node.span,
                    "a second heading of level 1; it is read as text. If it stands in code, close the fence before it",
                ));
                outline.nodes[index].kind = NodeKind::Paragraph;
                continue;
            }
            if step.is_none() && looks_like_step(&outline.plain(pieces.clone())) {
                problems.push(document.problem(
                    ProblemKind::AmbiguousStep,
                    node.span.clone(),
                    "a heading that begins like a step but is not read as one; write `### Step 4: title`",
                ));
            }
            if let Some(step) = &step
                && !ids.insert(step.id.clone())
            {
                problems.push(document.problem(
                    ProblemKind::DuplicateStep,
                    node.span.clone(),
                    &format!(
                        "step {} stands here for the second time; give each step its own id",
                        step.id
                    ),
                ));
            }
            reader.push(index, level, kind, outline.plain(pieces), node.span, step);
        }
        reader.finish(outline)
    }

    /// The blocks of every section of a kind, in order; steps inside are left out.
    pub(crate) fn bodies_of(
        &self,
        kind: SectionKind,
    ) -> impl Iterator<Item = (&Section, Range<usize>)> {
        self.sections
            .iter()
            .zip(&self.bodies)
            .filter(move |(section, _)| section.kind == kind)
            .map(|(section, body)| (section, body.clone()))
    }

    /// The first node that belongs to a section other than the title: what stands above is the preamble.
    pub(crate) fn preamble(&self, outline: &Outline<'_>) -> Range<usize> {
        let end = self
            .sections
            .iter()
            .zip(&self.bodies)
            .find(|(section, _)| section.kind != SectionKind::Title)
            .map_or(outline.nodes.len(), |(_, body)| {
                body.start.saturating_sub(1)
            });
        0..end
    }
}

struct Reader<'d> {
    document: &'d Document,
    headings: Headings,
    /// the heading nodes
    starts: Vec<usize>,
    /// the headings above the one being read
    ancestors: Vec<(u8, SectionKind)>,
    titled: bool,
}

impl Reader<'_> {
    /// `text` over `---` without a blank line is a heading to Markdown and a line over a rule to its writer.
    fn is_heading(&self, outline: &Outline<'_>, node: &Node) -> bool {
        let raw = &self.document.text()[node.span.clone()];
        if raw.trim_start().starts_with('#') {
            return true;
        }
        let pieces = &outline.pieces[node.pieces.clone()];
        if pieces.iter().any(|(_, piece)| *piece == Piece::Break) {
            return false;
        }
        if matches!(pieces.first(), Some((_, Piece::StrongStart))) {
            return false;
        }
        raw.trim_end().ends_with('=')
            || vocabulary::section(&outline.plain(node.pieces.clone())) != SectionKind::Other
            || step_heading(outline, node).is_some()
    }

    /// A heading below a known section is a part of it (`### Dependencies` under Prerequisites), but for the steps'.
    fn kind(&mut self, level: u8, title: &str) -> SectionKind {
        if level == 1 && !self.titled {
            self.titled = true;
            return SectionKind::Title;
        }
        while self
            .ancestors
            .last()
            .is_some_and(|(above, _)| *above >= level)
        {
            self.ancestors.pop();
        }
        let part = self.ancestors.iter().any(|(_, kind)| {
            !matches!(
                kind,
                SectionKind::Title
                    | SectionKind::Overview
                    | SectionKind::Summary
                    | SectionKind::Steps
                    | SectionKind::Other
            )
        });
        if part {
            SectionKind::Other
        } else {
            vocabulary::section(title)
        }
    }

    fn push(
        &mut self,
        node: usize,
        level: u8,
        kind: SectionKind,
        title: String,
        heading: Span,
        step: Option<StepHeading>,
    ) {
        while self
            .ancestors
            .last()
            .is_some_and(|(above, _)| *above >= level)
        {
            self.ancestors.pop();
        }
        self.ancestors.push((level, kind));
        if let Some(step) = step {
            self.headings
                .steps
                .push((self.headings.sections.len(), step));
        }
        let line = self.document.line_of(heading.start);
        self.starts.push(node);
        self.headings.sections.push(Section {
            kind,
            title,
            level,
            span: heading.clone(),
            heading,
            line,
        });
    }

    /// Gives each section its end: the next heading of its level or above. A step also ends the step before it and
    /// any section that steps do not belong in.
    fn finish(mut self, outline: &Outline<'_>) -> Headings {
        let end = (outline.nodes.len(), self.document.text().len());
        let mut open: Vec<usize> = Vec::new();
        self.headings.bodies = self.starts.iter().map(|start| start + 1..end.0).collect();
        for index in 0..self.starts.len() {
            let (level, kind) = (
                self.headings.sections[index].level,
                self.headings.sections[index].kind,
            );
            let at = (
                self.starts[index],
                self.headings.sections[index].heading.start,
            );
            while let Some(last) = open.last().copied() {
                let section = &self.headings.sections[last];
                let both_steps = kind == SectionKind::Step && section.kind == SectionKind::Step;
                let out_of_place = kind == SectionKind::Step
                    && !matches!(
                        section.kind,
                        SectionKind::Title | SectionKind::Steps | SectionKind::Other
                    );
                if section.level < level && !both_steps && !out_of_place {
                    break;
                }
                self.close(last, at);
                open.pop();
            }
            open.push(index);
        }
        for index in open {
            self.close(index, end);
        }
        self.headings
    }

    fn close(&mut self, index: usize, (node, byte): (usize, usize)) {
        self.headings.bodies[index].end = node;
        self.headings.sections[index].span.end = byte;
    }
}

/// Reads `Step 4b: title`, with or without marks and struck-out parts.
fn step_heading(outline: &Outline<'_>, node: &Node) -> Option<StepHeading> {
    let plain = outline.plain(node.pieces.clone());
    let (lead, rest) = leading_sign(&plain);
    let word = rest
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("step"))?;
    let rest = rest[word.len()..]
        .strip_prefix(|character: char| character.is_whitespace())?
        .trim_start();
    let (id, rest) = step_id(rest)?;
    let (separated, rest) = separator(rest);
    let (title, mark) = trailing_mark(rest);
    let source = &outline.source[node.span.clone()];
    let mark = match (mark, lead) {
        (Some((status, text)), _) => Some(heading_mark(status, source.rfind(text), text, node)),
        (None, Some((status, text))) => Some(heading_mark(status, source.find(text), text, node)),
        (None, None) => None,
    };
    let withdrawn = struck(outline, node)
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

/// Where the mark stands in the raw heading; the whole heading when markup stands inside the mark.
fn heading_mark(status: Status, at: Option<usize>, text: &str, node: &Node) -> HeadingMark {
    let span = at.map_or(node.span.clone(), |at| {
        node.span.start + at..node.span.start + at + text.len()
    });
    HeadingMark { status, span }
}

/// `Step` and something that is meant as an id: a number word or a number.
fn looks_like_step(plain: &str) -> bool {
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

/// A sign or a state word behind a dash or in parentheses, at the end of a title.
fn trailing_mark(title: &str) -> (&str, Option<(Status, &str)>) {
    let trimmed = title.trim_end_matches([' ', '\u{fe0f}']);
    let mut rest = trimmed;
    let mut found = None;
    let mut start = trimmed.len();
    while let Some(last) = rest.chars().next_back()
        && let Some(status) = vocabulary::sign(last)
    {
        start = rest.len() - last.len_utf8();
        found = found.or(Some(status));
        rest = rest[..start].trim_end_matches([' ', '\u{fe0f}']);
    }
    let worded = state_word(rest);
    if let Some((before, status)) = worded {
        let word_start = rest[before.len()..]
            .find(char::is_alphanumeric)
            .map_or(before.len(), |at| before.len() + at);
        let word = rest[word_start..].trim_end_matches([')', ']']);
        return (
            before,
            Some((
                status,
                if found.is_some() {
                    &trimmed[word_start..]
                } else {
                    word
                },
            )),
        );
    }
    match found {
        Some(status) => (
            rest.trim_end_matches(['-', '–', '—', ' ']),
            Some((status, &trimmed[start..])),
        ),
        None => (title.trim(), None),
    }
}

/// ` - Complete`, ` -- COMPLETE`, ` (complete)` at the end; the state must be all that follows.
fn state_word(title: &str) -> Option<(&str, Status)> {
    let (before, last) = match title.strip_suffix([')', ']']) {
        Some(inner) => inner.rsplit_once(['(', '['])?,
        None => {
            let at = [" - ", " -- ", " — ", " – "]
                .iter()
                .filter_map(|dash| title.rfind(dash).map(|at| (at, at + dash.len())))
                .max_by_key(|(_, end)| *end);
            let dashed = at.map(|(start, end)| (&title[..start], &title[end..]));
            // a title that is nothing but the state: `### Step 3 - Complete`
            dashed.unwrap_or(("", title))
        }
    };
    let words = vocabulary::words(last);
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
    let status = is_state.then(|| vocabulary::status(last)).flatten()?;
    Some((before.trim_end_matches(['-', '–', '—', ' ']), status))
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
