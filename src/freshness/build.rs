//! The build that a command for tests asks for.

use std::collections::{BTreeMap, BTreeSet};

use crate::script::calls::Call;
use crate::script::simple_commands::Command;
use crate::workspace::variables::controls_build;
use crate::workspace::{Configuration, PackageId, Workspace};

/// A command that runs tests.
pub(crate) struct TestCall<'c> {
    /// Its arguments.
    pub(crate) call: Call<'c>,
    /// The members that it names; all where it names none.
    pub(crate) packages: BTreeSet<PackageId>,
    /// Its build.
    pub(crate) configuration: Configuration,
}

/// A command's call of a test runner, if it is one and all that decides the build is known. `environment` are variables that it
/// runs with.
pub(crate) fn of<'c>(
    workspace: &Workspace,
    environment: &BTreeMap<String, String>,
    command: &'c Command,
) -> Option<TestCall<'c>> {
    let call = Call::of(command)?;
    let mut environment = environment.clone();
    for (name, value) in &command.assigned {
        if controls_build(name) {
            if name != "RUSTFLAGS" || !sets_names_only(value) {
                return None;
            }
            environment.insert(name.clone(), value.clone());
        }
    }
    let named = call.packages.iter().map(|name| workspace.find(name).ok());
    let mut packages: BTreeSet<PackageId> = named.collect::<Option<_>>()?;
    if !call.others.is_empty() || call.has_expansion() {
        return None;
    }
    let configuration = Configuration {
        environment,
        ..call.configuration.clone()
    };
    let configuration = with_packages(workspace, &packages, configuration);
    if packages.is_empty() {
        packages.extend(0..workspace.packages.len());
    }
    Some(TestCall {
        call,
        packages,
        configuration,
    })
}

/// Whether flags of rustc only set names and lint levels.
fn sets_names_only(flags: &str) -> bool {
    let mut words = flags.split_whitespace();
    while let Some(word) = words.next() {
        let name = match word.split_at_checked(2) {
            Some(("-A" | "-W" | "-D" | "-F", "")) => words.next(),
            Some(("-A" | "-W" | "-D" | "-F", lint)) => Some(lint),
            Some(("--", "cfg")) => words.next(),
            Some(("--", rest)) => rest.strip_prefix("cfg="),
            _ => None,
        };
        let is_name = |name: &str| {
            let mut letters = name.chars();
            letters.all(|letter| letter.is_alphanumeric() || "_-:".contains(letter))
        };
        if !name.is_some_and(is_name) {
            return false;
        }
    }
    true
}

/// The variables among these that decide a build.
pub(crate) fn build_variables(environment: &BTreeMap<String, String>) -> Vec<(&String, &String)> {
    let variables = environment.iter();
    variables.filter(|(name, _)| controls_build(name)).collect()
}

/// Whether the members that these packages link have the same features in both builds.
pub(crate) fn have_same_features(
    workspace: &Workspace,
    packages: &BTreeSet<PackageId>,
    [one, other]: [&Configuration; 2],
) -> bool {
    let [one, other] = [one, other].map(|configuration| workspace.features_in(configuration));
    let mut linked = workspace.links(packages).into_iter();
    linked.all(|package| {
        one.target[package] == other.target[package] && one.host[package] == other.host[package]
    })
}

/// The build of these packages alone, or that of all where it is the same for these: one selection is made for each build.
fn with_packages(
    workspace: &Workspace,
    packages: &BTreeSet<PackageId>,
    all: Configuration,
) -> Configuration {
    let alone = Configuration {
        packages: packages.clone(),
        ..all.clone()
    };
    if packages.is_empty() || have_same_features(workspace, packages, [&alone, &all]) {
        all
    } else {
        alone
    }
}
