//! What a configuration compiles: features that exclude each other, as a `compile_error!` of the workspace says, and files.

use std::collections::{BTreeMap, BTreeSet};

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
    let fails = |packages: &BTreeSet<PackageId>| error_in(workspace, &errors, packages).is_some();
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

/// The packages of the workspace's configuration that do not compile even alone, each with the place of the `compile_error!`.
pub(crate) fn broken(workspace: &Workspace, reader: &dyn Reader) -> BTreeMap<PackageId, String> {
    let errors = compile_errors(workspace, reader);
    if error_in(workspace, &errors, &workspace.configured_packages()).is_none() {
        return BTreeMap::new();
    }
    let packages = workspace.configured_packages().into_iter();
    let found = packages.filter_map(|package| {
        let error = error_in(workspace, &errors, &BTreeSet::from([package]))?;
        Some((package, error.place.clone()))
    });
    found.collect()
}

/// A `compile_error!` in a package.
struct CompileError {
    package: PackageId,
    /// When it is compiled.
    condition: Predicate,
    /// Its file, relative to the workspace root, and line.
    place: String,
}

/// The first error that a build of these packages compiles.
fn error_in<'e>(
    workspace: &Workspace,
    errors: &'e [CompileError],
    packages: &BTreeSet<PackageId>,
) -> Option<&'e CompileError> {
    let configured = workspace.configured_as(Configuration {
        packages: packages.clone(),
        ..workspace.configuration.clone()
    });
    errors.iter().find(|error| {
        let is_built = configured.features().target[error.package].is_some();
        let options = configured.cfg_options(error.package);
        is_built && error.condition.evaluate(&options, Build::Plain) == Compiled::Yes
    })
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

/// The errors of all packages, whatever their features.
fn compile_errors(workspace: &Workspace, reader: &dyn Reader) -> Vec<CompileError> {
    let crates = CrateGraph::of(workspace);
    let sources = Sources::read(&crates, &Changed::default(), reader);
    let mut found = Vec::new();
    for mount in &sources.mounts {
        let file = &sources.files[mount.file];
        let Some(items) = file.now.as_deref() else {
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
            // A macro can report wrong input in this way, whatever the features are.
            if file.expansion.is_some() && !all.iter().any(depends_on_features) {
                continue;
            }
            let line = file.expansion.unwrap_or(item.line);
            found.push(CompileError {
                package: crates.units[mount.unit].package,
                condition: Predicate::All(all),
                place: format!("{}:{line}", workspace.slashed(&file.path)),
            });
        }
    }
    found
}

fn depends_on_features(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All(all) | Predicate::Any(all) => all.iter().any(depends_on_features),
        Predicate::Not(inner) => depends_on_features(inner),
        Predicate::Value(key, _) => key == "feature",
        Predicate::Name(_) | Predicate::Unknown => false,
    }
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
