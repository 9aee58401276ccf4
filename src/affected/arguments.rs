//! Converts a selection to arguments of `cargo test`, and packages to those of every command. Pure functions.

use std::collections::{BTreeMap, BTreeSet};

use super::targets::{self, TestTarget, TestTargetKind, all_targets};
use super::{Selection, TargetSelection, TestSelector, doctests};
use crate::script::cargo_arguments::cargo_arguments;
use crate::workspace::unified::{self, Named};
use crate::workspace::{Configuration, PackageId, Workspace, features};

/// One `cargo test` call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Arguments of `cargo test`: packages, targets, features.
    pub arguments: Vec<String>,
    /// The selected part of each target by its binary id, if not the whole target.
    pub picks: BTreeMap<String, TargetSelection>,
    /// The number of test targets.
    pub targets: usize,
}

/// The maximum length of an argument in bytes: Linux allows 128 KiB, Windows 32 KiB for the whole command line.
pub(super) const LONGEST: usize = if cfg!(windows) { 8 * 1024 } else { 96 * 1024 };
/// The maximum length of all names of a call.
pub(super) const MOST: usize = if cfg!(windows) {
    24 * 1024
} else {
    1024 * 1024
};

/// The calls of `cargo test` that together run exactly the selection. Packages with equal target flags share a call, because cargo
/// applies a target flag to every package of the call. Whole targets and single tests are in separate calls, and so are packages
/// that do not build together.
#[must_use]
pub fn cargo_test(workspace: &Workspace, selection: &Selection) -> Vec<Invocation> {
    type Key = (bool, usize, Vec<String>);
    let mut groups: BTreeMap<Key, (BTreeSet<PackageId>, Invocation)> = BTreeMap::new();
    let all = all_targets(workspace);
    let all = by_package(&all);
    for picked in [false, true] {
        let targets = || {
            let targets = selection.targets.iter();
            targets.filter(move |(target, part)| is_picked(workspace, target, part) == picked)
        };
        for (package, selected) in by_package(targets().map(|(target, _)| target)) {
            for (flags, kinds) in target_flags(&all[&package], &selected, picked) {
                let key = (picked, workspace.group_of(package), flags);
                let (packages, call) = groups.entry(key).or_default();
                packages.insert(package);
                call.targets += kinds.len();
                if !picked {
                    continue;
                }
                for kind in kinds {
                    let target = TestTarget {
                        package,
                        kind: kind.clone(),
                    };
                    let part = selection.targets[&target].clone();
                    call.picks.insert(target.binary_id(workspace), part);
                }
            }
        }
    }
    groups
        .into_iter()
        .map(|((_, _, flags), (packages, call))| {
            let mut arguments = package_arguments(workspace, &packages);
            arguments.extend(flags);
            Invocation { arguments, ..call }
        })
        .collect()
}

/// The calls of `cargo test` for test binaries, as few as possible, so that cargo builds them together: packages share a call if its
/// target flags match only selected targets. Whole targets and single tests share one too; then the tests of all its targets are listed
/// and named. Targets without libtest may not list their tests and stay apart.
#[must_use]
pub fn cargo_test_together(workspace: &Workspace, selection: &Selection) -> Vec<Invocation> {
    let binaries = selection.only(|target| target.kind != TestTargetKind::Doc);
    let custom = binaries.targets.keys();
    let custom: BTreeSet<&TestTarget> = custom
        .filter(|target| target.has_custom_harness(workspace))
        .collect();
    let listed = binaries.only(|target| !custom.contains(target));
    let selected = by_package(listed.targets.keys());
    let flags = |packages: &BTreeSet<PackageId>| -> BTreeSet<&TestTargetKind> {
        let kinds = packages.iter().flat_map(|package| &selected[package]);
        kinds.copied().collect()
    };
    let is_exact = |packages: &BTreeSet<PackageId>| {
        let flags = flags(packages);
        packages.iter().all(|package| {
            let targets = &workspace.packages[*package].targets;
            let mut matching = targets.iter().filter_map(targets::kind);
            matching.all(|kind| !flags.contains(&kind) || selected[package].contains(&kind))
        })
    };
    let mut groups: Vec<BTreeSet<PackageId>> = Vec::new();
    for &package in selected.keys() {
        let joined = groups.iter().enumerate().find_map(|(at, group)| {
            let mut joined = group.clone();
            joined.insert(package);
            let builds = group
                .iter()
                .all(|other| workspace.group_of(*other) == workspace.group_of(package));
            (builds && is_exact(&joined)).then_some((at, joined))
        });
        match joined {
            Some((at, joined)) => groups[at] = joined,
            None => groups.push(BTreeSet::from([package])),
        }
    }
    let mut calls: Vec<Invocation> = groups
        .iter()
        .map(|packages| {
            let mut arguments = package_arguments(workspace, packages);
            arguments.extend(flags(packages).into_iter().flat_map(flag));
            let targets = listed.targets.iter();
            let targets = targets.filter(|(target, _)| packages.contains(&target.package));
            let mut picks: BTreeMap<String, TargetSelection> = targets
                .map(|(target, part)| (target.binary_id(workspace), part.clone()))
                .collect();
            let targets = picks.len();
            if picks.values().all(TargetSelection::is_whole) {
                picks.clear();
            }
            Invocation {
                arguments,
                picks,
                targets,
            }
        })
        .collect();
    let apart = binaries.only(|target| custom.contains(target));
    calls.extend(cargo_test(workspace, &apart));
    calls
}

/// Whether only some tests of a target run.
fn is_picked(workspace: &Workspace, target: &TestTarget, part: &TargetSelection) -> bool {
    match target.kind {
        TestTargetKind::Doc => doctests::are_filtered(workspace, target, part),
        _ => !part.is_whole(),
    }
}

/// Arguments after `--` of a `cargo test` call that runs these tests. A name prefix makes it run every test whose name contains the
/// prefix.
#[must_use]
pub fn name_arguments<'n>(names: impl IntoIterator<Item = &'n TestSelector>) -> Vec<String> {
    let names: BTreeSet<&TestSelector> = names.into_iter().collect();
    let exact = names
        .iter()
        .all(|name| matches!(name, TestSelector::Exact(_)));
    let texts = names.iter().filter_map(|name| match name {
        TestSelector::Exact(text) | TestSelector::Prefix(text) => Some(text.clone()),
        TestSelector::Doc(_) => None,
        TestSelector::Unnamed => Some(String::new()),
    });
    let texts: Vec<String> = texts.collect();
    let length: usize = texts.iter().map(|text| text.len() + 1).sum();
    if texts.is_empty() || length > MOST || texts.iter().any(String::is_empty) {
        return Vec::new();
    }
    let mut arguments = vec!["--".to_owned()];
    if exact {
        arguments.push("--exact".to_owned());
    }
    arguments.extend(texts);
    arguments
}

impl Invocation {
    /// The names of the selected tests in the sources; empty if those of a target are not known.
    #[must_use]
    pub fn name_arguments(&self) -> Vec<String> {
        let is_unknown = |part: &TargetSelection| part.is_whole() && part.known.is_empty();
        if self.picks.values().any(is_unknown) {
            return Vec::new();
        }
        let names = self.picks.values().flat_map(|part| {
            let whole = part.known.iter().filter(|_| part.is_whole());
            part.tests.keys().chain(whole)
        });
        name_arguments(names)
    }
}

/// One call of `cargo test` that runs the selection, and the number of additional test targets: cargo applies a target flag to every
/// package of the call, and runs doctests either alone or with a whole package.
#[must_use]
pub fn single_cargo_test(workspace: &Workspace, selection: &Selection) -> Invocation {
    let mut invocations = cargo_test(workspace, selection);
    if let [only] = &mut invocations[..] {
        let names = only.name_arguments();
        only.arguments.extend(names);
        return invocations.remove(0);
    }
    let packages = selection.packages();
    let mut arguments = package_arguments(workspace, &packages);
    let targets = all_targets(workspace);
    let targets = targets
        .iter()
        .filter(|target| packages.contains(&target.package));
    let documented = selection
        .targets
        .keys()
        .any(|target| target.kind == TestTargetKind::Doc);
    if documented {
        let targets = targets.count();
        return Invocation {
            arguments,
            targets,
            ..Invocation::default()
        };
    }
    let kinds: BTreeSet<&TestTargetKind> = selection
        .targets
        .keys()
        .map(|target| &target.kind)
        .collect();
    arguments.extend(kinds.iter().flat_map(|kind| flag(kind)));
    // Single tests can be selected only if the names of every target are known.
    let by_name = selection.targets.values().all(|part| part.whole.is_empty());
    if by_name {
        let parts = selection.targets.values();
        arguments.extend(name_arguments(parts.flat_map(|part| part.tests.keys())));
    }
    let targets = targets
        .filter(|target| kinds.contains(&target.kind))
        .count();
    Invocation {
        arguments,
        targets,
        ..Invocation::default()
    }
}

/// Arguments that make `cargo test` run no test, or `cargo bench` no bench; `all` is `tests` or `benches`. cargo has no such option, and
/// without arguments it runs all of them, so this is a name that none has, for the member that links the fewest others.
#[must_use]
pub fn nothing(workspace: &Workspace, all: &str) -> Vec<String> {
    let configured = workspace.configured_packages().into_iter();
    let smallest =
        configured.min_by_key(|package| workspace.links(&BTreeSet::from([*package])).len());
    let mut arguments = smallest.map_or_else(Vec::new, |package| {
        named_packages(workspace, &BTreeSet::from([package]))
    });
    arguments.extend([
        format!("--{all}"),
        "cargo-poc-no-test-is-affected".to_owned(),
    ]);
    arguments
}

/// Arguments of `cargo test` and `cargo check` for these packages in the workspace's configuration: `-p` for each, or `--workspace` for
/// all, then features, target, profile and further arguments.
#[must_use]
pub fn package_arguments(workspace: &Workspace, packages: &BTreeSet<PackageId>) -> Vec<String> {
    if packages.len() == workspace.packages.len() {
        let all = vec!["--workspace".to_owned()];
        let features = features::requested(workspace, packages);
        return [all, build_arguments(workspace, features)].concat();
    }
    named_packages(workspace, packages)
}

/// [`package_arguments`] with every package by name, even for all of them: for commands in plans. `-p` alone enables fewer features than
/// `--workspace`, so the arguments name the others.
#[must_use]
pub fn named_packages(workspace: &Workspace, packages: &BTreeSet<PackageId>) -> Vec<String> {
    let Named { packages, features } = unified::named_for(workspace, packages);
    let names = packages.iter();
    let names = names.flat_map(|&package| ["-p".to_owned(), spec(workspace, package)]);
    names.chain(build_arguments(workspace, features)).collect()
}

fn build_arguments(workspace: &Workspace, mut features: Vec<String>) -> Vec<String> {
    let configuration = &workspace.configuration;
    if configuration.all_features {
        features.retain(|feature| feature.contains('/'));
    }
    let flags = Configuration {
        features,
        ..configuration.clone()
    };
    [flags.feature_arguments(), flags.build_arguments()].concat()
}

/// [`package_arguments`] for nextest, whose `--profile` and `--jobs` differ from cargo's.
#[must_use]
pub fn nextest_packages(workspace: &Workspace, packages: &BTreeSet<PackageId>) -> Vec<String> {
    let arguments = package_arguments(workspace, packages);
    let (options, rest) = cargo_arguments(&arguments);
    let mut renamed = Vec::new();
    for option in options {
        match (option.name, option.value) {
            ("--profile", Some(value)) => {
                renamed.extend(["--cargo-profile".to_owned(), value.to_owned()]);
            }
            ("--jobs", Some(value)) => {
                renamed.extend(["--build-jobs".to_owned(), value.to_owned()]);
            }
            _ => renamed.extend_from_slice(option.words),
        }
    }
    renamed.extend_from_slice(rest);
    renamed
}

/// The argument of `-p` for a member: its name, with its version if members share the name.
///
/// cargo prefers a member to a dependency with the same name only if the version distinguishes them, so a name that is also a
/// dependency's gets the version too.
#[must_use]
pub fn spec(workspace: &Workspace, package: PackageId) -> String {
    let member = &workspace.packages[package];
    let ambiguous = workspace
        .packages
        .iter()
        .filter(|other| other.name == member.name)
        .count()
        > 1
        || workspace
            .packages
            .iter()
            .flat_map(|other| &other.dependencies)
            .any(|dependency| dependency.name == member.name.as_str() && dependency.path.is_none());
    if ambiguous {
        format!("{}@{}", member.name, member.version)
    } else {
        member.name.to_string()
    }
}

/// Arguments quoted for a shell.
#[must_use]
pub fn quoted(arguments: &[String]) -> String {
    let words: Vec<_> = arguments
        .iter()
        .map(|word| shlex::try_quote(word).unwrap_or(word.into()))
        .collect();
    words.join(" ")
}

pub(super) fn by_package<'a>(
    targets: impl IntoIterator<Item = &'a TestTarget>,
) -> BTreeMap<PackageId, BTreeSet<&'a TestTargetKind>> {
    let mut packages: BTreeMap<PackageId, BTreeSet<&TestTargetKind>> = BTreeMap::new();
    for TestTarget { package, kind } in targets {
        packages.entry(*package).or_default().insert(kind);
    }
    packages
}

/// The target flags for one package's selected targets, with the targets of each call: none for the whole package, otherwise named
/// targets, and `--doc` in a separate call, as cargo requires.
fn target_flags<'k>(
    all: &BTreeSet<&TestTargetKind>,
    selected: &BTreeSet<&'k TestTargetKind>,
    picked: bool,
) -> Vec<(Vec<String>, Vec<&'k TestTargetKind>)> {
    if all.is_subset(selected) && !picked {
        return vec![(Vec::new(), selected.iter().copied().collect())];
    }
    let mut calls = Vec::new();
    let (docs, others): (Vec<&TestTargetKind>, Vec<&TestTargetKind>) = selected
        .iter()
        .partition(|kind| ***kind == TestTargetKind::Doc);
    if !others.is_empty() {
        calls.push((others.iter().flat_map(|kind| flag(kind)).collect(), others));
    }
    if !docs.is_empty() {
        calls.push((vec!["--doc".to_owned()], docs));
    }
    calls
}

fn flag(kind: &TestTargetKind) -> Vec<String> {
    let named = |flag: &str, name: &str| vec![flag.to_owned(), name.to_owned()];
    match kind {
        TestTargetKind::Library => vec!["--lib".to_owned()],
        TestTargetKind::Binary(name) => named("--bin", name),
        TestTargetKind::Test(name) => named("--test", name),
        TestTargetKind::Example(name) => named("--example", name),
        TestTargetKind::Bench(name) => named("--bench", name),
        TestTargetKind::Doc => Vec::new(),
    }
}
