//! Advice if the code does not build before the work.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::config::detect;
use crate::evidence::Source;
use crate::project::Project;
use crate::sys::terminal::Terminal;
use crate::verify::Report;
use crate::workspace::{Configuration, PackageId, Workspace};

/// Warns that a baseline did not build.
pub(super) fn show(
    project: &Project,
    report: &Report,
    source: &Source,
    terminal: &mut Terminal,
) -> Result<()> {
    of_baseline(project, report, source).map_or(Ok(()), |hint| terminal.warn(hint))
}

/// A message that a baseline did not build, and which configuration may work; `None` if it built.
fn of_baseline(project: &Project, report: &Report, source: &Source) -> Option<String> {
    let errors = |ran: &crate::verify::InvocationResult| !ran.observed.compile_errors.is_empty();
    if !report.checked.iter().any(errors) {
        return None;
    }
    let state = match (&source.commit, source.dirty) {
        (Some(commit), Some(false)) => format!("commit {} does not build", short(commit)),
        _ => "the code does not build before the work".to_owned(),
    };
    let current = &project.workspace.configuration;
    let named = project.config.configurations.values();
    let named: Vec<&Configuration> = named
        .filter(|other| !other.is_plain() && *other != current)
        .collect();
    let output: String = report.checked.iter().map(|ran| ran.tail.as_str()).collect();
    let helps = |other: &Configuration| enables_named(other, &output);
    let workspace = &project.workspace;
    let failed = failed_packages(workspace, report);
    let avoids = |other: &Configuration| {
        let features = workspace.features_in(other);
        let is_same = |package: &PackageId| {
            features.target[*package].is_some()
                && features.target[*package] == workspace.features().target[*package]
        };
        !failed.is_empty() && !failed.iter().any(is_same)
    };
    let combined = failed
        .iter()
        .find_map(|package| combined(workspace, *package));
    let mut best = named.iter().find(|other| helps(other));
    best = best.or_else(|| named.iter().find(|other| avoids(other)));
    if combined.is_none() {
        best = best.or(named.first());
    }
    let advice = if let Some(other) = best {
        format!("the configuration {other} may work; add its options to the plan's commands")
    } else {
        let detected = detect::detect(&project.workspace, None);
        let others = detected.found.iter().filter(|found| {
            let unnamed = Configuration {
                name: current.name.clone(),
                ..found.configuration.clone()
            };
            let flags = found.configuration.feature_arguments();
            found.is_for_here(&detected.found) && unnamed != *current && !flags.is_empty()
        });
        let others: Vec<_> = others.collect();
        let mut helping = others.iter().filter(|found| helps(&found.configuration));
        match helping.next().or(others.first()) {
            Some(found) => {
                let flags = found.configuration.feature_arguments().join(" ");
                let reason = found.reason();
                format!(
                    "{reason}: add `{flags}` to the plan's commands, or run `cargo poc init NAME {flags}`"
                )
            }
            None => combined.unwrap_or_else(|| {
                "the plan's commands may lack a feature that the errors above name".to_owned()
            }),
        }
    };
    Some(format!("{state} with the plan's commands; {advice}"))
}

/// The members that did not compile, as cargo names them.
fn failed_packages(workspace: &Workspace, report: &Report) -> BTreeSet<PackageId> {
    let checked = report.checked.iter();
    let errors = checked.flat_map(|ran| &ran.observed.compile_errors);
    let names = errors.filter_map(|error| error.split('`').nth(1)?.split(' ').next());
    names.filter_map(|name| workspace.find(name).ok()).collect()
}

/// The features of a member that other members enable in one build; `None` if there are no two.
fn combined(workspace: &Workspace, package: PackageId) -> Option<String> {
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
    for user in workspace.configured_packages() {
        let member = &workspace.packages[user];
        for dependency in &member.dependencies {
            if workspace.member_of(dependency) == Some(package) {
                let features = dependency.features.iter();
                wanted.extend(features.map(|feature| (feature.as_str(), member.name.as_str())));
            }
        }
    }
    let users: BTreeSet<&&str> = wanted.values().collect();
    if users.len() < 2 {
        return None;
    }
    let name = &workspace.packages[package].name;
    let features = wanted.iter();
    let features: Vec<String> = features
        .map(|(feature, user)| format!("`{feature}` ({user})"))
        .collect();
    Some(format!(
        "`{name}` is built with the features {} at once; if they exclude each other, add a configuration with `packages` for each",
        features.join(" and ")
    ))
}

/// Whether a configuration enables a feature that errors of the compiler name.
fn enables_named(configuration: &Configuration, errors: &str) -> bool {
    let mut features = configuration.features.iter();
    features.any(|feature| {
        let name = feature.rsplit('/').next().unwrap_or(feature);
        [format!("`{name}`"), format!("\"{name}\"")]
            .iter()
            .any(|quoted| errors.contains(quoted.as_str()))
    })
}

fn short(commit: &str) -> &str {
    commit.get(..9).unwrap_or(commit)
}
