//! The tests that a plan's work can affect, by name, as their sources have them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;

use super::compare;
use super::difference::Difference;
use super::inventory::Tests;
use super::locked::Contract;
use crate::affected::{TestTarget, TestTargetKind, every_target};
use crate::document::Plan;
use crate::evidence::{Names, Packed};
use crate::freshness::{Hasher, Inputs};
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

/// The tests of one target as its sources have them.
struct Listed {
    package: PackageId,
    binary: String,
    tests: Vec<(String, bool)>,
}

/// The tests of some members, read from their sources; doctests, which have no names of their own, aside.
fn listed(workspace: &Workspace, packages: &BTreeSet<PackageId>) -> Result<Vec<Listed>> {
    let targets: Vec<TestTarget> = every_target(workspace)
        .into_iter()
        .filter(|target| packages.contains(&target.package) && target.kind != TestTargetKind::Doc)
        .collect();
    let listed = targets.par_iter().map(|target| {
        let root = target.described(workspace).map(|target| &target.src_path);
        let unit = root.map(|root| read_unit(root)).transpose()?;
        let tests = unit.unwrap_or_default().tests.into_iter();
        Ok(Listed {
            package: target.package,
            binary: target.binary_id(workspace),
            tests: tests.map(|test| (test.name, test.ignored)).collect(),
        })
    });
    listed.collect()
}

/// The names of tests by binary id: those that run, and those marked `#[ignore]`.
fn names<'l>(listed: impl Iterator<Item = &'l Listed>) -> (Names, Names) {
    let (mut active, mut ignored) = (Names::new(), Names::new());
    for target in listed {
        for (name, is_ignored) in &target.tests {
            let names = if *is_ignored {
                &mut ignored
            } else {
                &mut active
            };
            let names = names.entry(target.binary.clone()).or_default();
            names.insert(name.clone());
        }
    }
    (active, ignored)
}

/// The tests a plan affects now, with the hashes of what they were read from.
///
/// # Errors
/// When sources cannot be read.
pub fn of_plan(workspace: &Workspace, plan: &Plan, hasher: &mut Hasher<'_>) -> Result<Tests> {
    let packages = packages(workspace, plan);
    let (active, ignored) = names(listed(workspace, &packages)?.iter());
    let inputs = hasher.members(&packages)?;
    Ok(Tests {
        active,
        ignored,
        inputs,
    })
}

/// What became of the tests that contracts agreed on, where their sources have changed. Many contracts agree on the same
/// ones: each source is read once, and they are compared once.
#[derive(Debug, Default)]
pub struct Present(BTreeMap<Packed, Vec<Difference>>);

impl Present {
    /// Reads what is needed; `now` are the hashes of the present sources.
    ///
    /// # Errors
    /// When sources cannot be read, or names not unpacked.
    pub fn read<'c>(
        workspace: &Workspace,
        agreed: impl Iterator<Item = &'c Contract>,
        now: &Inputs,
    ) -> Result<Self> {
        let changed = |agreed: &&Contract| {
            let mut inputs = agreed.inputs.iter();
            inputs.any(|(name, hash)| now.get(name) != Some(hash))
        };
        let changed = agreed.filter(changed);
        let packed: BTreeSet<&Packed> =
            changed.filter_map(|agreed| agreed.tests.as_ref()).collect();
        if packed.is_empty() {
            return Ok(Self::default());
        }
        let targets = every_target(workspace).into_iter();
        let packages: BTreeMap<String, PackageId> = targets
            .map(|target| (target.binary_id(workspace), target.package))
            .collect();
        let mut sets: BTreeMap<BTreeSet<PackageId>, Vec<&Packed>> = BTreeMap::new();
        for packed in packed {
            let binaries = packed.names()?.into_keys();
            let owners = binaries.filter_map(|binary| packages.get(&binary).copied());
            sets.entry(owners.collect()).or_default().push(packed);
        }
        let listed = listed(workspace, &sets.keys().flatten().copied().collect())?;
        let mut present = BTreeMap::new();
        for (owners, packed) in sets {
            let own = listed.iter().filter(|one| owners.contains(&one.package));
            let (active, ignored) = names(own);
            let now = Tests {
                active,
                ignored,
                inputs: Inputs::new(),
            };
            for packed in packed {
                present.insert(packed.clone(), compare::of_tests(packed, &now)?);
            }
        }
        Ok(Self(present))
    }

    /// What became of the tests that a contract agreed on; nothing as long as their sources are as they were.
    #[must_use]
    pub fn of(&self, agreed: &Contract) -> &[Difference] {
        let packed = agreed.tests.as_ref();
        packed
            .and_then(|packed| self.0.get(packed))
            .map_or(&[], Vec::as_slice)
    }
}
