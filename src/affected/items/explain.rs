//! Explains why a test is selected, as chains of items.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use camino::Utf8Path;
use rustc_hash::FxHashMap;

use super::Graph;
use super::edges::SyntheticNode;
use super::extract::Detail;
use super::nodes::{NONE, NodeId};
use super::reachability::Reached;
use super::test_items::TestGroup;
use crate::workspace::source::syntax::ItemKind;

impl Graph {
    /// A chain from a class to a goal, through reached nodes, with the shortest estimated path first. `distance` is each node's distance to the
    /// nearest goal, assuming that conditions are met.
    pub(super) fn chain(
        &self,
        class: &TestGroup,
        bit: usize,
        reached: &Reached,
        distance: &[u32],
    ) -> Vec<NodeId> {
        let mut came: FxHashMap<NodeId, NodeId> = FxHashMap::default();
        let mut waiting: BinaryHeap<Reverse<(u32, NodeId)>> = BinaryHeap::new();
        let mut visit = |node: NodeId, from: NodeId, waiting: &mut BinaryHeap<_>| {
            if reached.reaches(bit, node) && !came.contains_key(&node) {
                came.insert(node, from);
                waiting.push(Reverse((distance[node as usize], node)));
            }
        };
        for start in class.starts.iter().chain(&self.edges.roots) {
            visit(*start, NONE, &mut waiting);
        }
        let mut at = NONE;
        while let Some(Reverse((steps, node))) = waiting.pop() {
            if steps == 0 {
                at = node;
                break;
            }
            let members = self.edges.conditional_from(node).map(|both| &both.member);
            for next in self.edges.of(node).iter().chain(members) {
                visit(*next, node, &mut waiting);
            }
        }
        let mut chain = Vec::new();
        while at != NONE {
            chain.push(at);
            at = came[&at];
        }
        chain.reverse();
        chain
    }

    /// The description of a node in reasons: `a::b::name`, `name in impl …`, `.name`.
    #[must_use]
    pub fn describe(&self, id: NodeId) -> String {
        let Some(node) = self.nodes.nodes.get(id as usize) else {
            return self
                .edges
                .synthetic
                .get(&id)
                .map_or_else(String::new, |hub| self.describe_hub(*hub));
        };
        let module = self.nodes.module_path(node.module);
        let unit = &self.crates.units[node.unit as usize];
        let own = match node.kind {
            ItemKind::Impl => "impl".to_owned(),
            ItemKind::Call => format!("{}!", self.nodes.names.text(node.name)),
            ItemKind::Use => format!(
                "use {}",
                if node.name == NONE {
                    "*"
                } else {
                    self.nodes.names.text(node.name)
                }
            ),
            _ => self.nodes.names.text(node.name).to_owned(),
        };
        let holder = self.nodes.nodes.get(node.owner as usize).map(|owner| {
            match &self.nodes.item(&self.sources, node.owner).detail {
                Detail::Impl { head, .. } => {
                    let symbols = self.nodes.symbols(node.owner);
                    head.as_ref()
                        .and_then(|head| head.last())
                        .map_or("_".to_owned(), |last| {
                            self.nodes.names.text(symbols[*last as usize]).to_owned()
                        })
                }
                _ if owner.kind == ItemKind::Trait => self.nodes.names.text(owner.name).to_owned(),
                _ => String::new(),
            }
        });
        let parts = [
            unit.name.replace('-', "_"),
            module,
            holder.unwrap_or_default(),
            own,
        ];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("::")
    }

    fn describe_hub(&self, hub: SyntheticNode) -> String {
        match hub {
            SyntheticNode::MemberName(name) => format!(".{}", self.nodes.names.text(name)),
            SyntheticNode::UnresolvedName(name) => {
                format!("`{}` in a macro", self.nodes.names.text(name))
            }
            SyntheticNode::Instantiated(node) => format!("a value of {}", self.describe(node)),
            SyntheticNode::MacroBody(node) => format!("the body of {}", self.describe(node)),
            SyntheticNode::Documentation => "documentation".to_owned(),
            SyntheticNode::Process => "a process".to_owned(),
            SyntheticNode::AnyProgram => {
                "any program or dynamic library of the workspace".to_owned()
            }
            SyntheticNode::Everything => "cargo or rustc".to_owned(),
            SyntheticNode::OwnProgram => "the test binary, started once more".to_owned(),
            SyntheticNode::ComposedName(name) => {
                format!("a name composed of `{}`", self.nodes.names.text(name))
            }
            SyntheticNode::GeneratedCode => "generated code that cannot be read".to_owned(),
            SyntheticNode::AllMembers(node) => {
                format!(
                    "members of {} that generated code may call",
                    self.describe(node)
                )
            }
            SyntheticNode::Registered { node, by } => {
                let by = self.nodes.names.text(by);
                format!("`{by}!` in {} may register code", self.describe(node))
            }
            SyntheticNode::Generator { node, by } => {
                self.describe_generator(node, self.nodes.names.text(by))
            }
        }
    }

    fn describe_generator(&self, id: NodeId, by: &str) -> String {
        let kind = match self.nodes.nodes[id as usize].kind {
            ItemKind::Call => return format!("`{by}!` may register code"),
            ItemKind::Impl => "impl",
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Type => "type",
            ItemKind::Trait => "trait",
            ItemKind::Mod => "module",
            ItemKind::Fn => "function",
            _ => "item",
        };
        format!("`#[{by}]` may generate callers of this {kind}")
    }

    /// The changed file that a node may read when it runs, if the node itself has not changed.
    #[must_use]
    pub fn reads(&self, id: NodeId) -> Option<&Utf8Path> {
        let node = self.nodes.nodes.get(id as usize)?;
        let file = self.read.by.get(&id)?;
        (!node.changed).then_some(file)
    }

    /// The file and line of a node.
    #[must_use]
    pub fn place(&self, id: NodeId) -> Option<(&Utf8Path, u32)> {
        let node = self.nodes.nodes.get(id as usize)?;
        let file = &self.sources.files[node.file as usize];
        Some((
            &file.path,
            file.expansion
                .unwrap_or_else(|| self.nodes.item(&self.sources, id).line),
        ))
    }
}
