//! Creates nodes and modules from mounted files: every item once per position, in both versions of changed files.

mod build;

use rustc_hash::{FxHashMap, FxHashSet};

use super::crate_graph::UnitId;
use super::extract::{Detail, FileItems, Item, flag};
use super::sources::{FileId, Sources};
use crate::workspace::source::keywords::is_keyword;
use crate::workspace::source::syntax::ItemKind;

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
