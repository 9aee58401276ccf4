//! The intermediate form between blocks and a plan or results.

use std::collections::HashMap;
use std::ops::Range;

use super::super::headings::Headings;
use super::super::outline::{Node, NodeKind, Outline, Piece};
use super::super::parts::{
    Block, Field, Item, Label, ParseProblem, Placeholder, ProblemKind, Region, Row, Section,
    SectionKind,
};
use super::super::step_heading::StepHeading;
use super::super::text::Document;
use super::super::time::Timestamp;
use super::super::{fields, hazards, label, normalize, placeholders, tables, vocabulary};

/// The intermediate form between blocks and a plan or results.
pub(super) struct Reading<'d> {
    pub(super) document: &'d Document,
    pub(super) outline: &'d Outline<'d>,
    pub(super) headings: Headings,
    pub(super) regions: Vec<Region>,
    pub(super) placeholders: Vec<Placeholder>,
    pub(super) problems: Vec<ParseProblem>,
}

impl<'d> Reading<'d> {
    pub(super) fn new(document: &'d Document, outline: &'d mut Outline<'d>) -> Self {
        let normalized = normalize::normalize(outline);
        let mut problems: Vec<_> = normalized
            .into_iter()
            .map(|(kind, span)| document.problem(kind, span, normalized_message(kind)))
            .collect();
        let headings = Headings::read(document, outline, &mut problems);
        hazards::conflicts(document, outline.source, &mut problems);
        hazards::fences(document, outline, &mut problems);
        let regions = hazards::regions(document, outline, &mut problems);
        let placeholders = placeholders::read(document, outline);
        let mut reading = Self {
            document,
            outline,
            headings,
            regions,
            placeholders,
            problems,
        };
        if reading.headings.steps.is_empty() {
            reading.problem(
                ProblemKind::NoSteps,
                0..0,
                "no step found; a step is a heading such as `### Step 1: title`",
            );
        }
        reading
    }

    pub(super) fn problem(&mut self, kind: ProblemKind, span: Range<usize>, message: &str) {
        self.problems
            .push(self.document.problem(kind, span, message));
    }

    /// The first heading, if it is of level 1 or belongs to no known section.
    pub(super) fn title(&self) -> String {
        self.headings
            .sections
            .iter()
            .find(|section| section.kind == SectionKind::Title)
            .or_else(|| {
                self.headings
                    .sections
                    .first()
                    .filter(|section| section.kind == SectionKind::Other)
            })
            .map(|section| section.title.clone())
            .unwrap_or_default()
    }

    /// The sections of a kind with their blocks.
    pub(super) fn bodies(&self, kind: SectionKind) -> Vec<(Section, Range<usize>)> {
        self.headings
            .bodies_of(kind)
            .map(|(section, body)| (section.clone(), body))
            .collect()
    }

    /// The steps with their sections and blocks.
    pub(super) fn steps(&self) -> Vec<(StepHeading, Section, Range<usize>)> {
        self.headings
            .steps
            .iter()
            .map(|(index, step)| {
                (
                    step.clone(),
                    self.headings.sections[*index].clone(),
                    self.headings.bodies[*index].clone(),
                )
            })
            .collect()
    }

    pub(super) fn fields(&self, nodes: Range<usize>) -> Vec<Field> {
        fields::read(self.document, self.outline, nodes)
    }

    pub(super) fn items(&self, kind: SectionKind) -> Vec<Item> {
        self.headings
            .bodies_of(kind)
            .flat_map(|(_, body)| fields::items(self.document, self.outline, body))
            .collect()
    }

    /// The boxes under Success Criteria; a nested box is part of its parent's detail.
    pub(super) fn criteria(&self) -> Vec<Item> {
        let mut items = self.items(SectionKind::SuccessCriteria);
        let mut end = 0;
        items.retain(|item| {
            let outer = item.span.start >= end;
            end = if outer { item.span.end } else { end };
            outer
        });
        items
    }

    pub(super) fn blocks(&self, nodes: Range<usize>) -> Vec<Block> {
        fields::blocks(self.document, self.outline, nodes)
    }

    /// Keys and values of a section, from its tables or from bullets such as `- **Name**: value`; without such a section, from the text
    /// before the first one.
    pub(super) fn pairs(&self, kinds: &[SectionKind]) -> Vec<Row> {
        let mut bodies: Vec<_> = kinds
            .iter()
            .map(|kind| {
                self.headings
                    .bodies_of(*kind)
                    .map(|(_, body)| body)
                    .collect::<Vec<_>>()
            })
            .find(|bodies| !bodies.is_empty())
            .unwrap_or_default();
        if bodies.is_empty() {
            bodies.push(self.headings.preamble(self.outline));
        }
        let mut rows = Vec::new();
        for body in bodies {
            let own = self.own(body);
            rows.extend(
                tables::tables(self.outline, own.clone())
                    .flat_map(|table| table.pairs(self.document)),
            );
            for field in self.labels(own) {
                rows.push(Row {
                    key_span: field.span.start..field.value_span.start,
                    key: field.name,
                    value: field.value,
                    value_span: field.value_span,
                    line: field.line,
                });
            }
        }
        rows
    }

    /// Every label of some blocks, known or unknown.
    pub(super) fn labels(&self, nodes: Range<usize>) -> Vec<Field> {
        let mut found = Vec::new();
        for node in &self.outline.nodes[nodes] {
            if !matches!(node.kind, NodeKind::Paragraph | NodeKind::Item { .. }) {
                continue;
            }
            for line in fields::lines(self.outline, node.pieces.clone()) {
                let start = self.outline.pieces[line.start].0.start;
                if let Some(label) = label::read(self.outline, line)
                    && !label.name.is_empty()
                {
                    found.push(Field {
                        label: label.label,
                        name: label.name,
                        note: label.note,
                        value: label.value,
                        value_span: label.value_span,
                        ..fields::unnamed(self.document, start)
                    });
                }
            }
        }
        found
    }

    /// The blocks of a section up to its first sub-heading.
    pub(super) fn own(&self, nodes: Range<usize>) -> Range<usize> {
        let length = self.outline.nodes[nodes.clone()]
            .iter()
            .position(|node| matches!(node.kind, NodeKind::Heading(_)))
            .unwrap_or(nodes.len());
        nodes.start..nodes.start + length
    }

    /// The value of a row by the first words of its key; `None` if it is missing, empty or a dash.
    pub(super) fn value(rows: &[Row], keys: &[&str]) -> Option<Row> {
        let row = keys
            .iter()
            .find_map(|key| rows.iter().find(|row| vocabulary::words(&row.key) == *key))?;
        let empty = row.value.is_empty() || matches!(row.value.as_str(), "--" | "—" | "-" | "–");
        (!empty).then(|| row.clone())
    }

    /// Reports duplicate keys of an Overview or Summary; the first one counts.
    pub(super) fn duplicate_rows(&mut self, rows: &[Row]) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for row in rows {
            let key = vocabulary::words(&row.key);
            match first.get(&key) {
                _ if key.is_empty() => {}
                None => drop(first.insert(key, row.line)),
                Some(line) => {
                    let message = format!(
                        "`{}` occurs twice; the first one on line {line} counts, remove one of them",
                        row.key
                    );
                    self.problem(ProblemKind::DuplicateRow, row.key_span.clone(), &message);
                }
            }
        }
    }

    /// Reports duplicate criteria, without those that contain a placeholder.
    pub(super) fn duplicate_criteria(&mut self, criteria: &[Item]) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for item in criteria {
            let text = item.text.to_lowercase();
            match first.get(&text) {
                _ if text.is_empty() || item.text.starts_with('[') => {}
                None => drop(first.insert(text, item.line)),
                Some(line) => {
                    let message = format!(
                        "this criterion is also on line {line}; remove one of them, or describe the difference"
                    );
                    let end = item.span.start + self.first_line(item).len();
                    self.problem(
                        ProblemKind::DuplicateCriterion,
                        item.span.start..end,
                        &message,
                    );
                }
            }
        }
    }

    fn first_line(&self, item: &Item) -> &'d str {
        let text = self
            .document
            .text()
            .get(item.span.clone())
            .unwrap_or_default();
        text.lines().next().unwrap_or_default()
    }

    /// Parses the date of a row and reports an invalid one.
    pub(super) fn timestamp(&mut self, rows: &[Row], keys: &[&str]) -> Option<Timestamp> {
        let row = Self::value(rows, keys)?;
        self.read_timestamp(&row.value, row.value_span)
    }

    pub(super) fn read_timestamp(&mut self, text: &str, span: Range<usize>) -> Option<Timestamp> {
        let timestamp = Timestamp::read(text)?;
        if timestamp.moment.is_none() {
            let message =
                format!("`{text}` is not a valid date; write 2026-01-31 or 2026-01-31T10:20:30Z");
            self.problem(ProblemKind::UnreadableTimestamp, span, &message);
        }
        Some(timestamp)
    }

    pub(super) fn finish(
        mut self,
    ) -> (
        Vec<Section>,
        Vec<Region>,
        Vec<Placeholder>,
        Vec<ParseProblem>,
    ) {
        self.document.sort(&mut self.problems);
        (
            self.headings.sections,
            self.regions,
            self.placeholders,
            self.problems,
        )
    }
}

pub(super) fn normalized_message(kind: ProblemKind) -> &'static str {
    if kind == ProblemKind::BrokenTable {
        "a table whose header and delimiter row differ is shown as text; give both the same number of cells"
    } else {
        "this row has more cells than the header, so the rest is not shown; write a bar inside a cell as `\\|`"
    }
}

/// The boxes of all fields except those of a kind.
pub(super) fn items_outside(fields: &[Field], label: Label) -> Vec<Item> {
    fields
        .iter()
        .filter(|field| field.label != label)
        .flat_map(|field| field.items.clone())
        .collect()
}

/// The text of the first field of a kind: its value and its entries, one per line.
pub(super) fn text_of(fields: &[Field], label: Label) -> String {
    fields
        .iter()
        .find(|field| field.label == label)
        .map(Field::text)
        .unwrap_or_default()
}

/// The blocks of the fields that match a predicate.
pub(super) fn blocks_of(fields: &[Field], pick: impl Fn(Label) -> bool) -> Vec<Block> {
    fields
        .iter()
        .filter(|field| pick(field.label))
        .flat_map(|field| field.blocks.clone())
        .collect()
}

/// A path in code that ends in `Cargo.toml`.
pub(super) fn manifest_in(reading: &Reading<'_>, node: &Node) -> Option<String> {
    let pieces: Range<usize> = node.pieces.clone();
    reading.outline.pieces[pieces]
        .iter()
        .rev()
        .find_map(|(_, piece)| match piece {
            Piece::Code(code) if is_manifest(code.trim()) => Some(code.trim().to_owned()),
            _ => None,
        })
}

/// Whether a path ends in `Cargo.toml`.
pub(super) fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml") || path.ends_with("\\Cargo.toml")
}
