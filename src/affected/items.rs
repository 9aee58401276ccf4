//! Finds the tests that can reach a changed item, in a graph of items whose edges are names. Only sources are read.
//!
//! Input: a [`CrateGraph`] (units and the units they link), the old text of changed files, and a [`Reader`] of files.
//! Output: [`Affected`](affected_tests::Affected), the tests that reach a changed item, each with the chain of items. If a
//! rule cannot decide, the selection widens and `Affected::widened` contains the reason.
//!
//! ```text
//! files ─extract→ items with references ─mount→ nodes in modules ─resolve→ names ─edges→ graph ─reach→ tests per item
//! ```

pub mod affected_tests;
pub(super) mod builtins;
mod changed_items;
pub mod crate_graph;
pub mod def_map;
pub mod edges;
pub mod expansion;
mod explain;
pub mod extract;
mod file_reads;
pub(crate) mod heads;
pub mod item_cache;
mod known_macros;
pub mod module_files;
mod module_folders;
pub mod nodes;
mod outside_crates;
pub mod outside_effects;
mod path_index;
pub mod reachability;
pub mod references;
mod scripts;
pub mod sources;
mod test_items;
mod text_files;

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

pub use crate_graph::{CrateGraph, Unit, UnitId, UnitKind};
pub(crate) use file_reads::{SCRIPT, is_script};
pub use item_cache::Cache;
pub use path_index::PathIndex;
pub use sources::{Changed, NamingList, Reader, Sources, Uncached};
pub use test_items::{TestGroup, TestItem, TestPattern};

use super::targets::{TestTarget, TestTargetKind};
use crate::workspace::source::cfg::{Build, CfgOptions, Compiled};
use crate::workspace::source::syntax::ItemKind;
use changed_items::Read;
use def_map::DefMap;
use edges::{Builder, Edges, ReversePostorder, SyntheticNode};
use extract::flag;
use file_reads::walks_only;
use nodes::{ModuleId, NodeId, Nodes, to_u32};
use reachability::{Allowed, Predecessors, Reached, Row, Starts, WIDTH, Ways, join, row_of};
use test_items::{documentation, test_groups, tests};

/// The items of a workspace and its tests.
#[derive(Debug)]
pub struct Graph {
    /// Units and links.
    pub crates: CrateGraph,
    /// Files and their positions in modules.
    pub sources: Sources,
    /// Items and their positions.
    pub nodes: Nodes,
    /// Edges between nodes.
    pub edges: Edges,
    /// Every test.
    pub tests: Vec<TestItem>,
    /// `use` items that may have an effect without being named: traits, globs, external names.
    open_uses: FxHashSet<NodeId>,
    read: Read,
    /// Modules, and the modules that import their names with `*`.
    globs: Vec<(ModuleId, ModuleId)>,
    /// The unit of each node, and whether only the unit's tests see it. Names have no unit: the index after the last.
    units: Vec<(u32, bool)>,
    order: ReversePostorder,
    /// Groups of tests that reach the same nodes, except themselves.
    pub test_groups: Vec<TestGroup>,
    /// Programs and dynamic libraries of the workspace, as tests without a name.
    pub programs: Vec<TestGroup>,
    predecessors: OnceLock<Predecessors>,
}

impl Graph {
    /// Whether the build may compile a `compile_error!`.
    #[must_use]
    pub fn may_hold_compile_error(&self) -> bool {
        let mut nodes = self.nodes.nodes.iter();
        let name = self.nodes.names.get("compile_error");
        nodes.any(|node| node.kind == ItemKind::Call && !node.before && Some(node.name) == name)
    }

    /// Reads the sources and builds the graph with both versions of changed files. After a change, the graph has edges only in units that
    /// the change can affect and that tests link.
    #[must_use]
    pub fn build(crates: CrateGraph, changed: &Changed, reader: &dyn Reader) -> Self {
        let sources = Sources::read(&crates, changed, reader);
        let mut nodes = Nodes::new(&sources, crates.units.len());
        outside_crates::add_effects(&crates, &sources, &mut nodes, reader);
        scripts::add_effects(&crates, &sources, &mut nodes);
        let scopes = DefMap::new(&nodes, &crates, &sources);
        let read = Read::of(&crates, &sources, &nodes, changed);
        let relevant = changed_items::relevant(&crates, &sources, &nodes, &scopes, changed, &read);
        let builder = Builder::new(&nodes, &scopes, &sources, &crates, &relevant);
        let mut docs = documentation(&crates, &sources, &nodes, reader);
        let starts: Vec<_> = docs
            .iter_mut()
            .map(|doc| {
                (
                    std::mem::take(&mut doc.names),
                    std::mem::take(&mut doc.items),
                )
            })
            .collect();
        let (edges, doc_nodes) = builder.build(&starts);
        let mut tests = tests(&crates, &sources, &nodes, &edges);
        tests.extend(docs.into_iter().zip(doc_nodes).map(|(doc, node)| TestItem {
            unit: doc.unit,
            name: TestPattern::Doc,
            ignored: doc.ignored,
            file: doc.file,
            line: doc.line,
            documents: doc.documents,
            embedded: doc.embedded,
            seeds: vec![node],
        }));
        let open_uses = scopes.open_uses.iter().copied().collect();
        let globs = scopes.globs.clone();
        drop(builder);
        let unit_of = |id: NodeId| {
            // Names in a macro's body count where the macro can be called.
            let body_of = || match edges.synthetic.get(&id)? {
                SyntheticNode::Generator { node, .. }
                | SyntheticNode::Registered { node, .. }
                | SyntheticNode::MacroBody(node) => nodes.nodes.get(*node as usize),
                _ => None,
            };
            let node = nodes.nodes.get(id as usize).or_else(body_of);
            node.map_or((to_u32(crates.units.len()), false), |node| {
                // A program registers code when it runs: in its own tests, or as a process.
                let registers = matches!(
                    edges.synthetic.get(&id),
                    Some(SyntheticNode::Generator { .. } | SyntheticNode::Registered { .. })
                );
                let is_program = matches!(
                    crates.units[node.unit as usize].kind,
                    UnitKind::Binary | UnitKind::Example
                );
                let own_only = node.flags & flag::TEST_ONLY != 0 || registers && is_program;
                (node.unit, own_only)
            })
        };
        let units = (0..to_u32(edges.count)).map(unit_of).collect();
        let order = edges.order();
        let test_groups = test_groups(&crates, &edges, &tests, &relevant);
        let programs = test_items::programs(&crates, &nodes, &edges, &relevant);
        Self {
            crates,
            sources,
            nodes,
            edges,
            tests,
            open_uses,
            read,
            globs,
            units,
            order,
            test_groups,
            programs,
            predecessors: OnceLock::new(),
        }
    }

    /// The edges in the other direction.
    #[must_use]
    pub fn predecessors(&self) -> &Predecessors {
        self.predecessors
            .get_or_init(|| Predecessors::of(&self.edges))
    }

    /// Forgets that items may read a changed file because they walk some folder, except in units that are kept. An item that names a path
    /// stays: a macro may embed it.
    pub(super) fn forget_walking_readers(&mut self, is_kept: impl Fn(&Unit) -> bool) {
        let (nodes, sources, units) = (&self.nodes, &self.sources, &self.crates.units);
        self.read.by.retain(|id, _| {
            let reads = &nodes.item(sources, *id).references.reads;
            !walks_only(reads) || is_kept(&units[nodes.nodes[*id as usize].unit as usize])
        });
    }

    /// Whether a program or a dynamic library of the workspace reaches each node.
    #[must_use]
    pub fn reached_by_programs(&self) -> Vec<bool> {
        let mut found = vec![false; self.edges.count];
        for pass in self.programs.chunks(WIDTH) {
            let groups: Vec<&TestGroup> = pass.iter().collect();
            let reached = self.reached_by(&groups, None);
            for (node, found) in (0..).zip(&mut found) {
                *found |= reached.row(node).iter().any(|word| *word != 0);
            }
        }
        found
    }

    /// The target of a test.
    #[must_use]
    pub fn target(&self, test: &TestItem) -> TestTarget {
        let unit = &self.crates.units[test.unit];
        if test.name == TestPattern::Doc {
            TestTarget {
                package: unit.package,
                kind: TestTargetKind::Doc,
            }
        } else {
            unit.target()
        }
    }

    /// Whether the tests of a target are built with a test, with these options.
    #[must_use]
    pub(crate) fn compiled(&self, test: &TestItem, options: &CfgOptions) -> Compiled {
        let known = |item: &NodeId| (*item as usize) < self.nodes.nodes.len();
        let item = test.seeds.first().copied().filter(known);
        item.map_or(Compiled::Perhaps, |item| {
            test_items::compiled(&self.sources, &self.nodes, item, options, Build::Test)
        })
    }

    /// Groups of test classes for one pass each. Classes of one package share a pass, because they link the same units.
    #[must_use]
    pub fn passes(&self) -> Vec<Vec<usize>> {
        let all: Vec<usize> = (0..self.test_groups.len()).collect();
        all.chunks(WIDTH).map(<[usize]>::to_vec).collect()
    }

    /// Everything that a group of classes reaches; with `wanted`, only through these nodes.
    #[must_use]
    pub fn reached(&self, pass: &[usize], wanted: Option<&[bool]>) -> Reached {
        let groups: Vec<&TestGroup> = pass.iter().map(|group| &self.test_groups[*group]).collect();
        self.reached_by(&groups, wanted)
    }

    pub(crate) fn reached_by(&self, groups: &[&TestGroup], wanted: Option<&[bool]>) -> Reached {
        let mut units = vec![<(Row, Row)>::default(); self.crates.units.len()];
        let mut starts = Starts::default();
        let mut all = Row::default();
        for (bit, class) in groups.iter().enumerate() {
            let row = row_of(bit);
            join(&mut all, &row);
            for unit in &self.crates.links[class.unit] {
                let (linking, inside) = &mut units[*unit];
                join(linking, &row);
                if *unit == class.unit && !class.documentation {
                    join(inside, &row);
                }
            }
            starts
                .seeds
                .extend(class.starts.iter().map(|node| (*node, row)));
        }
        starts
            .roots
            .extend(self.edges.roots.iter().map(|node| (*node, all)));
        units.push(([u64::MAX; WIDTH / 64], [u64::MAX; WIDTH / 64]));
        let ways = Ways {
            edges: &self.edges,
            allowed: &Allowed { units },
            units: &self.units,
            order: &self.order,
            wanted,
        };
        Reached::new(&ways, starts)
    }
}
