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
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct OutsidePackage {
    /// Its name, and that of its library if that is another; none if its manifest cannot be read.
    pub(super) names: Vec<String>,
    /// Members that build it, directly or through other external packages.
    pub(super) used_by: BTreeSet<PackageId>,
    /// Members that it depends on, and the members that these link.
    links: BTreeSet<PackageId>,
    /// The folders of its path dependencies.
    depends_on: Vec<Utf8PathBuf>,
}

/// The packages outside the workspace that its members build, by folder.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Outside(BTreeMap<Utf8PathBuf, OutsidePackage>);

impl Outside {
    /// Reads the manifests of all external packages.
    pub(crate) fn read(workspace: &Workspace) -> Self {
        let mut found = Self::default();
        let mut waiting: Vec<(Utf8PathBuf, BTreeSet<PackageId>)> = workspace
            .outside
            .iter()
            .map(|(folder, users)| (folder.clone(), users.clone()))
            .collect();
        waiting.extend(patches(workspace));
        while let Some((folder, users)) = waiting.pop() {
            let package = found.0.entry(folder.clone());
            let package = package.or_insert_with(|| OutsidePackage::read(&folder, workspace));
            let known = package.used_by.len();
            package.used_by.extend(users);
            if known < package.used_by.len() {
                let outside = package.depends_on.iter();
                let outside = outside.filter(|path| member_in(workspace, path).is_none());
                waiting.extend(outside.map(|path| (path.clone(), package.used_by.clone())));
            }
        }
        // The dependents of a package link its dependencies too.
        let folders: Vec<Utf8PathBuf> = found.0.keys().cloned().collect();
        for _ in 0..folders.len() {
            for folder in &folders {
                let package = &found.0[folder];
                let dependencies = package.depends_on.iter();
                let dependencies = dependencies.filter_map(|path| found.0.get(path));
                let links = dependencies.flat_map(|package| &package.links);
                let links: BTreeSet<PackageId> = links.copied().collect();
                if let Some(package) = found.0.get_mut(folder) {
                    package.links.extend(links);
                }
            }
        }
        found
    }

    /// The folders of the packages.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.0.keys()
    }

    /// The packages with their folders.
    pub(super) fn packages(&self) -> impl Iterator<Item = (&Utf8Path, &OutsidePackage)> {
        let all = self.0.iter();
        all.map(|(folder, package)| (folder.as_path(), package))
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
        self.packages()
            .filter(move |(_, package)| package.links.contains(&member))
    }
}

impl OutsidePackage {
    /// The package in `folder`, without its users.
    fn read(folder: &Utf8Path, workspace: &Workspace) -> Self {
        let manifest = files::read(&folder.join("Cargo.toml")).ok();
        let Some(manifest) = manifest.and_then(|bytes| parse(&bytes)) else {
            return Self::default();
        };
        let tables = ["package", "lib"].into_iter();
        let names = tables.filter_map(|table| text_of(manifest.get(table)?, "name"));
        let entries = super::dependencies::entries(manifest.as_item()).into_values();
        let depends_on = entries.filter_map(|entry| match &entry.path {
            Some(path) => Some(files::normalize(&folder.join(path))),
            None if entry.inherited => inherited_path(folder, &entry.key),
            None => None,
        });
        let depends_on: Vec<Utf8PathBuf> = depends_on.filter(|path| path != folder).collect();
        let members = depends_on.iter();
        let members: BTreeSet<PackageId> = members
            .filter_map(|path| member_in(workspace, path))
            .collect();
        Self {
            names: names.map(str::to_owned).collect(),
            used_by: BTreeSet::new(),
            links: workspace.links(&members),
            depends_on,
        }
    }
}

/// The member in a folder.
fn member_in(workspace: &Workspace, folder: &Utf8Path) -> Option<PackageId> {
    (0..workspace.packages.len()).find(|member| workspace.folder(*member) == folder)
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
        if member_in(workspace, &folder).is_some() {
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
