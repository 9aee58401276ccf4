//! Tests that none of the configurations of a workspace runs.

use std::collections::BTreeSet;

use super::items::{Changed, CrateGraph, Graph, Reader, TestItem};
use super::targets::{TestTarget, all_targets};
use crate::workspace::{Configuration, Workspace};

/// A test that is compiled in none of the configurations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnrunTest {
    /// Its file, relative to the workspace root.
    pub file: String,
    /// Its line, counted from 1.
    pub line: u32,
    /// Its target.
    pub target: TestTarget,
}

/// The tests that some choice of features compiles on this platform, and none of the `configurations` does.
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

fn tests(
    workspace: &Workspace,
    crates: CrateGraph,
    reader: &dyn Reader,
    counts: impl Fn(&TestTarget) -> bool,
) -> BTreeSet<UnrunTest> {
    let graph = Graph::build(crates, &Changed::default(), reader);
    let found = graph.tests.iter().map(|test: &TestItem| UnrunTest {
        file: workspace.slashed(&test.file),
        line: test.line,
        target: graph.target(test),
    });
    found.filter(|test| counts(&test.target)).collect()
}
