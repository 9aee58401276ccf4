//! The edges of an item's own references.

use super::{
    Builder, Detail, EdgeTarget, ItemKind, ModuleId, NONE, Name, NodeId, Out, UnitId, flag, is_type,
};
use crate::affected::items::known_macros::Expansion;

impl<'g> Builder<'g> {
    pub(super) fn references(&self, id: NodeId) -> Out {
        let node = &self.nodes.nodes[id as usize];
        let item = self.nodes.item(self.sources, id);
        let symbols = self.nodes.symbols(id);
        let mut out = Out {
            from: id,
            visible_from: self.visible_units(id),
            makes_values: self.makes_values(id),
            ..Out::default()
        };
        let references = &item.references;
        let redefined = references
            .macros()
            .iter()
            .any(|symbol| self.known_redefined.contains(&symbols[*symbol as usize]));
        let mut path = Vec::new();
        let both = references
            .paths()
            .map(|path| (path, true))
            .chain(references.type_refs().map(|path| (path, false)));
        for (segments, runs) in both {
            path.clear();
            path.extend(segments.iter().map(|symbol| symbols[*symbol as usize]));
            self.path(id, &path, runs, &mut out);
            if redefined {
                self.unresolved_into(&mut out, path.iter().copied());
            }
        }
        if out.makes_values && node.flags & flag::METHOD != 0 {
            // Values read through `self` may come from anywhere.
            let types = self.self_types(id).iter().copied();
            let types = types.filter(|of| self.has_values(*of));
            out.to.extend(types.map(EdgeTarget::InstantiatedWithFields));
        }
        let named = |list: &'g [u32]| list.iter().map(move |symbol| symbols[*symbol as usize]);
        out.to
            .extend(named(references.methods()).map(EdgeTarget::MethodName));
        out.to
            .extend(named(references.members()).map(EdgeTarget::MemberName));
        out.to
            .extend(named(references.trait_members()).map(EdgeTarget::TraitMemberName));
        if node.flags & flag::MADE != 0 {
            out.to.push(EdgeTarget::Instantiated(id));
        }
        for name in named(references.macros()) {
            self.macro_called(id, name, &mut out);
            if self.is_replaced(id, name) {
                self.anything(id, Expansion::Unknown, &mut out.to);
            }
        }
        let own = node.kind != ItemKind::Macro && node.flags & flag::EXPANDED == 0;
        if own {
            self.unresolved_into(&mut out, named(references.unresolved()));
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
        self.generated_calls(id, &mut out);
        out.to.retain(|to| *to != EdgeTarget::Node(id));
        out
    }

    /// Any item of a name that a unit sees; empty if there is no such item.
    pub(super) fn unresolved(
        &self,
        visible_from: Option<UnitId>,
        name: Name,
    ) -> Option<EdgeTarget> {
        let sees =
            |home: &UnitId| visible_from.is_none_or(|unit| self.crates.links[unit].contains(home));
        match self.unit_of_unique_name.get(&name) {
            None => self
                .members
                .contains_key(&name)
                .then_some(EdgeTarget::UnresolvedName(name, None)),
            Some(Some(home)) if sees(home) => Some(EdgeTarget::UnresolvedName(name, None)),
            Some(_) => Some(EdgeTarget::UnresolvedName(name, visible_from)),
        }
    }

    /// Any item of these names that the node can refer to.
    pub(super) fn unresolved_into(&self, out: &mut Out, names: impl IntoIterator<Item = Name>) {
        let visible_from = out.visible_from;
        let names = names.into_iter();
        out.to
            .extend(names.filter_map(|name| self.unresolved(visible_from, name)));
    }

    /// The unit for name lookup in a node. A call that may define macros may use the names elsewhere.
    fn visible_units(&self, id: NodeId) -> Option<UnitId> {
        let mut around = std::iter::once(id).chain(self.nodes.owners(id));
        let defines = around.any(|id| {
            let node = &self.nodes.nodes[id as usize];
            let call = node.kind == ItemKind::Call && node.flags & flag::EXPANDED == 0;
            call && self.holder_kind(node.owner).is_none()
        });
        let unit = self.nodes.nodes[id as usize].unit as usize;
        self.crates.visible_units(unit).filter(|_| !defines)
    }

    /// A macro called by name: the macro, and calls that may define it.
    pub(super) fn macro_called(&self, id: NodeId, name: Name, out: &mut Out) {
        let expanded = self.nodes.nodes[id as usize].flags & flag::EXPANDED != 0;
        let visible_from = out.visible_from;
        let seen = |id: &NodeId| visible_from.is_none_or(|unit| self.can_see(unit, *id));
        let macros = self.macros_for(id, name).into_iter().filter(seen);
        out.to.extend(macros.map(|id| {
            if expanded {
                EdgeTarget::Node(id)
            } else {
                self.macro_use(id)
            }
        }));
        let calls = self.calls.get(&name).into_iter().flatten();
        let calls = calls.filter(|id| seen(id));
        out.to.extend(calls.map(|node| EdgeTarget::Node(*node)));
    }

    /// The workspace types that a type's own declaration names.
    pub(super) fn types_in(&self, id: NodeId) -> Vec<NodeId> {
        let node = &self.nodes.nodes[id as usize];
        let symbols = self.nodes.symbols(id);
        let references = &self.nodes.item(self.sources, id).references;
        let mut types = Vec::new();
        for path in references.type_refs().chain(references.paths()) {
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

    /// A used node: a macro with the names in its body.
    pub(super) fn macro_use(&self, id: NodeId) -> EdgeTarget {
        if self.nodes.nodes[id as usize].kind == ItemKind::Macro {
            EdgeTarget::MacroBody(id)
        } else {
            EdgeTarget::Node(id)
        }
    }

    pub(super) fn path(&self, id: NodeId, path: &[Name], runs: bool, out: &mut Out) {
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
        if path.last().copied() == self.all {
            self.all_of(node.scope, &path[..path.len() - 1], out);
            return;
        }
        let found = self.scopes.resolve(node.scope, path);
        out.to
            .extend(found.by.iter().map(|by| EdgeTarget::Node(*by)));
        for (item, rest) in &found.items {
            out.to.push(if node.flags & flag::EXPANDED == 0 {
                self.macro_use(*item)
            } else {
                EdgeTarget::Node(*item)
            });
            if runs && self.has_values(*item) {
                out.to.push(EdgeTarget::Instantiated(*item));
            }
            if out.makes_values && self.has_values(*item) {
                out.to.push(EdgeTarget::InstantiatedWithFields(*item));
            }
            self.beyond(*item, &path[*rest..], out);
        }
        self.unresolved_into(out, found.any.iter().copied());
        if found.external && path.len() > 1 {
            // An external type or trait has workspace members only through workspace traits.
            out.to
                .push(EdgeTarget::TraitMemberName(path[path.len() - 1]));
        }
        if path.len() > 1 && found.missing {
            let from = usize::from(first == self.global) + 1;
            self.unresolved_into(out, path[from.min(path.len() - 1)..].iter().copied());
        }
        self.perhaps_by_macro(node.scope, path[0], &mut *out);
        self.perhaps_generated(&found.stopped, &mut *out);
        if path.len() == 1 && found.unknown && self.may_be_any(node.scope, node.flags) {
            self.unresolved_into(out, [path[0]]);
        }
    }

    /// Whether a node may create values of types without naming a constructor.
    fn makes_values(&self, id: NodeId) -> bool {
        self.nodes.nodes[id as usize].flags & flag::UNSAFE != 0
            || self.nodes.refers_to(self.sources, id, &self.make_any)
    }

    /// The names in scope in a module.
    pub(super) fn in_scope(&self, module: ModuleId) -> Vec<EdgeTarget> {
        let mut targets = Vec::new();
        if module == NONE {
            return targets;
        }
        for (item, by) in self.scopes.items(module) {
            targets.push(self.macro_use(item));
            if self.has_values(item) {
                targets.push(EdgeTarget::Instantiated(item));
            }
            if by != NONE {
                targets.push(EdgeTarget::Node(by));
            }
        }
        targets
    }

    /// Everything in the modules of a path, and calls that may define more of it.
    fn all_of(&self, scope: ModuleId, path: &[Name], out: &mut Out) {
        for module in self.scopes.resolve(scope, path).modules {
            for (item, by) in self.scopes.items(module) {
                out.to.push(self.macro_use(item));
                out.to.extend(
                    self.has_values(item)
                        .then_some(EdgeTarget::Instantiated(item)),
                );
                out.to.extend((by != NONE).then_some(EdgeTarget::Node(by)));
            }
            let calls = self.opaque.get(&module).into_iter().flatten();
            out.to.extend(calls.map(|call| EdgeTarget::Node(*call)));
        }
    }

    /// A macro call in the module, or around the block, may define the name.
    pub(super) fn perhaps_by_macro(&self, module: ModuleId, name: Name, out: &mut Out) {
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
                    .map(|call| EdgeTarget::Node(*call)),
            );
            if !scope.block {
                break;
            }
            at = scope.parent;
        }
    }

    pub(super) fn may_be_any(&self, module: ModuleId, flags: u32) -> bool {
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
    pub(super) fn beyond(&self, item: NodeId, rest: &[Name], out: &mut Out) {
        let Some((member, more)) = rest.split_first() else {
            return;
        };
        let kind = self.nodes.nodes[item as usize].kind;
        if let Some(members) = self.of_type.get(&(item, *member)) {
            out.to
                .extend(members.iter().map(|member| EdgeTarget::Node(*member)));
        }
        if !self.inherent.contains_key(&(item, *member)) && !self.is_variant(item, *member) {
            out.to.push(match kind {
                ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Trait => {
                    EdgeTarget::TraitMemberName(*member)
                }
                _ => EdgeTarget::MemberName(*member),
            });
        }
        out.to
            .extend(more.iter().map(|name| EdgeTarget::MemberName(*name)));
    }

    pub(super) fn is_variant(&self, item: NodeId, name: Name) -> bool {
        let symbols = self.nodes.symbols(item);
        matches!(&self.nodes.item(self.sources, item).detail, Detail::Enum(variants) if variants.iter().any(|variant| symbols[*variant as usize] == name))
    }

    /// The types of `Self` in a member or an `impl`.
    pub(super) fn self_types(&self, id: NodeId) -> &[NodeId] {
        let node = &self.nodes.nodes[id as usize];
        let holder = if node.kind == ItemKind::Impl {
            id
        } else {
            node.owner
        };
        self.impls.get(&holder).map_or(&[], |holder| &holder.types)
    }

    pub(super) fn of_self(&self, id: NodeId, rest: &[Name], runs: bool, out: &mut Out) {
        let types = self.self_types(id);
        if types.is_empty() {
            out.to
                .extend(rest.iter().map(|name| EdgeTarget::MemberName(*name)));
        }
        for of in types {
            if runs && self.has_values(*of) {
                out.to.push(EdgeTarget::Instantiated(*of));
            }
            if out.makes_values && self.has_values(*of) {
                out.to.push(EdgeTarget::InstantiatedWithFields(*of));
            }
            self.beyond(*of, rest, out);
        }
    }

    /// `self.name(…)`: an inherent member takes precedence over any trait's, unless a workspace trait has the name too.
    pub(super) fn on_self(&self, id: NodeId, name: Name, out: &mut Out) {
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
                        .map(|member| EdgeTarget::Node(*member)),
                );
            }
        } else {
            out.to.push(EdgeTarget::MethodName(name));
        }
    }

    pub(super) fn imported(&self, id: NodeId, out: &mut Out) {
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
        out.to
            .extend(found.by.iter().map(|by| EdgeTarget::Node(*by)));
        out.to
            .extend(found.items.iter().map(|(item, _)| EdgeTarget::Node(*item)));
        if found.missing || !found.any.is_empty() {
            self.unresolved_into(out, path.last().copied());
        }
        self.perhaps_generated(&found.stopped, out);
        if let Some(macros) = path.last().and_then(|last| self.macros.get(last)) {
            out.to
                .extend(macros.iter().map(|node| EdgeTarget::Node(*node)));
        }
    }

    /// A macro call in item position has edges to the items in it, and from the types it names.
    pub(super) fn call(&self, id: NodeId, out: &mut Out) {
        if self.nodes.nodes[id as usize].flags & flag::TRANSPARENT != 0 {
            return;
        }
        self.when_types(id, out);
        for body in self.bodies(id) {
            let symbols = self.nodes.symbols(body);
            for symbol in self.nodes.item(self.sources, body).references.unresolved() {
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

    /// Adds edges from any workspace type or trait in it.
    pub(super) fn when_types(&self, id: NodeId, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let item = self.nodes.item(self.sources, id);
        let symbols = self.nodes.symbols(id);
        let single = item
            .references
            .unresolved()
            .iter()
            .map(|symbol| vec![symbols[*symbol as usize]]);
        let paths = item
            .references
            .paths()
            .chain(item.references.type_refs())
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
}
