//! Calls of cargo that run tests, and the configurations that they build in.

use std::collections::BTreeMap;

use crate::config::configurations::check_features;
use crate::sys::{cargo_alias, files};
use crate::workspace::{Configuration, Workspace};

/// A call of cargo that runs tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CargoCall {
    /// The words after `cargo`, up to `--`.
    pub(super) words: Vec<String>,
    /// The flags of rustc that are assigned before it.
    pub(super) flags: Option<String>,
}

/// The calls of cargo in a command that run tests.
pub(super) fn cargo_calls(
    command: &str,
    aliases: &BTreeMap<String, Vec<String>>,
) -> Vec<CargoCall> {
    let parts = command.split("&&").flat_map(|part| part.split(['|', ';']));
    let calls = parts.filter_map(|part| {
        let words = shlex::split(part)?;
        let at = words.iter().position(|word| word == "cargo")?;
        let assigned = words[..at].iter().rev();
        let flags = assigned.filter_map(|word| word.strip_prefix("RUSTFLAGS="));
        let flags = flags.map(str::to_owned).next();
        let mut words: Vec<String> = words[at + 1..].to_vec();
        if words.first().is_some_and(|word| word.starts_with('+')) {
            words.remove(0);
        }
        words = cargo_alias::resolve(words, aliases);
        let end = words.iter().position(|word| word == "--");
        words.truncate(end.unwrap_or(words.len()));
        let runs_tests = matches!(
            words.iter().map(String::as_str).collect::<Vec<_>>()[..],
            ["test" | "t", ..] | ["nextest", "run" | "r", ..]
        );
        runs_tests.then_some(CargoCall { words, flags })
    });
    calls.collect()
}

/// The configuration of a call; `None` if it is unknown, or belongs to another workspace.
pub(super) fn configuration(workspace: &Workspace, call: &CargoCall) -> Option<Configuration> {
    let words = &call.words;
    let is_nextest = words.first().is_some_and(|word| word == "nextest");
    let mut found = Configuration::default();
    if let Some(flags) = &call.flags
        && flags.contains("--cfg")
    {
        found
            .environment
            .insert("RUSTFLAGS".to_owned(), flags.clone());
    }
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let (flag, joined) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || joined.clone().or_else(|| words.next().cloned());
        match flag {
            "--all-features" => found.all_features = true,
            "--no-default-features" => found.no_default_features = true,
            "--features" | "-F" => {
                let features = value()?;
                let features = features.split([',', ' ']).filter(|name| !name.is_empty());
                found.features.extend(features.map(str::to_owned));
            }
            "--target" => found.target = Some(value()?),
            "--release" | "-r" => found.profile = Some("release".to_owned()),
            "--cargo-profile" => found.profile = Some(value()?),
            "--profile" if is_nextest => drop(value()?),
            "--profile" => found.profile = Some(value()?),
            "-p" | "--package" => {
                found.packages.insert(workspace.find(&value()?).ok()?);
            }
            "--manifest-path" => {
                let path = files::normalize(&workspace.root.join(value()?));
                let members = workspace.packages.iter();
                let member = members
                    .enumerate()
                    .find(|(_, member)| member.manifest_path == path);
                match member {
                    Some((member, _)) if path != workspace.root.join("Cargo.toml") => {
                        found.packages.insert(member);
                    }
                    _ if path == workspace.root.join("Cargo.toml") => {}
                    _ => return None,
                }
            }
            // A build of the standard library, or settings of this call alone.
            "-Z" | "--config" => return None,
            "--test" | "--bin" | "--example" | "--bench" | "--exclude" | "-E" | "--filterset"
            | "-j" | "--jobs" | "--partition" | "--target-dir" => drop(value()),
            _ if word.contains("$FLAGS") || word.starts_with('$') => return None,
            _ => {}
        }
    }
    found.features.sort();
    found.features.dedup();
    let is_known = {
        let others = [&found.target, &found.profile].into_iter().flatten();
        let others = others.chain(found.environment.values());
        let mut texts = found.features.iter().chain(others);
        texts.all(|text| !text.contains(['$', '{', '}', '%']))
    };
    let is_known = is_known && check_features(workspace, &found).is_ok();
    if found.feature_arguments().is_empty()
        && found.build_arguments().is_empty()
        && found.environment.is_empty()
    {
        // A selection of packages is not a configuration.
        found.packages.clear();
    }
    is_known.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(command: &str) -> Vec<String> {
        let aliases = BTreeMap::from([
            (
                "it".to_owned(),
                vec![
                    "test".to_owned(),
                    "--features".to_owned(),
                    "slow".to_owned(),
                ],
            ),
            ("lint".to_owned(), vec!["clippy".to_owned()]),
        ]);
        let calls = cargo_calls(command, &aliases).into_iter();
        calls.map(|call| call.words.join(" ")).collect()
    }

    #[test]
    fn test_calls_are_found_in_commands() {
        assert_eq!(
            calls("run: cargo test --all-features -- --nocapture"),
            ["test --all-features"]
        );
        assert_eq!(
            calls("env A=1 cargo +nightly t -p x && cargo nextest run"),
            ["t -p x", "nextest run"]
        );
        assert_eq!(
            calls("cargo it --workspace"),
            ["test --features slow --workspace"]
        );
        assert_eq!(
            calls("cargo +${} test --features ${}"),
            ["test --features ${}"]
        );
        let aliases = BTreeMap::new();
        let found = cargo_calls("A=1 RUSTFLAGS='--cfg loom' cargo test --lib", &aliases);
        assert_eq!(found[0].flags.as_deref(), Some("--cfg loom"));
        for other in [
            "cargo lint",
            "cargo build",
            "cargo miri test",
            "cargo hack test",
            "echo test",
        ] {
            assert_eq!(calls(other), Vec::<String>::new(), "{other}");
        }
    }
}
