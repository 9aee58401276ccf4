//! The members that tests can depend on without linking them.
//!
//! A test that starts processes or loads libraries can reach every program and dynamic library of the workspace; one that runs
//! cargo, or opens files outside of its package, can reach every member. Which test does is known only from a selection
//! ([`Since`](super::since::Since)), so the members become inputs as soon as a source of the run has such a call.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::Utf8PathBuf;
use cargo_metadata::{CrateType, TargetKind};
use rayon::prelude::*;

use crate::affected::items::SCRIPT;
use crate::affected::items::extract::{self, flag};
use crate::affected::items::outside_effects;
use crate::sys::files;
use crate::workspace::graph::is_kind;
use crate::workspace::{PackageId, Workspace};

/// The members that these `sources` can reach.
pub(super) fn members(
    workspace: &Workspace,
    sources: &[&Utf8PathBuf],
) -> Result<BTreeSet<PackageId>> {
    let effects: Vec<u32> = sources
        .par_iter()
        .map(|path| files::read_if_exists(path).map(|bytes| effects(bytes.unwrap_or_default())))
        .collect::<Result<_>>()?;
    let effects = effects.into_iter().fold(0, |all, effects| all | effects);
    let all = 0..workspace.packages.len();
    if effects & (flag::RUNS_CARGO | flag::RUNS_RUSTC | flag::ESCAPES) != 0 {
        return Ok(all.collect());
    }
    if effects & flag::SPAWNS == 0 {
        return Ok(BTreeSet::new());
    }
    let programs = all.filter(|package| is_started(workspace, *package));
    let programs: BTreeSet<PackageId> = programs.collect();
    Ok(workspace.links(&programs))
}

/// The [`flag`]s of the code and of the documentation tests of a source. All of them if it cannot be parsed.
fn effects(bytes: Vec<u8>) -> u32 {
    let file = extract::read_bytes(bytes);
    if file.problem.is_some() {
        return u32::MAX;
    }
    let code = file.items.iter().map(|item| {
        let runs_script = item.references.reads.iter().any(|path| path == SCRIPT);
        // A script can run cargo.
        match item.flags & flag::SPAWNS {
            0 => item.flags,
            _ if runs_script => item.flags | flag::RUNS_CARGO,
            _ => item.flags,
        }
    });
    let names = file.doctests.iter().flat_map(|doctest| &doctest.names);
    let documentation = names.map(|name| outside_effects::of_word(file.symbols.get(*name)));
    code.chain(documentation).fold(0, |all, flags| all | flags)
}

/// Whether a member has a program, or a library that is loaded at run time.
fn is_started(workspace: &Workspace, package: PackageId) -> bool {
    workspace.packages[package].targets.iter().any(|target| {
        let mut types = target.crate_types.iter();
        is_kind(target, &[TargetKind::Bin])
            || types.any(|of| matches!(of, CrateType::CDyLib | CrateType::DyLib))
    })
}
