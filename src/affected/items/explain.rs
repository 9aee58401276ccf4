//! Why a test is selected: chains of items, in words.

use std::collections::VecDeque;

use camino::Utf8Path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Graph;
use super::edges::Hub;
use super::extract::Detail;
use super::nodes::{NONE, NodeId};
use super::reach::Reached;
use super::tests::Class;
use crate::workspace::source::syntax::ItemKind;

impl Graph {
    /// A shortest chain of items from a test to any of `goals`; none when it reaches none of them.
    #[must_use]
    pub fn explain(&self, test: usize, goals: &[NodeId]) -> Option<Vec<NodeId>> {
        let class = self
            .classes
            .iter()
            .position(|class| class.tests.contains(&test))?;
        let reached = self.reached(&[class], None);
        let is_reached = goals.iter().any(|goal| reached.reaches(0, *goal));
        is_reached.then(|| {
            [
                self.tests[test].seeds.clone(),
                self.chain(&self.classes[class], 0, &reached, goals),
            ]
            .concat()
        })
    }

    /// A chain from a class to a changed item through what it reaches, by how far nodes are from the change; where that leads
    /// nowhere for this class, because a condition is met on another way only, the search goes forward.
    pub(super) fn near_chain(
        &self,
        class: &Class,
        bit: usize,
        reached: &Reached,
        distance: &[u32],
    ) -> Option<Vec<NodeId>> {
        let near = |node: &NodeId| {
            if reached.reaches(bit, *node) {
                distance[*node as usize]
            } else {
                u32::MAX
            }
        };
        let mut at = class
            .starts
            .iter()
            .chain(&self.edges.roots)
            .copied()
            .min_by_key(near)?;
        let mut chain = vec![at];
        while distance[at as usize] > 0 {
            let conditional = self
                .edges
                .triggers
                .get(&at)
                .into_iter()
                .flatten()
                .map(|index| &self.edges.both[*index as usize].member);
            let next = self
                .edges
                .of(at)
                .iter()
                .chain(conditional)
                .min_by_key(|node| near(node))?;
            if near(next) >= distance[at as usize] {
                return None;
            }
            at = *next;
            chain.push(at);
        }
        Some(chain)
    }

    /// A shortest chain from a class to any of `goals` through what it reaches.
    pub(super) fn chain(
        &self,
        class: &Class,
        bit: usize,
        reached: &Reached,
        goals: &[NodeId],
    ) -> Vec<NodeId> {
        let goals: FxHashSet<NodeId> = goals.iter().copied().collect();
        let mut came: FxHashMap<NodeId, NodeId> = FxHashMap::default();
        let mut queue: VecDeque<NodeId> = VecDeque::new();
        for start in class.starts.iter().chain(&self.edges.roots) {
            if reached.reaches(bit, *start) && came.insert(*start, NONE).is_none() {
                queue.push_back(*start);
            }
        }
        while let Some(node) = queue.pop_front() {
            if goals.contains(&node) {
                let mut chain = vec![node];
                while let Some(from) = came
                    .get(&chain[chain.len() - 1])
                    .filter(|from| **from != NONE)
                {
                    chain.push(*from);
                }
                chain.reverse();
                return chain;
            }
            for next in self.edges.of(node) {
                if reached.reaches(bit, *next) && !came.contains_key(next) {
                    came.insert(*next, node);
                    queue.push_back(*next);
                }
            }
            for index in self.edges.triggers.get(&node).into_iter().flatten() {
                let both = &self.edges.both[*index as usize];
                let met = came.contains_key(&both.named)
                    && both.types.iter().any(|of| came.contains_key(of));
                if met && reached.reaches(bit, both.member) && !came.contains_key(&both.member) {
                    came.insert(both.member, both.named);
                    queue.push_back(both.member);
                }
            }
        }
        Vec::new()
    }

    /// What a node is called, for reasons: `a::b::name`, `name in impl …`, `.name`.
    #[must_use]
    pub fn describe(&self, id: NodeId) -> String {
        let Some(node) = self.nodes.nodes.get(id as usize) else {
            return self
                .edges
                .hubs
                .get(&id)
                .map_or_else(String::new, |hub| self.describe_hub(*hub));
        };
        let module = self.nodes.module_path(node.module);
        let unit = &self.layout.units[node.unit as usize];
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

    fn describe_hub(&self, hub: Hub) -> String {
        match hub {
            Hub::Named(name) => format!(".{}", self.nodes.names.text(name)),
            Hub::Wild(name) => format!("`{}` in a macro", self.nodes.names.text(name)),
            Hub::Made(node) => format!("a value of {}", self.describe(node)),
            Hub::Body(node) => format!("the body of {}", self.describe(node)),
            Hub::Documentation => "documentation".to_owned(),
            Hub::Process => "a process".to_owned(),
            Hub::Everything => "cargo or rustc".to_owned(),
        }
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
