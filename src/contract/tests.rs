//! The names of the tests that a plan's work can affect, from their sources.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::compare;
use super::difference::Difference;
use super::inventory::Tests;
use super::locked::Contract;
use crate::affected::{SourceTest, TestTarget, every_target, source_tests_in};
use crate::document::Plan;
use crate::evidence::{Names, Packed};
use crate::freshness::{Hasher, Inputs};
use crate::project::Project;
use crate::workspace::{PackageId, Workspace};

/// The members whose tests a plan affects: the named ones, the owners of its files, and all members that link them.
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

type Listed = BTreeMap<TestTarget, Vec<SourceTest>>;

/// The tests of some members in their sources, without doctests, which have no names.
fn listed(project: &Project, packages: &BTreeSet<PackageId>) -> Result<Listed> {
    source_tests_in(project, &|target| packages.contains(&target.package))
}

/// The tests by binary id, without hashes.
fn inventory<'l>(
    workspace: &Workspace,
    listed: impl Iterator<Item = (&'l TestTarget, &'l Vec<SourceTest>)>,
) -> Tests {
    let mut all = Tests::default();
    for (target, tests) in listed {
        let binary = target.binary_id(workspace);
        let add = |names: &mut Names, name: &str| {
            let names = names.entry(binary.clone()).or_default();
            names.insert(name.to_owned());
        };
        for test in tests {
            let Some(name) = test.listed_name() else {
                continue;
            };
            if test.ignored {
                add(&mut all.ignored, name);
                continue;
            }
            add(&mut all.active, name);
            if !test.asserts {
                add(&mut all.idle, name);
            }
        }
    }
    all
}

/// The tests that a plan affects now, with the hashes of their packages.
///
/// # Errors
/// When sources cannot be read.
pub fn of_plan(project: &Project, plan: &Plan, hasher: &mut Hasher<'_>) -> Result<Tests> {
    let packages = packages(&project.workspace, plan);
    let all = inventory(&project.workspace, listed(project, &packages)?.iter());
    let inputs = hasher.members(&packages)?;
    Ok(Tests { inputs, ..all })
}

/// The differences of tests between contracts and the current sources. Contracts with equal tests share the work: each source is
/// read once, and the tests are compared once.
#[derive(Debug, Default)]
pub struct Present(BTreeMap<Agreed, Vec<Difference>>);

/// The locked tests, and those of them whose bodies could not fail; older locks do not know the latter.
type Agreed = (Packed, Option<Packed>);

impl Present {
    /// Reads the sources that have changed; `now` are the hashes of the current sources.
    ///
    /// # Errors
    /// When sources cannot be read, or names cannot be unpacked.
    pub fn read<'c>(
        project: &Project,
        agreed: impl Iterator<Item = &'c Contract>,
        now: &Inputs,
    ) -> Result<Self> {
        let changed = |agreed: &&Contract| {
            let mut inputs = agreed.inputs.iter();
            inputs.any(|(name, hash)| now.get(name) != Some(hash))
        };
        let changed = agreed.filter(changed);
        let packed: BTreeSet<Agreed> = changed.filter_map(agreed_tests).collect();
        if packed.is_empty() {
            return Ok(Self::default());
        }
        let workspace = &project.workspace;
        let targets = every_target(workspace).into_iter();
        let packages: BTreeMap<String, PackageId> = targets
            .map(|target| (target.binary_id(workspace), target.package))
            .collect();
        let mut sets: BTreeMap<BTreeSet<PackageId>, Vec<Agreed>> = BTreeMap::new();
        for packed in packed {
            let binaries = packed.0.names()?.into_keys();
            let owners = binaries.filter_map(|binary| packages.get(&binary).copied());
            sets.entry(owners.collect()).or_default().push(packed);
        }
        let listed = listed(project, &sets.keys().flatten().copied().collect())?;
        let mut present = BTreeMap::new();
        for (owners, packed) in sets {
            let own = listed.iter();
            let own = own.filter(|(target, _)| owners.contains(&target.package));
            let now = inventory(workspace, own);
            for (tests, idle) in packed {
                let differences = compare::of_tests(&tests, idle.as_ref(), &now)?;
                present.insert((tests, idle), differences);
            }
        }
        Ok(Self(present))
    }

    /// The differences of a contract's tests; empty if their sources are unchanged.
    #[must_use]
    pub fn of(&self, agreed: &Contract) -> &[Difference] {
        agreed_tests(agreed)
            .and_then(|agreed| self.0.get(&agreed))
            .map_or(&[], Vec::as_slice)
    }
}

fn agreed_tests(contract: &Contract) -> Option<Agreed> {
    Some((contract.tests.clone()?, contract.idle.clone()))
}
