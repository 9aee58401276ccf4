//! `cargo poc step`: a step in plan and results together, aligned by id.

mod change;

use anyhow::Result;

use super::{summary, workset};
use crate::cli::{self, Global, StepAction, StepContent, StepTarget};
use crate::contract::{self, ContractState, Entry, Kind};
use crate::document::edit::Edits;
use crate::document::plan::Step;
use crate::document::results::ResultStep;
use crate::document::step_edit::{self, Note};
use crate::document::{Document, Item, Label, Results, Status, StepId};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::{self, Record, Scope, now};
use crate::exit::{self, Exit, with_exit};
use crate::project::{Paths, Poc, Project};
use crate::status::State;
use crate::sys::terminal::Terminal;

/// Runs one action on a step.
///
/// # Errors
/// Bad usage: an unknown PoC or step, documents that cannot be edited. For `done`: no fresh passing evidence.
pub fn run(global: &Global, arguments: &cli::Step, terminal: &mut Terminal) -> Result<Exit> {
    match &arguments.action {
        StepAction::Start(target) => start(global, target, terminal),
        StepAction::Done {
            target,
            force,
            reason,
        } => done(
            global,
            target,
            reason.as_deref().filter(|_| *force),
            terminal,
        ),
        StepAction::Note {
            target,
            issue,
            lesson,
            decision,
            deviation,
        } => {
            let notes = [
                (Note::Issue, issue),
                (Note::Lesson, lesson),
                (Note::Decision, decision),
                (Note::Deviation, deviation),
            ];
            let notes = notes
                .into_iter()
                .flat_map(|(note, texts)| texts.iter().map(move |text| (note, text)));
            let notes: Vec<(Note, String)> = notes
                .map(|(note, text)| Ok((note, words(text, "a note")?)))
                .collect::<Result<_>>()?;
            annotate(global, target, &notes, terminal)
        }
        StepAction::Withdraw { target, reason } => {
            change::withdraw(global, target, reason, terminal)
        }
        StepAction::Add {
            words,
            after,
            task,
            content,
        } => change::add(global, words, after.as_deref(), task, content, terminal),
        StepAction::Split {
            words,
            task,
            content,
        } => change::split(global, words, task, content, terminal),
    }
}

/// A text of the command line on one line.
fn words(text: &str, what: &str) -> Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(exit::usage(format!(
            "{what} says nothing; write what it is to say"
        )));
    }
    Ok(text)
}

/// A PoC and the arguments behind its name, which is optional where one PoC is open.
fn named<'w>(project: &Project, words: &'w [String], rest: usize) -> Result<(Paths, &'w [String])> {
    let (name, rest) = words.split_at(words.len().saturating_sub(rest));
    let poc = match name {
        [] => project.only_open()?.paths,
        [name, ..] => project.find(name)?,
    };
    Ok((poc, rest))
}

/// The PoC and the step of a command.
fn target(project: &Project, target: &StepTarget) -> Result<(Paths, StepId)> {
    if let [word] = &target.words[..]
        && !word.starts_with(|first: char| first.is_ascii_digit())
        && project.list()?.iter().any(|paths| paths.name == *word)
    {
        return Err(exit::usage(format!(
            "the step is missing: `{word}` is a PoC; name its step too, as in `{word} 1`"
        )));
    }
    let (paths, rest) = named(project, &target.words, 1)?;
    Ok((paths, StepId::new(&rest[0])))
}

/// A step of the plan that the work is held to.
fn planned<'p>(poc: &'p Poc, id: &StepId) -> Result<&'p Step> {
    let step = poc.step(id.as_str())?;
    if step.withdrawn {
        return Err(exit::usage(format!(
            "{} has withdrawn step {id}",
            poc.paths.plan
        )));
    }
    Ok(step)
}

/// The results with a block for a step, which is made where it is missing.
fn with_block(poc: &Poc, step: &Step) -> Result<(Document, Results)> {
    crate::document_update::reliable(poc)?;
    let (document, results) = document_update::results(poc)?;
    if results.steps.iter().any(|result| result.id == step.id) {
        return Ok((document.clone(), results.clone()));
    }
    let mut edits = Edits::new(document);
    step_edit::add_to_results(
        &mut edits,
        &poc.plan,
        results,
        &step.id,
        &step.title,
        "Pending",
    );
    let document = Document::from_text(document.path(), edits.apply()?);
    let results = crate::document::read_results(&document);
    Ok((document, results))
}

fn block<'r>(results: &'r Results, id: &StepId) -> Result<&'r ResultStep> {
    let block = results.steps.iter().find(|result| result.id == *id);
    block.ok_or_else(|| {
        exit::usage(format!(
            "the results cannot hold a block for step {id}; is a fence open in them?"
        ))
    })
}

fn start(global: &Global, arguments: &StepTarget, terminal: &mut Terminal) -> Result<Exit> {
    let project = Project::load(global)?;
    let (paths, id) = target(&project, arguments)?;
    let mode = Mode::of(arguments.dry_run);
    super::amend::warn_of_unknown_tests(&project, &project.read(paths.clone())?, terminal)?;
    let (changed, locked) = begin(&project, &paths, &id, mode, terminal)?;
    let what = format!("step {id}");
    report(&project, &paths, changed, mode, "Started", &what, terminal)?;
    if locked && mode == Mode::Write {
        report_lock(terminal)?;
    }
    Ok(Exit::Fine)
}

/// Starts a step that `verify` is about to run, if it is not begun.
///
/// # Errors
/// As for `step start`.
pub(super) fn start_before_run(
    project: &Project,
    paths: &Paths,
    id: &StepId,
    terminal: &mut Terminal,
) -> Result<()> {
    let (changed, locked) = begin(project, paths, id, Mode::Write, terminal)?;
    if changed {
        terminal.status("Started", format!("step {id} of {}", paths.name))?;
    }
    if locked {
        report_lock(terminal)?;
    }
    Ok(())
}

fn report_lock(terminal: &mut Terminal) -> Result<()> {
    terminal.status(
        "Locked",
        "what the plan promises; `cargo poc amend` changes it",
    )
}

/// Marks a step as in progress, and locks the plan with the first one. Says whether anything changed, and whether this
/// made the lock.
fn begin(
    project: &Project,
    paths: &Paths,
    id: &StepId,
    mode: Mode,
    terminal: &mut Terminal,
) -> Result<(bool, bool)> {
    document_update::change(project, paths, mode, terminal, |poc| {
        let step = planned(poc, id)?;
        let (document, results) = with_block(poc, step)?;
        let mut edits = Edits::new(&document);
        let block = block(&results, id)?;
        let claimed = block.status.as_ref().and_then(|status| status.status);
        // A step that is complete already stays so.
        if claimed != Some(Status::Complete) {
            let text = format!("In Progress ({})", now());
            step_edit::set_status(&mut edits, block, Status::InProgress, &text);
        }
        summary::begin(&mut edits, &results);
        let text = edits.apply()?;
        let with_lock = super::amend::locked(project, poc, &text)?;
        let locked = with_lock != text;
        let results = Some(with_lock);
        Ok((
            Texts {
                plan: None,
                results,
            },
            locked,
        ))
    })
}

/// Closes a step that is proven; any other step only with a reason to force it.
fn done(
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
            "no run has shown step {id}; `cargo poc status` says so until one has"
        ))?;
    }
    if mode == Mode::Write {
        project.refresh_repository();
        summary::complete(&project, &paths, terminal)?;
    }
    Ok(Exit::Fine)
}

/// Closes a step that `verify` has run if it is proven now; otherwise prints what it lacks.
///
/// # Errors
/// When a document cannot be read or written.
pub(super) fn close_after_run(
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
    if close(project, paths, id, None, Mode::Write, terminal)? {
        terminal.status("Closed", format!("step {id} of {}", paths.name))?;
    }
    Ok(())
}

/// Marks a step as complete in both documents: its open tasks ticked, its results filled in where nothing is written.
/// `forced` are a reason and its author where no run has shown the step.
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

/// Ticks a box that is empty. A mark of a person's own (`[-]`, `[~]`, `[>]`) and a text that is struck out say that the
/// task is not done, and stay.
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

/// Fills in what a run has shown where the results of a step say nothing yet.
fn fill(edits: &mut Edits<'_>, block: &ResultStep, record: &Record) {
    let took = evidence::format_duration(record.milliseconds);
    if let Some(tests) = record.tests {
        step_edit::fill(edits, block, Label::TestResults, &tests.to_string());
    }
    step_edit::fill(edits, block, Label::Result, &format!("proven in {took}"));
}

/// Why a step cannot be called done, and what to do.
fn unproven(name: &str, step: &crate::status::StepStatus) -> anyhow::Error {
    let word = step.state.word();
    let why = step
        .why
        .as_ref()
        .map_or(String::new(), |why| format!(" ({why})"));
    let id = &step.id;
    let error = anyhow::anyhow!(
        "step {id} is {word}{why}, and only what is proven is done; run `cargo poc verify {name} --step {id}`, or say why not with --force --reason"
    );
    let exit = if step.state == State::Stale {
        Exit::Stale
    } else {
        Exit::Findings
    };
    with_exit(exit, error)
}

/// The results with a note that a step was called done without proof; the same word of the same person is not repeated.
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

fn annotate(
    global: &Global,
    arguments: &StepTarget,
    notes: &[(Note, String)],
    terminal: &mut Terminal,
) -> Result<Exit> {
    let project = Project::load_without_git(global)?;
    let (paths, id) = target(&project, arguments)?;
    let mode = Mode::of(arguments.dry_run);
    let (changed, ()) = document_update::change(&project, &paths, mode, terminal, |poc| {
        let step = poc.step(id.as_str())?;
        let (mut document, mut results) = with_block(poc, step)?;
        // One after the other: two notes may go to one place.
        for (note, text) in notes {
            let mut edits = Edits::new(&document);
            step_edit::add_note(&mut edits, &results, block(&results, &id)?, *note, text);
            let changed = edits.apply()?;
            document = Document::from_text(document.path(), changed);
            results = crate::document::read_results(&document);
        }
        let results = Some(document.text().to_owned());
        Ok((
            Texts {
                plan: None,
                results,
            },
            (),
        ))
    })?;
    report(
        &project,
        &paths,
        changed,
        mode,
        "Noted",
        &format!("in step {id}"),
        terminal,
    )?;
    Ok(Exit::Fine)
}

/// Prints one line about the change.
fn report(
    project: &Project,
    paths: &Paths,
    changed: bool,
    mode: Mode,
    verb: &str,
    what: &str,
    terminal: &mut Terminal,
) -> Result<()> {
    let results = project.workspace.slashed(&paths.results);
    match (changed, mode) {
        (false, _) => terminal.status("Unchanged", format!("{what}: {results} says so already")),
        (true, Mode::DryRun) => Ok(()),
        (true, Mode::Write) => terminal.status(verb, format!("{what} of {}", paths.name)),
    }
}

/// New texts of both documents, with an amendment if the plan's change affects the contract.
struct Draft<'p> {
    poc: &'p Poc,
    plan: String,
    results: String,
}

impl Draft<'_> {
    /// What the contract has of one step follows the plan; other changes stay for `amend`.
    fn texts(self, id: &StepId, reason: &str, by: Option<&str>) -> Result<Texts> {
        let Self {
            poc,
            plan,
            mut results,
        } = self;
        let standing = ContractState::read(&results, &poc.paths.name);
        if let Some(agreed) = standing.agreed() {
            let document = Document::from_text(poc.plan_document.path(), plan.clone());
            let now = contract::Contract::of(&crate::document::read_plan(&document), None)?;
            let mut next = agreed.clone();
            match now.steps.get(id.as_str()) {
                Some(promises) => next.steps.insert(id.to_string(), promises.clone()),
                None => next.steps.remove(id.as_str()),
            };
            let changes = contract::compare::between(agreed, &next);
            if next != *agreed {
                let entry = Entry {
                    reason: Some(reason.to_owned()),
                    changes,
                    contract: Some(next),
                    ..Entry::new(Kind::Amend, &poc.paths.name, by.map(ToOwned::to_owned))
                };
                results = contract::append(&results, &entry)?;
            }
        }
        Ok(Texts {
            plan: Some(plan),
            results: Some(results),
        })
    }
}

/// What a new step holds, as the command line has it.
fn content(title: &str, content: &StepContent, tasks: &[String]) -> Result<step_edit::NewStep> {
    let goal = content
        .goal
        .as_deref()
        .map(|goal| words(goal, "--goal"))
        .transpose()?;
    Ok(step_edit::NewStep {
        title: words(title, "the title")?,
        goal,
        tasks: tasks
            .iter()
            .map(|task| words(task, "--task"))
            .collect::<Result<_>>()?,
        moved: Vec::new(),
        verification: content.verify.clone(),
    })
}
