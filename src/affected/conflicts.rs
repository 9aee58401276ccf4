//! What a configuration compiles: features that exclude each other, as a `compile_error!` of the workspace says, and files.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::items::extract::FileItems;
use super::items::{Changed, CrateGraph, Reader, Sources};
use crate::workspace::source::cfg::{Build, Compiled, Predicate};
use crate::workspace::source::syntax::{ItemKind, TOP};
use crate::workspace::{Configuration, PackageId, Workspace};

/// The packages of the workspace's configuration in groups that each compile: one group unless features of some packages
/// exclude those of others.
pub(crate) fn buildable_groups(
    workspace: &Workspace,
    reader: &dyn Reader,
) -> Vec<BTreeSet<PackageId>> {
    let all = workspace.configured_packages();
    let errors = compile_errors(workspace, reader);
    let fails = |packages: &BTreeSet<PackageId>| {
        let configured = workspace.configured_as(Configuration {
            packages: packages.clone(),
            ..workspace.configuration.clone()
        });
        errors.iter().any(|(package, error)| {
            let is_built = configured.features().target[*package].is_some();
            let options = configured.cfg_options(*package);
            is_built && error.evaluate(&options, Build::Plain) == Compiled::Yes
        })
    };
    if errors.is_empty() || !fails(&all) {
        return vec![all];
    }
    let mut groups: Vec<BTreeSet<PackageId>> = Vec::new();
    for package in all {
        let joined = groups.iter_mut().find_map(|group| {
            let mut joined = group.clone();
            joined.insert(package);
            (!fails(&joined)).then_some((group, joined))
        });
        match joined {
            Some((group, joined)) => *group = joined,
            None => groups.push(BTreeSet::from([package])),
        }
    }
    groups
}

/// Whether the packages of the workspace's configuration compile all of these sources.
pub(super) fn compiles(workspace: &Workspace, sources: &[&Utf8Path], reader: &dyn Reader) -> bool {
    let mut crates = CrateGraph::of(workspace);
    crates.configure(workspace);
    let read = Sources::read(&crates, &Changed::default(), reader);
    let configured = workspace.configured_packages();
    let mounts = read.mounts.iter();
    let built = mounts.filter(|mount| configured.contains(&crates.units[mount.unit].package));
    let compiled: BTreeSet<&Utf8Path> = built
        .map(|mount| read.files[mount.file].path.as_path())
        .collect();
    sources.iter().all(|source| compiled.contains(source))
}

/// The conditions under which a package does not compile.
fn compile_errors(workspace: &Workspace, reader: &dyn Reader) -> Vec<(PackageId, Predicate)> {
    let crates = CrateGraph::of(workspace);
    let sources = Sources::read(&crates, &Changed::default(), reader);
    let mut found = Vec::new();
    for mount in &sources.mounts {
        let file = &sources.files[mount.file];
        let Some(items) = file.now.as_deref().filter(|_| file.expansion.is_none()) else {
            continue;
        };
        for (index, item) in (0_u32..).zip(&items.items) {
            let name = item.name.map_or("", |name| items.symbols.get(name));
            if item.kind != ItemKind::Call || name != "compile_error" {
                continue;
            }
            let mut all = conditions(items, index);
            let mut declared = mount.declared.as_ref();
            while let Some(place) = declared {
                let around = &sources.mounts[place.mount];
                if let Some(items) = sources.files[around.file].now.as_deref() {
                    all.extend(conditions(items, place.item));
                }
                declared = around.declared.as_ref();
            }
            found.push((crates.units[mount.unit].package, Predicate::All(all)));
        }
    }
    found
}

/// The `cfg` predicates of an item, of the items around it, and of its file.
fn conditions(items: &FileItems, item: u32) -> Vec<Predicate> {
    let around = std::iter::successors(Some(item), |at| {
        let parent = items.items.get(*at as usize)?.parent;
        (parent != TOP).then_some(parent)
    });
    let around: Vec<u32> = around.chain([TOP]).collect();
    let conditions = items.conditions.iter();
    conditions
        .filter(|(of, _)| around.contains(of))
        .map(|(_, predicate)| predicate.clone())
        .collect()
}
