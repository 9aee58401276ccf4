//! `cargo poc deps`.

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8PathBuf;

use crate::cli::Deps;
use crate::deps::{self, Change, Declared, Outcome, State, Wanted};
use crate::diff;
use crate::exit::{Exit, with_exit};
use crate::project::{Poc, Project};
use crate::sys::terminal::{BOLD, Terminal};

/// Applies the plan's Dependencies to the manifests, or shows what would change.
///
/// # Errors
/// A plan or manifest that cannot be read (usage error); entries that contradict a manifest, or contain placeholders (findings);
/// a result that cargo rejects. Then no manifest is changed.
pub fn run(project: &Project, arguments: &Deps, terminal: &mut Terminal) -> Result<Exit> {
    let poc = project.named_or_only(arguments.name.as_deref())?;
    let plan = project.workspace.slashed(&poc.paths.plan);
    let outcome = compare(project, &poc, &arguments.manifest)
        .with_context(|| format!("failed to apply {plan}"))?;
    for note in &outcome.notes {
        terminal.warn(format!("{plan}:{}: {}", note.line, note.message))?;
    }
    if arguments.check {
        return check(&outcome, &plan, terminal);
    }
    refuse(&outcome, &plan)?;
    if outcome.edits.is_empty() {
        unchanged(&outcome, &plan, terminal)?;
    } else if arguments.dry_run {
        for edit in &outcome.edits {
            diff::print(&edit.diff(), terminal)?;
        }
    } else {
        deps::commit(&project.workspace.root, &outcome.edits, &project.cargo)?;
        report(&outcome, terminal)?;
    }
    Ok(Exit::Success)
}

/// Compares the manifests with a plan's Dependencies. `manifests`, relative to the current folder, selects blocks.
///
/// # Errors
/// A block or a manifest that cannot be read; a manifest outside the workspace, or one without a block.
pub fn compare(project: &Project, poc: &Poc, manifests: &[Utf8PathBuf]) -> Result<Outcome> {
    let workspace = &project.workspace;
    let only_package = match &workspace.packages[..] {
        [package] => Some(workspace.slashed(&package.manifest_path)),
        _ => None,
    };
    let (blocks, notes) = deps::blocks(&poc.plan, &poc.plan_document, only_package.as_deref())?;
    let chosen = manifests.iter().map(|path| {
        let path = workspace.locate(&project.folder, path)?;
        Ok(workspace.slashed(&path).into())
    });
    let chosen: Vec<Utf8PathBuf> = chosen.collect::<Result<_>>()?;
    let mut outcome = deps::plan_edits(&workspace.root, &blocks, &chosen)?;
    outcome.notes.splice(0..0, notes);
    Ok(outcome)
}

/// Prints one line for each entry that a manifest lacks or contradicts.
fn check(outcome: &Outcome, plan: &str, terminal: &mut Terminal) -> Result<Exit> {
    let mut exit = Exit::Success;
    for (declared, state) in &outcome.entries {
        let what = match state {
            State::Missing => "is missing".to_owned(),
            State::Incomplete(changes) => format!(
                "lacks {}",
                changes.iter().map(change).collect::<Vec<_>>().join(", ")
            ),
            State::Conflict(conflict) => format!("contradicts the plan: {}", conflict.why),
            State::Invalid(why) => format!("cannot be applied: {why}"),
            State::Present | State::Described(_) => continue,
        };
        exit = Exit::Findings;
        let Declared {
            manifest,
            table,
            name,
            line,
            ..
        } = declared;
        writeln!(
            terminal.out(),
            "{plan}:{line}: {BOLD}{name}{BOLD:#} in {table} of {manifest} {what}"
        )?;
    }
    Ok(exit)
}

fn refuse(outcome: &Outcome, plan: &str) -> Result<()> {
    let refusals = outcome.refusals();
    if refusals.is_empty() {
        return Ok(());
    }
    let count = match refusals.len() {
        1 => "1 entry".to_owned(),
        many => format!("{many} entries"),
    };
    let error = anyhow!(refusals.join("\n")).context(format!(
        "{count} of {plan} cannot be applied; nothing was written"
    ));
    Err(with_exit(Exit::Findings, error))
}

fn unchanged(outcome: &Outcome, plan: &str, terminal: &mut Terminal) -> Result<()> {
    let message = if outcome.entries.is_empty() {
        format!("{plan} declares no dependencies")
    } else {
        format!("the manifests contain everything that {plan} declares")
    };
    terminal.status("Unchanged", message)
}

fn report(outcome: &Outcome, terminal: &mut Terminal) -> Result<()> {
    for (declared, state) in &outcome.entries {
        let Declared {
            manifest,
            table,
            name,
            ..
        } = declared;
        match state {
            State::Missing => terminal.status(
                "Added",
                format!("{} to {table} in {manifest}", added(declared)),
            )?,
            State::Incomplete(changes) => {
                let changes: Vec<_> = changes.iter().map(change).collect();
                terminal.status(
                    "Changed",
                    format!("{name} in {table} in {manifest}: {}", changes.join(", ")),
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn added(declared: &Declared) -> String {
    match &declared.wanted {
        Wanted::Dependency(specification) => {
            let version = specification
                .version
                .iter()
                .map(|version| format!(" {version}"));
            declared.name.clone() + &version.collect::<String>()
        }
        Wanted::Feature(_) => format!("feature {}", declared.name),
    }
}

fn change(change: &Change) -> String {
    match change {
        Change::Requirement(version) => format!("version {version}"),
        Change::Features(features) => format!("features {}", features.join(" ")),
        Change::Field(key, value) => format!("{key} = {value}"),
    }
}
