//! Which node reaches which: references, names, and the conditions under which a member is reached.

mod gather;
mod members;
mod names;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::{ALL, Detail, GLOBAL, SELF_CALL, flag};
use super::layout::{Layout, UnitId, UnitKind};
use super::mount::Sources;
use super::nodes::{ModuleId, NONE, Name, NodeId, Nodes, proc_macro_name, small};
use super::resolve::Scopes;
use super::words::is_known_macro;
use crate::workspace::source::syntax::ItemKind;

/// A member that is reached when its name is and one of its types is.
#[derive(Debug, Clone)]
pub struct Both {
    /// The member.
    pub member: NodeId,
    /// The virtual node of its name.
    pub named: NodeId,
    /// The types (or traits), any of which will do.
    pub types: Vec<NodeId>,
}

/// The graph's edges. Virtual nodes stand for names; they follow the real ones.
#[derive(Debug, Default)]
pub struct Edges {
    /// How many nodes there are, virtual ones included.
    pub count: usize,
    /// Where each node's edges begin in `targets`, with one more at the end.
    starts: Vec<u32>,
    targets: Vec<NodeId>,
    /// Members under a condition.
    pub both: Vec<Both>,
    /// Per node: the entries of `both` that it may fulfil.
    pub triggers: FxHashMap<NodeId, Vec<u32>>,
    /// Reached by every test that links them.
    pub roots: Vec<NodeId>,
    /// Reaching this means to depend on everything that is linked.
    pub everything: NodeId,
    /// What virtual nodes stand for.
    pub hubs: FxHashMap<NodeId, Hub>,
    /// Macro calls that define tests in a way that could not be followed.
    pub test_calls: FxHashSet<NodeId>,
}

/// All nodes in an order.
#[derive(Debug)]
pub struct Order {
    /// Of each node, its place.
    pub places: Vec<u32>,
    /// At each place, the node.
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

    /// The members that reaching a node may fulfil the condition of.
    pub fn triggered(&self, node: NodeId) -> impl Iterator<Item = &Both> {
        let triggers = self.triggers.get(&node).into_iter().flatten();
        triggers.map(|index| &self.both[*index as usize])
    }

    /// The nodes such that most edges lead from an earlier to a later one: following them in this order settles soon.
    #[must_use]
    pub fn order(&self) -> Order {
        let mut places = vec![u32::MAX; self.count];
        let mut nodes = vec![0; self.count];
        let mut seen = vec![false; self.count];
        let mut next = small(self.count);
        let mut stack: Vec<(NodeId, usize)> = Vec::new();
        for start in 0..small(self.count) {
            if seen[start as usize] {
                continue;
            }
            seen[start as usize] = true;
            stack.push((start, 0));
            while let Some((node, done)) = stack.pop() {
                let plain = self.of(node);
                let to = plain.get(done).copied().or_else(|| {
                    let mut members = self.triggered(node).map(|both| both.member);
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
        Order { places, nodes }
    }

    fn pack(&mut self, pairs: &[(NodeId, NodeId)], count: usize) {
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
            self.starts.push(small(self.targets.len()));
        }
    }
}

/// What an `impl` or trait means for its members.
#[derive(Debug, Clone, Default)]
struct Holder {
    /// Workspace types the self type leads to.
    types: Vec<NodeId>,
    /// Workspace traits it implements.
    traits: Vec<NodeId>,
    /// Implements a trait from outside, or one that is not known.
    foreign_trait: bool,
    inherent: bool,
    /// Applies to some instances of its type only.
    special: bool,
}

/// What a virtual node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hub {
    /// A member of this name is called.
    Named(Name),
    /// This name stands in the input of a macro.
    Wild(Name),
    /// A value of a type is made.
    Made(NodeId),
    /// A macro is called that could not be expanded.
    Body(NodeId),
    /// A documentation test.
    Documentation,
    /// A process is started.
    Process,
    /// Cargo or rustc is run.
    Everything,
}

/// Builds the edges.
pub struct Builder<'g> {
    nodes: &'g Nodes,
    scopes: &'g Scopes<'g>,
    sources: &'g Sources,
    layout: &'g Layout,
    /// Per unit, whether anybody will ask what its items reach.
    relevant: &'g [bool],
    holders: FxHashMap<NodeId, Holder>,
    /// Inherent members by type and name, where they answer for every instance of the type.
    inherent: FxHashMap<(NodeId, Name), Vec<NodeId>>,
    /// All inherent members by type and name.
    of_type: FxHashMap<(NodeId, Name), Vec<NodeId>>,
    /// Names of members that workspace traits declare.
    trait_members: FxHashSet<Name>,
    members: FxHashMap<Name, Vec<NodeId>>,
    macros: FxHashMap<Name, Vec<NodeId>>,
    free: FxHashMap<Name, Vec<NodeId>>,
    /// Macro calls where items stand, by the names in them.
    calls: FxHashMap<Name, Vec<NodeId>>,
    /// Modules with such calls.
    opaque: FxHashMap<ModuleId, Vec<NodeId>>,
    /// Per name, the unit of all free items, macros and calls of it; none where there are several.
    homes: FxHashMap<Name, Option<UnitId>>,
    /// Modules with calls that may define any name.
    any_makers: FxHashMap<ModuleId, Vec<NodeId>>,
    known_redefined: FxHashSet<Name>,
    /// [`ALL`].
    all: Option<Name>,
    self_call: Option<Name>,
    global: Option<Name>,
    upper_self: Option<Name>,
    spawn: NodeId,
    everything: NodeId,
}

/// A reference to a virtual node, before it has a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum To {
    Node(NodeId),
    /// What the body of a macro refers to, for calls that were not expanded.
    Body(NodeId),
    /// `.name(…)`.
    Called(Name),
    /// A member of a type not known.
    Named(Name),
    /// A member of a trait or type parameter.
    TraitNamed(Name),
    /// Members of a name, by whether a trait has them, and whether they take `self`.
    Members(Name, bool, bool),
    /// A value of the type may exist.
    Made(NodeId),
    /// So may values of all types in its fields.
    Deep(NodeId),
    /// Any item of the name that the unit sees; any at all, without a unit.
    Wild(Name, Option<UnitId>),
    Document(u32),
}

/// What a node's own references come to.
#[derive(Default)]
struct Out {
    from: NodeId,
    /// The unit that its names are looked up in, unless they may be written elsewhere.
    view: Option<UnitId>,
    to: Vec<To>,
    /// Nodes that must reach this one: types in an opaque call.
    back: Vec<NodeId>,
}

impl<'g> Builder<'g> {
    /// Gathers what the rules need to know of all nodes.
    #[must_use]
    pub fn new(
        nodes: &'g Nodes,
        scopes: &'g Scopes<'g>,
        sources: &'g Sources,
        layout: &'g Layout,
        relevant: &'g [bool],
    ) -> Self {
        let mut builder = Self {
            nodes,
            scopes,
            sources,
            layout,
            relevant,
            holders: FxHashMap::default(),
            inherent: FxHashMap::default(),
            of_type: FxHashMap::default(),
            trait_members: FxHashSet::default(),
            members: FxHashMap::default(),
            macros: FxHashMap::default(),
            free: FxHashMap::default(),
            calls: FxHashMap::default(),
            opaque: FxHashMap::default(),
            homes: FxHashMap::default(),
            any_makers: FxHashMap::default(),
            known_redefined: FxHashSet::default(),
            all: nodes.names.get(ALL),
            self_call: nodes.names.get(SELF_CALL),
            global: nodes.names.get(GLOBAL),
            upper_self: nodes.names.get("Self"),
            spawn: small(nodes.nodes.len()),
            everything: small(nodes.nodes.len() + 1),
        };
        builder.hold();
        builder.index();
        builder.rename();
        builder.makers();
        builder.homes();
        builder
    }

    fn ids(&self) -> std::ops::Range<NodeId> {
        0..small(self.nodes.nodes.len())
    }

    /// All edges; and a virtual node for each piece of documentation, from the names in it and the item it documents.
    #[must_use]
    pub fn build(&self, documentation: &[(Vec<Name>, NodeId)]) -> (Edges, Vec<NodeId>) {
        let outs: Vec<Out> = self
            .ids()
            .into_par_iter()
            .filter(|id| self.relevant[self.nodes.nodes[*id as usize].unit as usize])
            .map(|id| self.references(id))
            .collect();
        let mut edges = Edges {
            everything: self.everything,
            ..Edges::default()
        };
        edges.hubs.insert(self.spawn, Hub::Process);
        edges.hubs.insert(self.everything, Hub::Everything);
        let mut virtuals: FxHashMap<To, NodeId> = FxHashMap::default();
        let mut next = self.everything + 1;
        let mut waiting = Vec::new();
        let mut pairs: Vec<(NodeId, NodeId)> = Vec::new();
        let mut number = |to: To, waiting: &mut Vec<To>, edges: &mut Edges| match to {
            To::Node(node) => node,
            _ => *virtuals.entry(to).or_insert_with(|| {
                let id = next;
                next += 1;
                let hub = match to {
                    To::Named(name)
                    | To::Called(name)
                    | To::TraitNamed(name)
                    | To::Members(name, ..) => Hub::Named(name),
                    To::Made(node) | To::Deep(node) => Hub::Made(node),
                    To::Wild(name, _) => Hub::Wild(name),
                    To::Body(node) | To::Node(node) => Hub::Body(node),
                    To::Document(_) => Hub::Documentation,
                };
                edges.hubs.insert(id, hub);
                waiting.push(to);
                id
            }),
        };
        for out in outs {
            for to in out.to {
                pairs.push((out.from, number(to, &mut waiting, &mut edges)));
            }
            pairs.extend(out.back.into_iter().map(|from| (from, out.from)));
        }
        self.members_into(&mut edges, &mut pairs, &mut |to, edges| {
            number(to, &mut waiting, edges)
        });
        let doc_nodes: Vec<NodeId> = documentation
            .iter()
            .enumerate()
            .map(|(index, (names, item))| {
                let from = number(To::Document(small(index)), &mut waiting, &mut edges);
                for to in names.iter().filter_map(|name| self.wild(None, *name)) {
                    pairs.push((from, number(to, &mut waiting, &mut edges)));
                }
                if *item != NONE {
                    pairs.push((from, *item));
                }
                from
            })
            .collect();
        let mut done = 0;
        while done < waiting.len() {
            let to = waiting[done];
            done += 1;
            let from = number(to, &mut waiting, &mut edges);
            for target in self.meant(to) {
                let target = number(target, &mut waiting, &mut edges);
                pairs.push((from, target));
            }
        }
        self.special_into(&mut edges, &mut pairs);
        let count = next as usize;
        edges.pack(&pairs, count);
        let mut triggers: FxHashMap<NodeId, Vec<u32>> = FxHashMap::default();
        for (index, both) in (0_u32..).zip(&edges.both) {
            for trigger in both.types.iter().chain([&both.named]) {
                triggers.entry(*trigger).or_default().push(index);
            }
        }
        edges.triggers = triggers;
        edges.test_calls = self.test_calls();
        (edges, doc_nodes)
    }

    /// Where a virtual node leads without condition.
    fn meant(&self, to: To) -> Vec<To> {
        let all = |map: &FxHashMap<Name, Vec<NodeId>>, name: &Name| -> Vec<To> {
            map.get(name)
                .into_iter()
                .flatten()
                .map(|node| To::Node(*node))
                .collect()
        };
        match to {
            To::Node(_) | To::Document(_) | To::Members(..) => Vec::new(),
            To::Body(id) => {
                let symbols = self.nodes.symbols(id);
                let wild = self
                    .nodes
                    .item(self.sources, id)
                    .references
                    .wild()
                    .iter()
                    .filter_map(|symbol| self.wild(None, symbols[*symbol as usize]));
                wild.chain([To::Node(id)]).collect()
            }
            // A call of a macro may define the member.
            To::Called(name) => [
                all(&self.calls, &name),
                vec![
                    To::Members(name, false, true),
                    To::Members(name, true, true),
                ],
            ]
            .concat(),
            To::TraitNamed(name) => [
                all(&self.calls, &name),
                vec![
                    To::Members(name, true, false),
                    To::Members(name, true, true),
                ],
            ]
            .concat(),
            To::Named(name) => vec![
                To::Called(name),
                To::TraitNamed(name),
                To::Members(name, false, false),
            ],
            To::Made(id) => vec![To::Node(id)],
            To::Deep(id) => {
                let mut targets = vec![To::Made(id)];
                targets.extend(self.types_in(id).into_iter().map(To::Deep));
                targets
            }
            To::Wild(name, unit) => {
                let seen = |map: &FxHashMap<Name, Vec<NodeId>>| -> Vec<NodeId> {
                    let all = map.get(&name).into_iter().flatten().copied();
                    all.filter(|id| unit.is_none_or(|unit| self.sees(unit, *id)))
                        .collect()
                };
                let free = seen(&self.free);
                let made = free.iter().filter(|id| self.has_values(**id));
                let mut targets: Vec<To> = made.map(|id| To::Made(*id)).collect();
                targets.extend(free.into_iter().map(To::Node));
                targets.extend(seen(&self.macros).into_iter().map(|id| self.macro_use(id)));
                targets.extend(seen(&self.calls).into_iter().map(To::Node));
                if self.members.contains_key(&name) {
                    targets.push(To::Named(name));
                }
                targets
            }
        }
    }

    /// Whether a name in a unit can mean a node.
    fn sees(&self, unit: UnitId, node: NodeId) -> bool {
        let other = self.nodes.nodes[node as usize].unit as usize;
        self.layout.links[unit].contains(&other)
    }

    fn has_values(&self, id: NodeId) -> bool {
        matches!(
            self.nodes.nodes[id as usize].kind,
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union
        )
    }
}

fn is_type(kind: ItemKind) -> bool {
    matches!(
        kind,
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait | ItemKind::Type
    )
}
