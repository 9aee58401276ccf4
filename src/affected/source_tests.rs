//! Lists the tests in the sources of targets, in every choice of features and flags on this machine's platform.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;

use super::items::extract::flag;
use super::items::nodes::NONE;
use super::items::{Changed, CrateGraph, Graph, Reader, Sources, TestPattern, UnitKind};
use super::targets::{TestTarget, TestTargetKind, every_target};
use crate::workspace::source::cfg::{CfgOptions, Compiled};
use crate::workspace::{PackageId, Workspace};

/// A test in the sources of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTest {
    /// Its name in the list of the test harness, or a pattern for it.
    pub name: TestPattern,
    /// `#[ignore]`.
    pub ignored: bool,
    /// Whether it depends on a feature or flag.
    pub conditional: bool,
    /// Whether its body can fail, as far as its file shows.
    pub asserts: bool,
    /// Its file.
    pub file: Utf8PathBuf,
    /// Its line, from 1; 0 for all tests of a file that cannot be parsed.
    pub line: u32,
}

impl SourceTest {
    /// Its name, or the start of its names, in the list of the test harness.
    #[must_use]
    pub fn listed_name(&self) -> Option<&str> {
        match &self.name {
            TestPattern::Exact(name) | TestPattern::Prefix(name) if self.line > 0 => Some(name),
            _ => None,
        }
    }
}

/// The tests of the targets that are `wanted`. Documentation tests, which have no names, are left out.
///
/// # Errors
/// When the root file of a target cannot be read.
pub fn source_tests(
    workspace: &Workspace,
    reader: &dyn Reader,
    wanted: &dyn Fn(&TestTarget) -> bool,
) -> Result<BTreeMap<TestTarget, Vec<SourceTest>>> {
    let targets = every_target(workspace).into_iter();
    let mut tests: BTreeMap<TestTarget, Vec<SourceTest>> = targets
        .filter(|target| target.kind != TestTargetKind::Doc && wanted(target))
        .map(|target| (target, Vec::new()))
        .collect();
    let mut crates = CrateGraph::of(workspace);
    crates.configure_host();
    crates.keep_tests(&|target| tests.contains_key(target));
    let graph = Graph::build(crates, &Changed::default(), reader);
    for (unit, root) in graph.crates.units.iter().zip(&graph.nodes.roots) {
        if unit.test && *root == NONE {
            unit.root.metadata().with_context(|| {
                format!("failed to read the target's root file `{}`", unit.root)
            })?;
        }
    }
    let options = CfgOptions::host();
    for test in &graph.tests {
        let compiled = graph.compiled(test, &options);
        let Some(tests) = tests.get_mut(&graph.target(test)) else {
            continue;
        };
        if compiled == Compiled::No {
            continue;
        }
        let first = graph.nodes.nodes.get(test.seeds[0] as usize);
        // What a macro writes may call functions that are defined anywhere.
        let is_written = first.is_some_and(|node| node.call == NONE);
        let cannot_fail = first.is_some_and(|node| node.flags & flag::CANNOT_FAIL != 0);
        tests.push(SourceTest {
            name: test.name.clone(),
            ignored: test.ignored,
            conditional: compiled == Compiled::Perhaps,
            asserts: !(is_written && cannot_fail),
            file: test.file.clone(),
            line: test.line,
        });
    }
    Ok(tests)
}

/// The source files of the libraries and programs of a package.
pub fn source_files(
    workspace: &Workspace,
    reader: &dyn Reader,
    package: PackageId,
) -> BTreeSet<Utf8PathBuf> {
    let crates = CrateGraph::of(workspace);
    let sources = Sources::read(&crates, &Changed::default(), reader);
    let mounts = sources.mounts.iter().filter(|mount| {
        let unit = &crates.units[mount.unit];
        let kinds = [UnitKind::Library, UnitKind::Binary];
        unit.package == package && kinds.contains(&unit.kind)
    });
    mounts
        .map(|mount| sources.files[mount.file].path.clone())
        .collect()
}
