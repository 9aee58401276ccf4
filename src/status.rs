//! Where a PoC stands: computed from evidence and the workspace, never from a ticked box.
//!
//! In: a [`Poc`]'s documents, its evidence, the change since its base, and the hashes of what its evidence depended on,
//! as they are now. Out: [`Status`], which every report reads; there is no second computation.

mod elsewhere;
mod files;
mod next;

use std::collections::{BTreeMap, HashMap};

use camino::Utf8Path;
use serde::{Serialize, Serializer};

use crate::change::Change;
use crate::check;
use crate::config::Config;
use crate::contract::Standing;
use crate::deps;
use crate::document::plan::Step;
use crate::document::results::{ResultStep, Results};
use crate::document::{self, Item};
use crate::evidence::{self, Evidence, Outcome, Record, Scope, Tests};
use crate::finding::{Code, Finding, Severity};
use crate::freshness;
use crate::project::Poc;
use crate::verify;
use crate::workspace::Workspace;
use crate::workspace::graph::relative_text;

pub use elsewhere::{Elsewhere, Named};
pub use files::{FileState, FileStatus};
pub use next::Next;
pub(crate) use next::is_unsaid;

/// The state of a step, or of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not begun.
    Pending,
    /// Begun.
    InProgress,
    /// Said to be done, without evidence.
    Claimed,
    /// Shown by a run of ours that is fresh.
    Proven,
    /// Shown once; something it depends on has changed.
    Stale,
    /// The last run failed.
    Failed,
    /// Taken out of the plan.
    Withdrawn,
    /// A run has shown it; whether that still holds cannot be told without the workspace.
    Unknown,
}

impl State {
    /// The word for it, the same in every report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in progress",
            Self::Claimed => "claimed",
            Self::Proven => "proven",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
            Self::Unknown => "unknown",
        }
    }
}

/// The word; what is unknown is `null`.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => serializer.serialize_none(),
            known => serializer.serialize_str(known.word()),
        }
    }
}

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
    pub next: Option<Next>,
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
pub struct Facts<'a> {
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
    /// How the plan stands to what was promised.
    pub contract: &'a Standing,
    /// Settings, which say what is a document of ours.
    pub config: &'a Config,
    /// What the other plans of the folder name.
    pub elsewhere: &'a Elsewhere,
    /// Whether findings are to say how they can be mended; that takes reading the documents again.
    pub fixes: bool,
}

impl Facts<'_> {
    /// `path` as reports show it: from [`Self::root`], with `/`.
    #[must_use]
    pub fn shown(&self, path: &Utf8Path) -> String {
        relative_text(self.root, path)
    }
}

impl Status {
    /// Computes the status. Pure: reads nothing but what it is given and whether planned files exist.
    #[must_use]
    pub fn of(poc: &Poc, facts: &Facts<'_>) -> Self {
        let results = poc.results.as_ref().map(|(_, results)| results);
        let recorded = results.iter().flat_map(|results| &results.steps).rev();
        let recorded: HashMap<&str, &ResultStep> =
            recorded.map(|step| (step.id.as_str(), step)).collect();
        let steps = poc.plan.steps.iter().map(|step| {
            let recorded = recorded.get(step.id.as_str()).copied();
            step_status(poc, step, recorded, facts)
        });
        let steps: Vec<StepStatus> = steps.collect();
        let mut status = Self {
            name: poc.paths.name.clone(),
            plan: facts.shown(&poc.paths.plan),
            results: results.map(|_| facts.shown(&poc.paths.results)),
            kind: poc.plan.kind.clone(),
            state: State::Pending,
            base: poc.plan.base.clone(),
            summary: summary(results),
            plan_criteria: ticks(&poc.plan.criteria),
            results_criteria: results.map_or(Ticks::default(), |results| ticks(&results.criteria)),
            checklist: ticks(&poc.plan.checklist),
            files: files::files(poc, facts),
            dependencies: dependencies(poc, facts),
            tests: tests(facts.evidence, results),
            contract: facts.contract.clone(),
            placeholders: poc.plan.placeholders.len()
                + results.map_or(0, |results| results.placeholders.len()),
            findings: Vec::new(),
            next: None,
            steps,
        };
        status.state = whole(poc, &status.steps, facts);
        status.findings = check::findings(poc, &status, facts);
        status.next = next::next(poc, &status, facts);
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

fn dependencies(poc: &Poc, facts: &Facts<'_>) -> Vec<DependencyStatus> {
    if facts.workspace.is_none() {
        return declared(poc);
    }
    let entries = facts
        .dependencies
        .iter()
        .flat_map(|outcome| &outcome.entries);
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

/// Why a step is stale though nothing it depends on has changed.
const OTHER_COMMANDS: &str = "the plan's commands have changed since it was verified";

/// What a record shows now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    Proven,
    /// All went well but for what a person has to look at, as `--confirm` calls it.
    Unconfirmed(String),
    Stale(String),
    /// It passed, and the plan has other commands now.
    OtherCommands,
    Failed(String),
    /// It passed, and what it depended on is not at hand.
    Unknown,
}

/// What the last record of a scope shows, given the commands the plan has for it now.
pub(crate) fn shown(poc: &Poc, facts: &Facts<'_>, scope: &Scope) -> Shown {
    let Some(record) = facts.evidence.last(scope) else {
        return Shown::Nothing;
    };
    let unconfirmed = record.outcome == Outcome::Unconfirmed
        && record.regressions.is_empty()
        && record.vanished.is_empty();
    if !record.proves() && !unconfirmed {
        return Shown::Failed(failure(record));
    }
    let planned = verify::planned(&poc.plan, scope);
    if !matches!(scope, Scope::Affected | Scope::Full)
        && verify::commands_hash(&planned) != record.commands
    {
        return Shown::OtherCommands;
    }
    if facts.workspace.is_none() {
        return Shown::Unknown;
    }
    let now = record
        .inputs
        .keys()
        .filter_map(|name| Some((name.clone(), facts.inputs.get(name)?.clone())));
    let changed = freshness::changed(&record.inputs, &now.collect());
    if changed.is_empty() {
        let manual = |check: &evidence::Check| check.manual && check.confirmed.is_none();
        return match record.checks.iter().position(manual) {
            Some(index) => Shown::Unconfirmed(verify::confirmation_id(scope, index)),
            None => Shown::Proven,
        };
    }
    Shown::Stale(format!(
        "changed since it was verified: {}",
        listed(&changed, 4)
    ))
}

fn failure(record: &Record) -> String {
    let named = |names: &BTreeMap<String, Vec<String>>| -> Vec<String> {
        names.values().flatten().cloned().collect()
    };
    let regressions = named(&record.regressions);
    let vanished = named(&record.vanished);
    let failing = named(&record.failing);
    if !regressions.is_empty() {
        format!(
            "the baseline passed what fails now: {}",
            listed(&regressions, 3)
        )
    } else if !vanished.is_empty() {
        format!(
            "the baseline passed what is gone now: {}",
            listed(&vanished, 3)
        )
    } else if !failing.is_empty() {
        format!("failing: {}", listed(&failing, 3))
    } else {
        match record.outcome {
            Outcome::NoTests => "no test matched its command".to_owned(),
            outcome => outcome.to_string(),
        }
    }
}

/// The first few of a list, and how many more.
fn listed(names: &[String], few: usize) -> String {
    let shown = names[..names.len().min(few)].join(", ");
    match names.len().saturating_sub(few) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn step_status(
    poc: &Poc,
    step: &Step,
    recorded: Option<&ResultStep>,
    facts: &Facts<'_>,
) -> StepStatus {
    let tasks = ticks(&step.tasks);
    let status = recorded.and_then(|result| result.status.as_ref()?.status);
    let withdrawn = step.withdrawn || recorded.is_some_and(|result| result.withdrawn);
    let withdrawn = withdrawn
        || matches!(
            status,
            Some(document::Status::Withdrawn | document::Status::Skipped)
        );
    let (state, why) = if withdrawn {
        (State::Withdrawn, None)
    } else {
        match shown(poc, facts, &Scope::Step(step.id.to_string())) {
            Shown::Proven => (State::Proven, None),
            Shown::Stale(why) => (State::Stale, Some(why)),
            Shown::OtherCommands => (State::Stale, Some(OTHER_COMMANDS.to_owned())),
            Shown::Failed(why) => (State::Failed, Some(why)),
            Shown::Unknown => (State::Unknown, None),
            Shown::Nothing => (claimed(step, recorded, status), None),
            Shown::Unconfirmed(id) => (
                claimed(step, recorded, status).max(State::InProgress),
                Some(format!("a person has to look at what {id} did")),
            ),
        }
    };
    StepStatus {
        id: step.id.to_string(),
        title: step.title.clone(),
        state,
        tasks,
        why,
        line: step.line,
    }
}

/// What people say of a step that no run has shown. A status line that says the step goes on outweighs a mark in the
/// heading and a list of what is completed so far; one that still says pending may have been forgotten.
fn claimed(step: &Step, recorded: Option<&ResultStep>, status: Option<document::Status>) -> State {
    let all_ticked = |items: &[Item]| !items.is_empty() && items.iter().all(|item| item.checked);
    let any_ticked = |items: &[Item]| items.iter().any(|item| item.checked);
    let marks = [
        step.mark.as_ref(),
        recorded.and_then(|result| result.mark.as_ref()),
    ];
    let marked = marks
        .into_iter()
        .flatten()
        .any(|mark| mark.status == document::Status::Complete);
    let tasks = recorded.map_or(&[][..], |result| &result.tasks);
    let goes_on = matches!(
        status,
        Some(document::Status::InProgress | document::Status::Blocked | document::Status::Failed)
    );
    if status == Some(document::Status::Complete)
        || all_ticked(&step.tasks)
        || !goes_on && (marked || all_ticked(tasks))
    {
        State::Claimed
    } else if any_ticked(&step.tasks)
        || any_ticked(tasks)
        || !matches!(status, None | Some(document::Status::Pending))
    {
        State::InProgress
    } else {
        State::Pending
    }
}

/// The state of the whole: the worst thing that is true of a part, and proven only when every part and the done block
/// are.
fn whole(poc: &Poc, steps: &[StepStatus], facts: &Facts<'_>) -> State {
    let status = poc
        .results
        .as_ref()
        .and_then(|(_, results)| results.status.as_ref()?.status);
    let any = |state: State| steps.iter().any(|step| step.state == state);
    let live = || steps.iter().filter(|step| step.state != State::Withdrawn);
    let done = shown(poc, facts, &Scope::Done);
    if matches!(
        status,
        Some(document::Status::Withdrawn | document::Status::Skipped)
    ) {
        State::Withdrawn
    } else if any(State::Failed)
        || matches!(done, Shown::Failed(_))
        || failed_since_done(facts).is_some()
    {
        State::Failed
    } else if any(State::Claimed) {
        State::Claimed
    } else if any(State::Stale) || matches!(done, Shown::Stale(_) | Shown::OtherCommands) {
        State::Stale
    } else if any(State::Unknown) {
        State::Unknown
    } else if live().next().is_some()
        && live().all(|step| step.state == State::Proven)
        && done == Shown::Proven
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

/// The first run that waits for a person, and what `--confirm` calls its command.
pub(crate) fn unconfirmed(poc: &Poc, facts: &Facts<'_>) -> Option<(Scope, String)> {
    let steps = poc.plan.steps.iter();
    let steps = steps.map(|step| Scope::Step(step.id.to_string()));
    let before = [Scope::Baseline, Scope::Prerequisites];
    let mut scopes = before.into_iter().chain(steps).chain([Scope::Done]);
    scopes.find_map(|scope| match shown(poc, facts, &scope) {
        Shown::Unconfirmed(id) => Some((scope, id)),
        _ => None,
    })
}

/// The scope of the last run of affected or all tests, where it failed and the done block has not passed since.
pub(crate) fn failed_since_done(facts: &Facts<'_>) -> Option<Scope> {
    let done = facts.evidence.last(&Scope::Done);
    let done = done.filter(|record| record.proves()).map(Record::moment);
    [Scope::Affected, Scope::Full].into_iter().find(|scope| {
        let last = facts.evidence.last(scope);
        last.is_some_and(|record| {
            !record.proves() && done.is_none_or(|done| record.moment() > done)
        })
    })
}
