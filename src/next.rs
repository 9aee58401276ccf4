//! The next action: a command, and the reason for it.
//!
//! Input: an [`Assessment`] and its findings. Output: the first action that a complete PoC needs. Following the actions ends
//! with a complete PoC or with a question for a person ([`Next::person`]), never in a loop: without that mark, a command is
//! proposed only if running it changes the state.

use serde::Serialize;

use crate::affected::arguments::quoted;
use crate::document::proof::Proof;
use crate::evidence::Scope;
use crate::finding::{self, Finding};
use crate::lint::documents::{CONFLICT_MARKERS, MISSING_RESULTS, UNRELIABLE_DOCUMENT};
use crate::status::{
    Assessment, ConfigurationStatus, CriterionStatus, DependencyState, EvidenceState, State,
    StepStatus,
};
use crate::sys::text::counted;

/// The next action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The command to run.
    pub command: String,
    /// The reason, and the work to do first.
    pub why: String,
    /// Whether a person has to judge, write or decide something first. If not, running the command is enough.
    pub person: bool,
}

impl Next {
    /// A command that needs no person.
    fn run(command: String, why: impl Into<String>) -> Self {
        Self {
            command,
            why: why.into(),
            person: false,
        }
    }

    /// A command to run after a person has done what `why` describes.
    fn ask(command: String, why: impl Into<String>) -> Self {
        Self {
            person: true,
            ..Self::run(command, why)
        }
    }

    /// The action for a finding that prevents Complete.
    #[must_use]
    pub fn fix(finding: &Finding) -> Self {
        let why = format!(
            "everything is proven, but a finding prevents Complete: {} ({})",
            finding.text(),
            finding.code
        );
        Self::ask(edit(&finding.path, finding.line), why)
    }
}

/// The first action that the PoC needs to be complete; `None` if it is complete.
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

/// Documents without runnable commands.
fn cannot_run(status: &Assessment, findings: &[Finding]) -> Option<Next> {
    if status.steps.is_empty() {
        let why = "the plan has no steps (`### Step 1: …`)";
        return Some(Next::ask(edit(&status.plan, 1), why));
    }
    let mut findings = findings.iter();
    let blocking = [CONFLICT_MARKERS, UNRELIABLE_DOCUMENT, MISSING_RESULTS];
    let finding = findings.find(|finding| blocking.contains(&finding.code))?;
    let why = format!("{}:{}: {}", finding.path, finding.line, finding.text());
    Some(Next::ask(format!("cargo poc check {}", status.name), why))
}

/// Actions before the first step.
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

/// Failures, confirmations and changes of the contract.
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
            format!("fix the failures in the last run of `{scope}`"),
        ));
    }
    if let Some((scope, id)) = &status.runs.unconfirmed {
        return Some(Next::ask(
            format!("cargo poc verify {name} --confirm {id}"),
            format!("after checking the output of the run of `{scope}`"),
        ));
    }
    let mut changes = status.contract.changes.iter();
    let change = changes.find(|change| !change.how.extends())?;
    let why = format!("{change}: restore it, or give a reason for the change");
    Some(Next::ask(
        format!("cargo poc amend {name} --reason \"…\""),
        why,
    ))
}

fn steps(status: &Assessment) -> Option<Next> {
    let name = &status.name;
    if let Some(step) = first(status, State::Claimed) {
        let why = match &step.why {
            Some(why) => format!("step {} is claimed but not proven: {why}", step.id),
            None => format!("step {} is claimed but not proven", step.id),
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
            format!("step {} is proven but not marked as done", step.id),
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

/// Verifies a step, if it has a command and a run can change its state.
fn verify(status: &Assessment, step: &StepStatus, why: String) -> Next {
    if !step.has_commands {
        let why = match &step.why {
            Some(why) if step.evidence == EvidenceState::Nothing => {
                format!("step {}: {why}", step.id)
            }
            _ => format!("step {} has no verification command; write one", step.id),
        };
        return Next::ask(edit(&status.plan, step.line), why);
    }
    if let Some(why) = unprovable(&step.configurations) {
        return Next::ask(
            edit(&status.plan, step.line),
            format!("step {}: {why}", step.id),
        );
    }
    let command = verify_step(&status.name, step);
    // Running a verification again that passed without proving the step changes nothing.
    if step.evidence == EvidenceState::Proven || step.state == State::Unconfirmed {
        return Next::ask(command, why);
    }
    Next::run(command, why)
}

/// Why no run can prove a step or the done block in one of the required configurations.
fn unprovable(configurations: &[ConfigurationStatus]) -> Option<String> {
    configurations.iter().find_map(|one| {
        let why = one.why.as_ref()?;
        Some(format!(
            "the configuration `{}` is required, and {why}",
            one.name
        ))
    })
}

fn done(status: &Assessment) -> Option<Next> {
    let done = status.runs.done.as_ref()?;
    let command = format!("cargo poc verify {} --done", status.name);
    if *done != EvidenceState::Proven
        && let Some(why) = unprovable(&status.runs.done_in)
    {
        let command = format!("cargo poc check {}", status.name);
        return Some(Next::ask(command, format!("the done block: {why}")));
    }
    match done {
        EvidenceState::Proven => None,
        EvidenceState::Failed(why) => {
            Some(Next::ask(command, format!("fix the done block: {why}")))
        }
        EvidenceState::Nothing => Some(Next::run(
            command,
            "every step is proven; verify the done block",
        )),
        _ => Some(Next::run(
            command,
            "the done block has not passed on the current sources",
        )),
    }
}

fn criteria(status: &Assessment) -> Option<Next> {
    let name = &status.name;
    if status.criteria.is_empty() {
        let why = "everything is proven, but the plan has no success criteria";
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

/// Missing parts of the documents once everything is proven.
fn documents(status: &Assessment, findings: &[Finding]) -> Option<Next> {
    if status.placeholders > 0 {
        return Some(fill_in(status));
    }
    if finding::has_errors(findings) || finding::has_stale(findings) {
        let why = "everything is proven, but the documents do not match";
        return Some(Next::ask(format!("cargo poc check {}", status.name), why));
    }
    if !status.is_open {
        return None;
    }
    if let Some(blocker) = &status.completion_blocker {
        let path = status.results.as_ref().unwrap_or(&status.plan);
        let why = format!("everything is proven, but {}", blocker.why);
        return Some(Next::ask(edit(path, blocker.line), why));
    }
    (status.state == State::Proven).then(|| {
        let why = "everything is proven, but the Summary is not Complete";
        Next::run(format!("cargo poc verify {}", status.name), why)
    })
}

fn first(status: &Assessment, state: State) -> Option<&StepStatus> {
    status.steps.iter().find(|step| step.state == state)
}

fn verify_step(name: &str, step: &StepStatus) -> String {
    format!("cargo poc verify {name} --step {}", step.id)
}

/// Fill in the first placeholder.
fn fill_in(status: &Assessment) -> Next {
    let place = status.first_placeholder.clone();
    let (path, line) = place.unwrap_or((status.plan.clone(), 1));
    let why = format!(
        "everything is proven; {} left, the first at {path}:{line}",
        counted(status.placeholders, "placeholder")
    );
    Next::ask(edit(&path, line), why)
}

/// A command that opens a file at a line. Editors that do not support `+LINE` ignore it.
fn edit(path: &str, line: usize) -> String {
    let path = quoted(&[path.to_owned()]);
    format!("${{EDITOR:-vi}} +{line} {path}")
}

/// The scope that `verify NAME` runs: a step or the done block; `None` if a run can prove nothing more.
#[must_use]
pub fn next_scope(status: &Assessment) -> Option<Scope> {
    let mut steps = status.steps.iter();
    let step = steps.find(|step| {
        // No run can prove a step of a task list that names no file.
        let is_known = step.has_commands || step.why.is_none();
        is_known
            && !matches!(
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
