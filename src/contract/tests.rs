//! The tests that a plan's work can affect, by name, as their sources have them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;

use super::Tests;
use crate::affected::{TestKind, TestTarget, all_targets};
use crate::document::Plan;
use crate::evidence::Names;
use crate::freshness::{Hasher, LOCKFILE, TOOLCHAIN, WORKSPACE};
use crate::workspace::source::read_unit;
use crate::workspace::{PackageId, Workspace};

/// The members whose tests a plan affects: those it names, those its files belong to, and all that link them.
#[must_use]
pub fn packages(workspace: &Workspace, plan: &Plan) -> BTreeSet<PackageId> {
    let named = plan
        .packages
        .iter()
        .filter_map(|name| workspace.find(name).ok());
    let files = plan
        .files
        .iter()
        .filter_map(|file| workspace.owner(&workspace.root.join(&file.path)));
    let touched: BTreeSet<PackageId> = named.chain(files).collect();
    workspace.linked_by(&touched)
}

/// The tests of some members, by binary id, read from their sources; doctests, which have no names of their own, aside.
///
/// # Errors
/// When a target's root file cannot be read.
pub fn of(workspace: &Workspace, packages: &BTreeSet<PackageId>) -> Result<(Names, Names)> {
    let targets: Vec<TestTarget> = all_targets(workspace)
        .into_iter()
        .filter(|target| packages.contains(&target.package) && target.kind != TestKind::Doc)
        .collect();
    let units = targets.par_iter().map(|target| {
        let root = target.described(workspace).map(|target| &target.src_path);
        let unit = root.map(|root| read_unit(root)).transpose()?;
        Ok((target.binary_id(workspace), unit.unwrap_or_default()))
    });
    let units: Vec<_> = units.collect::<Result<_>>()?;
    let (mut active, mut ignored) = (Names::new(), Names::new());
    for (binary, unit) in units {
        for test in unit.tests {
            let names = if test.ignored {
                &mut ignored
            } else {
                &mut active
            };
            names.entry(binary.clone()).or_default().insert(test.name);
        }
    }
    Ok((active, ignored))
}

/// The tests a plan affects now, with the hashes of what they were read from.
///
/// # Errors
/// When sources cannot be read.
pub fn of_plan(workspace: &Workspace, plan: &Plan, hasher: &mut Hasher<'_>) -> Result<Tests> {
    let packages = packages(workspace, plan);
    let (active, ignored) = of(workspace, &packages)?;
    let mut inputs = hasher.inputs(&packages)?;
    inputs.retain(|name, _| ![LOCKFILE, TOOLCHAIN, WORKSPACE].contains(&name.as_str()));
    Ok(Tests {
        active,
        ignored,
        inputs,
    })
}

/// The tests of the binaries that were agreed on, as they are now; `None` as long as `now`, the hashes of the present
/// sources, says that they are as they were.
///
/// # Errors
/// When sources cannot be read.
pub fn changed(
    workspace: &Workspace,
    agreed: &super::Contract,
    now: &BTreeMap<String, String>,
) -> Result<Option<Tests>> {
    let Some(packed) = &agreed.tests else {
        return Ok(None);
    };
    if agreed
        .inputs
        .iter()
        .all(|(name, hash)| now.get(name) == Some(hash))
    {
        return Ok(None);
    }
    let binaries = packed.names()?;
    let owners = all_targets(workspace)
        .into_iter()
        .filter(|target| binaries.contains_key(&target.binary_id(workspace)))
        .map(|target| target.package)
        .collect();
    let (active, ignored) = of(workspace, &owners)?;
    Ok(Some(Tests {
        active,
        ignored,
        inputs: BTreeMap::new(),
    }))
}
