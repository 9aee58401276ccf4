//! A selection as arguments of `cargo test` and cargo-nextest. Pure: nothing is run here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Selection, TestKind, TestTarget, all_targets};
use crate::workspace::{PackageId, Workspace, features};

/// One `cargo test` call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What follows `cargo test`: packages, targets, features.
    pub arguments: Vec<String>,
    /// How many test targets it runs.
    pub targets: usize,
}

/// The calls of `cargo test` that together run exactly the selection: packages whose selected targets are written
/// alike share one, since cargo applies a target flag to every package of the call.
#[must_use]
pub fn cargo_test(workspace: &Workspace, selection: &Selection) -> Vec<Invocation> {
    let mut groups: BTreeMap<Vec<String>, (BTreeSet<PackageId>, usize)> = BTreeMap::new();
    let all = all_targets(workspace);
    let all = by_package(&all);
    for (package, selected) in by_package(selection.targets.keys()) {
        for (flags, count) in target_flags(&all[&package], &selected) {
            let group = groups.entry(flags).or_default();
            group.0.insert(package);
            group.1 += count;
        }
    }
    groups
        .into_iter()
        .map(|(flags, (packages, targets))| {
            let mut arguments = package_arguments(workspace, &packages);
            arguments.extend(flags);
            Invocation { arguments, targets }
        })
        .collect()
}

/// One call of `cargo test` that runs the selection, and how many test targets beyond it: cargo applies a target flag
/// to every package of the call, and runs doctests either alone or with a whole package.
#[must_use]
pub fn single_cargo_test(workspace: &Workspace, selection: &Selection) -> Invocation {
    let mut invocations = cargo_test(workspace, selection);
    if invocations.len() == 1 {
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
        .any(|target| target.kind == TestKind::Doc);
    if documented {
        let targets = targets.count();
        return Invocation { arguments, targets };
    }
    let kinds: BTreeSet<&TestKind> = selection
        .targets
        .keys()
        .map(|target| &target.kind)
        .collect();
    arguments.extend(kinds.iter().flat_map(|kind| flag(kind)));
    let targets = targets
        .filter(|target| kinds.contains(&target.kind))
        .count();
    Invocation { arguments, targets }
}

/// Arguments with which `cargo test` runs no test: cargo has none for that, and without any it runs all. A name
/// that no test has, asked of the member that links the fewest others.
#[must_use]
pub fn nothing(workspace: &Workspace) -> Vec<String> {
    let smallest = (0..workspace.packages.len())
        .min_by_key(|package| workspace.links(&BTreeSet::from([*package])).len());
    let mut arguments = smallest.map_or_else(Vec::new, |package| {
        vec!["-p".to_owned(), spec(workspace, package)]
    });
    arguments.extend([
        "--tests".to_owned(),
        "cargo-poc-no-test-is-affected".to_owned(),
    ]);
    arguments
}

/// What follows `cargo nextest run` so that it builds no more than the selection's packages and runs exactly the
/// selection; doctests, which nextest does not run, aside. No filterset where whole packages are selected, so that a
/// test target added later runs too.
#[must_use]
pub fn nextest(workspace: &Workspace, selection: &Selection) -> Vec<String> {
    let mut arguments = package_arguments(workspace, &selection.packages());
    let filters = filters(workspace, selection);
    if filters.iter().any(|(_, whole)| !whole) {
        arguments.extend(["-E".to_owned(), joined(&filters)]);
    }
    arguments
}

/// The selection as a nextest filterset, `none()` when it is empty.
#[must_use]
pub fn filterset(workspace: &Workspace, selection: &Selection) -> String {
    joined(&filters(workspace, selection))
}

fn joined(filters: &[(String, bool)]) -> String {
    let texts: Vec<&str> = filters.iter().map(|(text, _)| text.as_str()).collect();
    if texts.is_empty() {
        "none()".to_owned()
    } else {
        texts.join(" | ")
    }
}

/// A filter for each package that is selected whole (`true`), else for each of its selected targets.
fn filters(workspace: &Workspace, selection: &Selection) -> Vec<(String, bool)> {
    let is_built = |target: &&TestTarget| target.kind != TestKind::Doc;
    let all = all_targets(workspace);
    let all = by_package(all.iter().filter(is_built));
    let mut filters = Vec::new();
    for (package, selected) in by_package(selection.targets.keys().filter(is_built)) {
        if all
            .get(&package)
            .is_some_and(|all| all.is_subset(&selected))
        {
            filters.push((
                format!("package(={})", workspace.packages[package].name),
                true,
            ));
            continue;
        }
        for kind in selected {
            let target = TestTarget {
                package,
                kind: kind.clone(),
            };
            filters.push((
                format!("binary_id(={})", target.binary_id(workspace)),
                false,
            ));
        }
    }
    filters
}

/// `-p` for each package, or `--workspace` for all, and the features a workspace-wide build would have.
#[must_use]
pub fn package_arguments(workspace: &Workspace, packages: &BTreeSet<PackageId>) -> Vec<String> {
    if packages.len() == workspace.packages.len() {
        return vec!["--workspace".to_owned()];
    }
    let mut arguments: Vec<String> = packages
        .iter()
        .flat_map(|&package| ["-p".to_owned(), spec(workspace, package)])
        .collect();
    let features = features::missing(workspace, packages);
    if !features.is_empty() {
        arguments.extend(["--features".to_owned(), features.join(",")]);
    }
    arguments
}

/// How cargo's `-p` names a member: by name, and with its version where members share the name.
///
/// A member wins over a dependency of the same name only when the version tells them apart, so a name that is also a
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

/// Arguments as they are typed in a shell.
#[must_use]
pub fn quoted(arguments: &[String]) -> String {
    let words: Vec<_> = arguments
        .iter()
        .map(|word| shlex::try_quote(word).unwrap_or(word.into()))
        .collect();
    words.join(" ")
}

fn by_package<'a>(
    targets: impl IntoIterator<Item = &'a TestTarget>,
) -> BTreeMap<PackageId, BTreeSet<&'a TestKind>> {
    let mut packages: BTreeMap<PackageId, BTreeSet<&TestKind>> = BTreeMap::new();
    for TestTarget { package, kind } in targets {
        packages.entry(*package).or_default().insert(kind);
    }
    packages
}

/// The target flags for one package's selected targets: none at all for the whole package; else named targets, and
/// `--doc` in a call of its own, which cargo demands.
fn target_flags(
    all: &BTreeSet<&TestKind>,
    selected: &BTreeSet<&TestKind>,
) -> Vec<(Vec<String>, usize)> {
    if all.is_subset(selected) {
        return vec![(Vec::new(), selected.len())];
    }
    let mut calls = Vec::new();
    let flags: Vec<String> = selected.iter().flat_map(|kind| flag(kind)).collect();
    if !flags.is_empty() {
        let doc = usize::from(selected.contains(&TestKind::Doc));
        calls.push((flags, selected.len() - doc));
    }
    if selected.contains(&TestKind::Doc) {
        calls.push((vec!["--doc".to_owned()], 1));
    }
    calls
}

fn flag(kind: &TestKind) -> Vec<String> {
    let named = |flag: &str, name: &str| vec![flag.to_owned(), name.to_owned()];
    match kind {
        TestKind::Library => vec!["--lib".to_owned()],
        TestKind::Binary(name) => named("--bin", name),
        TestKind::Test(name) => named("--test", name),
        TestKind::Example(name) => named("--example", name),
        TestKind::Bench(name) => named("--bench", name),
        TestKind::Doc => Vec::new(),
    }
}
