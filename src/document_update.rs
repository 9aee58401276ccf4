//! Changes to the documents of one PoC: read anew under its lock, then shown as a diff, or written whole.

use anyhow::Result;

use crate::diff::{self, unified};
use crate::exit;
use crate::project::{Paths, Poc, Project};
use crate::sys::cargo::own_folder;
use crate::sys::files::{self, Lock};
use crate::sys::terminal::Terminal;

/// The new texts of the two documents; `None` leaves one as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// The plan.
    pub plan: Option<String>,
    /// The results.
    pub results: Option<String>,
}

/// Whether to write, or only to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write.
    Write,
    /// Show a diff.
    DryRun,
}

impl Mode {
    /// What `--dry-run` says.
    #[must_use]
    pub fn of(dry_run: bool) -> Self {
        if dry_run { Self::DryRun } else { Self::Write }
    }
}

/// Waits for the lock of a PoC: whoever holds it may change its documents.
///
/// # Errors
/// When the lock file cannot be made.
pub fn lock(project: &Project, name: &str) -> Result<Lock> {
    let folder = own_folder(&project.workspace.target_directory);
    files::lock(&folder.join(format!("{name}.lock")))
}

/// Changes the documents of a PoC as `make` says, which is given them as they are once nobody else writes them. Says
/// whether anything changed, and what `make` said beside the texts.
///
/// # Errors
/// What `make` says; documents that cannot be read or written. Each is then as it was.
pub fn change<T>(
    project: &Project,
    paths: &Paths,
    mode: Mode,
    terminal: &mut Terminal,
    make: impl FnOnce(&Poc) -> Result<(Texts, T)>,
) -> Result<(bool, T)> {
    let _lock = lock(project, &paths.name)?;
    let poc = project.read(paths.clone())?;
    let (texts, said) = make(&poc)?;
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
    for (path, old, new) in &changed {
        match mode {
            Mode::DryRun => {
                let text = unified(&project.workspace.slashed(path), old, new);
                diff::print(&text, terminal)?;
            }
            Mode::Write => files::write_atomic(path, new.as_bytes())?,
        }
    }
    Ok((!changed.is_empty(), said))
}

/// The results of a PoC, which a change needs to be there.
///
/// # Errors
/// Bad usage: there is no such file.
pub fn results(poc: &Poc) -> Result<&(crate::document::Document, crate::document::Results)> {
    poc.results.as_ref().ok_or_else(|| {
        exit::usage(format!(
            "there is no {} to write to; restore it from git",
            poc.paths.results
        ))
    })
}
