//! Computes the features that cargo enables for members, from manifests alone.
//!
//! Source of the rules: the Cargo Book, "Features", "Feature resolver version 2" and "Feature unification".

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Dependency, DependencyKind, TargetKind};

use super::derived::Enabled;
use super::graph::is_kind;
use super::resolver::Resolver;
use super::{PackageId, Workspace};

/// Whether the library of a package is always compiled for the host with separate features, as procedural macros are.
#[must_use]
pub fn is_for_host(workspace: &Workspace, package: PackageId) -> bool {
    let mut targets = workspace.packages[package].targets.iter();
    let is_macro = targets.any(|target| is_kind(target, &[TargetKind::ProcMacro]));
    is_macro && !workspace.resolver().unifies_host
}

/// The features of the configuration for a command with the `selected` packages: cargo rejects a feature that none of the packages has. A
/// feature of a configuration may be `feature`, for every package that has it, or `package/feature`.
#[must_use]
pub fn requested(workspace: &Workspace, selected: &BTreeSet<PackageId>) -> Vec<String> {
    let mut requested = Vec::new();
    // With resolver 1, a plain feature on the command line applies to the package in the current folder.
    let current = workspace.resolver().root_alone;
    for feature in &workspace.configuration.features {
        let Some((owner, name)) = feature.split_once('/') else {
            let owners = selected.iter().filter(|&&package| {
                let declared = &workspace.packages[package].features;
                declared.contains_key(feature)
            });
            match current {
                None if owners.clone().next().is_some() => requested.push(feature.clone()),
                None => {}
                Some(root) => requested.extend(owners.map(|&package| {
                    if package == root {
                        feature.clone()
                    } else {
                        format!("{}/{feature}", workspace.packages[package].name)
                    }
                })),
            }
            continue;
        };
        let is_selected = |package: &PackageId| {
            let member = &workspace.packages[*package];
            member.name.as_str() == owner || named(workspace, *package, owner).next().is_some()
        };
        if selected.iter().any(is_selected) {
            let is_root =
                current.is_some_and(|root| workspace.packages[root].name.as_str() == owner);
            requested.push(if is_root {
                name.to_owned()
            } else {
                feature.clone()
            });
        }
    }
    requested
}

/// The features of each member when `roots` are built with their tests, in the workspace's configuration but with these `requested` features.
#[must_use]
pub fn enabled(
    workspace: &Workspace,
    roots: &BTreeSet<PackageId>,
    requested: &[String],
) -> Enabled {
    let none = vec![None; workspace.packages.len()];
    let mut unification = Unification {
        workspace,
        resolver: workspace.resolver(),
        tested: roots,
        enabled: [none.clone(), none],
        pending: Vec::new(),
        optional: BTreeSet::new(),
        weak: BTreeMap::new(),
    };
    unification.start(roots, requested);
    while let Some((package, context, feature)) = unification.pending.pop() {
        unification.expand(package, context, &feature);
    }
    let [target, host] = unification.enabled;
    Enabled {
        target,
        host,
        elsewhere: vec![Vec::new(); workspace.packages.len()],
    }
}

/// The features of each member when each group of packages is built and tested for itself.
pub(super) fn enabled_by_group(workspace: &Workspace, groups: &[BTreeSet<PackageId>]) -> Enabled {
    let count = workspace.packages.len();
    let mut all = Enabled {
        target: vec![None; count],
        host: vec![None; count],
        elsewhere: vec![Vec::new(); count],
    };
    for group in groups {
        let mut own = enabled(workspace, group, &requested(workspace, group));
        for package in 0..count {
            let (target, host) = (own.target[package].take(), own.host[package].take());
            if group.contains(&package) {
                all.target[package] = target;
                all.host[package] = host;
            } else {
                all.elsewhere[package].extend(target.into_iter().chain(host));
            }
        }
    }
    all
}

/// The platform that a package is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Context {
    Target,
    Host,
}

/// Computes a fixpoint over feature tables and the dependencies between members.
struct Unification<'workspace> {
    workspace: &'workspace Workspace,
    resolver: &'workspace Resolver,
    /// The packages whose tests are built, with their dev-dependencies.
    tested: &'workspace BTreeSet<PackageId>,
    /// By context and member; `None` if it is not built.
    enabled: [Vec<Option<BTreeSet<String>>>; 2],
    pending: Vec<(PackageId, Context, String)>,
    /// Enabled optional dependencies, by the name in the manifest.
    optional: BTreeSet<(PackageId, Context, String)>,
    /// `name?/feature`, which applies once the dependency is enabled.
    weak: BTreeMap<(PackageId, Context, String), BTreeSet<String>>,
}

impl Unification<'_> {
    fn start(&mut self, roots: &BTreeSet<PackageId>, requested: &[String]) {
        let workspace = self.workspace;
        let configuration = &workspace.configuration;
        let alone = self.resolver.root_alone;
        // With resolver 1, every build includes the package in the current folder.
        let all: BTreeSet<PackageId> = roots.iter().copied().chain(alone).collect();
        // The unit tests of a procedural macro are built for the host, its other tests for the target.
        let contexts = all.iter().flat_map(|&root| {
            let own = self.context_of(root, Context::Target);
            BTreeSet::from([(root, Context::Target), (root, own)])
        });
        for (root, context) in contexts.collect::<Vec<_>>() {
            self.build(root, context);
            let by_flags = alone.is_none_or(|alone| alone == root);
            if !(configuration.no_default_features && by_flags) {
                self.enable(root, context, "default");
            }
            if configuration.all_features {
                for feature in workspace.packages[root].features.keys() {
                    self.enable(root, context, feature);
                }
            }
            for feature in requested {
                match feature.split_once('/') {
                    None if by_flags => self.enable(root, context, feature),
                    None => {}
                    Some((owner, name)) if workspace.packages[root].name.as_str() == owner => {
                        self.enable(root, context, name);
                    }
                    Some((owner, name)) if named(workspace, root, owner).next().is_some() => {
                        self.enable_with(root, context, owner, name);
                    }
                    Some(_) => {}
                }
            }
        }
    }

    fn context_of(&self, package: PackageId, asked: Context) -> Context {
        if is_for_host(self.workspace, package) {
            Context::Host
        } else {
            asked
        }
    }

    /// Adds a package to the build, with its dependencies that are not optional.
    fn build(&mut self, package: PackageId, context: Context) {
        let built = &mut self.enabled[context as usize][package];
        if built.is_some() {
            return;
        }
        *built = Some(BTreeSet::new());
        let workspace = self.workspace;
        for dependency in &workspace.packages[package].dependencies {
            if !dependency.optional {
                self.activate(package, dependency, context);
            }
        }
    }

    fn enable(&mut self, package: PackageId, context: Context, feature: &str) {
        let declared = &self.workspace.packages[package].features;
        if declared.contains_key(feature)
            && let Some(on) = &mut self.enabled[context as usize][package]
            && on.insert(feature.to_owned())
        {
            self.pending.push((package, context, feature.to_owned()));
        }
    }

    /// The features that a dependency of a package built in `context` enables; `None` if the build does not include it.
    fn activate(&mut self, from: PackageId, dependency: &Dependency, context: Context) {
        let Some((member, context)) = self.member(from, dependency, context) else {
            return;
        };
        self.build(member, context);
        if dependency.uses_default_features {
            self.enable(member, context, "default");
        }
        for feature in &dependency.features {
            self.enable(member, context, feature);
        }
    }

    /// The context that a dependency is built in; `None` if the build does not include it.
    fn context(
        &self,
        from: PackageId,
        dependency: &Dependency,
        context: Context,
    ) -> Option<Context> {
        let context = match dependency.kind {
            DependencyKind::Normal => context,
            DependencyKind::Development if self.tested.contains(&from) => context,
            DependencyKind::Build if self.resolver.unifies_host => context,
            DependencyKind::Build => Context::Host,
            _ => return None,
        };
        if !self.resolver.unifies_platforms
            && !self
                .workspace
                .is_for_target(dependency, context == Context::Host)
        {
            return None;
        }
        Some(context)
    }

    /// The member of a dependency, and its build context.
    fn member(
        &self,
        from: PackageId,
        dependency: &Dependency,
        context: Context,
    ) -> Option<(PackageId, Context)> {
        let context = self.context(from, dependency, context)?;
        let member = self.workspace.member_of(dependency)?;
        Some((member, self.context_of(member, context)))
    }

    /// Enables an optional dependency.
    fn depend(&mut self, package: PackageId, context: Context, name: &str) {
        let workspace = self.workspace;
        for dependency in named(workspace, package, name) {
            self.activate(package, dependency, context);
        }
        let key = (package, context, name.to_owned());
        let weak = self.weak.remove(&key);
        if self.optional.insert(key) {
            for feature in weak.into_iter().flatten() {
                self.enable_of(package, context, name, &feature);
            }
        }
    }

    fn enable_of(&mut self, package: PackageId, context: Context, name: &str, feature: &str) {
        let workspace = self.workspace;
        for dependency in named(workspace, package, name) {
            if let Some((member, context)) = self.member(package, dependency, context) {
                self.build(member, context);
                self.enable(member, context, feature);
            }
        }
    }

    /// An entry of a feature table: `feature`, `dep:name`, `name/feature` or `name?/feature`.
    fn expand(&mut self, package: PackageId, context: Context, feature: &str) {
        let workspace = self.workspace;
        let entries = workspace.packages[package].features.get(feature);
        for entry in entries.into_iter().flatten() {
            if let Some(name) = entry.strip_prefix("dep:") {
                self.depend(package, context, name);
            } else if let Some((name, feature)) = entry.split_once('/') {
                match name.strip_suffix('?') {
                    Some(name) => self.enable_weakly(package, context, name, feature),
                    None => self.enable_with(package, context, name, feature),
                }
            } else {
                self.enable(package, context, entry);
            }
        }
    }

    /// `name/feature`: enables the dependency, with the implicit feature of an optional one that the build includes.
    fn enable_with(&mut self, package: PackageId, context: Context, name: &str, feature: &str) {
        self.depend(package, context, name);
        let mut found = named(self.workspace, package, name);
        if found.any(|found| found.optional && self.context(package, found, context).is_some()) {
            self.enable(package, context, name);
        }
        self.enable_of(package, context, name, feature);
    }

    fn enable_weakly(&mut self, package: PackageId, context: Context, name: &str, feature: &str) {
        let key = (package, context, name.to_owned());
        let mut found = named(self.workspace, package, name);
        if found.any(|dependency| !dependency.optional) || self.optional.contains(&key) {
            self.enable_of(package, context, name, feature);
        } else {
            self.weak.entry(key).or_default().insert(feature.to_owned());
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
