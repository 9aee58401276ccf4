//! The configurations that a project's own files test: CI workflows, justfiles, Makefiles, scripts that these call, and
//! cargo aliases. And those that docs.rs builds its documentation in.
//!
//! Only commands that run tests count, and only those whose words are known without running anything. The values of a
//! workflow's matrix and variables are known where they are written out. Any other variable among the build options makes a
//! command unknown, which [`Detection::unknown`] lists.

mod alternatives;
mod calls;
mod detected;
mod documented;
mod nextest;
mod text;
mod workflow;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::sys::cache::{self, Cache};
use crate::sys::cargo::own_folder;
use crate::sys::{cargo_alias, files};
use crate::workspace::manifest::Manifest;
use crate::workspace::manifest::insert::Order;
use crate::workspace::{Configuration, Workspace};
use alternatives::program_calls;
use calls::{CargoCall, cargo_calls, commands_with_cargo, configuration};
pub use detected::Detected;
use text::commands;

/// The root manifest with these configurations added, and the default one set.
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
    let inline = |table: &BTreeMap<String, String>| {
        let entries = table.iter();
        let entries = entries.map(|(key, value)| (key.as_str(), toml_edit::Value::from(value)));
        let table: toml_edit::InlineTable = entries.collect();
        table.to_string()
    };
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
        if let Some(profile) = &configuration.profile {
            keys.push(("profile", text(profile)));
        }
        if !configuration.packages.is_empty() {
            let packages = configuration.packages.iter();
            let mut packages = packages.map(|id| workspace.packages[*id].name.as_str());
            keys.push(("packages", list(&mut packages)));
        }
        if !configuration.environment.is_empty() {
            keys.push(("environment", inline(&configuration.environment)));
        }
        for (key, value) in keys {
            manifest = manifest.insert(&path, key, &value, Order::Last)?;
        }
    }
    Ok(manifest.text().to_owned())
}

/// The version is increased when [`workflow::Run`] or its meaning changes.
const FORMAT: &str = concat!("cargo-poc workflows 1 ", env!("CARGO_PKG_VERSION"), "\n");

/// What the files of a project tell of its configurations.
#[derive(Debug, Clone, Default)]
pub struct Detection {
    /// Every configuration that they test, each once, in the order of the files; plain builds too. Then those of docs.rs.
    pub found: Vec<Detected>,
    /// Commands that run tests with options whose values are not known, with their places.
    pub unknown: Vec<String>,
    /// Which tests nextest leaves out by default, with the places that say so.
    pub default_filters: Vec<String>,
}

/// Reads the files of a project. The commands of workflows are kept in a cache, if there is one.
#[must_use]
pub fn detect(workspace: &Workspace, kept: Option<&Cache>) -> Detection {
    let root = &workspace.root;
    let aliases = cargo_alias::aliases(root.as_std_path());
    let mut detection = Detection::default();
    let mut pending = start(root);
    let mut read = BTreeSet::new();
    let mut programs: BTreeMap<(String, usize), Vec<(String, String)>> = BTreeMap::new();
    while !pending.is_empty() {
        let path = pending.remove(0);
        if !read.insert(path.clone()) {
            continue;
        }
        let Some(text) = files::text(&path) else {
            continue;
        };
        let file = workspace.slashed(&path);
        for run in commands_of(&path, &text, kept) {
            pending.extend(scripts(root, &run.command));
            let commands = commands_with_cargo(&run.command);
            for call in cargo_calls(&commands, &aliases) {
                let flags = call
                    .flags
                    .clone()
                    .or(run.environment.get("RUSTFLAGS").cloned());
                let call = CargoCall { flags, ..call };
                detection.add(workspace, &file, run.line, &call);
            }
            for call in program_calls(workspace, &commands, &aliases) {
                match call.feature {
                    Some(feature) => {
                        let place = programs.entry((file.clone(), run.line)).or_default();
                        if place.iter().all(|(known, _)| *known != feature) {
                            place.push((feature, call.command));
                        }
                    }
                    None => detection.add_unknown(&file, run.line, &call.command),
                }
            }
        }
    }
    for ((file, line), features) in programs {
        if features.len() > 1 {
            let found = alternatives::configurations(workspace, &file, line, &features);
            detection.found.extend(found);
        } else {
            for (_, command) in &features {
                detection.add_unknown(&file, line, command);
            }
        }
    }
    for documented in documented::detect(workspace) {
        if !detection.knows(&documented.configuration) {
            detection.found.push(documented);
        }
    }
    detection.default_filters = nextest::default_filters(root);
    name(&mut detection.found);
    detection
}

impl Detection {
    fn knows(&self, configuration: &Configuration) -> bool {
        self.found.iter().any(|known| {
            let same_packages = Configuration {
                packages: configuration.packages.clone(),
                name: None,
                ..known.configuration.clone()
            };
            let covers = known.configuration.packages.is_empty()
                || known.configuration.packages == configuration.packages;
            covers && same_packages == *configuration
        })
    }

    fn add(&mut self, workspace: &Workspace, file: &str, line: usize, call: &CargoCall) {
        let words = call.words.join(" ");
        let flags = call
            .flags
            .as_deref()
            .filter(|flags| flags.contains("--cfg"));
        let flags = flags.map_or_else(String::new, |flags| format!("RUSTFLAGS=\"{flags}\" "));
        let command = format!("{flags}cargo {words}");
        match configuration(workspace, call) {
            Some(configuration) if !self.knows(&configuration) => self.found.push(Detected {
                configuration,
                command,
                runs_tests: true,
                is_alternative: false,
                file: file.to_owned(),
                line,
            }),
            Some(_) => {}
            None if command.contains('$') => {
                self.add_unknown(file, line, &command);
            }
            None => {}
        }
    }

    fn add_unknown(&mut self, file: &str, line: usize, command: &str) {
        let unknown = format!("{file}:{line} runs `{command}`");
        if !self.unknown.contains(&unknown) {
            self.unknown.push(unknown);
        }
    }
}

/// The commands in a file, those of a workflow with its variables.
fn commands_of(path: &Utf8Path, text: &str, kept: Option<&Cache>) -> Vec<workflow::Run> {
    let is_yaml = matches!(path.extension(), Some("yml" | "yaml"));
    let runs = match kept {
        _ if !is_yaml => Vec::new(),
        None => workflow::runs(text),
        Some(kept) => {
            let key = cache::key("workflow", text.as_bytes());
            kept.get(&key).unwrap_or_else(|| {
                let runs = workflow::runs(text);
                kept.put(key, &runs);
                runs
            })
        }
    };
    if !runs.is_empty() {
        return runs;
    }
    let commands = commands(text).into_iter();
    commands
        .map(|(line, command)| workflow::Run {
            line,
            command,
            environment: BTreeMap::new(),
        })
        .collect()
}

/// The default among the detected configurations: for this machine and the whole workspace, with the most features; else the first
/// of those whose features are never tested together. `None` if the files test no such configuration, or only the plain build.
#[must_use]
pub fn default_of(found: &[Detected]) -> Option<&Detected> {
    // `max_by_key` returns the last of equal elements, but the first is needed.
    let usual = found.iter().filter(|found| {
        let configuration = &found.configuration;
        found.runs_tests
            && configuration.target.is_none()
            && configuration.profile.is_none()
            && configuration.environment.is_empty()
            && configuration.packages.is_empty()
            && !configuration.no_default_features
    });
    let features = |found: &&Detected| {
        let configuration = &found.configuration;
        (configuration.all_features, configuration.features.len())
    };
    match usual.rev().max_by_key(features) {
        Some(most) => (!most.configuration.is_plain()).then_some(most),
        None => found.iter().find(|found| found.is_alternative),
    }
}

/// A warning if the build of the workspace, which has no options, is not the one that the project's files test. Reads the files only
/// of a workspace with features.
#[must_use]
pub fn other_build(workspace: &Workspace, use_cache: bool) -> Option<String> {
    let has_features = workspace.packages.iter().any(|package| {
        let mut features = package.features.keys();
        features.any(|name| name != "default")
    });
    if !workspace.configuration.is_plain() || !has_features {
        return None;
    }
    let kept = use_cache.then(|| {
        let path = own_folder(&workspace.target_directory).join("workflows");
        Cache::open(path, FORMAT)
    });
    let detection = detect(workspace, kept.as_ref());
    // An error here would also prevent the cache of items in the same folder, and that error is reported.
    let _ = kept.map(|kept| kept.save(2));
    let found = default_of(&detection.found)?;
    Some(format!(
        "{}, but this command knows only the tests of a build without these options; pass them, or name the configuration in \
         [workspace.metadata.poc.configurations]",
        found.reason()
    ))
}

/// The files with the commands of a project.
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

/// The shell scripts in the workspace that a command starts.
fn scripts(root: &Utf8Path, command: &str) -> Vec<Utf8PathBuf> {
    let words = command.split(|letter: char| letter.is_whitespace() || "\"';&|".contains(letter));
    let scripts =
        words.filter(|word| Utf8Path::new(word).extension() == Some("sh") && !word.contains('$'));
    scripts
        .map(|word| files::normalize(&root.join(word.trim_start_matches("./"))))
        .filter(|path| path.starts_with(root) && path.is_file())
        .collect()
}

/// Gives each configuration a unique name from its features, target and profile.
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
        let flags = configuration.environment.get("RUSTFLAGS").into_iter();
        let names = flags.flat_map(|flags| flags.split_whitespace());
        let names = names.filter(|word| !word.starts_with('-'));
        parts.extend(names.map(str::to_owned));
        parts.extend(configuration.target.iter().cloned());
        let profile = configuration.profile.iter();
        parts.extend(
            profile
                .filter(|name| !configuration.features.contains(name))
                .cloned(),
        );
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
