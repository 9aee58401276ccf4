//! The states of steps: from evidence, otherwise from claims.

use super::assessment::{
    EvidenceState, FileState, FileStatus, State, StepStatus, StrengthStatus, Ticks,
};
use super::configurations::{self, unproven};
use super::context::Context;
use super::evidence_state::{evidence_state, listed};
use crate::document::plan::Step;
use crate::document::results::{ResultStep, StatusText};
use crate::document::{self, Block, HeadingMark, Item, Label};
use crate::evidence::{Record, Scope};
use crate::freshness;
use crate::freshness::since::Aspect;
use crate::project::Poc;
use crate::script::measure::shown;

/// Why a step is stale although none of its inputs has changed.
const OTHER_COMMANDS: &str = "the plan's commands have changed since it was verified";

/// The input for the states of steps, besides the step itself.
pub(super) struct Work<'a> {
    /// The files, with the rows of the Files table first and in order.
    pub(super) files: &'a [FileStatus],
    /// The step of each row.
    pub(super) steps_of_files: Vec<Option<usize>>,
    /// The index of the first step with tests.
    pub(super) first_with_tests: Option<usize>,
    /// Whether the plan is a task list of another tool.
    pub(super) foreign: bool,
}

impl<'a> Work<'a> {
    pub(super) fn of(poc: &Poc, files: &'a [FileStatus]) -> Self {
        let plan = &poc.plan;
        let mut live = plan.steps.iter();
        let last = live.rposition(|step| !step.withdrawn);
        let owner = |path: &str| {
            let mut steps = plan.steps.iter();
            let names =
                |item: &Item| names_path(&item.text, path) || names_path(&item.detail, path);
            steps.position(|step| !step.withdrawn && step.tasks.iter().any(names))
        };
        let rows = plan.files.iter();
        Self {
            files,
            steps_of_files: rows.map(|row| owner(&row.path).or(last)).collect(),
            first_with_tests: plan.steps.iter().position(|step| !has_no_tests(step)),
            foreign: poc.paths.is_foreign(),
        }
    }

    /// Why a passed run does not prove a step: unfinished planned files, or no test.
    fn missing(&self, index: usize, step: &Step, record: Option<&Record>) -> Option<String> {
        let files = self.files.iter().zip(&self.steps_of_files);
        let open = files.filter(|(file, owner)| {
            let undone = matches!(file.state, Some(FileState::Pending | FileState::Missing));
            undone && **owner == Some(index)
        });
        let open: Vec<String> = open.map(|(file, _)| format!("`{}`", file.path)).collect();
        if !open.is_empty() {
            return Some(format!("planned but not done: {}", listed(&open, 4)));
        }
        if self.foreign && !is_ticked(step) {
            return Some("its run passed, but its file does not mark it as done".to_owned());
        }
        let ran = record.and_then(|record| record.tests);
        let ran = ran.is_some_and(|tests| tests.passed + tests.failed > 0);
        let why = "its run passed without a test; write one, or add `**Tests**: none` to the step";
        (!ran && !has_no_tests(step)).then(|| why.to_owned())
    }

    /// Whether a step is a set-up step: it has no tests and precedes the first step with tests.
    fn is_set_up(&self, index: usize) -> bool {
        self.first_with_tests.is_some_and(|first| index < first)
    }
}

/// Whether the plan declares that a step has no tests: `**Tests**: none`.
fn has_no_tests(step: &Step) -> bool {
    let Some(field) = step.field(Label::Tests) else {
        return false;
    };
    let value = field.value.trim().trim_end_matches('.').to_lowercase();
    let none = ["none", "no tests", "n/a", "not applicable"]
        .iter()
        .any(|word| {
            let rest = value.strip_prefix(word);
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        });
    none && field.blocks.is_empty()
}

/// Whether a task list of another tool calls a step done: each task is ticked, and the status of the file is complete.
fn is_ticked(step: &Step) -> bool {
    let complete = |mark: &HeadingMark| mark.status == document::Status::Complete;
    let marked = step.mark.as_ref().map_or(!step.tasks.is_empty(), complete);
    marked && step.tasks.iter().all(|task| task.checked)
}

/// Whether a text contains a path that is not part of a longer one.
pub(crate) fn names_path(text: &str, path: &str) -> bool {
    let inside = |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '_' | '-');
    text.match_indices(path).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + path.len()..].chars();
        let next = after.next();
        let extension = next == Some('.') && after.next().is_some_and(char::is_alphanumeric);
        !before.is_some_and(|letter| inside(letter) || letter == '.')
            && !next.is_some_and(inside)
            && !extension
    })
}

pub(super) fn step_status(
    poc: &Poc,
    (index, step): (usize, &Step),
    recorded: Option<&ResultStep>,
    work: &Work<'_>,
    cx: &Context<'_>,
) -> StepStatus {
    let tasks = Ticks::of(&step.tasks);
    let status = recorded.and_then(|result| result.status.as_ref()?.status);
    // The plan decides: it is locked, and a status in the results is a claim.
    let withdrawn = step.withdrawn;
    let scope = Scope::Step(step.id.to_string());
    let evidence = evidence_state(poc, cx, &scope);
    let strength = strength(cx, &scope);
    let missing = || work.missing(index, step, cx.evidence.last(&scope));
    let no_tests = || has_no_tests(step).then(|| "the plan says that it has no tests".to_owned());
    let configurations = if withdrawn || has_no_tests(step) {
        Vec::new()
    } else {
        configurations::of_scope(poc, cx, &scope, &evidence)
    };
    let (state, why) = if withdrawn {
        (State::Withdrawn, None)
    } else {
        match evidence.clone() {
            EvidenceState::Proven => match missing().or_else(|| unproven(&configurations)) {
                Some(why) => (
                    claimed(step, recorded, status).max(State::InProgress),
                    Some(why),
                ),
                None => (
                    State::Proven,
                    no_tests()
                        .or_else(|| expected_failures(cx, &scope))
                        .into_iter()
                        .chain(measured(cx, &scope, None))
                        .chain(strength.as_ref().map(ToString::to_string))
                        .reduce(|one, other| format!("{one}; {other}")),
                ),
            },
            EvidenceState::Stale(_) if work.is_set_up(index) && missing().is_none() => {
                (State::Proven, no_tests())
            }
            EvidenceState::Stale(why) => (State::Stale, Some(why)),
            EvidenceState::OtherCommands => (State::Stale, Some(OTHER_COMMANDS.to_owned())),
            EvidenceState::Failed(why) => (State::Failed, Some(why)),
            EvidenceState::Unknown => (State::Unknown, None),
            EvidenceState::Nothing => (
                claimed(step, recorded, status),
                (work.foreign && step.verification.is_empty())
                    .then(|| "its tasks name no file, so no test can prove it".to_owned()),
            ),
            EvidenceState::Unconfirmed(id) => (
                State::Unconfirmed,
                Some(format!(
                    "the result of {id} needs a confirmation by a person"
                )),
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
        configurations,
        strength,
        has_commands: has_command(&step.verification),
        evidence,
        needs_done_mark: state == State::Proven && poc.is_open() && !is_marked_done(poc, step),
    }
}

/// The failed tests that the plan expects, for a step whose tests are written before the code.
fn expected_failures(cx: &Context<'_>, scope: &Scope) -> Option<String> {
    let record = &cx.evidence.last_located(scope)?.record;
    let failed = record.checks.iter().filter_map(|check| check.tests);
    let failed: u64 = failed.map(|tests| tests.failed).sum();
    (failed > 0).then(|| format!("{failed} failed, as the plan expects"))
}

/// The outcomes of mutants in the last run of a scope that had some.
fn strength(cx: &Context<'_>, scope: &Scope) -> Option<StrengthStatus> {
    let located = cx.evidence.last_with_strength(scope)?;
    let strength = located.record.strength.as_ref()?;
    let changed = freshness::changed_of(&located.record.inputs, cx.inputs);
    Some(StrengthStatus {
        strength: strength.clone(),
        is_stale: !changed.is_empty() && !cx.is_unaffected(located, Aspect::Strength),
    })
}

/// The values that the last run of a scope measured, in all commands or in the one with this number, from 1.
pub(super) fn measured(cx: &Context<'_>, scope: &Scope, number: Option<usize>) -> Option<String> {
    let checks = &cx.evidence.last_located(scope)?.record.checks;
    let checks = checks.iter().enumerate();
    let counts = |index: usize| number.is_none_or(|number| index + 1 == number);
    let checks = checks.filter(|(index, _)| counts(*index));
    let values: Vec<String> = checks
        .flat_map(|(_, check)| &check.measured)
        .map(shown)
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Whether a shell block contains a command.
pub(super) fn has_command(blocks: &[Block]) -> bool {
    let command = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut blocks = blocks.iter().filter(|block| block.is_shell());
    blocks.any(|block| block.code.lines().any(command))
}

/// Whether the results mark the step as complete.
fn is_marked_done(poc: &Poc, step: &Step) -> bool {
    let mut results = poc.results.iter().flat_map(|(_, results)| &results.steps);
    let block = results.find(|block| block.id == step.id);
    let complete = |status: &StatusText| status.status == Some(document::Status::Complete);
    block.is_none_or(|block| block.status.as_ref().is_some_and(complete))
}

/// The claimed state of a step without evidence. The status "in progress" takes precedence over a mark in the heading and over
/// ticked results; the status "pending" does not, because it may be outdated.
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
