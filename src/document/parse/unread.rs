//! Reports lists, tables and code blocks in known sections that are not parsed, so that nothing is ignored silently.
//!
//! Sections for people (Goal, Architecture, Risks, Next Steps, …), diagrams and generated parts contain no data.

use std::ops::Range;

use super::super::outline::{Node, NodeKind};
use super::super::parts::{Field, Label, ProblemKind, Section, SectionKind};
use super::super::{fields, label, tables, vocabulary};
use super::reading::{Reading, manifest_in};

/// Reports the unread parts of a plan.
pub(super) fn in_plan(reading: &mut Reading<'_>) {
    report(reading, plan_advice);
}

/// Reports the unread parts of a results document.
pub(super) fn in_results(reading: &mut Reading<'_>) {
    report(reading, results_advice);
}

/// A list entry, table or code block of a section.
struct Form<'r, 'd> {
    reading: &'r Reading<'d>,
    section: &'r Section,
    index: usize,
    shape: Shape,
    /// the label of its part, for steps; `None` before the first label
    label: Option<Label>,
    /// whether it follows a heading of the section
    below_heading: bool,
}

/// The shape of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Table,
    /// a list entry with a box
    Box,
    /// a list entry without one
    Entry,
    /// a shell block
    Shell,
    Toml,
    /// any other fenced block
    Block,
    /// code by indentation
    Indented,
    /// a list or table in HTML
    Html,
}

/// The remedy for a form that is not parsed; `None` for one that is.
type Advice = fn(&Form<'_, '_>) -> Option<&'static str>;

fn report(reading: &mut Reading<'_>, advice: Advice) {
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for (section, body) in reading
        .headings
        .sections
        .iter()
        .zip(&reading.headings.bodies)
    {
        if holds_data(section.kind) {
            unread(reading, section, body.clone(), advice, &mut found);
        }
    }
    for (span, advice) in found {
        reading.problem(ProblemKind::Unread, span, advice);
    }
}

/// Whether a section contains more than text for people.
fn holds_data(kind: SectionKind) -> bool {
    matches!(
        kind,
        SectionKind::Overview
            | SectionKind::Summary
            | SectionKind::Prerequisites
            | SectionKind::SuccessCriteria
            | SectionKind::Step
            | SectionKind::TestSummary
            | SectionKind::Checklist
            | SectionKind::Done
            | SectionKind::Files
            | SectionKind::Dependencies
            | SectionKind::Quarantine
            | SectionKind::FinalValidation
    )
}

fn unread(
    reading: &Reading<'_>,
    section: &Section,
    body: Range<usize>,
    advice: Advice,
    found: &mut Vec<(Range<usize>, &'static str)>,
) {
    let labelled = matches!(section.kind, SectionKind::Step | SectionKind::Prerequisites);
    let fields = if labelled {
        reading.fields(body.clone())
    } else {
        Vec::new()
    };
    // Nested sections are checked separately.
    let own = matches!(section.kind, SectionKind::Overview | SectionKind::Summary);
    let body = if own { reading.own(body) } else { body };
    let mut below_heading = false;
    let mut list: Option<&'static str> = None;
    for index in body {
        let node = &reading.outline.nodes[index];
        below_heading |= matches!(node.kind, NodeKind::Heading(_));
        let Some(shape) = shape(reading, index) else {
            if !node.in_list {
                list = None;
            }
            continue;
        };
        if is_generated(reading, node) {
            continue;
        }
        let form = Form {
            reading,
            section,
            index,
            shape,
            label: label_at(&fields, node.span.start),
            below_heading,
        };
        let advice = advice(&form);
        let is_entry = matches!(shape, Shape::Box | Shape::Entry);
        if let Some(advice) = advice
            && !(is_entry && list == Some(advice))
        {
            found.push((first_line(reading, node), advice));
        }
        list = advice.filter(|_| is_entry);
    }
}

/// The form of a node; `None` for text, for parts of a list entry, and for diagrams.
fn shape(reading: &Reading<'_>, index: usize) -> Option<Shape> {
    let node = &reading.outline.nodes[index];
    match &node.kind {
        NodeKind::Table { .. } => Some(Shape::Table),
        NodeKind::Item { depth: 0 } => {
            let item = fields::item(reading.document, reading.outline, node);
            Some(if item.is_some() {
                Shape::Box
            } else {
                Shape::Entry
            })
        }
        NodeKind::Html => {
            let text = reading.outline.source[node.span.clone()].to_ascii_lowercase();
            let forms = ["<table", "<ul", "<ol", "<pre"];
            forms
                .iter()
                .any(|form| text.contains(form) && !text.trim_start().starts_with("<!--"))
                .then_some(Shape::Html)
        }
        NodeKind::Fence { fenced: false, .. } if !node.in_list => Some(Shape::Indented),
        NodeKind::Fence { fenced: true, .. } => {
            let block = fields::block(reading.document, reading.outline, node)?;
            match block.lang.as_str() {
                "mermaid" | "dot" | "plantuml" => None,
                "toml" => Some(Shape::Toml),
                _ if block.is_shell() => Some(Shape::Shell),
                _ => Some(Shape::Block),
            }
        }
        _ => None,
    }
}

fn is_generated(reading: &Reading<'_>, node: &Node) -> bool {
    let after = reading
        .regions
        .partition_point(|region| region.outer.start <= node.span.start);
    // Regions may be nested, so an earlier region may still be open.
    reading.regions[..after]
        .iter()
        .rev()
        .take(8)
        .any(|region| region.outer.contains(&node.span.start))
}

fn label_at(fields: &[Field], at: usize) -> Option<Label> {
    let after = fields.partition_point(|field| field.span.start <= at);
    let field = fields[..after]
        .last()
        .filter(|field| !field.name.is_empty())?;
    Some(field.label)
}

fn first_line(reading: &Reading<'_>, node: &Node) -> Range<usize> {
    let span = reading.outline.trimmed(&node.span);
    let text = &reading.outline.source[span.clone()];
    let length = text.lines().next().map_or(0, str::len);
    span.start..span.start + length
}

impl Form<'_, '_> {
    fn node(&self) -> &Node {
        &self.reading.outline.nodes[self.index]
    }

    fn text(&self) -> String {
        self.reading.outline.plain(self.node().pieces.clone())
    }

    /// Whether an entry starts with a label such as `**Name**: value`.
    fn label(&self) -> Option<label::LabelLine> {
        let line = fields::lines(self.reading.outline, self.node().pieces.clone()).next()?;
        label::read(self.reading.outline, line).filter(|label| !label.name.is_empty())
    }

    /// Whether an entry means "none", as in `- None`.
    fn is_nothing(&self) -> bool {
        let words = vocabulary::words(&self.text());
        let first = words.split(' ').next().unwrap_or_default();
        matches!(first, "none" | "no" | "nothing" | "n" | "")
    }

    /// Whether the entry contains a shell block.
    fn holds_shell(&self) -> bool {
        let nodes = &self.reading.outline.nodes;
        let end = self.node().span.end;
        let inside = nodes[self.index + 1..]
            .iter()
            .take_while(|node| node.span.start < end);
        inside
            .enumerate()
            .any(|(offset, _)| shape(self.reading, self.index + 1 + offset) == Some(Shape::Shell))
    }

    /// Whether the entry contains nested boxes, so that it groups them.
    fn holds_boxes(&self) -> bool {
        let end = self.node().span.end;
        let nodes = self.reading.outline.nodes[self.index + 1..].iter();
        let mut inside = nodes.take_while(|node| node.span.start < end);
        inside.any(|node| fields::item(self.reading.document, self.reading.outline, node).is_some())
    }

    fn columns(&self) -> usize {
        match &self.node().kind {
            NodeKind::Table { rows } => rows.first().map_or(0, |row| row.cells.len()),
            _ => 0,
        }
    }

    fn table(&self) -> Option<tables::Table<'_>> {
        tables::tables(self.reading.outline, self.index..self.index + 1).next()
    }

    fn names_files(&self) -> bool {
        let mut problems = Vec::new();
        let document = self.reading.document;
        if let Some(table) = self.table() {
            // A table without rows has no data.
            return table.is_empty() || !table.files(document, None, &mut problems).is_empty();
        }
        // The heading above may contain the action.
        let action = self
            .below_heading
            .then_some(super::super::plan::Action::Modify);
        let outline = self.reading.outline;
        !tables::files_in_entry(document, outline, self.node(), action.as_ref()).is_empty()
    }
}

const PAIRS: &str = "this is not read; write keys and values as a table of two columns, or as bullets such as `- **Name**: value`";
const BOXES: &str =
    "this is not read: an entry counts when it has a box, as in `- [ ] what must hold`";
const COMMANDS: &str = "this is not run; write the commands in a bash block";

fn pairs(form: &Form<'_, '_>) -> Option<&'static str> {
    let read = match form.shape {
        Shape::Table => form.columns() == 2,
        Shape::Entry => form.label().is_some(),
        _ => false,
    };
    (!read).then_some(PAIRS)
}

fn boxes(form: &Form<'_, '_>) -> Option<&'static str> {
    let part = form.node().in_list && !matches!(form.shape, Shape::Box | Shape::Entry);
    let read = form.shape == Shape::Box || form.shape == Shape::Entry && form.holds_boxes();
    (!read && !part).then_some(BOXES)
}

fn plan_advice(form: &Form<'_, '_>) -> Option<&'static str> {
    match form.section.kind {
        SectionKind::Overview | SectionKind::Summary => pairs(form),
        SectionKind::SuccessCriteria | SectionKind::Checklist => boxes(form),
        SectionKind::Prerequisites => prerequisite(form),
        SectionKind::Step => step(form),
        SectionKind::TestSummary => test_summary(form),
        SectionKind::Done => {
            let read = form.shape == Shape::Shell || form.holds_shell();
            (!read).then_some(COMMANDS)
        }
        SectionKind::Quarantine => {
            let read = form.shape == Shape::Table
                && form.table().is_some_and(|table| {
                    table.is_empty() || !table.quarantined(form.reading.document).is_empty()
                })
                || form.shape == Shape::Entry && form.is_nothing();
            (!read).then_some(
                "this is not read; write a table with the columns Test, Owner, Reason and Until",
            )
        }
        SectionKind::Files => {
            let listed = matches!(form.shape, Shape::Table | Shape::Entry | Shape::Box);
            let read = listed && (form.names_files() || form.is_nothing());
            (!read).then_some(
                "this is not read; write a table with the columns File, Action and Status, or bullets such as \
                 `- Create `src/x.rs``",
            )
        }
        SectionKind::Dependencies => {
            let read = match form.shape {
                Shape::Toml | Shape::Shell => true,
                Shape::Entry => {
                    form.is_nothing() || manifest_in(form.reading, form.node()).is_some()
                }
                _ => false,
            };
            (!read).then_some(
                "this is not read; write dependencies in a toml block below the path of their Cargo.toml",
            )
        }
        _ => None,
    }
}

fn prerequisite(form: &Form<'_, '_>) -> Option<&'static str> {
    if !form.below_heading {
        let message =
            "this is not read; write each prerequisite under a heading such as `### 2. title`";
        return (!form.is_nothing() || form.shape != Shape::Entry).then_some(message);
    }
    match form.shape {
        Shape::Shell | Shape::Entry => None,
        Shape::Box => {
            Some("a box of a prerequisite is not counted; its commands show that it is met")
        }
        Shape::Table | Shape::Html => Some("this table is not read; write lists or bash blocks"),
        Shape::Toml | Shape::Block | Shape::Indented => {
            let runs = matches!(form.label, Some(Label::Verification | Label::Commands));
            (runs || form.shape == Shape::Indented).then_some(COMMANDS)
        }
    }
}

fn step(form: &Form<'_, '_>) -> Option<&'static str> {
    const TASKS: &str = "this is not counted: a task has a box, as in `- [ ] what to do`";
    let read = match (form.shape, form.label) {
        (Shape::Entry | Shape::Table | Shape::Html, Some(Label::Tasks)) => return Some(TASKS),
        (Shape::Entry, Some(Label::Verification)) if !form.holds_shell() => {
            return Some(COMMANDS);
        }
        (Shape::Box | Shape::Entry | Shape::Shell, _) => true,
        (_, Some(Label::Verification)) => return Some(COMMANDS),
        (Shape::Toml | Shape::Block, _) => true,
        (_, label) => label.is_some_and(is_free_text),
    };
    (!read).then_some("this is not read; write tasks with boxes, and code between fences")
}

/// Whether a labelled part is text for people, in any form.
fn is_free_text(label: Label) -> bool {
    matches!(
        label,
        Label::Specification
            | Label::AcceptanceCriteria
            | Label::TradeOffs
            | Label::Deviation
            | Label::Implementation
            | Label::Issues
            | Label::LessonsLearned
            | Label::Result
            | Label::Review
            | Label::VerificationResults
            | Label::Other
    )
}

fn test_summary(form: &Form<'_, '_>) -> Option<&'static str> {
    let is_total = || {
        form.label().is_some_and(|label| {
            let words = vocabulary::words(&label.name);
            ["affected tests", "full suite"]
                .iter()
                .any(|total| words.starts_with(total))
        })
    };
    let read = match form.shape {
        Shape::Table => form.columns() >= 2,
        Shape::Entry => is_total(),
        _ => false,
    };
    (!read).then_some(
        "this is not read; write a table with the columns Test File, Tests and What It Covers",
    )
}

fn results_advice(form: &Form<'_, '_>) -> Option<&'static str> {
    match form.section.kind {
        SectionKind::Overview | SectionKind::Summary => pairs(form),
        SectionKind::SuccessCriteria => boxes(form),
        SectionKind::Prerequisites if form.shape == Shape::Entry && form.is_nothing() => None,
        SectionKind::Prerequisites => boxes(form),
        SectionKind::FinalValidation => {
            let read = match form.shape {
                Shape::Table => form
                    .table()
                    .is_some_and(|table| !table.numbers(form.reading.document).is_empty()),
                Shape::Indented | Shape::Html => false,
                _ => true,
            };
            (!read).then_some("this is not read; write names with their numbers of tests")
        }
        SectionKind::Step => result_step(form),
        _ => None,
    }
}

fn result_step(form: &Form<'_, '_>) -> Option<&'static str> {
    match (form.shape, form.label) {
        (Shape::Table | Shape::Entry, Some(Label::Tasks | Label::TasksCompleted)) => {
            Some("this is not counted: a task has a box, as in `- [x] what was done`")
        }
        (Shape::Table | Shape::Indented | Shape::Html, Some(Label::TestResults)) => {
            Some("this is not read; write the counts as text, as in `12/12 tests passing`")
        }
        (Shape::Table | Shape::Indented | Shape::Html, label)
            if !label.is_some_and(is_free_text) =>
        {
            Some("this is not read; put it below a label such as `**Implementation**:`")
        }
        _ => None,
    }
}
