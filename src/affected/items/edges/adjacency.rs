//! The edges of the item graph.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::affected::items::nodes::{NONE, Name, NodeId, to_u32};

/// A member that is live when its name is called and one of its types is live.
#[derive(Debug, Clone)]
pub struct ConditionalEdge {
    /// The member.
    pub member: NodeId,
    /// The synthetic node of its name.
    pub named: NodeId,
    /// The types (or traits), one of which must be live.
    pub types: Vec<NodeId>,
}

/// The graph's edges. Synthetic nodes represent names; they follow the real nodes.
#[derive(Debug, Default)]
pub struct Edges {
    /// The number of nodes, including synthetic ones.
    pub count: usize,
    /// The start of each node's edges in `targets`, and the end of the last.
    pub(super) starts: Vec<u32>,
    pub(super) targets: Vec<NodeId>,
    /// Conditional members.
    pub conditional: Vec<ConditionalEdge>,
    /// The conditional edges that each node may fulfil.
    pub conditional_by_source: FxHashMap<NodeId, Vec<u32>>,
    /// Nodes that are live in every test that links them.
    pub roots: Vec<NodeId>,
    /// Nodes that depend on everything that is linked.
    pub everything: NodeId,
    /// Nodes that start a process.
    pub spawn: NodeId,
    /// Nodes that start a program, or load a library, which may be any of the workspace.
    pub any_program: NodeId,
    /// Everything that generated code may name. Reachability from the roots ignores these nodes.
    pub anything: Vec<NodeId>,
    /// The synthetic nodes.
    pub synthetic: FxHashMap<NodeId, SyntheticNode>,
    /// Macro calls that define tests and cannot be expanded.
    pub test_calls: FxHashSet<NodeId>,
    /// Items that may define tests whose names are not in the sources.
    pub test_generators: FxHashSet<NodeId>,
}

/// All nodes in reverse postorder.
#[derive(Debug)]
pub struct ReversePostorder {
    /// The position of each node.
    pub places: Vec<u32>,
    /// The node at each position.
    pub nodes: Vec<NodeId>,
}

impl Edges {
    /// The nodes that a node reaches.
    #[must_use]
    pub fn of(&self, node: NodeId) -> &[NodeId] {
        let (start, end) = (
            self.starts[node as usize] as usize,
            self.starts[node as usize + 1] as usize,
        );
        &self.targets[start..end]
    }

    /// The conditional edges that reaching a node may fulfil.
    pub fn conditional_from(&self, node: NodeId) -> impl Iterator<Item = &ConditionalEdge> {
        let conditional_by_source = self.conditional_by_source.get(&node).into_iter().flatten();
        conditional_by_source.map(|index| &self.conditional[*index as usize])
    }

    /// An order in which most edges lead forward, so that a fixpoint needs few sweeps.
    #[must_use]
    pub fn order(&self) -> ReversePostorder {
        let mut places = vec![u32::MAX; self.count];
        let mut nodes = vec![0; self.count];
        let mut seen = vec![false; self.count];
        let mut next = to_u32(self.count);
        let mut stack: Vec<(NodeId, usize)> = Vec::new();
        for start in 0..to_u32(self.count) {
            if seen[start as usize] {
                continue;
            }
            seen[start as usize] = true;
            stack.push((start, 0));
            while let Some((node, done)) = stack.pop() {
                let plain = self.of(node);
                let to = plain.get(done).copied().or_else(|| {
                    let mut members = self.conditional_from(node).map(|both| both.member);
                    members.nth(done - plain.len())
                });
                if let Some(to) = to {
                    stack.push((node, done + 1));
                    if !seen[to as usize] {
                        seen[to as usize] = true;
                        stack.push((to, 0));
                    }
                } else {
                    next -= 1;
                    places[node as usize] = next;
                    nodes[next as usize] = node;
                }
            }
        }
        ReversePostorder { places, nodes }
    }

    pub(super) fn pack(&mut self, pairs: &[(NodeId, NodeId)], count: usize) {
        let mut fill = vec![0_u32; count + 1];
        for (from, _) in pairs {
            fill[*from as usize + 1] += 1;
        }
        for at in 1..=count {
            fill[at] += fill[at - 1];
        }
        let starts = fill.clone();
        let mut targets = vec![NONE; pairs.len()];
        for (from, to) in pairs {
            let next = &mut fill[*from as usize];
            targets[*next as usize] = *to;
            *next += 1;
        }
        self.count = count;
        self.starts.push(0);
        for node in 0..count {
            let of = &mut targets[starts[node] as usize..starts[node + 1] as usize];
            of.sort_unstable();
            let mut last = None;
            let each = of.iter().copied();
            self.targets
                .extend(each.filter(|to| last.replace(*to) != Some(*to)));
            self.starts.push(to_u32(self.targets.len()));
        }
    }
}

/// The meaning of a synthetic node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntheticNode {
    /// A member of this name is called.
    MemberName(Name),
    /// This name is in the input of a macro.
    UnresolvedName(Name),
    /// A value of a type is created.
    Instantiated(NodeId),
    /// A macro that cannot be expanded is called.
    MacroBody(NodeId),
    /// A documentation test.
    Documentation,
    /// A process is started.
    Process,
    /// A process is started that may be any program of the workspace, or a library is loaded.
    AnyProgram,
    /// Cargo or rustc is run.
    Everything,
    /// The test binary is started once more.
    OwnProgram,
    /// A name that a macro composes from this one.
    ComposedName(Name),
    /// Code that is in no source, and everything it can name.
    GeneratedCode,
    /// Members of a type that generated code may call.
    AllMembers(NodeId),
    /// An item that generated code may call or register.
    Generator {
        /// The item.
        node: NodeId,
        /// The attribute, derive or macro that generates it.
        by: Name,
    },
    /// What a macro call in the body of an item may register.
    Registered {
        /// The item.
        node: NodeId,
        /// The macro.
        by: Name,
    },
}
