//! Compares the dependencies of a manifest before and after a change, and finds the packages whose features change.
//!
//! cargo builds a package once for the whole workspace, with the features that all its dependents request ("Feature unification", the
//! Cargo book), so a feature of one member affects every test that links the package.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{Item, Value};

use super::lockfile::Lock;
use super::toml::{canonical, parse};
use crate::sys::files;
use crate::workspace::{PackageId, Workspace};

/// The table of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Normal,
    Development,
    Build,
}

/// A dependency in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its key, which is the crate's name in code.
    pub(super) key: String,
    /// The name of the package.
    pub(super) package: String,
    pub(super) path: Option<String>,
    /// `workspace = true`.
    pub(super) inherited: bool,
    /// Features, and whether default features are on.
    features: (BTreeSet<String>, Option<bool>),
    /// The whole entry in a normal form.
    text: String,
}

/// The position of a dependency: the `cfg` or triple of its `[target]` table, or nothing; the table; its key.
pub(super) type Place = (String, Table, String);

const TABLES: [(&str, Table); 5] = [
    ("dependencies", Table::Normal),
    ("dev-dependencies", Table::Development),
    ("dev_dependencies", Table::Development),
    ("build-dependencies", Table::Build),
    ("build_dependencies", Table::Build),
];

/// All dependencies of a manifest.
pub(super) fn entries(manifest: &Item) -> BTreeMap<Place, Entry> {
    let mut found = BTreeMap::new();
    add(manifest, "", &mut found);
    let targets = manifest.get("target").and_then(Item::as_table_like);
    for (target, tables) in targets.into_iter().flat_map(|table| table.iter()) {
        add(tables, target, &mut found);
    }
    found
}

fn add(tables: &Item, target: &str, found: &mut BTreeMap<Place, Entry>) {
    for (name, table) in TABLES {
        let entries = tables.get(name).and_then(Item::as_table_like);
        for (key, entry) in entries.into_iter().flat_map(|table| table.iter()) {
            let place = (target.to_owned(), table, key.to_owned());
            found.insert(place, Entry::read(key, entry));
        }
    }
}

impl Entry {
    pub(super) fn read(key: &str, entry: &Item) -> Self {
        let inside = |name: &str| entry.as_table_like().and_then(|table| table.get(name));
        let text = |name: &str| inside(name).and_then(Item::as_str).map(str::to_owned);
        let features = inside("features").and_then(Item::as_array);
        let features = features.into_iter().flatten().filter_map(Value::as_str);
        let default = inside("default-features").or_else(|| inside("default_features"));
        Self {
            key: key.to_owned(),
            package: text("package").unwrap_or_else(|| key.to_owned()),
            path: text("path"),
            inherited: inside("workspace").and_then(Item::as_bool) == Some(true),
            features: (
                features.map(str::to_owned).collect(),
                default.and_then(Item::as_bool),
            ),
            text: canonical(entry),
        }
    }

    pub(super) fn same_features(&self, other: &Self) -> bool {
        self.features == other.features && self.package == other.package
    }

    fn asks_for_features(&self) -> bool {
        !self.features.0.is_empty() || self.features.1.is_some()
    }
}

/// The changed dependencies of one member.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Members whose features may have changed, and those that link an external package whose features may have.
    pub(super) unified: BTreeSet<PackageId>,
    /// New dependencies of the member: the crate's name in code, and a description.
    pub(super) gained: Vec<(String, String)>,
    /// A normal or build dependency was removed or replaced, or a build dependency is new.
    pub(super) of_package: bool,
    /// A dev-dependency was removed or replaced.
    pub(super) of_tests: bool,
}

/// Compares the dependencies of a member.
pub(super) fn compare(
    workspace: &Workspace,
    package: PackageId,
    before: &Item,
    after: &Item,
) -> Difference {
    let (before, after) = (entries(before), entries(after));
    let places: BTreeSet<&Place> = before.keys().chain(after.keys()).collect();
    let mut difference = Difference::default();
    let mut features = Features::new(workspace);
    for place in places {
        let sides = (before.get(place), after.get(place));
        if let (Some(before), Some(after)) = sides
            && before.text == after.text
        {
            continue;
        }
        let (_, table, key) = place;
        match (sides, table) {
            ((None, Some(_)), Table::Normal | Table::Development) => {
                let name = if *table == Table::Normal {
                    "dependencies"
                } else {
                    "dev-dependencies"
                };
                let words = format!("`[{name}] {key}` added");
                difference.gained.push((key.replace('-', "_"), words));
            }
            (_, Table::Development) => difference.of_tests = true,
            _ => difference.of_package = true,
        }
        difference
            .unified
            .extend(features.changed_by(package, sides.0, sides.1));
    }
    difference
}

/// Finds the packages whose features a changed dependency changes.
pub(super) struct Features<'w> {
    workspace: &'w Workspace,
    /// The entries of `[workspace.dependencies]`.
    inherited: Option<BTreeMap<String, Entry>>,
    lock: OnceCell<Option<Lock>>,
}

impl<'w> Features<'w> {
    pub(super) fn new(workspace: &'w Workspace) -> Self {
        Self {
            workspace,
            inherited: None,
            lock: OnceCell::new(),
        }
    }

    /// The members whose features may change because a dependency of `package` changed from `before` to `after`.
    fn changed_by(
        &mut self,
        package: PackageId,
        before: Option<&Entry>,
        after: Option<&Entry>,
    ) -> BTreeSet<PackageId> {
        let asks: Vec<Entry> = [before, after]
            .into_iter()
            .flatten()
            .flat_map(|entry| {
                let inherited = entry
                    .inherited
                    .then(|| self.inherited(&entry.key))
                    .flatten();
                [Some(entry.clone()), inherited].into_iter().flatten()
            })
            .collect();
        let Some(named) = asks.last().map(|entry| entry.package.clone()) else {
            return BTreeSet::new();
        };
        let asks_for_features = asks.iter().any(Entry::asks_for_features);
        if let Some(member) = self.member(&named) {
            // A member is always built with its default features.
            return asks_for_features.then_some(member).into_iter().collect();
        }
        let same = before.zip(after).is_some_and(|(before, after)| {
            before.features == after.features && before.inherited == after.inherited
        });
        if same {
            return BTreeSet::new();
        }
        let is_new = before.is_none();
        self.linking(&named, Some(package).filter(|_| is_new))
    }

    /// The members that link an external package, or one of its dependencies, ignoring the dependency of `gained`.
    pub(super) fn linking(&mut self, name: &str, gained: Option<PackageId>) -> BTreeSet<PackageId> {
        let workspace = self.workspace;
        let Some(lock) = self.lock() else {
            return of_registries(workspace, name, gained);
        };
        let mut changed = lock.needed_by(name);
        let gaining = gained.map(|package| workspace.packages[package].name.as_str());
        if gained.is_some() && !lock.is_needed_besides(name, gaining) {
            // Only the member that gained it links it.
            changed.remove(name);
        }
        let without = gaining.map(|gaining| (gaining, name));
        lock.members_reaching_without(workspace, &changed, without)
    }

    /// The members whose features, or those of their dependencies, change with features named by strings such as `dep/feature` in a
    /// `[features]` table.
    pub(super) fn named_by(&mut self, table: &Item) -> BTreeSet<PackageId> {
        let mut found = BTreeSet::new();
        let values = table.as_table_like();
        let lists = values.into_iter().flat_map(|table| table.iter());
        for text in lists
            .filter_map(|(_, list)| list.as_array())
            .flatten()
            .filter_map(Value::as_str)
        {
            let name = match (text.strip_prefix("dep:"), text.split_once('/')) {
                (Some(name), _) => name,
                (None, Some((name, _))) => name.trim_end_matches('?'),
                _ => continue,
            };
            match self.member(name) {
                Some(member) => {
                    found.insert(member);
                }
                None => found.extend(self.linking(name, None)),
            }
        }
        found
    }

    pub(super) fn member(&self, name: &str) -> Option<PackageId> {
        let mut members = self.workspace.packages.iter();
        members.position(|member| member.name.as_str() == name)
    }

    fn inherited(&mut self, key: &str) -> Option<Entry> {
        let root = &self.workspace.root;
        let known = self.inherited.get_or_insert_with(|| {
            let manifest = files::read(&root.join("Cargo.toml")).ok();
            let manifest = manifest.and_then(|bytes| parse(&bytes));
            let table = manifest.as_ref().and_then(|manifest| {
                let table = manifest.get("workspace")?.get("dependencies")?;
                table.as_table_like()
            });
            let entries = table.into_iter().flat_map(|table| table.iter());
            entries
                .map(|(key, entry)| (key.to_owned(), Entry::read(key, entry)))
                .collect()
        });
        known.get(key).cloned()
    }

    fn lock(&self) -> Option<&Lock> {
        let root = &self.workspace.root;
        let lock = self.lock.get_or_init(|| {
            let bytes = files::read(&root.join("Cargo.lock")).ok()?;
            Some(Lock::read(&parse(&bytes)?))
        });
        lock.as_ref()
    }
}

/// The members with an external dependency, any of which may need `name`, ignoring the dependency of `gained`.
fn of_registries(
    workspace: &Workspace,
    name: &str,
    gained: Option<PackageId>,
) -> BTreeSet<PackageId> {
    let has = |package: &PackageId| {
        let mut dependencies = workspace.packages[*package].dependencies.iter();
        dependencies.any(|dependency| {
            let is_gained = gained == Some(*package) && dependency.name == name;
            !is_gained && workspace.member_of(dependency).is_none()
        })
    };
    (0..workspace.packages.len()).filter(has).collect()
}
