//! Indexes of all nodes that the rules need: implementations, and the names of members, macros and calls.

use rustc_hash::FxHashSet;

use super::{
    Builder, Detail, ImplData, ItemKind, NONE, Name, NodeId, flag, is_known_macro, proc_macro_name,
};

impl Builder<'_> {
    pub(super) fn collect_impls(&mut self) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let Detail::Impl {
                head,
                of_trait,
                is_specialized,
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
            let mut holder = ImplData {
                inherent: of_trait.is_none(),
                is_specialized: *is_specialized,
                ..ImplData::default()
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
            self.impls.insert(id, holder);
        }
    }

    pub(super) fn index(&mut self) {
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            if node.kind == ItemKind::Call {
                let item = self.nodes.item(self.sources, id);
                let symbols = self.nodes.symbols(id);
                if node.flags & flag::TRANSPARENT == 0 && !self.comes_by_type(node.owner) {
                    for symbol in item.references.unresolved() {
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
                    let types = self.impls.get(&node.owner).map(|data| &data.types);
                    for of in types.into_iter().flatten() {
                        self.members_of_type.entry(*of).or_default().push(id);
                    }
                    if holder == ItemKind::Trait {
                        self.trait_members.insert(node.name);
                        let of_trait = self.members_of_trait.entry(node.owner).or_default();
                        of_trait.push(node.name);
                    } else if let Some(holder) = self.impls.get(&node.owner)
                        && holder.inherent
                    {
                        let header = self.nodes.nodes[node.owner as usize].flags;
                        let always = !holder.is_specialized
                            && (node.flags | header) & flag::CONDITIONAL == 0;
                        let condition = self
                            .nodes
                            .modules
                            .get(node.module as usize)
                            .map_or(NONE, |module| module.conditional);
                        for of in &holder.types {
                            let key = (*of, node.name);
                            self.of_type.entry(key).or_default().push(id);
                            // If the module is compiled, the type may be compiled without it.
                            let module = self.nodes.nodes[*of as usize].module;
                            let together = condition == NONE
                                || self.nodes.around(module).any(|module| module == condition);
                            if always && together {
                                self.inherent.entry(key).or_default().push(id);
                            }
                        }
                    }
                }
                None => self.free.entry(node.name).or_default().push(id),
            }
        }
    }

    /// Macros by the names that a `use` gives them: the bodies of other macros use only these names.
    pub(super) fn rename(&mut self) {
        let mut renamed: Vec<(Name, NodeId)> = Vec::new();
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let Detail::Use { path, glob: false } = &self.nodes.item(self.sources, id).detail
            else {
                continue;
            };
            let symbols = self.nodes.symbols(id);
            let path: Vec<Name> = path
                .iter()
                .map(|symbol| symbols[*symbol as usize])
                .collect();
            let found = self.scopes.resolve(node.module, &path).items.into_iter();
            let found = found
                .map(|(item, _)| item)
                .filter(|item| self.is_macro(*item));
            let last = path.last().filter(|last| **last != node.name);
            let by_name = last.and_then(|last| self.macros.get(last)).into_iter();
            let all = found.chain(by_name.flatten().copied());
            renamed.extend(all.map(|item| (node.name, item)));
        }
        for (name, item) in renamed {
            let known = self.macros.entry(name).or_default();
            if !known.contains(&item) {
                known.push(item);
            }
        }
    }

    /// What modules bring in from crates outside: by `*`, by `extern crate`, and macros under names of the standard library.
    pub(super) fn index_uses(&mut self) {
        for (into, from) in &self.scopes.globs {
            self.globs_into.entry(*into).or_default().push(*from);
        }
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let Detail::Use { path, glob } = &self.nodes.item(self.sources, id).detail else {
                continue;
            };
            let symbols = self.nodes.symbols(id);
            let path = path.iter().map(|symbol| symbols[*symbol as usize]);
            let path: Vec<Name> = path.filter(|name| Some(*name) != self.global).collect();
            let Some(first) = path.first().copied() else {
                continue;
            };
            if node.kind == ItemKind::ExternCrate {
                self.extern_crates[node.unit as usize].push(first);
            } else if *glob {
                let found = self.scopes.resolve(node.module, &path);
                if found.external || found.missing {
                    let brought = self.outside_globs.entry(node.module).or_default();
                    brought.push(first);
                }
            } else if is_known_macro(self.nodes.names.text(node.name)) {
                let path: Vec<&str> = path
                    .iter()
                    .map(|name| self.nodes.names.text(*name))
                    .collect();
                if self.replaces(id, &path) {
                    self.replaced.insert(node.name);
                }
            }
        }
    }

    fn is_macro(&self, id: NodeId) -> bool {
        self.nodes.nodes[id as usize].kind == ItemKind::Macro
            || proc_macro_name(self.nodes.item(self.sources, id), self.nodes.symbols(id)).is_some()
    }

    /// Names that unexpanded calls may define besides those in their input: names that are fixed in the macro's body.
    pub(super) fn name_generating_macros(&mut self) {
        let calls: Vec<NodeId> = self.opaque.values().flatten().copied().collect();
        let mut defined: Vec<(Name, NodeId)> = Vec::new();
        for call in calls {
            for id in self.bodies(call) {
                if let Detail::Macro { defines, .. } = &self.nodes.item(self.sources, id).detail {
                    let symbols = self.nodes.symbols(id);
                    defined.extend(
                        defines
                            .iter()
                            .map(|symbol| (symbols[*symbol as usize], call)),
                    );
                }
            }
        }
        for (name, call) in defined {
            self.calls.entry(name).or_default().push(call);
        }
    }

    /// Whether edges to a node's members also lead to its macro calls, so that these need no name: a trait, or an `impl` of a known type or
    /// trait.
    pub(super) fn comes_by_type(&self, owner: NodeId) -> bool {
        match self.impls.get(&owner) {
            Some(holder) => !holder.inherent || !holder.types.is_empty(),
            None => self.holder_kind(owner) == Some(ItemKind::Trait),
        }
    }

    /// The units of items that need no type.
    pub(super) fn unit_of_unique_name(&mut self) {
        for (name, ids) in [&self.free, &self.macros, &self.calls]
            .into_iter()
            .flatten()
        {
            for id in ids {
                let unit = self.nodes.nodes[*id as usize].unit as usize;
                let home = self.unit_of_unique_name.entry(*name).or_insert(Some(unit));
                *home = home.filter(|home| *home == unit);
            }
        }
    }

    /// The macros that a name may refer to in an item: those defined above it in the same file hide all others.
    pub(super) fn macros_for(&self, id: NodeId, name: Name) -> Vec<NodeId> {
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
                && self
                    .nodes
                    .around(user.scope)
                    .any(|module| module == macro_node.module)
        };
        let textual: Vec<NodeId> = all.iter().filter(near).copied().collect();
        if textual.is_empty() {
            all.clone()
        } else {
            textual
        }
    }

    /// The functions that create values of any type, including generic ones that call them.
    pub(super) fn collect_makers(&mut self) {
        let flags = |id: NodeId| self.nodes.nodes[id as usize].flags;
        let name = |id: NodeId| self.nodes.nodes[id as usize].name;
        let makers = self.ids().filter(|id| {
            let is_function = self.nodes.nodes[*id as usize].kind == ItemKind::Fn;
            is_function && flags(*id) & flag::MAKES_ANY != 0
        });
        let mut names: FxHashSet<Name> = makers.map(name).collect();
        while !names.is_empty() {
            let generic = self.ids().filter(|id| flags(*id) & flag::GENERIC != 0);
            let more = generic.filter(|id| {
                !names.contains(&name(*id)) && self.nodes.refers_to(self.sources, *id, &names)
            });
            let more: Vec<Name> = more.map(name).collect();
            if more.is_empty() {
                break;
            }
            names.extend(more);
        }
        self.make_any = names;
    }

    /// The workspace macros that a call may expand, including those in macro bodies.
    pub(super) fn bodies(&self, call: NodeId) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = Vec::new();
        let mut next = vec![call];
        while let Some(id) = next.pop() {
            let references = &self.nodes.item(self.sources, id).references;
            let symbols = self.nodes.symbols(id);
            let names: Vec<Name> = if id == call {
                references.macros().iter()
            } else {
                references.unresolved().iter()
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

    /// Unexpanded calls that contain tests, themselves or in their macros.
    pub(super) fn test_calls(&self) -> FxHashSet<NodeId> {
        let calls = self.opaque.values().flatten().copied();
        calls
            .filter(|call| {
                let composes = self.generated.generators.contains_key(call)
                    && self.nodes.nodes[*call as usize].flags & flag::HOLDS_TEST != 0;
                composes
                    || self.bodies(*call).iter().any(|body| {
                        matches!(
                            &self.nodes.item(self.sources, *body).detail,
                            Detail::Macro { tests: true, .. }
                        )
                    })
            })
            .collect()
    }

    /// Items that may define tests whose names are not in the sources.
    pub(super) fn test_generators(&self) -> FxHashSet<NodeId> {
        let generators = self.generated.generators.iter();
        let defining = generators.filter(|(_, generator)| generator.defines_tests);
        defining.map(|(id, _)| *id).collect()
    }

    pub(super) fn holder_kind(&self, owner: NodeId) -> Option<ItemKind> {
        let kind = self.nodes.nodes.get(owner as usize)?.kind;
        matches!(kind, ItemKind::Impl | ItemKind::Trait).then_some(kind)
    }
}
