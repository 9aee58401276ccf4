//! The tests that can reach a function: those that a change of it selects.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::Utf8Path;

use super::programs::TestProgram;
use crate::affected::{self, Selection, TestTarget, TestTargetKind};
use crate::change::Change;
use crate::project::Project;
use crate::sys::git::{ChangeKind, FileChange};
use crate::workspace::PackageId;

/// Removes tests from a selection that execute nothing of a change according to collected coverage.
pub(super) type Narrow<'a> = dyn Fn(&Project, &mut Selection) -> Result<()> + 'a;

/// The selection for a change of one file of the copy, which now has the changed content; `before` is the other content.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub(super) fn selection(
    copy: &Project,
    file: &Utf8Path,
    before: &str,
    narrow: &Narrow<'_>,
) -> Result<Selection> {
    let path = copy.workspace.root.join(file);
    let changed = FileChange {
        path: path.clone(),
        kind: ChangeKind::Modified,
    };
    let held = BTreeMap::from([(path, before.as_bytes().to_vec())]);
    let change = Change::from_earlier_content("without a mutant".to_owned(), vec![changed], held);
    let mut selection = affected::select_in(copy, &change, true)?;
    narrow(copy, &mut selection)?;
    Ok(selection)
}

/// Some tests of the built test binaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tests {
    /// The names of each binary; none for a custom harness.
    pub(super) programs: BTreeMap<TestTarget, BTreeSet<String>>,
    /// Packages with their documentation tests.
    pub(super) docs: BTreeSet<PackageId>,
}

impl Tests {
    /// The tests of a selection.
    pub(super) fn selected(selection: &Selection, programs: &[TestProgram]) -> Self {
        let mut tests = Self::default();
        for program in programs {
            let Some(part) = selection.targets.get(&program.target) else {
                continue;
            };
            let names = program.tests.as_ref();
            let names: Option<BTreeSet<String>> = names.map(|names| {
                let selected = names.iter().filter(|name| part.runs(name));
                selected.cloned().collect()
            });
            if names.as_ref().is_none_or(|names| !names.is_empty()) {
                let names = names.unwrap_or_default();
                tests.programs.insert(program.target.clone(), names);
            }
        }
        let docs = selection.targets.keys();
        let docs = docs.filter(|target| target.kind == TestTargetKind::Doc);
        tests.docs = docs.map(|target| target.package).collect();
        tests
    }

    /// All tests of the programs, and the documentation tests of these packages, except for `selected`.
    pub(super) fn others(
        selected: &Self,
        programs: &[TestProgram],
        docs: &BTreeSet<PackageId>,
    ) -> Self {
        let mut others = Self::default();
        for program in programs {
            let known = selected.programs.get(&program.target);
            match (&program.tests, known) {
                (None, None) => {
                    let names = BTreeSet::new();
                    others.programs.insert(program.target.clone(), names);
                }
                (None, Some(_)) => {}
                (Some(all), known) => {
                    let rest = all.iter();
                    let rest = rest.filter(|name| known.is_none_or(|known| !known.contains(*name)));
                    let rest: BTreeSet<String> = rest.cloned().collect();
                    if !rest.is_empty() {
                        others.programs.insert(program.target.clone(), rest);
                    }
                }
            }
        }
        others.docs = docs - &selected.docs;
        others
    }

    /// The tests that are also in `other`.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let programs = self.programs.iter().filter_map(|(target, names)| {
            let common = names & other.programs.get(target)?;
            (names.is_empty() || !common.is_empty()).then(|| (target.clone(), common))
        });
        Self {
            programs: programs.collect(),
            docs: &self.docs & &other.docs,
        }
    }

    /// Adds other tests.
    pub(super) fn extend(&mut self, other: &Self) {
        for (target, names) in &other.programs {
            let known = self.programs.entry(target.clone()).or_default();
            known.extend(names.iter().cloned());
        }
        self.docs.extend(&other.docs);
    }

    /// The test of a target with this name, or all of its tests.
    pub(super) fn of_target(&self, target: &TestTarget, test: Option<&str>) -> Self {
        let mut tests = Self::default();
        if target.kind == TestTargetKind::Doc {
            tests.docs.insert(target.package);
        } else {
            let all = || self.programs.get(target).cloned().unwrap_or_default();
            let names = test.map_or_else(all, |test| BTreeSet::from([test.to_owned()]));
            tests.programs.insert(target.clone(), names);
        }
        tests
    }

    /// The tests of each target by themselves.
    pub(super) fn parts(&self) -> Vec<Self> {
        let programs = self.programs.iter().map(|(target, names)| Self {
            programs: BTreeMap::from([(target.clone(), names.clone())]),
            ..Self::default()
        });
        let docs = self.docs.iter().map(|package| Self {
            docs: BTreeSet::from([*package]),
            ..Self::default()
        });
        programs.chain(docs).collect()
    }

    /// The targets.
    pub(super) fn targets(&self) -> impl Iterator<Item = TestTarget> {
        let docs = self.docs.iter().map(|package| TestTarget {
            package: *package,
            kind: TestTargetKind::Doc,
        });
        self.programs.keys().cloned().chain(docs)
    }

    /// Removes the tests of a target.
    pub(super) fn remove(&mut self, target: &TestTarget) {
        if target.kind == TestTargetKind::Doc {
            self.docs.remove(&target.package);
        } else {
            self.programs.remove(target);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.programs.is_empty() && self.docs.is_empty()
    }

    /// The number of tests; a binary with a custom harness counts as one, and so do the documentation tests of a package.
    pub(super) fn count(&self) -> usize {
        let named = self.programs.values().map(|names| names.len().max(1));
        named.sum::<usize>() + self.docs.len()
    }
}
