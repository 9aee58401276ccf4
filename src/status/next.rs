//! The next action: one command to paste, and why.

use serde::Serialize;

use super::{Facts, State, Status, StepStatus, failed_since_done, unconfirmed};
use crate::affected::arguments::quoted;
use crate::document::Placeholder;
use crate::evidence::Scope;
use crate::project::Poc;
use crate::report::human::counted;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// A command to paste.
    pub command: String,
    /// Why, and what to do before it.
    pub why: String,
}

/// The first thing that stands between the PoC and being proven; `None` when nothing does.
pub(super) fn next(poc: &Poc, status: &Status, facts: &Facts<'_>) -> Option<Next> {
    if status.state == State::Withdrawn || facts.workspace.is_none() {
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
    if facts.evidence.baseline().is_none() && !poc.plan.baseline.is_empty() {
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
    if let Some(scope) = failed_since_done(facts) {
        let flag = if scope == Scope::Full { " --full" } else { "" };
        return next(
            format!("cargo poc verify {name}{flag}"),
            format!("mend what the last run of `{scope}` showed"),
        );
    }
    if let Some((scope, id)) = unconfirmed(poc, facts) {
        return next(
            format!("cargo poc verify {name} --confirm {id}"),
            format!("after looking at what the run of `{scope}` did"),
        );
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
    let open = status
        .steps
        .iter()
        .find(|step| matches!(step.state, State::InProgress | State::Pending));
    if let Some(step) = open {
        return next(
            verify_step(step),
            format!("after doing step {}: {}", step.id, step.title),
        );
    }
    if status.state != State::Proven && !poc.plan.done.is_empty() {
        let why = match facts.evidence.last(&Scope::Done) {
            Some(_) => "the done block has not passed on what is there now",
            None => "every step is proven; the done block is left",
        };
        return next(format!("cargo poc verify {name} --done"), why.to_owned());
    }
    if status.placeholders > 0 {
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
        // Every editor that is called from a shell takes a line this way, or ignores it.
        let path = quoted(&[path]);
        return next(format!("${{EDITOR:-vi}} +{line} {path}"), why);
    }
    if status.has_errors() {
        let why = "everything is proven, and the documents say otherwise".to_owned();
        return next(format!("cargo poc check {name}"), why);
    }
    None
}
