//! The environment variables that tests depend on, as hashes of their values.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::workspace::variables::{build_variables, possible_names};

/// A hash of each variable's value; empty if it is not set.
pub type Environment = BTreeMap<String, String>;

/// The current variables that control builds, and those that these files, relative to `root`, may read.
#[must_use]
pub fn of_files(root: &Utf8Path, files: &[String]) -> Environment {
    let mut names: BTreeSet<String> = build_variables().into_keys().collect();
    for file in files {
        let Ok(bytes) = std::fs::read(root.join(file)) else {
            continue;
        };
        names.extend(possible_names(&String::from_utf8_lossy(&bytes)));
    }
    let value = |name: String| {
        let hash = hash_of(&name);
        (name, hash)
    };
    names.into_iter().map(value).collect()
}

/// The first variable whose value differs.
#[must_use]
pub fn difference(environment: &Environment) -> Option<String> {
    let mut known = environment.iter();
    let changed = known.find(|(name, hash)| hash_of(name) != **hash);
    changed.map(|(name, _)| name.clone()).or_else(|| {
        let now = build_variables();
        now.into_keys().find(|name| !environment.contains_key(name))
    })
}

/// Variables that differ between two commands of one shell.
const OF_SHELL: [&str; 4] = ["_", "OLDPWD", "PWD", "SHLVL"];

/// All variables of a process, without [`OF_SHELL`]: what code may read by names that the sources do not show.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllVariables {
    /// A hash of all names and values.
    hash: String,
    /// For messages, two bytes of the hash of each value, which tell nothing about a secret.
    values: BTreeMap<String, [u8; 2]>,
}

impl AllVariables {
    /// Those of this process.
    #[must_use]
    pub fn now() -> Self {
        let variables = std::env::vars_os();
        let variables = variables.filter(|(name, _)| OF_SHELL.iter().all(|own| name != own));
        let mut hasher = blake3::Hasher::new();
        let mut values = BTreeMap::new();
        for (name, value) in variables.collect::<BTreeMap<_, _>>() {
            let value = blake3::hash(value.as_encoded_bytes());
            hasher.update(blake3::hash(name.as_encoded_bytes()).as_bytes());
            hasher.update(value.as_bytes());
            let [first, second, ..] = *value.as_bytes();
            values.insert(name.to_string_lossy().into_owned(), [first, second]);
        }
        Self {
            hash: hasher.finalize().to_hex().to_string(),
            values,
        }
    }

    /// A variable that is different in another process, in words.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.hash == other.hash {
            return None;
        }
        let mut names = self.values.keys().chain(other.values.keys());
        let name = names.find(|name| self.values.get(*name) != other.values.get(*name));
        Some(name.map_or_else(|| "a variable".to_owned(), |name| format!("`{name}`")))
    }
}

fn hash_of(name: &str) -> String {
    std::env::var_os(name).map_or_else(String::new, |value| {
        blake3::hash(value.as_encoded_bytes()).to_hex()[..16].to_owned()
    })
}
