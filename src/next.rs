//! The next action: one command to paste, and why.
//!
//! In: an [`Assessment`] and the findings on it. Out: the first thing that keeps the PoC from being complete. Following it
//! ends in a complete PoC or at a question that only a person can answer ([`Next::person`]), never in a loop: a command is
//! proposed without that mark only where running it changes the state.

use serde::Serialize;

use crate::affected::arguments::quoted;
use crate::document::proof::Proof;
use crate::evidence::Scope;
use crate::finding::{self, Finding};
use crate::lint::documents::{MISSING_RESULTS, UNRELIABLE_DOCUMENT};
use crate::status::{
    Assessment, CriterionStatus, DependencyState, EvidenceState, State, StepStatus,
};
use crate::sys::text::counted;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// A command to paste.
    pub command: String,
    /// Why, and what to do before it.
    pub why: String,
    /// Whether a person has to do something first: judge, write or decide. Else the command alone goes on.
    pub person: bool,
}

impl Next {
    /// A command that goes on by itself.
    fn run(command: String, why: impl Into<String>) -> Self {
        Self {
            command,
            why: why.into(),
            person: false,
        }
    }

    /// A command for after a person has done what `why` says.
    fn ask(command: String, why: impl Into<String>) -> Self {
        Self {
            person: true,
            ..Self::run(command, why)
        }
    }

    /// What to do about a finding that would contradict the results if they said Complete.
    #[must_use]
    pub fn fix(finding: &Finding) -> Self {
        let why = format!(
            "everything is proven, and this contradicts Complete: {} ({})",
            finding.text(),
            finding.code
        );
        Self::ask(edit(&finding.path, finding.line), why)
    }
}

/// The first thing that keeps the PoC from being complete; `None` when nothing does.
#[must_use]
pub fn next(status: &Assessment, findings: &[Finding]) -> Option<Next> {
    if status.state == State::Withdrawn || !status.in_workspace {
        return None;
    }
    cannot_run(status, findings)
        .or_else(|| preparation(status))
        .or_else(|| broken(status))
        .or_else(|| steps(status))
        .or_else(|| done(status))
        .or_else(|| criteria(status))
        .or_else(|| checklist(status))
        .or_else(|| documents(status, findings))
}

/// Documents that nothing can be run from.
fn cannot_run(status: &Assessment, findings: &[Finding]) -> Option<Next> {
    if status.steps.is_empty() {
        let why = "the plan has no steps (`### Step 1: …`)";
        return Some(Next::ask(edit(&status.plan, 1), why));
    }
    let mut findings = findings.iter();
    let blocking =
        |finding: &&Finding| [UNRELIABLE_DOCUMENT, MISSING_RESULTS].contains(&finding.code);
    let finding = findings.find(blocking)?;
    let why = format!("{}:{}: {}", finding.path, finding.line, finding.text());
    Some(Next::ask(format!("cargo poc check {}", status.name), why))
}

/// What comes before the first step.
fn preparation(status: &Assessment) -> Option<Next> {
    let name = &status.name;
    if status.runs.needs_baseline {
        let command = format!("cargo poc verify {name} --baseline");
        return Some(match &status.runs.baseline_failure {
            Some(why) => Next::ask(command, format!("fix the baseline command: {why}")),
            None => Next::run(
                command,
                "no baseline is recorded, so regressions cannot be detected",
            ),
        });
    }
    let is = |states: &[DependencyState]| {
        let mut dependencies = status.dependencies.iter().filter_map(|one| one.state);
        dependencies.any(|state| states.contains(&state))
    };
    if is(&[DependencyState::Missing, DependencyState::Incomplete]) {
        let command = format!("cargo poc deps {name}");
        return Some(
            if is(&[DependencyState::Conflict, DependencyState::Invalid]) {
                Next::ask(command, "the plan's dependencies contradict the manifests")
            } else {
                Next::run(command, "planned dependencies are not in the manifests")
            },
        );
    }
    None
}

/// What went wrong, or waits for a person.
fn broken(status: &Assessment) -> Option<Next> {
    let name = &status.name;
    if let Some(step) = first(status, State::Failed) {
        let why = step.why.as_deref().unwrap_or("it failed");
        let why = format!("fix step {}: {why}", step.id);
        return Some(Next::ask(verify_step(name, step), why));
    }
    if let Some(scope) = &status.runs.failed_since_done {
        return Some(Next::ask(
            format!("cargo poc verify {name} --{scope}"),
            format!("fix what the last run of `{scope}` showed"),
        ));
    }
    if let Some((scope, id)) = &status.runs.unconfirmed {
        return Some(Next::ask(
            format!("cargo poc verify {name} --confirm {id}"),
            format!("after looking at what the run of `{scope}` did"),
        ));
    }
    let mut changes = status.contract.changes.iter();
    let change = changes.find(|change| !change.how.extends())?;
    let why = format!("{change}: restore it, or say why it is meant");
    Some(Next::ask(
        format!("cargo poc amend {name} --reason \"…\""),
        why,
    ))
}

fn steps(status: &Assessment) -> Option<Next> {
    let name = &status.name;
    if let Some(step) = first(status, State::Claimed) {
        let why = match &step.why {
            Some(why) => format!("step {} is claimed and not proven: {why}", step.id),
            None => format!("step {} is claimed and not proven", step.id),
        };
        return Some(verify(status, step, why));
    }
    if let Some(step) = first(status, State::Stale) {
        let why = step.why.as_deref().unwrap_or("it is stale");
        return Some(verify(status, step, format!("step {}: {why}", step.id)));
    }
    if let Some(step) = status.steps.iter().find(|step| step.needs_done_mark) {
        return Some(Next::run(
            format!("cargo poc step done {name} {}", step.id),
            format!("step {} is proven, and its results do not say so", step.id),
        ));
    }
    let mut open = status.steps.iter();
    let step = open.find(|step| {
        matches!(
            step.state,
            State::InProgress | State::Pending | State::Unconfirmed
        )
    })?;
    let why = match &step.why {
        Some(why) => format!("step {}: {why}", step.id),
        None => format!("after doing step {}: {}", step.id, step.title),
    };
    Some(verify(status, step, why))
}

/// Running a step's verification, where it has one and a run can change its state.
fn verify(status: &Assessment, step: &StepStatus, why: String) -> Next {
    if !step.has_commands {
        let why = format!("step {} has no verification command; write one", step.id);
        return Next::ask(edit(&status.plan, step.line), why);
    }
    let command = verify_step(&status.name, step);
    // A run that passed and does not prove the step would end so again.
    if step.evidence == EvidenceState::Proven || step.state == State::Unconfirmed {
        return Next::ask(command, why);
    }
    Next::run(command, why)
}

fn done(status: &Assessment) -> Option<Next> {
    let done = status.runs.done.as_ref()?;
    let command = format!("cargo poc verify {} --done", status.name);
    match done {
        EvidenceState::Proven => None,
        EvidenceState::Failed(why) => {
            Some(Next::ask(command, format!("fix the done block: {why}")))
        }
        EvidenceState::Nothing => Some(Next::run(
            command,
            "every step is proven; the done block is left",
        )),
        _ => Some(Next::run(
            command,
            "the done block has not passed on the present sources",
        )),
    }
}

fn criteria(status: &Assessment) -> Option<Next> {
    let name = &status.name;
    if status.criteria.is_empty() {
        let why = "everything is proven, and the plan has no success criteria";
        return Some(Next::ask(edit(&status.plan, 1), why));
    }
    let mut criteria = status.criteria.iter();
    let criterion = criteria.find(|criterion| criterion.state != State::Proven)?;
    let CriterionStatus { number, text, .. } = criterion;
    let why = criterion.why.as_deref().unwrap_or("it is not proven");
    let why = format!("criterion {number}, {text}: {why}");
    let is_test = |proof: &Proof| matches!(proof, Proof::Test(_));
    let mut open = criterion.proven_by.iter();
    let mut open = open
        .by_ref()
        .filter(|proof| proof.state != State::Proven)
        .map(|proof| &proof.proof);
    Some(if criterion.waits_for_confirmation() {
        let command =
            format!("cargo poc verify {name} --confirm criterion.{number} --reason \"…\"");
        Next::ask(command, why)
    } else if open.any(is_test) {
        Next::ask(format!("cargo poc verify {name} --full"), why)
    } else {
        Next::ask(edit(&status.plan, criterion.line), why)
    })
}

/// The first item of the checklist that is not proven.
fn checklist(status: &Assessment) -> Option<Next> {
    let mut items = status.checklist.iter();
    let item = items.find(|item| item.state != State::Proven)?;
    let why = item.why.as_deref().unwrap_or("it is not proven");
    let why = format!("checklist item {}, {}: {why}", item.number, item.text);
    let confirms =
        item.claims.is_empty() && matches!(item.state, State::Unconfirmed | State::Stale);
    Some(if confirms {
        let command = format!(
            "cargo poc verify {} --confirm checklist --reason \"…\"",
            status.name
        );
        Next::ask(command, why)
    } else {
        Next::ask(edit(&status.plan, item.line), why)
    })
}

/// What the documents lack once everything is proven.
fn documents(status: &Assessment, findings: &[Finding]) -> Option<Next> {
    if status.placeholders > 0 {
        return Some(fill_in(status));
    }
    if finding::has_errors(findings) || finding::has_stale(findings) {
        let why = "everything is proven, and the documents say otherwise";
        return Some(Next::ask(format!("cargo poc check {}", status.name), why));
    }
    if !status.is_open {
        return None;
    }
    if let Some(blocker) = &status.completion_blocker {
        let path = status.results.as_ref().unwrap_or(&status.plan);
        let why = format!("everything is proven, and {}", blocker.why);
        return Some(Next::ask(edit(path, blocker.line), why));
    }
    (status.state == State::Proven).then(|| {
        let why = "everything is proven, and the Summary does not say Complete";
        Next::run(format!("cargo poc verify {}", status.name), why)
    })
}

fn first(status: &Assessment, state: State) -> Option<&StepStatus> {
    status.steps.iter().find(|step| step.state == state)
}

fn verify_step(name: &str, step: &StepStatus) -> String {
    format!("cargo poc verify {name} --step {}", step.id)
}

/// The first thing that is left to fill in.
fn fill_in(status: &Assessment) -> Next {
    let place = status.first_placeholder.clone();
    let (path, line) = place.unwrap_or((status.plan.clone(), 1));
    let why = format!(
        "everything is proven; {} left to fill in, the first at {path}:{line}",
        counted(status.placeholders, "placeholder")
    );
    Next::ask(edit(&path, line), why)
}

/// Opens a file at a line; every editor that is called from a shell takes one this way, or ignores it.
fn edit(path: &str, line: usize) -> String {
    let path = quoted(&[path.to_owned()]);
    format!("${{EDITOR:-vi}} +{line} {path}")
}

/// The scope of the step, or of the done block, that `verify NAME` runs; `None` when none is left that a run could prove.
#[must_use]
pub fn next_scope(status: &Assessment) -> Option<Scope> {
    let mut steps = status.steps.iter();
    let step = steps.find(|step| {
        !matches!(
            step.state,
            State::Proven | State::Withdrawn | State::Unconfirmed
        )
    });
    let done = || match status.runs.done {
        None | Some(EvidenceState::Proven | EvidenceState::Unconfirmed(_)) => None,
        Some(_) => Some(Scope::Done),
    };
    step.map(|step| Scope::Step(step.id.clone())).or_else(done)
}
