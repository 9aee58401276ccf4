//! The environment variables that tests depend on, as hashes of their values.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

/// A hash of each variable's value; empty if it is not set.
pub type Environment = BTreeMap<String, String>;

/// Variables that differ between shells, and those that cargo, nextest or this program set for a test.
const SET_BY_OTHERS: [&str; 5] = ["CARGO", "LLVM_PROFILE_FILE", "NEXTEST", "OUT_DIR", "PWD"];

/// Variables that control a build.
const OF_BUILDS: [&str; 8] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "RUSTC",
    "RUSTC_",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// Variables of cargo that only contain a path.
const PLACES: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// The current variables that control builds, and those that strings in these files, relative to `root`, may name.
#[must_use]
pub fn of_files(root: &Utf8Path, files: &[String]) -> Environment {
    let mut names: BTreeSet<String> = build_variables();
    for file in files {
        let Ok(bytes) = std::fs::read(root.join(file)) else {
            continue;
        };
        names.extend(names_in(&String::from_utf8_lossy(&bytes)));
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
        now.into_iter().find(|name| !environment.contains_key(name))
    })
}

fn build_variables() -> BTreeSet<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let counts = |name: &String| {
        let controls =
            |known: &&str| name == known || known.ends_with('_') && name.starts_with(*known);
        OF_BUILDS.iter().any(controls) && !PLACES.contains(&name.as_str())
    };
    names.filter(counts).collect()
}

fn hash_of(name: &str) -> String {
    std::env::var_os(name).map_or_else(String::new, |value| {
        blake3::hash(value.as_encoded_bytes()).to_hex()[..16].to_owned()
    })
}

/// Possible names of variables: string literals in capitals, and arguments of functions and macros that read variables.
fn names_in(text: &str) -> impl Iterator<Item = String> + '_ {
    let is_name = |word: &str| {
        word.len() > 2
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && is_variable(word)
    };
    let mut before = "";
    text.split('"').filter_map(move |word| {
        let reads = ["var(", "var_os(", "env!("];
        let before = std::mem::replace(&mut before, word).trim_end();
        let is_read = reads.iter().any(|read| before.ends_with(read));
        let is_read = is_read && is_variable(word);
        (is_name(word) || is_read).then(|| word.to_owned())
    })
}

/// Whether a word is no variable that differs between shells or that others set.
fn is_variable(word: &str) -> bool {
    !word.is_empty()
        && word != "OLDPWD"
        && !word.contains(['=', '\0', '{'])
        && !SET_BY_OTHERS.iter().any(|lead| word.starts_with(lead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strings_in_capitals() {
        let code = r#"env::var("APP_FAST"); option_env!("V2"); env!("CARGO_PKG_NAME"); x("NO"); y("Path"); env::var_os("app_proxy") "#;
        assert_eq!(
            names_in(code).collect::<Vec<_>>(),
            ["APP_FAST", "V2", "app_proxy"]
        );
        assert_eq!(
            names_in("const A: &str = \"APP_MODE\";").collect::<Vec<_>>(),
            ["APP_MODE"]
        );
    }
}
