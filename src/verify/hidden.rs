//! Tests of the baseline that a run did not list because it was built in another configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::Tests;
use crate::affected::{TestSelector, tests_of_build};
use crate::freshness::build;
use crate::script::simple_commands;
use crate::workspace::{Configuration, Workspace};

/// Removes from `vanished` the tests that the sources still have in a build of the baseline that the run did not make.
/// `baseline` and `run` are the commands of both.
pub(super) fn retain_gone(
    workspace: &Workspace,
    baseline: &[String],
    run: &[String],
    vanished: &mut Tests,
) {
    if vanished.is_empty() {
        return;
    }
    let made = builds(workspace, run);
    let mut elsewhere = builds(workspace, baseline);
    elsewhere.retain(|build| !made.contains(build));
    if elsewhere.is_empty() {
        return;
    }
    let tests = |builds: &[Configuration]| {
        let builds = builds.iter();
        let listed = builds.map(|build| tests_of_build(&workspace.configured_as(build.clone())));
        listed.collect::<Vec<_>>()
    };
    let hidden = tests(&elsewhere);
    let shown = tests(&made);
    for (binary, names) in vanished.iter_mut() {
        let doctests = |listed: &[BTreeMap<String, BTreeSet<TestSelector>>], file: &str| {
            let listed = listed.iter().filter_map(|listed| listed.get(binary));
            let of_file = |test: &&TestSelector| match test {
                TestSelector::Doc(place) => {
                    place.rsplit_once(':').is_some_and(|(own, _)| own == file)
                }
                _ => false,
            };
            listed
                .flatten()
                .filter(of_file)
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        names.retain(|name| match name.split_once(" - ") {
            Some((file, _)) if binary.ends_with("::doc") => {
                doctests(&hidden, file).is_subset(&doctests(&shown, file))
            }
            _ => {
                let mut listed = hidden
                    .iter()
                    .filter_map(|listed| listed.get(binary))
                    .flatten();
                !listed.any(|test| test.matches(name))
            }
        });
    }
    vanished.retain(|_, names| !names.is_empty());
}

/// The builds that commands make, as far as they are known.
fn builds(workspace: &Workspace, commands: &[String]) -> Vec<Configuration> {
    let environment = &workspace.configuration.environment;
    let mut found = Vec::new();
    for command in commands {
        for command in simple_commands::of_text(command, 1) {
            let call = build::of(workspace, environment, &command);
            let configuration = call.map(|call| call.configuration);
            found.extend(configuration.filter(|one| !found.contains(one)));
        }
    }
    found
}
