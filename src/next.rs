//! The next action: one command to paste, and why.
//!
//! In: an [`Assessment`] and the findings on it. Out: the first thing that keeps the PoC from being complete.

use serde::Serialize;

use crate::affected::arguments::quoted;
use crate::evidence::Scope;
use crate::finding::{self, Finding};
use crate::status::{Assessment, DependencyState, EvidenceState, State, StepStatus};
use crate::sys::text::counted;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// A command to paste.
    pub command: String,
    /// Why, and what to do before it.
    pub why: String,
}

/// The first thing that keeps the PoC from being complete; `None` when nothing does.
#[must_use]
pub fn next(status: &Assessment, findings: &[Finding]) -> Option<Next> {
    if status.state == State::Withdrawn || !status.in_workspace {
        return None;
    }
    let name = &status.name;
    let next = |command: String, why: String| Some(Next { command, why });
    let verify_step = |step: &StepStatus| format!("cargo poc verify {name} --step {}", step.id);
    let first = |state: State| status.steps.iter().find(|step| step.state == state);
    if status.steps.is_empty() {
        let edit = format!(
            "${{EDITOR:-vi}} {}",
            quoted(std::slice::from_ref(&status.plan))
        );
        return next(edit, "the plan has no steps (`### Step 1: …`)".to_owned());
    }
    if status.runs.needs_baseline {
        let why = "no baseline is recorded, so regressions cannot be detected".to_owned();
        return next(format!("cargo poc verify {name} --baseline"), why);
    }
    if status.dependencies.iter().any(|dependency| {
        matches!(
            dependency.state,
            Some(DependencyState::Missing | DependencyState::Incomplete)
        )
    }) {
        return next(
            format!("cargo poc deps {name}"),
            "planned dependencies are not in the manifests".to_owned(),
        );
    }
    if let Some(step) = first(State::Failed) {
        let why = step.why.as_deref().unwrap_or("it failed");
        return next(verify_step(step), format!("mend step {}: {why}", step.id));
    }
    if let Some(scope) = &status.runs.failed_since_done {
        let flag = if *scope == Scope::Full { " --full" } else { "" };
        return next(
            format!("cargo poc verify {name}{flag}"),
            format!("mend what the last run of `{scope}` showed"),
        );
    }
    if let Some((scope, id)) = &status.runs.unconfirmed {
        return next(
            format!("cargo poc verify {name} --confirm {id}"),
            format!("after looking at what the run of `{scope}` did"),
        );
    }
    let mut changes = status.contract.changes.iter();
    if let Some(change) = changes.find(|change| !change.how.extends()) {
        let why = format!("{change}: restore it, or say why it is meant");
        return next(format!("cargo poc amend {name} --reason \"…\""), why);
    }
    if let Some(step) = first(State::Claimed) {
        return next(
            verify_step(step),
            format!("step {} is claimed and not proven", step.id),
        );
    }
    if let Some(step) = first(State::Stale) {
        let why = step.why.as_deref().unwrap_or("it is stale");
        return next(verify_step(step), format!("step {}: {why}", step.id));
    }
    if let Some(step) = status.steps.iter().find(|step| step.needs_done_mark) {
        return next(
            format!("cargo poc step done {name} {}", step.id),
            format!("step {} is proven, and its results do not say so", step.id),
        );
    }
    let open = status
        .steps
        .iter()
        .find(|step| matches!(step.state, State::InProgress | State::Pending));
    if let Some(step) = open {
        let (command, when) = if step.state == State::Pending {
            (format!("cargo poc step start {name} {}", step.id), "before")
        } else {
            (verify_step(step), "after")
        };
        return next(
            command,
            format!("{when} doing step {}: {}", step.id, step.title),
        );
    }
    if status
        .runs
        .done
        .as_ref()
        .is_some_and(|done| *done != EvidenceState::Proven)
    {
        let why = if status.runs.done_was_run {
            "the done block has not passed on the present sources"
        } else {
            "every step is proven; the done block is left"
        };
        return next(format!("cargo poc verify {name} --done"), why.to_owned());
    }
    if status.placeholders > 0 {
        return Some(fill_in(status));
    }
    if finding::has_errors(findings) {
        let why = "everything is proven, and the documents say otherwise".to_owned();
        return next(format!("cargo poc check {name}"), why);
    }
    to_complete(status)
}

/// What keeps a PoC of which all is proven from being called complete.
fn to_complete(status: &Assessment) -> Option<Next> {
    let path = status.results.as_ref()?;
    if status.state != State::Proven || !status.is_open || status.results_criteria.total == 0 {
        return None;
    }
    if let Some(line) = status.first_open_criterion {
        let ticks = status.results_criteria;
        return Some(Next {
            command: edit(path, line),
            why: format!(
                "everything is proven; {} of {} criteria are not ticked, the first at {path}:{line}",
                ticks.total - ticks.checked,
                ticks.total,
            ),
        });
    }
    let mut steps = status.steps.iter().rev();
    let last = steps.find(|step| step.state == State::Proven)?;
    Some(Next {
        command: format!("cargo poc step done {} {}", status.name, last.id),
        why: "everything is proven and ticked, and the Summary does not say Complete".to_owned(),
    })
}

/// The first thing that is left to fill in.
fn fill_in(status: &Assessment) -> Next {
    let (path, line) = status
        .first_placeholder
        .clone()
        .unwrap_or((status.plan.clone(), 1));
    let why = format!(
        "everything is proven; {} left to fill in, the first at {path}:{line}",
        counted(status.placeholders, "placeholder")
    );
    Next {
        command: edit(&path, line),
        why,
    }
}

/// Opens a file at a line; every editor that is called from a shell takes one this way, or ignores it.
fn edit(path: &str, line: usize) -> String {
    let path = quoted(&[path.to_owned()]);
    format!("${{EDITOR:-vi}} +{line} {path}")
}
