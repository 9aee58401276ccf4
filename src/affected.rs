//! Which tests a change can affect.
//!
//! In: the workspace and the change. Out: [`Selection`], the test targets whose outcome the change can alter, each with
//! the reasons that led to it. Where no rule decides, the selection widens and the reason says so.

pub mod arguments;
pub mod items;
mod manifests;
pub mod reach;
pub mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Result;
use cargo_metadata::{Target, TargetKind};
use rayon::prelude::*;

use self::reach::Reach;

use crate::change::Change;
use crate::config::Config;
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::{PackageId, Workspace, features};

/// The tests that one build of one target, or the doctests of one library, hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestTarget {
    /// The member that owns it.
    pub package: PackageId,
    /// Which of its targets.
    pub kind: TestKind,
}

/// A test target within its package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestKind {
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

/// Why a target is selected: a file, what the rule says of it, and the members it travels through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The changed file, relative to the workspace root.
    pub file: String,
    /// How many more files lead here in the same way.
    pub more: usize,
    /// What the file is to the package, in words.
    pub rule: String,
    /// Members from the changed one to the selected one, each depending on the one before.
    pub chain: Vec<PackageId>,
}

/// The test targets a change can affect.
#[derive(Debug, Default)]
pub struct Selection {
    /// Selected targets with their reasons.
    pub targets: BTreeMap<TestTarget, BTreeSet<Reason>>,
    /// Changed files that can affect no test, with why.
    pub without_effect: Vec<(String, String)>,
    /// All test targets of the workspace.
    pub total: usize,
}

/// The test targets reached by `change`.
///
/// # Errors
/// When a changed file's content before the change cannot be asked of git.
pub fn select(workspace: &Workspace, config: &Config, change: &Change) -> Result<Selection> {
    let all = all_targets(workspace);
    let mut selection = Selection {
        total: all.len(),
        ..Selection::default()
    };
    let reached: Vec<Reach> = change
        .files
        .par_iter()
        .map(|file| rules::reach(workspace, config, change, file))
        .collect::<Result<_>>()?;
    let mut by_reach: BTreeMap<Reach, Vec<String>> = BTreeMap::new();
    for (file, reach) in change.files.iter().zip(reached) {
        by_reach
            .entry(reach)
            .or_default()
            .push(workspace.slashed(&file.path));
    }
    for (reach, files) in by_reach {
        selection.add(workspace, &all, reach, files);
    }
    Ok(selection)
}

/// Every test target of the workspace, as a workspace-wide `cargo test` would build them, without the targets whose
/// `required-features` are off.
#[must_use]
pub fn all_targets(workspace: &Workspace) -> Vec<TestTarget> {
    let features = features::of_workspace(workspace);
    let mut all = Vec::new();
    for (package, member) in workspace.packages.iter().enumerate() {
        for target in &member.targets {
            let built = target
                .required_features
                .iter()
                .all(|feature| features[package].contains(feature));
            if built {
                all.extend(kinds(target).map(|kind| TestTarget { package, kind }));
            }
        }
    }
    all
}

/// What `cargo test` runs of a target: its tests where `test = true`, and a library's doctests.
fn kinds(target: &Target) -> impl Iterator<Item = TestKind> {
    let name = || target.name.clone();
    let built = if !target.test {
        None
    } else if is_library(target) {
        Some(TestKind::Library)
    } else if is_kind(target, &[TargetKind::Bin]) {
        Some(TestKind::Binary(name()))
    } else if is_kind(target, &[TargetKind::Test]) {
        Some(TestKind::Test(name()))
    } else if is_kind(target, &[TargetKind::Example]) {
        Some(TestKind::Example(name()))
    } else if is_kind(target, &[TargetKind::Bench]) {
        Some(TestKind::Bench(name()))
    } else {
        None
    };
    built
        .into_iter()
        .chain(target.doctest.then_some(TestKind::Doc))
}

impl Selection {
    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Takes in what another change selects in the same workspace.
    pub fn merge(&mut self, other: Self) {
        self.total = self.total.max(other.total);
        for (target, reasons) in other.targets {
            self.targets.entry(target).or_default().extend(reasons);
        }
        self.without_effect.extend(other.without_effect);
        self.without_effect.sort();
        self.without_effect.dedup();
    }

    /// The members with a selected target.
    #[must_use]
    pub fn packages(&self) -> BTreeSet<PackageId> {
        self.targets.keys().map(|target| target.package).collect()
    }

    fn add(&mut self, workspace: &Workspace, all: &[TestTarget], reach: Reach, files: Vec<String>) {
        let more = files.len() - 1;
        let reason = |rule: &str, chain| Reason {
            file: files[0].clone(),
            more,
            rule: rule.to_owned(),
            chain,
        };
        match reach {
            Reach::Nothing(why) => {
                self.without_effect
                    .extend(files.into_iter().map(|file| (file, why.clone())));
            }
            Reach::Targets(targets, why) => {
                let (built, left_out): (Vec<_>, Vec<_>) =
                    targets.into_iter().partition(|target| all.contains(target));
                if built.is_empty() {
                    let names: Vec<String> = left_out
                        .iter()
                        .map(|target| target.binary_id(workspace))
                        .collect();
                    let what = if names.is_empty() {
                        format!("{why}, which `cargo test` does not run")
                    } else {
                        format!("the required-features of {} are off", names.join(", "))
                    };
                    self.without_effect
                        .extend(files.iter().map(|file| (file.clone(), what.clone())));
                }
                for target in built {
                    let reason = reason(&why, vec![target.package]);
                    self.targets.entry(target).or_default().insert(reason);
                }
            }
            Reach::Packages(packages, why) => {
                let chains = workspace.chains(&packages);
                for target in all {
                    if let Some(chain) = chains.get(&target.package) {
                        let reason = reason(&why, chain.clone());
                        self.targets
                            .entry(target.clone())
                            .or_default()
                            .insert(reason);
                    }
                }
            }
        }
    }
}

impl TestTarget {
    /// The target as cargo describes it; a library for its doctests.
    #[must_use]
    pub fn described<'a>(&self, workspace: &'a Workspace) -> Option<&'a Target> {
        let targets = &workspace.packages[self.package].targets;
        let named = |target: &Target, kind: TargetKind, name: &str| {
            is_kind(target, &[kind]) && target.name == name
        };
        targets.iter().find(|target| match &self.kind {
            TestKind::Library | TestKind::Doc => is_library(target),
            TestKind::Binary(name) => named(target, TargetKind::Bin, name),
            TestKind::Test(name) => named(target, TargetKind::Test, name),
            TestKind::Example(name) => named(target, TargetKind::Example, name),
            TestKind::Bench(name) => named(target, TargetKind::Bench, name),
        })
    }

    /// nextest's id of the binary: `package`, `package::test`, `package::bin/name`; doctests, which nextest does not
    /// run, are `package::doc`.
    #[must_use]
    pub fn binary_id(&self, workspace: &Workspace) -> String {
        let package = &workspace.packages[self.package];
        let name = &package.name;
        match &self.kind {
            TestKind::Library => match package
                .targets
                .iter()
                .find(|target| is_kind(target, &[TargetKind::ProcMacro]))
            {
                Some(target) => format!("{name}::proc-macro/{}", target.name),
                None => name.to_string(),
            },
            TestKind::Binary(binary) => format!("{name}::bin/{binary}"),
            TestKind::Test(test) => format!("{name}::{test}"),
            TestKind::Example(example) => format!("{name}::example/{example}"),
            TestKind::Bench(bench) => format!("{name}::bench/{bench}"),
            TestKind::Doc => format!("{name}::doc"),
        }
    }
}

impl fmt::Display for TestKind {
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
