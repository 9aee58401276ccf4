//! Packages outside the workspace that its members build: path dependencies that are not members, and packages of `[patch]` and `[replace]`.
//!
//! `cargo metadata --no-deps` contains the folders of the former but not their dependencies, so their manifests are read here.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{DocumentMut, Item};

use super::lockfile::Lock;
use super::toml::parse;
use crate::sys::files;
use crate::workspace::{PackageId, Workspace};

/// A package outside the workspace.
#[derive(Debug, Default)]
pub(super) struct OutsidePackage {
    /// Members that build it, directly or through other external packages.
    pub(super) used_by: BTreeSet<PackageId>,
    /// Members that it depends on, and the members that these link.
    links: BTreeSet<PackageId>,
}

/// The packages outside the workspace, by folder.
#[derive(Debug, Default)]
pub(super) struct Outside(BTreeMap<Utf8PathBuf, OutsidePackage>);

impl Outside {
    /// Reads the manifests of all external packages.
    pub(super) fn read(workspace: &Workspace) -> Self {
        let mut found = Self::default();
        let mut waiting: Vec<(Utf8PathBuf, BTreeSet<PackageId>)> = workspace
            .outside
            .iter()
            .map(|(folder, users)| (folder.clone(), users.clone()))
            .collect();
        waiting.extend(patches(workspace));
        while let Some((folder, users)) = waiting.pop() {
            let package = found.0.entry(folder.clone()).or_default();
            let known = package.used_by.len();
            package.used_by.extend(&users);
            if known == package.used_by.len() {
                continue;
            }
            let users = package.used_by.clone();
            let mut members = BTreeSet::new();
            for path in path_dependencies(&folder) {
                let member = (0..workspace.packages.len())
                    .find(|member| workspace.folder(*member) == path.as_path());
                match member {
                    Some(member) => {
                        members.insert(member);
                    }
                    None if path != folder => waiting.push((path, users.clone())),
                    None => {}
                }
            }
            if !members.is_empty() {
                let links = workspace.links(&members);
                if let Some(package) = found.0.get_mut(&folder) {
                    package.links.extend(links);
                }
            }
        }
        // The dependents of a package link its dependencies too.
        let pairs: Vec<(Utf8PathBuf, Utf8PathBuf)> = found
            .0
            .keys()
            .flat_map(|folder| {
                let to = path_dependencies(folder).into_iter();
                to.map(|to| (folder.clone(), to)).collect::<Vec<_>>()
            })
            .collect();
        for _ in 0..found.0.len() {
            for (from, to) in &pairs {
                let links = found.0.get(to).map(|package| package.links.clone());
                if let (Some(links), Some(package)) = (links, found.0.get_mut(from)) {
                    package.links.extend(links);
                }
            }
        }
        found
    }

    /// The innermost package whose folder contains a file, with the folder.
    pub(super) fn owner(&self, path: &Utf8Path) -> Option<(&Utf8Path, &OutsidePackage)> {
        path.ancestors().find_map(|folder| {
            let (folder, package) = self.0.get_key_value(folder)?;
            Some((folder.as_path(), package))
        })
    }

    /// Whether a folder is that of such a package.
    pub(super) fn is_folder(&self, folder: &Utf8Path) -> bool {
        self.0.contains_key(folder)
    }

    /// The external packages that link a member, by folder.
    pub(super) fn linking(
        &self,
        member: PackageId,
    ) -> impl Iterator<Item = (&Utf8Path, &OutsidePackage)> {
        let all = self.0.iter();
        let linking = all.filter(move |(_, package)| package.links.contains(&member));
        linking.map(|(folder, package)| (folder.as_path(), package))
    }
}

/// A package outside the workspace, as the members see it that build it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutsideCrate {
    /// Its folder, absolute.
    pub(crate) folder: Utf8PathBuf,
    /// Its name, and that of its library if that is another; none if its manifest cannot be read.
    pub(crate) names: Vec<String>,
    /// Members that build it, directly or through other such packages.
    pub(crate) used_by: BTreeSet<PackageId>,
}

/// All packages outside the workspace that its members build.
pub(crate) fn outside_crates(workspace: &Workspace) -> Vec<OutsideCrate> {
    let found = Outside::read(workspace).0.into_iter();
    let found = found.map(|(folder, package)| OutsideCrate {
        names: names(&folder),
        folder,
        used_by: package.used_by,
    });
    found.collect()
}

/// The names of the package in `folder` and of its library.
fn names(folder: &Utf8Path) -> Vec<String> {
    let manifest = files::read(&folder.join("Cargo.toml")).ok();
    let Some(manifest) = manifest.and_then(|bytes| parse(&bytes)) else {
        return Vec::new();
    };
    let tables = ["package", "lib"].into_iter();
    let names = tables.filter_map(|table| text_of(manifest.get(table)?, "name"));
    names.map(str::to_owned).collect()
}

/// The folders of all packages outside the workspace that its members build.
pub(crate) fn outside_folders(workspace: &Workspace) -> BTreeSet<Utf8PathBuf> {
    Outside::read(workspace).0.into_keys().collect()
}

/// The folders in `[patch]` and `[replace]` of the workspace's manifest, each with the members that depend on the package according to the
/// lockfile, or all of them.
fn patches(workspace: &Workspace) -> Vec<(Utf8PathBuf, BTreeSet<PackageId>)> {
    let Ok(bytes) = files::read(&workspace.root.join("Cargo.toml")) else {
        return Vec::new();
    };
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    if !has(b"patch") && !has(b"replace") {
        return Vec::new();
    }
    let Some(manifest) = parse(&bytes) else {
        return Vec::new();
    };
    let tables = manifest.get("patch").and_then(Item::as_table_like);
    let tables = tables.into_iter().flat_map(|table| table.iter());
    let tables = tables
        .map(|(_, table)| table)
        .chain(manifest.get("replace"));
    let mut found = Vec::new();
    for (key, entry) in tables
        .filter_map(Item::as_table_like)
        .flat_map(|table| table.iter())
    {
        let Some(path) = text_of(entry, "path") else {
            continue;
        };
        let folder = files::normalize(&workspace.root.join(path));
        let is_member = (0..workspace.packages.len())
            .any(|member| workspace.folder(member) == folder.as_path());
        if is_member {
            continue;
        }
        let key = key.split([':', '@']).next().unwrap_or(key);
        let name = text_of(entry, "package").unwrap_or(key).to_owned();
        found.push((folder, users_of(workspace, &name)));
    }
    found
}

/// The members that depend on a package according to the lockfile; all if it is unknown.
fn users_of(workspace: &Workspace, name: &str) -> BTreeSet<PackageId> {
    let lock = files::read(&workspace.root.join("Cargo.lock"));
    let lock = lock.ok().and_then(|bytes| parse(&bytes));
    let all = 0..workspace.packages.len();
    let Some(lock) = lock.map(|lock| Lock::read(&lock)) else {
        return all.collect();
    };
    let users = lock.members_reaching(workspace, &BTreeSet::from([name]));
    if users.is_empty() {
        all.collect()
    } else {
        users
    }
}

/// The folders of the path dependencies of the package in `folder`; empty if its manifest cannot be read.
fn path_dependencies(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let manifest = files::read(&folder.join("Cargo.toml")).ok();
    let Some(manifest) = manifest.and_then(|bytes| parse(&bytes)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in super::dependencies::entries(manifest.as_item()).into_values() {
        if let Some(path) = &entry.path {
            found.push(files::normalize(&folder.join(path)));
        } else if entry.inherited {
            found.extend(inherited_path(folder, &entry.key));
        }
    }
    found
}

/// The path of a dependency in the workspace of an external package.
fn inherited_path(folder: &Utf8Path, key: &str) -> Option<Utf8PathBuf> {
    folder.ancestors().find_map(|root| {
        let bytes = files::read(&root.join("Cargo.toml")).ok()?;
        let manifest: DocumentMut = parse(&bytes)?;
        let entry = manifest.get("workspace")?.get("dependencies")?.get(key)?;
        Some(files::normalize(&root.join(text_of(entry, "path")?)))
    })
}

fn text_of<'i>(entry: &'i Item, key: &str) -> Option<&'i str> {
    entry.as_table_like()?.get(key)?.as_str()
}
