//! `verify --strength`: judges mutants of the changed code.

use anyhow::Result;

use super::super::{base, coverage};
use super::reports::FinishedRun;
use super::request::{bases, runner, settings};
use crate::affected::Selection;
use crate::change::{self, Change};
use crate::cli;
use crate::evidence::{Outcome, Record, Scope, Strength};
use crate::exit::{self, Exit};
use crate::project::{Poc, Project};
use crate::report;
use crate::script::expectation::{Assertion, Expectation};
use crate::status::names_path;
use crate::strength::{self, Tools};
use crate::sys::terminal::Terminal;
use crate::sys::{cargo, exec};
use crate::verify::{Invocation, Report, Runner};

/// Judges the mutants of the change on this branch, or of the named plan. Records nothing.
///
/// # Errors
/// As for [`strength::measure`]. Several open PoCs have different bases.
pub(super) fn of_change(
    project: &Project,
    arguments: &cli::Verify,
    pocs: &[Poc],
    terminal: &mut Terminal,
) -> Result<Exit> {
    let repository = change::repository_of(&project.workspace)?;
    let (bases, notes) = bases(&repository, pocs, arguments.base.as_deref())?;
    for note in notes {
        terminal.warn(note)?;
    }
    let mut bases = bases.into_iter();
    let (Some(base), None) = (bases.next(), bases.next()) else {
        return Err(exit::usage(
            "the open PoCs have different bases; name one of them, or pass its base with --base",
        ));
    };
    let change = Change::since(&repository, &base)?;
    let strength = measure(project, arguments, &change, terminal)?;
    report::human::verify::strength(terminal, &strength)?;
    let exit = exit_of(&strength);
    let ended = FinishedRun {
        scope: &Scope::Affected,
        exit,
        selection: None,
        reused: 0,
        shadow: None,
        strength: Some(&strength),
        records: &[],
        poc: None,
        ran: None,
    };
    ended.report(project, arguments, terminal)?;
    Ok(exit)
}

/// An escape is a fault of the selection, whatever the run proves.
pub(super) fn exit_of(strength: &Strength) -> Exit {
    if strength.escapes.is_empty() {
        Exit::Success
    } else {
        Exit::Findings
    }
}

/// Judges mutants after a step has passed, if the user or its plan asks for it.
///
/// # Errors
/// As for [`strength::measure`].
pub(super) fn of_run(
    project: &Project,
    arguments: &cli::Verify,
    pocs: &[Poc],
    (scope, report): (&Scope, &Report),
    terminal: &mut Terminal,
) -> Result<Option<Strength>> {
    let (Scope::Step(id), [poc]) = (scope, pocs) else {
        return Ok(None);
    };
    let commands = report.checked.iter().map(|checked| &checked.check);
    let is_wanted = arguments.strength || is_required(commands);
    let has_passed = matches!(report.outcome(), Outcome::Passed | Outcome::Unconfirmed);
    if !is_wanted || !has_passed {
        return Ok(None);
    }
    of_step(project, arguments, poc, id, terminal).map(Some)
}

/// Judges the mutants of the change of a plan, in the files that the tasks of a step name, if they name any.
fn of_step(
    project: &Project,
    arguments: &cli::Verify,
    poc: &Poc,
    id: &str,
    terminal: &mut Terminal,
) -> Result<Strength> {
    let repository = change::repository_of(&project.workspace)?;
    let base = match base::of_poc(&repository, poc)? {
        Some(base) => base.commit,
        None => repository.default_base()?,
    };
    let mut change = Change::since(&repository, &base)?;
    let tasks = &poc.step(id)?.tasks;
    let rows = poc.plan.files.iter().map(|row| &row.path);
    let named: Vec<_> = rows
        .filter(|path| {
            tasks.iter().any(|task| {
                names_path(&task.text, path.as_str()) || names_path(&task.detail, path.as_str())
            })
        })
        .map(|path| project.workspace.root.join(path))
        .collect();
    if !named.is_empty() {
        change.files.retain(|file| named.contains(&file.path));
    }
    measure(project, arguments, &change, terminal)
}

fn measure(
    project: &Project,
    arguments: &cli::Verify,
    change: &Change,
    terminal: &mut Terminal,
) -> Result<Strength> {
    exec::install_interrupt_handler()?;
    let settings = settings(project, arguments, "strength")?;
    let narrow =
        |copy: &Project, selection: &mut Selection| coverage::narrow(copy, &[], true, selection);
    let tools = Tools {
        settings: &settings,
        toolchain: &cargo::toolchain(&project.workspace.root)?,
        narrow: &narrow,
        separate_builds: arguments.separate_builds,
        apart: runner(project, arguments.runner)? == Runner::Nextest,
    };
    strength::measure(project, change, &tools, terminal)
}

/// Whether a command is expected to kill mutants.
fn is_required<'c>(commands: impl Iterator<Item = &'c Invocation>) -> bool {
    let mut expected = commands.flat_map(Invocation::expected);
    expected.any(|expected| !limits(&expected.meaning).is_empty())
}

/// The percentages of mutants that must be killed.
fn limits(expectation: &Expectation) -> Vec<u64> {
    let assertions = expectation.assertions().iter();
    assertions
        .filter_map(|assertion| match assertion {
            Assertion::Killed(percent) => Some(*percent),
            _ => None,
        })
        .collect()
}

/// Adds the strength to a record, and what the plan expects of it and it does not meet.
pub(super) fn add_to(record: &mut Record, strength: Option<&Strength>) {
    let Some(strength) = strength else { return };
    for check in &mut record.checks {
        let expected = check.expected.iter().map(|text| Expectation::read(text));
        let limits: Vec<u64> = expected.flat_map(|expected| limits(&expected)).collect();
        for percent in limits
            .into_iter()
            .filter(|percent| !strength.meets(*percent))
        {
            let wanted = Assertion::Killed(percent);
            let unmet = format!("{wanted} expected, but {strength}");
            let command = check.command.lines().next().unwrap_or_default();
            record.notes.push(format!("`{command}`: {unmet}"));
            check.unmet.push(unmet);
            check.outcome = check.outcome.max(Outcome::Failed);
            record.outcome = record.outcome.max(Outcome::Failed);
        }
    }
    record.strength = Some(strength.clone());
}
