//! `cargo poc affected --collect` and `--audit`, and the wrapper that runs a test during a collect run.

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::affected::Selection;
use crate::affected::coverage::arguments::of_configuration;
use crate::affected::coverage::audit::audit;
use crate::affected::coverage::collect::{Collect, compiler};
use crate::affected::coverage::narrow::{self, Conditions, Narrowed};
use crate::affected::coverage::run;
use crate::affected::coverage::store::{State, Store};
use crate::affected::items::{Changed, CrateGraph, Graph, Uncached};
use crate::cli::{Affected, AffectedFormat, RunCoveredTest};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::report;
use crate::sys::exec::{self, OutputChunk};
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::verify::Runner;
use crate::verify::runner::refuse_build_options;

/// Runs the suite once and stores its coverage. With `--audit`, checks the item graph against it.
///
/// # Errors
/// nextest is missing, the workspace does not build, or the format of the coverage is unknown. For the audit alone: no
/// coverage is collected, or it is damaged.
pub fn run(project: &Project, command: &Affected, terminal: &mut Terminal) -> Result<Exit> {
    let json = match command.format {
        AffectedFormat::Human => false,
        AffectedFormat::Json => true,
        _ => {
            return Err(exit::usage(
                "--collect, --import, --export and --audit support only `--format human` and `--format json`",
            ));
        }
    };
    let built = &project.workspace.target_directory;
    if let Some(file) = &command.import {
        let store = Store::parse(&files::read(&project.folder.join(file))?);
        let store = store.with_context(|| format!("cannot use the coverage in {file}"))?;
        store.save(built)?;
        let tests = counted(store.with_coverage().count(), "test");
        terminal.status("Imported", format!("the coverage of {tests} from {file}"))?;
    }
    if command.collect {
        collect(project, &command.arguments, command.update, terminal)?;
    }
    if !command.audit && command.export.is_none() {
        return Ok(Exit::Success);
    }
    let started = Instant::now();
    let built_with = of_configuration(&project.workspace, &command.arguments);
    let store = Store::load(built, &built_with)?
        .context("no coverage is collected; run `cargo poc affected --collect`")
        .or_exit(Exit::CouldNotRun)?;
    if let Some(file) = &command.export {
        files::keep(&project.folder.join(file), &store.bytes()?)?;
        terminal.status("Exported", file)?;
    }
    if !command.audit {
        return Ok(Exit::Success);
    }
    let lockfile = project.workspace.root.join("Cargo.lock");
    let now = project
        .repository()
        .and_then(|repository| State::of(&repository, &lockfile));
    if now.is_ok_and(|now| now.files != store.state.files) {
        terminal.warn(
            "files have changed since the coverage was collected: changed items are not checked",
        )?;
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
            "nothing was audited: every item that a test executed has changed since; \
             run `cargo poc affected --collect` again"
        ))
        .or_exit(Exit::CouldNotRun);
    }
    Ok(if audit.is_clean() {
        Exit::Success
    } else {
        Exit::Findings
    })
}

/// Removes tests from a selection that, according to the coverage, execute nothing that changed. `arguments` are those for the
/// test runner, `cached` is as for the selection. If the coverage cannot be used, the selection stays and gets a note.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub fn narrow(
    project: &Project,
    arguments: &[String],
    cached: bool,
    selection: &mut Selection,
) -> Result<()> {
    // A test may have executed functions and read files that the sources do not reach.
    if selection.is_empty() && selection.files.is_empty() {
        return Ok(());
    }
    let built_with = of_configuration(&project.workspace, arguments);
    let store = match Store::load(&project.workspace.target_directory, &built_with) {
        Ok(Some(store)) => store,
        Ok(None) => {
            if Store::exists_for_other_builds(&project.workspace.target_directory)? {
                let note = "coverage is collected for another configuration; selecting from the sources alone";
                selection.notes.push(note.to_owned());
            }
            return Ok(());
        }
        Err(error) => {
            selection
                .notes
                .push(format!("{error:#}; selecting from the sources alone"));
            return Ok(());
        }
    };
    let conditions = Conditions {
        toolchain: &compiler(&project.folder)?,
        built_with: &built_with,
    };
    match narrow::narrow(project, &store, conditions, cached, selection)? {
        Narrowed::By(count) => selection.left_out += count,
        Narrowed::Not(why) => {
            selection
                .notes
                .push(format!("the collected coverage is not used: {why}"));
        }
    }
    Ok(())
}

/// Prints how many tests were omitted, if any.
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
        format!("{left_out} that executed nothing that changed since the coverage was collected"),
    )
}

/// Runs the suite once with coverage and stores it; with `update`, without the tests that no change since the last collection can affect.
/// `arguments` are for nextest.
///
/// # Errors
/// As for [`run()`].
pub fn collect(
    project: &Project,
    arguments: &[String],
    update: bool,
    terminal: &mut Terminal,
) -> Result<()> {
    exec::install_interrupt_handler()?;
    refuse_build_options(arguments, Runner::Nextest)?;
    let started = Instant::now();
    let mut collect = Collect::new(project, arguments)?;
    if update {
        keep_unaffected(project, &mut collect, terminal)?;
    }
    let into = project.workspace.slashed(collect.target());
    terminal.status(
        "Collecting",
        format!("the coverage of each test, built in {into}"),
    )?;
    let mut watch = Watch::new(terminal);
    let collected = collect.run(&mut |part| watch.see(part));
    watch.end(collected.is_err())?;
    report::coverage::collected(terminal, &project.workspace, &collected?, started.elapsed())
}

/// Keeps the tests of the stored coverage that no change since can affect.
fn keep_unaffected(
    project: &Project,
    collect: &mut Collect<'_>,
    terminal: &mut Terminal,
) -> Result<()> {
    let (toolchain, built_with) = collect.conditions();
    let conditions = Conditions {
        toolchain: &toolchain,
        built_with: &built_with,
    };
    let why = match Store::load(&project.workspace.target_directory, &built_with) {
        Ok(Some(store)) => match narrow::unaffected(project, &store, conditions)? {
            Ok(tests) => {
                collect.keep(store, &tests);
                return Ok(());
            }
            Err(why) => why,
        },
        Ok(None) => "no coverage is collected".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    terminal.warn(format!("all tests run: {why}"))
}

/// Forwards the output of cargo and nextest, but counts passed tests instead of listing them.
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
            // The template is valid; otherwise use a plain bar.
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

/// Whether a line of nextest's output is `        PASS [   0.012s] (1/3) package test`.
fn is_pass(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"PASS [")
}

/// Runs one test for nextest and records the functions that it executed.
///
/// # Errors
/// When the test cannot be started, or its coverage cannot be stored.
pub fn run_test(command: &RunCoveredTest) -> Result<Exit> {
    run::test(&command.words)
}
