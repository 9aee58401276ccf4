//! Makes a command for some packages build them, and the members that they use, with the features of the whole configuration.
//!
//! `cargo test -p X` enables fewer features than `cargo test --workspace`, because other members request features of X and of its dependencies
//! too. Tests behind these features are then not built, and the built tests run other code.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::derived::Enabled;
use super::features::{enabled, is_for_host, requested};
use super::{PackageId, Workspace};

/// What a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The selected packages, and members for whose features cargo has no other option.
    pub packages: BTreeSet<PackageId>,
    /// The features, in cargo's forms `feature` and `package/feature`.
    pub features: Vec<String>,
}

/// The packages and features of a command that builds the `selected` packages as the whole configuration does.
///
/// cargo accepts `package/feature` for a selected package and for a direct dependency of one. Any other member gets the features only if it
/// is selected too.
#[must_use]
pub fn named_for(workspace: &Workspace, selected: &BTreeSet<PackageId>) -> Named {
    let configured = workspace.configured_packages();
    let together = workspace.features();
    let mut packages = selected.clone();
    loop {
        let own = requested(workspace, &packages);
        if packages.len() >= configured.len() {
            return Named {
                packages,
                features: own,
            };
        }
        let alone = enabled(workspace, &packages, &own);
        let mut features = [own, of_selected(workspace, &alone, &packages)].concat();
        let mut built = enabled(workspace, &packages, &features);
        // With resolver 1, such a feature applies to the package in the current folder.
        if workspace.resolver().root_alone.is_none() {
            let of_dependencies = of_dependencies(workspace, &built, &packages);
            let all = [features.clone(), of_dependencies].concat();
            let with_dependencies = enabled(workspace, &packages, &all);
            // A name can also enable an optional dependency of another selected package.
            let exceeds = |id| !lacking(workspace, &with_dependencies, together, id).is_empty();
            if !(0..workspace.packages.len()).any(exceeds) {
                (features, built) = (all, with_dependencies);
            }
        }
        let groups: BTreeSet<usize> = selected.iter().map(|&id| workspace.group_of(id)).collect();
        let others = configured.difference(&packages).copied();
        let others = others.filter(|&id| groups.contains(&workspace.group_of(id)));
        let others: Vec<PackageId> = others
            .filter(|&id| !lacking(workspace, together, &built, id).is_empty())
            .collect();
        if others.is_empty() {
            return Named { packages, features };
        }
        packages.extend(others);
    }
}

/// The features of a member that `whole` enables and `part` does not, in the builds that `part` includes.
///
/// `default` is only a name for other features: no code is known to ask for it.
fn lacking(
    workspace: &Workspace,
    whole: &Enabled,
    part: &Enabled,
    id: PackageId,
) -> BTreeSet<String> {
    let builds = [(&whole.target, &part.target), (&whole.host, &part.host)];
    let builds = builds.into_iter().filter_map(|(whole, part)| {
        let part = part[id].as_ref()?;
        Some(whole[id].as_ref()? - part)
    });
    let mut features: BTreeSet<String> = builds.flatten().collect();
    let declared = &workspace.packages[id].features;
    let is_enabled = |entry: &String| declared.contains_key(entry) && !features.contains(entry);
    let default = declared.get("default");
    if default.is_some_and(|entries| entries.iter().all(is_enabled)) {
        features.remove("default");
    }
    features
}

/// The features of the selected packages that `alone`, a build of these packages, does not enable.
fn of_selected(
    workspace: &Workspace,
    alone: &Enabled,
    selected: &BTreeSet<PackageId>,
) -> Vec<String> {
    let together = workspace.features();
    let features = selected.iter().flat_map(|&package| {
        let mut features = together.of(package) - alone.of(package);
        if is_for_host(workspace, package) {
            let host = |enabled: &Enabled| enabled.host[package].clone().unwrap_or_default();
            let of_macro = &host(together) - &host(alone);
            let declared = &workspace.packages[package].features;
            features.extend(
                of_macro
                    .into_iter()
                    .filter(|feature| declared.contains_key(feature)),
            );
        }
        let name = &workspace.packages[package].name;
        let features = shortest(workspace, package, &features).into_iter();
        features.map(move |feature| format!("{name}/{feature}"))
    });
    features.collect()
}

/// The features of direct dependencies of the selected packages that `built`, a build of these packages, does not enable.
fn of_dependencies(
    workspace: &Workspace,
    built: &Enabled,
    selected: &BTreeSet<PackageId>,
) -> Vec<String> {
    let together = workspace.features();
    let mut named = BTreeSet::new();
    for &package in selected {
        for dependency in &workspace.packages[package].dependencies {
            let member = workspace.member_of(dependency);
            let Some(member) = member.filter(|member| !selected.contains(member)) else {
                continue;
            };
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            let features = lacking(workspace, together, built, member);
            let features = shortest(workspace, member, &features).into_iter();
            named.extend(features.map(|feature| format!("{name}/{feature}")));
        }
    }
    named.into_iter().collect()
}

/// The features that enable all of these.
fn shortest(
    workspace: &Workspace,
    package: PackageId,
    features: &BTreeSet<String>,
) -> BTreeSet<String> {
    let declared = &workspace.packages[package].features;
    let enabled_by = |feature: &String| {
        let mut enabled = BTreeSet::from([feature.clone()]);
        let mut pending = vec![feature];
        while let Some(feature) = pending.pop() {
            for entry in declared.get(feature).into_iter().flatten() {
                if declared.contains_key(entry) && enabled.insert(entry.clone()) {
                    pending.push(entry);
                }
            }
        }
        enabled
    };
    let mut by_effect: Vec<(&String, BTreeSet<String>)> = features
        .iter()
        .map(|feature| (feature, enabled_by(feature)))
        .collect();
    by_effect.sort_by_key(|(_, enabled)| Reverse(enabled.len()));
    let mut enabled = BTreeSet::new();
    let needed = by_effect.into_iter().filter(|(feature, effect)| {
        let is_new = !enabled.contains(*feature);
        enabled.extend(effect.iter().filter(|_| is_new).cloned());
        is_new
    });
    needed.map(|(feature, _)| feature.clone()).collect()
}
