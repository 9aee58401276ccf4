//! The environment variables that tests depend on, as hashes of their values.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

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

fn hash_of(name: &str) -> String {
    std::env::var_os(name).map_or_else(String::new, |value| {
        blake3::hash(value.as_encoded_bytes()).to_hex()[..16].to_owned()
    })
}
