//! Processes that code starts: programs of the workspace, the test binary itself, cargo.

use super::{Builder, EdgeTarget, ItemKind, Name, NodeId, Out, UnitKind, flag};
use crate::affected::items::outside_effects;

impl Builder<'_> {
    /// Whether a name in documentation means that a process is started there.
    pub(super) fn starts_processes(&self, name: Name) -> bool {
        outside_effects::of_word(self.nodes.names.text(name)) & flag::SPAWNS != 0
    }

    /// Processes, tools, and the parents of an item.
    pub(super) fn special(&self, id: NodeId, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let script = self.crates.units[node.unit as usize].kind == UnitKind::BuildScript;
        // A build script runs before its package's programs exist.
        if node.flags & flag::SPAWNS != 0 && !script {
            out.to.push(EdgeTarget::Node(self.spawn));
            if node.flags & flag::KNOWN_PROGRAM == 0 {
                out.to.push(EdgeTarget::Node(self.any_program()));
            }
        }
        // A build script runs rustc for its version; a test gives it code to compile.
        let tools = if script {
            flag::RUNS_CARGO
        } else {
            flag::RUNS_CARGO | flag::RUNS_RUSTC
        };
        if node.flags & tools != 0 {
            out.to.push(EdgeTarget::Node(self.everything));
        }
        if self.starts_itself(id) {
            out.to.push(EdgeTarget::AllTests);
        }
        let part = self
            .nodes
            .nodes
            .get(node.owner as usize)
            .is_some_and(|owner| {
                matches!(
                    owner.kind,
                    ItemKind::Impl | ItemKind::Trait | ItemKind::Call | ItemKind::Foreign
                )
            });
        if part {
            // A part refers to its parent: the header of an `impl`, a trait, the macro around it.
            out.to.push(EdgeTarget::Node(node.owner));
        }
    }

    /// Whether an item starts the program that runs it.
    fn starts_itself(&self, id: NodeId) -> bool {
        if self.nodes.nodes[id as usize].flags & flag::SPAWNS == 0 || self.own_program.is_empty() {
            return false;
        }
        let symbols = self.nodes.symbols(id);
        let references = &self.nodes.item(self.sources, id).references;
        let mut ends = references.paths().filter_map(|path| path.last());
        ends.any(|symbol| self.own_program.contains(&symbols[*symbol as usize]))
            && !self.nodes.refers_to(self.sources, id, &self.other_programs)
    }

    /// The tests of all units: each test sees those of its own binary.
    pub(super) fn all_tests(&self) -> Vec<EdgeTarget> {
        let is_test = |id: &NodeId| {
            let node = &self.nodes.nodes[*id as usize];
            node.is_test()
        };
        self.ids().filter(is_test).map(EdgeTarget::Node).collect()
    }
}
