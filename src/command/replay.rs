//! `cargo poc affected --replay N`: compares the selection with the tests that fail, for the last commits.
//!
//! Each commit is checked out in a copy of the repository in the target folder, and this program runs `verify --shadow` there: once for the
//! commit as it is, and once with its tests and the sources of its parent, so that tests of the change fail.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::cli::{Affected, AffectedFormat};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::sys::cargo::own_folder;
use crate::sys::exec::{self, ExitReason, ProcessCommand};
use crate::sys::files;
use crate::sys::git::copy::Copy;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::verify::Runner;

/// The output of `verify --shadow --format json`, without unused fields.
#[derive(Deserialize)]
struct ShadowRun {
    outcome: Option<String>,
    selection: Option<Selection>,
    shadow: Option<Shadow>,
    failing: Vec<Test>,
    commands: Vec<CommandRun>,
}

#[derive(Deserialize)]
struct Selection {
    selected: u32,
    total: u32,
}

#[derive(Deserialize)]
struct Shadow {
    escapes: Vec<Test>,
}

#[derive(Deserialize)]
struct CommandRun {
    exit: Option<i32>,
    tests: Option<serde_json::Value>,
}

/// A test by the id of its binary and its name, without the line of a documentation test, which an edit above it changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Test {
    binary: String,
    test: String,
}

/// The tests of a state that ran completely.
struct Measured {
    failing: BTreeSet<Test>,
    escapes: BTreeSet<Test>,
    /// The share of selected tests, from 0 to 1.
    share: f64,
}

/// Sums over all changes.
#[derive(Default)]
struct Total {
    changes: u32,
    not_counted: u32,
    failing: usize,
    escapes: usize,
    shares: f64,
}

/// Runs the tests of the last `count` commits and compares those that fail with the selections.
///
/// # Errors
/// A usage error for other formats. There is no git, or no change could be measured.
pub(super) fn run(
    project: &Project,
    command: &Affected,
    count: NonZeroUsize,
    terminal: &mut Terminal,
) -> Result<Exit> {
    if command.format != AffectedFormat::Human {
        return Err(exit::usage("--replay supports only `--format human`"));
    }
    exec::install_interrupt_handler()?;
    let repository = project.repository()?;
    let commits = repository.first_parents(count.get() + 1)?;
    let folder = own_folder(&project.workspace.target_directory).join("replay");
    files::create_folder(&folder)?;
    let wanted = command.runner.unwrap_or(project.config.runner);
    let replay = Replay {
        project,
        runner: Runner::choose(wanted, &project.workspace.root)?,
        copy: repository.copy(&folder.join("tree"))?,
        target: folder.join("target"),
    };
    let mut total = Total::default();
    let (first, rest) = commits.split_first().context("there is no commit")?;
    replay.check_out(first)?;
    let mut before = replay.measure(first, terminal)?.ok();
    let mut parent = first;
    for commit in rest {
        replay.check_out(commit)?;
        let after = replay.measure(parent, terminal)?;
        total.add(commit, "as committed", before.as_ref(), &after, terminal)?;
        let after = after.ok();
        if after.is_some() && replay.restore_sources(parent, commit)? {
            let reverted = replay.measure(commit, terminal)?;
            let name = "with the sources of its parent";
            total.add(commit, name, after.as_ref(), &reverted, terminal)?;
        }
        before = after;
        parent = commit;
    }
    files::remove_folder(&folder)?;
    total.report(terminal)
}

struct Replay<'p> {
    project: &'p Project,
    runner: Runner,
    copy: Copy,
    target: Utf8PathBuf,
}

impl Replay<'_> {
    fn check_out(&self, commit: &str) -> Result<()> {
        self.copy.check_out(commit)?;
        // A lockfile that git ignores has no earlier version.
        let lockfile = Utf8Path::new("Cargo.lock");
        let root = self.copy.root.join(self.project.prefix());
        if let Some(locked) = files::read_if_exists(&self.project.workspace.root.join(lockfile))?
            && !root.join(lockfile).exists()
        {
            files::write_atomic(&root.join(lockfile), &locked)?;
        }
        Ok(())
    }

    /// Restores the sources of the parent, except those of tests; false if the commit changes no such source.
    fn restore_sources(&self, parent: &str, commit: &str) -> Result<bool> {
        let changed = self.copy.differences(parent, commit)?;
        let sources: Vec<_> = changed.iter().filter(|path| is_source(path)).collect();
        for path in &sources {
            self.copy.restore(parent, path)?;
        }
        Ok(!sources.is_empty())
    }

    /// Runs all tests of the work tree; the reason if some of them could not run.
    fn measure(&self, base: &str, terminal: &mut Terminal) -> Result<Result<Measured, String>> {
        // Failed tests of another state must not be selected.
        files::remove_folder(&own_folder(&self.target))?;
        let program = std::env::current_exe().context("failed to find the path of this program")?;
        let configuration = &self.project.workspace.configuration;
        let command = ProcessCommand::new(program)
            .args(["verify", "--shadow", "--no-reuse", "--format", "json"])
            .args(["--base", base, "--runner", self.runner.name()])
            .args(configuration.feature_arguments())
            .args(configuration.build_arguments())
            .args(&self.project.cargo.flags)
            .directory(self.copy.root.join(self.project.prefix()))
            .env("CARGO_TARGET_DIR", &self.target);
        let ran = exec::capture_output(&command, &mut |part| {
            if terminal.verbose() {
                terminal.relay(part.bytes)?;
            }
            Ok(())
        })?;
        if ran.ended == ExitReason::Interrupted {
            return Err(anyhow!("interrupted")).or_exit(Exit::CouldNotRun);
        }
        let Ok(report) = serde_json::from_slice::<ShadowRun>(&ran.stdout) else {
            let errors = String::from_utf8_lossy(&ran.stderr);
            let last = errors.lines().next_back().unwrap_or_default();
            return Ok(Err(format!("`verify` failed: {last}")));
        };
        Ok(report.measured())
    }
}

impl ShadowRun {
    fn measured(self) -> Result<Measured, String> {
        let is_complete = |command: &CommandRun| command.tests.is_some() || command.exit == Some(0);
        let outcome = self.outcome.unwrap_or_default();
        let failed = outcome == "failed" && !self.failing.is_empty();
        if !self.commands.iter().all(is_complete) || !failed && outcome != "passed" {
            return Err("its tests did not build or did not run".to_owned());
        }
        let (Some(shadow), Some(selection)) = (self.shadow, self.selection) else {
            return Err("`verify` reported no selection".to_owned());
        };
        Ok(Measured {
            failing: self.failing.into_iter().map(Test::without_line).collect(),
            escapes: shadow.escapes.into_iter().map(Test::without_line).collect(),
            share: f64::from(selection.selected) / f64::from(selection.total.max(1)),
        })
    }
}

impl Test {
    fn without_line(mut self) -> Self {
        if self.binary.ends_with("::doc")
            && let Some(at) = self.test.rfind(" (line ")
        {
            self.test.truncate(at);
        }
        self
    }
}

impl Total {
    /// Adds the tests that fail after a change and did not fail before it.
    fn add(
        &mut self,
        commit: &str,
        state: &str,
        before: Option<&Measured>,
        after: &Result<Measured, String>,
        terminal: &mut Terminal,
    ) -> Result<()> {
        let commit = &commit[..commit.len().min(10)];
        let (before, after) = match (before, after) {
            (Some(before), Ok(after)) => (before, after),
            (_, Err(why)) => {
                self.not_counted += 1;
                return terminal.status("Skipped", format!("{commit} {state}: {why}"));
            }
            (None, Ok(_)) => {
                self.not_counted += 1;
                return terminal.status(
                    "Skipped",
                    format!("{commit} {state}: the tests of its parent did not run"),
                );
            }
        };
        let failing = after.failing.difference(&before.failing).count();
        let escapes = after.escapes.difference(&before.failing);
        let escapes: Vec<&Test> = escapes.collect();
        self.changes += 1;
        self.failing += failing;
        self.escapes += escapes.len();
        self.shares += after.share;
        let share = 100.0 * after.share;
        terminal.status(
            "Replayed",
            format!(
                "{commit} {state}: {share:.1} % of the tests selected, escapes: {} of {}",
                escapes.len(),
                counted(failing, "failing test")
            ),
        )?;
        for Test { binary, test } in escapes {
            writeln!(terminal.out(), "escaped {commit} {binary} {test}")?;
        }
        Ok(())
    }

    fn report(&self, terminal: &mut Terminal) -> Result<Exit> {
        if self.changes == 0 {
            return Err(anyhow!("no commit could be replayed")).or_exit(Exit::CouldNotRun);
        }
        writeln!(
            terminal.out(),
            "escapes: {} of {} in {}; {:.1} % of the tests selected on average; {} not counted",
            self.escapes,
            counted(self.failing, "failing test"),
            counted(self.changes as usize, "change"),
            100.0 * self.shares / f64::from(self.changes),
            self.not_counted
        )?;
        Ok(if self.escapes == 0 {
            Exit::Success
        } else {
            Exit::Findings
        })
    }
}

/// Whether a file is Rust code that is not only for tests, by its path.
fn is_source(path: &Utf8Path) -> bool {
    let is_tests = |name: &str| matches!(name, "test" | "tests" | "benches" | "examples");
    let stem = path.file_stem().unwrap_or_default();
    path.extension() == Some("rs")
        && !path.components().any(|part| is_tests(part.as_str()))
        && !is_tests(stem)
        && !stem.ends_with("_test")
        && !stem.ends_with("_tests")
}
