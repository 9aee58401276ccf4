//! `cargo poc verify --partition M/N`, and the matrix of its jobs.
//!
//! Every machine computes the whole selection and its partition from the commit. Data of a single machine, such as collected
//! coverage, is not used.

use anyhow::Result;
use serde::Serialize;

use super::job::Job;
use super::record::{Before, source};
use super::reports::FinishedRun;
use super::request::{all_readable, runner, selected, selection, words};
use crate::affected::failed::TestNames;
use crate::affected::{self, Selection};
use crate::change::{self, Change};
use crate::cli;
use crate::cli::reports::VerifyReport;
use crate::evidence::{self, Outcome, Scope};
use crate::exit::{self, Exit};
use crate::freshness;
use crate::project::{Poc, Project};
use crate::report;
use crate::report::run::RecordedRun;
use crate::sys::terminal::Terminal;
use crate::sys::{cargo, exec};
use crate::verify::binaries::Binaries;
use crate::verify::deal::{Deal, Recorded, Work, digest};
use crate::verify::partition::Partition;
use crate::verify::runner::{archive, compiles};
use crate::verify::shard::Identity;
use crate::verify::{self, Invocation, RecordContext};
use crate::workspace::Workspace;

/// Checks what no selected test builds: without any, the changed packages too.
fn compiles_without_tests(
    workspace: &Workspace,
    all: &Selection,
    flags: &[String],
) -> Vec<Invocation> {
    let mut packages = all.not_built(workspace);
    if all.is_empty() {
        packages.extend(&all.touched);
    }
    compiles(workspace, all, &packages, flags)
}

/// Runs one shard and writes its report; nothing is recorded.
///
/// # Errors
/// As for `verify`, and when the report cannot be written.
pub(super) fn run(
    project: &Project,
    arguments: &cli::Verify,
    pocs: &[Poc],
    scope: Scope,
    partition: Partition,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let workspace = &project.workspace;
    let runner = runner(project, arguments.runner)?;
    let all = match scope {
        Scope::Full => suite(project)?,
        _ => selection(
            project,
            pocs,
            &[],
            arguments.base.as_deref(),
            &TestNames::new(),
        )?,
    };
    let built = archive(&arguments.arguments).is_some();
    let work = Work::of(workspace, &all, &recorded(project)?);
    let deal = Deal::new(&all, runner, &work, partition.count, built);
    let words = words(project, arguments, Some(partition));
    let mut checks = runner.selected(workspace, &deal.share(&all, partition), words, false);
    if partition.index == 1 && !built {
        checks.extend(compiles_without_tests(workspace, &all, words.flags));
    }
    let mut job = Job::of(scope, checks, all.packages(), None)?;
    if job.scope == Scope::Full {
        job.packages = (0..workspace.packages.len()).collect();
    }
    if arguments.list {
        return job.list(arguments, terminal);
    }
    for note in &all.notes {
        terminal.warn(note)?;
    }
    let of = report::human::affected::share(&all);
    terminal.status("Affected", format!("{of}; this is shard {partition}"))?;
    let toolchain = cargo::toolchain(&workspace.root)?;
    let repository = change::repository_of(workspace).ok();
    let before = Before::run(project, repository.as_ref(), &toolchain, &job.packages)?;
    let mut source = source(project, repository.as_ref());
    let binaries = Binaries::of(workspace);
    let mut options = job.options(project, arguments, pocs, &binaries, terminal)?;
    // The shards of targets are arbitrary: a failed target must not prevent the others from running.
    options.keep_going = true;
    exec::install_interrupt_handler()?;
    let ran = verify::run(&job.checks, &options, terminal)?;
    if ran.outcome() == Outcome::Interrupted {
        terminal.warn("interrupted; no report was written")?;
        return Ok(Exit::CouldNotRun);
    }
    let mut inputs = before.after(&ran.times, terminal)?;
    inputs.extend(freshness::configuration(workspace));
    if freshness::changed_while_it_ran(&inputs) {
        source.dirty = Some(true);
    }
    let identity = Identity {
        pocs: pocs.iter().map(|poc| poc.paths.name.clone()).collect(),
        scope: job.scope.clone(),
        runner: runner.name().to_owned(),
        arguments: arguments.arguments.clone(),
        selection: digest(workspace, &all),
    };
    let basis = RecordContext {
        poc: "",
        scope: job.scope.clone(),
        source,
        inputs,
        toolchain: &toolchain,
        baseline: None,
        failed_before: evidence::Names::new(),
        selection: (job.scope == Scope::Affected).then(|| selected(&all)),
    };
    let shard = ran.shard(
        workspace,
        partition,
        identity,
        deal.assigned(workspace),
        &basis,
    )?;
    report::human::verify::outcome(terminal, &shard.record)?;
    let wanted = arguments.report.iter();
    for wanted in wanted.filter(|wanted| wanted.format == VerifyReport::Shard) {
        shard.write(&wanted.file)?;
        terminal.status("Wrote", &wanted.file)?;
    }
    let exit = verify::exit(&shard.record);
    let selection = shard.record.selection;
    let ended = FinishedRun {
        scope: &job.scope,
        exit,
        selection,
        reused: 0,
        shadow: None,
        strength: None,
        records: &[RecordedRun::of(shard.record)],
        poc: None,
        ran: Some(&ran),
    };
    ended.report(project, arguments, terminal)?;
    Ok(exit)
}

/// One job of a matrix.
#[derive(Debug, Serialize)]
struct Entry {
    /// The argument of `verify --partition`.
    partition: Partition,
    index: usize,
    count: usize,
    /// The recorded duration of its tests; `null` without a record.
    seconds: Option<f64>,
}

/// GitHub's matrix format.
#[derive(Debug, Serialize)]
struct Matrix {
    include: Vec<Entry>,
}

/// Prints at most `shards` jobs that together run the affected tests or the whole suite.
///
/// # Errors
/// As for `affected`.
pub(in crate::command) fn matrix(
    project: &Project,
    arguments: &cli::Affected,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let Some(shards) = arguments.shards else {
        return Err(exit::usage(
            "--format matrix needs --shards N, the maximum number of jobs",
        ));
    };
    if !arguments.files.is_empty() {
        return Err(exit::usage(
            "--format matrix needs a base, because `cargo poc verify` compares with one; --files has none",
        ));
    }
    let all = if arguments.full {
        suite(project)?
    } else {
        let pocs = all_readable(project, arguments.name.as_deref(), &Scope::Affected)?;
        selection(
            project,
            &pocs,
            &[],
            arguments.base.as_deref(),
            &TestNames::new(),
        )?
    };
    for note in &all.notes {
        terminal.warn(note)?;
    }
    let runner = runner(project, arguments.runner)?;
    let work = Work::of(&project.workspace, &all, &recorded(project)?);
    let count = Deal::worthwhile(&all, runner, shards.get());
    let deal = Deal::new(&all, runner, &work, count, false);
    let include = (1..=count).map(|index| {
        let partition = Partition { index, count };
        let milliseconds = deal.work(&work, partition);
        #[expect(clippy::cast_precision_loss, reason = "tests do not take millennia")]
        let seconds = work.is_time.then(|| milliseconds as f64 / 1000.0);
        Entry {
            partition,
            index,
            count,
            seconds,
        }
    });
    let matrix = Matrix {
        include: include.collect(),
    };
    writeln!(terminal.out(), "{}", serde_json::to_string(&matrix)?)?;
    Ok(Exit::Success)
}

/// Every test, weighted by the number of tests in the sources if no duration is recorded.
fn suite(project: &Project) -> Result<Selection> {
    let workspace = &project.workspace;
    let manifests = workspace.packages.iter();
    let manifests = manifests.map(|package| package.manifest_path.clone());
    let everywhere = Change::of_files(manifests.collect());
    let told = affected::select_in(project, &everywhere, true)?;
    let mut all = Selection::everything(workspace);
    all.merge(told);
    Ok(all)
}

/// The recorded durations of the tests of each binary, from the evidence of all PoCs.
fn recorded(project: &Project) -> Result<Recorded> {
    let mut records = Vec::new();
    for paths in project.list()? {
        let evidence = project.read(paths)?.evidence().records;
        records.extend(evidence.into_iter().map(|located| located.record));
    }
    records.sort_by_key(|record| (record.moment(), record.poc.clone()));
    Ok(records
        .into_iter()
        .flat_map(|record| record.durations_ms)
        .collect())
}
