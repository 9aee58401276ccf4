//! Features that CI tests one at a time through a program of the workspace: `cargo xtask run-tests postgres`, and so on for each
//! value of a matrix.

use std::collections::{BTreeMap, BTreeSet};

use super::detected::Detected;
use crate::script::simple_commands::Command;
use crate::sys::cargo_alias;
use crate::workspace::{Configuration, PackageId, Workspace};

/// A command that runs a program of the workspace for tests.
pub(super) struct ProgramCall {
    /// Its words as written.
    pub(super) command: String,
    /// The only argument that names a feature of a member.
    pub(super) feature: Option<String>,
}

/// The calls of `cargo run`, or of an alias of it, whose arguments name tests.
pub(super) fn program_calls(
    workspace: &Workspace,
    commands: &[Command],
    aliases: &BTreeMap<String, Vec<String>>,
) -> Vec<ProgramCall> {
    let calls = commands.iter().filter_map(|command| {
        let at = command.words.iter().position(|word| word == "cargo")?;
        let written = &command.words[at + 1..];
        let words = cargo_alias::resolve(written.to_vec(), aliases);
        let mut parts = words.split(|word| word == "--");
        let (options, arguments) = (parts.next()?, parts.next()?);
        if !matches!(options.first().map(String::as_str), Some("run" | "r")) {
            return None;
        }
        let is_for_tests = |word: &String| {
            word.split(['-', '_'])
                .any(|part| part == "test" || part == "tests")
        };
        if !arguments.iter().any(is_for_tests) {
            return None;
        }
        let is_feature = |word: &&String| {
            let mut members = workspace.packages.iter();
            members.any(|member| member.features.contains_key(*word))
        };
        let mut features = arguments.iter().filter(is_feature);
        let feature = features.next().filter(|_| features.next().is_none());
        Some(ProgramCall {
            command: format!("cargo {}", written.join(" ")),
            feature: feature.cloned(),
        })
    });
    calls.collect()
}

/// One configuration for each of the features that a line tests one at a time, with the packages that it builds without the others.
pub(super) fn configurations(
    workspace: &Workspace,
    file: &str,
    line: usize,
    features: &[(String, String)],
) -> Vec<Detected> {
    let names: BTreeSet<&String> = features.iter().map(|(feature, _)| feature).collect();
    let found = features.iter().filter_map(|(feature, command)| {
        let packages = apart(workspace, feature, &names)?;
        Some(Detected {
            configuration: Configuration {
                features: vec![feature.clone()],
                packages,
                ..Configuration::default()
            },
            command: command.clone(),
            runs_tests: true,
            is_alternative: true,
            file: file.to_owned(),
            line,
        })
    });
    found.collect()
}

/// The packages that build with a feature and enable none of the `others`, as far as they go together; `None` if those that have the
/// feature do not.
fn apart(
    workspace: &Workspace,
    feature: &str,
    others: &BTreeSet<&String>,
) -> Option<BTreeSet<PackageId>> {
    let mixes = |packages: &BTreeSet<PackageId>| {
        let configured = workspace.configured_as(Configuration {
            features: vec![feature.to_owned()],
            packages: packages.clone(),
            ..Configuration::default()
        });
        let enabled = configured.features();
        let enabled = enabled.target.iter().chain(&enabled.host).flatten();
        let mut enabled = enabled.flatten();
        enabled.any(|name| name != feature && others.contains(name))
    };
    let has = |package: &PackageId| workspace.packages[*package].features.contains_key(feature);
    let all = 0..workspace.packages.len();
    let (owners, rest): (Vec<PackageId>, Vec<PackageId>) = all.partition(has);
    let mut packages = BTreeSet::new();
    for package in owners.iter().chain(&rest) {
        packages.insert(*package);
        if mixes(&packages) {
            packages.remove(package);
        }
    }
    owners
        .iter()
        .any(|owner| packages.contains(owner))
        .then(|| {
            if packages.len() == workspace.packages.len() {
                packages.clear();
            }
            packages
        })
}
