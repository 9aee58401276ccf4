//! What is claimed against what runs of ours have shown.

use super::{Rule, Subject};
use crate::document;
use crate::evidence::Scope;
use crate::finding::{Code, Finding};
use crate::status::{EvidenceState, State, evidence_state};

pub(super) const RULES: &[Rule] = &[damaged, steps, whole, runs, dirty];

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
            State::Stale if step.evidence == EvidenceState::OtherCommands => {
                (Code::OtherCommands, "was proven and is stale")
            }
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
    let failed = on.status.runs.failed_since_done.clone();
    for scope in failed.into_iter().chain([Scope::Done]) {
        let regressed = evidence
            .last(&scope)
            .is_some_and(|record| !record.regressions.is_empty() || !record.missing.is_empty());
        let (code, message) = match evidence_state(on.poc, on.facts, &scope) {
            EvidenceState::Failed(why) => (
                if regressed {
                    Code::Regression
                } else {
                    Code::Failed
                },
                format!("the last run of `{scope}` did not pass ({why})"),
            ),
            EvidenceState::Stale(why) if scope == Scope::Done => (
                Code::Stale,
                format!("the done block was proven and is stale ({why})"),
            ),
            EvidenceState::OtherCommands if scope == Scope::Done => (
                Code::OtherCommands,
                "the done block has other commands than those that were run".to_owned(),
            ),
            _ => continue,
        };
        found.push(on.in_results_line(code, line_of(&scope), message));
    }
}

/// Complete as a whole, and proven by a run on sources that no commit holds: nobody else can repeat it.
fn dirty(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if !on.is_said_complete() {
        return;
    }
    let steps = on.live_steps().map(|step| Scope::Step(step.id.to_string()));
    for scope in steps.chain([Scope::Done]) {
        let records = on.facts.evidence.records.iter();
        let last = records
            .filter(|located| located.record.scope == scope)
            .max_by_key(|located| located.record.moment());
        let Some(last) = last.filter(|last| last.record.source.dirty == Some(true)) else {
            continue;
        };
        let message = format!("`{scope}` was last verified on sources that are in no commit");
        let help = "commit, then verify again";
        let finding = on.in_results_line(Code::DirtyEvidence, last.line, message);
        found.push(finding.help(help));
    }
}
