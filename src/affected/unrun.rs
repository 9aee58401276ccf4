//! Tests by the builds that compile them.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{Changed, CrateGraph, Graph, Reader, TestItem, TestPattern, Uncached};
use super::selection::TestSelector;
use super::targets::{TestTarget, all_targets};
use crate::workspace::{Configuration, Workspace};

/// A test that no configuration compiles.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnrunTest {
    /// Its file, relative to the workspace root.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its target.
    pub target: TestTarget,
}

/// The tests that some choice of features compiles on this platform, but none of the `configurations`.
#[must_use]
pub fn unrun_tests(
    workspace: &Workspace,
    configurations: &[Configuration],
    reader: &dyn Reader,
) -> BTreeSet<UnrunTest> {
    let mut crates = CrateGraph::of(workspace);
    crates.configure_platform(workspace);
    let mut unrun = tests(workspace, crates, reader, |_| true);
    for configuration in configurations {
        let workspace = workspace.configured_as(configuration.clone());
        let mut crates = CrateGraph::of(&workspace);
        crates.configure(&workspace);
        let built: BTreeSet<TestTarget> = all_targets(&workspace).into_iter().collect();
        for test in tests(&workspace, crates, reader, |target| built.contains(target)) {
            unrun.remove(&test);
        }
    }
    unrun
}

/// What is known of the name of a test.
pub(super) fn name_of(workspace: &Workspace, test: &TestItem) -> TestSelector {
    match &test.name {
        TestPattern::Exact(name) => TestSelector::Exact(name.clone()),
        TestPattern::Prefix(start) => TestSelector::Prefix(start.clone()),
        TestPattern::All => TestSelector::Prefix(String::new()),
        TestPattern::Unnamed => TestSelector::Unnamed,
        TestPattern::Doc => {
            let place = format!("{}:{}", workspace.slashed(&test.file), test.line);
            TestSelector::Doc(match &test.documents {
                Some(item) => format!("{place} {item}"),
                None => place,
            })
        }
    }
}

/// The names of the tests of a workspace in its configuration, by binary id, those marked `#[ignore]` aside; a documentation
/// test is named by its file and line.
pub(crate) fn tests_of_build(workspace: &Workspace) -> BTreeMap<String, BTreeSet<TestSelector>> {
    let mut crates = CrateGraph::of(workspace);
    crates.configure(workspace);
    let graph = Graph::build(crates, &Changed::default(), &Uncached);
    let built: BTreeSet<TestTarget> = all_targets(workspace).into_iter().collect();
    let mut names: BTreeMap<String, BTreeSet<TestSelector>> = BTreeMap::new();
    for test in named(&graph) {
        let target = graph.target(test);
        if built.contains(&target) && !test.ignored {
            let name = name_of(workspace, test);
            names
                .entry(target.binary_id(workspace))
                .or_default()
                .insert(name);
        }
    }
    names
}

/// The tests whose names the sources tell.
fn named(graph: &Graph) -> impl Iterator<Item = &TestItem> {
    let tests = graph.tests.iter();
    tests.filter(|test| test.name != TestPattern::Unnamed)
}

fn tests(
    workspace: &Workspace,
    crates: CrateGraph,
    reader: &dyn Reader,
    counts: impl Fn(&TestTarget) -> bool,
) -> BTreeSet<UnrunTest> {
    let graph = Graph::build(crates, &Changed::default(), reader);
    let found = named(&graph).map(|test| UnrunTest {
        file: workspace.slashed(&test.file),
        line: test.line,
        target: graph.target(test),
    });
    found.filter(|test| counts(&test.target)).collect()
}
