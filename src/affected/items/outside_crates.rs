//! Code outside the workspace whose sources are known: path dependencies and patches. An item that names such a crate has the effects of
//! all its code: it may start processes, run cargo and read files.

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::CrateGraph;
use super::extract::flag;
use super::nodes::{Name, NodeId, Nodes, to_u32};
use super::sources::{Reader, Sources};
use crate::workspace::PackageId;

/// The flags that an item inherits from a crate that it names.
const EFFECTS: u32 = flag::SPAWNS
    | flag::RUNS_CARGO
    | flag::RUNS_RUSTC
    | flag::READS_FILES
    | flag::WALKS
    | flag::ESCAPES
    | flag::READS_ENVIRONMENT;

/// Adds the effects of crates outside the workspace to the items that name them.
pub(super) fn add_effects(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &mut Nodes,
    reader: &dyn Reader,
) {
    let mut effects: FxHashMap<PackageId, u32> = FxHashMap::default();
    let mut names: FxHashMap<PackageId, FxHashSet<Name>> = FxHashMap::default();
    for (folder, outside) in crates.outside.packages() {
        let of_crate = effects_of(folder, reader);
        for package in &outside.used_by {
            *effects.entry(*package).or_default() |= of_crate;
            let known = outside.names.iter().flat_map(|name| {
                let renamed = crates.names_of(*package, name);
                renamed.chain(std::iter::once(name.as_str()))
            });
            let known = known.filter_map(|name| nodes.names.get(&name.replace('-', "_")));
            names.entry(*package).or_default().extend(known);
        }
    }
    if names.values().all(FxHashSet::is_empty) {
        return;
    }
    let affected = |id: &NodeId| {
        let unit = nodes.nodes[*id as usize].unit as usize;
        let package = crates.units[unit].package;
        let of_package = names.get(&package)?;
        let names_it = nodes
            .all_names_in(sources, *id)
            .any(|name| of_package.contains(&name));
        names_it.then(|| (*id, effects[&package]))
    };
    let found: Vec<(NodeId, u32)> = (0..to_u32(nodes.nodes.len()))
        .filter_map(|id| affected(&id))
        .collect();
    for (id, effects) in found {
        let node = &mut nodes.nodes[id as usize];
        node.flags |= effects;
        if effects & flag::SPAWNS != 0 {
            // It may start other programs than those that its own text names.
            node.flags &= !flag::KNOWN_PROGRAM;
        }
    }
}

/// The effects of the sources in a folder.
fn effects_of(folder: &Utf8Path, reader: &dyn Reader) -> u32 {
    let mut effects = 0;
    let mut next: Vec<Utf8PathBuf> = vec![folder.join("src")];
    while let Some(folder) = next.pop() {
        for name in reader.folder(&folder).into_iter().flatten() {
            let path = folder.join(name);
            if path.extension() == Some("rs") {
                let items = reader.read(&path);
                let items = items.iter().flat_map(|items| &items.items);
                effects |= items.fold(0, |flags, item| flags | item.flags);
            } else {
                next.push(path);
            }
        }
    }
    effects & EFFECTS
}
