//! The targets that a change can stop from compiling.
//!
//! A change of a function's body can only break the target that contains it. Any other change can break each target with code that
//! reaches the changed item, whether or not a test reaches that code.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::items::extract::flag;
use super::items::nodes::NodeId;
use super::items::{Changed, Graph, UnitKind, heads};
use super::targets::TestTarget;
use crate::sys::files;

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
        graph.predecessors().distances(&beyond)
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
    let bodies = heads::changed_bodies(graph, &|file| {
        let before = changed.rust.get(&file.path)?.clone()?;
        Some([files::text(&file.path)?, before])
    });
    let bodies = bodies.into_iter().filter(|body| !body.head.is_opaque);
    bodies
        .flat_map(|body| body.now.into_iter().chain(body.before))
        .collect()
}
