//! What is claimed against what runs of ours have shown.

use super::{Rule, Subject};
use crate::document;
use crate::evidence::Scope;
use crate::finding::{Code, Finding};
use crate::status::{Shown, State, failed_since_done, shown};

pub(super) const RULES: &[Rule] = &[damaged, steps, whole, runs];

/// Evidence that does not count.
fn damaged(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for problem in &on.facts.evidence.problems {
        found.push(on.in_results_line(Code::DamagedEvidence, problem.line, &problem.message));
    }
}

/// Steps whose claim or evidence does not hold.
fn steps(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for (step, planned) in on.status.steps.iter().zip(&on.plan.steps) {
        let (code, verb) = match step.state {
            State::Claimed => (
                Code::Claimed,
                "is said to be done, and nothing has shown it",
            ),
            State::Failed => (Code::Failed, "failed"),
            State::Stale => (Code::Stale, "was proven and is stale"),
            _ => continue,
        };
        let why = step
            .why
            .as_ref()
            .map_or(String::new(), |why| format!(" ({why})"));
        let message = format!("step {} {verb}{why}", step.id);
        let help = format!(
            "run `cargo poc verify {} --step {}`",
            on.status.name, step.id
        );
        let mut finding = on.in_plan(code, &planned.heading, message).help(help);
        finding.column = 1;
        found.push(finding);
    }
}

/// Results that say `Complete` before everything is proven.
fn whole(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let claim = on.results.and_then(|results| results.status.as_ref());
    let Some(claim) = claim.filter(|claim| claim.status == Some(document::Status::Complete)) else {
        return;
    };
    if on.status.state != State::Proven {
        let message = format!(
            "the results say `{}`, and not everything is proven",
            claim.text
        );
        let help = format!("see `cargo poc status {}`", on.status.name);
        found.push(
            on.in_results(Code::Claimed, &claim.span, message)
                .help(help),
        );
    }
}

/// The last runs of the done block and of affected or all tests.
fn runs(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let evidence = on.facts.evidence;
    let line_of = |scope: &Scope| {
        let mut records = evidence.records.iter().rev();
        let of_scope = records.find(|located| located.record.scope == *scope);
        of_scope.map_or(1, |located| located.line)
    };
    for scope in failed_since_done(on.facts).into_iter().chain([Scope::Done]) {
        let regressed = evidence
            .last(&scope)
            .is_some_and(|record| !record.regressions.is_empty() || !record.vanished.is_empty());
        let (code, message) = match shown(on.poc, on.facts, &scope) {
            Shown::Failed(why) => (
                if regressed {
                    Code::Regression
                } else {
                    Code::Failed
                },
                format!("the last run of `{scope}` did not pass ({why})"),
            ),
            Shown::Stale(why) if scope == Scope::Done => (
                Code::Stale,
                format!("the done block was proven and is stale ({why})"),
            ),
            _ => continue,
        };
        found.push(on.in_results_line(code, line_of(&scope), message));
    }
}
