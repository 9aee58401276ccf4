//! What a plan promised against what it promises now, and what waits for a person.

use super::{Rule, Subject};
use crate::contract::{Difference, Kind};
use crate::document::SectionKind;
use crate::finding::{Code, Finding};
use crate::status::State;

pub(super) const RULES: &[Rule] = &[to_confirm, damaged, changes, overrides];

/// Tests of one kind that are named; `amend` names all.
const NAMED: usize = 4;

/// The first run whose output a person has to look at.
fn to_confirm(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some((scope, id)) = &on.status.runs.unconfirmed else {
        return;
    };
    let mut records = on.facts.evidence.records.iter().rev();
    let record = records.find(|located| located.record.scope == *scope);
    let line = record.map_or(1, |located| located.line);
    let message = format!("what {id} did is for a person to judge");
    let help = format!(
        "look at it, then run `cargo poc verify {} --confirm {id}`",
        on.status.name
    );
    found.push(
        on.in_results_line(Code::Unconfirmed, line, message)
            .help(help),
    );
}

/// Entries that do not count.
fn damaged(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for problem in &on.facts.contract.problems {
        found.push(on.in_results_line(Code::DamagedContract, problem.line, &problem.message));
    }
}

/// What is promised now against what was agreed on.
fn changes(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let changes = &on.facts.contract.changes;
    let (tests, others): (Vec<&Difference>, Vec<&Difference>) =
        changes.iter().partition(|change| change.what == "test");
    for change in others {
        let code = if change.how.weakens() {
            Code::Weakened
        } else if change.how.extends() {
            Code::Extended
        } else {
            Code::Changed
        };
        found.push(at_change(on, code, change, change.to_string()));
    }
    let mut hows: Vec<_> = tests.iter().map(|test| test.how).collect();
    hows.sort_unstable();
    hows.dedup();
    for how in hows {
        let gone = tests.iter().filter(|test| test.how == how);
        let names: Vec<&str> = gone.filter_map(|test| test.was.as_deref()).collect();
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = names[..names.len().min(NAMED)].join(", ");
        let what = if names.len() == 1 { "test" } else { "tests" };
        let message = format!("{what} {how}: {shown}{more}");
        found.push(at_change(on, Code::Weakened, tests[0], message));
    }
}

/// A finding where the plan says what changed, or would.
fn at_change(on: &Subject<'_>, code: Code, change: &Difference, message: String) -> Finding {
    let is = change.is.as_deref();
    let criterion = on
        .plan
        .criteria
        .iter()
        .find(|item| Some(item.text.as_str()) == is);
    let kind = match change.what.as_str() {
        "criterion" => SectionKind::SuccessCriteria,
        what if what.ends_with("done") => SectionKind::Done,
        "test" => SectionKind::TestSummary,
        _ => SectionKind::Steps,
    };
    let section = on.plan.sections.iter().find(|section| section.kind == kind);
    let id = change.what.rsplit_once("step ").map(|(_, id)| id);
    let step = on
        .plan
        .steps
        .iter()
        .find(|step| Some(step.id.as_str()) == id);
    let span = criterion
        .map(|item| &item.span)
        .or(step.map(|step| &step.heading))
        .or(section.map(|section| &section.heading));
    let finding = match span {
        Some(span) => on.in_plan(code, span, message),
        None => on.in_plan_line(code, 1, message),
    };
    let name = &on.status.name;
    finding.about(change.to_string()).help(format!(
        "restore it, or say why: `cargo poc amend {name} --reason \"…\"`"
    ))
}

/// Steps that were called done without proof, and still have none.
fn overrides(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let entries = on.facts.contract.entries.iter();
    for located in entries.filter(|located| located.entry.kind == Kind::Override) {
        let id = located.entry.step.as_deref().unwrap_or_default();
        let mut steps = on.status.steps.iter();
        if steps.any(|step| step.id == id && step.state == State::Proven) {
            continue;
        }
        let reason = located.entry.reason.as_deref().unwrap_or_default();
        let by = located.entry.by.as_deref().unwrap_or("nobody known");
        let message = format!("step {id} was called done without proof by {by}: {reason}");
        let help = format!("run `cargo poc verify {} --step {id}`", on.status.name);
        found.push(
            on.in_results_line(Code::Overridden, located.line, message)
                .about(id)
                .help(help),
        );
    }
}
