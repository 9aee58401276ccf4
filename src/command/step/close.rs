//! A step is called done: with fresh passing evidence, or with a reason to force it.

use anyhow::Result;

use super::super::{summary, workset};
use super::target::{block, planned, report, target, with_block, words};
use crate::cli::{Global, StepTarget};
use crate::contract::{self, ContractState, Entry, Kind};
use crate::document::edit::Edits;
use crate::document::results::ResultStep;
use crate::document::{Item, Label, Status, StepId, step_edit};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::{self, Record, Scope, now};
use crate::exit::{Exit, with_exit};
use crate::project::{Paths, Poc, Project};
use crate::status::{State, StepStatus};
use crate::sys::terminal::Terminal;

/// Closes a proven step; any other step needs a reason to force it.
pub(super) fn done(
    global: &Global,
    arguments: &StepTarget,
    forced: Option<&str>,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let mut project = Project::load(global)?;
    let (paths, id) = target(&project, arguments)?;
    let (poc, status) = workset::assess_one(&project, paths.clone())?;
    planned(&poc, &id)?;
    let mut steps = status.assessment.steps.iter();
    let step = steps.find(|step| step.id == id.as_str());
    let proven = step.is_some_and(|step| step.state == State::Proven);
    let forced = forced
        .filter(|_| !proven)
        .map(|reason| words(reason, "--reason"))
        .transpose()?;
    if let (Some(step), false, None) = (step, proven, &forced) {
        return Err(unproven(&paths.name, step));
    }
    let forced = match forced {
        Some(reason) => Some((reason, project.repository()?.author()?)),
        None => None,
    };
    let mode = Mode::of(arguments.dry_run);
    let changed = close(&project, &paths, &id, forced.as_ref(), mode, terminal)?;
    let what = format!("step {id}");
    report(&project, &paths, changed, mode, "Done", &what, terminal)?;
    if forced.is_some() {
        terminal.warn(format!(
            "no run has proven step {id}; `cargo poc status` shows this until one has"
        ))?;
    }
    if mode == Mode::Write {
        project.refresh_repository();
        summary::complete(&project, &paths, terminal)?;
    }
    Ok(Exit::Success)
}

/// Closes a step that `verify` has run if it is proven now; otherwise prints what is missing.
///
/// # Errors
/// When a document cannot be read or written.
pub(in super::super) fn close_after_run(
    project: &Project,
    paths: &Paths,
    id: &StepId,
    terminal: &mut Terminal,
) -> Result<()> {
    let (_, status) = workset::assess_one(project, paths.clone())?;
    let mut steps = status.assessment.steps.iter();
    let Some(step) = steps.find(|step| step.id == id.as_str()) else {
        return Ok(());
    };
    if step.state != State::Proven {
        let why = step
            .why
            .as_ref()
            .map_or(String::new(), |why| format!(": {why}"));
        return terminal.warn(format!("step {id} is {}{why}", step.state.word()));
    }
    if !paths.is_foreign() && close(project, paths, id, None, Mode::Write, terminal)? {
        terminal.status("Closed", format!("step {id} of {}", paths.name))?;
    }
    Ok(())
}

/// Marks a step as complete in both documents: ticks its open tasks and fills in empty results. `forced` are the reason and
/// the author if no run has proven the step.
fn close(
    project: &Project,
    paths: &Paths,
    id: &StepId,
    forced: Option<&(String, String)>,
    mode: Mode,
    terminal: &mut Terminal,
) -> Result<bool> {
    let (changed, ()) = document_update::change(project, paths, mode, terminal, |poc| {
        let step = planned(poc, id)?;
        let (document, results) = with_block(poc, step)?;
        let block = block(&results, id)?;
        let text = format!("Complete ({})", now());
        let (mut edits, mut in_plan) = (Edits::new(&document), Edits::new(&poc.plan_document));
        step_edit::set_status(&mut edits, block, Status::Complete, &text);
        step_edit::mark(
            &mut in_plan,
            step.mark.as_ref(),
            &step.heading,
            Status::Complete,
        );
        step.tasks
            .iter()
            .for_each(|task| tick_open(&mut in_plan, task));
        block
            .tasks
            .iter()
            .for_each(|task| tick_open(&mut edits, task));
        let evidence = evidence::read(document.text());
        let scope = Scope::Step(id.to_string());
        if let Some(record) = evidence.last(&scope).filter(|_| forced.is_none()) {
            fill(&mut edits, block, record);
        }
        summary::begin(&mut edits, &results);
        let mut text = edits.apply()?;
        if let Some((reason, by)) = forced {
            text = overridden(poc, &text, id, reason, Some(by))?;
        }
        let texts = Texts {
            plan: Some(in_plan.apply()?),
            results: Some(text),
        };
        Ok((texts, ()))
    })?;
    Ok(changed)
}

/// Ticks an empty box. A person's own mark (`[-]`, `[~]`, `[>]`) or struck out text means that the task is not done, and is
/// kept.
fn tick_open(edits: &mut Edits<'_>, task: &Item) {
    let text = edits.document().text();
    let empty = text
        .get(task.mark.clone())
        .is_some_and(|mark| mark.trim().is_empty());
    let behind = text.get(task.mark.end..task.span.end).unwrap_or_default();
    let behind = behind.trim_start_matches(']').trim_start();
    if empty && !behind.starts_with("~~") && !behind.starts_with("<del>") {
        edits.tick(task, true);
    }
}

/// Fills in the result of a run where the results of a step are empty.
fn fill(edits: &mut Edits<'_>, block: &ResultStep, record: &Record) {
    let took = evidence::format_duration(record.milliseconds);
    if let Some(tests) = record.tests {
        step_edit::fill(edits, block, Label::TestResults, &tests.to_string());
    }
    step_edit::fill(edits, block, Label::Result, &format!("proven in {took}"));
}

/// An error with the reason why a step cannot be closed, and the remedy.
fn unproven(name: &str, step: &StepStatus) -> anyhow::Error {
    let word = step.state.word();
    let why = step
        .why
        .as_ref()
        .map_or(String::new(), |why| format!(" ({why})"));
    let id = &step.id;
    let error = anyhow::anyhow!(
        "step {id} is {word}{why}; only a proven step can be closed: run `cargo poc verify {name} --step {id}`, or give a reason with --force --reason"
    );
    let exit = if step.state == State::Stale {
        Exit::Stale
    } else {
        Exit::Findings
    };
    with_exit(exit, error)
}

/// Records in the results that a step was closed without proof, unless the same record exists.
fn overridden(
    poc: &Poc,
    text: &str,
    id: &StepId,
    reason: &str,
    by: Option<&str>,
) -> Result<String> {
    let name = &poc.paths.name;
    let standing = ContractState::read(text, name);
    let mut known = standing.of(Kind::Override);
    if known.any(|entry| {
        entry.step.as_deref() == Some(id.as_str()) && entry.reason.as_deref() == Some(reason)
    }) {
        return Ok(text.to_owned());
    }
    let entry = Entry {
        step: Some(id.to_string()),
        reason: Some(reason.to_owned()),
        ..Entry::new(Kind::Override, name, by.map(ToOwned::to_owned))
    };
    contract::append(text, &entry)
}
