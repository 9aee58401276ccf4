//! Which tests can reach a changed item: a graph of items over names, built from sources alone.
//!
//! In: a [`Layout`] (units and what they link), the old text of changed files, and a [`Reader`] of files.
//! Out: [`Affected`], the tests that reach a changed item, each with a chain of items that leads there. Where a rule
//! cannot decide, the selection widens and [`Affected::widened`] says so.
//!
//! ```text
//! files ─extract→ items with references ─mount→ nodes in modules ─resolve→ names ─edges→ graph ─reach→ tests per item
//! ```

pub mod cache;
pub mod edges;
pub mod expansion;
mod explain;
pub mod extract;
mod folders;
mod goals;
pub mod layout;
pub mod mount;
pub mod nodes;
pub mod reach;
mod reading;
pub mod references;
pub mod resolve;
mod select;
mod tests;
pub(super) mod words;

use rustc_hash::FxHashSet;

pub use cache::Cache;
pub use layout::{Layout, Unit, UnitId, UnitKind};
pub use mount::{Changed, Reader, Sources, Uncached};
pub use reading::Readers;
pub use select::{Affected, Selected, Widened};
pub use tests::{Class, Test, TestName};

use super::{TestKind, TestTarget};
use edges::{Builder, Edges, Hub, Order};
use extract::flag;
use goals::Read;
use nodes::{ModuleId, NodeId, Nodes, small};
use reach::{Allowed, Reached, Row, Seeds, WIDTH};
use resolve::Scopes;
use tests::{classes, documentation, tests};

/// The items of a workspace and the tests that start from them.
#[derive(Debug)]
pub struct Graph {
    /// Units and links.
    pub layout: Layout,
    /// Files and where they stand.
    pub sources: Sources,
    /// Items where they stand.
    pub nodes: Nodes,
    /// Who reaches whom.
    pub edges: Edges,
    /// Every test.
    pub tests: Vec<Test>,
    /// `use` items that may act without being named: traits, globs, names from outside.
    open_uses: FxHashSet<NodeId>,
    read: Read,
    /// Modules and the modules that bring in their names by `*`.
    globs: Vec<(ModuleId, ModuleId)>,
    /// Per node: its unit, and whether only the unit's own tests see it. Names are of no unit: of the one after the last.
    units: Vec<(u32, bool)>,
    order: Order,
    /// Tests that reach the same, but for themselves.
    pub classes: Vec<Class>,
}

impl Graph {
    /// Reads the sources and builds the graph, both versions of changed files in it. If anything changed, the graph has
    /// edges only where the change can be reached: in units that tests link which it can affect.
    #[must_use]
    pub fn build(layout: Layout, changed: &Changed, reader: &dyn Reader) -> Self {
        let sources = Sources::read(&layout, changed, reader);
        let nodes = Nodes::new(&sources, layout.units.len());
        let scopes = Scopes::new(&nodes, &layout, &sources);
        let read = Read::of(&layout, &sources, &nodes, changed);
        let relevant = goals::relevant(&layout, &sources, &nodes, &scopes, changed, &read);
        let builder = Builder::new(&nodes, &scopes, &sources, &layout, &relevant);
        let mut docs = documentation(&layout, &sources, &nodes, reader);
        let starts: Vec<_> = docs
            .iter_mut()
            .map(|doc| (std::mem::take(&mut doc.names), doc.item))
            .collect();
        let (edges, doc_nodes) = builder.build(&starts);
        let mut tests = tests(&layout, &sources, &nodes, &edges);
        tests.extend(docs.into_iter().zip(doc_nodes).map(|(doc, node)| Test {
            unit: doc.unit,
            name: TestName::Doc,
            ignored: doc.ignored,
            file: doc.file,
            line: doc.line,
            seeds: vec![node],
        }));
        let open_uses = scopes.open_uses.iter().copied().collect();
        let globs = scopes.globs.clone();
        drop(builder);
        let unit_of = |id: NodeId| {
            // What a macro's body names counts where the macro can be called.
            let body_of = || match edges.hubs.get(&id)? {
                Hub::Body(node) => nodes.nodes.get(*node as usize),
                _ => None,
            };
            let node = nodes.nodes.get(id as usize).or_else(body_of);
            node.map_or((small(layout.units.len()), false), |node| {
                (node.unit, node.flags & flag::TEST_ONLY != 0)
            })
        };
        let units = (0..small(edges.count)).map(unit_of).collect();
        let order = edges.order();
        let classes = classes(&layout, &edges, &tests, &relevant);
        Self {
            layout,
            sources,
            nodes,
            edges,
            tests,
            open_uses,
            read,
            globs,
            units,
            order,
            classes,
        }
    }

    /// The test target that holds a test.
    #[must_use]
    pub fn target(&self, test: &Test) -> TestTarget {
        let unit = &self.layout.units[test.unit];
        if test.name == TestName::Doc {
            TestTarget {
                package: unit.package,
                kind: TestKind::Doc,
            }
        } else {
            unit.target()
        }
    }

    /// Classes of tests in groups that one pass follows together: those of one package belong together, as they link the same.
    #[must_use]
    pub fn passes(&self) -> Vec<Vec<usize>> {
        let all: Vec<usize> = (0..self.classes.len()).collect();
        all.chunks(WIDTH).map(<[usize]>::to_vec).collect()
    }

    /// Everything that a group of classes reaches; only nodes that are `wanted`, if that is given.
    #[must_use]
    pub fn reached(&self, pass: &[usize], wanted: Option<&[bool]>) -> Reached {
        let mut units = vec![<(Row, Row)>::default(); self.layout.units.len()];
        let mut seeds: Seeds = Vec::new();
        for (bit, class) in pass.iter().enumerate() {
            let class = &self.classes[*class];
            for unit in &self.layout.links[class.unit] {
                let (linking, inside) = &mut units[*unit];
                linking[bit / 64] |= 1 << (bit % 64);
                if *unit == class.unit && !class.documentation {
                    inside[bit / 64] |= 1 << (bit % 64);
                }
            }
            seeds.extend(
                class
                    .starts
                    .iter()
                    .chain(&self.edges.roots)
                    .map(|start| (*start, bit)),
            );
        }
        units.push(([u64::MAX; WIDTH / 64], [u64::MAX; WIDTH / 64]));
        Reached::new(
            &self.edges,
            &seeds,
            &Allowed { units },
            &self.units,
            &self.order,
            wanted,
        )
    }
}
