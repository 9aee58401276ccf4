//! Collects the definitions of modules, then resolves imports and globs to a fixpoint.

use rustc_hash::FxHashMap;

use super::{DefMap, Entry, Resolution, ScopeEntry};
use crate::affected::items::extract::{Detail, flag};
use crate::affected::items::nodes::{ModuleId, NONE, Name, NodeId, proc_macro_name};
use crate::affected::items::sources::Sources;
use crate::workspace::source::syntax::ItemKind;

/// An unresolved `use`.
pub(super) struct Import {
    node: NodeId,
    module: ModuleId,
    path: Vec<Name>,
    alias: Name,
    glob: bool,
    private: bool,
}

impl DefMap<'_> {
    /// Adds an entry, or makes it public. Returns whether that is new.
    fn insert(&mut self, module: ModuleId, name: Name, entry: Entry, private: bool) -> bool {
        let entries = self.tables[module as usize].entry(name).or_default();
        let known = entries.iter_mut().find(|held| held.entry == entry);
        let new = if let Some(held) = known {
            let opens = held.private && !private;
            held.private &= private;
            opens
        } else {
            entries.push(ScopeEntry { entry, private });
            true
        };
        if new {
            self.given[module as usize].push((name, ScopeEntry { entry, private }));
        }
        new
    }

    /// Whether only the module of a node sees it. A macro may change the visibility of its input, and `macro_rules!` macros have separate
    /// visibility rules.
    fn is_private(&self, node: NodeId) -> bool {
        let mut owners = self.nodes.owners(node);
        let node = &self.nodes.nodes[node as usize];
        node.flags & flag::PUBLIC == 0
            && node.kind != ItemKind::Macro
            && owners.all(|owner| self.nodes.nodes[owner as usize].kind != ItemKind::Call)
    }

    /// Adds the definitions of every module; returns the unresolved imports.
    pub(super) fn define(&mut self, sources: &Sources) -> Vec<Import> {
        let mut imports = Vec::new();
        let nodes = self.nodes;
        for (id, module) in (0_u32..).zip(&nodes.modules) {
            if module.name != NONE && module.parent != NONE {
                let private = module.node != NONE && self.is_private(module.node);
                self.insert(
                    module.parent,
                    module.name,
                    Entry {
                        meaning: Resolution::Module(id),
                        by: NONE,
                    },
                    private,
                );
            }
        }
        for (id, node) in (0_u32..).zip(&nodes.nodes) {
            if node.module == NONE {
                continue;
            }
            if let Detail::Use { path, glob } = &nodes.item(sources, id).detail {
                let symbols = nodes.symbols(id);
                let path = path
                    .iter()
                    .map(|symbol| symbols[*symbol as usize])
                    .collect();
                if *glob {
                    self.glob_uses.insert(id);
                }
                imports.push(Import {
                    node: id,
                    module: node.module,
                    path,
                    alias: node.name,
                    glob: *glob,
                    private: self.is_private(id),
                });
                continue;
            }
            let member = node.owner != NONE
                && matches!(
                    nodes.nodes[node.owner as usize].kind,
                    ItemKind::Impl | ItemKind::Trait
                );
            let named = !matches!(
                node.kind,
                ItemKind::Mod | ItemKind::Call | ItemKind::Impl | ItemKind::Foreign
            );
            if node.name != NONE && named && !member {
                let entry = Entry {
                    meaning: Resolution::Item(id),
                    by: NONE,
                };
                self.insert(node.module, node.name, entry, self.is_private(id));
                if let Some(name) = proc_macro_name(nodes.item(sources, id), nodes.symbols(id)) {
                    self.insert(node.module, name, entry, false);
                }
            }
        }
        imports
    }

    pub(super) fn resolve_imports(&mut self, imports: &[Import], sources: &Sources) {
        // Each with the number of entries that a glob has imported.
        let mut followed: Vec<FxHashMap<Resolution, usize>> =
            vec![FxHashMap::default(); imports.len()];
        loop {
            let mut grew = false;
            for (import, followed) in imports.iter().zip(&mut followed) {
                for meaning in self.import(import) {
                    let given = match meaning {
                        Resolution::Module(module) if import.glob => {
                            self.given[module as usize].len()
                        }
                        _ => 0,
                    };
                    let taken = followed.insert(meaning, given);
                    if taken == Some(given) {
                        continue;
                    }
                    if import.glob {
                        grew |= self.spread(import, meaning, taken.unwrap_or(0), sources);
                    } else {
                        grew |= self.insert(
                            import.module,
                            import.alias,
                            Entry {
                                meaning,
                                by: import.node,
                            },
                            import.private,
                        );
                    }
                }
            }
            if !grew {
                break;
            }
        }
        for (import, followed) in imports.iter().zip(&followed) {
            if import.glob {
                self.open_uses.push(import.node);
                let from = self.import(import);
                if from.is_empty() {
                    self.open.insert(import.module);
                }
                for meaning in from {
                    match meaning {
                        Resolution::Module(from) => self.globs.push((import.module, from)),
                        Resolution::Item(_) => {}
                        Resolution::External | Resolution::Any(_) => {
                            self.open.insert(import.module);
                        }
                    }
                }
            } else if followed.is_empty() {
                let last = import.path.last().copied().unwrap_or(import.alias);
                self.insert(
                    import.module,
                    import.alias,
                    Entry {
                        meaning: Resolution::Any(last),
                        by: import.node,
                    },
                    import.private,
                );
                self.open_uses.push(import.node);
            } else {
                let nodes = self.nodes;
                let open = |meaning: &Resolution| match meaning {
                    Resolution::Item(node) => nodes.nodes[*node as usize].kind == ItemKind::Trait,
                    Resolution::External | Resolution::Any(_) => true,
                    Resolution::Module(_) => false,
                };
                if followed.keys().any(open) {
                    self.open_uses.push(import.node);
                }
            }
        }
    }

    /// Adds modules with macro calls, unnamed modules, and those that import their names with `*` to the open modules.
    pub(super) fn open_modules(&mut self) {
        let calls = self
            .nodes
            .nodes
            .iter()
            .filter(|node| node.kind == ItemKind::Call && node.flags & flag::TRANSPARENT == 0);
        self.open.extend(calls.map(|call| call.module));
        let empty = (0..)
            .zip(&self.tables)
            .filter(|(_, table)| table.is_empty());
        self.open.extend(empty.map(|(module, _)| module));
        let mut into: FxHashMap<ModuleId, Vec<ModuleId>> = FxHashMap::default();
        for (module, from) in &self.globs {
            into.entry(*from).or_default().push(*module);
        }
        let mut next: Vec<ModuleId> = self.open.iter().copied().collect();
        while let Some(from) = next.pop() {
            for module in into.get(&from).into_iter().flatten() {
                if self.open.insert(*module) {
                    next.push(*module);
                }
            }
        }
    }

    /// The current resolution of an import's path.
    fn import(&self, import: &Import) -> Vec<Resolution> {
        // An import never resolves to itself: `use a::x` in `a`'s own scope would find its own entry.
        let found = self.walk(import.module, &import.path, import.node);
        let mut meanings: Vec<Resolution> = found
            .modules
            .iter()
            .map(|module| Resolution::Module(*module))
            .collect();
        meanings.extend(found.any.iter().map(|name| Resolution::Any(*name)));
        for (item, rest) in &found.items {
            let is_enum = self.nodes.nodes[*item as usize].kind == ItemKind::Enum;
            if *rest == import.path.len() || (is_enum && *rest + 1 == import.path.len()) {
                meanings.push(Resolution::Item(*item));
            }
        }
        if found.external {
            meanings.push(Resolution::External);
        }
        meanings
    }

    /// Imports a glob's names, except those that it has `taken`. Returns whether any was new.
    fn spread(
        &mut self,
        import: &Import,
        meaning: Resolution,
        taken: usize,
        sources: &Sources,
    ) -> bool {
        let mut grew = false;
        let private = import.private;
        match meaning {
            Resolution::Module(from) if from != import.module => {
                let mut around = self.nodes.around(import.module);
                let sees_all = around.any(|module| module == from);
                let given = self.given[from as usize][taken..].iter();
                let given = given.filter(|(_, held)| sees_all || !held.private);
                let given: Vec<_> = given.map(|(name, held)| (*name, held.entry)).collect();
                for (name, entry) in given {
                    grew |= self.insert(
                        import.module,
                        name,
                        Entry {
                            meaning: entry.meaning,
                            by: import.node,
                        },
                        private,
                    );
                    // An entry of the glob may come from a `use`: the path includes that `use`.
                    if entry.by != NONE && entry.by != import.node {
                        grew |= self.insert(import.module, name, entry, private);
                    }
                }
            }
            Resolution::Item(node) => {
                if let Detail::Enum(variants) = &self.nodes.item(sources, node).detail {
                    let symbols = self.nodes.symbols(node);
                    for variant in variants {
                        let entry = Entry {
                            meaning: Resolution::Item(node),
                            by: import.node,
                        };
                        let variant = symbols[*variant as usize];
                        grew |= self.insert(import.module, variant, entry, private);
                    }
                }
            }
            _ => {}
        }
        grew
    }
}
