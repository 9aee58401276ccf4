//! The tests in the sources of a workspace, and their starting nodes.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use rustc_hash::FxHashMap;

use super::crate_graph::{CrateGraph, UnitId, UnitKind};
use super::edges::Edges;
use super::extract::flag;
use super::nodes::{NONE, Name, NodeId, Nodes};
use super::sources::{Reader, SourceFile, Sources};
use crate::workspace::source::cfg::{Build, CfgOptions, Compiled};
use crate::workspace::source::doc;
use crate::workspace::source::keywords::plain_name;
use crate::workspace::source::syntax::{ItemKind, Syntax, TOP};

/// Tests of one unit with the same references: they reach the same items, except themselves.
#[derive(Debug)]
pub struct TestGroup {
    /// Their unit.
    pub unit: UnitId,
    /// Whether they are documentation tests, which use the library as an external crate.
    pub documentation: bool,
    /// Their references.
    pub starts: Vec<NodeId>,
    /// The tests, as indexes into [`Graph::tests`](super::Graph::tests).
    pub tests: Vec<usize>,
}

/// A test and its starting nodes.
#[derive(Debug, Clone)]
pub struct TestItem {
    /// The unit whose test binary (or documentation) contains it.
    pub unit: UnitId,
    /// Its name.
    pub name: TestPattern,
    /// `#[ignore]`.
    pub ignored: bool,
    /// Its file.
    pub file: Utf8PathBuf,
    /// Its line, from 1.
    pub line: u32,
    /// The item, if it is documented by a macro or with an embedded file, since such items can share a line.
    pub documents: Option<String>,
    /// The file with its text, if the documentation embeds it, and the line where it does.
    pub embedded: Option<(Utf8PathBuf, u32)>,
    /// Nodes it runs.
    pub seeds: Vec<NodeId>,
}

/// The known part of a test's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestPattern {
    /// The harness lists this name.
    Exact(String),
    /// The harness lists names with this prefix; an empty prefix means any name.
    Prefix(String),
    /// A custom harness: the whole binary.
    All,
    /// Tests that generated code may define, whose names are not in the sources.
    Unnamed,
    /// A documentation test, by its file and line.
    Doc,
}

/// Groups the tests of relevant units by unit and references.
pub(super) fn test_groups(
    crates: &CrateGraph,
    edges: &Edges,
    tests: &[TestItem],
    relevant: &[bool],
) -> Vec<TestGroup> {
    let mut by_start: FxHashMap<(UnitId, bool, Vec<NodeId>), usize> = FxHashMap::default();
    let mut classes: Vec<TestGroup> = Vec::new();
    let mut order: Vec<usize> = (0..tests.len())
        .filter(|test| relevant[tests[*test].unit])
        .collect();
    order.sort_by_key(|test| (crates.units[tests[*test].unit].package, tests[*test].unit));
    for test in order {
        let (unit, documentation) = (tests[test].unit, tests[test].name == TestPattern::Doc);
        let mut starts: Vec<NodeId> = tests[test]
            .seeds
            .iter()
            .flat_map(|seed| edges.of(*seed))
            .copied()
            .collect();
        starts.sort_unstable();
        starts.dedup();
        let class = *by_start
            .entry((unit, documentation, starts.clone()))
            .or_insert_with(|| {
                classes.push(TestGroup {
                    unit,
                    documentation,
                    starts,
                    tests: Vec::new(),
                });
                classes.len() - 1
            });
        classes[class].tests.push(test);
    }
    classes
}

/// Programs, which start at `main`, and dynamic libraries, which start at all their exports.
pub(super) fn programs(
    crates: &CrateGraph,
    nodes: &Nodes,
    edges: &Edges,
    relevant: &[bool],
) -> Vec<TestGroup> {
    let mut starts: BTreeMap<UnitId, Vec<NodeId>> = BTreeMap::new();
    for (id, node) in (0_u32..).zip(&nodes.nodes) {
        let unit = &crates.units[node.unit as usize];
        if !relevant[node.unit as usize] || node.module == NONE {
            continue;
        }
        let is_main = node.kind == ItemKind::Fn
            && node.owner == NONE
            && nodes.modules[node.module as usize].parent == NONE
            && nodes.names.text(node.name) == "main";
        let starts_here = match unit.kind {
            UnitKind::Binary => is_main,
            _ => unit.dynamic && node.flags & (flag::ROOT | flag::PUBLIC) != 0,
        };
        if starts_here {
            starts.entry(node.unit as usize).or_default().push(id);
        }
    }
    let group = |(unit, mut starts): (UnitId, Vec<NodeId>)| {
        let beyond = starts.iter().flat_map(|start| edges.of(*start));
        let beyond: Vec<NodeId> = beyond.copied().collect();
        starts.extend(beyond);
        TestGroup {
            unit,
            documentation: false,
            starts,
            tests: Vec::new(),
        }
    };
    starts.into_iter().map(group).collect()
}

/// A documentation test, before it has a node.
pub(super) struct Documentation {
    pub(super) unit: UnitId,
    pub(super) file: Utf8PathBuf,
    pub(super) line: u32,
    pub(super) documents: Option<String>,
    pub(super) embedded: Option<(Utf8PathBuf, u32)>,
    pub(super) ignored: bool,
    pub(super) names: Vec<Name>,
    /// The item that it documents, and the macro call that wrote it.
    pub(super) items: Vec<NodeId>,
}

/// The documentation tests of every library.
pub(super) fn documentation(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    reader: &dyn Reader,
) -> Vec<Documentation> {
    let mut found = Vec::new();
    for (id, (mount, placed)) in sources.mounts.iter().zip(&nodes.mounted).enumerate() {
        let file = &sources.files[mount.file];
        if !crates.units[mount.unit].doctest || sources.is_before(id) {
            continue;
        }
        for test in file.now.iter().flat_map(|items| &items.doctests) {
            if is_expanded(file, placed, nodes, test.item) {
                continue;
            }
            let item = placed.get(test.item as usize).copied();
            if item.is_some_and(|item| !is_built(crates, sources, nodes, item)) {
                continue;
            }
            let call = item.and_then(|item| nodes.expanded_from(item));
            let items: Vec<NodeId> = item.into_iter().chain(call).collect();
            let line = sources.line_of_documentation(id, test);
            let is_elsewhere =
                file.expansion.is_some() || test.embedded.is_some() || line != test.line;
            let documents = item
                .map(|item| nodes.nodes[item as usize].name)
                .filter(|name| is_elsewhere && *name != NONE)
                .map(|name| nodes.written_name(name));
            let make = |above: u32, ignored: bool, names: Vec<Name>| Documentation {
                unit: mount.unit,
                file: file.path.clone(),
                line: line + above,
                documents: documents.clone(),
                embedded: file.embedded(test).map(|path| (path, line)),
                ignored,
                names,
                items: items.clone(),
            };
            match file.embedded(test) {
                None => {
                    let symbols = nodes.file_symbols(mount.file);
                    let names = test
                        .names
                        .iter()
                        .map(|symbol| symbols[*symbol as usize])
                        .collect();
                    found.push(make(0, test.ignored, names));
                }
                Some(path) => {
                    let text = reader.text(&path).unwrap_or_default();
                    for (above, ignored, code) in doc::blocks(&text) {
                        let names = Syntax::read(&code).map_or(Vec::new(), |code| {
                            (0_u32..)
                                .zip(&code.tokens)
                                .filter_map(|(at, _)| code.ident(at))
                                .filter_map(|name| nodes.names.get(plain_name(name)))
                                .collect()
                        });
                        found.push(make(above, ignored, names));
                    }
                }
            }
        }
    }
    found
}

/// Whether an item of a file stands in the input of a macro call that was expanded: its documentation stands in the
/// expansion as well.
fn is_expanded(file: &SourceFile, placed: &[NodeId], nodes: &Nodes, item: u32) -> bool {
    let items = file.now.as_deref().map_or(&[][..], |items| &items.items);
    let mut around = std::iter::successors(items.get(item as usize).map(|_| item), |at| {
        let parent = items[*at as usize].parent;
        (parent != TOP).then_some(parent)
    });
    around.any(|at| nodes.nodes[placed[at as usize] as usize].flags & flag::EXPANDED != 0)
}

/// Whether the tests of a unit are built with an item: a library is also built with the options of other packages.
fn is_built(crates: &CrateGraph, sources: &Sources, nodes: &Nodes, id: NodeId) -> bool {
    let unit = nodes.nodes[id as usize].unit as usize;
    crates
        .test_options(unit)
        .is_none_or(|options| compiled(sources, nodes, id, options, Build::Any) != Compiled::No)
}

/// Whether a build compiles an item, by the conditions of the item and those around it.
pub(super) fn compiled(
    sources: &Sources,
    nodes: &Nodes,
    id: NodeId,
    options: &CfgOptions,
    build: Build,
) -> Compiled {
    let of_node = |id: NodeId| {
        let node = &nodes.nodes[id as usize];
        let items = sources.files[node.file as usize].items(node.before);
        let conditions = items.into_iter().flat_map(|items| &items.conditions);
        let own = conditions.filter(move |(item, _)| *item == node.item || *item == TOP);
        own.map(|(_, predicate)| predicate.evaluate(options, build))
    };
    let modules = nodes.around(nodes.nodes[id as usize].module);
    let modules = modules.map(|module| nodes.modules[module as usize].node);
    let around = nodes.owners(id).chain(modules).chain([id]);
    let known = around.filter(|id| *id != NONE);
    known.flat_map(of_node).fold(Compiled::Yes, Compiled::and)
}

/// Tests in the sources: functions or macro calls.
pub(super) fn tests(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    edges: &Edges,
) -> Vec<TestItem> {
    let mut found = Vec::new();
    for (id, node) in (0_u32..).zip(&nodes.nodes) {
        let unit = &crates.units[node.unit as usize];
        if node.before || !unit.test || node.module == NONE {
            continue;
        }
        if !is_built(crates, sources, nodes, id) {
            continue;
        }
        let file = &sources.files[node.file as usize];
        let item = nodes.item(sources, id);
        let path = |name: &str| {
            let module = nodes.module_path(node.module);
            if module.is_empty() {
                name.to_owned()
            } else {
                format!("{module}::{name}")
            }
        };
        let is_root = node.kind == ItemKind::Fn
            && node.owner == NONE
            && nodes.modules[node.module as usize].parent == NONE;
        let is_main = is_root && nodes.names.text(node.name) == "main";
        let is_test = node.flags & (flag::TEST | flag::TEST_PREFIX) != 0;
        let name = if !unit.harness {
            if !is_main && !is_test && !edges.test_calls.contains(&id) {
                continue;
            }
            TestPattern::All
        } else if node.flags & flag::TEST != 0 {
            TestPattern::Exact(path(&nodes.written_name(node.name)))
        } else if node.flags & flag::TEST_PREFIX != 0 {
            TestPattern::Prefix(path(&nodes.written_name(node.name)))
        } else if is_main && matches!(unit.kind, UnitKind::Test | UnitKind::Bench) {
            TestPattern::All
        } else if edges.test_calls.contains(&id) {
            TestPattern::Prefix(path(""))
        } else {
            continue;
        };
        let line = file.expansion.unwrap_or(item.line);
        found.push(TestItem {
            unit: node.unit as usize,
            name,
            ignored: node.flags & flag::IGNORED != 0,
            file: file.path.clone(),
            line,
            documents: None,
            embedded: None,
            seeds: vec![id],
        });
    }
    found.extend(unnamed_tests(crates, sources, nodes, edges));
    for (id, unit) in crates.units.iter().enumerate() {
        let is_found = || found.iter().any(|test: &TestItem| test.unit == id);
        if unit.test && !unit.harness && !is_found() {
            // A macro writes its `main`.
            found.push(TestItem {
                unit: id,
                name: TestPattern::All,
                ignored: false,
                file: unit.root.clone(),
                line: 0,
                documents: None,
                embedded: None,
                seeds: vec![edges.everything],
            });
        }
    }
    for (file, unit, _) in &nodes.unread {
        let known = found.iter().any(|test: &TestItem| {
            test.unit == *unit && test.name == TestPattern::Prefix(String::new())
        });
        if crates.units[*unit].test && !known {
            // Tests of a file that cannot be read have no names.
            let file = sources.files[*file].path.clone();
            found.push(TestItem {
                unit: *unit,
                name: TestPattern::Prefix(String::new()),
                ignored: false,
                file,
                line: 0,
                documents: None,
                embedded: None,
                seeds: vec![edges.everything],
            });
        }
    }
    found
}

/// For each unit with code that may define tests, one entry for all of them.
fn unnamed_tests(
    crates: &CrateGraph,
    sources: &Sources,
    nodes: &Nodes,
    edges: &Edges,
) -> Vec<TestItem> {
    let mut by_unit: BTreeMap<u32, Vec<NodeId>> = BTreeMap::new();
    for id in &edges.test_generators {
        let node = &nodes.nodes[*id as usize];
        if !node.before && crates.units[node.unit as usize].test && node.module != NONE {
            by_unit.entry(node.unit).or_default().push(*id);
        }
    }
    let entry = |(unit, mut seeds): (u32, Vec<NodeId>)| {
        seeds.sort_unstable();
        let first = &nodes.nodes[seeds[0] as usize];
        let file = &sources.files[first.file as usize];
        TestItem {
            unit: unit as usize,
            name: TestPattern::Unnamed,
            ignored: false,
            file: file.path.clone(),
            line: file.expansion.unwrap_or(nodes.item(sources, seeds[0]).line),
            documents: None,
            embedded: None,
            seeds,
        }
    };
    by_unit.into_iter().map(entry).collect()
}
