//! The configurations that a project's own files test: CI workflows, justfiles, Makefiles, scripts that these call, and
//! cargo aliases.
//!
//! Only commands that run tests count, and only those whose words are known without running anything: one with a variable
//! among its build options tells nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::configurations::check_features;
use crate::sys::files;
use crate::workspace::manifest::Manifest;
use crate::workspace::manifest::insert::Order;
use crate::workspace::{Configuration, Workspace};

/// A configuration that some file of the project tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The configuration; its name is proposed.
    pub configuration: Configuration,
    /// The command, without its tests.
    pub command: String,
    /// The file that runs it, relative to the workspace root.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl Detected {
    /// Why it is proposed: `CI.yml:79 runs cargo test --all-features`.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{}:{} runs `{}`", self.file, self.line, self.command)
    }

    /// Whether it is a build for this machine with options, so that it can be run here.
    #[must_use]
    pub fn is_for_here(&self) -> bool {
        let configuration = &self.configuration;
        !configuration.is_plain()
            && configuration.target.is_none()
            && configuration.profile.is_none()
    }
}

/// The text of the root manifest with these configurations, the default among them.
///
/// # Errors
/// The manifest has a layout that cannot be edited.
pub fn written(
    manifest: &str,
    workspace: &Workspace,
    found: &[&Detected],
    default: Option<&str>,
) -> Result<String> {
    let mut manifest = Manifest::parse(manifest)?;
    let table = if manifest.get(&["workspace"]).is_some() {
        "workspace"
    } else {
        "package"
    };
    let text = |value: &str| toml_edit::Value::from(value).to_string();
    let list = |values: &mut dyn Iterator<Item = &str>| {
        let values = values.map(toml_edit::Value::from);
        values.collect::<toml_edit::Array>().to_string()
    };
    let settings = [table, "metadata", "poc"];
    if let Some(default) = default {
        manifest = manifest.insert(
            &settings,
            "default-configuration",
            &text(default),
            Order::Last,
        )?;
    }
    for one in found {
        let configuration = &one.configuration;
        let name = configuration.name.as_deref().unwrap_or("detected");
        let path = [table, "metadata", "poc", "configurations", name];
        let mut keys: Vec<(&str, String)> = Vec::new();
        if configuration.all_features {
            keys.push(("all-features", "true".to_owned()));
        }
        if configuration.no_default_features {
            keys.push(("no-default-features", "true".to_owned()));
        }
        if !configuration.features.is_empty() {
            let mut features = configuration.features.iter().map(String::as_str);
            keys.push(("features", list(&mut features)));
        }
        if !configuration.packages.is_empty() {
            let packages = configuration.packages.iter();
            let mut packages = packages.map(|id| workspace.packages[*id].name.as_str());
            keys.push(("packages", list(&mut packages)));
        }
        for (key, value) in keys {
            manifest = manifest.insert(&path, key, &value, Order::Last)?;
        }
    }
    Ok(manifest.text().to_owned())
}

/// Every configuration that the files of the project test, each once, in the order of the files; plain builds too.
#[must_use]
pub fn detect(workspace: &Workspace) -> Vec<Detected> {
    let root = &workspace.root;
    let aliases = aliases(root);
    let mut found: Vec<Detected> = Vec::new();
    let mut pending = start(root);
    let mut read = BTreeSet::new();
    while !pending.is_empty() {
        let path = pending.remove(0);
        if !read.insert(path.clone()) {
            continue;
        }
        let Some(text) = text_of(&path) else { continue };
        for (line, command) in commands(&text) {
            pending.extend(scripts(root, &command));
            for words in cargo_calls(&command, &aliases) {
                let Some(configuration) = configuration(workspace, &words) else {
                    continue;
                };
                let known = found.iter().any(|known| {
                    let unnamed = Configuration {
                        name: None,
                        ..known.configuration.clone()
                    };
                    unnamed == configuration
                });
                if !known {
                    found.push(Detected {
                        configuration,
                        command: format!("cargo {}", words.join(" ")),
                        file: workspace.slashed(&path),
                        line,
                    });
                }
            }
        }
    }
    name(&mut found);
    found
}

/// The configuration to build in by default, among those that were found: for this machine and the whole workspace, and of
/// these the one with the most features. None where the files test no such configuration, or only the plain build.
#[must_use]
pub fn default_of(found: &[Detected]) -> Option<&Detected> {
    // Of equals `max_by_key` takes the last, and the first is wanted.
    let usual = found.iter().filter(|found| {
        let configuration = &found.configuration;
        configuration.target.is_none()
            && configuration.profile.is_none()
            && configuration.packages.is_empty()
            && !configuration.no_default_features
    });
    let features = |found: &&Detected| {
        let configuration = &found.configuration;
        (configuration.all_features, configuration.features.len())
    };
    let most = usual.rev().max_by_key(features)?;
    (!most.configuration.is_plain()).then_some(most)
}

fn text_of(path: &Utf8Path) -> Option<String> {
    let bytes = files::read_if_exists(path).ok().flatten()?;
    String::from_utf8(bytes).ok()
}

/// The files that say what a project runs.
fn start(root: &Utf8Path) -> Vec<Utf8PathBuf> {
    let workflows = root.join(".github/workflows");
    let mut names = files::list(&workflows).unwrap_or_default();
    names.sort();
    let is_yaml = |name: &String| {
        let extension = Utf8Path::new(name).extension();
        matches!(extension, Some("yml" | "yaml"))
    };
    let mut found: Vec<Utf8PathBuf> = names
        .iter()
        .filter(|name| is_yaml(name))
        .map(|name| workflows.join(name))
        .collect();
    let others = [
        ".gitlab-ci.yml",
        "justfile",
        "Justfile",
        ".justfile",
        "Makefile",
        "makefile",
        "GNUmakefile",
    ];
    found.extend(others.map(|name| root.join(name)));
    found
}

/// The commands in a file, each with its line: lines, those that end in `\` with the next.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let (start, mut command) = open.take().unwrap_or((number, String::new()));
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(line) => {
                command.push_str(line);
                command.push(' ');
                open = Some((start, command));
            }
            None => {
                command.push_str(line);
                found.push((start, command));
            }
        }
    }
    found.extend(open);
    found
}

/// The shell scripts below the root that a command starts.
fn scripts(root: &Utf8Path, command: &str) -> Vec<Utf8PathBuf> {
    let words = command.split(|letter: char| letter.is_whitespace() || "\"';&|".contains(letter));
    let scripts =
        words.filter(|word| Utf8Path::new(word).extension() == Some("sh") && !word.contains('$'));
    scripts
        .map(|word| files::normalize(&root.join(word.trim_start_matches("./"))))
        .filter(|path| path.starts_with(root) && path.is_file())
        .collect()
}

/// `[alias]` of the workspace's cargo configuration, as words.
fn aliases(root: &Utf8Path) -> BTreeMap<String, Vec<String>> {
    let paths = [".cargo/config.toml", ".cargo/config"].map(|path| root.join(path));
    let text = paths.iter().find_map(|path| text_of(path));
    let manifest = text.and_then(|text| Manifest::parse(&text).ok());
    let table = manifest
        .as_ref()
        .and_then(|manifest| manifest.get(&["alias"])?.as_table_like());
    let words = |item: &toml_edit::Item| match item.as_str() {
        Some(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        None => {
            let words = item.as_array()?.iter();
            words.map(|word| Some(word.as_str()?.to_owned())).collect()
        }
    };
    let entries = table.into_iter().flat_map(|table| table.iter());
    entries
        .filter_map(|(name, item)| Some((name.to_owned(), words(item)?)))
        .collect()
}

/// The command with each `${{ … }}` of a workflow as one word, whose value is not known.
fn without_expressions(command: &str) -> String {
    let mut text = String::new();
    let mut rest = command;
    while let Some(start) = rest.find("${{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        text.push_str(&rest[..start]);
        text.push_str("${}");
        rest = &rest[start + length + 2..];
    }
    text + rest
}

/// The calls of cargo in a command that run tests: the words after `cargo`, up to `--`.
fn cargo_calls(command: &str, aliases: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let command = without_expressions(command);
    let parts = command.split("&&").flat_map(|part| part.split(['|', ';']));
    let calls = parts.filter_map(|part| {
        let words = shlex::split(part)?;
        let at = words.iter().position(|word| word == "cargo")?;
        let mut words: Vec<String> = words[at + 1..].to_vec();
        if words.first().is_some_and(|word| word.starts_with('+')) {
            words.remove(0);
        }
        // An alias may name another one.
        for _ in 0..8 {
            match words.first().and_then(|word| aliases.get(word)) {
                Some(alias) => {
                    words.splice(..1, alias.iter().cloned());
                }
                None => break,
            }
        }
        let end = words.iter().position(|word| word == "--");
        words.truncate(end.unwrap_or(words.len()));
        let runs_tests = matches!(
            words.iter().map(String::as_str).collect::<Vec<_>>()[..],
            ["test" | "t", ..] | ["nextest", "run" | "r", ..]
        );
        runs_tests.then_some(words)
    });
    calls.collect()
}

/// The configuration that a call builds in; none where that is not known, or where it is of another workspace.
fn configuration(workspace: &Workspace, words: &[String]) -> Option<Configuration> {
    let is_nextest = words.first().is_some_and(|word| word == "nextest");
    let mut found = Configuration::default();
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
            // A build of the standard library, or settings that only this call has.
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
        let mut texts = found.features.iter().chain(others);
        texts.all(|text| !text.contains(['$', '{', '}', '%']))
    };
    let is_known = is_known && check_features(workspace, &found).is_ok();
    if found.feature_arguments().is_empty() && found.build_arguments().is_empty() {
        // Packages alone are no other build.
        found.packages.clear();
    }
    is_known.then_some(found)
}

/// Gives each configuration a unique name after its features, target and profile.
fn name(found: &mut [Detected]) {
    let mut taken = BTreeSet::new();
    for one in found {
        let configuration = &one.configuration;
        let mut parts: Vec<String> = Vec::new();
        if configuration.all_features {
            parts.push("all".to_owned());
        } else if configuration.no_default_features && configuration.features.is_empty() {
            parts.push("bare".to_owned());
        }
        parts.extend(configuration.features.iter().take(3).cloned());
        parts.extend(configuration.target.iter().cloned());
        parts.extend(configuration.profile.iter().cloned());
        if parts.is_empty() {
            parts.push("plain".to_owned());
        }
        let wanted = parts.join("-");
        let wanted: String = wanted
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        let mut name = wanted.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        one.configuration.name = Some(name);
    }
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
        calls.map(|words| words.join(" ")).collect()
    }

    #[test]
    fn calls_that_run_tests_are_found_in_commands() {
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
        let expression = "run: cargo +${{ env.MSRV }} test --features ${{ matrix.features }}";
        assert_eq!(calls(expression), ["test --features ${}"]);
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

    #[test]
    fn commands_go_over_several_lines() {
        let text = "a:\n  run: cargo test \\\n    --all-features \\\n    -p x\n# cargo test\n  b\n";
        let found = commands(text);
        assert_eq!(
            found[1],
            (2, "run: cargo test  --all-features  -p x".to_owned())
        );
    }
}
