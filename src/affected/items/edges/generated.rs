//! Code that the sources do not show: what attributes, derives, macro calls and included files of unknown content may define,
//! call and register.
//!
//! A generator is an item whose expansion is not known. It reaches the item it stands on, the names in it, the names in scope
//! around it, and names composed of those in it. A path that stops in a module leads to the generators there. A generator that
//! may register code is live in every test that links it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Builder, Detail, EdgeTarget, Edges, ItemKind, NONE, Name, NodeId, Out, UnitId, UnitKind, flag,
};
use crate::affected::items::extract::{Item, Symbol};
use crate::affected::items::known_macros::{Expansion, attribute_expansion, macro_expansion};
use crate::affected::items::nodes::{ModuleId, to_u32};

/// A node whose expansion is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generator {
    /// The attribute, derive or macro.
    pub(super) by: Name,
    /// It may register code: it is live without being named.
    pub(super) registers: bool,
    pub(super) expansion: Expansion,
}

/// What is known of generated code before edges are built.
#[derive(Default)]
pub(super) struct GeneratedCode {
    pub(super) generators: FxHashMap<NodeId, Generator>,
    /// Generators by the module they stand in.
    by_module: FxHashMap<ModuleId, Vec<NodeId>>,
    /// Per module, those whose names it brings in by `*`.
    globs: FxHashMap<ModuleId, Vec<ModuleId>>,
    /// Names by the words that they consist of.
    by_word: FxHashMap<String, Vec<Name>>,
    /// Names without `_` and in lower case, for fragments that are no words of their own.
    joined: Vec<(String, Name)>,
    /// Macros whose bodies compose names, or call what is not known.
    expansions: FxHashMap<NodeId, Expansion>,
    /// Units whose package has a build script that writes code which implements something, or registers it.
    written_impls: FxHashSet<UnitId>,
    written_roots: FxHashSet<UnitId>,
    /// Units whose own code writes code that registers something.
    registering: FxHashSet<UnitId>,
    /// Procedural macros: other units can name their macros alone.
    proc_macros: FxHashSet<UnitId>,
}

impl<'g> Builder<'g> {
    /// Finds the generators.
    pub(super) fn collect_generators(&mut self) {
        self.rate_units();
        self.rate_macros();
        let found: Vec<(NodeId, Generator)> = self
            .ids()
            .filter_map(|id| {
                let item = self.nodes.item(self.sources, id);
                Some((id, self.generator(id, item)?))
            })
            .collect();
        let composes = !found.is_empty()
            || !self.generated.expansions.is_empty()
            || self.ids().any(|id| self.calls_unknown(id));
        let mut generated = std::mem::take(&mut self.generated);
        for (id, generator) in found {
            generated.generators.insert(id, generator);
            let module = self.nodes.nodes[id as usize].module;
            generated.by_module.entry(module).or_default().push(id);
        }
        // What is written around a module may add to it.
        for module in 0..to_u32(self.nodes.modules.len()) {
            let around = self.nodes.around(module);
            let nodes = around.map(|module| self.nodes.modules[module as usize].node);
            let by = nodes.filter(|node| generated.generators.contains_key(node));
            let by: Vec<NodeId> = by.collect();
            if !by.is_empty() {
                generated.by_module.entry(module).or_default().extend(by);
            }
        }
        for (into, from) in &self.scopes.globs {
            generated.globs.entry(*into).or_default().push(*from);
        }
        if composes {
            self.index_words(&mut generated);
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
        // What a macro is given has attributes for that macro; what it expands to stands beside it.
        let given = node.call == NONE
            && self
                .nodes
                .owners(id)
                .any(|owner| self.nodes.nodes[owner as usize].flags & flag::EXPANDED != 0);
        if given {
            return None;
        }
        let symbols = self.nodes.symbols(id);
        for attribute in item.references.attributes() {
            let expansion = self.attribute_expansion(id, attribute, symbols);
            if expansion != Expansion::Named {
                // What makes a test of a function registers that test.
                let is_test = node.flags & (flag::TEST | flag::TEST_PREFIX) != 0
                    && node.flags & flag::PERHAPS_TEST == 0;
                return Some(Generator {
                    by: symbols[*attribute.first()? as usize],
                    registers: !is_test
                        && self.registers(expansion, symbols[attribute[0] as usize]),
                    expansion,
                });
            }
        }
        None
    }

    fn call_generator(&self, id: NodeId, item: &Item) -> Option<Generator> {
        let node = &self.nodes.nodes[id as usize];
        if node.flags & flag::UNREADABLE_INCLUDE != 0 {
            let unit = node.unit as usize;
            return Some(Generator {
                by: node.name,
                registers: self.generated.written_roots.contains(&unit),
                expansion: Expansion::Unknown,
            });
        }
        if node.flags & flag::EXPANDED != 0 || self.nodes.names.text(node.name) == "include" {
            return None;
        }
        let symbols = self.nodes.symbols(id);
        let mut calls = item.references.macro_calls();
        let own = calls.find(|call| symbols[call[0] as usize] == node.name)?;
        let expansion = self.call_expansion(id, own, symbols);
        (expansion != Expansion::Named).then_some(Generator {
            by: node.name,
            registers: self.registers(expansion, node.name) && !self.comes_by_type(node.owner),
            expansion,
        })
    }

    /// Whether a macro may make code that is live without being named.
    fn registers(&self, expansion: Expansion, name: Name) -> bool {
        let own = self.macros.get(&name).into_iter().flatten();
        let mut units = own.map(|id| self.nodes.nodes[*id as usize].unit as usize);
        match expansion {
            Expansion::Named | Expansion::Composed => false,
            Expansion::Workspace => units.any(|unit| {
                let mut linked = self.crates.links[unit].iter();
                linked.any(|unit| self.generated.registering.contains(unit))
            }),
            Expansion::Unknown => true,
        }
    }

    /// The path that a macro comes by, without its name: as it is written, or as a `use` of the name begins. Empty where neither
    /// tells.
    fn origin(&self, id: NodeId, call: &[Symbol], symbols: &[Name]) -> Vec<&'g str> {
        let nodes = self.nodes;
        let [name, first, last] = [0, 1, 2].map(|at| symbols[call[at] as usize]);
        if name != first {
            let segments = [first, last].map(|name| nodes.names.text(name));
            let own = segments
                .iter()
                .all(|text| matches!(*text, "crate" | "self" | "super"));
            return if own { Vec::new() } else { segments.to_vec() };
        }
        let node = &nodes.nodes[id as usize];
        let found = self.scopes.resolve(node.module, &[name]);
        let path = found.by.iter().find_map(|by| {
            let Detail::Use { path, glob: false } = &nodes.item(self.sources, *by).detail else {
                return None;
            };
            let symbols = nodes.symbols(*by);
            let path = path[..path.len().saturating_sub(1)].iter();
            let path = path.map(|symbol| symbols[*symbol as usize]);
            let path = path.filter(|name| Some(*name) != self.global);
            Some(path.map(|name| nodes.names.text(name)).collect())
        });
        path.unwrap_or_default()
    }

    /// Whether a macro's path begins with a crate from outside the workspace.
    fn is_from_outside(&self, id: NodeId, call: &[Symbol], symbols: &[Name]) -> bool {
        let found = self.scopes.resolve(
            self.nodes.nodes[id as usize].module,
            &[symbols[call[1] as usize]],
        );
        call[0] != call[1]
            && found.external
            && found.items.is_empty()
            && found.modules.is_empty()
            && found.any.is_empty()
    }

    fn attribute_expansion(&self, id: NodeId, attribute: &[Symbol], symbols: &[Name]) -> Expansion {
        let name = symbols[attribute[0] as usize];
        let text = self.nodes.names.text(name);
        let written = attribute[0] != attribute[1];
        if written
            && attribute_expansion(text, &self.origin(id, attribute, symbols)) == Expansion::Named
        {
            return Expansion::Named;
        }
        let mut own = self.macros.get(&name).into_iter().flatten();
        let is_own = own.any(|id| {
            let node = &self.nodes.nodes[*id as usize];
            node.kind != ItemKind::Macro
        });
        if is_own && !self.is_from_outside(id, attribute, symbols) {
            return Expansion::Workspace;
        }
        if attribute_expansion(text, &[]) == Expansion::Unknown {
            return Expansion::Unknown;
        }
        attribute_expansion(text, &self.origin(id, attribute, symbols))
    }

    /// What is known of a macro call: its name, the first segment of its path, and the names in it.
    pub(super) fn call_expansion(
        &self,
        id: NodeId,
        call: &[Symbol],
        symbols: &[Name],
    ) -> Expansion {
        let name = symbols[call[0] as usize];
        let text = self.nodes.names.text(name);
        if text == "{" {
            return Expansion::Composed;
        }
        if super::is_known_macro(text) && !self.known_redefined.contains(&name) {
            return Expansion::Named;
        }
        let mut own = self.macros_for(id, name);
        if !own.is_empty() && self.is_from_outside(id, call, symbols) {
            own.clear();
        }
        let listed = macro_expansion(text, &[]);
        if own.is_empty() && listed == Expansion::Unknown {
            return Expansion::Unknown;
        }
        if own.is_empty() || listed != Expansion::Unknown && call[0] != call[1] {
            let listed = macro_expansion(text, &self.origin(id, call, symbols));
            if own.is_empty() || listed != Expansion::Unknown {
                return listed;
            }
        }
        let expansions = own
            .iter()
            .map(|id| match self.nodes.nodes[*id as usize].kind {
                ItemKind::Macro => *self
                    .generated
                    .expansions
                    .get(id)
                    .unwrap_or(&Expansion::Named),
                _ => Expansion::Workspace,
            });
        expansions.max().unwrap_or(Expansion::Unknown)
    }

    /// What the bodies of the workspace's own macros come to, through each other.
    fn rate_macros(&mut self) {
        let macros: Vec<NodeId> = self
            .ids()
            .filter(|id| self.nodes.nodes[*id as usize].kind == ItemKind::Macro)
            .collect();
        loop {
            let mut changed = false;
            for id in &macros {
                let node = &self.nodes.nodes[*id as usize];
                let symbols = self.nodes.symbols(*id);
                let item = self.nodes.item(self.sources, *id);
                let calls = item.references.macro_calls();
                let mut rating = if node.flags & flag::DEFINES_ANY == 0 {
                    Expansion::Named
                } else {
                    Expansion::Composed
                };
                for call in calls {
                    rating = rating.max(self.call_expansion(*id, call, symbols));
                }
                if rating != Expansion::Named
                    && self.generated.expansions.insert(*id, rating) != Some(rating)
                {
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
    }

    fn calls_unknown(&self, id: NodeId) -> bool {
        let symbols = self.nodes.symbols(id);
        let mut calls = self.nodes.item(self.sources, id).references.macro_calls();
        calls.any(|call| self.call_expansion(id, call, symbols) != Expansion::Named)
    }

    fn index_words(&self, generated: &mut GeneratedCode) {
        let names: FxHashSet<Name> = self
            .free
            .keys()
            .chain(self.members.keys())
            .copied()
            .collect();
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        for name in names {
            let words = words_of(self.nodes.names.text(name));
            generated.joined.push((words.concat(), name));
            for word in words {
                let known = generated.by_word.entry(word).or_default();
                if known.last() != Some(&name) {
                    known.push(name);
                }
            }
        }
    }

    /// The units that write code which is live without being named.
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

    /// What a name may mean that code of a unit composes of a fragment.
    pub(super) fn composed(&self, fragment: Name, unit: UnitId) -> Vec<EdgeTarget> {
        let mut targets = Vec::new();
        for name in self.composed_names(fragment) {
            for id in self.free.get(&name).into_iter().flatten() {
                let node = &self.nodes.nodes[*id as usize];
                let other = node.unit as usize;
                let is_test = node.flags & (flag::TEST | flag::TEST_PREFIX) != 0;
                let written_elsewhere = self.crates.visible_units(unit).is_none();
                let is_seen = other == unit
                    || node.flags & flag::PUBLIC != 0
                        && (written_elsewhere
                            || self.can_see(unit, *id)
                                && !self.generated.proc_macros.contains(&other));

                if is_test || !is_seen {
                    continue;
                }
                targets.push(self.macro_use(*id));
                if self.has_values(*id) {
                    targets.push(EdgeTarget::AllMembers(*id));
                }
            }
            if self.members.contains_key(&name) {
                targets.push(EdgeTarget::MemberName(name));
            }
        }
        targets
    }

    /// The names that may be composed of a fragment: those that begin or end with it.
    pub(super) fn composed_names(&self, fragment: Name) -> Vec<Name> {
        /// Shorter fragments must be words of their own.
        const SHORTEST_PART: usize = 4;
        let text = self.nodes.names.text(fragment);
        let words = words_of(text);
        let Some(first) = words.first() else {
            return Vec::new();
        };
        let has_words = |name: &&Name| {
            let all = words_of(self.nodes.names.text(**name));
            all.starts_with(&words) || all.ends_with(&words)
        };
        let by_word = self.generated.by_word.get(first).into_iter().flatten();
        let mut found: Vec<Name> = by_word.filter(has_words).copied().collect();
        if text.starts_with('_') || text.ends_with('_') {
            // It is joined to the rest as it is: `get_`.
            let fits = |name: &Name| {
                let name = self.nodes.names.text(*name);
                let before = text.ends_with('_') && name.starts_with(text);
                before || text.starts_with('_') && name.ends_with(text)
            };
            found.retain(fits);
            return found;
        }
        let joined = words.concat();
        if joined.len() >= SHORTEST_PART {
            let parts = self.generated.joined.iter();
            let parts =
                parts.filter(|(name, _)| name.starts_with(&joined) || name.ends_with(&joined));
            found.extend(parts.map(|(_, name)| *name));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The generators that may define what is looked for in these modules.
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
                let node = &self.nodes.nodes[*id as usize];
                let unit = node.unit as usize;
                // A macro of unknown meaning may include what the build script wrote.
                if node.kind == ItemKind::Call
                    && self.generated.generators[id].expansion == Expansion::Unknown
                    && self.crates.has_build_script(unit)
                {
                    out.to.push(EdgeTarget::Visible(unit));
                }
            }
            next.extend(self.generated.globs.get(&module).into_iter().flatten());
        }
    }

    /// What generated code of a node may call.
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
        if node.kind != ItemKind::Macro && node.flags & flag::EXPANDED == 0 {
            for call in item.references.macro_calls() {
                self.call_targets(id, call, symbols, &mut out.to);
            }
        }
        let is_test = node.flags & (flag::TEST | flag::TEST_PREFIX) != 0
            && node.flags & flag::PERHAPS_TEST == 0;
        let generates = self.generated.generators.contains_key(&id);
        if node.kind == ItemKind::Call && generates {
            // What it makes of an `impl` may call the other members.
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
            if expansion == Expansion::Unknown {
                out.to.push(EdgeTarget::Scope(node.scope));
            }
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

    /// What the expansion of a macro call may name besides the names in its input.
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
        to.extend(names.map(|symbol| EdgeTarget::Fragment(symbols[*symbol as usize], unit)));
        if expansion == Expansion::Unknown {
            to.push(EdgeTarget::Scope(node.scope));
        }
    }

    /// Everything that code of a unit can name, for code that cannot be read.
    pub(super) fn visible_nodes(&self, unit: UnitId) -> Vec<EdgeTarget> {
        let mut targets = Vec::new();
        for id in self.ids() {
            let node = &self.nodes.nodes[id as usize];
            let other = node.unit as usize;
            let named = matches!(
                self.crates.units[other].kind,
                UnitKind::Library | UnitKind::Binary
            );
            let hidden = other != unit && self.generated.proc_macros.contains(&other);
            if hidden
                || node.flags & flag::TEST_ONLY != 0
                || !self.can_see(unit, id)
                || !(named || other == unit)
            {
                continue;
            }
            targets.push(self.macro_use(id));
            if self.has_values(id) {
                targets.push(EdgeTarget::Instantiated(id));
            }
        }
        targets
    }

    /// All members of a type, and of the types in its fields.
    pub(super) fn all_members(&self, id: NodeId) -> Vec<EdgeTarget> {
        let mut targets = vec![EdgeTarget::Instantiated(id)];
        let members = self.members_of_type.get(&id).into_iter().flatten();
        targets.extend(members.map(|member| EdgeTarget::Node(*member)));
        targets.extend(self.types_in(id).into_iter().map(EdgeTarget::AllMembers));
        targets
    }

    /// Generators that are live without being named, the items inside them, and types that generated code may implement
    /// something for.
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

/// The words of a name, in lower case: `get_item`, `GetItem` → `get`, `item`.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for letter in name.chars() {
        let starts = letter == '_' || letter.is_uppercase() && was_lower;
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        was_lower = letter.is_lowercase() || letter.is_numeric();
        if letter != '_' {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words_of("get_item2"), ["get", "item2"]);
        assert_eq!(words_of("ConfBuilder"), ["conf", "builder"]);
        assert_eq!(words_of("__private_HTTP"), ["private", "http"]);
    }
}
