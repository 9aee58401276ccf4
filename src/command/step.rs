//! `cargo poc step`: changes a step in plan and results together.

mod change;
mod close;
mod target;

use anyhow::Result;

pub(super) use self::close::close_after_run;
use self::close::done;
use self::target::{block, planned, report, target, with_block, words};
use super::summary;
use crate::cli::{self, Global, StepAction, StepTarget};
use crate::document::edit::Edits;
use crate::document::step_edit::{self, Note};
use crate::document::{Document, Status, StepId};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::now;
use crate::exit::Exit;
use crate::project::{Paths, Project};
use crate::sys::terminal::Terminal;

/// Runs one action on a step.
///
/// # Errors
/// A usage error: an unknown PoC or step, documents that cannot be edited. For `done`: no fresh passing evidence.
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
    Ok(Exit::Success)
}

/// Starts the step that `verify` is about to run, unless it has been started.
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
        "the contract of the plan; `cargo poc amend` changes it",
    )
}

/// Marks a step as in progress, and locks the plan when the first one starts. Returns whether anything changed, and whether
/// the plan was locked now.
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
        // A complete step stays complete.
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
        // One after the other: two notes may change the same place.
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
    Ok(Exit::Success)
}
