//! The states of a PoC and its parts.

use std::fmt;

use serde::{Serialize, Serializer};

use super::completion::Blocker;
use crate::contract::ContractState;
use crate::deps;
use crate::document::Item;
use crate::document::proof::Proof;
use crate::document::quarantine::Quarantined;
use crate::evidence::{Scope, Strength, TestCounts};

/// The states of one PoC and its parts.
#[derive(Debug)]
pub struct Assessment {
    /// Its name.
    pub name: String,
    /// The plan's path relative to the workspace root.
    pub plan: String,
    /// The results' path relative to the workspace root; `None` if the file is missing.
    pub results: Option<String>,
    /// Its type, as in the plan.
    pub kind: Option<String>,
    /// The state of the whole PoC.
    pub state: State,
    /// The base's commit id.
    pub base: Option<String>,
    /// What the results' Summary claims.
    pub summary: Summary,
    /// The configurations that the plan requires.
    pub configurations: Vec<String>,
    /// The plan's steps in order.
    pub steps: Vec<StepStatus>,
    /// The plan's criteria in order.
    pub criteria: Vec<CriterionStatus>,
    /// The ticks of the plan's criteria.
    pub plan_criteria: Ticks,
    /// The ticks of the results' criteria.
    pub results_criteria: Ticks,
    /// The Production-Grade Checklist in order.
    pub checklist: Vec<ChecklistStatus>,
    /// The states of planned and changed files.
    pub files: Vec<FileStatus>,
    /// The states of the planned dependencies.
    pub dependencies: Vec<DependencyStatus>,
    /// Tests in quarantine.
    pub quarantine: Vec<QuarantineStatus>,
    /// Test counts of the baseline, the last run and the claim.
    pub tests: TestStatus,
    /// The contract, and how the plan differs from it.
    pub contract: ContractState,
    /// The number of placeholders in both documents.
    pub placeholders: usize,
    /// The first placeholder: document and line.
    pub(crate) first_placeholder: Option<(String, usize)>,
    /// A problem of the results that prevents Complete, apart from unproven parts.
    pub(crate) completion_blocker: Option<Blocker>,
    /// Whether the documents are in a workspace; without one, evidence cannot be compared.
    pub(crate) in_workspace: bool,
    /// Whether the Summary is neither complete nor withdrawn.
    pub(crate) is_open: bool,
    /// Results of runs that belong to no step.
    pub(crate) runs: Runs,
}

impl Assessment {
    /// The numbers of proven steps and of steps that are not withdrawn.
    #[must_use]
    pub fn proven(&self) -> (usize, usize) {
        let count =
            |wanted: fn(State) -> bool| self.steps.iter().filter(|step| wanted(step.state)).count();
        (
            count(|state| state == State::Proven),
            count(|state| state != State::Withdrawn),
        )
    }
    /// The number of proven criteria.
    #[must_use]
    pub fn proven_criteria(&self) -> usize {
        let criteria = self.criteria.iter();
        criteria
            .filter(|criterion| criterion.state == State::Proven)
            .count()
    }
}

/// The state of a step or of the whole PoC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not started.
    Pending,
    /// Begun.
    InProgress,
    /// Marked as done, without evidence.
    Claimed,
    /// A recorded run passed, and nothing it depends on has changed.
    Proven,
    /// A recorded run passed, and something it depends on has changed.
    Stale,
    /// The last run failed.
    Failed,
    /// A person has to judge it.
    Unconfirmed,
    /// Removed from the plan.
    Withdrawn,
    /// A run has passed, but without the workspace it is unknown whether it is fresh.
    Unknown,
}

impl State {
    /// The name in every report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in progress",
            Self::Claimed => "claimed",
            Self::Proven => "proven",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
            Self::Withdrawn => "withdrawn",
            Self::Unknown => "unknown",
        }
    }
}

/// The name; `null` for an unknown state.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => serializer.serialize_none(),
            known => serializer.serialize_str(known.word()),
        }
    }
}

/// Results of runs that belong to no step.
#[derive(Debug)]
pub(crate) struct Runs {
    /// Whether the plan has a baseline command but no complete baseline is recorded.
    pub(crate) needs_baseline: bool,
    /// The evidence of the done block; `None` if the plan has none.
    pub(crate) done: Option<EvidenceState>,
    /// The state of the done block in each configuration that the plan requires.
    pub(crate) done_in: Vec<ConfigurationStatus>,
    /// Why the last run of the baseline is not a baseline.
    pub(crate) baseline_failure: Option<String>,
    /// The scope of the last run of affected or all tests, if it failed and the done block has not passed since.
    pub(crate) failed_since_done: Option<Scope>,
    /// The first run that needs a confirmation, and the id of its command for `--confirm`.
    pub(crate) unconfirmed: Option<(Scope, String)>,
}

/// The evidence of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EvidenceState {
    Nothing,
    Proven,
    /// Passed, except for results that need a confirmation, with the id for `--confirm`.
    Unconfirmed(String),
    Stale(String),
    /// Passed, but the plan has other commands now.
    OtherCommands,
    Failed(String),
    /// Passed, but its inputs are not available.
    Unknown,
}

/// The Summary of the results, as written.
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
    /// Its state in each configuration that the plan requires; none for a step without tests.
    pub configurations: Vec<ConfigurationStatus>,
    /// The outcomes of mutants in its last run that had some.
    pub strength: Option<StrengthStatus>,
    /// Whether the plan has a command that verifies it.
    pub(crate) has_commands: bool,
    /// The evidence of its last run.
    pub(crate) evidence: EvidenceState,
    /// Whether it is proven but not marked as complete in the results.
    pub(crate) needs_done_mark: bool,
}

/// The recorded outcomes of mutants of a step.
#[derive(Debug, Clone)]
pub struct StrengthStatus {
    /// The outcomes.
    pub strength: Strength,
    /// Whether something has changed since that can affect them.
    pub is_stale: bool,
}

/// The state of a step in one configuration.
#[derive(Debug, Clone)]
pub struct ConfigurationStatus {
    /// The configuration.
    pub name: String,
    /// The state of the step in it.
    pub state: State,
    /// Why no run can prove it there.
    pub why: Option<String>,
}

/// The numbers of ticked and of all boxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ticks {
    /// Ticked.
    pub checked: usize,
    /// All.
    pub total: usize,
}

impl Ticks {
    pub(super) fn of(items: &[Item]) -> Self {
        Self {
            checked: items.iter().filter(|item| item.checked).count(),
            total: items.len(),
        }
    }
}

/// One success criterion of the plan.
#[derive(Debug)]
pub struct CriterionStatus {
    /// Its text, without markup.
    pub text: String,
    /// Its number among the plan's criteria, from 1, as in `--confirm criterion.1`.
    pub number: usize,
    /// Whether it is ticked in the plan or in the results.
    pub checked: bool,
    /// The line of the results that ticks it, if the plan does not.
    pub(crate) ticked_in_results: Option<usize>,
    /// Its state: proven if all of its proofs are.
    pub state: State,
    /// The reason if it is not proven.
    pub why: Option<String>,
    /// Its proofs.
    pub proven_by: Vec<ProofStatus>,
    /// Its line in the plan.
    pub line: usize,
}

impl CriterionStatus {
    /// Whether it only needs a person's confirmation.
    #[must_use]
    pub fn waits_for_confirmation(&self) -> bool {
        let mut open = self.proven_by.iter();
        let mut open = open
            .by_ref()
            .filter(|proof| proof.state != State::Proven)
            .peekable();
        open.peek().is_some() && open.all(|proof| proof.proof == Proof::Person)
    }
}

/// One item of the Production-Grade Checklist.
#[derive(Debug)]
pub struct ChecklistStatus {
    /// Its text, without markup.
    pub text: String,
    /// Its place in the checklist, from 1: `--confirm checklist.1`.
    pub number: usize,
    /// Its line in the plan.
    pub line: usize,
    /// Whether it is ticked.
    pub checked: bool,
    /// What a program checks of it; nothing where a person confirms it.
    pub claims: Vec<ChecklistClaim>,
    /// Its state.
    pub state: State,
    /// The reason if it is not proven.
    pub why: Option<String>,
    /// The confirmation, if a person gave one.
    pub confirmation: Option<ConfirmedBy>,
    /// The places that contradict it.
    pub contradictions: Vec<Contradiction>,
}

/// What a program can check of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecklistClaim {
    /// No `todo!`, `unimplemented!` or `dbg!` was added.
    NoStubs,
    /// No `unwrap` was added outside of tests.
    NoUnwraps,
    /// No `#[ignore]` was added.
    NoIgnoredTests,
    /// New public items are documented.
    Documented,
    /// No literal looks like a secret.
    NoSecrets,
    /// Each created file has a test.
    TestsExist,
}

/// A place that contradicts an item of the checklist.
#[derive(Debug)]
pub struct Contradiction {
    /// What it contradicts.
    pub claim: ChecklistClaim,
    /// The file below the workspace root.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// Its bytes, in the file; in the plan where the file itself is the place.
    pub span: Option<std::ops::Range<usize>>,
    /// What is there.
    pub what: String,
}

/// One proof of a criterion.
#[derive(Debug)]
pub struct ProofStatus {
    /// The kind of proof.
    pub proof: Proof,
    /// Its state.
    pub state: State,
    /// Why not.
    pub why: Option<String>,
    /// The confirmation, if a person gave one.
    pub confirmation: Option<ConfirmedBy>,
}

/// A person's confirmation of a criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedBy {
    /// The person's name, or the one given with `--by`.
    pub by: String,
    /// The time, RFC 3339.
    pub time: String,
    /// The commit at that time.
    pub commit: Option<String>,
}

/// A planned or changed file.
#[derive(Debug, Clone, Serialize)]
pub struct FileStatus {
    /// The path as in the plan, or relative to the workspace root.
    pub path: String,
    /// The planned action.
    pub action: FileAction,
    /// `None` without a base, or with an unknown action.
    pub state: Option<FileState>,
}

/// The planned action on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileAction {
    /// Create it.
    Create,
    /// Modify it.
    Modify,
    /// Delete it.
    Delete,
    /// Rename it.
    Rename,
    /// None, or an unknown action.
    None,
}

/// The state of a planned file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// Not done yet.
    Pending,
    /// Done as planned.
    Done,
    /// Planned as modified, but it does not exist.
    Missing,
    /// Changed, but not in the plan.
    Unplanned,
}

/// One declared dependency.
#[derive(Debug, Clone, Serialize)]
pub struct DependencyStatus {
    /// The path of its manifest relative to the workspace root.
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
    /// The manifest contains it as planned.
    Present,
    /// The manifest lacks it.
    Missing,
    /// The manifest contains it without a planned part.
    Incomplete,
    /// Plan and manifest contradict each other.
    Conflict,
    /// The plan describes it but does not add it.
    Described,
    /// The plan's entry cannot be applied as written.
    Invalid,
}

impl DependencyState {
    /// The name in every report.
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

/// A test in quarantine.
#[derive(Debug)]
pub struct QuarantineStatus {
    /// The row of the plan.
    pub row: Quarantined,
    /// Why it excuses nothing today; `None` where it does.
    pub objection: Option<String>,
}

/// Test counts.
#[derive(Debug, Clone, Default)]
pub struct TestStatus {
    /// The first complete baseline.
    pub baseline: Option<TestCounts>,
    /// The last run with tests.
    pub latest: Option<TestCounts>,
    /// The total that the results' Final Validation claims.
    pub claimed: Option<u64>,
}

impl fmt::Display for StrengthStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let so = if self.is_stale {
            " before the last change"
        } else {
            ""
        };
        write!(out, "{}{so}", self.strength)
    }
}
