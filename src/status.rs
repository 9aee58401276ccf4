//! Where a PoC stands: computed from evidence and the workspace, never from a ticked box.
//!
//! In: a [`Poc`]'s documents, its evidence, the change since its base, and the hashes of what its evidence depended on,
//! as they are now. Out: [`Status`], which every report reads; there is no second computation.

mod files;
mod other_plans;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::Utf8Path;
use serde::Serialize;

use crate::change::Change;
use crate::config::Config;
use crate::contract::Standing;
use crate::deps;
use crate::document::results::{ResultStep, Results};
use crate::document::{self, Item};
use crate::evidence::{Evidence, Tests};
use crate::finding::{Code, Finding, Severity};
use crate::project::Poc;
use crate::workspace::Workspace;
use crate::workspace::graph::relative_text;

pub use files::{FileState, FileStatus};
pub use other_plans::{NamedPaths, OtherPlans};
pub use state::State;
pub(crate) use state::{EvidenceState, evidence_state, failed_since_done, unconfirmed};
use state::{step_status, whole};

/// Everything `status` knows of one PoC.
#[derive(Debug)]
pub struct Status {
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
    /// What was promised when the work began, and what became of it.
    pub contract: Standing,
    /// What is left to fill in, in both documents.
    pub placeholders: usize,
    /// Disagreements, by file and line.
    pub findings: Vec<Finding>,
    /// What to do next; `None` when nothing is left.
    pub next: Option<crate::next::Next>,
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
    /// Why the state is what it is, where that is not plain.
    pub why: Option<String>,
    /// The line of its heading in the plan.
    pub line: usize,
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
    /// `present`, `missing`, `incomplete`, `conflict`, `described` or `invalid`; `None` without a workspace.
    pub state: Option<&'static str>,
}

/// Test counts.
#[derive(Debug, Clone, Default)]
pub struct TestStatus {
    /// The first whole baseline.
    pub baseline: Option<Tests>,
    /// The last run that ran tests.
    pub latest: Option<Tests>,
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
    /// The hashes, as they are now, of every input that its evidence names.
    pub inputs: &'a BTreeMap<String, String>,
    /// Checksums of records none of whose tests what changed since can affect.
    pub unaffected: &'a BTreeSet<String>,
    /// How the plan stands to what was promised.
    pub contract: &'a Standing,
    /// Settings, which say what is a document of ours.
    pub config: &'a Config,
    /// What the other plans of the folder name.
    pub other_plans: &'a OtherPlans,
    /// Whether findings are to say how they can be mended; that takes reading the documents again.
    pub fixes: bool,
}

impl Context<'_> {
    /// `path` as reports show it: from [`Self::root`], with `/`.
    #[must_use]
    pub fn shown(&self, path: &Utf8Path) -> String {
        relative_text(self.root, path)
    }
}

impl Status {
    /// Computes the status. Pure: reads nothing but what it is given and whether planned files exist.
    #[must_use]
    pub fn of(poc: &Poc, cx: &Context<'_>) -> Self {
        let results = poc.results.as_ref().map(|(_, results)| results);
        let recorded = results.iter().flat_map(|results| &results.steps).rev();
        let recorded: HashMap<&str, &ResultStep> =
            recorded.map(|step| (step.id.as_str(), step)).collect();
        let steps = poc.plan.steps.iter().map(|step| {
            let recorded = recorded.get(step.id.as_str()).copied();
            step_status(poc, step, recorded, cx)
        });
        let steps: Vec<StepStatus> = steps.collect();
        let mut status = Self {
            name: poc.paths.name.clone(),
            plan: cx.shown(&poc.paths.plan),
            results: results.map(|_| cx.shown(&poc.paths.results)),
            kind: poc.plan.kind.clone(),
            state: State::Pending,
            base: poc.plan.base.clone(),
            summary: summary(results),
            plan_criteria: ticks(&poc.plan.criteria),
            results_criteria: results.map_or(Ticks::default(), |results| ticks(&results.criteria)),
            checklist: ticks(&poc.plan.checklist),
            files: files::files(poc, cx),
            dependencies: dependencies(poc, cx),
            tests: tests(cx.evidence, results),
            contract: cx.contract.clone(),
            placeholders: poc.plan.placeholders.len()
                + results.map_or(0, |results| results.placeholders.len()),
            findings: Vec::new(),
            next: None,
            steps,
        };
        status.state = whole(poc, &status.steps, cx);
        status.findings = crate::lint::findings(poc, &status, cx);
        status.next = crate::next::next(poc, &status, cx);
        status
    }

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

    /// Whether a finding gates; what is stale has an exit code of its own.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error && !is_stale(finding))
    }

    /// Whether anything proven has gone stale.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.findings.iter().any(is_stale)
    }
}

fn is_stale(finding: &Finding) -> bool {
    matches!(finding.code, Code::Stale | Code::OtherCommands)
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
            state: Some(state.label()),
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
    let latest = evidence
        .records
        .iter()
        .map(|located| &located.record)
        .filter(|record| record.tests.is_some());
    TestStatus {
        baseline: evidence.baseline().and_then(|record| record.tests),
        latest: latest
            .max_by_key(|record| record.moment())
            .and_then(|record| record.tests),
        claimed: results
            .and_then(|results| results.validation.total)
            .map(|total| total.value),
    }
}
