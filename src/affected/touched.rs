//! The items that a change touches, by position: their content differs, not only their place or comments.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

use super::coverage::source_map::Places;
use super::failed::TestNames;
use super::items::Graph;
use super::items::crate_graph::UnitKind;
use super::items::extract::{Digest, flag};
use super::items::nodes::{Node, NodeId, to_u32};
use super::selector::select_adjusted;
use crate::change::Change;
use crate::project::Project;
use crate::sys::files;
use crate::workspace::source::syntax::ItemKind;

/// The items of changed files.
#[derive(Debug, Default)]
pub struct TouchedItems {
    /// The compiled items of each changed file that the change does not touch, by key and hash.
    untouched: BTreeMap<Utf8PathBuf, (Places, FxHashSet<ItemId>)>,
    /// The files with a touched function of a library, a program or a build script, not of its tests.
    pub code: BTreeSet<Utf8PathBuf>,
    /// The places of touched macros, of their calls outside of functions, and of functions in these calls: files with lines.
    pub macros: BTreeSet<(Utf8PathBuf, u32)>,
}

/// The key and the hash of an item. Its index differs if the configuration does not compile all items of its file.
type ItemId = (Digest, Digest);

impl TouchedItems {
    /// The items of a project that `change` touches.
    ///
    /// # Errors
    /// When git fails, or a file cannot be read.
    pub fn of(project: &Project, change: &Change) -> Result<Self> {
        let mut touched = Self::default();
        let mut items: BTreeMap<Utf8PathBuf, [FxHashSet<ItemId>; 2]> = BTreeMap::new();
        select_adjusted(project, change, true, &TestNames::new(), &mut |graph, _| {
            for (id, node) in graph.nodes.nodes.iter().enumerate() {
                // A node of a name has no file.
                let Some(file) = graph.sources.files.get(node.file as usize) else {
                    continue;
                };
                if node.before || !file.changed || file.expansion.is_some() {
                    continue;
                }
                let item = graph.nodes.item(&graph.sources, to_u32(id));
                let of_file = items.entry(file.path.clone()).or_default();
                of_file[usize::from(node.changed)].insert((item.key, item.hash));
                if node.changed && is_code(graph, node) {
                    touched.add(graph, to_u32(id), &file.path);
                }
            }
        })?;
        for (path, [mut untouched, changed]) in items {
            if let Some(places) = files::text(&path).and_then(|text| Places::of(&text)) {
                // Another unit may mount the same file.
                untouched.retain(|item| !changed.contains(item));
                touched.untouched.insert(path, (places, untouched));
            }
        }
        Ok(touched)
    }

    fn add(&mut self, graph: &Graph, id: NodeId, path: &Utf8Path) {
        let item = graph.nodes.item(&graph.sources, id);
        let in_call = || {
            let mut owners = graph.nodes.owners(id);
            owners.any(|owner| graph.nodes.nodes[owner as usize].kind == ItemKind::Call)
        };
        let is_macro = match item.kind {
            ItemKind::Fn => in_call(),
            ItemKind::Macro => true,
            // The items of a transparent call are touched by themselves, and those of an included file too.
            ItemKind::Call => {
                let nodes = &graph.nodes;
                let name = nodes.names.text(nodes.nodes[id as usize].name);
                let mask = flag::TRANSPARENT | flag::HOLDS_TEST;
                item.flags & mask == 0 && name != "include"
            }
            _ => return,
        };
        if is_macro {
            self.macros.insert((path.to_owned(), item.line));
        } else if item.kind == ItemKind::Fn {
            self.code.insert(path.to_owned());
        }
    }

    /// Whether the innermost item at a line and a column of a file is touched, or that is not known, for example because the configuration
    /// does not compile it. Both count from 1, columns in bytes.
    #[must_use]
    pub fn contains(&self, path: &Utf8Path, line: u32, column: u32) -> bool {
        let Some((places, untouched)) = self.untouched.get(path) else {
            return true;
        };
        let found = places.item(line, column);
        found.is_none_or(|found| !untouched.contains(&(found.key, found.hash)))
    }
}

/// Whether a node belongs to a library, a program or a build script, and not only to its tests.
fn is_code(graph: &Graph, node: &Node) -> bool {
    let for_tests = flag::TEST | flag::TEST_PREFIX | flag::TEST_ONLY;
    let unit = graph.crates.units.get(node.unit as usize);
    let kind = unit.map(|unit| unit.kind);
    let kinds = [UnitKind::Library, UnitKind::Binary, UnitKind::BuildScript];
    node.flags & for_tests == 0 && kind.is_some_and(|kind| kinds.contains(&kind))
}
