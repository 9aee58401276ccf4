//! What a changed `Cargo.toml` or `Cargo.lock` reaches: compared as TOML, before and after.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use toml_edit::{DocumentMut, Item, Value};

use super::file_effect::FileEffect;
use super::{TestTarget, all_targets};
use crate::change::Change;
use crate::sys::files;
use crate::sys::git::FileChange;
use crate::workspace::{PackageId, Workspace};

/// Whether a `Cargo.toml` says anything to cargo: the workspace's, a member's, that of a path dependency outside, or
/// one that is gone and may have been a member's. Any other is a file like those around it, a fixture perhaps.
pub(super) fn rules_a_build(workspace: &Workspace, file: &FileChange) -> bool {
    let folder = file.path.parent().unwrap_or(&file.path);
    folder == workspace.root
        || !file.path.exists()
        || workspace.outside.contains_key(folder)
        || workspace
            .packages
            .iter()
            .any(|package| package.manifest_path == file.path)
}

/// What a changed manifest rules. Comments and layout rule nothing, nor does what only the registry reads;
/// dev-dependencies and the tables of test targets rule the package's own tests; `[workspace.dependencies]` rules the
/// members that inherit a changed entry; any other workspace-wide table rules everything; the rest rules its package.
///
/// # Errors
/// When git or the disk cannot be read.
pub(super) fn manifest(
    workspace: &Workspace,
    change: &Change,
    file: &FileChange,
) -> Result<FileEffect> {
    let is_root = file.path.parent() == Some(&workspace.root);
    let owner = workspace
        .owner(&file.path)
        .filter(|owner| workspace.packages[*owner].manifest_path == file.path);
    let whole = || match owner {
        Some(package) if !is_root => FileEffect::package(package, "the package's manifest"),
        _ => FileEffect::everything(workspace, "the manifest of no single member"),
    };
    let Some((before, after)) = versions(change, file)? else {
        return Ok(whole());
    };
    let changed = changed_keys(before.as_item(), after.as_item());
    if changed.is_empty() {
        return Ok(FileEffect::Nothing(
            "only comments or layout of the manifest changed".into(),
        ));
    }
    if !is_root && owner.is_none() {
        return Ok(whole());
    }
    let mut ruled = Ruled::default();
    for key in &changed {
        let sides = (table(&before, key), table(&after, key));
        match (key.as_str(), owner) {
            ("workspace", _) if is_root => {
                if let Some(key) = ruled.by_workspace(workspace, sides) {
                    return Ok(FileEffect::everything(
                        workspace,
                        format!("[workspace] {key} changed"),
                    ));
                }
            }
            ("patch" | "replace" | "profile", _) | (_, None) => {
                return Ok(FileEffect::everything(
                    workspace,
                    format!("[{key}] of the workspace manifest changed"),
                ));
            }
            (key, Some(package)) => ruled.by_package(package, key, sides),
        }
    }
    Ok(ruled.reach(workspace))
}

/// Members that a manifest's change rules.
#[derive(Default)]
struct Ruled {
    /// With all that link them.
    packages: BTreeSet<PackageId>,
    /// Their own tests alone.
    tests: BTreeSet<PackageId>,
}

/// Keys of `[package]` that reach no build; those that cargo compiles in as `CARGO_PKG_…` are not among them.
const REGISTRY_KEYS: [&str; 7] = [
    "categories",
    "documentation",
    "exclude",
    "include",
    "keywords",
    "publish",
    "default-run",
];

impl Ruled {
    /// A changed key of a member's manifest.
    fn by_package(&mut self, package: PackageId, key: &str, (before, after): (&Item, &Item)) {
        match key {
            "badges" => {}
            "package" => {
                let inside = changed_keys(before, after);
                if inside
                    .iter()
                    .any(|key| !REGISTRY_KEYS.contains(&key.as_str()))
                {
                    self.packages.insert(package);
                }
            }
            "dev-dependencies" | "dev_dependencies" | "test" | "bench" | "example" => {
                self.tests.insert(package);
            }
            _ => {
                self.packages.insert(package);
            }
        }
    }

    /// The changed keys inside `[workspace]`; the first that rules everything.
    fn by_workspace(
        &mut self,
        workspace: &Workspace,
        (before, after): (&Item, &Item),
    ) -> Option<String> {
        for key in changed_keys(before, after) {
            match key.as_str() {
                "metadata" | "default-members" => {}
                "dependencies" => {
                    let changed = changed_keys(inside(before, &key), inside(after, &key));
                    self.packages.extend(inheriting(workspace, &changed));
                }
                _ => return Some(key),
            }
        }
        None
    }

    fn reach(self, workspace: &Workspace) -> FileEffect {
        let own: Vec<TestTarget> = all_targets(workspace)
            .into_iter()
            .filter(|target| self.tests.contains(&target.package))
            .collect();
        let what = "what changed in the manifest";
        if self.packages.is_empty() && own.is_empty() {
            FileEffect::Nothing("the manifest changed only where no build reads it".into())
        } else if self.packages.is_empty() {
            FileEffect::Targets(
                own,
                "only the package's own tests read what changed in its manifest".into(),
            )
        } else {
            FileEffect::Packages(
                self.packages.into_iter().chain(self.tests).collect(),
                what.into(),
            )
        }
    }
}

/// What a document holds under `key`; nothing where it has no such key.
fn table<'a>(document: &'a DocumentMut, key: &str) -> &'a Item {
    document.get(key).unwrap_or(&Item::None)
}

fn inside<'a>(item: &'a Item, key: &str) -> &'a Item {
    item.get(key).unwrap_or(&Item::None)
}

/// Members with a dependency `key.workspace = true` for one of `keys`; a manifest that cannot be read counts.
fn inheriting(workspace: &Workspace, keys: &BTreeSet<String>) -> BTreeSet<PackageId> {
    let inherits = |package: &PackageId| {
        let path = &workspace.packages[*package].manifest_path;
        let manifest = files::read(path).ok().and_then(|bytes| parse(&bytes));
        manifest.is_none_or(|manifest| names_inherited(manifest.as_item(), keys))
    };
    (0..workspace.packages.len()).filter(inherits).collect()
}

fn names_inherited(item: &Item, keys: &BTreeSet<String>) -> bool {
    let Some(table) = item.as_table_like() else {
        return false;
    };
    table.iter().any(|(key, value)| {
        let inherited = value
            .as_table_like()
            .and_then(|entry| entry.get("workspace"))
            .and_then(Item::as_bool)
            == Some(true);
        (inherited && keys.contains(key)) || names_inherited(value, keys)
    })
}

/// What a changed lockfile rules: the members that reach a changed package through the lockfile's own graph, which
/// covers every feature and platform.
///
/// # Errors
/// When git or the disk cannot be read.
pub(super) fn lockfile(
    workspace: &Workspace,
    change: &Change,
    file: &FileChange,
) -> Result<FileEffect> {
    let Some((before, after)) = versions(change, file)? else {
        return Ok(FileEffect::everything(workspace, "the lockfile"));
    };
    let (before, after) = (Lock::read(&before), Lock::read(&after));
    let names: BTreeSet<&String> = before
        .packages
        .keys()
        .chain(after.packages.keys())
        .collect();
    let changed: BTreeSet<&str> = names
        .into_iter()
        .filter(|name| before.packages.get(*name) != after.packages.get(*name))
        .map(String::as_str)
        .collect();
    let reached: BTreeSet<&str> = before
        .reaching(&changed)
        .union(&after.reaching(&changed))
        .copied()
        .collect();
    let packages: BTreeSet<PackageId> = (0..workspace.packages.len())
        .filter(|package| reached.contains(workspace.packages[*package].name.as_str()))
        .collect();
    if packages.is_empty() {
        return Ok(FileEffect::Nothing(
            "no member reaches what changed in the lockfile".into(),
        ));
    }
    Ok(FileEffect::Packages(
        packages,
        "packages that changed in the lockfile".into(),
    ))
}

/// `Cargo.lock` by package name: all entries of that name, as text, and the names they depend on.
#[derive(Default)]
struct Lock {
    packages: BTreeMap<String, BTreeSet<String>>,
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Lock {
    fn read(document: &DocumentMut) -> Self {
        let mut lock = Self::default();
        let tables = document.get("package").and_then(Item::as_array_of_tables);
        for table in tables.into_iter().flatten() {
            let Some(name) = table.get("name").and_then(Item::as_str) else {
                continue;
            };
            let entry: BTreeSet<String> = table
                .iter()
                .map(|(key, value)| format!("{key}={}", value.to_string().trim()))
                .collect();
            lock.packages
                .entry(name.to_owned())
                .or_default()
                .insert(format!("{entry:?}"));
            let dependencies = table.get("dependencies").and_then(Item::as_array);
            for dependency in dependencies.into_iter().flatten().filter_map(Value::as_str) {
                let needed = dependency.split(' ').next().unwrap_or(dependency);
                lock.needs
                    .entry(name.to_owned())
                    .or_default()
                    .insert(needed.to_owned());
            }
        }
        lock
    }

    /// `changed` and every package that needs one of them.
    fn reaching<'a>(&'a self, changed: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut reached = changed.clone();
        loop {
            let before = reached.len();
            for (name, needs) in &self.needs {
                if needs.iter().any(|need| reached.contains(need.as_str())) {
                    reached.insert(name);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }
}

/// Both versions of a TOML file; `None` when one is missing or does not parse, or the change has no base.
fn versions(change: &Change, file: &FileChange) -> Result<Option<(DocumentMut, DocumentMut)>> {
    let Some(before) = change.before(file)? else {
        return Ok(None);
    };
    let Some(after) = files::read_if_exists(&file.path)? else {
        return Ok(None);
    };
    Ok(parse(&before).zip(parse(&after)))
}

fn parse(bytes: &[u8]) -> Option<DocumentMut> {
    std::str::from_utf8(bytes)
        .ok()?
        .trim_start_matches('\u{feff}')
        .parse()
        .ok()
}

/// The keys whose values differ between two tables, comments and layout aside.
fn changed_keys(before: &Item, after: &Item) -> BTreeSet<String> {
    let (before, after) = (entries(before), entries(after));
    before
        .keys()
        .chain(after.keys())
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

fn entries(item: &Item) -> BTreeMap<String, String> {
    let table = item.as_table_like();
    table
        .into_iter()
        .flat_map(|table| table.iter())
        .map(|(key, value)| (key.to_owned(), canonical(value)))
        .collect()
}

/// A value's text with keys sorted and no layout: two values are equal exactly when these are.
fn canonical(item: &Item) -> String {
    if item.as_table_like().is_some() {
        let inside: Vec<String> = entries(item)
            .into_iter()
            .map(|(key, value)| format!("{key:?}={value}"))
            .collect();
        return format!("{{{}}}", inside.join(","));
    }
    if let Some(array) = item.as_array() {
        let inside: Vec<String> = array
            .iter()
            .map(|value| canonical(&Item::Value(value.clone())))
            .collect();
        return format!("[{}]", inside.join(","));
    }
    if let Some(tables) = item.as_array_of_tables() {
        let inside: Vec<String> = tables
            .iter()
            .map(|table| canonical(&Item::Table(table.clone())))
            .collect();
        return format!("[{}]", inside.join(","));
    }
    match item.as_str() {
        Some(text) => format!("{text:?}"),
        None => item
            .to_string()
            .split('#')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
    }
}
