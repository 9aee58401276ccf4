//! `cargo poc affected --replay N`: compares the selection with the tests that fail, for the last commits.
//!
//! Each commit is checked out in a copy of the repository in the target folder, and this program runs `verify --shadow` there: once for the
//! commit, and once for its tests with the sources of its parent, so that tests of the changed code fail.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8Path;

use super::history::{History, Run, Test};
use crate::cli::{Affected, AffectedFormat};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::sys::git::copy::Copy;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;

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
    let repository = project.repository()?;
    let commits = repository.first_parents(count.get() + 1)?;
    let history = History::open(project, &repository, "replay", command.runner)?;
    let mut total = Total::default();
    let (first, rest) = commits.split_first().context("there is no commit")?;
    history.check_out(first)?;
    let mut before = measure(&history, first, terminal)?.ok();
    let mut parent = first;
    for commit in rest {
        history.check_out(commit)?;
        let after = measure(&history, parent, terminal)?;
        total.add(commit, "as committed", before.as_ref(), &after, terminal)?;
        let after = after.ok();
        if after.is_some() && restore_sources(&history.copy, parent, commit)? {
            let reverted = measure(&history, commit, terminal)?;
            let name = "with the sources of its parent";
            total.add(commit, name, after.as_ref(), &reverted, terminal)?;
        }
        before = after;
        parent = commit;
    }
    total.report(terminal)
}

/// Restores the sources of the parent, except those of tests; false if the commit changes no such source.
fn restore_sources(copy: &Copy, parent: &str, commit: &str) -> Result<bool> {
    let changed = copy.differences(parent, commit)?;
    let sources: Vec<_> = changed.iter().filter(|path| is_source(path)).collect();
    for path in &sources {
        copy.restore(parent, path)?;
    }
    Ok(!sources.is_empty())
}

/// Runs all tests of the checked out files; the reason if some of them could not run.
fn measure(
    history: &History<'_>,
    base: &str,
    terminal: &mut Terminal,
) -> Result<Result<Measured, String>> {
    let run = history.verify(&["--shadow", "--base", base], terminal)?;
    Ok(run.and_then(measured))
}

fn measured(run: Run) -> Result<Measured, String> {
    if !run.is_complete() {
        return Err("its tests did not build or did not run".to_owned());
    }
    let (Some(shadow), Some(selection)) = (run.shadow, run.selection) else {
        return Err("`verify` reported no selection".to_owned());
    };
    Ok(Measured {
        failing: run.failing.into_iter().map(without_line).collect(),
        escapes: shadow.escapes.into_iter().map(without_line).collect(),
        share: f64::from(selection.selected) / f64::from(selection.total.max(1)),
    })
}

/// Without the line of a documentation test, which an edit above it changes.
fn without_line(mut test: Test) -> Test {
    if test.binary.ends_with("::doc")
        && let Some(at) = test.test.rfind(" (line ")
    {
        test.test.truncate(at);
    }
    test
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
