//! The packages that a change can affect, with or without tests: those whose build, lints or documentation it can change.
//!
//! A comment can change lints and documentation, so files count as a whole, with every package that depends on theirs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::Utf8Path;

use super::file_effect::FileEffect;
use super::items::Graph;
use super::items::crate_graph::UnitKind;
use super::manifests;
use super::outside::Outside;
use super::quiet_files;
use super::rules;
use super::selection::Selection;
use crate::change::Change;
use crate::config::Config;
use crate::sys::git::FileChange;
use crate::workspace::{PackageId, Workspace};

/// Files with settings for clippy, which apply to the packages in their folder.
const OF_CLIPPY: [&str; 2] = ["clippy.toml", ".clippy.toml"];

/// The packages that a change can affect. `selection` are the tests that it can affect.
///
/// # Errors
/// When git cannot return the old content of a changed file.
pub fn affected_packages(
    workspace: &Workspace,
    config: &Config,
    change: &Change,
    selection: &Selection,
) -> Result<BTreeSet<PackageId>> {
    let outside = Outside::read(workspace);
    let users = selection.compiled_in.values().flatten();
    let mut changed: BTreeSet<PackageId> = users.copied().collect();
    let all = || 0..workspace.packages.len();
    for file in &change.files {
        let path = &file.path;
        let name = path.file_name().unwrap_or_default();
        if OF_CLIPPY.contains(&name) {
            let folder = path.parent().unwrap_or(path);
            changed.extend(all().filter(|package| workspace.folder(*package).starts_with(folder)));
            continue;
        }
        let relative = workspace.slashed(path);
        let mut without_effect = selection.without_effect.iter();
        if config.is_document(workspace.relative(path))
            || is_quiet(workspace, path) && without_effect.any(|(file, _)| *file == relative)
        {
            continue;
        }
        if is_root_manifest(workspace, path) && manifests::lints_changed(change, file)? {
            changed.extend(all());
        }
        changed.extend(workspace.owner(path));
        let is_used = selection.compiled_in.contains_key(&relative);
        for effect in effects(workspace, &outside, config, change, file, is_used)? {
            match effect {
                FileEffect::Nothing(_) => {}
                FileEffect::Targets(targets, _) => {
                    changed.extend(targets.iter().map(|target| target.package));
                }
                FileEffect::Packages(packages, _) => changed.extend(packages),
            }
        }
    }
    Ok(workspace.chains(&changed).into_keys().collect())
}

/// The effects of a changed file on packages other than its own.
fn effects(
    workspace: &Workspace,
    outside: &Outside,
    config: &Config,
    change: &Change,
    file: &FileChange,
    is_used: bool,
) -> Result<Vec<FileEffect>> {
    let mut effects = rules::through_outside(workspace, outside, &file.path);
    match rules::by_name(workspace, outside, config, change, file)? {
        Some(ruling) => effects.extend(ruling.effects),
        // Without a known user, any package may use the file.
        None if workspace.owner(&file.path).is_none() && !is_used => {
            effects.push(rules::by_place(workspace, outside, &file.path));
        }
        None => {}
    }
    Ok(effects)
}

fn is_root_manifest(workspace: &Workspace, path: &Utf8Path) -> bool {
    path.parent() == Some(&workspace.root) && path.file_name() == Some("Cargo.toml")
}

fn is_quiet(workspace: &Workspace, path: &Utf8Path) -> bool {
    quiet_files::kind_of(workspace, path).is_some()
}

/// The packages that compile or embed each changed file, or whose build scripts may read it. The file can be in any folder.
pub(super) fn compiled_in(
    workspace: &Workspace,
    graph: &Graph,
    change: &Change,
) -> BTreeMap<String, BTreeSet<PackageId>> {
    let mut found: BTreeMap<String, BTreeSet<PackageId>> = BTreeMap::new();
    let mut add = |file: &Utf8Path, unit: usize| {
        if let Some(unit) = graph.crates.units.get(unit) {
            let packages = found.entry(workspace.slashed(file)).or_default();
            packages.insert(unit.package);
        }
    };
    for mount in &graph.sources.mounts {
        let file = &graph.sources.files[mount.file];
        if file.changed {
            add(&file.path, mount.unit);
        }
    }
    for file in &change.files {
        for node in graph.embedding(&file.path) {
            add(&file.path, graph.nodes.nodes[node as usize].unit as usize);
        }
        for unit in graph.documenting(&file.path) {
            add(&file.path, unit);
        }
    }
    for (id, node) in (0..).zip(&graph.nodes.nodes) {
        let unit = graph.crates.units.get(node.unit as usize);
        if unit.is_some_and(|unit| unit.kind == UnitKind::BuildScript)
            && let Some(file) = graph.reads(id)
        {
            add(file, node.unit as usize);
        }
    }
    found
}
