//! Converts blocks to results.

use std::ops::Range;

use super::super::parts::{Field, Label, ProblemKind, Section, SectionKind, Status};
use super::super::plan::Count;
use super::super::results::Results;
use super::super::results::{ResultStep, StatusText, Validation};
use super::super::step_heading::StepHeading;
use super::super::time::Timestamp;
use super::super::{counts, fields, tables, vocabulary};
use super::reading::{Reading, items_outside, text_of};
use super::{footer, outcome, unread};

pub(super) fn read(mut reading: Reading<'_>) -> Results {
    let summary = reading.pairs(&[SectionKind::Summary, SectionKind::Overview]);
    let status = Reading::value(&summary, &["status"]).map(|row| (row.value, row.value_span));
    reading.duplicate_rows(&summary);
    let criteria = reading.criteria();
    reading.duplicate_criteria(&criteria);
    unread::in_results(&mut reading);
    let mut results = Results {
        title: reading.title(),
        status: status.map(|(text, span)| read_status(&mut reading, text, span)),
        started: reading.timestamp(&summary, &["started", "start", "start date"]),
        completed: reading.timestamp(&summary, &["completed", "finished", "completion date"]),
        reviewed: reading.timestamp(&summary, &["reviewed"]),
        proves: Reading::value(&summary, &["proves"]).map(|row| row.value),
        goal: goal(&reading),
        criteria,
        footer: footer::read(&reading),
        prerequisites: reading.items(SectionKind::Prerequisites),
        steps: steps(&mut reading),
        validation: validation(&reading),
        summary,
        ..Results::default()
    };
    (
        results.sections,
        results.regions,
        results.placeholders,
        results.problems,
    ) = reading.finish();
    results
}

fn read_status(reading: &mut Reading<'_>, text: String, span: Range<usize>) -> StatusText {
    let status = vocabulary::status(&text);
    if status.is_none() && !text.is_empty() && !text.starts_with('[') {
        let message = format!(
            "the status `{text}` is unknown; write Pending, In Progress, Complete or Blocked"
        );
        reading.problem(ProblemKind::UnreadableStatus, span.clone(), &message);
    }
    let line = reading.document.line_of(span.start);
    let stamp = text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(inner, _)| Timestamp::read(inner))
        .filter(|stamp| stamp.moment.is_some());
    StatusText {
        status,
        text,
        stamp,
        span,
        line,
    }
}

fn goal(reading: &Reading<'_>) -> String {
    let bodies = reading.bodies(SectionKind::Goal).into_iter();
    let fields: Vec<Field> = bodies.flat_map(|(_, body)| reading.fields(body)).collect();
    fields.first().map(Field::text).unwrap_or_default()
}

fn steps(reading: &mut Reading<'_>) -> Vec<ResultStep> {
    let steps = reading.steps();
    steps
        .into_iter()
        .map(|(heading, section, body)| step(reading, heading, section, body))
        .collect()
}

fn step(
    reading: &mut Reading<'_>,
    heading: StepHeading,
    section: Section,
    body: Range<usize>,
) -> ResultStep {
    let fields = reading.fields(body.clone());
    let value = |label: Label| {
        let field = fields.iter().find(|field| field.label == label)?;
        Some((field.value.clone(), field.value_span.clone()))
    };
    let status = value(Label::Status).map(|(text, span)| read_status(reading, text, span));
    let mut date = |label: Label| {
        let (text, span) = value(label)?;
        reading.read_timestamp(&text, span)
    };
    let (started, completed, reviewed) = (
        date(Label::Started),
        date(Label::Completed),
        date(Label::Reviewed),
    );
    let stamp = |wanted: fn(Status) -> bool| {
        let status = status.as_ref()?;
        status
            .stamp
            .clone()
            .filter(|_| status.status.is_some_and(wanted))
    };
    ResultStep {
        id: heading.id,
        title: heading.title,
        withdrawn: heading.withdrawn
            || status
                .as_ref()
                .is_some_and(|status| status.status == Some(Status::Withdrawn)),
        mark: heading.mark,
        expected: text_of(&fields, Label::Expected),
        implementation: text_of(&fields, Label::Implementation),
        test_results: outcome::test_results(&fields),
        issues: outcome::notes(&fields, Label::Issues),
        lessons: outcome::notes(&fields, Label::LessonsLearned),
        result: text_of(&fields, Label::Result),
        tasks: items_outside(&fields, Label::AcceptanceCriteria),
        review: outcome::review(reading.document, &fields),
        started: started.or_else(|| stamp(|status| status == Status::InProgress)),
        completed: completed.or_else(|| stamp(|status| status == Status::Complete)),
        reviewed,
        status,
        blocks: reading.blocks(body),
        fields,
        body: section.heading.end..section.span.end,
        heading: section.heading,
        line: section.line,
    }
}

fn validation(reading: &Reading<'_>) -> Validation {
    let mut validation = Validation::default();
    for (section, body) in reading.bodies(SectionKind::FinalValidation) {
        validation.line = if validation.line == 0 {
            section.line
        } else {
            validation.line
        };
        let fields = reading.fields(body.clone());
        let mut add = |name: &str, count: Count, line: usize| {
            if tables::is_total(name) {
                validation.totals.push((count, line));
            } else {
                validation.parts.push((name.to_owned(), count));
            }
        };
        for table in tables::tables(reading.outline, body.clone()) {
            for (name, count, line) in table.numbers(reading.document) {
                add(&name, count, line);
            }
        }
        for field in &fields {
            let count = counts::total(&field.value);
            if let Some(count) = count.filter(|_| tables::is_total(&field.name)) {
                add(&field.name, count, field.line);
            }
        }
        for (field, entry) in fields
            .iter()
            .flat_map(|field| field.entries.iter().map(move |entry| (field, entry)))
        {
            if let Some((name, value)) = entry.split_once(": ")
                && let Some(count) = counts::total(value)
            {
                add(name, count, field.line);
            }
        }
        validation.items.extend(fields::items(
            reading.document,
            reading.outline,
            body.clone(),
        ));
        validation.blocks.extend(reading.blocks(body));
        validation.fields.extend(fields);
    }
    validation
}
