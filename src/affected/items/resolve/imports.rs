//! What modules define and bring in: own items, then imports and globs until nothing new is found.

use rustc_hash::FxHashSet;

use super::{Entry, Meaning, Scopes};
use crate::affected::items::extract::Detail;
use crate::affected::items::mount::Sources;
use crate::affected::items::nodes::{ModuleId, NONE, Name, NodeId, proc_macro_name};
use crate::workspace::source::syntax::ItemKind;

/// A `use`, still to be followed.
pub(super) struct Import {
    node: NodeId,
    module: ModuleId,
    path: Vec<Name>,
    alias: Name,
    glob: bool,
}

impl Scopes<'_> {
    fn insert(&mut self, module: ModuleId, name: Name, entry: Entry) -> bool {
        let entries = self.tables[module as usize].entry(name).or_default();
        let new = !entries.contains(&entry);
        if new {
            entries.push(entry);
        }
        new
    }

    /// Own definitions of every module; the imports still to be followed.
    pub(super) fn define(&mut self, sources: &Sources) -> Vec<Import> {
        let mut imports = Vec::new();
        let nodes = self.nodes;
        for (id, module) in (0_u32..).zip(&nodes.modules) {
            if module.name != NONE && module.parent != NONE {
                self.insert(
                    module.parent,
                    module.name,
                    Entry {
                        meaning: Meaning::Module(id),
                        by: NONE,
                    },
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
                imports.push(Import {
                    node: id,
                    module: node.module,
                    path,
                    alias: node.name,
                    glob: *glob,
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
                self.insert(
                    node.module,
                    node.name,
                    Entry {
                        meaning: Meaning::Item(id),
                        by: NONE,
                    },
                );
                if let Some(name) = proc_macro_name(nodes.item(sources, id), nodes.symbols(id)) {
                    self.insert(
                        node.module,
                        name,
                        Entry {
                            meaning: Meaning::Item(id),
                            by: NONE,
                        },
                    );
                }
            }
        }
        imports
    }

    pub(super) fn settle(&mut self, imports: &[Import], sources: &Sources) {
        let mut followed: Vec<FxHashSet<Meaning>> = vec![FxHashSet::default(); imports.len()];
        loop {
            let mut grew = false;
            for (import, followed) in imports.iter().zip(&mut followed) {
                for meaning in self.import(import) {
                    if import.glob {
                        grew |= self.spread(import, meaning, sources);
                    } else if followed.insert(meaning) {
                        grew |= self.insert(
                            import.module,
                            import.alias,
                            Entry {
                                meaning,
                                by: import.node,
                            },
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
                let known = self
                    .import(import)
                    .iter()
                    .any(|meaning| !matches!(meaning, Meaning::Any(_)));
                if !known {
                    self.unknown_globs.insert(import.module);
                }
                self.open_uses.push(import.node);
                for meaning in self.import(import) {
                    if let Meaning::Module(from) = meaning {
                        self.globs.push((import.module, from));
                    }
                }
            } else if followed.is_empty() {
                let last = import.path.last().copied().unwrap_or(import.alias);
                self.insert(
                    import.module,
                    import.alias,
                    Entry {
                        meaning: Meaning::Any(last),
                        by: import.node,
                    },
                );
                self.open_uses.push(import.node);
            } else {
                let nodes = self.nodes;
                let open = |meaning: &Meaning| match meaning {
                    Meaning::Item(node) => nodes.nodes[*node as usize].kind == ItemKind::Trait,
                    Meaning::External | Meaning::Any(_) => true,
                    Meaning::Module(_) => false,
                };
                if followed.iter().any(open) {
                    self.open_uses.push(import.node);
                }
            }
        }
    }

    /// What an import's path means now.
    fn import(&self, import: &Import) -> Vec<Meaning> {
        // An import never means itself: `use a::x` in `a`'s own scope would find its own entry.
        let found = self.walk(import.module, &import.path, import.node);
        let mut meanings: Vec<Meaning> = found
            .modules
            .iter()
            .map(|module| Meaning::Module(*module))
            .collect();
        meanings.extend(found.any.iter().map(|name| Meaning::Any(*name)));
        for (item, rest) in &found.items {
            let is_enum = self.nodes.nodes[*item as usize].kind == ItemKind::Enum;
            if *rest == import.path.len() || (is_enum && *rest + 1 == import.path.len()) {
                meanings.push(Meaning::Item(*item));
            }
        }
        if found.external {
            meanings.push(Meaning::External);
        }
        meanings
    }

    /// Brings a glob's names in; whether any was new.
    fn spread(&mut self, import: &Import, meaning: Meaning, sources: &Sources) -> bool {
        let mut grew = false;
        match meaning {
            Meaning::Module(from) if from != import.module => {
                let names: Vec<(Name, Entry)> = self.tables[from as usize]
                    .iter()
                    .flat_map(|(name, entries)| entries.iter().map(|entry| (*name, *entry)))
                    .collect();
                for (name, entry) in names {
                    grew |= self.insert(
                        import.module,
                        name,
                        Entry {
                            meaning: entry.meaning,
                            by: import.node,
                        },
                    );
                    // What the glob finds may itself have come by a `use`: the path goes through that one as well.
                    if entry.by != NONE && entry.by != import.node {
                        grew |= self.insert(import.module, name, entry);
                    }
                }
            }
            Meaning::Item(node) => {
                if let Detail::Enum(variants) = &self.nodes.item(sources, node).detail {
                    let symbols = self.nodes.symbols(node);
                    for variant in variants {
                        let entry = Entry {
                            meaning: Meaning::Item(node),
                            by: import.node,
                        };
                        grew |= self.insert(import.module, symbols[*variant as usize], entry);
                    }
                }
            }
            _ => {}
        }
        grew
    }
}
