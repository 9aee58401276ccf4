//! The test targets of a workspace, which `cargo test` builds and runs.

use std::fmt;

use cargo_metadata::{Target, TargetKind};

use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::harness::without_harness;
use crate::workspace::{PackageId, Workspace};

/// The tests of one target build, or the doctests of one library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestTarget {
    /// The member that owns it.
    pub package: PackageId,
    /// Which of its targets.
    pub kind: TestTargetKind,
}

/// A test target within its package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestTargetKind {
    /// Unit tests of the library.
    Library,
    /// Unit tests of a binary.
    Binary(String),
    /// An integration test.
    Test(String),
    /// An example built with `test = true`.
    Example(String),
    /// A bench built with `test = true`.
    Bench(String),
    /// The library's documentation tests.
    Doc,
}

/// Every test target that `cargo test` builds in the workspace's configuration: those of its packages, without targets whose
/// `required-features` are off.
#[must_use]
pub fn all_targets(workspace: &Workspace) -> Vec<TestTarget> {
    let features = workspace.features();
    let mut all = Vec::new();
    let configured = |package: &PackageId| workspace.configuration.applies_to(*package);
    for package in (0..workspace.packages.len()).filter(configured) {
        let member = &workspace.packages[package];
        for target in &member.targets {
            let built = target
                .required_features
                .iter()
                .all(|feature| features.of(package).contains(feature));
            if built {
                all.extend(kinds(target).map(|kind| TestTarget { package, kind }));
            }
        }
    }
    all
}

/// Every test target of the workspace, whatever the configuration builds.
#[must_use]
pub(crate) fn every_target(workspace: &Workspace) -> Vec<TestTarget> {
    let members = workspace.packages.iter().enumerate();
    let targets = members.flat_map(|(package, member)| {
        let kinds = member.targets.iter().flat_map(kinds);
        kinds.map(move |kind| TestTarget { package, kind })
    });
    targets.collect()
}

/// The tests that `cargo test` runs for a target: its tests if `test = true`, and a library's doctests.
pub(super) fn kinds(target: &Target) -> impl Iterator<Item = TestTargetKind> {
    let built = kind(target).filter(|_| target.test);
    built
        .into_iter()
        .chain(target.doctest.then_some(TestTargetKind::Doc))
}

/// The kind of a target's tests, also with `test = false`: `cargo test` builds them if a flag names the target.
pub(super) fn kind(target: &Target) -> Option<TestTargetKind> {
    let name = || target.name.clone();
    if is_library(target) {
        Some(TestTargetKind::Library)
    } else if is_kind(target, &[TargetKind::Bin]) {
        Some(TestTargetKind::Binary(name()))
    } else if is_kind(target, &[TargetKind::Test]) {
        Some(TestTargetKind::Test(name()))
    } else if is_kind(target, &[TargetKind::Example]) {
        Some(TestTargetKind::Example(name()))
    } else if is_kind(target, &[TargetKind::Bench]) {
        Some(TestTargetKind::Bench(name()))
    } else {
        None
    }
}

impl TestTarget {
    /// The target in cargo's metadata; the library for its doctests.
    #[must_use]
    pub fn described<'a>(&self, workspace: &'a Workspace) -> Option<&'a Target> {
        let targets = &workspace.packages[self.package].targets;
        let named = |target: &Target, kind: TargetKind, name: &str| {
            is_kind(target, &[kind]) && target.name == name
        };
        targets.iter().find(|target| match &self.kind {
            TestTargetKind::Library | TestTargetKind::Doc => is_library(target),
            TestTargetKind::Binary(name) => named(target, TargetKind::Bin, name),
            TestTargetKind::Test(name) => named(target, TargetKind::Test, name),
            TestTargetKind::Example(name) => named(target, TargetKind::Example, name),
            TestTargetKind::Bench(name) => named(target, TargetKind::Bench, name),
        })
    }

    /// Whether its manifest says `harness = false` for it.
    pub(super) fn has_custom_harness(&self, workspace: &Workspace) -> bool {
        let own = match &self.kind {
            TestTargetKind::Library => ("lib", None),
            TestTargetKind::Binary(name) => ("bin", Some(name)),
            TestTargetKind::Test(name) => ("test", Some(name)),
            TestTargetKind::Example(name) => ("example", Some(name)),
            TestTargetKind::Bench(name) => ("bench", Some(name)),
            TestTargetKind::Doc => return false,
        };
        let manifest = &workspace.packages[self.package].manifest_path;
        let mut without = without_harness(manifest).into_iter();
        without.any(|(table, name)| table == own.0 && own.1.is_none_or(|own| *own == name))
    }

    /// nextest's id of the binary: `package`, `package::test`, `package::bin/name`; `package::doc` for doctests, which nextest does not
    /// run.
    #[must_use]
    pub fn binary_id(&self, workspace: &Workspace) -> String {
        let package = &workspace.packages[self.package];
        let name = &package.name;
        match &self.kind {
            TestTargetKind::Library => name.to_string(),
            TestTargetKind::Binary(binary) => format!("{name}::bin/{binary}"),
            TestTargetKind::Test(test) => format!("{name}::{test}"),
            TestTargetKind::Example(example) => format!("{name}::example/{example}"),
            TestTargetKind::Bench(bench) => format!("{name}::bench/{bench}"),
            TestTargetKind::Doc => format!("{name}::doc"),
        }
    }
}

impl fmt::Display for TestTargetKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library => formatter.write_str("lib"),
            Self::Binary(name) => write!(formatter, "bin {name}"),
            Self::Test(name) => write!(formatter, "test {name}"),
            Self::Example(name) => write!(formatter, "example {name}"),
            Self::Bench(name) => write!(formatter, "bench {name}"),
            Self::Doc => formatter.write_str("doc"),
        }
    }
}
