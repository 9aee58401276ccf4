//! Reuse of results: selected tests that passed before do not run again while nothing that they can reach has changed.
//!
//! Runs that become evidence reuse nothing: a record states what its own commands ran, so that it can be checked without the
//! target folder of the machine that wrote it.

use anyhow::{Context as _, Result};

use super::super::coverage;
use super::request::{quarantined, runner, words};
use crate::affected::Selection;
use crate::affected::failed::FailedTests;
use crate::cli;
use crate::document::proof::is_test;
use crate::evidence::Outcome;
use crate::freshness::passed::{self, ProvenTests, TreeState};
use crate::project::{Poc, Project};
use crate::sys::git::Repository;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::verify::binaries::Binaries;
use crate::verify::order::{self, EarlierRuns};
use crate::verify::runner::{archive, compiles_besides};
use crate::verify::{Invocation, Report, Runner};

/// The selected tests that do not run.
#[derive(Default)]
pub(super) struct Reuse {
    /// Their number.
    pub(super) count: usize,
    pub(super) proven: ProvenTests,
}

impl Reuse {
    /// Removes the tests that need not run from a selection.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub(super) fn of(
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        selection: &mut Selection,
    ) -> Result<Self> {
        let is_recorded = is_recorded(arguments, pocs);
        let is_wanted =
            project.config.reuse && !arguments.no_reuse && !arguments.scope.runs_failed_tests();
        if !is_wanted || is_recorded || !arguments.arguments.is_empty() || selection.is_empty() {
            return Ok(Self::default());
        }
        let failed = FailedTests::load(&project.workspace)?;
        let quarantined = quarantined(pocs);
        let refused = |binary: &str, test: &str| {
            failed.get(binary).is_some_and(|names| names.contains(test))
                || quarantined
                    .iter()
                    .any(|wanted| is_test(wanted, binary, test))
        };
        let narrow = |selection: &mut Selection| coverage::narrow(project, &[], true, selection);
        let runner = runner(project, arguments.runner)?.name();
        let proven = ProvenTests::find(project, runner, &refused, &narrow)?;
        let count = proven.remove_from(&project.workspace, selection);
        Ok(Self { count, proven })
    }

    /// Prints the number of tests that do not run, or why results cannot be reused.
    pub(super) fn show(&self, arguments: &cli::Verify, terminal: &mut Terminal) -> Result<()> {
        if let Some(why) = &self.proven.unknown {
            if arguments.import.is_some() {
                terminal.warn(format!("no imported result is reused: {why}"))?;
            } else {
                terminal.detail(format!("no result is reused: {why}"))?;
            }
        }
        if self.count == 0 {
            return Ok(());
        }
        let tests = counted(self.count, "test");
        terminal.status(
            "Reused",
            format!("{tests} that passed before and can reach nothing that has changed since (`--no-reuse` runs all)"),
        )
    }

    /// Prints how many tests ran, if others were reused.
    pub(super) fn sum_up(&self, report: &Report, terminal: &mut Terminal) -> Result<()> {
        if self.count > 0 {
            writeln!(
                terminal.out(),
                "ran {}, reused {}",
                report.counts().ran(),
                self.count
            )?;
        }
        Ok(())
    }
}

/// With `--import`: takes the results of another machine.
///
/// # Errors
/// When the file cannot be read, or the results cannot be kept.
pub(super) fn import(
    project: &Project,
    arguments: &cli::Verify,
    terminal: &mut Terminal,
) -> Result<()> {
    let Some(file) = &arguments.import else {
        return Ok(());
    };
    let runner = runner(project, arguments.runner)?.name();
    let imported = passed::import(project, runner, &project.folder.join(file));
    let (tests, unusable) =
        imported.with_context(|| format!("cannot use the results in {file}"))?;
    let tests = counted(tests, "test");
    terminal.status("Imported", format!("the results of {tests} from {file}"))?;
    match unusable {
        Some(why) => terminal.warn(format!("no imported result is reused: {why}")),
        None => Ok(()),
    }
}

/// With `--export`: writes the results for another machine.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn export(
    project: &Project,
    arguments: &cli::Verify,
    terminal: &mut Terminal,
) -> Result<()> {
    let Some(file) = &arguments.export else {
        return Ok(());
    };
    let runner = runner(project, arguments.runner)?.name();
    let tests = passed::export(project, runner, &project.folder.join(file))?;
    let tests = counted(tests, "test");
    terminal.status("Exported", format!("the results of {tests} to {file}"))
}

/// Whether a run becomes evidence of a plan.
pub(super) fn is_recorded(arguments: &cli::Verify, pocs: &[Poc]) -> bool {
    arguments.records() && !pocs.is_empty()
}

/// The invocations for a selection, in the order of what is known from earlier runs. Evidence compares whole binaries, which this
/// order would split.
pub(super) fn in_order(
    project: &Project,
    arguments: &cli::Verify,
    pocs: &[Poc],
    selection: Selection,
) -> Result<Vec<Invocation>> {
    let workspace = &project.workspace;
    let runner = runner(project, arguments.runner)?;
    let besides = compiles_besides(workspace, &selection, &project.cargo.flags);
    let is_recorded = is_recorded(arguments, pocs);
    // With --fail-fast, no call runs after one that failed.
    let together = !is_recorded && !arguments.fail_fast;
    let parts = if is_recorded {
        vec![selection]
    } else {
        let (passed, durations_ms) = passed::earlier_runs(workspace, runner.name());
        let earlier = EarlierRuns {
            passed,
            durations_ms,
        };
        order::parts(workspace, runner, &earlier, selection)
    };
    let words = words(project, arguments, None);
    let parts = parts.iter();
    let mut invocations: Vec<Invocation> = parts
        .flat_map(|part| runner.selected(workspace, part, words, together))
        .collect();
    // Without a test, the caller checks what the change touches.
    if !invocations.is_empty() && archive(words.extra).is_none() {
        invocations.extend(besides);
    }
    Ok(invocations)
}

/// The state of the work tree before a run; `None` if it cannot be compared later.
pub(super) fn before_run(
    project: &Project,
    repository: Option<&Repository>,
) -> Result<Option<TreeState>> {
    let Some(repository) = repository.filter(|_| project.config.reuse) else {
        return Ok(None);
    };
    Ok(TreeState::of(&project.workspace, repository)?.ok())
}

/// Keeps the tests that passed in a run which began in the state `before`.
///
/// # Errors
/// When git fails, a file cannot be read, or the results cannot be written.
pub(super) fn keep(
    project: &Project,
    runner: Runner,
    (report, binaries): (&Report, &Binaries<'_>),
    before: &TreeState,
    reuse: &Reuse,
    toolchain: &str,
) -> Result<()> {
    let mut checked = report.checked.iter();
    let compiled = checked.all(|one| one.observed.compile_errors.is_empty());
    let ended = matches!(
        report.outcome(),
        Outcome::Passed | Outcome::Failed | Outcome::Flaky
    );
    if !compiled || !ended {
        return Ok(());
    }
    let results = report.results(binaries);
    passed::keep(
        project,
        runner.name(),
        toolchain,
        before,
        &reuse.proven,
        &results,
    )
}
