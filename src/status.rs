//! The state of a PoC and its parts, computed from evidence and the workspace, never from a ticked box.
//!
//! Input: the documents of a [`Poc`] and its [`Context`]: evidence, the change since its base, and the current hashes of the
//! inputs of its evidence. Output: an [`Assessment`]. The linter derives findings from it, and `next` derives the next action
//! from both. Nothing else computes states.

mod assessment;
mod checklist;
mod completion;
pub(crate) mod configurations;
mod context;
mod criteria;
mod evidence_state;
mod files;
mod other_plans;
mod review;
mod sources;
mod steps;

use std::collections::HashMap;

use camino::Utf8Path;

use crate::deps;
use crate::document::results::{ResultStep, Results};
use crate::document::{self, Placeholder};
use crate::evidence::{Evidence, Record, Scope};
use crate::project::Poc;

pub(crate) use assessment::EvidenceState;
use assessment::Runs;
pub use assessment::{
    Assessment, ChecklistClaim, ChecklistStatus, ConfigurationStatus, Contradiction,
    CriterionStatus, DependencyState, DependencyStatus, FileAction, FileState, FileStatus,
    ProofStatus, QuarantineStatus, State, StepStatus, StrengthStatus, Summary, TestStatus, Ticks,
};
pub use checklist::claims_of;
pub use completion::summary_row;
pub use context::Context;
pub use criteria::{is_same_criterion, plain_criterion};
pub(crate) use evidence_state::evidence_state;
use evidence_state::failure;
pub use other_plans::{NamedPaths, OtherPlans};
pub use review::{Review, review};
pub(crate) use steps::names_path;
use steps::{Work, has_command, step_status};

/// Computes the states of a PoC. Apart from its arguments, it only checks whether planned files exist.
#[must_use]
pub fn assess(poc: &Poc, cx: &Context<'_>) -> Assessment {
    let results = poc.results.as_ref().map(|(_, results)| results);
    let recorded = results.iter().flat_map(|results| &results.steps).rev();
    let recorded: HashMap<&str, &ResultStep> =
        recorded.map(|step| (step.id.as_str(), step)).collect();
    let files = files::files(poc, cx);
    let work = Work::of(poc, &files);
    let steps = poc.plan.steps.iter().enumerate().map(|(index, step)| {
        let recorded = recorded.get(step.id.as_str()).copied();
        step_status(poc, (index, step), recorded, &work, cx)
    });
    let steps: Vec<StepStatus> = steps.collect();
    let runs = runs(poc, cx);
    let shown = criteria::Shown {
        steps: &steps,
        runs: &runs,
    };
    let criteria = criteria::criteria(poc, cx, &shown);
    let checklist = checklist::checklist(poc, cx, &steps, &runs);
    Assessment {
        name: poc.paths.name.clone(),
        plan: cx.shown(&poc.paths.plan),
        results: results.map(|_| cx.shown(&poc.paths.results)),
        kind: poc.plan.kind.clone(),
        state: whole(poc, &steps, &criteria, &checklist, &runs),
        base: poc.plan.base.clone(),
        configurations: poc.plan.configurations.clone(),
        summary: summary(results),
        plan_criteria: Ticks::of(&poc.plan.criteria),
        results_criteria: results.map_or(Ticks::default(), |results| Ticks::of(&results.criteria)),
        checklist,
        files,
        criteria,
        dependencies: dependencies(poc, cx),
        quarantine: quarantine(poc),
        tests: tests(cx.evidence, results),
        contract: cx.contract.clone(),
        placeholders: poc.plan.placeholders.len()
            + results.map_or(0, |results| results.placeholders.len()),
        first_placeholder: first_placeholder(poc, cx),
        completion_blocker: completion::blocker(poc),
        in_workspace: cx.workspace.is_some(),
        is_open: poc.is_open(),
        runs,
        steps,
    }
}

fn quarantine(poc: &Poc) -> Vec<QuarantineStatus> {
    let today = document::quarantine::today();
    let rows = poc.plan.quarantine.iter();
    rows.map(|row| QuarantineStatus {
        objection: row.objection(today),
        row: row.clone(),
    })
    .collect()
}

fn runs(poc: &Poc, cx: &Context<'_>) -> Runs {
    let done = has_command(&poc.plan.done).then(|| evidence_state(poc, cx, &Scope::Done));
    Runs {
        needs_baseline: has_command(&poc.plan.baseline) && cx.evidence.baseline().is_none(),
        done: done
            .clone()
            .map(|done| configurations::in_all(poc, cx, &Scope::Done, done)),
        done_in: done.map_or_else(Vec::new, |done| {
            configurations::of_scope(poc, cx, &Scope::Done, &done)
        }),
        baseline_failure: cx
            .evidence
            .last(&Scope::Baseline)
            .filter(|_| cx.evidence.baseline().is_none())
            .map(failure),
        failed_since_done: failed_since_done(cx),
        unconfirmed: unconfirmed(poc, cx),
    }
}

fn first_placeholder(poc: &Poc, cx: &Context<'_>) -> Option<(String, usize)> {
    let first = |placeholders: &[Placeholder], path: &Utf8Path| {
        let first = placeholders.first()?;
        Some((cx.shown(path), first.line))
    };
    first(&poc.plan.placeholders, &poc.paths.plan).or_else(|| {
        let (_, results) = poc.results.as_ref()?;
        first(&results.placeholders, &poc.paths.results)
    })
}

fn summary(results: Option<&Results>) -> Summary {
    let Some(results) = results else {
        return Summary::default();
    };
    let moment = |timestamp: &Option<document::Timestamp>| {
        timestamp.as_ref().map(|timestamp| timestamp.text.clone())
    };
    Summary {
        status: results.status.as_ref().map(|status| status.text.clone()),
        started: moment(&results.started),
        completed: moment(&results.completed),
    }
}

fn dependencies(poc: &Poc, cx: &Context<'_>) -> Vec<DependencyStatus> {
    if cx.workspace.is_none() {
        return declared(poc);
    }
    let entries = cx.dependencies.iter().flat_map(|outcome| &outcome.entries);
    entries
        .map(|(declared, state)| DependencyStatus {
            manifest: declared.manifest.to_string(),
            name: declared.name.clone(),
            kind: declared.table.label(),
            state: Some(DependencyState::from(state)),
        })
        .collect()
}

/// The dependencies declared in readable blocks, if there are no manifests to compare with.
fn declared(poc: &Poc) -> Vec<DependencyStatus> {
    let Ok((blocks, _)) = deps::blocks(&poc.plan, &poc.plan_document, None) else {
        return Vec::new();
    };
    let entries = blocks
        .iter()
        .filter_map(|block| deps::declared(block).ok())
        .flat_map(|declarations| declarations.entries);
    entries
        .map(|declared| DependencyStatus {
            manifest: declared.manifest.to_string(),
            name: declared.name.clone(),
            kind: declared.table.label(),
            state: None,
        })
        .collect()
}

fn tests(evidence: &Evidence, results: Option<&Results>) -> TestStatus {
    let newest_first = evidence.records.iter().rev();
    let mut latest = newest_first.map(|located| &located.record);
    TestStatus {
        baseline: evidence.baseline().and_then(|record| record.tests),
        latest: latest.find_map(|record| record.tests),
        claimed: results
            .and_then(|results| results.validation.total())
            .map(|total| total.value),
    }
}

/// The state of the whole: the worst state of its parts. It is proven only if every part and the done block are.
fn whole(
    poc: &Poc,
    steps: &[StepStatus],
    criteria: &[CriterionStatus],
    checklist: &[ChecklistStatus],
    runs: &Runs,
) -> State {
    let status = poc
        .results
        .as_ref()
        .and_then(|(_, results)| results.status.as_ref()?.status);
    let any_criterion = |state: State| criteria.iter().any(|criterion| criterion.state == state);
    let any_step = |state: State| steps.iter().any(|step| step.state == state);
    let any_item = |state: State| checklist.iter().any(|item| item.state == state);
    let any = |state: State| any_step(state) || any_criterion(state) || any_item(state);
    let live = || steps.iter().filter(|step| step.state != State::Withdrawn);
    let done = runs.done.as_ref();
    if matches!(
        status,
        Some(document::Status::Withdrawn | document::Status::Skipped)
    ) {
        State::Withdrawn
    } else if any(State::Failed)
        || matches!(done, Some(EvidenceState::Failed(_)))
        || runs.failed_since_done.is_some()
    {
        State::Failed
    } else if any(State::Claimed) {
        State::Claimed
    } else if any(State::Stale)
        || matches!(
            done,
            Some(EvidenceState::Stale(_) | EvidenceState::OtherCommands)
        )
    {
        State::Stale
    } else if any(State::Unknown) {
        State::Unknown
    } else if matches!(done, Some(EvidenceState::Unconfirmed(_))) || any(State::Unconfirmed) {
        State::Unconfirmed
    } else if live().next().is_some()
        && live().all(|step| step.state == State::Proven)
        && done.is_none_or(|done| *done == EvidenceState::Proven)
        && criteria
            .iter()
            .all(|criterion| criterion.state == State::Proven)
        && checklist.iter().all(|item| item.state == State::Proven)
    {
        State::Proven
    } else if status == Some(document::Status::Complete) {
        State::Claimed
    } else if live().all(|step| step.state == State::Pending) {
        State::Pending
    } else {
        State::InProgress
    }
}

/// The first run that needs a confirmation, and the id of its command for `--confirm`.
fn unconfirmed(poc: &Poc, cx: &Context<'_>) -> Option<(Scope, String)> {
    let steps = poc.plan.steps.iter();
    let steps = steps.map(|step| Scope::Step(step.id.to_string()));
    let before = [Scope::Baseline, Scope::Prerequisites];
    let mut scopes = before.into_iter().chain(steps).chain([Scope::Done]);
    scopes.find_map(|scope| match evidence_state(poc, cx, &scope) {
        EvidenceState::Unconfirmed(id) => Some((scope, id)),
        _ => None,
    })
}

/// The scope of the last run of affected or all tests, if it failed and the done block has not passed since.
fn failed_since_done(cx: &Context<'_>) -> Option<Scope> {
    let records = cx.evidence.records.iter().map(|located| &located.record);
    let newest_first = records.enumerate().rev();
    let since_done: Vec<(usize, &Record)> = newest_first
        .take_while(|(_, record)| record.scope != Scope::Done || !record.proves())
        .collect();
    [Scope::Affected, Scope::Full].into_iter().find(|scope| {
        let mut records = since_done.iter();
        let last = records.find(|(_, record)| record.scope == *scope);
        last.is_some_and(|(at, record)| !record.proves() && !cx.evidence.is_superseded(*at))
    })
}
