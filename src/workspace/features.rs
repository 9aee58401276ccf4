//! Which features cargo turns on for members, worked out from manifests alone.
//!
//! `cargo test -p X` turns on fewer features than `cargo test --workspace`, because other members ask for features of
//! X too; tests behind those features then vanish without a word. [`missing`] names what to add.
//! Source of the rules: the Cargo Book, "Features" and "Feature unification".

use std::collections::BTreeSet;

use cargo_metadata::{Dependency, DependencyKind};

use super::{PackageId, Workspace};

/// The features that `--workspace` turns on for each of `selected` and that `-p` for these alone would not,
/// as cargo's `package/feature`.
#[must_use]
pub fn missing(workspace: &Workspace, selected: &BTreeSet<PackageId>) -> Vec<String> {
    let everything: BTreeSet<PackageId> = (0..workspace.packages.len()).collect();
    if *selected == everything {
        return Vec::new();
    }
    let together = unified(workspace, &everything);
    let alone = unified(workspace, selected);
    selected
        .iter()
        .flat_map(|&package| {
            let name = &workspace.packages[package].name;
            together[package]
                .difference(&alone[package])
                .map(move |feature| format!("{name}/{feature}"))
        })
        .collect()
}

/// The features each member has in a test build of `--workspace`, by [`PackageId`].
#[must_use]
pub fn of_workspace(workspace: &Workspace) -> Vec<BTreeSet<String>> {
    unified(workspace, &(0..workspace.packages.len()).collect())
}

/// The features each member has when `roots` are built with their tests: a fixpoint over feature tables and the
/// dependencies between members. Build dependencies are built for the host and do not unify (resolver 2 and later).
fn unified(workspace: &Workspace, roots: &BTreeSet<PackageId>) -> Vec<BTreeSet<String>> {
    let mut state = Unification {
        workspace,
        enabled: vec![BTreeSet::new(); workspace.packages.len()],
        pending: Vec::new(),
    };
    for &root in roots {
        state.enable(root, "default");
    }
    for package in reachable(workspace, roots) {
        for dependency in &workspace.packages[package].dependencies {
            let counts = match dependency.kind {
                DependencyKind::Normal => true,
                DependencyKind::Development => roots.contains(&package),
                _ => false,
            };
            if counts && !dependency.optional {
                state.activate(dependency);
            }
        }
    }
    while let Some((package, feature)) = state.pending.pop() {
        state.expand(package, &feature);
    }
    state.enabled
}

fn reachable(workspace: &Workspace, roots: &BTreeSet<PackageId>) -> BTreeSet<PackageId> {
    workspace.links(roots)
}

struct Unification<'workspace> {
    workspace: &'workspace Workspace,
    enabled: Vec<BTreeSet<String>>,
    pending: Vec<(PackageId, String)>,
}

impl Unification<'_> {
    fn enable(&mut self, package: PackageId, feature: &str) {
        if self.workspace.packages[package]
            .features
            .contains_key(feature)
            && self.enabled[package].insert(feature.to_owned())
        {
            self.pending.push((package, feature.to_owned()));
        }
    }

    fn activate(&mut self, dependency: &Dependency) {
        let Some(member) = self.workspace.member_of(dependency) else {
            return;
        };
        if dependency.uses_default_features {
            self.enable(member, "default");
        }
        for feature in &dependency.features {
            self.enable(member, feature);
        }
    }

    /// One entry of a feature table: `feature`, `dep:name`, `name/feature` or `name?/feature`.
    fn expand(&mut self, package: PackageId, feature: &str) {
        let workspace = self.workspace;
        let entries = workspace.packages[package].features.get(feature);
        for entry in entries.into_iter().flatten() {
            if let Some(name) = entry.strip_prefix("dep:") {
                self.activate_named(package, name);
            } else if let Some((name, feature)) = entry.split_once('/') {
                let (name, weak) = match name.strip_suffix('?') {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                if !weak {
                    self.activate_named(package, name);
                }
                for dependency in named(workspace, package, name) {
                    if let Some(member) = workspace.member_of(dependency) {
                        self.enable(member, feature);
                    }
                }
            } else {
                self.enable(package, entry);
            }
        }
    }

    fn activate_named(&mut self, package: PackageId, name: &str) {
        for dependency in named(self.workspace, package, name) {
            self.activate(dependency);
        }
    }
}

fn named<'workspace>(
    workspace: &'workspace Workspace,
    package: PackageId,
    name: &str,
) -> impl Iterator<Item = &'workspace Dependency> {
    let dependencies = &workspace.packages[package].dependencies;
    dependencies
        .iter()
        .filter(move |dependency| dependency.rename.as_ref().unwrap_or(&dependency.name) == name)
}
