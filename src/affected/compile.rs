//! The targets that a change can stop from compiling.
//!
//! A change of a function's body can only break the target that contains it. Any other change can break each target with code that
//! reaches the changed item, whether or not a test reaches that code.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::items::extract::{Digest, flag};
use super::items::heads::{Head, heads_of};
use super::items::nodes::{NONE, NodeId};
use super::items::reachability::backward;
use super::items::{Changed, Graph, UnitKind};
use super::targets::TestTarget;
use crate::sys::files;
use crate::workspace::source::syntax::ItemKind;

/// How a target has to be built to compile all of its code that may not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    /// As a library: the build of any package that links it is enough.
    Library,
    /// As itself, with its tests.
    Tests,
}

/// The targets that `changed` can stop from compiling.
pub(super) fn may_not_compile(graph: &Graph, changed: &Changed) -> BTreeMap<TestTarget, Build> {
    let nodes = &graph.nodes.nodes;
    let bodies = changed_bodies(graph, changed);
    let all = (0..).zip(nodes).filter(|(_, node)| node.changed);
    let beyond: Vec<NodeId> = all
        .map(|(id, _)| id)
        .filter(|id| !bodies.contains(id))
        .collect();
    let distance = if beyond.is_empty() {
        Vec::new()
    } else {
        backward(&graph.edges, &beyond)
    };
    let reaches = |id: usize| distance.get(id).is_some_and(|steps| *steps != u32::MAX);
    let mut found = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        if !node.changed && !reaches(id) {
            continue;
        }
        let Some(unit) = graph.crates.units.get(node.unit as usize) else {
            continue;
        };
        let for_tests = flag::TEST | flag::TEST_PREFIX | flag::TEST_ONLY;
        let build = match unit.kind {
            // `cargo test` does not build benches.
            UnitKind::Bench => continue,
            UnitKind::Library if node.flags & for_tests == 0 => Build::Library,
            UnitKind::BuildScript => Build::Library,
            _ => Build::Tests,
        };
        let known = found.entry(unit.target()).or_insert(build);
        *known = build.max(*known);
    }
    found
}

/// The changed functions whose body alone changed, without those whose body determines properties of the type that callers get.
fn changed_bodies(graph: &Graph, changed: &Changed) -> FxHashSet<NodeId> {
    let mut by_key: FxHashMap<(u32, Digest), [Vec<NodeId>; 2]> = FxHashMap::default();
    for (id, node) in (0..).zip(&graph.nodes.nodes) {
        if node.changed && node.kind == ItemKind::Fn && node.call == NONE {
            let key = graph.nodes.item(&graph.sources, id).key;
            by_key.entry((node.file, key)).or_default()[usize::from(node.before)].push(id);
        }
    }
    let mut heads: FxHashMap<u32, Option<[FxHashMap<u32, Head>; 2]>> = FxHashMap::default();
    let mut bodies = FxHashSet::default();
    for ((file, _), [now, before]) in by_key {
        let path = &graph.sources.files[file as usize].path;
        let heads = heads.entry(file).or_insert_with(|| {
            let before = changed.rust.get(path)?.as_deref()?;
            let now = files::read(path).ok()?;
            Some([heads_of(str::from_utf8(&now).ok()?)?, heads_of(before)?])
        });
        let Some([heads_now, heads_before]) = heads else {
            continue;
        };
        let of = |heads: &FxHashMap<u32, Head>, ids: &[NodeId]| -> Option<BTreeSet<Head>> {
            let items = ids.iter().map(|id| graph.nodes.nodes[*id as usize].item);
            let heads = items.map(|item| heads.get(&item).copied());
            heads
                .map(|head| head.filter(|head| !head.is_opaque))
                .collect()
        };
        let head = of(heads_now, &now);
        if head.as_ref().is_some_and(|head| head.len() == 1) && head == of(heads_before, &before) {
            bodies.extend(now.into_iter().chain(before));
        }
    }
    bodies
}
