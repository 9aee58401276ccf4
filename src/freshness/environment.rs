//! Inputs of a build or a test outside the files of the workspace: variables and cargo's configuration.
//!
//! Only hashes of values are stored. Variables that cargo sets, and those that contain paths of a machine or describe its
//! terminal, are excluded: they differ between machines that run the same tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use regex::Regex;

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

/// Variables that cargo sets, or that code may read without an effect on tests.
const PLACES: [&str; 41] = [
    "CARGO",
    "CARGO_HOME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "OUT_DIR",
    "TARGET",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "DEBUG",
    "PROFILE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PATH",
    "PWD",
    "USER",
    "USERNAME",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "HOSTNAME",
    "RUST_BACKTRACE",
    "RUST_TEST_THREADS",
    "NEXTEST",
];

/// Prefixes of such variables.
const PLACE_PREFIXES: [&str; 8] = [
    "CARGO_PKG_",
    "CARGO_BIN_EXE_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_TERM_",
    "NEXTEST_",
    "DEP_",
    "XDG_",
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

/// The names of the variables that a Rust source reads. If it reads one whose name is not a literal, every string in it that
/// could be the name of a variable.
pub(super) fn variables_read(source: &str) -> BTreeSet<String> {
    static READ: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let read = r#"\b(?:var|var_os|(?:option_)?env!)\s*[(\[{]\s*&?\s*(?:"([A-Za-z_][A-Za-z0-9_]*)"|([^)"\s]))"#;
        Regex::new(&format!(
            "{read}|{}|{}",
            r#"\benv\s*=\s*"([A-Za-z_][A-Za-z0-9_]*)""#,
            r"rerun-if-env-changed=([A-Za-z_][A-Za-z0-9_]*)"
        ))
        .ok()
    });
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#""([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)""#).ok());
    let (Some(read), Some(name)) = (READ.as_ref(), NAME.as_ref()) else {
        return BTreeSet::new();
    };
    let mut names = BTreeSet::new();
    if !source.contains("env") {
        return names;
    }
    for found in read.captures_iter(source) {
        let literal = [1, 3, 4].into_iter().find_map(|group| found.get(group));
        match literal {
            Some(literal) => {
                names.insert(literal.as_str().to_owned());
            }
            None => {
                let texts = name.captures_iter(source);
                names.extend(texts.filter_map(|text| Some(text.get(1)?.as_str().to_owned())));
            }
        }
    }
    names.retain(|name| {
        !PLACES.contains(&name.as_str())
            && !PLACE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !controls_build(name)
    });
    names
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

    fn read(source: &str) -> Vec<String> {
        variables_read(source).into_iter().collect()
    }

    #[test]
    fn variables_are_read_in_several_ways() {
        let source = r#"
            fn a() { std::env::var("ONE").ok(); env::var_os( "two" ); let _ = option_env!("THREE"); env!["FOUR"]; }
            #[arg(long, env = "FIVE")]
            fn b() { println!("cargo:rerun-if-env-changed=SIX"); env!("CARGO_MANIFEST_DIR"); env::var("HOME") }
            fn c() { let text = "NOT_READ"; }
        "#;
        assert_eq!(read(source), ["FIVE", "FOUR", "ONE", "SIX", "THREE", "two"]);
    }

    #[test]
    fn a_name_that_is_no_literal_may_be_any_text_of_the_file() {
        let source =
            r#"const KEY: &str = "MY_KEY"; fn a() { std::env::var(KEY); log("some text"); }"#;
        assert_eq!(read(source), ["MY_KEY"]);
    }

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
