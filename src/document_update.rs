//! Changes the documents of one PoC: reads them again under the lock of their folder, then writes them or shows a diff.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::Utf8Path;

use crate::diff::{self, unified};
use crate::document::ProblemKind;
use crate::exit;
use crate::project::{Paths, Poc, Project};
use crate::sys::cargo::own_folder;
use crate::sys::lock::{self, Lock};
use crate::sys::terminal::Terminal;
use crate::sys::together;

/// The new texts of the two documents; `None` keeps the current text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// The plan.
    pub plan: Option<String>,
    /// The results.
    pub results: Option<String>,
}

/// Whether to write or to print a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write.
    Write,
    /// Show a diff.
    DryRun,
}

impl Mode {
    /// The mode for `--dry-run`.
    #[must_use]
    pub fn of(dry_run: bool) -> Self {
        if dry_run { Self::DryRun } else { Self::Write }
    }
}

/// Locks the folder of `results`. Only the holder changes documents in it. Prints a line if it has to wait.
///
/// # Errors
/// When the folder cannot be locked.
pub fn lock(project: &Project, results: &Utf8Path, terminal: &mut Terminal) -> Result<Lock> {
    let workspace = &project.workspace;
    let folder = results.parent().unwrap_or(&workspace.root);
    let beside = own_folder(&workspace.target_directory).join("documents.lock");
    let lock = lock::lock(folder, &beside, || {
        let waits = format!("waiting for file lock on {}", workspace.slashed(results));
        terminal.status("Blocking", waits)
    })?;
    together::remove_left_behind(folder);
    remove_without_writer(project);
    Ok(lock)
}

/// Removes temporary files beside manifests, whose writers were killed. As new files they would be inputs of a run.
pub fn remove_without_writer(project: &Project) {
    let workspace = &project.workspace;
    let members = (0..workspace.packages.len()).map(|package| workspace.folder(package));
    let folders: BTreeSet<&Utf8Path> = members.chain([workspace.root.as_path()]).collect();
    folders
        .into_iter()
        .for_each(together::remove_without_writer);
}

/// Locks and reads the documents of a PoC, and writes the texts that `make` returns. Returns whether anything changed, and the
/// other value of `make`.
///
/// # Errors
/// The error of `make`, or a document that cannot be read or written. Then no document is changed.
pub fn change<T>(
    project: &Project,
    paths: &Paths,
    mode: Mode,
    terminal: &mut Terminal,
    make: impl FnOnce(&Poc) -> Result<(Texts, T)>,
) -> Result<(bool, T)> {
    let _lock = lock(project, &paths.results, terminal)?;
    let poc = project.read(paths.clone())?;
    without_conflicts(&poc)?;
    let (texts, said) = make(&poc)?;
    if texts.plan.is_some() {
        paths.can_change()?;
    }
    let old_results = poc.results.as_ref().map(|(document, _)| document.text());
    let documents = [
        (&paths.plan, Some(poc.plan_document.text()), texts.plan),
        (&paths.results, old_results, texts.results),
    ];
    let changed: Vec<_> = documents
        .into_iter()
        .filter_map(|(path, old, new)| Some((path, old.unwrap_or_default(), new?)))
        .filter(|(_, old, new)| old != new)
        .collect();
    match mode {
        Mode::DryRun => {
            for (path, old, new) in &changed {
                let text = unified(&project.workspace.slashed(path), old, new);
                diff::print(&text, terminal)?;
            }
        }
        Mode::Write => {
            let texts = changed.iter();
            let texts: Vec<(&Utf8Path, &[u8])> = texts
                .map(|(path, _, new)| (path.as_path(), new.as_bytes()))
                .collect();
            together::write_together(&texts)?;
        }
    }
    Ok((!changed.is_empty(), said))
}

/// Rejects documents with conflict markers; a person decides which side to keep.
///
/// # Errors
/// A usage error with the line of the first marker.
pub fn without_conflicts(poc: &Poc) -> Result<()> {
    let results = poc.results.as_ref().map(|(_, results)| &results.problems);
    let plan = poc.plan.problems.iter().map(|one| (&poc.paths.plan, one));
    let results = results.into_iter().flatten();
    let mut all = plan.chain(results.map(|one| (&poc.paths.results, one)));
    match all.find(|(_, problem)| problem.kind == ProblemKind::Conflict) {
        Some((path, problem)) => Err(exit::usage(format!(
            "{path}:{}: {}",
            problem.line, problem.message
        ))),
        None => Ok(()),
    }
}

/// The results of a PoC.
///
/// # Errors
/// A usage error if the file does not exist.
pub fn results(poc: &Poc) -> Result<&(crate::document::Document, crate::document::Results)> {
    poc.results.as_ref().ok_or_else(|| {
        exit::usage(format!(
            "{} does not exist; restore it from git, or create it with `cargo poc init {} --adopt`",
            poc.paths.results, poc.paths.name
        ))
    })
}

/// Rejects an ambiguous plan, which must not become evidence.
pub(crate) fn reliable(poc: &Poc) -> Result<()> {
    without_conflicts(poc)?;
    let worst = poc
        .plan
        .problems
        .iter()
        .find(|problem| problem.kind.severity() == crate::document::Severity::Error);
    match worst {
        Some(problem) => Err(exit::usage(format!(
            "{}:{}: {}",
            poc.paths.plan, problem.line, problem.message
        ))),
        None => Ok(()),
    }
}
