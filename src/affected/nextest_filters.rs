//! Converts a selection to arguments and filtersets of cargo-nextest. Pure functions.

use std::fmt::Write as _;

use super::arguments::{LONGEST, MOST, by_package, nextest_packages};
use super::targets::{TestTarget, TestTargetKind, all_targets};
use super::{Selection, TargetSelection, TestSelector};
use crate::workspace::{Workspace, unified};

/// Arguments of `cargo nextest run` that build only the selection's packages and run exactly the selection, without doctests, which
/// nextest does not run. There is no filterset if whole packages are selected, so that new test targets run too.
#[must_use]
pub fn nextest(workspace: &Workspace, selection: &Selection) -> Vec<String> {
    let packages = selection.packages();
    let mut arguments = nextest_packages(workspace, &packages);
    let filters = filters(workspace, selection);
    let has_others = unified::named_for(workspace, &packages).packages != packages;
    if has_others || filters.iter().any(|(_, whole)| !whole) {
        for expression in joined(&filters) {
            arguments.extend(["-E".to_owned(), expression]);
        }
    }
    arguments
}

/// The selection as nextest filtersets, `none()` if it is empty: one, or several for separate `-E` options if one would be too long for
/// an argument.
#[must_use]
pub fn filtersets(workspace: &Workspace, selection: &Selection) -> Vec<String> {
    joined(&filters(workspace, selection))
}

/// A filterset for one test of a binary.
#[must_use]
pub fn one_test(binary: &str, test: &str) -> String {
    format!("binary_id(={binary}) & test(={test})")
}

fn joined(filters: &[(String, bool)]) -> Vec<String> {
    let mut expressions = vec![String::new()];
    for (text, _) in filters {
        let last = expressions.len() - 1;
        if expressions[last].is_empty() {
            expressions[last].clone_from(text);
        } else if expressions[last].len() + text.len() < LONGEST {
            let _ = write!(expressions[last], " | {text}");
        } else {
            expressions.push(text.clone());
        }
    }
    if filters.is_empty() {
        expressions[0].push_str("none()");
    }
    expressions
}

/// A filter for each package that is selected whole (`true`), otherwise for each of its selected targets.
fn filters(workspace: &Workspace, selection: &Selection) -> Vec<(String, bool)> {
    let is_built = |target: &&TestTarget| target.kind != TestTargetKind::Doc;
    let all = all_targets(workspace);
    let all = by_package(all.iter().filter(is_built));
    let mut filters = Vec::new();
    for (package, selected) in by_package(selection.targets.keys().filter(is_built)) {
        let part = |kind: &TestTargetKind| {
            let target = TestTarget {
                package,
                kind: kind.clone(),
            };
            (target.binary_id(workspace), &selection.targets[&target])
        };
        let whole = selected.iter().all(|kind| part(kind).1.is_whole());
        let complete = all
            .get(&package)
            .is_some_and(|all| all.is_subset(&selected));
        if whole && complete {
            let name = &workspace.packages[package].name;
            filters.push((format!("package(={name})"), true));
            continue;
        }
        for (binary, part) in selected.into_iter().map(part) {
            filters.extend(
                of_binary(&binary, part)
                    .into_iter()
                    .map(|filter| (filter, false)),
            );
        }
    }
    let length: usize = filters.iter().map(|(text, _)| text.len()).sum();
    if length > MOST {
        // Select whole binaries if the command line would be too long.
        let targets = selection.targets.keys().filter(is_built);
        let ids = targets.map(|target| target.binary_id(workspace));
        return ids.map(|id| (format!("binary_id(={id})"), false)).collect();
    }
    filters
}

/// A binary without the tests that are named in the sources and not selected.
fn without_others(binary: &str, part: &TargetSelection) -> String {
    let others = part
        .known
        .iter()
        .filter(|name| !part.tests.contains_key(name));
    let others: Option<Vec<String>> = others
        .map(|name| match name {
            TestSelector::Exact(name) => Some(format!("test(={name})")),
            _ => None,
        })
        .collect();
    let others = others.map(|others| others.join(" | "));
    match others.filter(|others| others.len() < LONGEST / 2) {
        Some(others) => format!("(binary_id(={binary}) & not ({others}))"),
        None => format!("binary_id(={binary})"),
    }
}

/// The whole binary, or its selected tests in filters that are short enough for an argument.
fn of_binary(binary: &str, part: &TargetSelection) -> Vec<String> {
    if part.is_whole() {
        return vec![format!("binary_id(={binary})")];
    }
    if part.tests.contains_key(&TestSelector::Unnamed) {
        return vec![without_others(binary, part)];
    }
    let tests = part.tests.keys().filter_map(|name| match name {
        TestSelector::Exact(name) => Some(format!("test(={name})")),
        TestSelector::Prefix(start) => Some(format!("test(#{start}*)")),
        TestSelector::Doc(_) | TestSelector::Unnamed => None,
    });
    let mut groups: Vec<String> = Vec::new();
    for test in tests {
        match groups.last_mut() {
            Some(group) if group.len() + test.len() < LONGEST / 2 => {
                let _ = write!(group, " | {test}");
            }
            _ => groups.push(test),
        }
    }
    groups
        .into_iter()
        .map(|tests| format!("(binary_id(={binary}) & ({tests}))"))
        .collect()
}
