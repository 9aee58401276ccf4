//! Items whose expansion is unknown, and data about the code that they may generate.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::affected::items::crate_graph::UnitId;
use crate::affected::items::known_macros::Expansion;
use crate::affected::items::nodes::{ModuleId, Name, NodeId};

/// A node whose expansion is unknown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generator {
    /// The attribute, derive or macro.
    pub(super) by: Name,
    /// Whether it may register code, so that it is live without being named.
    pub(super) registers: bool,
    /// Whether it may define tests.
    pub(super) defines_tests: bool,
}

/// Data about generated code, collected before edges are built.
#[derive(Default)]
pub(super) struct GeneratedCode {
    pub(super) generators: FxHashMap<NodeId, Generator>,
    /// Generators by their module.
    pub(super) by_module: FxHashMap<ModuleId, Vec<NodeId>>,
    /// The names that fragments can compose, once a fragment asks for them.
    pub(super) words: OnceLock<Words>,
    /// Macros whose bodies compose names, or call unknown macros.
    pub(super) expansions: FxHashMap<NodeId, Expansion>,
    /// Macros whose bodies may register code.
    pub(super) registering_macros: FxHashSet<NodeId>,
    /// Units whose package has a build script that generates an implementation or a registration.
    pub(super) written_impls: FxHashSet<UnitId>,
    pub(super) written_roots: FxHashSet<UnitId>,
    /// Units whose code generates a registration.
    pub(super) registering: FxHashSet<UnitId>,
    /// Procedural macros: other units can name only their macros.
    pub(super) proc_macros: FxHashSet<UnitId>,
    /// The macros of theirs that take names from files.
    pub(super) opaque: FxHashSet<NodeId>,
    /// The macros of theirs that may define tests.
    pub(super) test_macros: FxHashSet<NodeId>,
    /// The names in text that their macros may make code of.
    pub(super) text_names: FxHashMap<NodeId, Vec<Name>>,
    /// Items with calls in their bodies that may register code, each with the name of the first such macro.
    pub(super) in_bodies: Vec<(NodeId, Name)>,
    /// Per unit, the items that code of other units can name.
    pub(super) items_of_unit: Vec<Vec<NodeId>>,
}

/// The names of the workspace by their words.
#[derive(Default)]
pub(super) struct Words {
    pub(super) by_word: FxHashMap<String, Vec<Name>>,
    /// Names in lower case without `_`, for fragments that are not whole words.
    pub(super) joined: Vec<(String, Name)>,
}
