//! The strength of tests: whether a test fails if the changed code is changed again, to a mutant.
//!
//! [`list`] gets the mutants from cargo-mutants. They are built in a copy of the work tree ([`Tree`], [`build`]). The tests that can reach
//! a mutant are those that a change of its function selects ([`reach`]). Their binaries run as cargo would start them ([`programs`]),
//! and [`run`] judges each mutant.

mod build;
mod list;
pub mod programs;
mod reach;
mod report;
mod run;
mod switch;

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use camino::Utf8PathBuf;

use crate::affected::TouchedItems;
use crate::change::Change;
use crate::diff;
use crate::evidence::Strength;
use crate::exit::{Exit, OrExit as _};
use crate::project::Project;
use crate::project::tree::Tree;
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
pub use run::Tools;

/// Judges the mutants of a change.
///
/// # Errors
/// When cargo-mutants is missing, there is no viable mutant, the copy of the work tree cannot be built, a test fails without a mutant, or the run was
/// interrupted.
pub fn measure(
    project: &Project,
    change: &Change,
    tools: &Tools<'_>,
    terminal: &mut Terminal,
) -> Result<Strength> {
    let tree = Tree::open(project, "strength", None, terminal)?;
    let diff = tree.folder.join("change.diff");
    files::keep(&diff, of_sources(project, change)?.as_bytes())?;
    let mut mutants = list::mutants(&tree.root, &diff, tools.settings)?;
    let touched = TouchedItems::of(project, change)?;
    let listed: BTreeSet<Utf8PathBuf> = mutants.iter().map(|one| one.file.clone()).collect();
    let workspace = &project.workspace;
    let configured = workspace.configured_packages();
    let names: Vec<&str> = configured
        .iter()
        .map(|package| workspace.packages[*package].name.as_str())
        .collect();
    mutants.retain(|mutant| {
        let path = workspace.root.join(&mutant.file);
        names.contains(&mutant.package.as_str())
            && touched.contains(&path, mutant.line, mutant.byte_column)
    });
    if mutants.is_empty() {
        return Err(anyhow!(
            "the change touches no code that cargo-mutants can change, so its strength is not known"
        ))
        .or_exit(Exit::CouldNotRun);
    }
    // The mutants of a function have consecutive numbers.
    mutants.sort_by_key(|mutant| {
        let bytes = &mutant.function_bytes;
        (mutant.file.clone(), bytes.start, bytes.end)
    });
    terminal.status("Judging", counted(mutants.len(), "mutant"))?;
    let mut copy = tree.project(project)?;
    let (judged, packages) = run::judge((&tree, &mut copy), mutants, tools, terminal)?;
    let mut strength = report::summary(&judged);
    let packages = packages
        .iter()
        .map(|package| copy.workspace.packages[*package].name.to_string());
    strength.packages = packages.collect();
    let code = touched.code.iter().filter(|file| {
        let owner = workspace.owner(file);
        owner.is_some_and(|owner| configured.contains(&owner))
    });
    let code = code.filter_map(|file| file.strip_prefix(&workspace.root).ok());
    let mut unread: BTreeSet<Utf8PathBuf> = code.map(Into::into).collect();
    unread.retain(|file| !listed.contains(file));
    if !unread.is_empty() {
        // A file without a mutant may still have been read.
        let read = list::files(&tree.root, tools.settings)?;
        unread.retain(|file| !read.contains(file));
    }
    let unread = unread.iter().map(|file| files::slashed(file));
    strength.unread = unread.collect();
    if strength.viable() == 0 {
        let unviable = counted(judged.len(), "mutant");
        return Err(anyhow!(
            "none of {unviable} compiles, so the strength of the change is not known"
        ))
        .or_exit(Exit::CouldNotRun);
    }
    Ok(strength)
}

/// The change of Rust sources as a diff, with paths relative to the workspace root.
fn of_sources(project: &Project, change: &Change) -> Result<String> {
    let workspace = &project.workspace;
    let sources: Vec<_> = change
        .files
        .iter()
        .filter(|file| file.path.extension() == Some("rs") && file.path.is_file())
        .filter(|file| file.path.starts_with(&workspace.root))
        .collect();
    let mut all = String::new();
    for (file, before) in sources.iter().zip(change.texts_before(&sources)?) {
        // cargo-mutants cannot read other sources.
        let Some(now) = files::text(&file.path) else {
            continue;
        };
        let path: Utf8PathBuf = workspace.slashed(&file.path).into();
        all.push_str(&diff::unified(
            path.as_str(),
            &before.unwrap_or_default(),
            &now,
        ));
    }
    Ok(all)
}
