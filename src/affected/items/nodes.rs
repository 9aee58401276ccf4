//! Creates nodes and modules from mounted files: every item once per position, in both versions of changed files.

use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::UnitId;
use super::extract::{Detail, Digest, FileItems, Item, flag};
use super::sources::{FileId, Sources};
use crate::workspace::source::lex::is_keyword;
use crate::workspace::source::syntax::{ItemKind, TOP};

/// A name, the same in all files.
pub type Name = u32;
/// A node, as its index into [`Nodes::nodes`].
pub type NodeId = u32;
/// A module, as its index into [`Nodes::modules`].
pub type ModuleId = u32;
/// No node, no module.
pub const NONE: u32 = u32::MAX;

/// The names of all files.
#[derive(Debug, Default)]
pub struct Names {
    by_text: FxHashMap<Box<str>, Name>,
    /// The texts, by name.
    pub texts: Vec<Box<str>>,
}

impl Names {
    /// The name of a text, created if needed.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.by_text.get(text) {
            return *name;
        }
        let name = u32::try_from(self.texts.len()).unwrap_or(NONE);
        self.texts.push(text.into());
        self.by_text.insert(text.into(), name);
        name
    }

    /// The existing name of a text.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<Name> {
        self.by_text.get(text).copied()
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        self.texts.get(name as usize).map_or("", |text| text)
    }
}

/// An item at a position.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its unit.
    pub unit: u32,
    /// Its file.
    pub file: u32,
    /// Its index in the file.
    pub item: u32,
    /// Whether it belongs to the old version of the file.
    pub before: bool,
    /// Whether it was changed, added, or removed.
    pub changed: bool,
    /// Its parent: an `impl`, trait, macro call, function or module.
    pub owner: NodeId,
    /// The macro call whose expansion contains it, or [`NONE`].
    pub call: NodeId,
    /// The module for lookup of names in it: a function's block if its body contains items.
    pub scope: ModuleId,
    /// The module that contains it.
    pub module: ModuleId,
    /// Its name, if it has one.
    pub name: Name,
    /// Its kind.
    pub kind: ItemKind,
    /// Its flags, see [`super::extract::flag`].
    pub flags: u32,
}

impl Node {
    /// Whether it is a test, or an attribute or macro may make it one.
    pub(crate) fn is_test(&self) -> bool {
        self.flags & (flag::TEST | flag::TEST_PREFIX) != 0
    }

    /// Whether it is a test whatever its attributes expand to.
    pub(crate) fn is_certainly_test(&self) -> bool {
        self.is_test() && self.flags & flag::PERHAPS_TEST == 0
    }
}

/// A module, or the block of a function whose body contains items.
#[derive(Debug)]
pub struct Module {
    /// Its unit.
    pub unit: u32,
    /// The parent module, or [`NONE`] for a root.
    pub parent: ModuleId,
    /// Its name; none for roots and blocks.
    pub name: Name,
    /// Whether it is only compiled for the unit's own tests.
    pub test_only: bool,
    /// The nearest module behind a `cfg`, including itself, or [`NONE`].
    pub conditional: ModuleId,
    /// Whether it is the body of a function: names that are not found in it are looked up in its parent.
    pub block: bool,
    /// The `mod` item, or the function.
    pub node: NodeId,
}

/// All nodes and modules.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the nodes are all nodes")]
pub struct Nodes {
    /// Every item at each of its positions.
    pub nodes: Vec<Node>,
    /// Every module.
    pub modules: Vec<Module>,
    /// The root module of each unit, or [`NONE`] if the root file cannot be read.
    pub roots: Vec<ModuleId>,
    /// All names.
    pub names: Names,
    /// The names of each file's symbols, in the current and the old version.
    symbols: Vec<[Vec<Name>; 2]>,
    /// Files that cannot be parsed, with the units that mount them and whether they changed.
    pub unread: Vec<(FileId, UnitId, bool)>,
    /// Units with a change outside items: crate attributes.
    pub whole_units: Vec<(FileId, UnitId)>,
    /// Items that embed files.
    pub embedding: Vec<NodeId>,
    /// Items that may read files when they run.
    pub reading: Vec<NodeId>,
    /// Unchanged items of changed files with another position or layout.
    moved: Vec<NodeId>,
    /// The nodes of the current items of each mount's file.
    pub mounted: Vec<Vec<NodeId>>,
}

impl Nodes {
    /// The item of a node.
    #[must_use]
    pub fn item<'s>(&self, sources: &'s Sources, node: NodeId) -> &'s Item {
        static EMPTY: std::sync::OnceLock<FileItems> = std::sync::OnceLock::new();
        let node = &self.nodes[node as usize];
        let file = &sources.files[node.file as usize];
        &file
            .items(node.before)
            .unwrap_or_else(|| EMPTY.get_or_init(FileItems::default))
            .items[node.item as usize]
    }

    /// The names of the symbols of a node's file.
    #[must_use]
    pub fn symbols(&self, node: NodeId) -> &[Name] {
        let node = &self.nodes[node as usize];
        &self.symbols[node.file as usize][usize::from(node.before)]
    }

    /// The names of the symbols of a file's current version.
    #[must_use]
    pub fn file_symbols(&self, file: FileId) -> &[Name] {
        &self.symbols[file][0]
    }

    /// A module and its parents, the root last.
    pub fn around(&self, module: ModuleId) -> impl Iterator<Item = ModuleId> {
        let known = |module: ModuleId| (module != NONE).then_some(module);
        std::iter::successors(known(module), move |module| {
            known(self.modules[*module as usize].parent)
        })
    }

    /// The parents of a node, from the inside out.
    pub fn owners(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let owner = |node: NodeId| {
            let owner = self.nodes[node as usize].owner;
            (owner != NONE).then_some(owner)
        };
        std::iter::successors(owner(node), move |node| owner(*node))
    }

    /// The call in a file whose expansion contains a node at any depth; `None` for a node of a file.
    #[must_use]
    pub fn expanded_from(&self, node: NodeId) -> Option<NodeId> {
        let call = |node: NodeId| {
            let call = self.nodes[node as usize].call;
            (call != NONE).then_some(call)
        };
        std::iter::successors(call(node), |node| call(*node)).last()
    }

    /// Path of a module within its unit, `a::b`, without blocks.
    #[must_use]
    pub fn module_path(&self, module: ModuleId) -> String {
        let around = self.around(module);
        let names = around.map(|module| self.modules[module as usize].name);
        let names = names.filter(|name| *name != NONE);
        let mut parts: Vec<String> = names.map(|name| self.written_name(name)).collect();
        parts.reverse();
        parts.join("::")
    }

    /// A name as written in code: `r#type`.
    #[must_use]
    pub fn written_name(&self, name: Name) -> String {
        let text = self.names.text(name);
        if is_keyword(text) {
            format!("r#{text}")
        } else {
            text.to_owned()
        }
    }

    /// Builds nodes and modules from the mounted files.
    #[must_use]
    pub fn new(sources: &Sources, units: usize) -> Self {
        let mut nodes = Self {
            roots: vec![NONE; units],
            ..Self::default()
        };
        for file in &sources.files {
            let mut symbols = [Vec::new(), Vec::new()];
            for (symbols, items) in symbols.iter_mut().zip([&file.now, &file.before]) {
                *symbols = items
                    .iter()
                    .flat_map(|items| items.symbols.iter())
                    .map(|text| nodes.names.name(text))
                    .collect();
            }
            nodes.symbols.push(symbols);
        }
        let mut placed: Vec<[Vec<NodeId>; 2]> = Vec::with_capacity(sources.mounts.len());
        // For expansions, whether it is the old expansion of a call.
        let mut expansions: Vec<Option<bool>> = Vec::with_capacity(sources.mounts.len());
        let mut inner_modules: FxHashMap<NodeId, ModuleId> = FxHashMap::default();
        for mount in &sources.mounts {
            let module = match mount.declared {
                None => {
                    let module = nodes.module(mount.unit, NONE, NONE, false, NONE);
                    nodes.roots[mount.unit] = module;
                    module
                }
                Some(declared) => {
                    let node = placed[declared.mount][usize::from(declared.before)]
                        [declared.item as usize];
                    if declared.include {
                        nodes.nodes[node as usize].module
                    } else {
                        inner_modules.get(&node).copied().unwrap_or(NONE)
                    }
                }
            };
            let mut owner = NONE;
            let mut call = NONE;
            if sources.files[mount.file].expansion.is_some()
                && let Some(declared) = mount.declared
            {
                call = placed[declared.mount][usize::from(declared.before)][declared.item as usize];
                nodes.nodes[call as usize].flags |= flag::EXPANDED | flag::TRANSPARENT;
                let around = nodes.nodes[call as usize].owner;
                let holder = nodes.nodes.get(around as usize).map(|holder| holder.kind);
                let member = matches!(holder, Some(ItemKind::Impl | ItemKind::Trait));
                owner = if member { around } else { call };
            }
            let mut add = Add {
                nodes: &mut nodes,
                inner: &mut inner_modules,
                unit: mount.unit,
                file: mount.file,
                module,
                owner,
                call,
            };
            let both = add.file(sources);
            let declared = mount.declared.filter(|_| call != NONE);
            let before = declared
                .map(|declared| declared.before || expansions[declared.mount].unwrap_or_default());
            expansions.push(before);
            nodes.mounted.push(both[0].clone());
            placed.push(both);
        }
        nodes.same_in_expansions(sources, &expansions);
        nodes.change_by_position(sources);
        nodes
    }

    /// Unmarks items that are equal in the old and the new expansion of a changed call.
    fn same_in_expansions(&mut self, sources: &Sources, expansions: &[Option<bool>]) {
        let changed = |before: bool| {
            let mounts = expansions.iter().zip(&self.mounted);
            let nodes = mounts.filter(move |(expanded, _)| **expanded == Some(before));
            let ids = nodes.flat_map(|(_, nodes)| nodes.iter().copied());
            ids.filter(|id| self.nodes[*id as usize].changed)
        };
        let standing = |id: NodeId| {
            let call = &self.nodes[self.expanded_from(id)? as usize];
            let item = self.item(sources, id);
            let within = self.module_path(self.nodes[id as usize].module);
            let call = (call.unit, call.file, call.owner, call.module, call.name);
            Some((call, within, item.key, item.hash))
        };
        let mut old: FxHashMap<_, Vec<NodeId>> = FxHashMap::default();
        for id in changed(true) {
            old.entry(standing(id)).or_default().push(id);
        }
        let mut same = Vec::new();
        for id in changed(false) {
            let other = old.get_mut(&standing(id)).and_then(Vec::pop);
            same.extend(other.map(|other| [id, other]));
        }
        for id in same.into_iter().flatten() {
            self.nodes[id as usize].changed = false;
        }
    }

    /// Marks moved items as changed that can see their position: by `line!` and `Location::caller`, directly or in macros and functions that they
    /// call.
    fn change_by_position(&mut self, sources: &Sources) {
        if self.moved.is_empty() {
            return;
        }
        let ids = || 0..to_u32(self.nodes.len());
        let flags = |id: NodeId| self.nodes[id as usize].flags;
        let reads_caller = ids().any(|id| flags(id) & flag::READS_CALLER != 0);
        let sees = |id: NodeId| match self.nodes[id as usize].kind {
            ItemKind::Macro => flags(id) & flag::POSITION != 0,
            _ => reads_caller && flags(id) & flag::TRACK_CALLER != 0,
        };
        let name = |id: NodeId| self.nodes[id as usize].name;
        let mut names: FxHashSet<Name> = ids().filter(|id| sees(*id)).map(name).collect();
        loop {
            let macros = ids().filter(|id| self.nodes[*id as usize].kind == ItemKind::Macro);
            let more = macros.filter(|id| !names.contains(&name(*id)));
            let more: Vec<NodeId> = more
                .filter(|id| self.refers_to(sources, *id, &names))
                .collect();
            if more.is_empty() {
                break;
            }
            names.extend(more.into_iter().map(name));
        }
        let moved: FxHashSet<NodeId> = self.moved.iter().copied().collect();
        let expanded = ids().filter(|id| {
            let call = self.expanded_from(*id);
            call.is_some_and(|call| moved.contains(&call))
        });
        let all = moved.iter().copied().chain(expanded);
        let changed: Vec<NodeId> = all
            .filter(|id| flags(*id) & flag::POSITION != 0 || self.refers_to(sources, *id, &names))
            .collect();
        for id in changed {
            self.nodes[id as usize].changed = true;
        }
    }

    /// Whether an item refers to one of these names.
    #[must_use]
    pub fn refers_to(&self, sources: &Sources, id: NodeId, names: &FxHashSet<Name>) -> bool {
        !names.is_empty() && self.names_in(sources, id).any(|name| names.contains(&name))
    }

    /// The names of what an item refers to: the last of each path.
    pub fn names_in<'n>(
        &'n self,
        sources: &'n Sources,
        id: NodeId,
    ) -> impl Iterator<Item = Name> + 'n {
        let symbols = self.symbols(id);
        let references = &self.item(sources, id).references;
        let lists = [
            references.methods(),
            references.members(),
            references.trait_members(),
            references.macros(),
            references.unresolved(),
        ];
        let path_ends = references.paths().filter_map(|path| path.last());
        let all = lists.into_iter().flatten().chain(path_ends);
        all.map(|symbol| symbols[*symbol as usize])
    }

    /// The names in what an item refers to: each part of a path, and the paths of a `use`.
    pub fn all_names_in<'n>(
        &'n self,
        sources: &'n Sources,
        id: NodeId,
    ) -> impl Iterator<Item = Name> + 'n {
        let symbols = self.symbols(id);
        let item = self.item(sources, id);
        let references = &item.references;
        let used: &[u32] = match &item.detail {
            Detail::Use { path, .. } => path,
            _ => &[],
        };
        let paths = references.paths().chain(references.type_refs()).flatten();
        let words = [references.macros(), references.unresolved(), used];
        let all = paths.chain(words.into_iter().flatten());
        all.map(|symbol| symbols[*symbol as usize])
    }

    fn module(
        &mut self,
        unit: UnitId,
        parent: ModuleId,
        name: Name,
        block: bool,
        node: NodeId,
    ) -> ModuleId {
        let test_only = self
            .modules
            .get(parent as usize)
            .is_some_and(|parent| parent.test_only)
            || self
                .nodes
                .get(node as usize)
                .is_some_and(|node| node.flags & flag::TEST_ONLY != 0);
        let own = self.nodes.get(node as usize);
        let own = own.is_some_and(|node| node.flags & flag::CONDITIONAL != 0);
        let around = self.modules.get(parent as usize);
        let conditional = if own {
            to_u32(self.modules.len())
        } else {
            around.map_or(NONE, |parent| parent.conditional)
        };
        self.modules.push(Module {
            unit: to_u32(unit),
            conditional,
            parent,
            name,
            test_only,
            block,
            node,
        });
        to_u32(self.modules.len() - 1)
    }
}

struct Add<'n> {
    nodes: &'n mut Nodes,
    inner: &'n mut FxHashMap<NodeId, ModuleId>,
    unit: UnitId,
    file: FileId,
    module: ModuleId,
    /// The call whose expansion is the file.
    owner: NodeId,
    call: NodeId,
}

impl Add<'_> {
    fn file(&mut self, sources: &Sources) -> [Vec<NodeId>; 2] {
        let file = &sources.files[self.file];
        for items in [&file.now, &file.before].into_iter().flatten() {
            if items.problem.is_some() {
                self.nodes.unread.push((self.file, self.unit, file.changed));
            }
            if items.conditional
                && let Some(module) = self.nodes.modules.get_mut(self.module as usize)
            {
                module.conditional = self.module;
            }
        }
        if let (Some(now), Some(before)) = (&file.now, &file.before)
            && now.inner != before.inner
        {
            self.nodes.whole_units.push((self.file, self.unit));
        }
        let now = file.now.as_ref().map_or(Vec::new(), |items| {
            self.items(items, false, file.changed, None)
        });
        let before = file.before.as_ref().map_or(Vec::new(), |items| {
            let matched = self.matching(file.now.as_deref(), items, &now);
            self.items(items, true, true, Some(&matched))
        });
        [now, before]
    }

    /// Matches each old item with the node of the same current item, which then counts as unchanged.
    fn matching(
        &mut self,
        now: Option<&FileItems>,
        before: &FileItems,
        placed: &[NodeId],
    ) -> Vec<NodeId> {
        let mut by_content: FxHashMap<(Digest, Digest), Vec<NodeId>> = FxHashMap::default();
        let items = now.map_or(&[][..], |now| &now.items);
        for (item, node) in items.iter().zip(placed).rev() {
            by_content
                .entry((item.key, item.hash))
                .or_default()
                .push(*node);
        }
        let same = before.items.iter().map(|item| {
            let node = by_content
                .get_mut(&(item.key, item.hash))
                .and_then(Vec::pop)
                .unwrap_or(NONE);
            if node != NONE {
                self.nodes.nodes[node as usize].changed = false;
                let now = &items[self.nodes.nodes[node as usize].item as usize];
                if now.position != item.position {
                    self.nodes.moved.push(node);
                }
            }
            node
        });
        let same: Vec<NodeId> = same.collect();
        self.reordered(before, &same);
        same
    }

    /// `macro_rules!` macros are visible to the items after them: one that now precedes other users has changed.
    fn reordered(&mut self, before: &FileItems, same: &[NodeId]) {
        let place = |node: NodeId, nodes: &Nodes| nodes.nodes[node as usize].item as usize;
        let mut changed = Vec::new();
        for (at, item) in before.items.iter().enumerate() {
            let (Some(name), node) = (item.name, same[at]) else {
                continue;
            };
            if item.kind != ItemKind::Macro || node == NONE {
                continue;
            }
            let now = place(node, self.nodes);
            let moved = before.items.iter().enumerate().any(|(other_at, other)| {
                let other_node = same[other_at];
                let references = &other.references;
                let uses = other.kind == ItemKind::Mod
                    || references.macros().contains(&name)
                    || references.unresolved().contains(&name);
                let was_above = other_at < at;
                let is_above = other_node != NONE && place(other_node, self.nodes) < now;
                other_node != NONE && other_at != at && uses && was_above != is_above
            });
            if moved {
                changed.push(node);
            }
        }
        for node in changed {
            self.nodes.nodes[node as usize].changed = true;
        }
    }

    fn items(
        &mut self,
        items: &FileItems,
        before: bool,
        changed: bool,
        matched: Option<&[NodeId]>,
    ) -> Vec<NodeId> {
        let mut placed: Vec<NodeId> = Vec::with_capacity(items.items.len());
        for (index, item) in items.items.iter().enumerate() {
            if let Some(node) = matched
                .map(|matched| matched[index])
                .filter(|node| *node != NONE)
            {
                placed.push(node);
                continue;
            }
            let owner = if item.parent == TOP {
                self.owner
            } else {
                placed[item.parent as usize]
            };
            let module = if item.parent == TOP {
                self.module
            } else {
                self.around(owner)
            };
            let around = self
                .nodes
                .modules
                .get(module as usize)
                .is_some_and(|module| module.test_only);
            let held = self
                .nodes
                .nodes
                .get(owner as usize)
                .map_or(0, |owner| owner.flags);
            let inherited = if around {
                flag::TEST_ONLY
            } else {
                held & flag::TEST_ONLY
            };
            let node = to_u32(self.nodes.nodes.len());
            let symbols = &self.nodes.symbols[self.file][usize::from(before)];
            let name = item.name.map_or(NONE, |name| symbols[name as usize]);
            self.nodes.nodes.push(Node {
                unit: to_u32(self.unit),
                file: to_u32(self.file),
                item: to_u32(index),
                before,
                changed: changed || self.call_changed(),
                owner,
                call: self.call,
                scope: module,
                module,
                name,
                kind: item.kind,
                flags: item.flags | inherited,
            });
            if !item.references.files.is_empty() {
                self.nodes.embedding.push(node);
            }
            if !item.references.reads.is_empty() {
                self.nodes.reading.push(node);
            }
            if item.kind == ItemKind::Mod {
                let inner = self.nodes.module(self.unit, module, name, false, node);
                self.inner.insert(node, inner);
            }
            placed.push(node);
        }
        placed
    }

    /// The items in the expansion of a changed call count as changed.
    fn call_changed(&self) -> bool {
        self.nodes
            .nodes
            .get(self.call as usize)
            .is_some_and(|call| call.changed)
    }

    /// The module of a node's children.
    fn around(&mut self, owner: NodeId) -> ModuleId {
        if owner == NONE {
            return self.module;
        }
        if let Some(inner) = self.inner.get(&owner) {
            return *inner;
        }
        let (kind, module) = {
            let node = &self.nodes.nodes[owner as usize];
            (node.kind, node.module)
        };
        if !matches!(kind, ItemKind::Fn | ItemKind::Const | ItemKind::Static) {
            return module;
        }
        let block = self.nodes.module(self.unit, module, NONE, true, owner);
        self.inner.insert(owner, block);
        self.nodes.nodes[owner as usize].scope = block;
        block
    }
}

/// The name that a procedural macro adds to its module.
#[must_use]
pub fn proc_macro_name(item: &Item, symbols: &[Name]) -> Option<Name> {
    match &item.detail {
        Detail::ProcMacro(name) => Some(symbols[*name as usize]),
        _ => None,
    }
}

/// Indexes are below 2³²: there are fewer items than bytes, and files of 4 GiB are rejected.
#[expect(
    clippy::cast_possible_truncation,
    reason = "fewer items than bytes of source"
)]
#[must_use]
pub fn to_u32(index: usize) -> u32 {
    index as u32
}
