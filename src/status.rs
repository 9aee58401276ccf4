//! The state of a PoC and its parts, computed from evidence and the workspace, never from a ticked box.
//!
//! In: a [`Poc`]'s documents and its [`Context`]: evidence, the change since its base, and the present hashes of what its
//! evidence depended on. Out: an [`Assessment`]. The linter derives findings from it, `next` derives the next action from
//! both; nothing computes a state a second time.

mod completion;
mod criteria;
mod files;
mod other_plans;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;
use serde::Serialize;

use crate::change::Change;
use crate::config::Config;
use crate::contract::ContractState;
use crate::deps;
use crate::document::results::{ResultStep, Results};
use crate::document::{self, Item, Placeholder};
use crate::evidence::{Evidence, Scope, TestCounts};
use crate::project::Poc;
use crate::workspace::Workspace;
use crate::workspace::graph::relative_text;

pub use completion::{Blocker, summary_row};
pub use criteria::{ConfirmedBy, CriterionStatus, ProofStatus, is_same_criterion, is_test};
pub use files::{FileAction, FileState, FileStatus};
pub use other_plans::{NamedPaths, OtherPlans};
pub use state::State;
pub(crate) use state::{EvidenceState, evidence_state};
use state::{Work, failed_since_done, step_status, unconfirmed, whole};

/// The states of one PoC and its parts.
#[derive(Debug)]
pub struct Assessment {
    /// Its name.
    pub name: String,
    /// The plan below the workspace root.
    pub plan: String,
    /// The results below the workspace root; `None` where the file is missing.
    pub results: Option<String>,
    /// Its type, as the plan writes it.
    pub kind: Option<String>,
    /// The whole.
    pub state: State,
    /// The base's commit id.
    pub base: Option<String>,
    /// What the results' Summary claims.
    pub summary: Summary,
    /// The plan's steps in order.
    pub steps: Vec<StepStatus>,
    /// The plan's criteria in order.
    pub criteria: Vec<CriterionStatus>,
    /// Ticked and all: the plan's criteria.
    pub plan_criteria: Ticks,
    /// Ticked and all: the results' criteria.
    pub results_criteria: Ticks,
    /// Ticked and all: the Production-Grade Checklist.
    pub checklist: Ticks,
    /// The Files table against the change.
    pub files: Vec<FileStatus>,
    /// The Dependencies section against the manifests.
    pub dependencies: Vec<DependencyStatus>,
    /// Tests then and now.
    pub tests: TestStatus,
    /// The contract, and how the plan differs from it.
    pub contract: ContractState,
    /// Placeholders left in both documents.
    pub placeholders: usize,
    /// The first placeholder: document and line.
    pub(crate) first_placeholder: Option<(String, usize)>,
    /// What keeps the results from saying Complete, besides what is not proven.
    pub(crate) completion_blocker: Option<Blocker>,
    /// Whether the documents lie in a workspace; without one, no evidence can be compared.
    pub(crate) in_workspace: bool,
    /// Whether the Summary calls the work neither complete nor withdrawn.
    pub(crate) is_open: bool,
    /// What the runs show that belong to no step.
    pub(crate) runs: Runs,
}

/// What the runs show that belong to no step.
#[derive(Debug)]
pub(crate) struct Runs {
    /// Whether the plan has a baseline command and no whole baseline is recorded.
    pub(crate) needs_baseline: bool,
    /// What the last run of the done block shows; `None` where the plan has no such block.
    pub(crate) done: Option<EvidenceState>,
    /// Why the last run of the baseline is no baseline.
    pub(crate) baseline_failure: Option<String>,
    /// The scope of the last run of affected or all tests, where it failed and the done block has not passed since.
    pub(crate) failed_since_done: Option<Scope>,
    /// The first run that waits for a person, and the name of its command for `--confirm`.
    pub(crate) unconfirmed: Option<(Scope, String)>,
}

/// What the results' Summary says, as written.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// The Status row.
    pub status: Option<String>,
    /// The Started row.
    pub started: Option<String>,
    /// The Completed row.
    pub completed: Option<String>,
}

/// One step.
#[derive(Debug)]
pub struct StepStatus {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: State,
    /// Its tasks.
    pub tasks: Ticks,
    /// The reason for the state, unless it is obvious.
    pub why: Option<String>,
    /// The line of its heading in the plan.
    pub line: usize,
    /// Whether the plan has a command that verifies it.
    pub(crate) has_commands: bool,
    /// What its last run shows.
    pub(crate) evidence: EvidenceState,
    /// Whether it is proven and its block of the results does not call it complete.
    pub(crate) needs_done_mark: bool,
}

/// Ticked boxes of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ticks {
    /// Ticked.
    pub checked: usize,
    /// All.
    pub total: usize,
}

/// One declared dependency.
#[derive(Debug, Clone, Serialize)]
pub struct DependencyStatus {
    /// Its manifest below the workspace root.
    pub manifest: String,
    /// Its name.
    pub name: String,
    /// `normal`, `dev`, `build`, `workspace` or `feature`.
    pub kind: &'static str,
    /// `None` without a workspace.
    pub state: Option<DependencyState>,
}

/// A declared dependency compared with its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyState {
    /// The manifest has what the plan wants.
    Present,
    /// The manifest lacks it.
    Missing,
    /// The manifest has it, and the plan wants more of it.
    Incomplete,
    /// Plan and manifest exclude each other.
    Conflict,
    /// The plan describes it and does not ask for it.
    Described,
    /// The plan's entry cannot be applied as written.
    Invalid,
}

impl DependencyState {
    /// The word for it, the same in every report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Incomplete => "incomplete",
            Self::Conflict => "conflict",
            Self::Described => "described",
            Self::Invalid => "invalid",
        }
    }
}

impl From<&deps::State> for DependencyState {
    fn from(state: &deps::State) -> Self {
        match state {
            deps::State::Present => Self::Present,
            deps::State::Missing => Self::Missing,
            deps::State::Incomplete(_) => Self::Incomplete,
            deps::State::Conflict(_) => Self::Conflict,
            deps::State::Described(_) => Self::Described,
            deps::State::Invalid(_) => Self::Invalid,
        }
    }
}

/// Test counts.
#[derive(Debug, Clone, Default)]
pub struct TestStatus {
    /// The first whole baseline.
    pub baseline: Option<TestCounts>,
    /// The last run that ran tests.
    pub latest: Option<TestCounts>,
    /// The total that the results' Final Validation claims.
    pub claimed: Option<u64>,
}

/// What a PoC's status is computed from, beside its documents.
pub struct Context<'a> {
    /// The workspace; `None` for documents that lie in none.
    pub workspace: Option<&'a Workspace>,
    /// Where paths are shown from: the workspace root, else the current folder.
    pub root: &'a Utf8Path,
    /// Its evidence.
    pub evidence: &'a Evidence,
    /// What changed since its base; the error's text where that is not known.
    pub change: Result<&'a Change, String>,
    /// Its dependencies against the manifests; the error's text where they cannot be compared.
    pub dependencies: Result<deps::Outcome, String>,
    /// The present hashes of every input that its evidence names.
    pub inputs: &'a BTreeMap<String, String>,
    /// Checksums of records none of whose tests what changed since can affect.
    pub unaffected: &'a BTreeSet<String>,
    /// Whether the work tree, documents aside, is as HEAD has it.
    pub is_committed: bool,
    /// The contract, and how the plan differs from it.
    pub contract: &'a ContractState,
    /// Settings; they tell plans and results from other files.
    pub config: &'a Config,
    /// What the other plans of the folder name.
    pub other_plans: &'a OtherPlans,
    /// Whether findings carry their fixes, which requires reading the documents again.
    pub fixes: bool,
}

impl Context<'_> {
    /// `path` as reports show it: from [`Self::root`], with `/`.
    #[must_use]
    pub fn shown(&self, path: &Utf8Path) -> String {
        relative_text(self.root, path)
    }
}

/// Computes the states of a PoC. Reads only what it is given, and whether planned files exist.
#[must_use]
pub fn assess(poc: &Poc, cx: &Context<'_>) -> Assessment {
    let results = poc.results.as_ref().map(|(_, results)| results);
    let recorded = results.iter().flat_map(|results| &results.steps).rev();
    let recorded: HashMap<&str, &ResultStep> =
        recorded.map(|step| (step.id.as_str(), step)).collect();
    let files = files::files(poc, cx);
    let work = Work::of(&poc.plan, &files);
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
    Assessment {
        name: poc.paths.name.clone(),
        plan: cx.shown(&poc.paths.plan),
        results: results.map(|_| cx.shown(&poc.paths.results)),
        kind: poc.plan.kind.clone(),
        state: whole(poc, &steps, &criteria, &runs),
        base: poc.plan.base.clone(),
        summary: summary(results),
        plan_criteria: ticks(&poc.plan.criteria),
        results_criteria: results.map_or(Ticks::default(), |results| ticks(&results.criteria)),
        checklist: ticks(&poc.plan.checklist),
        files,
        criteria,
        dependencies: dependencies(poc, cx),
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

impl Assessment {
    /// How many of the steps that were not withdrawn are proven, of how many.
    #[must_use]
    pub fn proven(&self) -> (usize, usize) {
        let count =
            |wanted: fn(State) -> bool| self.steps.iter().filter(|step| wanted(step.state)).count();
        (
            count(|state| state == State::Proven),
            count(|state| state != State::Withdrawn),
        )
    }
}

impl Assessment {
    /// How many criteria are proven.
    #[must_use]
    pub fn proven_criteria(&self) -> usize {
        let criteria = self.criteria.iter();
        criteria
            .filter(|criterion| criterion.state == State::Proven)
            .count()
    }
}

fn runs(poc: &Poc, cx: &Context<'_>) -> Runs {
    Runs {
        needs_baseline: state::has_command(&poc.plan.baseline) && cx.evidence.baseline().is_none(),
        done: state::has_command(&poc.plan.done).then(|| evidence_state(poc, cx, &Scope::Done)),
        baseline_failure: cx
            .evidence
            .last(&Scope::Baseline)
            .filter(|_| cx.evidence.baseline().is_none())
            .map(state::failure),
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

fn ticks(items: &[Item]) -> Ticks {
    Ticks {
        checked: items.iter().filter(|item| item.checked).count(),
        total: items.len(),
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

/// What the plan declares, in blocks that can be read, without the manifests to compare it with.
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
            .and_then(|results| results.validation.total)
            .map(|total| total.value),
    }
}
