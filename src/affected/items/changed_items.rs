//! What a change changes, before anything is followed: items, and the units whose tests can reach one of them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

use super::crate_graph::CrateGraph;
use super::def_map::DefMap;
use super::extract::flag;
use super::file_reads::PathIndex;
use super::module_files::{Changed, Sources};
use super::nodes::{ModuleId, NONE, NodeId, Nodes, to_u32};
use crate::workspace::source::modules::normal;
use crate::workspace::source::syntax::ItemKind;

/// What code may read of a change when it runs.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The items that may read a changed file, each with the first such file.
    pub(super) by: BTreeMap<NodeId, Utf8PathBuf>,
    /// Changed files in the folder of no package that some item names.
    pub(super) named: BTreeSet<Utf8PathBuf>,
}

impl Read {
    pub(super) fn of(
        crates: &CrateGraph,
        sources: &Sources,
        nodes: &Nodes,
        changed: &Changed,
    ) -> Self {
        let mut read = Self::default();
        let files: Vec<&Utf8PathBuf> = changed.rust.keys().chain(&changed.others).collect();
        if files.is_empty() {
            return read;
        }
        // The last part of a path that leads to a file, or to a folder around it, is a part of the file's own.
        let parts = files.iter().flat_map(|file| file.components());
        let parts: FxHashSet<&str> = parts.map(|part| part.as_str()).collect();
        let leads = |path: &Utf8Path| path.file_name().is_none_or(|name| parts.contains(name));
        let readers = PathIndex::new(crates, sources, nodes, &leads);
        for file in files {
            for node in readers.of(file) {
                read.by.entry(node).or_insert_with(|| file.clone());
            }
            let is_owned = crates.folders.iter().any(|folder| file.starts_with(folder));
            if !is_owned && readers.names(file) {
                read.named.insert(file.clone());
            }
        }
        read
    }
}

/// Per unit, whether tests that the change can affect may link it. Every unit, where nothing is said to have changed.
pub(super) fn relevant(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    scopes: &DefMap<'_>,
    changed: &Changed,
    read: &Read,
) -> Vec<bool> {
    let everything = changed.rust.is_empty() && changed.others.is_empty();
    let mut goals = vec![everything; crates.units.len()];
    let open_uses = scopes.open_uses.iter().copied().collect();
    let embedding = sources
        .unmounted(changed)
        .flat_map(|path| embedding(sources, nodes, path));
    for node in changed_nodes(nodes, &open_uses, &scopes.globs)
        .into_iter()
        .chain(embedding)
        .chain(read.by.keys().copied())
    {
        goals[nodes.nodes[node as usize].unit as usize] = true;
    }
    let mounted = sources.mounts.iter();
    for mount in mounted.filter(|mount| sources.files[mount.file].changed) {
        goals[mount.unit] = true;
    }
    // A test that runs cargo or rustc can tell any change, and so can one that may do anything.
    for node in &nodes.nodes {
        goals[node.unit as usize] |= node.flags & (flag::RUNS_CARGO | flag::RUNS_RUSTC) != 0;
    }
    for (_, unit, _) in &nodes.unread {
        goals[*unit] = true;
    }
    let mut relevant = vec![false; crates.units.len()];
    for (unit, links) in crates.units.iter().zip(&crates.links) {
        if (unit.test || unit.doctest) && links.iter().any(|unit| goals[*unit]) {
            for unit in links {
                relevant[*unit] = true;
            }
        }
    }
    relevant
}

/// Changed items, with what a change of them changes besides. `open_uses` and `globs` are those of the [`DefMap`].
pub(super) fn changed_nodes(
    nodes: &Nodes,
    open_uses: &FxHashSet<NodeId>,
    globs: &[(ModuleId, ModuleId)],
) -> Vec<NodeId> {
    let mut goals: Vec<NodeId> = Vec::new();
    let mut modules: FxHashSet<ModuleId> = FxHashSet::default();
    for (id, node) in (0_u32..).zip(&nodes.nodes) {
        if !node.changed {
            continue;
        }
        goals.push(id);
        if node.kind == ItemKind::Mod {
            modules.extend(
                (0_u32..)
                    .zip(&nodes.modules)
                    .filter(|(_, module)| module.node == id)
                    .map(|(module, _)| module),
            );
        }
        if open_uses.contains(&id) {
            // A trait in scope, or names behind `*`, count for the whole module and for whoever takes all its names.
            seen_from(node.module, globs, &mut modules);
        }
    }
    if !modules.is_empty() {
        let inside: Vec<bool> = (0..nodes.modules.len())
            .map(|module| {
                let mut around = nodes.around(to_u32(module));
                around.any(|module| modules.contains(&module))
            })
            .collect();
        for (id, node) in (0_u32..).zip(&nodes.nodes) {
            if node.module != NONE && inside[node.module as usize] {
                goals.push(id);
            }
        }
    }
    goals
}

fn seen_from(module: ModuleId, globs: &[(ModuleId, ModuleId)], modules: &mut FxHashSet<ModuleId>) {
    let mut next = vec![module];
    while let Some(module) = next.pop() {
        if modules.insert(module) {
            next.extend(
                globs
                    .iter()
                    .filter(|(_, from)| *from == module)
                    .map(|(into, _)| *into),
            );
        }
    }
}

impl Sources {
    /// Changed files that are no module of any unit.
    pub(super) fn unmounted<'c>(&self, changed: &'c Changed) -> impl Iterator<Item = &'c Utf8Path> {
        let rust = changed.rust.keys();
        let mut unmounted: BTreeSet<&Utf8Path> = rust.map(Utf8PathBuf::as_path).collect();
        for file in &self.files {
            unmounted.remove(file.path.as_path());
        }
        let others = changed.others.iter().map(Utf8PathBuf::as_path);
        others.chain(unmounted)
    }
}

/// The items that embed a file with `include_str!` and its like.
pub(super) fn embedding(
    sources: &Sources,
    nodes: &Nodes,
    path: &Utf8Path,
) -> impl Iterator<Item = NodeId> {
    let embeds = move |node: &NodeId| {
        let written = &nodes.item(sources, *node).references.files;
        let file = &sources.files[nodes.nodes[*node as usize].file as usize].path;
        written.iter().any(|written| {
            let beside = normal(&file.parent().unwrap_or(file).join(written));
            // `concat!(env!("CARGO_MANIFEST_DIR"), "/data.txt")`
            let below = written.trim_start_matches('/');
            beside == path || (!below.is_empty() && path.as_str().ends_with(&format!("/{below}")))
        })
    };
    nodes.embedding.iter().copied().filter(embeds)
}
