//! Tests whose coverage does not prove that they did not execute a changed function.
//!
//! A process that is started without its environment, or was built elsewhere, leaves no profile. A function that reads environment
//! variables may behave differently if any variable differs from the collection. What such a process or function can reach according
//! to the sources may have been executed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::body_changes::BodyChanges;
use super::environment::AllVariables;
use super::store::Store;
use crate::affected::items::extract::{Digest, flag};
use crate::affected::items::nodes::{NONE, NodeId};
use crate::affected::items::reachability::WIDTH;
use crate::affected::items::{Graph, TestGroup, TestPattern, UnitKind};
use crate::workspace::Workspace;
use crate::workspace::source::syntax::ItemKind;

/// Tests that may have executed a changed function without a profile.
#[derive(Default)]
pub(super) struct Unproven {
    /// Indexes into [`Store::tests`].
    pub(super) tests: FxHashSet<usize>,
    /// The variable because of which there are more of them, in words.
    pub(super) variable: Option<String>,
}

impl Unproven {
    pub(super) fn of(
        workspace: &Workspace,
        graph: &Graph,
        store: &Store,
        bodies: &BodyChanges,
    ) -> Self {
        if bodies.nodes.is_empty() {
            return Self::default();
        }
        let finder = Finder {
            workspace,
            graph,
            store,
            items: items(workspace, graph, store),
        };
        let mut tests = finder.by_process(&bodies.nodes);
        let mut variable = store.all_variables.difference(&AllVariables::now());
        if variable.is_some() {
            let before = tests.len();
            tests.extend(finder.by_environment(&bodies.nodes));
            variable = variable.filter(|_| tests.len() > before);
        }
        Self { tests, variable }
    }
}

struct Finder<'a> {
    workspace: &'a Workspace,
    graph: &'a Graph,
    store: &'a Store,
    /// The item of the store that each node represents.
    items: FxHashMap<NodeId, u32>,
}

/// The store's item for each node whose function has not changed since coverage was collected, or for its old version.
fn items(workspace: &Workspace, graph: &Graph, store: &Store) -> FxHashMap<NodeId, u32> {
    let mut known: FxHashMap<(&str, Digest, Digest), u32> = FxHashMap::default();
    for (index, item) in (0..).zip(&store.items) {
        let file = store.files[item.file as usize].as_str();
        known.insert((file, item.key, item.hash), index);
    }
    let paths: Vec<String> = graph
        .sources
        .files
        .iter()
        .map(|file| workspace.slashed(&file.path))
        .collect();
    let mut found = FxHashMap::default();
    for (id, node) in (0..).zip(&graph.nodes.nodes) {
        if node.kind != ItemKind::Fn {
            continue;
        }
        let item = graph.nodes.item(&graph.sources, id);
        let place = (paths[node.file as usize].as_str(), item.key, item.hash);
        if let Some(index) = known.get(&place) {
            found.insert(id, *index);
        }
    }
    found
}

/// A program or dynamic library that reaches a changed function.
struct Program {
    unit: usize,
    /// Items of which one runs in every process of it; empty if they are unknown.
    entries: FxHashSet<u32>,
}

impl Finder<'_> {
    /// Tests that executed a function which reads environment variables and reaches a changed one.
    fn by_environment(&self, changed: &[NodeId]) -> FxHashSet<usize> {
        let mut readers: Vec<(u32, TestGroup)> = Vec::new();
        for (id, node) in (0..).zip(&self.graph.nodes.nodes) {
            let Some(item) = self.items.get(&id) else {
                continue;
            };
            if node.flags & flag::READS_ENVIRONMENT != 0 && !changed.contains(&id) {
                readers.push((*item, self.group(node.unit as usize, id)));
            }
        }
        let groups: Vec<&TestGroup> = readers.iter().map(|(_, group)| group).collect();
        let reaching = self.reaching(&groups, changed);
        let reaching: FxHashSet<u32> = reaching.into_iter().map(|at| readers[at].0).collect();
        let tests = self.store.with_coverage();
        tests
            .filter(|(_, ran)| ran.iter().any(|item| reaching.contains(item)))
            .map(|(test, _)| test)
            .collect()
    }

    /// Tests that may start a program which reaches a changed function, and left no profile of it.
    fn by_process(&self, changed: &[NodeId]) -> FxHashSet<usize> {
        let graph = self.graph;
        let groups: Vec<&TestGroup> = graph.programs.iter().collect();
        let programs: Vec<Program> = self
            .reaching(&groups, changed)
            .into_iter()
            .map(|at| self.program(graph.programs[at].unit))
            .collect();
        let mut found = FxHashSet::default();
        if programs.is_empty() {
            return found;
        }
        let store_tests = self.listed();
        for pass in graph.passes() {
            let reached = graph.reached(&pass, None);
            for (bit, group) in pass.iter().enumerate() {
                let group = &graph.test_groups[*group];
                let starts = reached.reaches(bit, graph.edges.spawn);
                let starts_any = reached.reaches(bit, graph.edges.any_program);
                if !starts && !starts_any {
                    continue;
                }
                let links = &graph.crates.links[group.unit];
                let may_start = |program: &&Program| starts_any || links.contains(&program.unit);
                let startable: Vec<&Program> = programs.iter().filter(may_start).collect();
                let tests = group.tests.iter().filter_map(|test| store_tests.get(test));
                for listed in tests.flatten() {
                    let Ok(ran) = &self.store.tests[*listed].ran else {
                        continue;
                    };
                    let left =
                        |program: &&Program| ran.iter().any(|item| program.entries.contains(item));
                    if !startable.iter().all(left) {
                        found.insert(*listed);
                    }
                }
            }
        }
        found
    }

    fn group(&self, unit: usize, node: NodeId) -> TestGroup {
        TestGroup {
            unit,
            documentation: false,
            starts: self.graph.edges.of(node).to_vec(),
            tests: Vec::new(),
        }
    }

    /// The groups that reach one of these nodes.
    fn reaching(&self, groups: &[&TestGroup], nodes: &[NodeId]) -> Vec<usize> {
        let mut found = Vec::new();
        for (pass, chunk) in groups.chunks(WIDTH).enumerate() {
            let reached = self.graph.reached_by(chunk, None);
            let reaches_one = |bit: &usize| nodes.iter().any(|node| reached.reaches(*bit, *node));
            found.extend(
                (0..chunk.len())
                    .filter(reaches_one)
                    .map(|bit| pass * WIDTH + bit),
            );
        }
        found
    }

    /// `main` of a program; any function of a dynamic library, which has no function that runs in every process.
    fn program(&self, unit: usize) -> Program {
        let graph = self.graph;
        let is_library = graph.crates.units[unit].kind == UnitKind::Library;
        let is_entry = |id: NodeId| {
            let node = &graph.nodes.nodes[id as usize];
            let is_main = node.owner == NONE
                && node.module != NONE
                && graph.nodes.modules[node.module as usize].parent == NONE
                && graph.nodes.names.text(node.name) == "main";
            node.unit as usize == unit && (is_library || is_main)
        };
        let entries = self.items.iter().filter(|(id, _)| is_entry(**id));
        Program {
            unit,
            entries: entries.map(|(_, item)| *item).collect(),
        }
    }

    /// The possible tests of the store for each test of the graph.
    fn listed(&self) -> FxHashMap<usize, Vec<usize>> {
        let mut by_binary: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (index, test) in self.store.tests.iter().enumerate() {
            by_binary
                .entry(test.binary.as_str())
                .or_default()
                .push(index);
        }
        let mut found: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for (index, test) in self.graph.tests.iter().enumerate() {
            let target = self.graph.crates.units[test.unit].target();
            let binary = target.binary_id(self.workspace);
            for listed in by_binary.get(binary.as_str()).into_iter().flatten() {
                let name = &self.store.tests[*listed].name;
                let is_it = match &test.name {
                    TestPattern::Exact(exact) => exact == name,
                    TestPattern::Prefix(start) => name.starts_with(start.as_str()),
                    TestPattern::All => true,
                    TestPattern::Doc | TestPattern::Unnamed => false,
                };
                if is_it {
                    found.entry(index).or_default().push(*listed);
                }
            }
        }
        found
    }
}
