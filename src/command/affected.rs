//! `cargo poc affected`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::base;
use crate::affected::failed::{FailedTests, TestNames};
use crate::affected::{self, Selection, TestTargetKind, arguments, nextest_filters};
use crate::change::Change;
use crate::cli::{Affected, AffectedFormat, Global};
use crate::document::StepId;
use crate::evidence::Scope;
use crate::exit::{self, Exit, OrExit as _};
use crate::freshness::since::Since;
use crate::project::{Ask, Project};
use crate::report;
use crate::sys::terminal::Terminal;
use crate::workspace::{Configuration, Workspace};

/// The change and the tests that it can affect.
struct Found {
    project: Project,
    change: Change,
    selection: Selection,
    /// [`Project::other_build`].
    other_build: Option<String>,
}

/// Prints the tests that the change, or the given files, can affect.
///
/// # Errors
/// A usage error (a base that does not exist, a file outside the workspace), or a failure to run git.
pub fn run(global: &Global, command: &Affected, terminal: &mut Terminal) -> Result<Exit> {
    if command.uses_coverage() {
        return super::coverage::run(&Project::load(global)?, command, terminal);
    }
    if let Some(count) = command.replay {
        return super::replay::run(&Project::load(global)?, command, count, terminal);
    }
    if let (Some(test), Some(good)) = (&command.culprit, &command.good) {
        return super::culprit::run(
            &Project::load(global)?,
            global,
            command,
            (test, good),
            terminal,
        );
    }
    if command.format == AffectedFormat::Matrix {
        return super::verify::shard::matrix(&Project::load(global)?, command, terminal);
    }
    if command.shards.is_some() || command.full {
        return Err(exit::usage("--shards and --full are for `--format matrix`"));
    }
    if command.benches
        && matches!(
            command.format,
            AffectedFormat::Nextest | AffectedFormat::Packages
        )
    {
        return Err(exit::usage(
            "--benches supports the formats human, args, names and json",
        ));
    }
    let started = Instant::now();
    let ask = if command.asks_for_base() {
        Ask::Base
    } else {
        Ask::Files
    };
    let found = if command.no_cache {
        find(Project::load(global)?, command)?
    } else {
        Project::with(global, ask, |project| find(project, command))?
    };
    let Found {
        project,
        change,
        selection,
        other_build,
    } = &found;
    let workspace = &project.workspace;
    if change.base.is_none() {
        for file in change.files.iter().filter(|file| !file.path.exists()) {
            terminal.warn(format!(
                "{} does not exist; it is treated as created or deleted",
                workspace.slashed(&file.path)
            ))?;
        }
    }
    if let Some(other) = other_build {
        terminal.warn(other)?;
    }
    super::coverage::left_out(terminal, selection)?;
    for note in project.notes.iter().chain(&selection.notes) {
        terminal.warn(note)?;
    }
    print(&found, command, started.elapsed(), terminal)?;
    Ok(Exit::Success)
}

/// Prints the selection in the format of the command.
fn print(found: &Found, command: &Affected, took: Duration, terminal: &mut Terminal) -> Result<()> {
    let Found {
        project,
        change,
        selection,
        ..
    } = found;
    let workspace = &project.workspace;
    terminal.paths_from(&workspace.root);
    match command.format {
        AffectedFormat::Human => {
            report::human::affected::selection(
                terminal,
                workspace,
                change,
                selection,
                command.benches,
                command.explain.as_deref(),
                took,
            )?;
        }
        AffectedFormat::Args => {
            variables(workspace, terminal)?;
            args(workspace, selection, command.benches, terminal)?;
        }
        AffectedFormat::Nextest => {
            variables(workspace, terminal)?;
            for filterset in nextest_filters::filtersets(workspace, selection) {
                writeln!(terminal.out(), "{filterset}")?;
            }
            let doctests = selection
                .targets
                .keys()
                .filter(|target| target.kind == TestTargetKind::Doc)
                .count();
            if doctests > 0 {
                terminal.warn(format!(
                    "nextest does not run doctests; run those of the affected libraries ({doctests}) with `cargo test --doc`"
                ))?;
            }
        }
        AffectedFormat::Names => names(workspace, selection, terminal)?,
        AffectedFormat::Packages => {
            for package in
                affected::affected_packages(workspace, &project.config, change, selection)?
            {
                writeln!(terminal.out(), "{}", arguments::spec(workspace, package))?;
            }
        }
        // The matrix was printed above.
        AffectedFormat::Json | AffectedFormat::Matrix => {
            report::json::affected(terminal, workspace, change, selection, took)?;
        }
    }
    Ok(())
}

fn find(mut project: Project, command: &Affected) -> Result<Found> {
    if command.benches {
        project.workspace.test_only_benches();
    }
    let mut notes = Vec::new();
    let change = change_of(&project, command, &mut notes)?;
    let failed = if command.selects_like_verify() {
        FailedTests::load(&project.workspace)?
    } else {
        TestNames::new()
    };
    let (selection, other_build) = rayon::join(
        || affected::select_with_failed(&project, &change, !command.no_cache, &failed),
        || project.other_build(!command.no_cache),
    );
    let mut selection = selection?;
    selection.notes.extend(notes);
    // Coverage is that of tests.
    if !command.no_coverage && !command.benches && change.base.is_some() {
        super::coverage::narrow(&project, &[], !command.no_cache, &mut selection)?;
    }
    Ok(Found {
        project,
        change,
        selection,
        other_build,
    })
}

/// Prints a line for each selected test. The name is `*` if no source contains the names, or if all tests of a binary are
/// selected and none is known. Prints `ALL` if every test is selected.
fn names(workspace: &Workspace, selection: &Selection, terminal: &mut Terminal) -> Result<()> {
    if selection.is_everything() && !selection.is_empty() {
        writeln!(terminal.out(), "ALL")?;
        return Ok(());
    }
    for (target, part) in &selection.targets {
        let package = &workspace.packages[target.package].name;
        let binary = target.binary_id(workspace);
        for name in part.listed() {
            writeln!(terminal.out(), "{package}\t{binary}\t{name}")?;
        }
    }
    Ok(())
}

/// Warns of variables of the configuration, which arguments cannot contain.
fn variables(workspace: &Workspace, terminal: &mut Terminal) -> Result<()> {
    let variables = Configuration {
        environment: workspace.configuration.environment.clone(),
        ..Configuration::default()
    };
    if variables.environment.is_empty() {
        return Ok(());
    }
    terminal.warn(format!(
        "arguments cannot contain the variables of the configuration; set them for the test runner: {variables}"
    ))
}

fn args(
    workspace: &Workspace,
    selection: &Selection,
    benches: bool,
    terminal: &mut Terminal,
) -> Result<()> {
    let (subcommand, kind) = if benches {
        ("bench", "bench")
    } else {
        ("test", "test")
    };
    if selection.is_empty() {
        let all = if benches { "benches" } else { "tests" };
        terminal.warn(format!(
            "no {kind} is affected; `cargo {subcommand}` without arguments would run all {all}"
        ))?;
        let nothing = arguments::nothing(workspace, all);
        writeln!(terminal.out(), "{}", nothing.join(" "))?;
        return Ok(());
    }
    let packages = selection.packages().into_iter();
    let groups: BTreeSet<usize> = packages
        .map(|package| workspace.group_of(package))
        .collect();
    if groups.len() > 1 {
        bail!(
            "no `cargo test` call can run these tests: features of the affected packages exclude each other, so {} builds are \
             needed; run `cargo poc verify`, or use the calls of `cargo poc verify --list`",
            groups.len()
        );
    }
    let call = arguments::single_cargo_test(workspace, selection);
    let more = call.targets - selection.targets.len();
    if more > 0 {
        terminal.warn(format!(
            "one `cargo test` call cannot name just these: this one runs {more} test target{} more; `cargo poc verify` \
             makes several calls",
            if more == 1 { "" } else { "s" }
        ))?;
    }
    writeln!(terminal.out(), "{}", call.arguments.join(" "))?;
    Ok(())
}

/// The change to select by: the given files, or the difference between the base and the work tree. The base is the given
/// one, that of the named or only open PoC, or the merge base with the default branch.
fn change_of(project: &Project, command: &Affected, notes: &mut Vec<String>) -> Result<Change> {
    if !command.files.is_empty() {
        let located = command
            .files
            .iter()
            .map(|path| project.workspace.locate(&project.folder, path))
            .collect::<Result<BTreeSet<_>>>()?;
        return Ok(Change::of_files(located));
    }
    let repository = project
        .repository()
        .context("failed to determine the change")
        .context("without git, name the files: `cargo poc affected --files PATH…`")?;
    if let Some(scope) = &command.since_evidence {
        return since_evidence(project, command.name.as_deref(), scope);
    }
    let poc = match (&command.base, &command.name) {
        (Some(base), _) => return Change::since(&repository, base),
        (None, Some(name)) => Some(project.read(project.find(name)?)?),
        (None, None) => {
            let (mut open, unreadable) = project.open()?;
            notes.extend(unreadable.iter().map(|error| format!("{error:#}")));
            // An unreadable PoC may be open as well.
            open.pop_if(|only| only.plan.base.is_some())
                .filter(|_| open.is_empty() && unreadable.is_empty())
        }
    };
    let Some(poc) = poc else {
        return Change::since(&repository, &repository.default_base()?);
    };
    let base = base::of_poc(&repository, &poc)?
        .with_context(|| format!("{} has no base; pass one with --base", poc.paths.plan))
        .or_exit(Exit::Usage)?;
    notes.extend(base.note);
    Change::since(&repository, &base.commit)
}

/// The change since the last recorded run of a PoC. `scope` is the argument of the user, empty for any scope.
fn since_evidence(project: &Project, name: Option<&str>, scope: &str) -> Result<Change> {
    let poc = project.named_or_only(name)?;
    let evidence = poc.evidence();
    let run = if scope.is_empty() {
        evidence.records.last()
    } else {
        let of_step = || Scope::Step(StepId::new(scope).to_string());
        let scope = scope.parse().unwrap_or_else(|_| of_step());
        evidence.last_located(&scope)
    };
    let results = project.workspace.slashed(&poc.paths.results);
    let none = match scope {
        "" => format!("{results} has no recorded run; run `cargo poc verify`"),
        scope => format!(
            "{results} has no recorded run of `{scope}`; use `baseline`, `done`, `affected`, `full` or a step id"
        ),
    };
    let run = run.context(none).or_exit(Exit::Usage)?;
    let change = Since::new(&project.workspace, &project.config, project.repository()?)
        .change(run, &poc.paths.results)?;
    let time = &run.record.time;
    let unknown = format!(
        "the state at the run of {} at {time} is not available: it ran elsewhere on uncommitted changes; verify again, or pass a commit with --base",
        run.record.scope
    );
    change.context(unknown).or_exit(Exit::CouldNotRun)
}
