//! Builds the nodes and modules of the files in units, and marks those that changed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Module, ModuleId, NONE, Name, Node, NodeId, Nodes, to_u32};
use crate::affected::items::crate_graph::UnitId;
use crate::affected::items::extract::{Digest, FileItems, flag};
use crate::affected::items::sources::{FileId, Sources};
use crate::workspace::source::syntax::{ItemKind, TOP};

impl Nodes {
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
