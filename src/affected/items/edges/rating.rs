//! What is known of the expansion of a macro, an attribute or a derive.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Builder, Detail, ItemKind, ModuleId, NONE, Name, NodeId, UnitId, flag, is_known_macro,
};
use crate::affected::items::extract::Symbol;
use crate::affected::items::known_macros::{
    Expansion, attribute_crates, attribute_expansion, is_standard_crate, macro_crates,
    macro_expansion, names_a_test,
};

/// Methods that take a text apart into letters.
const LETTERS: &[&str] = &["chars", "char_indices", "bytes", "as_bytes", "into_bytes"];

/// Functions that put letters in another order, or compute them. A name that is made of such letters is not known.
const REORDERS: &[&str] = &[
    "rev",
    "reverse",
    "rotate_left",
    "rotate_right",
    "swap",
    "sort",
    "sort_unstable",
    "step_by",
    "from_u32",
    "from_digit",
    "from_utf8",
    "wrapping_add",
];

/// From where a macro comes.
enum Origin<'g> {
    /// By this path, without its name.
    Path(Vec<&'g str>),
    /// By no `use` of its name: from any of these crates, each brought in as a whole.
    Whole(Vec<&'g str>),
}

/// What a name is looked up as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Call,
    Derive,
    Attribute,
}

impl<'g> Builder<'g> {
    /// Where a macro comes from, by its path as it is written, or as a `use` of the name begins.
    fn origin(&self, id: NodeId, call: &[Symbol], symbols: &[Name]) -> Origin<'g> {
        let nodes = self.nodes;
        let [name, first, last] = [0, 1, 2].map(|at| symbols[call[at] as usize]);
        let node = &nodes.nodes[id as usize];
        if name != first {
            let segments = [first, last].map(|name| nodes.names.text(name));
            let own = segments
                .iter()
                .all(|text| matches!(*text, "crate" | "self" | "super"));
            return if own {
                self.whole_crates(node.module)
            } else {
                Origin::Path(segments.to_vec())
            };
        }
        let used = self.uses(node.module, name).into_iter().next();
        used.map_or_else(
            || self.whole_crates(node.module),
            |(_, mut path)| {
                path.pop();
                Origin::Path(path)
            },
        )
    }

    /// The `use` items that import a name into a module, each with its path. Imports with `*` are left out.
    fn uses(&self, module: ModuleId, name: Name) -> Vec<(NodeId, Vec<&'g str>)> {
        let nodes = self.nodes;
        let found = self.scopes.resolve(module, &[name]);
        let path = |by: &NodeId| {
            let Detail::Use { path, glob: false } = &nodes.item(self.sources, *by).detail else {
                return None;
            };
            let symbols = nodes.symbols(*by);
            let path = path.iter().map(|symbol| symbols[*symbol as usize]);
            let path = path.filter(|name| Some(*name) != self.global);
            Some((*by, path.map(|name| nodes.names.text(name)).collect()))
        };
        found.by.iter().filter_map(path).collect()
    }

    /// The crates from outside that a module, those around a block, and those whose names it takes by `*`, bring in as a
    /// whole; and those that `#[macro_use] extern crate` may bring in.
    fn whole_crates(&self, module: ModuleId) -> Origin<'g> {
        let nodes = self.nodes;
        let mut crates: Vec<&'g str> = Vec::new();
        let mut seen: FxHashSet<ModuleId> = FxHashSet::default();
        let mut next = vec![module];
        while let Some(module) = next.pop() {
            if module == NONE || !seen.insert(module) {
                continue;
            }
            let brought = self.outside_globs.get(&module).into_iter().flatten();
            crates.extend(brought.map(|name| nodes.names.text(*name)));
            let scope = &nodes.modules[module as usize];
            if scope.block {
                next.push(scope.parent);
            }
            next.extend(self.globs_into.get(&module).into_iter().flatten());
        }
        if module != NONE {
            let unit = nodes.modules[module as usize].unit as usize;
            let named = self.extern_crates[unit].iter();
            crates.extend(named.map(|name| nodes.names.text(*name)));
        }
        Origin::Whole(crates)
    }

    /// Whether the data knows a macro of this name that comes from there.
    fn is_listed(&self, id: NodeId, text: &str, origin: &Origin<'_>, by: Use) -> bool {
        let unit = self.nodes.nodes[id as usize].unit as usize;
        let package = self.crates.units[unit].package;
        let known = match by {
            Use::Call => macro_crates(text),
            Use::Derive | Use::Attribute => attribute_crates(text),
        };
        let listed = |of: &str| known.contains(&of);
        let real = |name: &str| listed(self.crates.package_of(package, name).unwrap_or(name));
        match origin {
            Origin::Path(path) => {
                let Some(first) = path.first() else {
                    return false;
                };
                // A module of the workspace may pass on what another crate has.
                let passed_on = self.crates.is_own_crate(package, first)
                    || matches!(*first, "crate" | "self" | "super");
                let segments = if passed_on { path.len() } else { 1 };
                path[..segments].iter().any(|name| real(name))
            }
            Origin::Whole(crates) => {
                if crates.iter().any(|name| real(name)) {
                    return true;
                }
                // The helper attributes of a derive come with that one.
                let by_name = crates.is_empty() || by == Use::Attribute;
                let mut depended = self.crates.externs[package].iter();
                by_name && (listed("std") || depended.any(|(name, _)| real(name)))
            }
        }
    }

    /// Whether a macro's path starts with an external crate.
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

    pub(super) fn attribute_expansion(
        &self,
        id: NodeId,
        attribute: &[Symbol],
        symbols: &[Name],
    ) -> Expansion {
        let name = symbols[attribute[0] as usize];
        let text = self.nodes.names.text(name);
        let by = if self.is_derive(attribute, symbols) {
            Use::Derive
        } else {
            Use::Attribute
        };
        let listed = || {
            attribute_expansion(text) == Expansion::Named
                && self.is_listed(id, text, &self.origin(id, attribute, symbols), by)
        };
        let written = attribute[0] != attribute[1];
        if written && listed() {
            return Expansion::Named;
        }
        let own = self.macros.get(&name).into_iter().flatten();
        let own = own.filter(|id| self.nodes.nodes[**id as usize].kind != ItemKind::Macro);
        let own: Vec<NodeId> = own.copied().collect();
        if !own.is_empty() && !self.is_from_outside(id, attribute, symbols) {
            return self.own_expansion(&own);
        }
        if !written && (listed() || by == Use::Attribute && self.is_inert(id, attribute, symbols)) {
            Expansion::Named
        } else {
            Expansion::Unknown
        }
    }

    /// Whether what stands among the attributes of an item is one of its derives.
    fn is_derive(&self, attribute: &[Symbol], symbols: &[Name]) -> bool {
        let inside = &attribute[3.min(attribute.len())..];
        matches!(inside, [symbol] if self.nodes.names.text(symbols[*symbol as usize]) == "derive")
    }

    /// Whether no crate can have brought in an attribute of this name, so that it is one that a derive reads.
    fn is_inert(&self, id: NodeId, attribute: &[Symbol], symbols: &[Name]) -> bool {
        let module = self.nodes.nodes[id as usize].module;
        let scope = self.nodes.modules.get(module as usize);
        // A `use` in a body is not followed.
        let in_body = scope.is_none_or(|scope| scope.block);
        let mut attributes = self.nodes.item(self.sources, id).references.attributes();
        let mut derives = || attributes.any(|attribute| self.is_derive(attribute, symbols));
        (!in_body || derives())
            && matches!(self.origin(id, attribute, symbols), Origin::Whole(crates) if crates.is_empty())
    }

    /// Finds the procedural macros whose output can name anything, and the names in text of code that is not known to write code.
    pub(super) fn find_opaque(&mut self) {
        let macros = self.ids().filter(|id| {
            let detail = &self.nodes.item(self.sources, *id).detail;
            matches!(detail, Detail::ProcMacro(_))
        });
        let [letters, reorders] = [LETTERS, REORDERS].map(|words| {
            let names = words.iter().filter_map(|word| self.nodes.names.get(word));
            names.collect::<FxHashSet<Name>>()
        });
        let computes_names = |id: NodeId| {
            let refers_to = |names| self.nodes.refers_to(self.sources, id, names);
            refers_to(&letters) && refers_to(&reorders)
        };
        let mut known: FxHashMap<Vec<UnitId>, FxHashMap<Name, Vec<NodeId>>> = FxHashMap::default();
        let mut opaque = FxHashSet::default();
        let mut test_macros = FxHashSet::default();
        let mut text_names = FxHashMap::default();
        for id in macros {
            let unit = self.nodes.nodes[id as usize].unit as usize;
            let units: Vec<UnitId> = self.crates.made_of(unit).collect();
            let by_name = known
                .entry(units)
                .or_insert_with_key(|units| self.by_name(units));
            let run = self.run_by(id, by_name);
            if run
                .iter()
                .any(|id| self.reads_outside(*id) || computes_names(*id))
            {
                opaque.insert(id);
            }
            let in_text = self.names_in_text(&run);
            let in_code = run
                .iter()
                .flat_map(|id| self.nodes.names_in(self.sources, *id));
            let mut names = in_text.iter().copied().chain(in_code);
            if names.any(|name| names_a_test(self.nodes.names.text(name))) {
                test_macros.insert(id);
            }
            text_names.insert(id, in_text);
        }
        self.generated.opaque = opaque;
        self.generated.test_macros = test_macros;
        self.generated.text_names = text_names;
    }

    /// The items of units by their names.
    fn by_name(&self, units: &[UnitId]) -> FxHashMap<Name, Vec<NodeId>> {
        let mut found: FxHashMap<Name, Vec<NodeId>> = FxHashMap::default();
        for (id, node) in self.ids().zip(&self.nodes.nodes) {
            if node.name != NONE && units.contains(&(node.unit as usize)) {
                found.entry(node.name).or_default().push(id);
            }
        }
        found
    }

    /// What an item may run, by the names in it, including itself.
    fn run_by(&self, start: NodeId, by_name: &FxHashMap<Name, Vec<NodeId>>) -> Vec<NodeId> {
        let mut seen = FxHashSet::from_iter([start]);
        let mut found = vec![start];
        let mut next = 0;
        while let Some(id) = found.get(next).copied() {
            next += 1;
            for name in self.nodes.names_in(self.sources, id) {
                let items = by_name.get(&name).into_iter().flatten();
                found.extend(items.copied().filter(|id| seen.insert(*id)));
            }
        }
        found
    }

    fn reads_outside(&self, id: NodeId) -> bool {
        let reading = flag::READS_FILES | flag::READS_ENVIRONMENT | flag::UNREADABLE_INCLUDE;
        let files = &self.nodes.item(self.sources, id).references.files;
        self.nodes.nodes[id as usize].flags & reading != 0 || !files.is_empty()
    }

    /// The names in the text of items.
    fn names_in_text(&self, ids: &[NodeId]) -> Vec<Name> {
        let mut names = Vec::new();
        for id in ids {
            let node = &self.nodes.nodes[*id as usize];
            let file = self.sources.files[node.file as usize].items(node.before);
            let text = file.map_or(&[][..], |items| &items.names_in_text);
            let symbols = self.nodes.symbols(*id);
            let own = text.iter().filter(|(item, _)| *item == node.item);
            names.extend(own.map(|(_, name)| symbols[*name as usize]));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The known parts of a macro call: its name, the first segment of its path, and the names in it.
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
        let first = self.nodes.names.text(symbols[call[1] as usize]);
        if is_known_macro(text)
            && !self.known_redefined.contains(&name)
            && (is_standard_crate(first) || !self.is_from_outside(id, call, symbols))
        {
            return Expansion::Named;
        }
        let mut own = self.macros_for(id, name);
        if !own.is_empty() && self.is_from_outside(id, call, symbols) {
            own.clear();
        }
        let listed = macro_expansion(text);
        if listed != Expansion::Unknown
            && (own.is_empty() || call[0] != call[1])
            && self.is_listed(id, text, &self.origin(id, call, symbols), Use::Call)
        {
            return listed;
        }
        if own.is_empty() && self.is_made_by_call(id, call, symbols) {
            return Expansion::Composed;
        }
        self.own_expansion(&own)
    }

    /// Whether a macro is one that a call in the workspace defines, which it leads to: no path
    /// and no `use` tells otherwise.
    fn is_made_by_call(&self, id: NodeId, call: &[Symbol], symbols: &[Name]) -> bool {
        let name = symbols[call[0] as usize];
        let module = self.nodes.nodes[id as usize].module;
        let is_own = if call[0] == call[1] {
            self.scopes.resolve(module, &[name]).by.is_empty()
        } else {
            !self.is_from_outside(id, call, symbols)
        };
        is_own && self.calls.contains_key(&name)
    }

    /// What any of these macros of the workspace may come to; anything, where there are none.
    fn own_expansion(&self, own: &[NodeId]) -> Expansion {
        let expansions = own.iter().map(|id| {
            let node = &self.nodes.nodes[*id as usize];
            if node.kind == ItemKind::Macro {
                let known = self.generated.expansions.get(id);
                known.copied().unwrap_or(Expansion::Named)
            } else if self.generated.opaque.contains(id) {
                Expansion::Opaque
            } else {
                Expansion::Workspace
            }
        });
        expansions.max().unwrap_or(Expansion::Unknown)
    }

    /// Whether a macro call may make code that is live without being named.
    pub(super) fn may_register(&self, id: NodeId, call: &[Symbol], symbols: &[Name]) -> bool {
        let name = symbols[call[0] as usize];
        let expansion = self.call_expansion(id, call, symbols);
        if self.registers(expansion, name) {
            return true;
        }
        let own = self.macros_for(id, name);
        own.iter()
            .any(|id| self.generated.registering_macros.contains(id))
    }

    /// Whether a macro of such an expansion may define tests.
    pub(super) fn defines_tests(&self, expansion: Expansion, name: Name) -> bool {
        let mut own = self.macros.get(&name).into_iter().flatten();
        expansion.names_anything()
            || expansion == Expansion::Workspace
                && own.any(|id| self.generated.test_macros.contains(id))
    }

    /// Whether a macro of such an expansion may make code that is live without being named.
    pub(super) fn registers(&self, expansion: Expansion, name: Name) -> bool {
        let own = self.macros.get(&name).into_iter().flatten();
        let mut units = own.map(|id| self.nodes.nodes[*id as usize].unit as usize);
        match expansion {
            Expansion::Named | Expansion::Composed => false,
            Expansion::Workspace | Expansion::Opaque => units.any(|unit| {
                let mut linked = self.crates.links[unit].iter();
                linked.any(|unit| self.generated.registering.contains(unit))
            }),
            Expansion::Unknown => true,
        }
    }

    /// Rates the workspace's macros by their bodies, including the macros they call.
    pub(super) fn rate_macros(&mut self) {
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
                let mut rating = if node.flags & flag::DEFINES_ANY == 0 {
                    Expansion::Named
                } else {
                    Expansion::Composed
                };
                let mut registers = node.flags & flag::WRITES_ROOT != 0;
                for call in item.references.macro_calls() {
                    rating = rating.max(self.call_expansion(*id, call, symbols));
                    registers = registers || self.may_register(*id, call, symbols);
                }
                if rating != Expansion::Named
                    && self.generated.expansions.insert(*id, rating) != Some(rating)
                {
                    changed = true;
                }
                changed |= registers && self.generated.registering_macros.insert(*id);
            }
            if !changed {
                break;
            }
        }
    }

    /// Whether a macro of the standard library's name that an item calls comes from a crate outside, of which nothing is
    /// known.
    pub(super) fn is_replaced(&self, id: NodeId, name: Name) -> bool {
        if !self.replaced.contains(&name) {
            return false;
        }
        let scope = self.nodes.nodes[id as usize].scope;
        let mut uses = self.uses(scope, name).into_iter();
        uses.any(|(by, path)| self.replaces(by, &path))
    }

    /// Whether a `use` brings in a macro from outside that is no macro of the standard library, and of which nothing is
    /// known.
    pub(super) fn replaces(&self, by: NodeId, path: &[&str]) -> bool {
        let Some((name, before)) = path.split_last() else {
            return false;
        };
        let Some(first) = before.first() else {
            return false;
        };
        let unit = self.nodes.nodes[by as usize].unit as usize;
        let package = self.crates.units[unit].package;
        let own = matches!(*first, "crate" | "self" | "super")
            || self.crates.is_own_crate(package, first);
        let origin = Origin::Path(before.to_vec());
        !own && !is_standard_crate(first)
            && self.crates.is_extern(package, first)
            && !self.is_listed(by, name, &origin, Use::Call)
    }
}
