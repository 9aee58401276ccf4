//! Which node reaches which: references, names, and the conditions under which a member is reached.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::extract::{Detail, GLOBAL, SELF_CALL, flag};
use super::layout::{Layout, UnitKind};
use super::mount::Sources;
use super::nodes::{ModuleId, NONE, Name, NodeId, Nodes, proc_macro_name, small};
use super::references::is_known_macro;
use super::resolve::Scopes;
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
    /// Nodes that embed files: path as written, node.
    pub embedded: Vec<(String, NodeId)>,
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

    /// A place for every node such that most edges lead from a lower to a higher one: following them in this order settles soon.
    #[must_use]
    pub fn order(&self) -> Vec<u32> {
        let mut place = vec![u32::MAX; self.count];
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
                if let Some(to) = self.of(node).get(done) {
                    stack.push((node, done + 1));
                    if !seen[*to as usize] {
                        seen[*to as usize] = true;
                        stack.push((*to, 0));
                    }
                } else {
                    next -= 1;
                    place[node as usize] = next;
                }
            }
        }
        place
    }

    fn pack(&mut self, mut pairs: Vec<(NodeId, NodeId)>, count: usize) {
        pairs.par_sort_unstable();
        pairs.dedup();
        self.count = count;
        self.starts = vec![0; count + 1];
        for (from, _) in &pairs {
            self.starts[*from as usize + 1] += 1;
        }
        for at in 1..=count {
            self.starts[at] += self.starts[at - 1];
        }
        self.targets = pairs.into_iter().map(|(_, to)| to).collect();
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
    /// Modules with calls that may define any name.
    any_makers: FxHashMap<ModuleId, Vec<NodeId>>,
    known_redefined: FxHashSet<Name>,
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
    Wild(Name),
    Document(u32),
}

/// What a node's own references come to.
#[derive(Default)]
struct Out {
    from: NodeId,
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
    ) -> Self {
        let mut builder = Self {
            nodes,
            scopes,
            sources,
            layout,
            holders: FxHashMap::default(),
            inherent: FxHashMap::default(),
            of_type: FxHashMap::default(),
            trait_members: FxHashSet::default(),
            members: FxHashMap::default(),
            macros: FxHashMap::default(),
            free: FxHashMap::default(),
            calls: FxHashMap::default(),
            opaque: FxHashMap::default(),
            any_makers: FxHashMap::default(),
            known_redefined: FxHashSet::default(),
            self_call: nodes.names.get(SELF_CALL),
            global: nodes.names.get(GLOBAL),
            upper_self: nodes.names.get("Self"),
            spawn: small(nodes.nodes.len()),
            everything: small(nodes.nodes.len() + 1),
        };
        builder.hold();
        builder.index();
        builder.makers();
        builder
    }

    fn ids(&self) -> std::ops::Range<NodeId> {
        0..small(self.nodes.nodes.len())
    }

    fn hold(&mut self) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let Detail::Impl {
                head,
                of_trait,
                special,
            } = &self.nodes.item(self.sources, id).detail
            else {
                continue;
            };
            let symbols = self.nodes.symbols(id);
            let names = |path: &[u32]| -> Vec<Name> {
                path.iter()
                    .map(|symbol| symbols[*symbol as usize])
                    .collect()
            };
            let mut holder = Holder {
                inherent: of_trait.is_none(),
                special: *special,
                ..Holder::default()
            };
            if let Some(head) = head {
                let path = names(head);
                let found = self.scopes.resolve(node.module, &path);
                let is_type = |kind| {
                    matches!(
                        kind,
                        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait
                    )
                };
                let whole = found.items.iter().all(|(item, rest)| {
                    *rest == path.len() && is_type(self.nodes.nodes[*item as usize].kind)
                });
                if whole && !found.external && found.any.is_empty() {
                    holder.types = found.items.iter().map(|(item, _)| *item).collect();
                }
            }
            if let Some(of_trait) = of_trait {
                let path = names(of_trait);
                let found = self.scopes.resolve(node.module, &path);
                holder.traits = found
                    .items
                    .iter()
                    .map(|(item, _)| *item)
                    .filter(|item| self.nodes.nodes[*item as usize].kind == ItemKind::Trait)
                    .collect();
                holder.foreign_trait = holder.traits.is_empty()
                    || found.external
                    || !found.any.is_empty()
                    || holder.traits.len() != found.items.len();
            }
            self.holders.insert(id, holder);
        }
    }

    fn index(&mut self) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            if node.kind == ItemKind::Call {
                let item = self.nodes.item(self.sources, id);
                let symbols = self.nodes.symbols(id);
                if node.flags & flag::TRANSPARENT == 0 {
                    for symbol in &item.references.wild {
                        self.calls
                            .entry(symbols[*symbol as usize])
                            .or_default()
                            .push(id);
                    }
                    self.opaque.entry(node.module).or_default().push(id);
                }
                continue;
            }
            if let Some(name) =
                proc_macro_name(self.nodes.item(self.sources, id), self.nodes.symbols(id))
            {
                self.macros.entry(name).or_default().push(id);
                self.free.entry(name).or_default().push(id);
            }
            if node.name == NONE {
                continue;
            }
            if node.kind == ItemKind::Macro {
                self.macros.entry(node.name).or_default().push(id);
                if is_known_macro(self.nodes.names.text(node.name)) {
                    self.known_redefined.insert(node.name);
                }
            }
            match self.holder_kind(node.owner) {
                Some(holder) => {
                    self.members.entry(node.name).or_default().push(id);
                    if holder == ItemKind::Trait {
                        self.trait_members.insert(node.name);
                    } else if let Some(holder) = self.holders.get(&node.owner)
                        && holder.inherent
                    {
                        let header = self.nodes.nodes[node.owner as usize].flags;
                        let always =
                            !holder.special && (node.flags | header) & flag::CONDITIONAL == 0;
                        for of in &holder.types {
                            let key = (*of, node.name);
                            self.of_type.entry(key).or_default().push(id);
                            if always {
                                self.inherent.entry(key).or_default().push(id);
                            }
                        }
                    }
                }
                None => self.free.entry(node.name).or_default().push(id),
            }
        }
    }

    /// What calls that are not expanded may define besides the names in them: names fixed in the macro's body, or any.
    fn makers(&mut self) {
        let calls: Vec<NodeId> = self.opaque.values().flatten().copied().collect();
        let mut defined: Vec<(Name, NodeId)> = Vec::new();
        for call in calls {
            let mut any = false;
            for id in self.bodies(call) {
                let node = &self.nodes.nodes[id as usize];
                any |= node.kind != ItemKind::Macro || node.flags & flag::DEFINES_ANY != 0;
                if let Detail::Macro { defines, .. } = &self.nodes.item(self.sources, id).detail {
                    let symbols = self.nodes.symbols(id);
                    defined.extend(
                        defines
                            .iter()
                            .map(|symbol| (symbols[*symbol as usize], call)),
                    );
                }
            }
            if any {
                self.any_makers
                    .entry(self.nodes.nodes[call as usize].module)
                    .or_default()
                    .push(call);
            }
        }
        for (name, call) in defined {
            self.calls.entry(name).or_default().push(call);
        }
    }

    /// The macros that a name may mean in an item: those written above it in the same file hide all others.
    fn macros_for(&self, id: NodeId, name: Name) -> Vec<NodeId> {
        let Some(all) = self.macros.get(&name) else {
            return Vec::new();
        };
        let path =
            |node: NodeId| &self.sources.files[self.nodes.nodes[node as usize].file as usize].path;
        let near = |other: &&NodeId| {
            let (user, macro_node) = (
                &self.nodes.nodes[id as usize],
                &self.nodes.nodes[**other as usize],
            );
            user.unit == macro_node.unit
                && macro_node.kind == ItemKind::Macro
                && path(**other) == path(id)
                && self.is_around(macro_node.module, user.scope)
        };
        let textual: Vec<NodeId> = all.iter().filter(near).copied().collect();
        if textual.is_empty() {
            all.clone()
        } else {
            textual
        }
    }

    fn is_around(&self, outer: ModuleId, mut inner: ModuleId) -> bool {
        while inner != NONE {
            if inner == outer {
                return true;
            }
            inner = self.nodes.modules[inner as usize].parent;
        }
        false
    }

    /// The workspace macros that a call may run, through each other's bodies.
    fn bodies(&self, call: NodeId) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = Vec::new();
        let mut next = vec![call];
        while let Some(id) = next.pop() {
            let references = &self.nodes.item(self.sources, id).references;
            let symbols = self.nodes.symbols(id);
            let names: Vec<Name> = if id == call {
                references.macros.iter()
            } else {
                references.wild.iter()
            }
            .map(|symbol| symbols[*symbol as usize])
            .collect();
            for name in names {
                for body in self.macros_for(id, name) {
                    if !found.contains(&body) {
                        found.push(body);
                        next.push(body);
                    }
                }
            }
        }
        found
    }

    /// Calls not expanded whose macros hold tests.
    fn test_calls(&self) -> FxHashSet<NodeId> {
        let calls = self.opaque.values().flatten().copied();
        calls
            .filter(|call| {
                self.bodies(*call).iter().any(|body| {
                    matches!(
                        &self.nodes.item(self.sources, *body).detail,
                        Detail::Macro { tests: true, .. }
                    )
                })
            })
            .collect()
    }

    fn holder_kind(&self, owner: NodeId) -> Option<ItemKind> {
        let kind = self.nodes.nodes.get(owner as usize)?.kind;
        matches!(kind, ItemKind::Impl | ItemKind::Trait).then_some(kind)
    }

    /// All edges; and a virtual node for each piece of documentation, from the names in it and the item it documents.
    #[must_use]
    pub fn build(&self, documentation: &[(Vec<Name>, NodeId)]) -> (Edges, Vec<NodeId>) {
        let outs: Vec<Out> = self
            .ids()
            .into_par_iter()
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
                    To::Wild(name) => Hub::Wild(name),
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
                for name in names {
                    pairs.push((from, number(To::Wild(*name), &mut waiting, &mut edges)));
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
        edges.pack(pairs, count);
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
                    .wild
                    .iter()
                    .map(|symbol| To::Wild(symbols[*symbol as usize]));
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
            To::Wild(name) => {
                let mut targets = all(&self.free, &name);
                targets.extend(
                    self.free
                        .get(&name)
                        .into_iter()
                        .flatten()
                        .filter(|id| self.has_values(**id))
                        .map(|id| To::Made(*id)),
                );
                targets.extend(
                    self.macros
                        .get(&name)
                        .into_iter()
                        .flatten()
                        .map(|id| self.macro_use(*id)),
                );
                targets.extend(all(&self.calls, &name));
                if self.members.contains_key(&name) {
                    targets.push(To::Named(name));
                }
                targets
            }
        }
    }

    fn references(&self, id: NodeId) -> Out {
        let node = &self.nodes.nodes[id as usize];
        let item = self.nodes.item(self.sources, id);
        let symbols = self.nodes.symbols(id);
        let mut out = Out {
            from: id,
            ..Out::default()
        };
        let references = &item.references;
        let redefined = references
            .macros
            .iter()
            .any(|symbol| self.known_redefined.contains(&symbols[*symbol as usize]));
        let mut path = Vec::new();
        let both = references
            .paths
            .iter()
            .map(|path| (path, true))
            .chain(references.mentions.iter().map(|path| (path, false)));
        for (segments, runs) in both {
            path.clear();
            path.extend(segments.iter().map(|symbol| symbols[*symbol as usize]));
            self.path(id, &path, runs, &mut out);
            if redefined {
                out.to.extend(path.iter().map(|name| To::Wild(*name)));
            }
        }
        let named = |list: &'g [u32]| list.iter().map(move |symbol| symbols[*symbol as usize]);
        out.to.extend(named(&references.methods).map(To::Called));
        out.to.extend(named(&references.members).map(To::Named));
        out.to
            .extend(named(&references.trait_members).map(To::TraitNamed));
        if node.flags & flag::MADE != 0 {
            out.to.push(To::Made(id));
        }
        for name in named(&references.macros) {
            self.macro_called(id, name, &mut out);
        }
        let own = node.kind != ItemKind::Macro && node.flags & flag::EXPANDED == 0;
        if own {
            out.to.extend(named(&references.wild).map(To::Wild));
        }
        match node.kind {
            ItemKind::Use | ItemKind::ExternCrate => self.imported(id, &mut out),
            ItemKind::Call => self.call(id, &mut out),
            ItemKind::Const if self.nodes.names.text(node.name) == "_" => {
                self.when_types(id, &mut out);
            }
            _ => {}
        }
        self.special(id, &mut out);
        out.to.retain(|to| *to != To::Node(id));
        out
    }

    /// A macro called by name: itself, and calls that may define it.
    fn macro_called(&self, id: NodeId, name: Name, out: &mut Out) {
        let expanded = self.nodes.nodes[id as usize].flags & flag::EXPANDED != 0;
        let macros = self.macros_for(id, name).into_iter();
        out.to.extend(macros.map(|id| {
            if expanded {
                To::Node(id)
            } else {
                self.macro_use(id)
            }
        }));
        let calls = self.calls.get(&name).into_iter().flatten();
        out.to.extend(calls.map(|node| To::Node(*node)));
    }

    /// Processes, tools, and what holds an item.
    fn special(&self, id: NodeId, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let script = self.layout.units[node.unit as usize].kind == UnitKind::BuildScript;
        // A build script runs before its package's programs exist.
        if node.flags & flag::SPAWNS != 0 && !script {
            out.to.push(To::Node(self.spawn));
        }
        // A build script asks rustc for its version; a test gives it code to compile.
        let tools = if script {
            flag::RUNS_CARGO
        } else {
            flag::RUNS_CARGO | flag::RUNS_RUSTC
        };
        if node.flags & tools != 0 {
            out.to.push(To::Node(self.everything));
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
            // A part refers to what holds it: the header of an `impl`, a trait, the macro around it.
            out.to.push(To::Node(node.owner));
        }
    }

    fn has_values(&self, id: NodeId) -> bool {
        matches!(
            self.nodes.nodes[id as usize].kind,
            ItemKind::Struct | ItemKind::Enum | ItemKind::Union
        )
    }

    /// The workspace types that a type's own declaration names.
    fn types_in(&self, id: NodeId) -> Vec<NodeId> {
        let node = &self.nodes.nodes[id as usize];
        let symbols = self.nodes.symbols(id);
        let references = &self.nodes.item(self.sources, id).references;
        let mut types = Vec::new();
        for path in references.mentions.iter().chain(&references.paths) {
            let path: Vec<Name> = path
                .iter()
                .map(|symbol| symbols[*symbol as usize])
                .collect();
            let found = self.scopes.resolve(node.scope, &path).items;
            types.extend(
                found
                    .into_iter()
                    .map(|(item, _)| item)
                    .filter(|item| self.has_values(*item)),
            );
        }
        types
    }

    /// A node as it is used: a macro together with what its body names.
    fn macro_use(&self, id: NodeId) -> To {
        if self.nodes.nodes[id as usize].kind == ItemKind::Macro {
            To::Body(id)
        } else {
            To::Node(id)
        }
    }

    fn path(&self, id: NodeId, path: &[Name], runs: bool, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let first = Some(path[0]);
        if first == self.self_call {
            if let Some(name) = path.get(1) {
                self.on_self(id, *name, out);
            }
            return;
        }
        if first == self.upper_self {
            self.of_self(id, &path[1..], runs, out);
            return;
        }
        let found = self.scopes.resolve(node.scope, path);
        out.to.extend(found.by.iter().map(|by| To::Node(*by)));
        for (item, rest) in &found.items {
            out.to.push(if node.flags & flag::EXPANDED == 0 {
                self.macro_use(*item)
            } else {
                To::Node(*item)
            });
            if runs && self.has_values(*item) {
                out.to.push(To::Made(*item));
            }
            if node.flags & flag::UNSAFE != 0 && self.has_values(*item) {
                out.to.push(To::Deep(*item));
            }
            self.beyond(*item, &path[*rest..], out);
        }
        out.to.extend(found.any.iter().map(|name| To::Wild(*name)));
        if found.external && path.len() > 1 {
            // A type or trait from outside has members of the workspace only through the workspace's traits.
            out.to.push(To::TraitNamed(path[path.len() - 1]));
        }
        if path.len() > 1 && found.missing {
            let from = usize::from(first == self.global) + 1;
            out.to.extend(
                path[from.min(path.len() - 1)..]
                    .iter()
                    .map(|name| To::Wild(*name)),
            );
        }
        self.perhaps_by_macro(node.scope, path[0], &mut *out);
        if found.missing {
            self.perhaps_by_any(node.scope, &mut *out);
        }
        if path.len() == 1 && found.unknown && self.may_be_any(node.scope, node.flags) {
            out.to.push(To::Wild(path[0]));
        }
    }

    /// A macro call in the module, or around the block, may define the name.
    fn perhaps_by_macro(&self, module: ModuleId, name: Name, out: &mut Out) {
        let Some(calls) = self.calls.get(&name) else {
            return;
        };
        let mut at = module;
        while at != NONE {
            let scope = &self.nodes.modules[at as usize];
            out.to.extend(
                calls
                    .iter()
                    .filter(|call| self.nodes.nodes[**call as usize].module == at)
                    .map(|call| To::Node(*call)),
            );
            if !scope.block {
                break;
            }
            at = scope.parent;
        }
    }

    /// A call of a macro that composes names, in the module or around the block, may define what is not found.
    fn perhaps_by_any(&self, module: ModuleId, out: &mut Out) {
        let mut at = module;
        while at != NONE && !self.any_makers.is_empty() {
            out.to.extend(
                self.any_makers
                    .get(&at)
                    .into_iter()
                    .flatten()
                    .map(|call| To::Node(*call)),
            );
            let scope = &self.nodes.modules[at as usize];
            if !scope.block {
                break;
            }
            at = scope.parent;
        }
    }

    fn may_be_any(&self, module: ModuleId, flags: u32) -> bool {
        if flags & flag::LOCAL_GLOB != 0 {
            return true;
        }
        let mut at = module;
        while at != NONE {
            if self.opaque.contains_key(&at) {
                return true;
            }
            let scope = &self.nodes.modules[at as usize];
            if !scope.block {
                break;
            }
            at = scope.parent;
        }
        false
    }

    /// Segments after an item: a type's members, an enum's variants.
    fn beyond(&self, item: NodeId, rest: &[Name], out: &mut Out) {
        let Some((member, more)) = rest.split_first() else {
            return;
        };
        let kind = self.nodes.nodes[item as usize].kind;
        if let Some(members) = self.of_type.get(&(item, *member)) {
            out.to
                .extend(members.iter().map(|member| To::Node(*member)));
        }
        if !self.inherent.contains_key(&(item, *member)) && !self.is_variant(item, *member) {
            out.to.push(match kind {
                ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait => {
                    To::TraitNamed(*member)
                }
                _ => To::Named(*member),
            });
        }
        out.to.extend(more.iter().map(|name| To::Named(*name)));
    }

    fn is_variant(&self, item: NodeId, name: Name) -> bool {
        let symbols = self.nodes.symbols(item);
        matches!(&self.nodes.item(self.sources, item).detail, Detail::Enum(variants) if variants.iter().any(|variant| symbols[*variant as usize] == name))
    }

    /// The types that `Self` means for a member or an `impl`.
    fn self_types(&self, id: NodeId) -> &[NodeId] {
        let node = &self.nodes.nodes[id as usize];
        let holder = if node.kind == ItemKind::Impl {
            id
        } else {
            node.owner
        };
        self.holders
            .get(&holder)
            .map_or(&[], |holder| &holder.types)
    }

    fn of_self(&self, id: NodeId, rest: &[Name], runs: bool, out: &mut Out) {
        let types = self.self_types(id);
        if types.is_empty() {
            out.to.extend(rest.iter().map(|name| To::Named(*name)));
        }
        for of in types {
            if runs && self.has_values(*of) {
                out.to.push(To::Made(*of));
            }
            self.beyond(*of, rest, out);
        }
    }

    /// `self.name(…)`: an inherent member of the self type answers before any trait's, unless a workspace trait has the name too.
    fn on_self(&self, id: NodeId, name: Name, out: &mut Out) {
        let types = self.self_types(id);
        let certain = !types.is_empty()
            && !self.trait_members.contains(&name)
            && types.iter().all(|of| {
                self.inherent.contains_key(&(*of, name))
                    && self.nodes.nodes[*of as usize].kind != ItemKind::Trait
            });
        if certain {
            for of in types {
                out.to.extend(
                    self.inherent
                        .get(&(*of, name))
                        .into_iter()
                        .flatten()
                        .map(|member| To::Node(*member)),
                );
            }
        } else {
            out.to.push(To::Called(name));
        }
    }

    fn imported(&self, id: NodeId, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let Detail::Use { path, .. } = &self.nodes.item(self.sources, id).detail else {
            return;
        };
        let symbols = self.nodes.symbols(id);
        let path: Vec<Name> = path
            .iter()
            .map(|symbol| symbols[*symbol as usize])
            .collect();
        let found = self.scopes.resolve(node.module, &path);
        out.to.extend(found.by.iter().map(|by| To::Node(*by)));
        out.to
            .extend(found.items.iter().map(|(item, _)| To::Node(*item)));
        if found.missing || !found.any.is_empty() {
            out.to.extend(path.last().map(|last| To::Wild(*last)));
        }
        if let Some(macros) = path.last().and_then(|last| self.macros.get(last)) {
            out.to.extend(macros.iter().map(|node| To::Node(*node)));
        }
    }

    /// A macro call where items stand reaches the items in it, and is reached by the types it names.
    fn call(&self, id: NodeId, out: &mut Out) {
        if self.nodes.nodes[id as usize].flags & flag::TRANSPARENT != 0 {
            return;
        }
        self.when_types(id, out);
        for body in self.bodies(id) {
            let symbols = self.nodes.symbols(body);
            for symbol in &self.nodes.item(self.sources, body).references.wild {
                let named = self
                    .free
                    .get(&symbols[*symbol as usize])
                    .into_iter()
                    .flatten();
                out.back
                    .extend(named.filter(|node| is_type(self.nodes.nodes[**node as usize].kind)));
            }
        }
    }

    /// Any workspace type or trait in it leads here.
    fn when_types(&self, id: NodeId, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let item = self.nodes.item(self.sources, id);
        let symbols = self.nodes.symbols(id);
        let single = item
            .references
            .wild
            .iter()
            .map(|symbol| vec![symbols[*symbol as usize]]);
        let paths = item
            .references
            .paths
            .iter()
            .chain(&item.references.mentions)
            .map(|path| {
                path.iter()
                    .map(|symbol| symbols[*symbol as usize])
                    .collect::<Vec<_>>()
            });
        for path in single.chain(paths) {
            for (found, _) in self.scopes.resolve(node.module, &path).items {
                if is_type(self.nodes.nodes[found as usize].kind) {
                    out.back.push(found);
                }
            }
        }
    }

    /// Members, headers, traits: conditions and what comes without being named.
    fn members_into(
        &self,
        edges: &mut Edges,
        pairs: &mut Vec<(NodeId, NodeId)>,
        number: &mut dyn FnMut(To, &mut Edges) -> NodeId,
    ) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
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
                    pairs.push((number(To::Members(node.name, true, method), edges), id));
                }
                continue;
            }
            let Some(holder) = self.holders.get(&node.owner) else {
                continue;
            };
            let method = node.flags & flag::METHOD != 0;
            // Without a value of its type, a method cannot run.
            let mut made = |types: &[NodeId]| -> Vec<NodeId> {
                types
                    .iter()
                    .map(|of| {
                        if method && self.has_values(*of) {
                            number(To::Made(*of), edges)
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
                let named = number(To::Members(node.name, !holder.inherent, method), edges);
                if types.is_empty() {
                    pairs.push((named, id));
                } else {
                    edges.both.push(Both {
                        member: id,
                        named,
                        types,
                    });
                }
            }
        }
    }

    /// An `impl` counts as soon as its type does; for a type from outside, its trait or any workspace type in its header.
    fn header(&self, id: NodeId, edges: &mut Edges, pairs: &mut Vec<(NodeId, NodeId)>) {
        let Some(holder) = self.holders.get(&id) else {
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

    /// Roots, processes, build scripts, files not understood, macro calls' items.
    fn special_into(&self, edges: &mut Edges, pairs: &mut Vec<(NodeId, NodeId)>) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let unit = &self.layout.units[node.unit as usize];
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
                // What an opaque call makes of the items in it is not known.
                pairs.push((node.owner, id));
            }
            let item = self.nodes.item(self.sources, id);
            edges
                .embedded
                .extend(item.references.files.iter().map(|path| (path.clone(), id)));
        }
        // `include_str!` in documentation is a matter of documentation tests, not of the item.
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

fn is_type(kind: ItemKind) -> bool {
    matches!(
        kind,
        ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait | ItemKind::Type
    )
}
