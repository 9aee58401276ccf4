//! From blocks to results.

use std::ops::Range;

use super::super::headings::StepHeading;
use super::super::outline::{NodeKind, Outline};
use super::super::results::{ResultStep, Review, StatusText, TestResults, Validation, Verdict};
use super::super::{
    Field, Footer, Label, ProblemKind, Results, Section, SectionKind, Status, counts, fields,
    tables, vocabulary,
};
use super::{Reading, items_outside, text_of};

pub(super) fn read(mut reading: Reading<'_>) -> Results {
    let summary = reading.pairs(&[SectionKind::Summary, SectionKind::Overview]);
    let status = Reading::value(&summary, &["status"]).map(|row| (row.value, row.value_span));
    let mut results = Results {
        title: reading.title(),
        status: status.map(|(text, span)| read_status(&mut reading, text, span)),
        started: reading.timestamp(&summary, &["started", "start", "start date"]),
        completed: reading.timestamp(&summary, &["completed", "finished", "completion date"]),
        reviewed: reading.timestamp(&summary, &["reviewed"]),
        proves: Reading::value(&summary, &["proves"]).map(|row| row.value),
        goal: goal(&reading),
        criteria: reading.items(SectionKind::SuccessCriteria),
        footer: footer(&reading),
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
            "the status `{text}` cannot be read; write Pending, In Progress, Complete or Blocked"
        );
        reading.problem(ProblemKind::UnreadableStatus, span.clone(), &message);
    }
    let line = reading.document.line_of(span.start);
    StatusText {
        status,
        text,
        span,
        line,
    }
}

fn goal(reading: &Reading<'_>) -> String {
    let bodies = reading.bodies(SectionKind::Goal).into_iter();
    let fields: Vec<Field> = bodies.flat_map(|(_, body)| reading.fields(body)).collect();
    fields.first().map(Field::text).unwrap_or_default()
}

/// The last line under the criteria that sums them up, bold or not.
fn footer(reading: &Reading<'_>) -> Option<Footer> {
    let mut found = None;
    for (_, body) in reading.bodies(SectionKind::SuccessCriteria) {
        for node in &reading.outline.nodes[body] {
            let pieces = match node.kind {
                NodeKind::Paragraph => node.pieces.clone(),
                // a line right under the list belongs to its last entry, for Markdown
                NodeKind::Item { .. } => after_first_line(reading.outline, node.pieces.clone()),
                _ => continue,
            };
            for line in fields::lines(reading.outline, pieces) {
                let text = reading.outline.plain(line.clone());
                let start = reading.outline.pieces[line.start].0.start;
                let end = reading.outline.pieces[line]
                    .iter()
                    .map(|(span, _)| span.end)
                    .max()
                    .unwrap_or(start);
                if let Some((met, counts)) = read_footer(&text) {
                    let line = reading.document.line_of(start);
                    found = Some(Footer {
                        text,
                        met,
                        counts,
                        span: start..end,
                        line,
                    });
                }
            }
        }
    }
    found
}

fn after_first_line(outline: &Outline<'_>, pieces: Range<usize>) -> Range<usize> {
    let first = fields::lines(outline, pieces.clone())
        .next()
        .map_or(pieces.end, |line| line.end + 1);
    first.min(pieces.end)..pieces.end
}

/// `ALL SUCCESS CRITERIA MET: YES ✅`, `COMPLETE (10/10 criteria met)`, `5 of 6 criteria met`, `Not all criteria met`.
fn read_footer(text: &str) -> Option<(Option<bool>, Option<(u64, u64)>)> {
    let words = vocabulary::words(text);
    let counts = counts::fraction(text);
    let names_criteria = words.contains("criteria");
    let has_verdict = words.split(' ').any(|word| {
        matches!(
            word,
            "met" | "complete" | "completed" | "yes" | "no" | "pending"
        )
    });
    if !(names_criteria && (has_verdict || counts.is_some())) {
        return None;
    }
    let denied = words.split(' ').any(|word| {
        matches!(
            word,
            "not"
                | "no"
                | "pending"
                | "incomplete"
                | "partial"
                | "partially"
                | "unmet"
                | "remaining"
        )
    }) || text.contains(['❌', '⬜', '⏳', '🔄']);
    let met = match counts {
        Some((met, total)) if met < total => Some(false),
        _ if denied => Some(false),
        _ if words.contains("all") || counts.is_some() || words.contains("complete") => Some(true),
        _ => None,
    };
    Some((met, counts))
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
    let field = |label: Label| fields.iter().find(|field| field.label == label);
    let status = field(Label::Status).map(|field| (field.value.clone(), field.value_span.clone()));
    let status = status.map(|(text, span)| read_status(reading, text, span));
    let started =
        field(Label::Started).map(|field| (field.value.clone(), field.value_span.clone()));
    let completed =
        field(Label::Completed).map(|field| (field.value.clone(), field.value_span.clone()));
    let withdrawn = heading.withdrawn
        || status
            .as_ref()
            .is_some_and(|status| status.status == Some(Status::Withdrawn));
    ResultStep {
        id: heading.id,
        title: heading.title,
        withdrawn,
        mark: heading.mark,
        status,
        expected: text_of(&fields, Label::Expected),
        implementation: text_of(&fields, Label::Implementation),
        test_results: test_results(&fields),
        issues: notes(&fields, Label::Issues),
        lessons: notes(&fields, Label::LessonsLearned),
        result: text_of(&fields, Label::Result),
        tasks: items_outside(&fields, Label::AcceptanceCriteria),
        review: review(reading, &fields),
        started: started.and_then(|(text, span)| reading.read_timestamp(&text, span)),
        completed: completed.and_then(|(text, span)| reading.read_timestamp(&text, span)),
        blocks: reading.blocks(body),
        fields,
        body: section.heading.end..section.span.end,
        heading: section.heading,
        line: section.line,
    }
}

/// The Test Results line; a step that calls it Tests, or Verification Results, is read too.
fn test_results(fields: &[Field]) -> Option<TestResults> {
    let labels = [Label::TestResults, Label::Tests, Label::VerificationResults];
    let field = labels
        .iter()
        .find_map(|label| fields.iter().find(|field| field.label == *label))?;
    let text = field.text();
    let outcome = match field.blocks.first() {
        Some(block) if text.is_empty() => counts::output(&block.code),
        _ => counts::outcome(&text),
    };
    Some(TestResults {
        text: text.replace('\n', " "),
        not_applicable: outcome.not_applicable,
        passed: outcome.passed,
        total: outcome.total,
        failed: outcome.failed,
        full_suite: outcome.full_suite,
        span: field.value_span.clone(),
        line: field.line,
    })
}

/// The entries of Issues or Lessons Learned; `None`, `None.`, `- None`, `N/A` and dashes are none.
fn notes(fields: &[Field], label: Label) -> Vec<String> {
    let texts = fields.iter().filter(|field| field.label == label);
    texts
        .flat_map(|field| {
            let boxes = field.items.iter().map(|item| &item.text);
            std::iter::once(&field.value)
                .chain(&field.entries)
                .chain(boxes)
        })
        .filter(|text| {
            !matches!(
                vocabulary::words(text).as_str(),
                "" | "none" | "n a" | "no issues" | "nothing"
            )
        })
        .cloned()
        .collect()
}

/// The verdict is the last PASS or FLAG in capitals in the Review block.
fn review(reading: &Reading<'_>, fields: &[Field]) -> Option<Review> {
    let field = fields.iter().find(|field| field.label == Label::Review)?;
    let end = fields
        .iter()
        .filter(|field| field.label == Label::Review)
        .map(|field| field.span.end)
        .max();
    let span = field.span.start..end.unwrap_or(field.span.end);
    let text = &reading.document.text()[span.clone()];
    let verdict = text
        .split(|character: char| !character.is_alphanumeric())
        .rev()
        .find_map(|word| match word {
            "PASS" | "PASSED" => Some(Verdict::Pass),
            "FLAG" | "FLAGGED" | "FAIL" => Some(Verdict::Flag),
            _ => None,
        });
    Some(Review {
        verdict,
        span,
        line: field.line,
    })
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
        for table in tables::tables(reading.outline, body.clone()) {
            for (name, count) in table.numbers() {
                if tables::is_total(&name) {
                    validation.total = validation.total.or(Some(count));
                } else {
                    validation.parts.push((name, count));
                }
            }
        }
        for field in &fields {
            let count = counts::total(&field.value);
            if let Some(count) = count.filter(|_| tables::is_total(&field.name)) {
                validation.total = validation.total.or(Some(count));
            }
        }
        for entry in fields.iter().flat_map(|field| &field.entries) {
            let Some((name, value)) = entry.split_once(": ") else {
                continue;
            };
            let Some(count) = counts::total(value) else {
                continue;
            };
            if tables::is_total(name) {
                validation.total = validation.total.or(Some(count));
            } else {
                validation.parts.push((name.to_owned(), count));
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
