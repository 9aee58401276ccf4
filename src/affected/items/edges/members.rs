//! Edges of members, and of nodes that are live without being named: conditions, `impl` headers, roots, processes.

use rustc_hash::FxHashSet;

use super::{
    Builder, ConditionalEdge, EdgeTarget, Edges, ItemKind, NONE, NodeId, Out, UnitKind, flag,
};

impl Builder<'_> {
    /// Members, headers, traits: conditions, and edges that need no name.
    pub(super) fn members_into(
        &self,
        edges: &mut Edges,
        pairs: &mut Vec<(NodeId, NodeId)>,
        number: &mut dyn FnMut(EdgeTarget, &mut Edges) -> NodeId,
    ) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            if !self.relevant[node.unit as usize] {
                continue;
            }
            if node.kind == ItemKind::Impl {
                self.header(id, edges, pairs);
                continue;
            }
            let Some(kind) = self.holder_kind(node.owner) else {
                continue;
            };
            if kind == ItemKind::Trait {
                let always = node.kind != ItemKind::Fn || node.name == NONE;
                if always {
                    pairs.push((node.owner, id));
                }
                if node.name != NONE && node.kind != ItemKind::Call {
                    let method = node.flags & flag::METHOD != 0;
                    pairs.push((
                        number(EdgeTarget::Members(node.name, true, method), edges),
                        id,
                    ));
                }
                continue;
            }
            let Some(holder) = self.impls.get(&node.owner) else {
                continue;
            };
            let method = node.flags & flag::METHOD != 0;
            // A method cannot run without a value of its type.
            let mut made = |types: &[NodeId]| -> Vec<NodeId> {
                types
                    .iter()
                    .map(|of| {
                        if method && self.has_values(*of) {
                            number(EdgeTarget::Instantiated(*of), edges)
                        } else {
                            *of
                        }
                    })
                    .collect()
            };
            if node.kind == ItemKind::Call || node.kind == ItemKind::Type {
                pairs.push((node.owner, id));
            } else if holder.foreign_trait && !holder.inherent {
                if holder.types.is_empty() {
                    pairs.push((node.owner, id));
                } else {
                    pairs.extend(made(&holder.types).into_iter().map(|of| (of, id)));
                }
            } else {
                let types = made(if holder.types.is_empty() {
                    &holder.traits
                } else {
                    &holder.types
                });
                let named = number(
                    EdgeTarget::Members(node.name, !holder.inherent, method),
                    edges,
                );
                if types.is_empty() {
                    pairs.push((named, id));
                } else {
                    edges.conditional.push(ConditionalEdge {
                        member: id,
                        named,
                        types,
                    });
                }
            }
        }
    }

    /// An `impl` is live as soon as its type is; for an external type, its trait or any workspace type in its header.
    pub(super) fn header(&self, id: NodeId, edges: &mut Edges, pairs: &mut Vec<(NodeId, NodeId)>) {
        let Some(holder) = self.impls.get(&id) else {
            return;
        };
        if holder.inherent {
            // Macro calls in an inherent `impl` may define members.
            pairs.extend(holder.types.iter().map(|of| (*of, id)));
            return;
        }
        if !holder.types.is_empty() {
            pairs.extend(holder.types.iter().map(|of| (*of, id)));
            return;
        }
        if !holder.foreign_trait {
            pairs.extend(holder.traits.iter().map(|of| (*of, id)));
            return;
        }
        let mut out = Out {
            from: id,
            ..Out::default()
        };
        self.when_types(id, &mut out);
        if out.back.is_empty() {
            let owner = self.nodes.nodes[id as usize].owner;
            let in_body = self
                .nodes
                .nodes
                .get(owner as usize)
                .is_some_and(|owner| owner.kind == ItemKind::Fn);
            if in_body {
                pairs.push((owner, id));
            } else {
                edges.roots.push(id);
            }
        }
        pairs.extend(out.back.into_iter().map(|from| (from, id)));
    }

    /// Roots, processes, build scripts, files that cannot be parsed, items of macro calls.
    pub(super) fn special_into(&self, edges: &mut Edges, pairs: &mut Vec<(NodeId, NodeId)>) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let unit = &self.crates.units[node.unit as usize];
            if node.flags & flag::ROOT != 0 {
                edges.roots.push(id);
            }
            let is_main = node.kind == ItemKind::Fn
                && node.module != NONE
                && self.nodes.names.text(node.name) == "main"
                && node.owner == NONE
                && self.nodes.modules[node.module as usize].parent == NONE;
            if is_main && unit.kind == UnitKind::BuildScript {
                edges.roots.push(id);
            }
            if is_main && matches!(unit.kind, UnitKind::Binary | UnitKind::Example) {
                pairs.push((self.spawn, id));
            }
            let owner = self.nodes.nodes.get(node.owner as usize);
            if owner.is_some_and(|owner| {
                owner.kind == ItemKind::Call && owner.flags & flag::TRANSPARENT == 0
            }) {
                // The effect of an opaque call on the items in it is unknown.
                pairs.push((node.owner, id));
            }
        }
        let unread: FxHashSet<usize> = self.nodes.unread.iter().map(|(_, unit, _)| *unit).collect();
        for unit in unread {
            if let Some(root) = self.nodes.roots.get(unit).filter(|root| **root != NONE) {
                for (id, node) in (0_u32..).zip(&self.nodes.nodes) {
                    if node.unit as usize == unit && node.module == *root {
                        pairs.push((id, self.everything));
                    }
                }
            }
        }
    }
}
