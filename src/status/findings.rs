//! Every disagreement that a status rests on.

use super::{Facts, Shown, State, Status, shown};
use crate::document;
use crate::evidence::{Record, Scope};
use crate::finding::{Code, Finding};
use crate::project::Poc;

/// The findings by file, line and code.
pub(super) fn findings(poc: &Poc, status: &Status, facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |code, path: &str, line, column, message: String| {
        findings.push(Finding {
            code,
            path: path.to_owned(),
            line,
            column,
            message,
        });
    };
    let results_path = facts.workspace.slashed(&poc.paths.results);
    let results = poc.results.as_ref().map(|(_, results)| results);
    let plan_problems = poc
        .plan
        .problems
        .iter()
        .map(|problem| (&status.plan, problem));
    // What is recorded of no step yet is no fault of the results.
    let results_problems = results
        .iter()
        .flat_map(|results| &results.problems)
        .map(|problem| (&results_path, problem));
    for (path, problem) in plan_problems.chain(results_problems) {
        let code = match problem.kind.severity() {
            document::Severity::Warning => Code::Unclear,
            document::Severity::Error => Code::Unreliable,
        };
        add(
            code,
            path,
            problem.line,
            problem.column,
            problem.message.clone(),
        );
    }
    if results.is_none() {
        let message = format!(
            "there is no {results_path}; restore it from git, or start again with another name"
        );
        add(Code::NoResults, &status.plan, 1, 1, message);
    }
    for problem in &facts.evidence.problems {
        add(
            Code::DamagedEvidence,
            &results_path,
            problem.line,
            1,
            problem.message.clone(),
        );
    }
    for step in &status.steps {
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
        let message = format!(
            "step {} {verb}{why}; run `cargo poc verify {} --step {}`",
            step.id, status.name, step.id
        );
        add(code, &status.plan, step.line, 1, message);
    }
    let complete = results.and_then(|results| results.status.as_ref());
    if let Some(text) = complete.filter(|text| text.status == Some(document::Status::Complete)) {
        if status.state != State::Proven {
            let message = format!(
                "the results say `{}`, and not everything is proven; see `cargo poc status {}`",
                text.text, status.name
            );
            add(Code::Claimed, &results_path, text.line, 1, message);
        }
    }
    let line_of = |scope: &Scope| {
        let records = facts.evidence.records.iter().rev();
        let mut of_scope = records.filter(|located| located.record.scope == *scope);
        of_scope.next().map_or(1, |located| located.line)
    };
    let scopes = failed_since_done(facts).into_iter().chain([Scope::Done]);
    for scope in scopes {
        let regressed = facts
            .evidence
            .last(&scope)
            .is_some_and(|record| !record.regressions.is_empty() || !record.vanished.is_empty());
        let (code, message) = match shown(poc, facts, &scope) {
            Shown::Failed(why) if regressed => (
                Code::Regression,
                format!("the last run of `{scope}` did not pass ({why})"),
            ),
            Shown::Failed(why) => (
                Code::Failed,
                format!("the last run of `{scope}` did not pass ({why})"),
            ),
            Shown::Stale(why) if scope == Scope::Done => (
                Code::Stale,
                format!("the done block was proven and is stale ({why})"),
            ),
            _ => continue,
        };
        add(code, &results_path, line_of(&scope), 1, message);
    }
    if let Err(error) = &facts.dependencies {
        add(Code::Dependencies, &status.plan, 1, 1, error.clone());
    }
    if let Err(error) = &facts.change {
        add(Code::UnknownChange, &status.plan, 1, 1, error.clone());
    }
    findings.sort_by(|left, right| {
        (&left.path, left.line, left.code).cmp(&(&right.path, right.line, right.code))
    });
    findings
}

/// The scope of the last run of affected or all tests, where it failed and the done block has not passed since.
pub(super) fn failed_since_done(facts: &Facts<'_>) -> Option<Scope> {
    let done = facts.evidence.last(&Scope::Done);
    let done = done.filter(|record| record.proves()).map(Record::moment);
    [Scope::Affected, Scope::Full].into_iter().find(|scope| {
        let last = facts.evidence.last(scope);
        last.is_some_and(|record| {
            !record.proves() && done.is_none_or(|done| record.moment() > done)
        })
    })
}
