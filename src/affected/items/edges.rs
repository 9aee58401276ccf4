//! Edges between nodes: references, names, and conditions for members.

mod adjacency;
mod composed;
mod generated;
mod generators;
mod index;
mod members;
mod processes;
mod rating;
mod references;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::builtins::is_known_macro;
use super::crate_graph::{CrateGraph, UnitId, UnitKind};
use super::def_map::DefMap;
use super::extract::{ALL, Detail, GLOBAL, SELF_CALL, STATEMENT, flag};
use super::nodes::{ModuleId, NONE, Name, NodeId, Nodes, proc_macro_name, to_u32};
use super::sources::Sources;
use crate::workspace::source::syntax::ItemKind;
pub use adjacency::{ConditionalEdge, Edges, ReversePostorder, SyntheticNode};
use generators::GeneratedCode;

/// The header of an `impl` or trait, for its members.
#[derive(Debug, Clone, Default)]
struct ImplData {
    /// Workspace types of the self type.
    types: Vec<NodeId>,
    /// Workspace traits it implements.
    traits: Vec<NodeId>,
    /// Whether it implements an external or unknown trait.
    foreign_trait: bool,
    inherent: bool,
    /// Whether it applies only to some instances of its type.
    is_specialized: bool,
}

/// Builds the edges.
pub struct Builder<'g> {
    nodes: &'g Nodes,
    scopes: &'g DefMap<'g>,
    sources: &'g Sources,
    crates: &'g CrateGraph,
    /// For each unit, whether the edges of its items are needed.
    relevant: &'g [bool],
    impls: FxHashMap<NodeId, ImplData>,
    /// Inherent members by type and name, if they apply to every instance of the type.
    inherent: FxHashMap<(NodeId, Name), Vec<NodeId>>,
    /// All inherent members by type and name.
    of_type: FxHashMap<(NodeId, Name), Vec<NodeId>>,
    /// Names of members that workspace traits declare.
    trait_members: FxHashSet<Name>,
    members: FxHashMap<Name, Vec<NodeId>>,
    macros: FxHashMap<Name, Vec<NodeId>>,
    free: FxHashMap<Name, Vec<NodeId>>,
    /// Macro calls in item position, by the names in them.
    calls: FxHashMap<Name, Vec<NodeId>>,
    /// Modules with such calls.
    opaque: FxHashMap<ModuleId, Vec<NodeId>>,
    /// The unit of all free items, macros and calls of a name; `None` if there are several.
    unit_of_unique_name: FxHashMap<Name, Option<UnitId>>,
    /// Members of a type, including those of its traits.
    members_of_type: FxHashMap<NodeId, Vec<NodeId>>,
    /// Names that a trait declares.
    members_of_trait: FxHashMap<NodeId, Vec<Name>>,
    /// Names of functions that create values of any type with `unsafe` code.
    make_any: FxHashSet<Name>,
    /// For each module, the modules whose names it imports with `*`.
    globs_into: FxHashMap<ModuleId, Vec<ModuleId>>,
    /// For each module, the external crates whose names it imports with `*`.
    outside_globs: FxHashMap<ModuleId, Vec<Name>>,
    /// For each unit, the crates in its `extern crate` items.
    extern_crates: Vec<Vec<Name>>,
    /// Names of standard macros that a `use` replaces with an external macro.
    replaced: FxHashSet<Name>,
    generated: GeneratedCode,
    known_redefined: FxHashSet<Name>,
    /// [`ALL`].
    all: Option<Name>,
    self_call: Option<Name>,
    global: Option<Name>,
    /// [`STATEMENT`].
    statement: Option<Name>,
    upper_self: Option<Name>,
    spawn: NodeId,
    everything: NodeId,
    /// Names of functions that return the path of the running program, and of those that lead from it to other programs.
    own_program: FxHashSet<Name>,
    other_programs: FxHashSet<Name>,
}

/// A reference to a synthetic node before it has a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum EdgeTarget {
    Node(NodeId),
    /// The references of a macro's body, for calls that cannot be expanded.
    MacroBody(NodeId),
    /// `.name(…)`.
    MethodName(Name),
    /// A member of an unknown type.
    MemberName(Name),
    /// A member of a trait or type parameter.
    TraitMemberName(Name),
    /// Members of a name, by whether a trait has them, and whether they take `self`.
    Members(Name, bool, bool),
    /// A value of the type may exist.
    Instantiated(NodeId),
    /// Values of all types in its fields may exist.
    InstantiatedWithFields(NodeId),
    /// Any item of the name that the unit sees; any item of the name, without a unit.
    UnresolvedName(Name, Option<UnitId>),
    Doctest(u32),
    /// Names that code of a unit may compose from this one.
    Fragment(Name, UnitId),
    /// All names in scope in a module.
    Scope(ModuleId),
    /// All members of a type, and of the types in its fields.
    AllMembers(NodeId),
    /// Everything that code of a unit can name.
    Visible(UnitId),
    /// All items of a unit that other code can name.
    ItemsOf(UnitId),
    /// What a macro of this name in the body of a node may register.
    Registered(NodeId, Name),
    /// What generated code in a module may name.
    Anything(ModuleId),
    /// All tests: one of them runs when a test binary is started again.
    AllTests,
    /// A node whose generated code is live without being named.
    Generator(NodeId),
}

/// The edges of a node.
#[derive(Default)]
struct Out {
    from: NodeId,
    /// The unit for name lookup, unless the names may be used elsewhere.
    visible_from: Option<UnitId>,
    /// Whether it may create values of types that it names without a constructor.
    makes_values: bool,
    to: Vec<EdgeTarget>,
    /// Nodes with an edge to this one: types in an opaque call.
    back: Vec<NodeId>,
}

impl<'g> Builder<'g> {
    /// Collects the data of all nodes that the rules need.
    #[must_use]
    pub fn new(
        nodes: &'g Nodes,
        scopes: &'g DefMap<'g>,
        sources: &'g Sources,
        crates: &'g CrateGraph,
        relevant: &'g [bool],
    ) -> Self {
        let mut builder = Self {
            nodes,
            scopes,
            sources,
            crates,
            relevant,
            impls: FxHashMap::default(),
            inherent: FxHashMap::default(),
            of_type: FxHashMap::default(),
            trait_members: FxHashSet::default(),
            members: FxHashMap::default(),
            macros: FxHashMap::default(),
            free: FxHashMap::default(),
            calls: FxHashMap::default(),
            opaque: FxHashMap::default(),
            unit_of_unique_name: FxHashMap::default(),
            members_of_type: FxHashMap::default(),
            members_of_trait: FxHashMap::default(),
            make_any: FxHashSet::default(),
            globs_into: FxHashMap::default(),
            outside_globs: FxHashMap::default(),
            extern_crates: vec![Vec::new(); crates.units.len()],
            replaced: FxHashSet::default(),
            generated: GeneratedCode::default(),
            known_redefined: FxHashSet::default(),
            all: nodes.names.get(ALL),
            self_call: nodes.names.get(SELF_CALL),
            global: nodes.names.get(GLOBAL),
            statement: nodes.names.get(STATEMENT),
            upper_self: nodes.names.get("Self"),
            spawn: to_u32(nodes.nodes.len()),
            everything: to_u32(nodes.nodes.len() + 1),
            own_program: ["current_exe", "args", "args_os"]
                .iter()
                .filter_map(|name| nodes.names.get(name))
                .collect(),
            other_programs: ["parent", "pop", "with_file_name", "set_file_name", "join"]
                .iter()
                .filter_map(|name| nodes.names.get(name))
                .collect(),
        };
        builder.collect_impls();
        builder.index();
        builder.rename();
        builder.index_uses();
        builder.name_generating_macros();
        builder.collect_generators();
        builder.collect_makers();
        builder.unit_of_unique_name();
        builder
    }

    fn any_program(&self) -> NodeId {
        self.everything + 1
    }

    fn ids(&self) -> std::ops::Range<NodeId> {
        0..to_u32(self.nodes.nodes.len())
    }

    /// Builds all edges, and a synthetic node for each piece of documentation, from the names in it and the item it documents.
    #[must_use]
    pub fn build(&self, documentation: &[(Vec<Name>, Vec<NodeId>)]) -> (Edges, Vec<NodeId>) {
        let outs: Vec<Out> = self
            .ids()
            .into_par_iter()
            .filter(|id| self.relevant[self.nodes.nodes[*id as usize].unit as usize])
            .map(|id| self.references(id))
            .collect();
        let mut edges = Edges {
            everything: self.everything,
            spawn: self.spawn,
            any_program: self.any_program(),
            ..Edges::default()
        };
        edges.synthetic.insert(self.spawn, SyntheticNode::Process);
        edges
            .synthetic
            .insert(self.everything, SyntheticNode::Everything);
        let mut virtuals: FxHashMap<EdgeTarget, NodeId> = FxHashMap::default();
        edges
            .synthetic
            .insert(self.any_program(), SyntheticNode::AnyProgram);
        let mut next = self.any_program() + 1;
        let mut waiting = Vec::new();
        let mut pairs: Vec<(NodeId, NodeId)> = Vec::new();
        let mut number = |to: EdgeTarget, waiting: &mut Vec<EdgeTarget>, edges: &mut Edges| match to
        {
            EdgeTarget::Node(node) => node,
            _ => *virtuals.entry(to).or_insert_with(|| {
                let id = next;
                next += 1;
                edges.synthetic.insert(id, self.synthetic_node(to));
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
        self.generators_into(&mut edges, &mut pairs, &mut |to, edges| {
            number(to, &mut waiting, edges)
        });
        let doc_nodes: Vec<NodeId> = documentation
            .iter()
            .enumerate()
            .map(|(index, (names, items))| {
                let from = number(EdgeTarget::Doctest(to_u32(index)), &mut waiting, &mut edges);
                if names.iter().any(|name| self.starts_processes(*name)) {
                    pairs.push((from, self.spawn));
                    pairs.push((from, self.any_program()));
                    // The texts of documentation are not known, so the program may be cargo.
                    pairs.push((from, self.everything));
                }
                for to in names.iter().filter_map(|name| self.unresolved(None, *name)) {
                    pairs.push((from, number(to, &mut waiting, &mut edges)));
                }
                pairs.extend(items.iter().map(|item| (from, *item)));
                from
            })
            .collect();
        let mut done = 0;
        while done < waiting.len() {
            let to = waiting[done];
            done += 1;
            let from = number(to, &mut waiting, &mut edges);
            for target in self.expand_synthetic(to) {
                let target = number(target, &mut waiting, &mut edges);
                pairs.push((from, target));
            }
        }
        self.special_into(&mut edges, &mut pairs);
        let count = next as usize;
        edges.pack(&pairs, count);
        let mut conditional_by_source: FxHashMap<NodeId, Vec<u32>> = FxHashMap::default();
        for (index, both) in (0_u32..).zip(&edges.conditional) {
            for trigger in both.types.iter().chain([&both.named]) {
                conditional_by_source
                    .entry(*trigger)
                    .or_default()
                    .push(index);
            }
        }
        edges.conditional_by_source = conditional_by_source;
        edges.test_calls = self.test_calls();
        edges.test_generators = self.test_generators();
        let anything = virtuals
            .iter()
            .filter(|(to, _)| matches!(to, EdgeTarget::Anything(_)));
        edges.anything = anything.map(|(_, node)| *node).collect();
        (edges, doc_nodes)
    }

    /// The meaning of a target that is not an item.
    fn synthetic_node(&self, to: EdgeTarget) -> SyntheticNode {
        match to {
            EdgeTarget::MemberName(name)
            | EdgeTarget::MethodName(name)
            | EdgeTarget::TraitMemberName(name)
            | EdgeTarget::Members(name, ..) => SyntheticNode::MemberName(name),
            EdgeTarget::Instantiated(node) | EdgeTarget::InstantiatedWithFields(node) => {
                SyntheticNode::Instantiated(node)
            }
            EdgeTarget::UnresolvedName(name, _) => SyntheticNode::UnresolvedName(name),
            EdgeTarget::MacroBody(node) | EdgeTarget::Node(node) => SyntheticNode::MacroBody(node),
            EdgeTarget::Doctest(_) => SyntheticNode::Documentation,
            EdgeTarget::Fragment(name, _) => SyntheticNode::ComposedName(name),
            EdgeTarget::Scope(_)
            | EdgeTarget::Visible(_)
            | EdgeTarget::ItemsOf(_)
            | EdgeTarget::Anything(_) => SyntheticNode::GeneratedCode,
            EdgeTarget::Registered(node, by) => SyntheticNode::Registered { node, by },
            EdgeTarget::AllTests => SyntheticNode::OwnProgram,
            EdgeTarget::AllMembers(node) => SyntheticNode::AllMembers(node),
            EdgeTarget::Generator(node) => SyntheticNode::Generator {
                node,
                by: self.generated.generators[&node].by,
            },
        }
    }

    /// The unconditional edges of a synthetic node.
    fn expand_synthetic(&self, to: EdgeTarget) -> Vec<EdgeTarget> {
        let all = |map: &FxHashMap<Name, Vec<NodeId>>, name: &Name| -> Vec<EdgeTarget> {
            map.get(name)
                .into_iter()
                .flatten()
                .map(|node| EdgeTarget::Node(*node))
                .collect()
        };
        match to {
            EdgeTarget::Node(_) | EdgeTarget::Doctest(_) | EdgeTarget::Members(..) => Vec::new(),
            EdgeTarget::MacroBody(id) => {
                let symbols = self.nodes.symbols(id);
                let unresolved = self
                    .nodes
                    .item(self.sources, id)
                    .references
                    .unresolved()
                    .iter()
                    .filter_map(|symbol| self.unresolved(None, symbols[*symbol as usize]));
                let mut targets: Vec<EdgeTarget> =
                    unresolved.chain([EdgeTarget::Node(id)]).collect();
                let references = &self.nodes.item(self.sources, id).references;
                for call in references.macro_calls() {
                    self.call_targets(id, call, symbols, &mut targets);
                }
                targets
            }
            // A macro call may define the member.
            EdgeTarget::MethodName(name) => [
                all(&self.calls, &name),
                vec![
                    EdgeTarget::Members(name, false, true),
                    EdgeTarget::Members(name, true, true),
                ],
            ]
            .concat(),
            EdgeTarget::TraitMemberName(name) => [
                all(&self.calls, &name),
                vec![
                    EdgeTarget::Members(name, true, false),
                    EdgeTarget::Members(name, true, true),
                ],
            ]
            .concat(),
            EdgeTarget::MemberName(name) => vec![
                EdgeTarget::MethodName(name),
                EdgeTarget::TraitMemberName(name),
                EdgeTarget::Members(name, false, false),
            ],
            EdgeTarget::Instantiated(id) | EdgeTarget::Generator(id) => vec![EdgeTarget::Node(id)],
            EdgeTarget::Fragment(name, unit) => self.composed(name, unit),
            EdgeTarget::Scope(module) => self.in_scope(module),
            EdgeTarget::AllMembers(id) => self.all_members(id),
            EdgeTarget::Visible(unit) => self.visible_units_of(unit),
            EdgeTarget::ItemsOf(unit) => self.items_of(unit),
            EdgeTarget::Registered(id, _) => self.registered(id),
            EdgeTarget::Anything(module) => self.visible_in(module),
            EdgeTarget::AllTests => self.all_tests(),
            EdgeTarget::InstantiatedWithFields(id) => {
                let mut targets = vec![EdgeTarget::Instantiated(id)];
                targets.extend(
                    self.types_in(id)
                        .into_iter()
                        .map(EdgeTarget::InstantiatedWithFields),
                );
                targets
            }
            EdgeTarget::UnresolvedName(name, unit) => {
                let seen = |map: &FxHashMap<Name, Vec<NodeId>>| -> Vec<NodeId> {
                    let all = map.get(&name).into_iter().flatten().copied();
                    all.filter(|id| unit.is_none_or(|unit| self.can_see(unit, *id)))
                        .collect()
                };
                let free = seen(&self.free);
                let made = free.iter().filter(|id| self.has_values(**id));
                let mut targets: Vec<EdgeTarget> =
                    made.map(|id| EdgeTarget::Instantiated(*id)).collect();
                targets.extend(free.into_iter().map(EdgeTarget::Node));
                targets.extend(seen(&self.macros).into_iter().map(|id| self.macro_use(id)));
                targets.extend(seen(&self.calls).into_iter().map(EdgeTarget::Node));
                if self.members.contains_key(&name) {
                    targets.push(EdgeTarget::MemberName(name));
                }
                targets
            }
        }
    }

    /// Whether a name in a unit can refer to a node.
    fn can_see(&self, unit: UnitId, node: NodeId) -> bool {
        let other = self.nodes.nodes[node as usize].unit as usize;
        self.crates.links[unit].contains(&other)
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
