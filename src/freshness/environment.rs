//! Inputs of a build or a test outside the files of the workspace: variables and cargo's configuration.
//!
//! Only hashes of values are stored.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::inputs::{Inputs, VARIABLE, short};
use crate::sys::files;

/// The hash of an unset variable.
const UNSET: &str = "unset";

/// Variables that change a build.
const BUILD_VARIABLES: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_BOOTSTRAP",
];

/// Prefixes of such variables.
const BUILD_PREFIXES: [&str; 6] = [
    "CARGO_BUILD_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "CARGO_RESOLVER_",
    "CARGO_FEATURE_",
];

/// Exceptions, which only control where and how fast cargo builds.
const NO_BUILD_VARIABLES: [&str; 6] = [
    "CARGO_BUILD_JOBS",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_INCREMENTAL",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
];

/// Compiler caches, which do not change a build.
const CACHES: [&str; 3] = ["sccache", "ccache", "cachepot"];

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
    let variables: BTreeMap<String, std::ffi::OsString> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| controls_build(name) && !is_cache(name, value))
        .collect();
    for (name, value) in variables {
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

pub(super) fn controls_build(name: &str) -> bool {
    BUILD_VARIABLES.contains(&name)
        || BUILD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !NO_BUILD_VARIABLES.contains(&name)
}

fn is_cache(name: &str, value: &std::ffi::OsStr) -> bool {
    let program = std::path::Path::new(value).file_stem();
    let program = program
        .and_then(std::ffi::OsStr::to_str)
        .unwrap_or_default();
    name.ends_with("_WRAPPER") && (program.is_empty() || CACHES.contains(&program))
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

    #[test]
    fn build_variables_are_told_from_places() {
        for name in [
            "RUSTFLAGS",
            "CARGO_PROFILE_DEV_LTO",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
        ] {
            assert!(controls_build(name), "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "CARGO_HOME", "PATH"] {
            assert!(!controls_build(name), "{name}");
        }
    }
}
