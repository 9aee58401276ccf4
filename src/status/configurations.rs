//! The state of a step in each configuration that the plan requires.

use super::assessment::{ConfigurationStatus, EvidenceState, State};
use super::context::Context;
use crate::affected;
use crate::evidence::{Check, Located, Outcome, Record, Scope};
use crate::freshness;
use crate::freshness::build::{self, TestCall};
use crate::freshness::since::Aspect;
use crate::project::Poc;
use crate::script::simple_commands::{self, Command};
use crate::verify;
use crate::workspace::{Configuration, Workspace};

/// The state of a scope in each configuration; `evidence` is what its last run shows. Commands of one configuration prove
/// nothing of another.
pub(super) fn of_scope(
    poc: &Poc,
    cx: &Context<'_>,
    scope: &Scope,
    evidence: &EvidenceState,
) -> Vec<ConfigurationStatus> {
    let names = poc.plan.configurations.iter();
    let one = |name: &String| {
        let (state, why) = state(poc, cx, scope, evidence, name);
        ConfigurationStatus {
            name: name.clone(),
            state,
            why,
        }
    };
    names.map(one).collect()
}

/// What the last run of a scope shows, which proves the scope only if it is proven in every configuration.
pub(super) fn in_all(
    poc: &Poc,
    cx: &Context<'_>,
    scope: &Scope,
    evidence: EvidenceState,
) -> EvidenceState {
    if evidence != EvidenceState::Proven {
        return evidence;
    }
    let unproven = unproven(&of_scope(poc, cx, scope, &evidence));
    unproven.map_or(EvidenceState::Proven, EvidenceState::Stale)
}

/// Why not every configuration is proven.
pub(super) fn unproven(configurations: &[ConfigurationStatus]) -> Option<String> {
    let mut open = configurations.iter();
    let open = open.find(|one| one.state != State::Proven)?;
    let why = open.why.as_deref().unwrap_or_else(|| open.state.word());
    Some(format!("in the configuration `{}`: {why}", open.name))
}

fn state(
    poc: &Poc,
    cx: &Context<'_>,
    scope: &Scope,
    evidence: &EvidenceState,
    name: &str,
) -> (State, Option<String>) {
    let Some(workspace) = cx.workspace else {
        return (State::Unknown, None);
    };
    let Some(configuration) = cx.config.named(name) else {
        return (
            State::Pending,
            Some("the workspace has no such configuration".to_owned()),
        );
    };
    let blocks = verify::blocks(&poc.plan, scope).into_iter();
    let mut commands = blocks.flat_map(simple_commands::commands);
    if !commands.any(|command| builds(workspace, &configuration, &command)) {
        let why = "no command tests in it".to_owned();
        return (State::Pending, Some(why));
    }
    match evidence {
        EvidenceState::Proven => (State::Proven, None),
        EvidenceState::OtherCommands => (State::Stale, None),
        EvidenceState::Unknown => (State::Unknown, None),
        EvidenceState::Nothing => (State::Pending, None),
        EvidenceState::Unconfirmed(_) => (State::Unconfirmed, None),
        EvidenceState::Stale(_) | EvidenceState::Failed(_) => {
            let Some(run) = cx.evidence.last_located(scope) else {
                return (State::Pending, None);
            };
            if matches!(evidence, EvidenceState::Failed(_)) && run.record.proves() {
                // A test that a quarantine excused counts again.
                return (State::Failed, None);
            }
            let checks = checks_in(workspace, &configuration, &run.record);
            of_run(cx, run, name, &checks)
        }
    }
}

/// What a run that failed or is stale shows of one configuration, whose commands are `checks`.
fn of_run(
    cx: &Context<'_>,
    run: &Located,
    name: &str,
    checks: &[&Check],
) -> (State, Option<String>) {
    let record = &run.record;
    let passed = |check: &&Check| check.outcome == Outcome::Passed;
    let is_fresh = || {
        freshness::changed_of(&record.inputs, cx.inputs).is_empty()
            || cx.is_unaffected(run, Aspect::TestsIn(name.to_owned()))
    };
    if checks.is_empty() {
        let why = "an earlier command failed, so its commands did not run";
        (State::Pending, Some(why.to_owned()))
    } else if !checks.iter().all(passed)
        || !record.regressions.is_empty()
        || !record.missing.is_empty()
    {
        (State::Failed, None)
    } else if is_fresh() {
        (State::Proven, None)
    } else {
        (State::Stale, None)
    }
}

/// The commands of a run that test in a configuration.
pub(crate) fn checks_in<'r>(
    workspace: &Workspace,
    configuration: &Configuration,
    record: &'r Record,
) -> Vec<&'r Check> {
    let checks = record.checks.iter().filter(|check| {
        let commands = simple_commands::of_text(&check.command, 1);
        let mut commands = commands.iter();
        commands.any(|command| builds(workspace, configuration, command))
    });
    checks.collect()
}

/// Whether a command runs tests in the build of a configuration.
pub(crate) fn builds(
    workspace: &Workspace,
    configuration: &Configuration,
    command: &Command,
) -> bool {
    let inherited = &workspace.configuration.environment;
    let Some(TestCall {
        packages,
        configuration: own,
        ..
    }) = build::of(workspace, inherited, command)
    else {
        return false;
    };
    let assigned = |(name, value): (&String, &String)| {
        inherited.get(name) == Some(value)
            || command
                .assigned
                .iter()
                .any(|(own, given)| own == name && given == value)
    };
    let alone = Configuration {
        packages: own.packages.clone(),
        ..configuration.clone()
    };
    let has_same_features =
        |wanted: &Configuration| build::have_same_features(workspace, &packages, [&own, wanted]);
    // If features exclude each other, each group of packages is built separately.
    let of_groups = || {
        let mut groups = affected::buildable_groups_of(workspace, configuration);
        groups.retain(|group| group.is_superset(&packages));
        let builds = groups.into_iter().map(|packages| Configuration {
            packages,
            ..configuration.clone()
        });
        builds.collect::<Vec<_>>()
    };
    // An empty RUSTFLAGS is none, unless it hides flags of a configuration file.
    let hides = workspace.has_rustflags_in_files();
    let counts =
        |(name, value): &(&String, &String)| hides || *name != "RUSTFLAGS" || !value.is_empty();
    let variables = |build: &Configuration| {
        let variables = build::build_variables(&build.environment).into_iter();
        let counted = variables.filter(counts);
        counted
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    own.target == configuration.target
        && own.profile == configuration.profile
        && configuration.environment.iter().all(assigned)
        && variables(&own) == variables(configuration)
        && configuration
            .arguments
            .iter()
            .all(|argument| command.words.contains(argument))
        && packages
            .iter()
            .all(|package| configuration.applies_to(*package))
        && ([configuration, &alone].into_iter().any(has_same_features)
            || of_groups().iter().any(has_same_features))
}
