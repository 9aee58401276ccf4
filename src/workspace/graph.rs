//! The workspace's packages, their targets, and their dependencies.
//!
//! Input: `cargo metadata --no-deps`, which contains everything about members and needs neither a resolve nor the network. Output:
//! [`Workspace`], whose closures determine what a change can affect.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package, Target, TargetKind};
use rustc_hash::FxHashMap;

use super::configuration::Configuration;
use super::derived::Derived;
use super::id::PackageId;
use crate::exit;
use crate::sys::files;

/// A dependency of one member on another, or on a path outside the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The dependent package.
    pub from: PackageId,
    /// The dependency.
    pub to: PackageId,
    /// The kind of its table.
    pub kind: DependencyKind,
}

/// A cargo workspace with its members, sorted by folder, and their dependencies.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The workspace's root folder, absolute.
    pub root: Utf8PathBuf,
    /// The absolute target folder.
    pub target_directory: Utf8PathBuf,
    /// The members, sorted by folder.
    pub packages: Vec<Package>,
    /// `[workspace.metadata]` of the root manifest, or `null`.
    pub metadata: serde_json::Value,
    /// Folders of path dependencies that are not members, for example excluded ones, with the members that depend on them.
    pub outside: BTreeMap<Utf8PathBuf, BTreeSet<PackageId>>,
    /// The build configuration; one without options until it is set.
    pub configuration: Configuration,
    pub(super) derived: Derived,
    edges: Vec<Edge>,
    built: Option<Utf8PathBuf>,
    /// An index for frequent lookups: hashing a path is faster than comparing.
    by_folder: FxHashMap<Utf8PathBuf, PackageId>,
}

impl Workspace {
    /// Makes the benches the only targets with tests, so that what is selected are benches.
    pub fn test_only_benches(&mut self) {
        for target in self
            .packages
            .iter_mut()
            .flat_map(|package| &mut package.targets)
        {
            target.test = target.kind.contains(&TargetKind::Bench);
            target.doctest = false;
        }
    }

    /// Builds the workspace from cargo's metadata.
    #[must_use]
    pub fn new(metadata: Metadata) -> Self {
        let members: BTreeSet<_> = metadata.workspace_members.iter().collect();
        let mut packages: Vec<Package> = metadata
            .packages
            .into_iter()
            .filter(|package| members.contains(&package.id))
            .collect();
        packages.sort_by(|left, right| left.manifest_path.cmp(&right.manifest_path));
        let by_folder: FxHashMap<_, _> = packages
            .iter()
            .enumerate()
            .map(|(id, package)| (folder_of(package).to_owned(), id))
            .collect();
        let mut folders = packages.iter().map(folder_of);
        let target = &metadata.target_directory;
        let holds_sources = metadata.workspace_root.starts_with(target)
            || folders.any(|folder| folder.starts_with(target));
        let mut workspace = Self {
            built: (!holds_sources).then(|| target.clone()),
            root: metadata.workspace_root,
            target_directory: metadata.target_directory,
            packages,
            metadata: metadata.workspace_metadata,
            outside: BTreeMap::new(),
            configuration: Configuration::default(),
            derived: Derived::default(),
            edges: Vec::new(),
            by_folder,
        };
        workspace.connect();
        workspace
    }

    /// The member of a dependency: the one in its path, or the one with its name, because `[patch]` can replace a registry dependency by a member,
    /// which only the resolved graph would show.
    #[must_use]
    pub fn member_of(&self, dependency: &Dependency) -> Option<PackageId> {
        match &dependency.path {
            Some(path) => self.by_folder.get(path).copied(),
            None => self
                .packages
                .iter()
                .position(|member| member.name.as_str() == dependency.name),
        }
    }

    fn connect(&mut self) {
        let mut edges: Vec<Edge> = Vec::new();
        for (from, package) in self.packages.iter().enumerate() {
            let own = edges.len();
            for dependency in &package.dependencies {
                let kind = dependency.kind;
                if let Some(to) = self.member_of(dependency) {
                    let edge = Edge { from, to, kind };
                    if !edges[own..].contains(&edge) {
                        edges.push(edge);
                    }
                } else if let Some(path) = &dependency.path {
                    self.outside.entry(path.clone()).or_default().insert(from);
                }
            }
        }
        self.edges = edges;
    }

    /// The dependencies between members, each once per kind.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The folder of a member, absolute.
    #[must_use]
    pub fn folder(&self, package: PackageId) -> &Utf8Path {
        folder_of(&self.packages[package])
    }

    /// `path` relative to the workspace root, with `/`; unchanged if it is outside.
    #[must_use]
    pub fn relative<'path>(&self, path: &'path Utf8Path) -> &'path Utf8Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// `path` relative to the workspace root as text, with `/` on every platform, and `../` outside the root.
    #[must_use]
    pub fn slashed(&self, path: &Utf8Path) -> String {
        relative_text(&self.root, path)
    }

    /// The absolute target folder, which contains no sources. `None` if the workspace or a member is inside it.
    #[must_use]
    pub fn built(&self) -> Option<&Utf8Path> {
        self.built.as_deref()
    }

    /// Whether the absolute `path` is in the folder of [`Self::built`].
    #[must_use]
    pub fn is_built(&self, path: &Utf8Path) -> bool {
        self.built().is_some_and(|built| path.starts_with(built))
    }

    /// The innermost member whose folder contains the absolute `path`.
    #[must_use]
    pub fn owner(&self, path: &Utf8Path) -> Option<PackageId> {
        path.ancestors()
            .find_map(|folder| self.by_folder.get(folder).copied())
    }

    /// The absolute path of a file given relative to `folder`, without `.` and `..`.
    ///
    /// # Errors
    /// A usage error if it is outside the workspace.
    pub fn locate(&self, folder: &Utf8Path, path: &Utf8Path) -> Result<Utf8PathBuf> {
        let located = files::normalize(&folder.join(path));
        if located.starts_with(&self.root) {
            return Ok(located);
        }
        Err(exit::usage(format!(
            "{path} is outside the workspace {}; pass files inside it",
            self.root
        )))
    }

    /// The member with this name, or `name@version`.
    ///
    /// # Errors
    /// A usage error with the most similar names.
    pub fn find(&self, spec: &str) -> Result<PackageId> {
        let (name, version) = match spec.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (spec, None),
        };
        let found = self.packages.iter().position(|package| {
            package.name.as_str() == name
                && version.is_none_or(|version| package.version.to_string() == version)
        });
        found.ok_or_else(|| {
            let names: Vec<&str> = self
                .packages
                .iter()
                .map(|package| package.name.as_str())
                .collect();
            exit::usage(format!(
                "no package `{spec}` in the workspace {}{}",
                self.root,
                nearest(name, &names)
            ))
        })
    }

    /// The packages whose test binaries can link any of `changed`, by cargo's rules: normal and build dependencies are transitive, a
    /// dev-dependency affects only the package's own tests.
    #[must_use]
    pub fn linked_by(&self, changed: &BTreeSet<PackageId>) -> BTreeSet<PackageId> {
        self.chains(changed).into_keys().collect()
    }

    /// `packages` and every member that their tests can link: the inputs of their tests.
    #[must_use]
    pub fn links(&self, packages: &BTreeSet<PackageId>) -> BTreeSet<PackageId> {
        self.closure(packages, |edge| {
            let counts = edge.kind != DependencyKind::Development || packages.contains(&edge.from);
            counts.then_some((edge.from, edge.to))
        })
    }

    /// The members that a procedural macro is made of, itself included; for any other package, itself.
    #[must_use]
    pub fn made_of(&self, package: PackageId) -> BTreeSet<PackageId> {
        let start = BTreeSet::from([package]);
        let mut targets = self.packages[package].targets.iter();
        if !targets.any(|target| is_kind(target, &[TargetKind::ProcMacro])) {
            return start;
        }
        self.closure(&start, |edge| {
            (edge.kind == DependencyKind::Normal).then_some((edge.from, edge.to))
        })
    }

    /// The packages whose code may generate code of others: procedural macros, dependencies of build scripts, and the dependencies of both.
    #[must_use]
    pub fn generators(&self) -> BTreeSet<PackageId> {
        let macros = (0..self.packages.len()).filter(|package| {
            let mut targets = self.packages[*package].targets.iter();
            targets.any(|target| is_kind(target, &[TargetKind::ProcMacro]))
        });
        let build = self
            .edges
            .iter()
            .filter(|edge| edge.kind == DependencyKind::Build);
        let start = macros.chain(build.map(|edge| edge.to)).collect();
        self.closure(&start, |edge| {
            (edge.kind != DependencyKind::Development).then_some((edge.from, edge.to))
        })
    }

    /// For each package of [`Self::linked_by`], a shortest chain of members from a changed one to it, each depending on the previous one.
    #[must_use]
    pub fn chains(&self, changed: &BTreeSet<PackageId>) -> BTreeMap<PackageId, Vec<PackageId>> {
        let mut chains: BTreeMap<_, _> = changed
            .iter()
            .map(|&package| (package, vec![package]))
            .collect();
        while self.extend_chains(&mut chains, |kind| kind != DependencyKind::Development) {}
        self.extend_chains(&mut chains, |kind| kind == DependencyKind::Development);
        chains
    }

    /// Extends the chains by one edge of the wanted kinds. Returns whether any package was new.
    fn extend_chains(
        &self,
        chains: &mut BTreeMap<PackageId, Vec<PackageId>>,
        wanted: impl Fn(DependencyKind) -> bool,
    ) -> bool {
        let mut longer = BTreeMap::new();
        for edge in self
            .edges
            .iter()
            .filter(|edge| wanted(edge.kind) && !chains.contains_key(&edge.from))
        {
            if let Some(chain) = chains.get(&edge.to) {
                let mut chain = chain.clone();
                chain.push(edge.from);
                longer.entry(edge.from).or_insert(chain);
            }
        }
        let grew = !longer.is_empty();
        chains.append(&mut longer);
        grew
    }

    /// `packages` sorted so that each follows its dependencies, ignoring dev-dependencies, which may form cycles.
    #[must_use]
    pub fn dependency_order(&self, packages: &BTreeSet<PackageId>) -> Vec<PackageId> {
        let mut order: Vec<PackageId> = packages.iter().copied().collect();
        let depth: BTreeMap<PackageId, usize> = order
            .iter()
            .map(|&package| {
                let needs = self.closure(&BTreeSet::from([package]), |edge| {
                    (edge.kind != DependencyKind::Development).then_some((edge.from, edge.to))
                });
                (package, needs.len())
            })
            .collect();
        order.sort_by_key(|package| (depth[package], *package));
        order
    }

    /// `start` and everything reachable from it; `way` returns the direction of an edge, or `None` to skip it.
    fn closure(
        &self,
        start: &BTreeSet<PackageId>,
        way: impl Fn(&Edge) -> Option<(PackageId, PackageId)>,
    ) -> BTreeSet<PackageId> {
        let mut reached = vec![false; self.packages.len()];
        for package in start {
            reached[*package] = true;
        }
        let ways: Vec<(PackageId, PackageId)> = self.edges.iter().filter_map(way).collect();
        let mut grew = true;
        while grew {
            grew = false;
            for (from, to) in &ways {
                if reached[*from] && !reached[*to] {
                    reached[*to] = true;
                    grew = true;
                }
            }
        }
        (0..reached.len())
            .filter(|package| reached[*package])
            .collect()
    }
}

/// `path` relative to `folder`, both absolute, with `/` on every platform and `../` outside it. Unchanged without a common root, as on two
/// drives.
#[must_use]
pub fn relative_text(folder: &Utf8Path, path: &Utf8Path) -> String {
    let shared = folder
        .components()
        .zip(path.components())
        .take_while(|(left, right)| left == right)
        .count();
    if shared == 0 {
        return files::slashed(path);
    }
    let up = folder.components().skip(shared).map(|_| "..");
    let down = path.components().skip(shared);
    let parts: Vec<&str> = up.chain(down.map(|part| part.as_str())).collect();
    parts.join("/")
}

/// The folder of a package, absolute.
#[must_use]
pub fn folder_of(package: &Package) -> &Utf8Path {
    package
        .manifest_path
        .parent()
        .unwrap_or(&package.manifest_path)
}

/// Whether a target has one of these kinds.
#[must_use]
pub fn is_kind(target: &Target, kinds: &[TargetKind]) -> bool {
    target.kind.iter().any(|kind| kinds.contains(kind))
}

/// Whether the target is its package's library, of any crate type.
#[must_use]
pub fn is_library(target: &Target) -> bool {
    is_kind(
        target,
        &[
            TargetKind::Lib,
            TargetKind::RLib,
            TargetKind::DyLib,
            TargetKind::CDyLib,
            TargetKind::StaticLib,
            TargetKind::ProcMacro,
        ],
    )
}

/// `; did you mean …?` with the names most similar to `wanted`, or nothing if none is similar.
#[must_use]
pub fn nearest(wanted: &str, names: &[&str]) -> String {
    let mut close: Vec<(usize, &str)> = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), *name))
        .filter(|(distance, name)| {
            *distance <= name.len().max(wanted.len()) / 3 + 1 || name.contains(wanted)
        })
        .collect();
    close.sort_unstable();
    let listed: Vec<String> = close
        .iter()
        .take(3)
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if listed.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", listed.join(" or "))
    }
}
