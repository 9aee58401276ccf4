//! The next action: one command to paste, and why.

use serde::Serialize;

use super::{Facts, State, Status, StepStatus};
use crate::evidence::Scope;
use crate::project::Poc;

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
    if status.state == State::Withdrawn {
        return None;
    }
    let name = &status.name;
    let next = |command: String, why: String| Some(Next { command, why });
    let verify_step = |step: &StepStatus| format!("cargo poc verify {name} --step {}", step.id);
    let first = |state: State| status.steps.iter().find(|step| step.state == state);
    if facts.evidence.baseline().is_none() && !poc.plan.baseline.is_empty() {
        let why = "no baseline yet, so nothing could be told to be a regression".to_owned();
        return next(format!("cargo poc verify {name} --baseline"), why);
    }
    if status
        .dependencies
        .iter()
        .any(|dependency| matches!(dependency.state, "missing" | "incomplete"))
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
        let line = poc
            .plan
            .placeholders
            .first()
            .map_or(1, |placeholder| placeholder.line);
        let why = format!(
            "{} placeholders are left to fill in, the first at {}:{line}",
            status.placeholders, status.plan
        );
        return next(format!("cargo poc status {name}"), why);
    }
    None
}
