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
use crate::affected::items::heads::{Head, heads_of};
use crate::affected::items::nodes::{NONE, NodeId};
use crate::affected::items::{Graph, UnitKind};
use crate::workspace::graph::is_kind;
use crate::workspace::source::syntax::ItemKind;
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

/// One version of a function: its index in the file, and all its nodes.
#[derive(Debug, Default)]
struct Version {
    item: Option<u32>,
    nodes: Vec<NodeId>,
    /// Several functions have the same name.
    several: bool,
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
        let mut by_key: FxHashMap<(u32, Digest), [Version; 2]> = FxHashMap::default();
        for (id, node) in (0..).zip(&graph.nodes.nodes) {
            if node.kind == ItemKind::Fn && node.changed {
                let key = graph.nodes.item(&graph.sources, id).key;
                let version =
                    &mut by_key.entry((node.file, key)).or_default()[usize::from(node.before)];
                version.several |= version.item.is_some_and(|item| item != node.item);
                version.item = Some(node.item);
                version.nodes.push(id);
            }
        }
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
        let mut heads: FxHashMap<u32, Option<[FxHashMap<u32, Head>; 2]>> = FxHashMap::default();
        let mut bodies = Self::default();
        for ((file, key), [now, before]) in by_key {
            let (Some(item_now), Some(item_before)) = (now.item, before.item) else {
                continue;
            };
            let plain = |id: &NodeId| is_plain(graph, *id, &at_build);
            if now.several || before.several || !now.nodes.iter().chain(&before.nodes).all(plain) {
                continue;
            }
            let source = &graph.sources.files[file as usize];
            let path = workspace.slashed(&source.path);
            let heads = heads.entry(file).or_insert_with(|| {
                let texts = texts.get(&path).filter(|_| source.expansion.is_none())?;
                Some([heads_of(&texts.now)?, heads_of(&texts.before)?])
            });
            let Some([heads_now, heads_before]) = heads else {
                continue;
            };
            let head = heads_before.get(&item_before);
            if head.is_none() || head != heads_now.get(&item_now) {
                continue;
            }
            let hash = graph.nodes.item(&graph.sources, before.nodes[0]).hash;
            if let Some(index) = covered.get(&(path.as_str(), key, hash)) {
                bodies.items.insert(*index);
                bodies.nodes.extend(now.nodes);
                bodies.nodes.extend(before.nodes);
            }
        }
        bodies
    }
}

/// Whether the function has effects only when it is called.
fn is_plain(graph: &Graph, id: NodeId, at_build: &BTreeSet<PackageId>) -> bool {
    let node = &graph.nodes.nodes[id as usize];
    let unit = &graph.crates.units[node.unit as usize];
    node.call == NONE
        && node.flags & flag::ROOT == 0
        && unit.kind != UnitKind::BuildScript
        && !at_build.contains(&unit.package)
}

/// Members whose code runs during the build: procedural macros, dependencies of build scripts, and all members that these link.
fn at_build(workspace: &Workspace) -> BTreeSet<PackageId> {
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
