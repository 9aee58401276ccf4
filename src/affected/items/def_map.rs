//! Resolves names in modules: imports and globs to a fixpoint, and paths.

mod imports;

use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::CrateGraph;
use super::extract::GLOBAL;
use super::nodes::{ModuleId, NONE, Name, NodeId, Nodes};
use super::sources::Sources;
use crate::workspace::source::syntax::ItemKind;

/// The resolution of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// A module of some unit.
    Module(ModuleId),
    /// An item.
    Item(NodeId),
    /// Something external.
    External,
    /// An import that cannot be resolved: any item of that name.
    Any(Name),
}

/// A resolution, and its `use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The resolution.
    pub meaning: Resolution,
    /// The `use`, or [`NONE`].
    pub by: NodeId,
}

/// An entry in the table of a module.
#[derive(Debug, Clone, Copy)]
struct ScopeEntry {
    entry: Entry,
    /// Whether it is visible only in the module and its children.
    private: bool,
}

/// The resolution of a path.
#[derive(Debug, Default)]
pub struct PathResolution {
    /// Items, each with the index of the first segment after it.
    pub items: Vec<(NodeId, usize)>,
    /// `use` items on the path.
    pub by: Vec<NodeId>,
    /// Names that may resolve to any item of that name.
    pub any: Vec<Name>,
    /// Modules of the whole path.
    pub modules: Vec<ModuleId>,
    /// The path is external.
    pub external: bool,
    /// No module could resolve the remaining segments.
    pub missing: bool,
    /// Even the first segment is unknown.
    pub unknown: bool,
    /// Modules where resolution stopped, or found a name only by `*`: generated code there may define it.
    pub stopped: Vec<ModuleId>,
}

/// The names of every module.
pub struct DefMap<'g> {
    nodes: &'g Nodes,
    crates: &'g CrateGraph,
    tables: Vec<FxHashMap<Name, Vec<ScopeEntry>>>,
    /// The entries of each module in order: those that are new for a glob follow those it has imported.
    given: Vec<Vec<(Name, ScopeEntry)>>,
    words: PathKeywords,
    externs: Vec<FxHashMap<Name, Vec<Resolution>>>,
    standard: FxHashSet<Name>,
    /// `use` items whose target may be a trait or have another effect without being named.
    pub open_uses: Vec<NodeId>,
    /// Modules, each with one whose names it imports with `*`.
    pub globs: Vec<(ModuleId, ModuleId)>,
    /// `use` items that end in `*`.
    glob_uses: FxHashSet<NodeId>,
    /// Modules that may have unknown names: from a macro call, or an external glob.
    open: FxHashSet<ModuleId>,
}

struct PathKeywords {
    krate: Option<Name>,
    itself: Option<Name>,
    parent: Option<Name>,
    global: Option<Name>,
}

/// The prelude's names and the primitive types, from the language and library reference.
const STANDARD: &[&str] = &[
    "std",
    "core",
    "alloc",
    "proc_macro",
    "test",
    "bool",
    "char",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "Vec",
    "String",
    "ToString",
    "ToOwned",
    "Box",
    "Iterator",
    "IntoIterator",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "Extend",
    "FromIterator",
    "From",
    "Into",
    "TryFrom",
    "TryInto",
    "AsRef",
    "AsMut",
    "Default",
    "Clone",
    "Copy",
    "Send",
    "Sync",
    "Sized",
    "Unpin",
    "Drop",
    "Fn",
    "FnMut",
    "FnOnce",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Debug",
    "Hash",
    "drop",
    "size_of",
    "align_of",
    "size_of_val",
    "align_of_val",
    "Future",
    "IntoFuture",
];

impl<'g> DefMap<'g> {
    /// Resolves every module to a fixpoint.
    #[must_use]
    pub fn new(nodes: &'g Nodes, crates: &'g CrateGraph, sources: &Sources) -> Self {
        let words = PathKeywords {
            krate: nodes.names.get("crate"),
            itself: nodes.names.get("self"),
            parent: nodes.names.get("super"),
            global: nodes.names.get(GLOBAL),
        };
        let mut externs = Vec::new();
        for known in &crates.externs {
            let mut table: FxHashMap<Name, Vec<Resolution>> = FxHashMap::default();
            for (text, unit) in known {
                let Some(name) = nodes.names.get(text) else {
                    continue;
                };
                let root = unit.map_or(NONE, |unit| nodes.roots[unit]);
                table.entry(name).or_default().push(if root == NONE {
                    Resolution::External
                } else {
                    Resolution::Module(root)
                });
            }
            externs.push(table);
        }
        let standard = STANDARD
            .iter()
            .filter_map(|text| nodes.names.get(text))
            .collect();
        let mut scopes = Self {
            nodes,
            crates,
            tables: vec![FxHashMap::default(); nodes.modules.len()],
            given: vec![Vec::new(); nodes.modules.len()],
            words,
            externs,
            standard,
            open_uses: Vec::new(),
            globs: Vec::new(),
            glob_uses: FxHashSet::default(),
            open: FxHashSet::default(),
        };
        let imports = scopes.define(sources);
        scopes.resolve_imports(&imports, sources);
        scopes.open_modules();
        scopes.given = Vec::new();
        scopes
    }

    /// The items that a module has names for, each with its `use` or [`NONE`].
    pub fn items(&self, module: ModuleId) -> impl Iterator<Item = (NodeId, NodeId)> {
        let held = self.tables[module as usize].values().flatten();
        held.filter_map(|held| match held.entry.meaning {
            Resolution::Item(item) => Some((item, held.entry.by)),
            _ => None,
        })
    }

    /// Resolves a path in a module.
    #[must_use]
    pub fn resolve(&self, module: ModuleId, path: &[Name]) -> PathResolution {
        self.walk(module, path, NONE)
    }

    fn walk(&self, module: ModuleId, path: &[Name], without: NodeId) -> PathResolution {
        let mut found = PathResolution::default();
        if module == NONE || path.is_empty() {
            return found;
        }
        let first = Some(path[0]);
        let (mut current, mut at) = if first == self.words.krate {
            (vec![Resolution::Module(self.root(module))], 1)
        } else if first == self.words.itself || first == self.words.parent {
            (
                vec![Resolution::Module(
                    self.around(module, first == self.words.parent),
                )],
                1,
            )
        } else if first == self.words.global {
            let Some(name) = path.get(1) else {
                return found;
            };
            (self.outside(module, *name), 2)
        } else {
            (self.look(module, path[0], without, &mut found), 1)
        };
        if current.is_empty() {
            found.unknown = true;
            found.missing = true;
            self.stop_around(module, &mut found.stopped);
            return found;
        }
        loop {
            let mut next = Vec::new();
            let (mut known, mut lacking) = (false, Vec::new());
            for meaning in current {
                match meaning {
                    Resolution::Item(node) => found.items.push((node, at)),
                    Resolution::External => found.external = true,
                    Resolution::Any(name) => found.any.push(if at == path.len() {
                        name
                    } else {
                        path[path.len() - 1]
                    }),
                    Resolution::Module(module) if at == path.len() => found.modules.push(module),
                    Resolution::Module(module) if Some(path[at]) == self.words.parent => {
                        next.push(Resolution::Module(self.around(module, true)));
                    }
                    Resolution::Module(module) => {
                        if self.entries(module, path[at], without, &mut found.by, &mut next) {
                            known = true;
                            if self.is_by_glob(module, path[at]) {
                                found.stopped.push(module);
                            }
                        } else {
                            lacking.push(module);
                        }
                    }
                }
            }
            found.stopped.extend(&lacking);
            // Of several modules with one name only one is compiled: not one that cannot have the name.
            found.missing |= lacking
                .iter()
                .any(|module| !known || self.open.contains(module));
            if next.is_empty() {
                return found;
            }
            current = next;
            at += 1;
        }
    }

    /// The module, and the enclosing modules of a block.
    fn stop_around(&self, module: ModuleId, stopped: &mut Vec<ModuleId>) {
        let mut at = module;
        while at != NONE {
            stopped.push(at);
            let scope = &self.nodes.modules[at as usize];
            if !scope.block {
                break;
            }
            at = scope.parent;
        }
    }

    /// Whether a module knows a name only by `*`: an item with the name would hide it.
    fn is_by_glob(&self, module: ModuleId, name: Name) -> bool {
        let entries = self.tables[module as usize].get(&name);
        entries.is_some_and(|entries| {
            let mut entries = entries.iter();
            entries.all(|held| self.glob_uses.contains(&held.entry.by))
        })
    }

    /// Adds the resolutions of a name in a module. Returns whether there are any.
    fn entries(
        &self,
        module: ModuleId,
        name: Name,
        without: NodeId,
        by: &mut Vec<NodeId>,
        into: &mut Vec<Resolution>,
    ) -> bool {
        let mut known = false;
        let held = self.tables[module as usize].get(&name);
        for ScopeEntry { entry, .. } in held.into_iter().flatten() {
            if entry.by != NONE && entry.by == without {
                continue;
            }
            known = true;
            if entry.by != NONE && !by.contains(&entry.by) {
                by.push(entry.by);
            }
            if !into.contains(&entry.meaning) {
                into.push(entry.meaning);
            }
        }
        known
    }

    /// Resolves a path's first segment: in the module, the enclosing modules of a block, crates, the standard library.
    fn look(
        &self,
        module: ModuleId,
        name: Name,
        without: NodeId,
        found: &mut PathResolution,
    ) -> Vec<Resolution> {
        let mut meanings = Vec::new();
        let mut at = module;
        loop {
            let known = self.entries(at, name, without, &mut found.by, &mut meanings);
            if known && self.is_by_glob(at, name) {
                found.stopped.push(at);
            }
            let scope = &self.nodes.modules[at as usize];
            if !scope.block || scope.parent == NONE {
                break;
            }
            at = scope.parent;
        }
        if meanings.is_empty() {
            meanings = self.outside(module, name);
        }
        meanings
    }

    fn outside(&self, module: ModuleId, name: Name) -> Vec<Resolution> {
        let unit = self.nodes.modules[module as usize].unit as usize;
        let package = self.crates.units[unit].package;
        if let Some(meanings) = self.externs[package].get(&name) {
            return meanings.clone();
        }
        // `extern crate x as y` at the root defines a crate name everywhere.
        let mut meanings = Vec::new();
        let root = self.nodes.roots[unit];
        if root != NONE && root != module {
            let held = self.tables[root as usize].get(&name);
            for ScopeEntry { entry, .. } in held.into_iter().flatten() {
                let crate_item = entry.by != NONE
                    && self.nodes.nodes[entry.by as usize].kind == ItemKind::ExternCrate;
                if crate_item {
                    meanings.push(entry.meaning);
                }
            }
        }
        if meanings.is_empty() && self.standard.contains(&name) {
            meanings.push(Resolution::External);
        }
        meanings
    }

    fn root(&self, module: ModuleId) -> ModuleId {
        self.nodes.roots[self.nodes.modules[module as usize].unit as usize]
    }

    /// The module itself, outside blocks; or its parent.
    fn around(&self, module: ModuleId, parent: bool) -> ModuleId {
        let mut at = module;
        while self.nodes.modules[at as usize].block
            && self.nodes.modules[at as usize].parent != NONE
        {
            at = self.nodes.modules[at as usize].parent;
        }
        let up = self.nodes.modules[at as usize].parent;
        if !parent || up == NONE {
            at
        } else {
            self.around(up, false)
        }
    }
}
