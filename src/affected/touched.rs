//! The items that a change touches, by position: their content differs, not only their place or comments.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashSet;

use super::coverage::source_map::Places;
use super::failed::TestNames;
use super::items::Graph;
use super::items::crate_graph::UnitKind;
use super::items::extract::flag;
use super::items::nodes::Node;
use super::selector::select_adjusted;
use crate::change::Change;
use crate::project::Project;
use crate::sys::files;
use crate::workspace::source::syntax::ItemKind;

/// The items of changed files.
#[derive(Debug, Default)]
pub struct TouchedItems {
    files: BTreeMap<Utf8PathBuf, (Places, FxHashSet<usize>)>,
    /// The files with a touched function of a library or a program, not of its tests.
    pub code: BTreeSet<Utf8PathBuf>,
}

impl TouchedItems {
    /// The items of a project that `change` touches.
    ///
    /// # Errors
    /// When git fails, or a file cannot be read.
    pub fn of(project: &Project, change: &Change) -> Result<Self> {
        let mut items: BTreeMap<Utf8PathBuf, FxHashSet<usize>> = BTreeMap::new();
        let mut code = BTreeSet::new();
        select_adjusted(project, change, true, &TestNames::new(), &mut |graph, _| {
            let changed = graph.nodes.nodes.iter();
            for node in changed.filter(|node| node.changed && !node.before) {
                // A node of a name has no file.
                if let Some(file) = graph.sources.files.get(node.file as usize) {
                    let of_file = items.entry(file.path.clone()).or_default();
                    of_file.insert(node.item as usize);
                    if is_code(graph, node) {
                        code.insert(file.path.clone());
                    }
                }
            }
        })?;
        let mut touched = Self {
            code,
            ..Self::default()
        };
        for (path, items) in items {
            if let Some(places) = files::text(&path).and_then(|text| Places::of(&text)) {
                touched.files.insert(path, (places, items));
            }
        }
        Ok(touched)
    }

    /// Whether the innermost item at a line and a column of a file is touched, or the file cannot be parsed. Both count from 1, columns in bytes.
    #[must_use]
    pub fn contains(&self, path: &Utf8Path, line: u32, column: u32) -> bool {
        let Some((places, items)) = self.files.get(path) else {
            return false;
        };
        let found = places.item(line, column);
        found.is_none_or(|found| items.contains(&found.index))
    }
}

/// Whether a node is a function of a library or a program, and not only of its tests.
fn is_code(graph: &Graph, node: &Node) -> bool {
    let for_tests = flag::TEST | flag::TEST_PREFIX | flag::TEST_ONLY;
    let unit = graph.crates.units.get(node.unit as usize);
    let kind = unit.map(|unit| unit.kind);
    node.kind == ItemKind::Fn
        && node.flags & for_tests == 0
        && matches!(kind, Some(UnitKind::Library | UnitKind::Binary))
}
