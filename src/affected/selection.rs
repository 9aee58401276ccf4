//! The tests that a change selects: whole targets, or single tests, each with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::Build;
use super::targets::{TestTarget, TestTargetKind, all_targets};
use crate::workspace::{PackageId, Workspace};

/// The tests that a change can affect.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The selected tests by target; a target without an entry is not affected.
    pub targets: BTreeMap<TestTarget, TargetSelection>,
    /// Changed files that affect no test, with the reason.
    pub without_effect: Vec<(String, String)>,
    /// Members with a changed file, which must compile even if no test is affected.
    pub touched: BTreeSet<PackageId>,
    /// The targets that the change can stop from compiling, whether or not they have an affected test; only known for a selection to run.
    pub may_not_compile: BTreeMap<TestTarget, Build>,
    /// Members that compile or embed a changed file, or whose build scripts may read it, by the file's path relative to the workspace root.
    pub compiled_in: BTreeMap<String, BTreeSet<PackageId>>,
    /// Changed files, relative to the workspace root.
    pub files: BTreeSet<String>,
    /// The number of changed items in the item graph.
    pub items: usize,
    /// Warnings that do not change the selection.
    pub notes: Vec<String>,
    /// The number of tests that coverage removed from the selection, because they execute nothing that changed.
    pub left_out: usize,
    /// The totals of the workspace.
    pub total: Total,
}

/// Totals of a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Test targets.
    pub targets: usize,
    /// Tests in the sources: tests named by a macro count once per call, and so does each documentation test.
    pub tests: usize,
}

/// The selected tests of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetSelection {
    /// Why the whole target is selected; empty if single tests are selected.
    pub whole: BTreeSet<Reason>,
    /// Tests that reach a changed item, each with the path to it.
    pub tests: BTreeMap<TestSelector, Reason>,
    /// Every test found in the sources, selected or not.
    pub known: Arc<BTreeSet<TestSelector>>,
}

/// Selects tests by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestSelector {
    /// The harness lists this name.
    Exact(String),
    /// The harness lists names with this prefix; an empty prefix means any name.
    Prefix(String),
    /// A documentation test: its file, relative to the workspace root, and line.
    Doc(String),
    /// Tests that generated code may define, whose names are not in the sources.
    Unnamed,
}

/// Why tests are selected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The kind of file in a package, and the members it affects transitively.
    File {
        /// The changed file, relative to the workspace root.
        file: String,
        /// The number of other files with the same effect.
        more: usize,
        /// The description of the file's role in the package.
        rule: String,
        /// Members from the changed one to the selected one, each depending on the previous one.
        chain: Vec<PackageId>,
    },
    /// Items from the test to a changed one, each with an edge to the next.
    Items(Arc<[Step]>),
    /// A description, if no rule could select single tests.
    Widened(String),
    /// It failed in its last run.
    Failed,
}

/// An item on the path from a test to a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Its name: `a::b::name`, or `.name` for any member of that name.
    pub name: String,
    /// Its file, relative to the workspace root, and line; none for a node without a file.
    pub place: Option<(String, u32)>,
}

impl TargetSelection {
    /// Whether every test of the target is selected.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.whole.is_empty() || self.tests.len() == self.known.len()
    }

    /// Replaces the selection of the whole target by that of each test, if the tests are known and none failed.
    pub(super) fn name_tests(&mut self) {
        let Some(reason) = self.whole.first().cloned() else {
            return;
        };
        if self.known.is_empty() || self.whole.contains(&Reason::Failed) {
            return;
        }
        self.whole.clear();
        for test in self.known.iter() {
            let reason = || reason.clone();
            self.tests.entry(test.clone()).or_insert_with(reason);
        }
    }

    /// The number of selected tests in the sources.
    #[must_use]
    pub fn count(&self) -> usize {
        let is_named = |name: &&TestSelector| **name != TestSelector::Unnamed;
        if self.whole.is_empty() {
            self.tests.keys().filter(is_named).count()
        } else {
            self.known.iter().filter(is_named).count()
        }
    }

    /// The number of tests of the target in the sources; at least 1 if generated code may define some.
    #[must_use]
    pub fn count_known(&self) -> usize {
        let known = self.known.iter();
        let named = known.filter(|name| **name != TestSelector::Unnamed);
        named.count().max(usize::from(!self.known.is_empty()))
    }

    /// Whether to run a test with this name from the harness: selected tests, and tests that are in no source, about which nothing is known.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        let is_named = |known: &TestSelector| known.matches(name);
        self.is_whole()
            || self.tests.keys().any(is_named)
            || !self.known.contains(&TestSelector::Exact(name.to_owned()))
                && !self.known.iter().any(is_named)
    }

    /// Names of selected tests as the harness lists them, with `*` for names that are not in the sources: whole targets, tests named by a macro,
    /// documentation tests.
    #[must_use]
    pub fn listed(&self) -> Vec<&str> {
        if !self.whole.is_empty() {
            return vec!["*"];
        }
        let names = self.tests.keys().map(|name| match name {
            TestSelector::Exact(name) => name.as_str(),
            TestSelector::Prefix(_) | TestSelector::Doc(_) | TestSelector::Unnamed => "*",
        });
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn merge(&mut self, other: Self) {
        self.whole.extend(other.whole);
        for (name, reason) in other.tests {
            self.tests.entry(name).or_insert(reason);
        }
        if self.known.is_empty() {
            self.known = other.known;
        }
    }
}

impl TestSelector {
    /// Whether any of these names is one of this selector; documentation tests are named by file and line.
    #[must_use]
    pub fn is_among(&self, names: &BTreeSet<String>) -> bool {
        match self {
            Self::Exact(name) => names.contains(name),
            Self::Prefix(start) => {
                let mut names = names.range(start.clone()..);
                names.next().is_some_and(|name| name.starts_with(start))
            }
            // The item that embeds the file may follow.
            Self::Doc(place) => {
                let end = place.find(' ').unwrap_or(place.len());
                names.contains(&place[..end])
            }
            Self::Unnamed => false,
        }
    }

    /// Whether the harness may list this name.
    #[must_use]
    pub fn matches(&self, listed: &str) -> bool {
        match self {
            Self::Exact(name) => name == listed,
            Self::Prefix(start) => listed.starts_with(start.as_str()),
            Self::Doc(_) | Self::Unnamed => false,
        }
    }
}

impl Selection {
    /// The selection restricted to targets that `wanted` accepts, with the same totals.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&TestTarget) -> bool) -> Self {
        let targets = self.targets.iter().filter(|(target, _)| wanted(target));
        Self {
            targets: targets
                .map(|(target, part)| (target.clone(), part.clone()))
                .collect(),
            total: self.total,
            ..Self::default()
        }
    }

    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Whether everything is selected.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.targets.len() == self.total.targets
            && self.targets.values().all(TargetSelection::is_whole)
    }

    /// The number of selected tests in the sources.
    #[must_use]
    pub fn count(&self) -> usize {
        self.targets.values().map(TargetSelection::count).sum()
    }

    /// The members with a selected target.
    #[must_use]
    pub fn packages(&self) -> BTreeSet<PackageId> {
        self.targets.keys().map(|target| target.package).collect()
    }

    /// Selects every target completely.
    #[must_use]
    pub fn everything(workspace: &Workspace) -> Self {
        let targets = all_targets(workspace);
        let total = Total {
            targets: targets.len(),
            tests: 0,
        };
        let part = || TargetSelection {
            whole: BTreeSet::from([Reason::Widened("the whole suite".to_owned())]),
            ..TargetSelection::default()
        };
        Self {
            targets: targets.into_iter().map(|target| (target, part())).collect(),
            total,
            ..Self::default()
        }
    }

    /// The tests of the workspace that are not selected.
    #[must_use]
    pub fn rest(&self, workspace: &Workspace) -> Self {
        let mut rest = Self::everything(workspace);
        rest.targets.retain(|target, part| {
            let Some(selected) = self.targets.get(target) else {
                return true;
            };
            let reason = Reason::Widened("it is not selected".to_owned());
            let others = selected.known.iter();
            let others = others.filter(|test| !selected.tests.contains_key(*test));
            *part = TargetSelection {
                whole: BTreeSet::new(),
                tests: others.map(|test| (test.clone(), reason.clone())).collect(),
                known: Arc::clone(&selected.known),
            };
            !selected.is_whole()
        });
        rest
    }

    /// Selects every selected target completely: for plans, whose tests are not written yet.
    #[must_use]
    pub fn by_target(mut self) -> Self {
        for part in self.targets.values_mut() {
            let reasons: Vec<Reason> = part.tests.values().take(1).cloned().collect();
            part.whole.extend(reasons);
        }
        self
    }

    /// The packages that may not compile and have a target that no selected test builds.
    #[must_use]
    pub fn not_built(&self, workspace: &Workspace) -> BTreeSet<PackageId> {
        let built: BTreeSet<PackageId> = self.targets.keys().map(|target| target.package).collect();
        let linked = workspace.links(&built);
        let is_built = |(target, build): &(&TestTarget, &Build)| {
            self.targets.contains_key(*target)
                || **build == Build::Library && linked.contains(&target.package)
        };
        let left = self.may_not_compile.iter().filter(|part| !is_built(part));
        left.map(|(target, _)| target.package).collect()
    }

    /// Whether one of these packages has an example that may not compile.
    #[must_use]
    pub fn has_example_of(&self, packages: &BTreeSet<PackageId>) -> bool {
        let mut targets = self.may_not_compile.keys();
        targets.any(|target| {
            matches!(target.kind, TestTargetKind::Example(_)) && packages.contains(&target.package)
        })
    }

    /// Adds the selection of another change in the same workspace.
    pub fn merge(&mut self, other: Self) {
        self.total.targets = self.total.targets.max(other.total.targets);
        self.total.tests = self.total.tests.max(other.total.tests);
        self.items += other.items;
        self.notes.extend(other.notes);
        self.left_out += other.left_out;
        self.touched.extend(other.touched);
        for (target, build) in other.may_not_compile {
            let known = self.may_not_compile.entry(target).or_insert(build);
            *known = build.max(*known);
        }
        for (file, packages) in other.compiled_in {
            self.compiled_in.entry(file).or_default().extend(packages);
        }
        self.files.extend(other.files);
        for (target, part) in other.targets {
            self.targets.entry(target).or_default().merge(part);
        }
        self.without_effect.extend(other.without_effect);
        self.without_effect.sort();
        self.without_effect.dedup();
    }
}
