//! Every disagreement that a status rests on.

use super::{Facts, Shown, State, Status, shown};
use crate::document;
use crate::evidence::{Record, Scope};
use crate::finding::{Code, Finding};
use crate::project::Poc;

/// The findings by file, line and code.
pub(super) fn findings(poc: &Poc, status: &Status, facts: &Facts<'_>) -> Vec<Finding> {
    let results_path = facts.workspace.slashed(&poc.paths.results);
    let mut found = Found {
        plan: &status.plan,
        results: &results_path,
        findings: Vec::new(),
    };
    of_documents(poc, facts, &mut found);
    of_steps(status, &mut found);
    let results = poc.results.as_ref().map(|(_, results)| results);
    let claim = results.and_then(|results| results.status.as_ref());
    if let Some(claim) = claim
        && claim.status == Some(document::Status::Complete)
        && status.state != State::Proven
    {
        let message = format!(
            "the results say `{}`, and not everything is proven; see `cargo poc status {}`",
            claim.text, status.name
        );
        found.in_results(Code::Claimed, claim.line, message);
    }
    of_runs(poc, facts, &mut found);
    if let Err(error) = &facts.dependencies {
        found.in_plan(Code::Dependencies, 1, error.clone());
    }
    if let Err(error) = &facts.change {
        found.in_plan(Code::UnknownChange, 1, error.clone());
    }
    let mut findings = found.findings;
    findings.sort_by(|left, right| {
        (&left.path, left.line, left.code).cmp(&(&right.path, right.line, right.code))
    });
    findings
}

/// Findings as they are gathered, with the paths of the two documents.
struct Found<'a> {
    plan: &'a str,
    results: &'a str,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn in_plan(&mut self, code: Code, line: usize, message: String) {
        self.add(code, self.plan.to_owned(), (line, 1), message);
    }

    fn in_results(&mut self, code: Code, line: usize, message: String) {
        self.add(code, self.results.to_owned(), (line, 1), message);
    }

    fn add(&mut self, code: Code, path: String, (line, column): (usize, usize), message: String) {
        self.findings.push(Finding {
            code,
            path,
            line,
            column,
            message,
        });
    }
}

/// What cannot be read, or not as it was meant.
fn of_documents(poc: &Poc, facts: &Facts<'_>, found: &mut Found<'_>) {
    let results = poc.results.as_ref().map(|(_, results)| results);
    let in_plan = poc
        .plan
        .problems
        .iter()
        .map(|problem| (found.plan, problem));
    let in_results = results
        .into_iter()
        .flat_map(|results| &results.problems)
        .map(|problem| (found.results, problem));
    let problems: Vec<(&str, &document::Problem)> = in_plan.chain(in_results).collect();
    for (path, problem) in problems {
        let code = match problem.kind.severity() {
            document::Severity::Warning => Code::Unclear,
            document::Severity::Error => Code::Unreliable,
        };
        let place = (problem.line, problem.column);
        found.add(code, path.to_owned(), place, problem.message.clone());
    }
    if results.is_none() {
        let message = format!(
            "there is no {}; restore it from git, or start again with another name",
            found.results
        );
        found.in_plan(Code::NoResults, 1, message);
    }
    for problem in &facts.evidence.problems {
        found.in_results(Code::DamagedEvidence, problem.line, problem.message.clone());
    }
}

/// Steps whose claim or evidence does not hold.
fn of_steps(status: &Status, found: &mut Found<'_>) {
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
        found.in_plan(code, step.line, message);
    }
}

/// The last runs of the done block and of affected or all tests.
fn of_runs(poc: &Poc, facts: &Facts<'_>, found: &mut Found<'_>) {
    let line_of = |scope: &Scope| {
        let mut records = facts.evidence.records.iter().rev();
        let of_scope = records.find(|located| located.record.scope == *scope);
        of_scope.map_or(1, |located| located.line)
    };
    for scope in failed_since_done(facts).into_iter().chain([Scope::Done]) {
        let regressed = facts
            .evidence
            .last(&scope)
            .is_some_and(|record| !record.regressions.is_empty() || !record.vanished.is_empty());
        let (code, message) = match shown(poc, facts, &scope) {
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
        found.in_results(code, line_of(&scope), message);
    }
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
