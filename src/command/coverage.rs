//! `cargo poc affected --collect` and `--audit`, and the wrapper that runs a test during a collect run.

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8Path;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::affected::coverage::audit::audit;
use crate::affected::coverage::collect::{Collect, compiler, of_build};
use crate::affected::coverage::narrow::{self, Conditions, Narrowed};
use crate::affected::coverage::run;
use crate::affected::coverage::store::{State, Store};
use crate::affected::items::{Changed, CrateGraph, Graph, Uncached};
use crate::affected::{Selection, arguments as test_arguments};
use crate::cli::{Affected, AffectedFormat, RunCoveredTest};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::report;
use crate::sys::exec::{self, OutputChunk};
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::verify::Runner;
use crate::verify::runner::refuse_build_options;

/// Runs the suite once and keeps what each test executed; then, with `--audit`, holds the item graph against it.
///
/// # Errors
/// nextest is missing, the workspace does not build, or the form of its coverage is not known; for the audit alone, that
/// nothing is collected or the coverage is damaged.
pub fn run(project: &Project, command: &Affected, terminal: &mut Terminal) -> Result<Exit> {
    let json = match command.format {
        AffectedFormat::Human => false,
        AffectedFormat::Json => true,
        _ => {
            return Err(exit::usage(
                "--collect and --audit report as `--format human` or `--format json`",
            ));
        }
    };
    if command.collect {
        collect(project, &command.arguments, terminal)?;
    }
    if !command.audit {
        return Ok(Exit::Fine);
    }
    let started = Instant::now();
    let built = &project.workspace.target_directory;
    let store = Store::load(built)?
        .context("nothing is collected yet; `cargo poc affected --collect` runs the suite and keeps what each test executes")
        .or_exit(Exit::CouldNotRun)?;
    let lockfile = project.workspace.root.join("Cargo.lock");
    let now = project
        .repository()
        .and_then(|repository| State::of(&repository, &lockfile));
    if now.is_ok_and(|now| now.files != store.state.files) {
        terminal.warn("files have changed since the suite was run: items that are not as they were then are left out")?;
    }
    let graph = Graph::build(
        CrateGraph::of(&project.workspace),
        &Changed::default(),
        &Uncached,
    );
    let audit = audit(&project.workspace, &graph, &store);
    if json {
        report::coverage::audit_json(terminal, &audit, started.elapsed())?;
    } else {
        report::coverage::audit(terminal, &audit, started.elapsed())?;
    }
    if audit.pairs == 0 {
        return Err(anyhow!(
            "nothing was audited: no item that is as it was when the tests ran was run by a test; \
             `cargo poc affected --collect` makes it anew"
        ))
        .or_exit(Exit::CouldNotRun);
    }
    Ok(if audit.is_clean() {
        Exit::Fine
    } else {
        Exit::Findings
    })
}

/// Leaves out of a selection what, by what was collected, runs as it did; `arguments` are what the user gives the runner of
/// the tests, `cached` is as for the selection. What cannot be used is noted in the selection, which stays.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub fn narrow(
    project: &Project,
    arguments: &[String],
    cached: bool,
    selection: &mut Selection,
) -> Result<()> {
    // A test may have executed functions that it does not reach according to the sources.
    let is_source = |file: &String| Utf8Path::new(file).extension() == Some("rs");
    if selection.is_empty() && !selection.files.iter().any(is_source) {
        return Ok(());
    }
    let store = match Store::load(&project.workspace.target_directory) {
        Ok(Some(store)) => store,
        Ok(None) => return Ok(()),
        Err(error) => {
            selection
                .notes
                .push(format!("{error:#}; selecting from the sources alone"));
            return Ok(());
        }
    };
    let conditions = Conditions {
        toolchain: &compiler(&project.folder)?,
        built_with: &of_build(&[configured(project), arguments.to_vec()].concat()),
    };
    match narrow::narrow(project, &store, conditions, cached, selection)? {
        Narrowed::By(count) => selection.left_out += count,
        Narrowed::Not(why) => {
            selection
                .notes
                .push(format!("what was collected is not used: {why}"));
        }
    }
    Ok(())
}

/// What the workspace's configuration gives nextest.
fn configured(project: &Project) -> Vec<String> {
    let workspace = &project.workspace;
    test_arguments::nextest_packages(workspace, &workspace.configured_packages())
}

/// Says how many tests were left out, if any were.
///
/// # Errors
/// When standard error cannot be written.
pub fn left_out(terminal: &mut Terminal, selection: &Selection) -> Result<()> {
    if selection.left_out == 0 {
        return Ok(());
    }
    let left_out = counted(selection.left_out, "test");
    terminal.status(
        "Left out",
        format!("{left_out} that ran nothing of what changed since the suite was run"),
    )
}

/// Runs the suite once, instrumented, and keeps what each test executed; `arguments` are for nextest.
///
/// # Errors
/// As for [`run()`].
pub fn collect(project: &Project, arguments: &[String], terminal: &mut Terminal) -> Result<()> {
    exec::install_interrupt_handler()?;
    refuse_build_options(arguments, Runner::Nextest)?;
    let started = Instant::now();
    let collect = Collect::new(project, arguments)?;
    let into = project.workspace.slashed(collect.target());
    terminal.status(
        "Collecting",
        format!("what each test executes, instrumented, in {into}"),
    )?;
    let mut watch = Watch::new(terminal);
    let collected = collect.run(&mut |part| watch.see(part));
    watch.end(collected.is_err())?;
    report::coverage::collected(terminal, &project.workspace, &collected?, started.elapsed())
}

/// Hands on what cargo and nextest say, but counts tests that pass in place of naming each.
struct Watch<'t> {
    terminal: &'t mut Terminal,
    bar: Option<ProgressBar>,
    /// Under `--quiet`: suppressed output, in case it explains an error.
    kept: Vec<u8>,
}

impl<'t> Watch<'t> {
    fn new(terminal: &'t mut Terminal) -> Self {
        let bar = terminal
            .shows_progress()
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        if let Some(bar) = &bar {
            // The template is ours; a plain bar is no loss.
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {pos} tests collected {elapsed}")
            {
                bar.set_style(style);
            }
        }
        Self {
            terminal,
            bar,
            kept: Vec::new(),
        }
    }

    fn see(&mut self, part: OutputChunk<'_>) -> Result<()> {
        if is_pass(part.bytes) {
            if let Some(bar) = &self.bar {
                bar.inc(1);
            }
            return Ok(());
        }
        if self.terminal.quiet() {
            self.kept.extend_from_slice(part.bytes);
            return Ok(());
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| self.terminal.relay(part.bytes)),
            None => self.terminal.relay(part.bytes),
        }
    }

    fn end(self, failed: bool) -> Result<()> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if failed {
            self.terminal.relay(&self.kept)?;
        }
        Ok(())
    }
}

/// `        PASS [   0.012s] (1/3) package test` as nextest tells it.
fn is_pass(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"PASS [")
}

/// Runs one test for nextest and records the functions that it executed.
///
/// # Errors
/// When the test cannot be started, or what ran cannot be kept.
pub fn run_test(command: &RunCoveredTest) -> Result<Exit> {
    run::test(&command.words)
}
