//! `Cargo.lock` as a graph of packages.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item, Value};

use crate::workspace::{PackageId, Workspace};

/// `Cargo.lock` by package name: all entries of that name, as text, and the names they depend on.
#[derive(Debug, Default)]
pub(super) struct Lock {
    pub(super) packages: BTreeMap<String, BTreeSet<String>>,
    needs: BTreeMap<String, BTreeSet<String>>,
    /// Dependencies as written, of packages that are on this disk.
    pub(super) paths: BTreeMap<String, BTreeSet<String>>,
}

impl Lock {
    pub(super) fn read(document: &DocumentMut) -> Self {
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
            if table.get("source").is_none() {
                lock.paths.entry(name.to_owned()).or_default();
            }
            let dependencies = table.get("dependencies").and_then(Item::as_array);
            for dependency in dependencies.into_iter().flatten().filter_map(Value::as_str) {
                let needed = dependency.split(' ').next().unwrap_or(dependency);
                lock.needs
                    .entry(name.to_owned())
                    .or_default()
                    .insert(needed.to_owned());
                if let Some(written) = lock.paths.get_mut(name) {
                    written.insert(dependency.to_owned());
                }
            }
        }
        lock
    }

    /// A package and its dependencies, transitively.
    pub(super) fn needed_by<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([name]);
        let mut waiting = vec![name];
        while let Some(name) = waiting.pop() {
            for need in self.needs.get(name).into_iter().flatten() {
                if found.insert(need) {
                    waiting.push(need);
                }
            }
        }
        found
    }

    /// Whether any package but `one` depends on `name`.
    pub(super) fn is_needed_besides(&self, name: &str, one: Option<&str>) -> bool {
        let mut needs = self.needs.iter();
        needs.any(|(from, needs)| Some(from.as_str()) != one && needs.contains(name))
    }

    /// The members that are, or need, one of `changed`.
    pub(super) fn members_reaching(
        &self,
        workspace: &Workspace,
        changed: &BTreeSet<&str>,
    ) -> BTreeSet<PackageId> {
        self.members_reaching_without(workspace, changed, None)
    }

    /// The same, as if the first package of `without` did not depend on the second.
    pub(super) fn members_reaching_without(
        &self,
        workspace: &Workspace,
        changed: &BTreeSet<&str>,
        without: Option<(&str, &str)>,
    ) -> BTreeSet<PackageId> {
        let mut reached: BTreeSet<&str> = changed.clone();
        loop {
            let before = reached.len();
            for (name, needs) in &self.needs {
                let counts = |need: &&String| without != Some((name.as_str(), need.as_str()));
                let mut needs = needs.iter().filter(counts);
                if needs.any(|need| reached.contains(need.as_str())) {
                    reached.insert(name);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        (0..workspace.packages.len())
            .filter(|package| reached.contains(workspace.packages[*package].name.as_str()))
            .collect()
    }
}
