//! `cargo poc deps`.

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::change;
use crate::cli::Deps;
use crate::deps::{self, Outcome, State};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::{Poc, Project};
use crate::terminal::{BAD, GOOD, Terminal};

/// Brings manifests in line with a plan's Dependencies, shows what that would change, or checks that nothing would.
///
/// # Errors
/// Bad usage: a block that names no manifest or does not parse, a requirement that conflicts with the manifest's, a
/// manifest that cargo refuses. Then every manifest is as it was.
pub fn run(project: &Project, arguments: &Deps, terminal: &mut Terminal) -> Result<Exit> {
    let poc = project.named_or_only(arguments.name.as_deref())?;
    let outcome = outcome(project, &poc, &arguments.manifest)?;
    for note in &outcome.notes {
        terminal.warn(format!(
            "{}:{}: {}",
            project.workspace.slashed(&poc.paths.plan),
            note.line,
            note.message
        ))?;
    }
    let refusals = outcome.refusals();
    if !refusals.is_empty() {
        return Err(exit::usage(format!(
            "the plan and the manifests disagree; nothing was changed\n{}",
            refusals.join("\n")
        )));
    }
    if arguments.check {
        return check(&outcome, terminal);
    }
    if outcome.edits.is_empty() {
        terminal.status(
            "Fresh",
            "the manifests have all that the plan's Dependencies ask for",
        )?;
        return Ok(Exit::Fine);
    }
    if arguments.dry_run {
        for edit in &outcome.edits {
            diff(&edit.diff(), terminal)?;
        }
        return Ok(Exit::Fine);
    }
    deps::commit(&project.workspace.root, &outcome.edits, &project.cargo)?;
    for (declared, state) in &outcome.entries {
        if matches!(state, State::Missing | State::Incomplete(_)) {
            let verb = if *state == State::Missing {
                "Added"
            } else {
                "Extended"
            };
            terminal.status(
                verb,
                format!(
                    "{} in {} of {}",
                    declared.name, declared.table, declared.manifest
                ),
            )?;
        }
    }
    Ok(Exit::Fine)
}

/// What the plan's Dependencies come to, over all manifests or those given.
///
/// # Errors
/// As for [`run`].
pub fn outcome(project: &Project, poc: &Poc, only: &[Utf8PathBuf]) -> Result<Outcome> {
    let root = &project.workspace.root;
    let blocks = blocks(project, poc)?;
    if only.is_empty() {
        return deps::plan_edits(root, &blocks, None).or_exit(Exit::Usage);
    }
    let mut all = Outcome::default();
    for path in only {
        let path = change::locate(&project.workspace, &project.folder, path)?;
        let relative = Utf8PathBuf::from(project.workspace.slashed(&path));
        let one = deps::plan_edits(root, &blocks, Some(&relative)).or_exit(Exit::Usage)?;
        all.edits.extend(one.edits);
        all.entries.extend(one.entries);
        all.notes.extend(one.notes);
    }
    Ok(all)
}

/// The plan's toml blocks. A block that names no manifest is the only package's, or refused.
fn blocks<'poc>(project: &Project, poc: &'poc Poc) -> Result<Vec<deps::Block<'poc>>> {
    let workspace = &project.workspace;
    let single = match &workspace.packages[..] {
        [only] => Some(workspace.slashed(&only.manifest_path)),
        _ => None,
    };
    let blocks = poc.plan.dependencies.iter().map(|block| {
        let line = block.block.line + 1;
        let Some(manifest) = block.manifest.clone().or_else(|| single.clone()) else {
            return Err(exit::usage(format!(
                "{}:{}: this toml block names no manifest; write \"Update `crates/x/Cargo.toml`:\" above it",
                poc.paths.plan, block.block.line
            )));
        };
        Ok(deps::Block { manifest: manifest.into(), toml: &block.block.code, line, lead: block.lead.as_str() })
    });
    blocks.collect()
}

fn check(outcome: &Outcome, terminal: &mut Terminal) -> Result<Exit> {
    let mut missing = 0;
    for (declared, state) in &outcome.entries {
        let what = match state {
            State::Missing => "is missing",
            State::Incomplete(_) => "is there, but lacks part of what the plan asks for",
            _ => continue,
        };
        missing += 1;
        writeln!(
            terminal.out(),
            "{}: {} {what} in {}",
            declared.manifest,
            declared.name,
            declared.table
        )?;
    }
    Ok(if missing == 0 {
        Exit::Fine
    } else {
        Exit::Findings
    })
}

fn diff(text: &str, terminal: &mut Terminal) -> Result<()> {
    let out = terminal.out();
    for line in text.lines() {
        match line.chars().next() {
            Some('+') => writeln!(out, "{GOOD}{line}{GOOD:#}")?,
            Some('-') => writeln!(out, "{BAD}{line}{BAD:#}")?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}
