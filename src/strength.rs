//! The strength of tests: whether a test fails if the changed code is changed again, to a mutant.
//!
//! [`list`] gets the mutants from cargo-mutants, and [`choice`] chooses those of the change. They are built in a copy of the work tree ([`Tree`], [`build`]). The tests that can reach
//! a mutant are those that a change of its function selects ([`reach`]). Their binaries run as cargo would start them ([`programs`]),
//! and [`run`] judges each mutant.

mod build;
mod choice;
mod list;
pub mod programs;
mod reach;
mod report;
mod run;
mod switch;

use anyhow::{Result, anyhow};

use self::choice::Choice;
use crate::change::Change;
use crate::evidence::{Excluded, Strength};
use crate::exit::{Exit, OrExit as _};
use crate::project::Project;
use crate::project::tree::Tree;
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
    let Choice {
        mutants,
        excluded,
        unread,
    } = choice::of_change(project, change, &tree, tools.settings)?;
    if mutants.is_empty() {
        return Err(without_mutants(&excluded)).or_exit(Exit::CouldNotRun);
    }
    terminal.status("Judging", counted(mutants.len(), "mutant"))?;
    let mut copy = tree.project(project)?;
    let (judged, packages) = run::judge((&tree, &mut copy), mutants, tools, terminal)?;
    let mut strength = report::summary(&judged);
    let packages = packages
        .iter()
        .map(|package| copy.workspace.packages[*package].name.to_string());
    strength.packages = packages.collect();
    strength.excluded = excluded;
    strength.unread = unread;
    if strength.viable() == 0 {
        let unviable = counted(judged.len(), "mutant");
        return Err(anyhow!(
            "none of {unviable} compiles, so the strength of the change is not known"
        ))
        .or_exit(Exit::CouldNotRun);
    }
    Ok(strength)
}

fn without_mutants(excluded: &[Excluded]) -> anyhow::Error {
    if excluded.is_empty() {
        return anyhow!(
            "the change touches no code that cargo-mutants can change, so its strength is not known"
        );
    }
    let names: Vec<String> = excluded.iter().map(ToString::to_string).collect();
    anyhow!(
        "all mutants of the change are excluded, so its strength is not known: {}",
        names.join("; ")
    )
}
