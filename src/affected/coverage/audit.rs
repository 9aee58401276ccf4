//! Compares the item graph with coverage: a test that executed an item must be selected if the item changes.
//!
//! Input: a [`Graph`] of the current sources, and a [`Store`]. Output: [`Audit`]. One pass over the graph answers all pairs, so the
//! audit takes little longer than a selection.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::store::Store;
use crate::affected::items::extract::flag;
use crate::affected::items::nodes::{Name, NodeId};
use crate::affected::items::{Graph, PathIndex, TestPattern};
use crate::workspace::Workspace;
use crate::workspace::source::syntax::ItemKind;

/// The maximum number of missed items to explain.
const EXPLAINED: usize = 200;

/// The result of an audit.
#[derive(Debug, Default)]
pub struct Audit {
    /// The number of tests that nextest lists.
    pub tests: usize,
    /// The number of tests with coverage.
    pub covered: usize,
    /// The number of tests without coverage, by reason.
    pub without_coverage: BTreeMap<String, usize>,
    /// The number of functions that a test executed.
    pub functions: usize,
    /// The number of checked pairs of an item and a test that executed it.
    pub pairs: u64,
    /// The number of pairs that the graph would not select.
    pub missed: u64,
    /// The missed pairs by item.
    pub misses: Vec<Miss>,
    /// Tests with coverage whose names the graph does not contain, as binary id and name.
    pub unknown_tests: Vec<(String, String)>,
    /// The number of executed items that the graph does not contain, by file.
    pub unknown_items: BTreeMap<String, usize>,
    /// The mean share of selected tests if one of the functions changes.
    pub shares: Shares,
}

/// Shares of all tests, from 0 to 1: means over all functions that a test executed.
#[derive(Debug, Default, Clone, Copy)]
pub struct Shares {
    /// Selected by the graph.
    pub graph: f64,
    /// The same without tests whose coverage does not contain the function.
    pub with_coverage: f64,
    /// Executed the function.
    pub ran: f64,
}

/// An item that tests executed which the graph would not select for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Its name.
    pub item: String,
    /// Its file, relative to the workspace root.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The number of such tests.
    pub tests: usize,
    /// One of them: binary id and name.
    pub example: (String, String),
    /// The missing edges, and whether the test reaches their sources.
    pub broken: Vec<String>,
}

/// A set of tests per item, one bit each.
struct Selects {
    words: usize,
    bits: Vec<u64>,
}

impl Selects {
    fn add(&mut self, item: usize, test: usize) {
        self.bits[item * self.words + test / 64] |= 1 << (test % 64);
    }

    fn has(&self, item: usize, test: usize) -> bool {
        self.bits[item * self.words + test / 64] >> (test % 64) & 1 == 1
    }

    fn count(&self, item: usize) -> u32 {
        let row = &self.bits[item * self.words..(item + 1) * self.words];
        row.iter().map(|word| word.count_ones()).sum()
    }
}

impl Audit {
    /// Whether nothing was missed, and the graph contains every executed item and every test with coverage.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.misses.is_empty() && self.unknown_tests.is_empty() && self.unknown_items.is_empty()
    }
}

struct Auditor<'a> {
    workspace: &'a Workspace,
    graph: &'a Graph,
    store: &'a Store,
    /// The nodes of each item of the store: one for each unit that mounts it.
    nodes: Vec<Vec<NodeId>>,
    /// The possible tests of the store for each test of the graph.
    listed: Vec<Vec<usize>>,
    /// Whether the graph contains each test of the store.
    known: Vec<bool>,
}

/// Compares the graph with the store.
#[must_use]
pub fn audit(workspace: &Workspace, graph: &Graph, store: &Store) -> Audit {
    let mut auditor = Auditor {
        workspace,
        graph,
        store,
        nodes: nodes(workspace, graph, store),
        listed: vec![Vec::new(); graph.tests.len()],
        known: vec![false; store.tests.len()],
    };
    auditor.match_tests();
    let selects = auditor.selects();
    auditor.judge(&selects)
}

/// The nodes of every item of the store.
fn nodes(workspace: &Workspace, graph: &Graph, store: &Store) -> Vec<Vec<NodeId>> {
    let numbers: FxHashMap<&str, u32> = (0..)
        .zip(&store.files)
        .map(|(index, path)| (path.as_str(), index))
        .collect();
    let files: Vec<Option<u32>> = graph
        .sources
        .files
        .iter()
        .map(|file| {
            let own = file.expansion.is_none();
            numbers
                .get(workspace.slashed(&file.path).as_str())
                .copied()
                .filter(|_| own)
        })
        .collect();
    let mut by_item: FxHashMap<_, Vec<usize>> = FxHashMap::default();
    for (index, item) in store.items.iter().enumerate() {
        by_item
            .entry((item.file, item.key, item.hash))
            .or_default()
            .push(index);
    }
    let expanded = expanded(graph);
    let is_call = |id: &NodeId| graph.nodes.nodes[*id as usize].kind == ItemKind::Call;
    let mut found = vec![Vec::new(); store.items.len()];
    for (id, node) in (0..).zip(&graph.nodes.nodes) {
        let Some(file) = files[node.file as usize].filter(|_| !node.before) else {
            continue;
        };
        let item = graph.nodes.item(&graph.sources, id);
        for index in by_item
            .get(&(file, item.key, item.hash))
            .into_iter()
            .flatten()
        {
            found[*index].push(id);
            // If the item is in the input of a macro, its change alters the expansion.
            let calls = graph.nodes.owners(id).filter(is_call);
            let call = calls.last();
            let given = call.and_then(|call| expanded.get(&(call, node.name)));
            found[*index].extend(given.into_iter().flatten());
        }
    }
    found
}

/// The functions in the expansions of macro calls, by the outermost call and their name.
fn expanded(graph: &Graph) -> FxHashMap<(NodeId, Name), Vec<NodeId>> {
    let mut expanded: FxHashMap<_, Vec<NodeId>> = FxHashMap::default();
    let functions = (0..)
        .zip(&graph.nodes.nodes)
        .filter(|(_, node)| node.kind == ItemKind::Fn);
    for (id, node) in functions {
        if let Some(call) = graph.nodes.expanded_from(id) {
            expanded.entry((call, node.name)).or_default().push(id);
        }
    }
    expanded
}

impl Auditor<'_> {
    fn match_tests(&mut self) {
        let mut by_binary: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (index, test) in self.graph.tests.iter().enumerate() {
            if test.name != TestPattern::Doc {
                let target = self.graph.crates.units[test.unit].target();
                by_binary
                    .entry(target.binary_id(self.workspace))
                    .or_default()
                    .push(index);
            }
        }
        for (listed, test) in self.store.tests.iter().enumerate() {
            for index in by_binary.get(&test.binary).into_iter().flatten() {
                let is_it = match &self.graph.tests[*index].name {
                    TestPattern::Exact(name) => *name == test.name,
                    TestPattern::Prefix(lead) => test.name.starts_with(lead.as_str()),
                    TestPattern::All => true,
                    TestPattern::Doc | TestPattern::Unnamed => false,
                };
                if is_it {
                    self.listed[*index].push(listed);
                    self.known[listed] = true;
                }
            }
        }
    }

    /// The tests that the graph selects for each item.
    fn selects(&self) -> Selects {
        let words = self.store.tests.len().div_ceil(64);
        let mut selects = Selects {
            words,
            bits: vec![0; words * self.store.items.len()],
        };
        let graph = self.graph;
        let readers = PathIndex::new(&graph.crates, &graph.sources, &graph.nodes, &|_| true);
        let read_by: Vec<Vec<NodeId>> = self
            .store
            .files
            .iter()
            .map(|file| readers.of(&self.workspace.root.join(file)).collect())
            .collect();
        let in_programs = graph.reached_by_programs();
        for pass in graph.passes() {
            let reached = graph.reached(&pass, None);
            let always = *reached.row(graph.edges.everything);
            let programs = *reached.row(graph.edges.any_program);
            for (item, nodes) in self.nodes.iter().enumerate() {
                let mut row = always;
                let file = self.store.items[item].file as usize;
                for node in nodes.iter().chain(&read_by[file]) {
                    let started = in_programs[*node as usize];
                    let rows = reached.row(*node).iter().zip(&programs);
                    for (word, (more, starting)) in row.iter_mut().zip(rows) {
                        *word |= more;
                        if started {
                            *word |= starting;
                        }
                    }
                }
                for (bit, class) in pass.iter().enumerate() {
                    if row[bit / 64] >> (bit % 64) & 1 == 1 {
                        let tests = graph.test_groups[*class].tests.iter();
                        for listed in tests.flat_map(|test| &self.listed[*test]) {
                            selects.add(item, *listed);
                        }
                    }
                }
            }
        }
        self.by_themselves(&mut selects);
        selects
    }

    /// Tests that are the item themselves, and those of whole units, because the expansion of an opaque macro call is unknown.
    fn by_themselves(&self, selects: &mut Selects) {
        let graph = self.graph;
        let mut seeded: FxHashMap<NodeId, Vec<usize>> = FxHashMap::default();
        for (test, listed) in graph.tests.iter().zip(&self.listed) {
            for seed in &test.seeds {
                seeded.entry(*seed).or_default().extend(listed);
            }
        }
        for (item, nodes) in self.nodes.iter().enumerate() {
            for id in nodes {
                for listed in seeded.get(id).into_iter().flatten() {
                    selects.add(item, *listed);
                }
                let node = &graph.nodes.nodes[*id as usize];
                if node.kind == ItemKind::Call && node.flags & flag::TRANSPARENT == 0 {
                    for (test, listed) in graph.tests.iter().zip(&self.listed) {
                        if graph.crates.links[test.unit].contains(&(node.unit as usize)) {
                            for listed in listed {
                                selects.add(item, *listed);
                            }
                        }
                    }
                }
            }
        }
    }

    fn judge(&self, selects: &Selects) -> Audit {
        let store = self.store;
        let mut audit = Audit {
            tests: store.tests.len(),
            ..Audit::default()
        };
        let mut ran = vec![0_u32; store.items.len()];
        let mut missed: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let uncovered: Vec<usize> = (0..store.tests.len())
            .filter(|test| store.tests[*test].ran.is_err())
            .collect();
        for why in store
            .tests
            .iter()
            .filter_map(|test| test.ran.as_ref().err())
        {
            *audit.without_coverage.entry(why.clone()).or_default() += 1;
        }
        for (test, items) in store.with_coverage() {
            audit.covered += 1;
            if !self.known[test] {
                let test = &store.tests[test];
                audit
                    .unknown_tests
                    .push((test.binary.clone(), test.name.clone()));
            }
            for item in items {
                ran[*item as usize] += 1;
                if !self.known[test] || self.nodes[*item as usize].is_empty() {
                    continue;
                }
                audit.pairs += 1;
                if !selects.has(*item as usize, test) {
                    audit.missed += 1;
                    missed.entry(*item).or_default().push(test);
                }
            }
        }
        let mut sums = Shares::default();
        for (item, ran) in ran.iter().enumerate().filter(|(_, ran)| **ran > 0) {
            if self.nodes[item].is_empty() {
                let file = &store.files[store.items[item].file as usize];
                *audit.unknown_items.entry(file.clone()).or_default() += 1;
            }
            if !self.is_function(item) {
                continue;
            }
            audit.functions += 1;
            let still = uncovered
                .iter()
                .filter(|test| selects.has(item, **test))
                .count();
            let selected = f64::from(selects.count(item));
            sums.graph += selected;
            // Tests that did not execute it are omitted if its body changes.
            sums.with_coverage += if store.items[item].blind {
                selected
            } else {
                f64::from(*ran) + f64::from(u32::try_from(still).unwrap_or(u32::MAX))
            };
            sums.ran += f64::from(*ran);
        }
        let all =
            f64::from(u32::try_from(audit.functions * audit.tests).unwrap_or(u32::MAX)).max(1.0);
        audit.shares = Shares {
            graph: sums.graph / all,
            with_coverage: sums.with_coverage / all,
            ran: sums.ran / all,
        };
        audit.misses = self.misses(&missed);
        audit
    }

    /// Whether the item is a function. For a macro, the functions in its expansion were executed.
    fn is_function(&self, item: usize) -> bool {
        self.nodes[item]
            .iter()
            .all(|id| self.graph.nodes.nodes[*id as usize].kind == ItemKind::Fn)
    }

    fn misses(&self, missed: &BTreeMap<u32, Vec<usize>>) -> Vec<Miss> {
        let graph = self.graph;
        let wanted: FxHashSet<NodeId> = missed
            .keys()
            .take(EXPLAINED)
            .flat_map(|item| self.nodes[*item as usize].iter().copied())
            .collect();
        let mut before: FxHashMap<NodeId, Vec<NodeId>> = FxHashMap::default();
        for from in (0..).take(graph.edges.count) {
            for to in graph.edges.of(from).iter().filter(|to| wanted.contains(to)) {
                before.entry(*to).or_default().push(from);
            }
        }
        let mut found = Vec::new();
        for (index, (item, tests)) in missed.iter().enumerate() {
            let nodes = &self.nodes[*item as usize];
            let example = &self.store.tests[tests[0]];
            let place = graph.place(nodes[0]);
            found.push(Miss {
                item: graph.describe(nodes[0]),
                file: place.map_or_else(String::new, |(path, _)| self.workspace.slashed(path)),
                line: place.map_or(0, |(_, line)| line),
                tests: tests.len(),
                example: (example.binary.clone(), example.name.clone()),
                broken: if index < EXPLAINED {
                    self.broken(nodes, tests[0], &before)
                } else {
                    Vec::new()
                },
            });
        }
        found
    }

    /// The edges to the nodes, and whether the test reaches their sources.
    fn broken(
        &self,
        nodes: &[NodeId],
        test: usize,
        before: &FxHashMap<NodeId, Vec<NodeId>>,
    ) -> Vec<String> {
        let graph = self.graph;
        let is_it = |index: &usize| self.listed[*index].contains(&test);
        let class = graph
            .test_groups
            .iter()
            .position(|class| class.tests.iter().any(is_it));
        let Some(class) = class else {
            return Vec::new();
        };
        let reached = graph.reached(&[class], None);
        let unit = graph.test_groups[class]
            .tests
            .first()
            .map_or(0, |test| graph.tests[*test].unit);
        let tell = |id: NodeId| {
            let verdict = if reached.reaches(0, id) {
                "reached"
            } else {
                "not reached"
            };
            format!("{} ({verdict})", graph.describe(id))
        };
        let mut lines = Vec::new();
        for id in nodes {
            let own = &graph.nodes.nodes[*id as usize];
            let linked = graph.crates.links[unit].contains(&(own.unit as usize));
            if !linked {
                if nodes.len() == 1 {
                    lines.push("the test's binary does not link it".to_owned());
                }
                continue;
            }
            for edge in graph
                .edges
                .conditional
                .iter()
                .filter(|edge| edge.member == *id)
            {
                let types: Vec<String> = edge.types.iter().map(|of| tell(*of)).collect();
                lines.push(format!(
                    "needs {} and {}",
                    tell(edge.named),
                    types.join(" or ")
                ));
            }
            let mut from: Vec<String> = before
                .get(id)
                .into_iter()
                .flatten()
                .map(|from| tell(*from))
                .collect();
            from.sort();
            from.dedup();
            lines.extend(from.into_iter().take(12).map(|from| format!("from {from}")));
        }
        if lines.is_empty() {
            lines.push("the graph has no edge to it".to_owned());
        }
        lines
    }
}
