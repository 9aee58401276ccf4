//! The effect of a changed `Cargo.toml` or `Cargo.lock`, compared as TOML before and after.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use toml_edit::{DocumentMut, Item};

use super::dependencies::{self, Entry, Features};
use super::file_effect::FileEffect;
use super::lockfile::Lock;
use super::outside::Outside;
use super::targets::{TestTarget, all_targets};
use super::toml::{changed_keys, parse};
use crate::change::Change;
use crate::sys::files;
use crate::sys::git::{ChangeKind, FileChange};
use crate::workspace::{PackageId, Workspace};

/// The effect of a changed manifest or lockfile.
#[derive(Debug, Default)]
pub(super) struct ManifestEffect {
    /// Effects that do not depend on the names in code.
    pub(super) effects: Vec<FileEffect>,
    /// Crates that members have gained, by their name in code.
    pub(super) gained: BTreeSet<(PackageId, String)>,
    /// Whether more than comments and layout changed: `cargo metadata` prints all keys.
    pub(super) has_changed_keys: bool,
}

impl From<FileEffect> for ManifestEffect {
    fn from(effect: FileEffect) -> Self {
        Self {
            effects: vec![effect],
            gained: BTreeSet::new(),
            has_changed_keys: true,
        }
    }
}

/// Whether cargo reads a `Cargo.toml`: the workspace's, a member's, that of an external package that members build, or a deleted
/// one that may have been a member's. Any other is an ordinary file, such as a fixture.
pub(super) fn rules_a_build(workspace: &Workspace, outside: &Outside, file: &FileChange) -> bool {
    let folder = file.path.parent().unwrap_or(&file.path);
    folder == workspace.root
        || !file.path.exists()
        || outside.is_folder(folder)
        || workspace
            .packages
            .iter()
            .any(|package| package.manifest_path == file.path)
}

/// The effect of a changed manifest. Comments and layout have no effect, and neither do keys that only the registry or a linter
/// reads. A new dependency affects the code that names it. Other dependencies, and the tables of test targets, affect the package,
/// or its own tests alone. A feature affects everything that links its package. `[workspace.dependencies]` affects the members that
/// inherit a changed entry. Any other workspace-wide table affects everything; other keys affect their package.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub(super) fn manifest(
    workspace: &Workspace,
    change: &Change,
    file: &FileChange,
) -> Result<ManifestEffect> {
    let is_root = file.path.parent() == Some(&workspace.root);
    let owner = workspace
        .owner(&file.path)
        .filter(|owner| workspace.packages[*owner].manifest_path == file.path);
    let whole = || match owner {
        Some(package) if !is_root => FileEffect::package(package, "the package's manifest"),
        _ => FileEffect::everything(workspace, "the manifest of no single member"),
    };
    if !is_root && owner.is_none() {
        return Ok(whole().into());
    }
    let (before, after) = match versions(change, file)? {
        Versions::Both(before, after) => (*before, *after),
        // A new or removed member changes the features of its dependencies.
        Versions::New(after) if !is_root => (DocumentMut::new(), *after),
        _ => return Ok(whole().into()),
    };
    let changed = changed_keys(before.as_item(), after.as_item());
    if changed.is_empty() {
        let why = "only comments or layout of the manifest changed";
        return Ok(ManifestEffect {
            has_changed_keys: false,
            ..FileEffect::Nothing(why.into()).into()
        });
    }
    let mut ruled = Ruled::default();
    for key in &changed {
        let sides = (table(&before, key), table(&after, key));
        match (key.as_str(), owner) {
            ("workspace", _) if is_root => {
                if let Some(key) = ruled.by_workspace(workspace, sides) {
                    let why = format!("[workspace] {key} changed");
                    return Ok(FileEffect::everything(workspace, why).into());
                }
            }
            ("patch" | "replace" | "profile", _) | (_, None) => {
                let why = format!("[{key}] of the workspace manifest changed");
                return Ok(FileEffect::everything(workspace, why).into());
            }
            (key, Some(package)) => ruled.by_package(workspace, package, key, sides),
        }
    }
    if let Some(package) = owner {
        ruled.by_dependencies(workspace, package, before.as_item(), after.as_item());
    }
    Ok(ruled.effect(workspace))
}

/// The members that a changed manifest affects.
#[derive(Default)]
struct Ruled {
    /// Affected with the packages that link them.
    packages: BTreeSet<PackageId>,
    /// Affected in their own tests alone.
    tests: BTreeSet<PackageId>,
    /// Affected with the packages that link them, because their features may have changed.
    unified: BTreeSet<PackageId>,
    /// New dependencies of members, each with a description.
    gained: BTreeMap<(PackageId, String), String>,
}

/// Keys of `[package]` that affect no build, excluding those that cargo compiles in as `CARGO_PKG_…`.
const REGISTRY_KEYS: [&str; 7] = [
    "categories",
    "documentation",
    "exclude",
    "include",
    "keywords",
    "publish",
    "default-run",
];

/// Whether `[workspace.lints]` of a manifest changed, also for tools that affect no test.
pub(super) fn lints_changed(change: &Change, file: &FileChange) -> Result<bool> {
    let Versions::Both(before, after) = versions(change, file)? else {
        return Ok(true);
    };
    let [before, after] = [&before, &after].map(|document| table(document, "workspace"));
    Ok(!changed_keys(inside(before, "lints"), inside(after, "lints")).is_empty())
}

/// Lints of tools other than the compiler.
fn is_other_tool(name: &str) -> bool {
    matches!(name, "clippy" | "rustdoc")
}

impl Ruled {
    /// A changed key of a member's manifest.
    fn by_package(
        &mut self,
        workspace: &Workspace,
        package: PackageId,
        key: &str,
        (before, after): (&Item, &Item),
    ) {
        let inside = || changed_keys(before, after);
        match key {
            // Dependencies are compared entry by entry.
            "badges" | "dependencies" | "dev-dependencies" | "dev_dependencies"
            | "build-dependencies" | "build_dependencies" | "target" => {}
            "lints" if inside().iter().all(|tool| is_other_tool(tool)) => {}
            "package" => {
                if !inside()
                    .iter()
                    .all(|key| REGISTRY_KEYS.contains(&key.as_str()))
                {
                    self.packages.insert(package);
                }
            }
            "test" | "bench" | "example" => {
                self.tests.insert(package);
            }
            "features" => {
                self.packages.insert(package);
                let mut features = Features::new(workspace);
                self.unified.extend(features.named_by(before));
                self.unified.extend(features.named_by(after));
            }
            _ => {
                self.packages.insert(package);
            }
        }
    }

    fn by_dependencies(
        &mut self,
        workspace: &Workspace,
        package: PackageId,
        before: &Item,
        after: &Item,
    ) {
        let difference = dependencies::compare(workspace, package, before, after);
        if difference.of_package {
            self.packages.insert(package);
        }
        if difference.of_tests {
            self.tests.insert(package);
        }
        self.unified.extend(difference.unified);
        let gained = difference.gained.into_iter();
        self.gained
            .extend(gained.map(|(name, words)| ((package, name), words)));
    }

    /// The changed keys in `[workspace]`; the first one that affects everything decides.
    fn by_workspace(
        &mut self,
        workspace: &Workspace,
        (before, after): (&Item, &Item),
    ) -> Option<String> {
        for key in changed_keys(before, after) {
            let (before, after) = (inside(before, &key), inside(after, &key));
            let changed = || changed_keys(before, after);
            match key.as_str() {
                "metadata" | "default-members" => {}
                "lints" if changed().iter().all(|tool| is_other_tool(tool)) => {}
                "package"
                    if changed()
                        .iter()
                        .all(|key| REGISTRY_KEYS.contains(&key.as_str())) => {}
                "dependencies" => self.by_inherited(workspace, before, after),
                _ => return Some(key),
            }
        }
        None
    }

    /// The members that inherit from `[workspace.dependencies]`. A new entry is inherited only after a change of the member's manifest.
    fn by_inherited(&mut self, workspace: &Workspace, before: &Item, after: &Item) {
        let changed = changed_keys(before, after);
        let (known, _): (BTreeSet<String>, BTreeSet<String>) = changed
            .into_iter()
            .partition(|key| before.get(key).is_some());
        if known.is_empty() {
            return;
        }
        self.packages.extend(inheriting(workspace, &known));
        let mut features = Features::new(workspace);
        for key in known {
            let sides = [before, after].map(|table| {
                let entry = table.get(&key);
                entry.map(|entry| Entry::read(&key, entry))
            });
            let [Some(old), Some(new)] = sides else {
                continue;
            };
            if old.same_features(&new) {
                continue;
            }
            match features.member(&new.package) {
                Some(member) => {
                    self.unified.insert(member);
                }
                None => self.unified.extend(features.linking(&new.package, None)),
            }
        }
    }

    fn effect(self, workspace: &Workspace) -> ManifestEffect {
        let own: Vec<TestTarget> = all_targets(workspace)
            .into_iter()
            .filter(|target| self.tests.contains(&target.package))
            .collect();
        let mut effects = Vec::new();
        if !self.packages.is_empty() {
            let packages = self.packages.iter().chain(&self.tests).copied();
            effects.push(FileEffect::Packages(
                packages.collect(),
                "changed keys of the manifest".into(),
            ));
        } else if !own.is_empty() {
            effects.push(FileEffect::Targets(
                own,
                "changed keys of the manifest that only the package's own tests use".into(),
            ));
        }
        if !self.unified.is_empty() {
            effects.push(FileEffect::Packages(
                self.unified,
                "built with other features because of feature unification".into(),
            ));
        }
        if effects.is_empty() {
            let gained: Vec<&str> = self.gained.values().map(String::as_str).collect();
            effects.push(FileEffect::Nothing(if gained.is_empty() {
                "only keys that no build uses changed in the manifest".into()
            } else {
                format!("{}: only code that names it counts", gained.join(", "))
            }));
        }
        ManifestEffect {
            effects,
            gained: self.gained.into_keys().collect(),
            has_changed_keys: true,
        }
    }
}

/// The value of a document under `key`; an empty table if it has no such key.
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

/// The effect of a changed lockfile: the members that reach a changed package in the lockfile's graph, which covers every feature and
/// platform. A new or removed package is reached only through one whose list of dependencies changed; if a member's list grew, its
/// manifest shows it.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub(super) fn lockfile(
    workspace: &Workspace,
    change: &Change,
    file: &FileChange,
) -> Result<FileEffect> {
    let Versions::Both(before, after) = versions(change, file)? else {
        return Ok(FileEffect::everything(workspace, "the lockfile"));
    };
    let (before, after) = (Lock::read(&before), Lock::read(&after));
    let in_both = before
        .packages
        .keys()
        .filter(|name| after.packages.contains_key(*name));
    let changed: BTreeSet<&str> = in_both
        .filter(
            |name| match (before.paths.get(*name), after.paths.get(*name)) {
                (Some(before), Some(after)) => !before.is_subset(after),
                _ => before.packages.get(*name) != after.packages.get(*name),
            },
        )
        .map(String::as_str)
        .collect();
    let mut packages = before.members_reaching(workspace, &changed);
    packages.extend(after.members_reaching(workspace, &changed));
    if packages.is_empty() {
        return Ok(FileEffect::Nothing(
            "no member depends on the changed packages of the lockfile".into(),
        ));
    }
    Ok(FileEffect::Packages(
        packages,
        "changed packages of the lockfile".into(),
    ))
}

/// Keys of cargo's configuration that affect no build and no test.
const HARMLESS_KEYS: [&str; 7] = [
    "alias",
    "cache",
    "cargo-new",
    "future-incompat-report",
    "http",
    "install",
    "term",
];

/// Whether only keys that no build uses changed in a file of cargo's configuration.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub(super) fn only_harmless(change: &Change, file: &FileChange) -> Result<bool> {
    let (before, after) = match versions(change, file)? {
        Versions::Both(before, after) => (*before, *after),
        Versions::New(after) => (DocumentMut::new(), *after),
        Versions::Unknown => return Ok(false),
    };
    let changed = changed_keys(before.as_item(), after.as_item());
    Ok(changed
        .iter()
        .all(|key| HARMLESS_KEYS.contains(&key.as_str())))
}

/// A TOML file before and after a change.
enum Versions {
    Both(Box<DocumentMut>, Box<DocumentMut>),
    /// It is new.
    New(Box<DocumentMut>),
    /// It was deleted, a version does not parse, or the change has no base.
    Unknown,
}

fn versions(change: &Change, file: &FileChange) -> Result<Versions> {
    let after = files::read_if_exists(&file.path)?;
    let after = after.and_then(|bytes| parse(&bytes)).map(Box::new);
    let before = change.before(file)?;
    let is_new = before.is_none() && file.kind == ChangeKind::Added && change.base.is_some();
    let before = before.and_then(|bytes| parse(&bytes)).map(Box::new);
    Ok(match (before, after) {
        (Some(before), Some(after)) => Versions::Both(before, after),
        (None, Some(after)) if is_new => Versions::New(after),
        _ => Versions::Unknown,
    })
}
