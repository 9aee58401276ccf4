//! A readable summary of a parsed document.

use cargo_poc::internals::document::plan::{Action, Count, Plan};
use cargo_poc::internals::document::results::Results;
use cargo_poc::internals::document::{
    Block, Document, Field, HeadingMark, Item, ParseProblem, Placeholder, Region, Section, Span,
    Timestamp,
};
use serde_json::{Value, json};

pub(crate) fn plan(document: &Document, plan: &Plan) -> Value {
    json!({
        "title": plan.title,
        "results_link": plan.results_link,
        "overview": plan.overview.iter().map(|row| format!("{}: {}", row.key, row.value)).collect::<Vec<_>>(),
        "name": plan.name,
        "type": plan.kind,
        "proves": plan.proves,
        "created": plan.created.as_ref().map(timestamp),
        "base": plan.base,
        "packages": plan.packages,
        "prerequisites": plan.prerequisites.iter().map(|prerequisite| json!({
            "number": prerequisite.number,
            "title": prerequisite.title,
            "commands": blocks(&prerequisite.commands),
            "verification": blocks(&prerequisite.verification),
            "line": prerequisite.line,
        })).collect::<Vec<_>>(),
        "baseline": blocks(&plan.baseline),
        "criteria": items(document, &plan.criteria),
        "steps": plan.steps.iter().map(|step| json!({
            "id": step.id.as_str(),
            "title": step.title,
            "withdrawn": step.withdrawn,
            "mark": step.mark.as_ref().map(|value| mark(document, value)),
            "goal": step.goal,
            "tasks": items(document, &step.tasks),
            "code": blocks(&step.code),
            "tests": blocks(&step.tests),
            "verification": blocks(&step.verification),
            "output": step.output,
            "fields": fields(document, &step.fields),
            "line": step.line,
            "last_line": document.line_of(document.text()[..step.body.end].trim_end().len()),
        })).collect::<Vec<_>>(),
        "tests": plan.tests.iter().map(|row| format!("{} | {} | {}", row.target, count(row.count), row.covers)).collect::<Vec<_>>(),
        "affected_total": count(plan.affected_total),
        "full_suite": count(plan.full_suite),
        "checklist": items(document, &plan.checklist),
        "done": blocks(&plan.done),
        "files": plan.files.iter().map(|row| {
            let action = match &row.action {
                Action::Rename(to) => format!("Rename to {to}"),
                Action::Unknown(text) => format!("Unknown {text:?}"),
                action => format!("{action:?}"),
            };
            format!("{}: {} | {action} | {:?}", row.line, row.path, raw(document, &row.note_span))
        }).collect::<Vec<_>>(),
        "dependencies": plan.dependencies.iter().map(|part| json!({
            "manifest": part.manifest,
            "toml": part.block.code,
            "line": part.block.line,
        })).collect::<Vec<_>>(),
        "sections": sections(document, &plan.sections),
        "regions": regions(document, &plan.regions),
        "placeholders": placeholders(&plan.placeholders),
        "problems": problems(&plan.problems),
    })
}

pub(crate) fn results(document: &Document, results: &Results) -> Value {
    json!({
        "title": results.title,
        "summary": results.summary.iter().map(|row| format!("{}: {}", row.key, row.value)).collect::<Vec<_>>(),
        "status": results.status.as_ref().map(|status| format!("{:?} ({})", status.status, raw(document, &status.span))),
        "started": results.started.as_ref().map(timestamp),
        "completed": results.completed.as_ref().map(timestamp),
        "reviewed": results.reviewed.as_ref().map(timestamp),
        "proves": results.proves,
        "goal": results.goal,
        "criteria": items(document, &results.criteria),
        "footer": results.footer.as_ref().map(|footer| json!({
            "text": footer.text, "met": footer.met, "counts": footer.counts, "line": footer.line,
        })),
        "prerequisites": items(document, &results.prerequisites),
        "steps": results.steps.iter().map(|step| json!({
            "id": step.id.as_str(),
            "title": step.title,
            "withdrawn": step.withdrawn,
            "mark": step.mark.as_ref().map(|value| mark(document, value)),
            "status": step.status.as_ref().map(|status| format!("{:?} ({})", status.status, raw(document, &status.span))),
            "expected": step.expected,
            "implementation": step.implementation,
            "tests": step.test_results.as_ref().map(|tests| json!({
                "text": tests.text,
                "not_applicable": tests.not_applicable,
                "passed": tests.passed,
                "total": tests.total,
                "failed": tests.failed,
                "full_suite": tests.full_suite,
            })),
            "issues": step.issues,
            "lessons": step.lessons,
            "result": step.result,
            "tasks": items(document, &step.tasks),
            "review": step.review.as_ref().map(|review| format!("{:?}", review.verdict)),
            "started": step.started.as_ref().map(timestamp),
            "completed": step.completed.as_ref().map(timestamp),
            "blocks": blocks(&step.blocks),
            "fields": fields(document, &step.fields),
            "line": step.line,
        })).collect::<Vec<_>>(),
        "validation": {
            "total": count(results.validation.total()),
            "parts": results.validation.parts.iter().map(|(name, value)| format!("{name}: {}", count(Some(*value)))).collect::<Vec<_>>(),
            "items": items(document, &results.validation.items),
            "blocks": blocks(&results.validation.blocks),
            "line": results.validation.line,
        },
        "sections": sections(document, &results.sections),
        "regions": regions(document, &results.regions),
        "placeholders": placeholders(&results.placeholders),
        "problems": problems(&results.problems),
    })
}

fn raw<'d>(document: &'d Document, span: &Span) -> &'d str {
    &document.text()[span.clone()]
}

fn timestamp(timestamp: &Timestamp) -> String {
    format!("{} = {:?}", timestamp.text, timestamp.moment)
}

fn count(count: Option<Count>) -> String {
    match count {
        None => "unknown".to_owned(),
        Some(Count {
            value,
            approximate: true,
        }) => format!("~{value}"),
        Some(Count {
            value,
            approximate: false,
        }) => value.to_string(),
    }
}

fn mark(document: &Document, mark: &HeadingMark) -> String {
    format!("{:?} ({})", mark.status, raw(document, &mark.span))
}

/// `line: [mark] text`, indented by depth, with the detail behind an arrow.
fn items(document: &Document, items: &[Item]) -> Vec<String> {
    let item = |item: &Item| {
        let indent = "  ".repeat(item.depth);
        let detail = if item.detail.is_empty() {
            String::new()
        } else {
            format!(" -> {}", item.detail)
        };
        let tick = if item.checked { "ticked" } else { "open" };
        format!(
            "{indent}{}: [{}] {tick} {}{detail}",
            item.line,
            raw(document, &item.mark),
            item.text
        )
    };
    items.iter().map(item).collect()
}

fn blocks(blocks: &[Block]) -> Vec<String> {
    blocks
        .iter()
        .map(|block| format!("{}: {} {}", block.line, block.lang, block.code))
        .collect()
}

/// `line: Kind name note = raw value`, then the content after the value.
fn fields(document: &Document, fields: &[Field]) -> Vec<String> {
    let field = |field: &Field| {
        let note = if field.note.is_empty() {
            String::new()
        } else {
            format!(" {}", field.note)
        };
        let value = std::iter::once(raw(document, &field.value_span));
        let entries: Vec<_> = value
            .chain(field.entries.iter().map(String::as_str))
            .collect();
        let name = &field.name;
        format!(
            "{}: {:?} {name}{note} = {}",
            field.line,
            field.label,
            entries.join(" + ")
        )
    };
    fields.iter().map(field).collect()
}

fn sections(document: &Document, sections: &[Section]) -> Vec<String> {
    let section = |section: &Section| {
        let last = document.line_of(document.text()[..section.span.end].trim_end().len());
        format!(
            "{}-{last}: {:?} {} {}",
            section.line,
            section.kind,
            "#".repeat(section.level.into()),
            section.title
        )
    };
    sections.iter().map(section).collect()
}

fn regions(document: &Document, regions: &[Region]) -> Vec<String> {
    regions
        .iter()
        .map(|region| {
            format!(
                "{}: {} = {}",
                region.line,
                region.name,
                raw(document, &region.inner)
            )
        })
        .collect()
}

fn placeholders(placeholders: &[Placeholder]) -> Vec<String> {
    placeholders
        .iter()
        .map(|placeholder| format!("{}: {}", placeholder.line, placeholder.text))
        .collect()
}

fn problems(problems: &[ParseProblem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            format!(
                "{}:{}: {:?} {}",
                problem.line, problem.column, problem.kind, problem.message
            )
        })
        .collect()
}
