//! One draft for several builds: each command once for each build.

use std::collections::BTreeMap;

use anyhow::Result;

use super::draft;
use super::draft::{Affected, Draft};
use super::request::Request;
use crate::affected::arguments::quoted;
use crate::project::Project;
use crate::workspace::Configuration;

/// The draft of a work in several builds; in the configuration of the workspace if there are none.
///
/// # Errors
/// As for [`draft()`].
pub(crate) fn draft_in(
    project: &mut Project,
    request: &Request,
    builds: Vec<Configuration>,
) -> Result<Draft> {
    let usual = project.workspace.configuration.clone();
    // Commands of a plan run with the variables of the default configuration, unless they assign others.
    let inherited = if project.config.configurations.is_empty() {
        usual.environment.clone()
    } else {
        project.config.default_environment()
    };
    let mut builds = builds.into_iter();
    let first = builds.next().unwrap_or_else(|| usual.clone());
    let mut whole = build_draft(project, request, first, &inherited)?;
    for build in builds {
        whole.add_commands(build_draft(project, request, build, &inherited)?);
    }
    project.workspace = project.workspace.configured_as(usual);
    Ok(whole)
}

/// The draft in one build.
fn build_draft(
    project: &mut Project,
    request: &Request,
    build: Configuration,
    inherited: &BTreeMap<String, String>,
) -> Result<Draft> {
    let mut variables = build.environment.clone();
    variables.retain(|name, value| inherited.get(name) != Some(value));
    for name in inherited.keys() {
        if !build.environment.contains_key(name) {
            variables.insert(name.clone(), String::new());
        }
    }
    let mut packages = request.packages.iter();
    let is_whole = packages.all(|package| build.applies_to(*package));
    project.workspace = project.workspace.configured_as(build);
    let mut draft = draft(project, request)?;
    if !is_whole {
        // The tests of a step are in a package that the configuration does not have. It has those of its packages.
        let is_test = |command: &String| {
            let mut words = command.split(' ');
            words.any(|word| matches!(word, "test" | "nextest"))
        };
        let steps = draft.steps.iter_mut();
        for step in steps.filter(|step| step.verification.iter().any(is_test)) {
            add(&mut step.verification, draft.affected.commands.clone());
        }
    }
    draft.set_variables(&variables);
    Ok(draft)
}

impl Draft {
    /// Adds the commands of a draft of the same work in another build.
    pub(crate) fn add_commands(&mut self, other: Self) {
        self.affected.add(other.affected);
        add(&mut self.left_out, other.left_out);
        for (own, other) in self.steps.iter_mut().zip(other.steps) {
            add(&mut own.verification, other.verification);
        }
        for other in other.prerequisites {
            let mut prerequisites = self.prerequisites.iter_mut();
            match prerequisites.find(|own| own.title == other.title) {
                Some(own) => add(&mut own.verification, other.verification),
                None => self.prerequisites.push(other),
            }
        }
        for (index, prerequisite) in self.prerequisites.iter_mut().enumerate() {
            prerequisite.number = index + 2;
        }
    }

    /// Puts variables before every command of cargo that builds.
    pub(crate) fn set_variables(&mut self, variables: &BTreeMap<String, String>) {
        if variables.is_empty() {
            return;
        }
        let assigned = variables
            .iter()
            .map(|(name, value)| format!("{name}={} ", quoted(std::slice::from_ref(value))));
        let assigned: String = assigned.collect();
        let lists = [
            &mut self.affected.commands,
            &mut self.affected.full_commands,
        ];
        let steps = self.steps.iter_mut().map(|step| &mut step.verification);
        let prerequisites = self.prerequisites.iter_mut();
        let prerequisites = prerequisites.map(|prerequisite| &mut prerequisite.verification);
        for commands in lists.into_iter().chain(steps).chain(prerequisites) {
            for command in commands {
                let builds = ["test", "nextest", "check"];
                let mut builds = builds.iter().map(|name| format!("cargo {name} "));
                if builds.any(|start| command.starts_with(&start)) {
                    *command = format!("{assigned}{command}");
                }
            }
        }
    }
}

impl Affected {
    fn add(&mut self, other: Self) {
        add(&mut self.commands, other.commands);
        add(&mut self.full_commands, other.full_commands);
        for target in other.targets {
            let mut known = self.targets.iter_mut();
            let known =
                known.find(|known| (&known.path, known.note) == (&target.path, target.note));
            match known {
                Some(known) => known.tests = known.tests.max(target.tests),
                None => self.targets.push(target),
            }
        }
        self.total = self.targets.iter().map(|target| target.tests).sum();
        self.full_suite = self.full_suite.max(other.full_suite);
    }
}

fn add(commands: &mut Vec<String>, others: Vec<String>) {
    for command in others {
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
}
