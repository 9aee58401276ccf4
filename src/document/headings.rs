//! Headings: steps, sections, and their content.

use std::collections::HashSet;
use std::ops::Range;

use super::outline::{Node, NodeKind, Outline, Piece};
use super::parts::{ParseProblem, ProblemKind, Section, SectionKind};
use super::step_heading::{self, StepHeading};
use super::text::{Document, Span};
use super::vocabulary;

/// The headings of a document.
#[derive(Debug, Default)]
pub(crate) struct Headings {
    /// every heading with its range
    pub(crate) sections: Vec<Section>,
    /// the blocks of each section as a range of nodes, without its heading
    pub(crate) bodies: Vec<Range<usize>>,
    /// the step headings, each with its section
    pub(crate) steps: Vec<(usize, StepHeading)>,
}

impl Headings {
    /// Finds the headings. A line that is a heading only because of a rule under it becomes a paragraph.
    pub(crate) fn read(
        document: &Document,
        outline: &mut Outline<'_>,
        problems: &mut Vec<ParseProblem>,
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
            let step = step_heading::read(outline, &node)
                .filter(|step| step.separated || !ids.contains(&step.id));
            let kind = match &step {
                Some(_) => SectionKind::Step,
                None => reader.kind(level, &outline.plain(pieces.clone())),
            };
            if level == 1 && kind == SectionKind::Other {
                problems.push(document.problem(
                    ProblemKind::SecondTitle,
                    node.span,
                    "a second heading of level 1 is treated as text; if it is code, close the fence before it"
                ));
                outline.nodes[index].kind = NodeKind::Paragraph;
                continue;
            }
            if step.is_none() && step_heading::looks_like_one(&outline.plain(pieces.clone())) {
                let plain = outline.plain(pieces.clone());
                let write = step_heading::suggestion(&plain)
                    .unwrap_or_else(|| "### Step 4: title".to_owned());
                let message =
                    format!("this heading resembles a step but is not one; write `{write}`");
                problems.push(document.problem(
                    ProblemKind::AmbiguousStep,
                    node.span.clone(),
                    &message,
                ));
            }
            if let Some(step) = &step
                && !ids.insert(step.id.clone())
            {
                problems.push(document.problem(
                    ProblemKind::DuplicateStep,
                    node.span.clone(),
                    &format!("step {} occurs twice; give each step a unique id", step.id),
                ));
            }
            reader.push(index, level, kind, outline.plain(pieces), node.span, step);
        }
        reader.finish(outline)
    }

    /// The blocks of every section of a kind, in order, without nested steps.
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

    /// The first node that belongs to a section other than the title; everything before it is the preamble.
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
    /// the ancestors of the current heading
    ancestors: Vec<(u8, SectionKind)>,
    titled: bool,
}

impl Reader<'_> {
    /// Markdown parses `text` over `---` without a blank line as a heading, but authors mean a line and a rule.
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
            || step_heading::read(outline, node).is_some()
    }

    /// A heading below a known section is a part of it (`### Dependencies` under Prerequisites), except below steps.
    fn kind(&mut self, level: u8, title: &str) -> SectionKind {
        if level == 1 && !self.titled {
            self.titled = true;
            return SectionKind::Title;
        }
        let part = self.ancestors.iter().any(|(above, kind)| {
            *above < level
                && !matches!(
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
        if kind == SectionKind::Step {
            let ended = |(_, kind): &(u8, SectionKind)| ends_at_step(*kind);
            let from = self
                .ancestors
                .iter()
                .position(ended)
                .unwrap_or(self.ancestors.len());
            self.ancestors.truncate(from);
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

    /// Sets the end of each section: the next heading of the same or a higher level. A step also ends the previous step and any
    /// section that cannot contain steps.
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
            let ended = |open: &usize| {
                let section = &self.headings.sections[*open];
                section.level >= level || kind == SectionKind::Step && ends_at_step(section.kind)
            };
            let from = open.iter().position(ended).unwrap_or(open.len());
            for last in open.drain(from..) {
                self.headings.bodies[last].end = at.0;
                self.headings.sections[last].span.end = at.1;
            }
            open.push(index);
        }
        for index in open {
            self.headings.bodies[index].end = end.0;
            self.headings.sections[index].span.end = end.1;
        }
        self.headings
    }
}

/// Whether a section of this kind cannot contain steps, so that a step of any level ends it.
fn ends_at_step(kind: SectionKind) -> bool {
    !matches!(
        kind,
        SectionKind::Title | SectionKind::Steps | SectionKind::Other
    )
}
