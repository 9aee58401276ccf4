//! The next action: one command to paste, and why.

use serde::Serialize;

use crate::affected::arguments::quoted;
use crate::document::results::StatusText;
use crate::document::{Placeholder, Status};
use crate::evidence::Scope;
use crate::project::Poc;
use crate::report::human::counted;
use crate::status::{Context, State, StepStatus, failed_since_done, unconfirmed};

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// A command to paste.
    pub command: String,
    /// Why, and what to do before it.
    pub why: String,
}

/// The first thing that stands between the PoC and being proven; `None` when nothing does.
pub fn next(poc: &Poc, status: &crate::status::Status, cx: &Context<'_>) -> Option<Next> {
    if status.state == State::Withdrawn || cx.workspace.is_none() {
        return None;
    }
    let name = &status.name;
    let next = |command: String, why: String| Some(Next { command, why });
    let verify_step = |step: &StepStatus| format!("cargo poc verify {name} --step {}", step.id);
    let first = |state: State| status.steps.iter().find(|step| step.state == state);
    if poc.plan.steps.is_empty() {
        let edit = format!(
            "${{EDITOR:-vi}} {}",
            quoted(std::slice::from_ref(&status.plan))
        );
        return next(edit, "the plan has no steps (`### Step 1: …`)".to_owned());
    }
    if cx.evidence.baseline().is_none() && !poc.plan.baseline.is_empty() {
        let why = "no baseline yet, so nothing could be told to be a regression".to_owned();
        return next(format!("cargo poc verify {name} --baseline"), why);
    }
    if status
        .dependencies
        .iter()
        .any(|dependency| matches!(dependency.state, Some("missing" | "incomplete")))
    {
        return next(
            format!("cargo poc deps {name}"),
            "planned dependencies are not in the manifests".to_owned(),
        );
    }
    if let Some(step) = first(State::Failed) {
        let why = step.why.as_deref().unwrap_or("it failed");
        return next(verify_step(step), format!("mend step {}: {why}", step.id));
    }
    if let Some(scope) = failed_since_done(cx) {
        let flag = if scope == Scope::Full { " --full" } else { "" };
        return next(
            format!("cargo poc verify {name}{flag}"),
            format!("mend what the last run of `{scope}` showed"),
        );
    }
    if let Some((scope, id)) = unconfirmed(poc, cx) {
        return next(
            format!("cargo poc verify {name} --confirm {id}"),
            format!("after looking at what the run of `{scope}` did"),
        );
    }
    let mut changes = cx.contract.changes.iter();
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
    if let Some(step) = status.steps.iter().find(|step| needs_done_mark(poc, step)) {
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
    if status.state != State::Proven && !poc.plan.done.is_empty() {
        let why = match cx.evidence.last(&Scope::Done) {
            Some(_) => "the done block has not passed on what is there now",
            None => "every step is proven; the done block is left",
        };
        return next(format!("cargo poc verify {name} --done"), why.to_owned());
    }
    if status.placeholders > 0 {
        return Some(fill_in(poc, status));
    }
    if status.has_errors() {
        let why = "everything is proven, and the documents say otherwise".to_owned();
        return next(format!("cargo poc check {name}"), why);
    }
    to_complete(poc, status)
}

/// What keeps a PoC of which all is proven from being called complete.
fn to_complete(poc: &Poc, status: &crate::status::Status) -> Option<Next> {
    let (_, results) = poc.results.as_ref()?;
    if status.state != State::Proven || !poc.is_open() || results.criteria.is_empty() {
        return None;
    }
    let path = status.results.as_ref()?;
    if let Some(open) = results.criteria.iter().find(|criterion| !criterion.checked) {
        let ticks = status.results_criteria;
        return Some(Next {
            command: edit(path, open.line),
            why: format!(
                "everything is proven; {} of {} criteria are not ticked, the first at {path}:{}",
                ticks.total - ticks.checked,
                ticks.total,
                open.line
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

/// Whether a step is proven and its block of the results, if there is one, does not call it complete. Where the Summary
/// calls all of it complete, that is said.
pub fn needs_done_mark(poc: &Poc, step: &StepStatus) -> bool {
    let results = poc.results.iter().flat_map(|(_, results)| &results.steps);
    let mut blocks = results.filter(|block| block.id.as_str() == step.id);
    let complete = |status: &StatusText| status.status == Some(Status::Complete);
    poc.is_open()
        && step.state == State::Proven
        && blocks.any(|block| !block.status.as_ref().is_some_and(complete))
}

/// The first thing that is left to fill in.
fn fill_in(poc: &Poc, status: &crate::status::Status) -> Next {
    let first = |placeholders: &[Placeholder], path: &String| {
        placeholders
            .first()
            .map(|placeholder| (path.clone(), placeholder.line))
    };
    let in_results = || {
        let (_, results) = poc.results.as_ref()?;
        first(&results.placeholders, status.results.as_ref()?)
    };
    let place = first(&poc.plan.placeholders, &status.plan).or_else(in_results);
    let (path, line) = place.unwrap_or((status.plan.clone(), 1));
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
