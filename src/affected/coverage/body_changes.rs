//! Finds changed functions whose body alone changed, so that only tests that execute them are affected.
//!
//! Any other change (a signature, an attribute, a new item, a constant, a macro, a type) has effects without being executed. The same
//! applies to the body of a `const fn`, of a function that build scripts or procedural macros call, and of a function whose text is the
//! input of a macro.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, TargetKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::store::Store;
use crate::affected::items::extract::{Digest, flag};
use crate::affected::items::heads::{ChangedBody, changed_bodies};
use crate::affected::items::nodes::NodeId;
use crate::affected::items::{Changed, Graph, Unit, UnitKind};
use crate::workspace::graph::is_kind;
use crate::workspace::{PackageId, Workspace};

/// Functions whose body alone changed.
#[derive(Debug, Default)]
pub struct BodyChanges {
    /// The nodes of both versions.
    pub nodes: Vec<NodeId>,
    /// Their items in the store.
    pub items: FxHashSet<u32>,
}

/// Both versions of a file.
#[derive(Debug)]
pub struct Texts {
    /// The text at the collection.
    pub before: String,
    /// The current text.
    pub now: String,
}

impl BodyChanges {
    /// Finds them among the changed functions of `graph`, which contains the state of `store` and the current one. `texts` are indexed by
    /// path relative to the workspace root, with `/`.
    #[must_use]
    pub fn of(
        workspace: &Workspace,
        graph: &Graph,
        store: &Store,
        texts: &FxHashMap<String, Texts>,
    ) -> Self {
        let at_build = at_build(workspace);
        let covered: FxHashMap<(&str, Digest, Digest), u32> = (0..)
            .zip(&store.items)
            .filter(|(_, item)| !item.blind)
            .map(|(index, item)| {
                (
                    (
                        store.files[item.file as usize].as_str(),
                        item.key,
                        item.hash,
                    ),
                    index,
                )
            })
            .collect();
        let changed = changed_bodies(graph, &|file| {
            let texts = texts.get(&workspace.slashed(&file.path))?;
            Some([texts.now.clone(), texts.before.clone()])
        });
        let mut bodies = Self::default();
        for ChangedBody {
            key, now, before, ..
        } in changed
        {
            let item = |id: &NodeId| graph.nodes.nodes[*id as usize].item;
            // Several functions may have the same name.
            let is_one = |nodes: &[NodeId]| nodes.iter().all(|id| item(id) == item(&nodes[0]));
            let plain = |id: &NodeId| is_plain(graph, *id, &at_build);
            if !is_one(&now) || !is_one(&before) || !now.iter().chain(&before).all(plain) {
                continue;
            }
            let file = graph.nodes.nodes[before[0] as usize].file;
            let path = workspace.slashed(&graph.sources.files[file as usize].path);
            let hash = graph.nodes.item(&graph.sources, before[0]).hash;
            if let Some(index) = covered.get(&(path.as_str(), key, hash)) {
                bodies.items.insert(*index);
                bodies.nodes.extend(now);
                bodies.nodes.extend(before);
            }
        }
        bodies
    }

    /// Makes the graph treat these functions as unchanged.
    pub(super) fn leave_out(&self, graph: &mut Graph, changed: &mut Changed) {
        changed.besides |= !self.nodes.is_empty();
        for node in &self.nodes {
            graph.nodes.nodes[*node as usize].changed = false;
        }
    }
}

/// Whether the function has effects only when it is called.
fn is_plain(graph: &Graph, id: NodeId, at_build: &BTreeSet<PackageId>) -> bool {
    let node = &graph.nodes.nodes[id as usize];
    let unit = &graph.crates.units[node.unit as usize];
    node.flags & flag::ROOT == 0 && !runs_at_build(unit, at_build)
}

/// Whether code of a unit runs during the build; for members that [`at_build`] returns.
pub(super) fn runs_at_build(unit: &Unit, at_build: &BTreeSet<PackageId>) -> bool {
    unit.kind == UnitKind::BuildScript || at_build.contains(&unit.package)
}

/// Members whose code runs during the build: procedural macros, dependencies of build scripts, and all members that these link.
pub(crate) fn at_build(workspace: &Workspace) -> BTreeSet<PackageId> {
    let expands = |id: &PackageId| {
        let targets = &workspace.packages[*id].targets;
        targets
            .iter()
            .any(|target| is_kind(target, &[TargetKind::ProcMacro]))
    };
    let mut packages: BTreeSet<PackageId> = (0..workspace.packages.len()).filter(expands).collect();
    let for_builds = workspace
        .edges()
        .iter()
        .filter(|edge| edge.kind == DependencyKind::Build);
    packages.extend(for_builds.map(|edge| edge.to));
    workspace.links(&packages)
}
