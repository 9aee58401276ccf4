//! Code that is not in the sources: items that attributes, derives, macro calls and unknown included files may define, call and register.
//!
//! A generator is an item whose expansion is unknown. It has edges to its item, the names in it, the names in scope, and names composed
//! of those in it. A path that stops in a module leads to the generators there. A generator that may register code is live in every
//! test that links it.

use rustc_hash::FxHashSet;

use super::generators::Generator;
use super::{
    Builder, Detail, EdgeTarget, Edges, ItemKind, NONE, Name, NodeId, Out, UnitId, UnitKind, flag,
};
use crate::affected::items::extract::{Item, Symbol};
use crate::affected::items::known_macros::Expansion;
use crate::affected::items::nodes::{ModuleId, to_u32};

impl Builder<'_> {
    /// Finds the generators.
    pub(super) fn collect_generators(&mut self) {
        self.rate_units();
        self.find_opaque();
        self.rate_macros();
        let found: Vec<(NodeId, Generator)> = self
            .ids()
            .filter_map(|id| {
                let item = self.nodes.item(self.sources, id);
                Some((id, self.generator(id, item)?))
            })
            .collect();
        let in_bodies: Vec<(NodeId, Name)> = self
            .ids()
            .filter_map(|id| Some((id, self.registers_in_body(id)?)))
            .collect();
        let mut items_of_unit = vec![Vec::new(); self.crates.units.len()];
        for (id, node) in self.ids().zip(&self.nodes.nodes) {
            if node.flags & flag::TEST_ONLY == 0 {
                items_of_unit[node.unit as usize].push(id);
            }
        }
        let mut generated = std::mem::take(&mut self.generated);
        generated.in_bodies = in_bodies;
        generated.items_of_unit = items_of_unit;
        for (id, generator) in found {
            generated.generators.insert(id, generator);
            let module = self.nodes.nodes[id as usize].module;
            generated.by_module.entry(module).or_default().push(id);
        }
        // A generator on a module may add items to it.
        for module in 0..to_u32(self.nodes.modules.len()) {
            let around = self.nodes.around(module);
            let nodes = around.map(|module| self.nodes.modules[module as usize].node);
            let by = nodes.filter(|node| generated.generators.contains_key(node));
            let by: Vec<NodeId> = by.collect();
            if !by.is_empty() {
                generated.by_module.entry(module).or_default().extend(by);
            }
        }
        self.generated = generated;
    }

    fn generator(&self, id: NodeId, item: &Item) -> Option<Generator> {
        let node = &self.nodes.nodes[id as usize];
        if node.kind == ItemKind::Call {
            return self.call_generator(id, item);
        }
        if matches!(
            node.kind,
            ItemKind::Use | ItemKind::ExternCrate | ItemKind::Macro
        ) {
            return None;
        }
        // Attributes in the input of a macro are for that macro; those of its expansion count separately.
        let given = node.call == NONE
            && self
                .nodes
                .owners(id)
                .any(|owner| self.nodes.nodes[owner as usize].flags & flag::EXPANDED != 0);
        if given {
            return None;
        }
        let symbols = self.nodes.symbols(id);
        // An attribute that makes a function a test registers that test.
        let is_test = node.is_certainly_test();
        let mut found: Option<Generator> = None;
        for attribute in item.references.attributes() {
            let expansion = self.attribute_expansion(id, attribute, symbols);
            if expansion == Expansion::Named {
                continue;
            }
            let by = symbols[attribute[0] as usize];
            let generator = found.get_or_insert(Generator {
                by,
                registers: false,
                defines_tests: false,
            });
            generator.registers |= !is_test && self.registers(expansion, by);
            generator.defines_tests |= !is_test && self.defines_tests(expansion, by);
        }
        found
    }

    fn call_generator(&self, id: NodeId, item: &Item) -> Option<Generator> {
        let node = &self.nodes.nodes[id as usize];
        if node.flags & flag::UNREADABLE_INCLUDE != 0 {
            let unit = node.unit as usize;
            return Some(Generator {
                by: node.name,
                registers: self.generated.written_roots.contains(&unit),
                defines_tests: true,
            });
        }
        if node.flags & flag::EXPANDED != 0 || self.nodes.names.text(node.name) == "include" {
            return None;
        }
        let symbols = self.nodes.symbols(id);
        let mut calls = item.references.macro_calls();
        let own = calls.find(|call| symbols[call[0] as usize] == node.name)?;
        let expansion = self.call_expansion(id, own, symbols);
        let registers = !self.comes_by_type(node.owner) && self.may_register(id, own, symbols);
        (expansion != Expansion::Named || registers).then_some(Generator {
            defines_tests: self.defines_tests(expansion, node.name),
            by: node.name,
            registers,
        })
    }

    /// Finds the units that generate code which is live without being named.
    fn rate_units(&mut self) {
        let mut flags = vec![0; self.crates.units.len()];
        for (id, node) in self.ids().zip(&self.nodes.nodes) {
            flags[node.unit as usize] |= node.flags;
            if matches!(
                self.nodes.item(self.sources, id).detail,
                Detail::ProcMacro(_)
            ) {
                self.generated.proc_macros.insert(node.unit as usize);
            }
        }
        for (unit, about) in self.crates.units.iter().enumerate() {
            let flags = flags[unit];
            if flags & flag::WRITES_ROOT != 0 {
                self.generated.registering.insert(unit);
            }
            if about.kind != UnitKind::BuildScript {
                continue;
            }
            let same_package = |other: &usize| self.crates.units[*other].package == about.package;
            let units: Vec<UnitId> = (0..self.crates.units.len()).filter(same_package).collect();
            if flags & flag::WRITES_IMPL != 0 {
                self.generated.written_impls.extend(&units);
            }
            if flags & flag::WRITES_ROOT != 0 {
                self.generated.written_roots.extend(units);
            }
        }
    }

    /// The generators that may define a missing name in these modules.
    pub(super) fn perhaps_generated(&self, stopped: &[ModuleId], out: &mut Out) {
        if self.generated.by_module.is_empty() {
            return;
        }
        let mut next: Vec<ModuleId> = stopped.to_vec();
        let mut seen: FxHashSet<ModuleId> = FxHashSet::default();
        while let Some(module) = next.pop() {
            if !seen.insert(module) {
                continue;
            }
            for id in self.generated.by_module.get(&module).into_iter().flatten() {
                out.to.push(EdgeTarget::Node(*id));
            }
            next.extend(self.globs_into.get(&module).into_iter().flatten());
        }
    }

    /// Edges to everything that generated code of a node may call.
    pub(super) fn generated_calls(&self, id: NodeId, out: &mut Out) {
        let node = &self.nodes.nodes[id as usize];
        let symbols = self.nodes.symbols(id);
        let item = self.nodes.item(self.sources, id);
        let unit = node.unit as usize;
        if node.flags & flag::UNREADABLE_INCLUDE != 0 {
            out.to.push(EdgeTarget::Visible(unit));
        }
        let file = &self.sources.files[node.file as usize];
        if let Some(texts) = file.texts.get(&node.item).filter(|_| !node.before) {
            match texts {
                Some(words) => {
                    let names = words.iter().filter_map(|word| self.nodes.names.get(word));
                    self.unresolved_into(out, names);
                }
                None => out.to.push(EdgeTarget::Visible(unit)),
            }
        }
        for name in self.generated.text_names.get(&id).into_iter().flatten() {
            out.to.extend(self.unresolved(None, *name));
            out.to.push(EdgeTarget::Fragment(*name, unit));
        }
        if node.kind != ItemKind::Macro && node.flags & flag::EXPANDED == 0 {
            for call in item.references.macro_calls() {
                self.call_targets(id, call, symbols, &mut out.to);
            }
        }
        let is_test = node.is_certainly_test();
        let generates = self.generated.generators.contains_key(&id);
        if node.kind == ItemKind::Call && generates {
            // Code generated from an `impl` may call its other members.
            let types = self.self_types(id).iter().copied();
            out.to.extend(types.map(EdgeTarget::AllMembers));
        }
        if node.kind == ItemKind::Call || is_test || !generates {
            return;
        }
        if node.name != NONE {
            out.to.push(EdgeTarget::Fragment(node.name, unit));
        }
        let derive = self.nodes.names.get("derive");
        for attribute in item.references.attributes() {
            let expansion = self.attribute_expansion(id, attribute, symbols);
            let names = attribute[3.min(attribute.len())..].iter();
            let names: Vec<Name> = names.map(|symbol| symbols[*symbol as usize]).collect();
            if expansion == Expansion::Named {
                continue;
            }
            self.anything(id, expansion, &mut out.to);
            if names.len() == 1 && derive == Some(names[0]) {
                continue;
            }
            let names = names.into_iter();
            out.to
                .extend(names.map(|name| EdgeTarget::Fragment(name, unit)));
        }
        if self.has_values(id) {
            out.to.push(EdgeTarget::AllMembers(id));
        }
    }

    /// Names in the expansion of a macro call besides those in its input.
    pub(super) fn call_targets(
        &self,
        id: NodeId,
        call: &[Symbol],
        symbols: &[Name],
        to: &mut Vec<EdgeTarget>,
    ) {
        let expansion = self.call_expansion(id, call, symbols);
        if expansion == Expansion::Named {
            return;
        }
        let node = &self.nodes.nodes[id as usize];
        let unit = node.unit as usize;
        let names = call[3.min(call.len())..].iter();
        let names = names.map(|symbol| symbols[*symbol as usize]);
        let names = names.filter(|name| Some(*name) != self.statement);
        to.extend(names.map(|name| EdgeTarget::Fragment(name, unit)));
        self.anything(id, expansion, to);
    }

    /// Adds an edge to everything that is visible at a node if its expansion may name anything. Registered code does not
    /// follow this edge: it names only what its input names.
    pub(super) fn anything(&self, id: NodeId, expansion: Expansion, to: &mut Vec<EdgeTarget>) {
        if expansion.names_anything() {
            to.push(EdgeTarget::Anything(self.nodes.nodes[id as usize].scope));
        }
    }

    /// Everything that is visible in a module.
    pub(super) fn visible_in(&self, module: ModuleId) -> Vec<EdgeTarget> {
        let scope = self.nodes.modules.get(module as usize);
        scope.map_or_else(Vec::new, |scope| {
            vec![
                EdgeTarget::Scope(module),
                EdgeTarget::Visible(scope.unit as usize),
            ]
        })
    }

    /// The names in macro calls of an item that may register code: free items, and members of types.
    pub(super) fn registered(&self, id: NodeId) -> Vec<EdgeTarget> {
        let symbols = self.nodes.symbols(id);
        let unit = self.nodes.nodes[id as usize].unit as usize;
        let references = &self.nodes.item(self.sources, id).references;
        let mut targets = Vec::new();
        for call in references.macro_calls() {
            if !self.registers_as_statement(id, call, symbols) {
                continue;
            }
            let names = call[3.min(call.len())..].iter();
            let names = names.filter_map(|symbol| self.free.get(&symbols[*symbol as usize]));
            for id in names.flatten().copied() {
                if self.can_see(unit, id) {
                    targets.push(self.macro_use(id));
                    if self.has_values(id) {
                        targets.push(EdgeTarget::AllMembers(id));
                    }
                }
            }
            let own = self.macros_for(id, symbols[call[0] as usize]).into_iter();
            targets.extend(own.map(|id| self.macro_use(id)));
        }
        targets
    }

    /// The name of the first macro in an item's body that may register code. What a test calls runs with that test.
    fn registers_in_body(&self, id: NodeId) -> Option<Name> {
        let node = &self.nodes.nodes[id as usize];
        let is_test = node.is_test();
        if is_test || matches!(node.kind, ItemKind::Call | ItemKind::Macro) {
            return None;
        }
        let symbols = self.nodes.symbols(id);
        let mut calls = self.nodes.item(self.sources, id).references.macro_calls();
        let call = calls.find(|call| self.registers_as_statement(id, call, symbols))?;
        Some(symbols[call[0] as usize])
    }

    /// Whether a macro call in a body may register code: it is not there for its value.
    fn registers_as_statement(&self, id: NodeId, call: &[Symbol], symbols: &[Name]) -> bool {
        let marked = call.get(3).map(|symbol| symbols[*symbol as usize]);
        self.statement.is_some() && marked == self.statement && self.may_register(id, call, symbols)
    }

    /// The units whose items code of a unit can name, for code that cannot be read.
    pub(super) fn visible_units_of(&self, unit: UnitId) -> Vec<EdgeTarget> {
        let links = self.crates.links[unit].iter().copied();
        let named = links.filter(|other| {
            let kind = self.crates.units[*other].kind;
            let is_named = matches!(kind, UnitKind::Library | UnitKind::Binary);
            let is_hidden = self.generated.proc_macros.contains(other);
            *other == unit || is_named && !is_hidden
        });
        named.map(EdgeTarget::ItemsOf).collect()
    }

    /// All items of a unit that other code can name.
    pub(super) fn items_of(&self, unit: UnitId) -> Vec<EdgeTarget> {
        let mut targets = Vec::new();
        for id in self.generated.items_of_unit[unit].iter().copied() {
            targets.push(self.macro_use(id));
            if self.has_values(id) {
                targets.push(EdgeTarget::Instantiated(id));
            }
        }
        targets
    }

    /// All members of a type, and of the types in its fields.
    pub(super) fn all_members(&self, id: NodeId) -> Vec<EdgeTarget> {
        if self.nodes.nodes[id as usize].kind == ItemKind::Trait {
            let members = self.members_of_trait.get(&id).into_iter().flatten();
            return members
                .map(|name| EdgeTarget::TraitMemberName(*name))
                .collect();
        }
        let mut targets = vec![EdgeTarget::Instantiated(id)];
        let members = self.members_of_type.get(&id).into_iter().flatten();
        targets.extend(members.map(|member| EdgeTarget::Node(*member)));
        targets.extend(self.types_in(id).into_iter().map(EdgeTarget::AllMembers));
        targets
    }

    /// Generators that are live without being named, the items inside them, and types that generated code may implement something for.
    pub(super) fn generators_into(
        &self,
        edges: &mut Edges,
        pairs: &mut Vec<(NodeId, NodeId)>,
        number: &mut dyn FnMut(EdgeTarget, &mut Edges) -> NodeId,
    ) {
        let generators = &self.generated.generators;
        let mut includes: Vec<NodeId> = Vec::new();
        for (id, generator) in generators {
            let node = &self.nodes.nodes[*id as usize];
            let unit = node.unit as usize;
            if !self.relevant[unit] {
                continue;
            }
            if node.flags & flag::UNREADABLE_INCLUDE != 0
                && self.generated.written_impls.contains(&unit)
            {
                includes.push(*id);
            }
            if !generator.registers {
                continue;
            }
            let root = number(EdgeTarget::Generator(*id), edges);
            edges.roots.push(root);
            if matches!(
                self.crates.units[unit].kind,
                UnitKind::Binary | UnitKind::Example
            ) {
                pairs.push((self.spawn, *id));
            }
        }
        for (id, by) in &self.generated.in_bodies {
            let node = &self.nodes.nodes[*id as usize];
            let unit = node.unit as usize;
            if !self.relevant[unit] {
                continue;
            }
            let root = number(EdgeTarget::Registered(*id, *by), edges);
            edges.roots.push(root);
            if matches!(
                self.crates.units[unit].kind,
                UnitKind::Binary | UnitKind::Example
            ) {
                pairs.push((self.spawn, root));
            }
        }
        if !generators.is_empty() {
            for id in self.ids() {
                let mut owners = self.nodes.owners(id);
                if let Some(owner) = owners.find(|owner| generators.contains_key(owner)) {
                    pairs.push((owner, id));
                    if self.has_values(id) {
                        pairs.push((owner, number(EdgeTarget::AllMembers(id), edges)));
                    }
                }
            }
        }
        for include in includes {
            let package =
                self.crates.units[self.nodes.nodes[include as usize].unit as usize].package;
            for id in self.ids() {
                let node = &self.nodes.nodes[id as usize];
                let same = self.crates.units[node.unit as usize].package == package;
                if same && super::is_type(node.kind) {
                    pairs.push((id, include));
                }
            }
        }
    }
}
