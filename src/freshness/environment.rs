//! Inputs of a build or a test outside the files of the workspace: variables and cargo's configuration.
//!
//! Only hashes of values are stored.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::inputs::{Inputs, VARIABLE, short};
use crate::sys::files;
use crate::workspace::variables::build_variables;

/// The hash of an unset variable.
const UNSET: &str = "unset";

/// Tables of cargo's configuration that change a build.
const TABLES: [&str; 6] = ["target", "profile", "env", "patch", "paths", "unstable"];

/// Keys of `[build]` that do not change a build.
const NO_BUILD_KEYS: [&str; 5] = [
    "jobs",
    "target-dir",
    "build-dir",
    "incremental",
    "dep-info-basedir",
];

/// Hashes everything outside the files of the workspace at `root` that controls its build.
///
/// # Errors
/// When a configuration of cargo cannot be read.
pub(super) fn build(root: &Utf8Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), value] {
            hasher.update(part).update(&[0]);
        }
    };
    for (name, value) in build_variables() {
        add(&name, value.as_encoded_bytes());
    }
    for path in configurations(root) {
        let Some(bytes) = files::read_if_exists(&path)? else {
            continue;
        };
        let settings = build_settings(&bytes);
        if !settings.is_empty() {
            add("cargo configuration", &settings);
        }
    }
    Ok(short(hasher.finalize()))
}

/// The files of cargo's configuration outside the workspace; those inside count as files of the workspace.
fn configurations(root: &Utf8Path) -> Vec<Utf8PathBuf> {
    let home = std::env::home_dir().and_then(|home| Utf8PathBuf::from_path_buf(home).ok());
    let cargo_home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from);
    let cargo_home = cargo_home.or(home.map(|home| home.join(".cargo")));
    let above = root.ancestors().skip(1).map(|folder| folder.join(".cargo"));
    let mut folders: Vec<Utf8PathBuf> = above.chain(cargo_home).collect();
    let mut known = BTreeSet::new();
    folders.retain(|folder| known.insert(folder.clone()));
    let files = |folder: Utf8PathBuf| ["config", "config.toml"].map(|name| folder.join(name));
    folders.into_iter().flat_map(files).collect()
}

/// The settings of a configuration that change a build, as text; the whole text if it cannot be parsed.
fn build_settings(bytes: &[u8]) -> Vec<u8> {
    let parsed = str::from_utf8(bytes)
        .ok()
        .and_then(|text| toml_edit::de::from_str::<serde_json::Value>(text).ok());
    let Some(serde_json::Value::Object(mut tables)) = parsed else {
        return bytes.to_vec();
    };
    if let Some(serde_json::Value::Object(build)) = tables.get_mut("build") {
        build.retain(|key, _| !NO_BUILD_KEYS.contains(&key.as_str()));
    }
    tables.retain(|name, table| {
        TABLES.contains(&name.as_str())
            || name == "build" && table.as_object().is_some_and(|build| !build.is_empty())
    });
    if tables.is_empty() {
        return Vec::new();
    }
    serde_json::to_vec(&tables).unwrap_or_else(|_| bytes.to_vec())
}

/// The current inputs for variables with these names.
pub(super) fn values<'n>(names: impl Iterator<Item = &'n String>) -> Inputs {
    let value = |name: &'n String| {
        let value = std::env::var_os(name);
        let hash = value.map_or_else(
            || UNSET.to_owned(),
            |value| short(blake3::hash(value.as_encoded_bytes())),
        );
        (format!("{VARIABLE}{name}"), hash)
    };
    names.map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_change_a_build_are_taken_from_a_configuration() {
        let settings = |text: &str| String::from_utf8(build_settings(text.as_bytes())).unwrap();
        assert_eq!(settings("[build]\njobs = 2\n[net]\noffline = true\n"), "");
        let one = settings("[build]\nrustflags = ['-Cdebuginfo=0'] # a note\njobs = 3\n");
        assert_eq!(one, r#"{"build":{"rustflags":["-Cdebuginfo=0"]}}"#);
        assert_eq!(settings("not toml ["), "not toml [");
    }
}
