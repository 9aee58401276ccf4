//! `verify --strength`: judges mutants of the changed code.

use anyhow::Result;

use super::super::{base, coverage};
use super::reports::FinishedRun;
use super::request::{bases, runner, settings};
use crate::affected::Selection;
use crate::change::{self, Change};
use crate::cli;
use crate::document::Item;
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
    let [poc] = pocs else {
        return Ok(None);
    };
    let commands = report.checked.iter().map(|checked| &checked.check);
    let has_passed = matches!(report.outcome(), Outcome::Passed | Outcome::Unconfirmed);
    if !is_wanted(arguments, scope, commands) || !has_passed {
        return Ok(None);
    }
    let tasks = match scope {
        Scope::Step(id) => &poc.step(id)?.tasks[..],
        _ => &[],
    };
    of_tasks(project, arguments, poc, tasks, terminal).map(Some)
}

/// Judges the mutants of the change of a plan, in the files that the tasks name, if they name any.
fn of_tasks(
    project: &Project,
    arguments: &cli::Verify,
    poc: &Poc,
    tasks: &[Item],
    terminal: &mut Terminal,
) -> Result<Strength> {
    let repository = change::repository_of(&project.workspace)?;
    let base = match base::of_poc(&repository, poc)? {
        Some(base) => base.commit,
        None => repository.default_base()?,
    };
    let mut change = Change::since(&repository, &base)?;
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
    let mut strength = measure(project, arguments, &change, terminal)?;
    if named.is_empty() {
        // New code of any package belongs to the step.
        strength.packages.clear();
    }
    Ok(strength)
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

/// Whether a run of these commands also judges mutants.
pub(super) fn is_wanted<'c>(
    arguments: &cli::Verify,
    scope: &Scope,
    commands: impl Iterator<Item = &'c Invocation>,
) -> bool {
    matches!(scope, Scope::Step(_) | Scope::Done) && (arguments.strength || is_required(commands))
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

/// Adds the strength to a record, and what the plan expects of it and it does not meet. Without a strength, that is not known.
pub(super) fn add_to(record: &mut Record, strength: Option<&Strength>) {
    let is_unknown = strength.is_none();
    if is_unknown && !matches!(record.outcome, Outcome::Passed | Outcome::Unconfirmed) {
        return;
    }
    for check in &mut record.checks {
        let expected = check.expected.iter().map(|text| Expectation::read(text));
        let limits: Vec<u64> = expected.flat_map(|expected| limits(&expected)).collect();
        let is_met = |percent: u64| strength.is_some_and(|strength| strength.meets(percent));
        for percent in limits.into_iter().filter(|percent| !is_met(*percent)) {
            let wanted = Assertion::Killed(percent);
            let so = strength.map_or_else(
                || "only steps and the done block judge mutants".to_owned(),
                ToString::to_string,
            );
            let unmet = format!("{wanted} expected, but {so}");
            let command = check.command.lines().next().unwrap_or_default();
            record.notes.push(format!("`{command}`: {unmet}"));
            check.unmet.push(unmet);
            let outcome = if is_unknown {
                Outcome::CouldNotRun
            } else {
                Outcome::Failed
            };
            check.outcome = check.outcome.max(outcome);
            record.outcome = record.outcome.max(outcome);
        }
    }
    record.strength = strength.cloned();
}
