//! The request of one `verify`: its scope, its PoCs, the change since their bases, and what runs the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use super::super::base;
use crate::affected::failed::TestNames;
use crate::affected::{self, Selection};
use crate::change::{self, Change};
use crate::cli;
use crate::config::RunnerChoice;
use crate::document::StepId;
use crate::document::quarantine;
use crate::document_update;
use crate::evidence::{Scope, Selected};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::{Poc, Project};
use crate::script::shell::{RecursionGuard, Settings};
use crate::script::simple_commands::{Command, of_text};
use crate::sys::exec::Stop;
use crate::sys::git::Repository;
use crate::verify::partition::Partition;
use crate::verify::runner::Words;
use crate::verify::{self, Invocation, Runner};

pub(super) fn scope(arguments: &cli::Verify) -> Scope {
    let scope = &arguments.scope;
    if scope.baseline {
        Scope::Baseline
    } else if scope.prerequisites {
        Scope::Prerequisites
    } else if let Some(id) = &scope.step {
        Scope::Step(StepId::new(id).to_string())
    } else if scope.done {
        Scope::Done
    } else if scope.full {
        Scope::Full
    } else {
        Scope::Affected
    }
}

/// Whether a PoC is named without a scope.
pub(super) fn takes_next(arguments: &cli::Verify) -> bool {
    arguments.name.is_some()
        && matches!(scope(arguments), Scope::Affected)
        && !arguments.scope.affected
        && !arguments.scope.runs_failed_tests()
        && arguments.arguments.is_empty()
        && arguments.partition.is_none()
        && arguments.base.is_none()
        && !arguments.shadow
        && !arguments.strength
}

/// The named PoC; otherwise the only open one for a scope of a plan, and every open one for tests. Also returns the
/// documents that cannot be read.
pub(super) fn pocs(
    project: &Project,
    name: Option<&str>,
    scope: &Scope,
) -> Result<(Vec<Poc>, Vec<anyhow::Error>)> {
    let of_plan = !matches!(scope, Scope::Affected | Scope::Full);
    if of_plan || name.is_some() {
        let poc = project.named_or_only(name)?;
        document_update::without_conflicts(&poc)?;
        return Ok((vec![poc], Vec::new()));
    }
    let (open, mut unreadable) = project.open()?;
    let mut pocs = Vec::new();
    for poc in open {
        match document_update::without_conflicts(&poc) {
            Ok(()) => pocs.push(poc),
            Err(error) => unreadable.push(error),
        }
    }
    Ok((pocs, unreadable))
}

/// Like [`pocs`], for runs on several machines, which must use the same PoCs: an unreadable document is an error.
pub(super) fn all_readable(
    project: &Project,
    name: Option<&str>,
    scope: &Scope,
) -> Result<Vec<Poc>> {
    let (pocs, unreadable) = pocs(project, name, scope)?;
    match unreadable.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(pocs),
    }
}

/// The test runner: `wanted`, or the configured one.
pub(super) fn runner(project: &Project, wanted: Option<RunnerChoice>) -> Result<Runner> {
    let wanted = wanted.unwrap_or(project.config.runner);
    Runner::choose(wanted, &project.workspace.root)
}

/// The arguments of the runner, without the selected tests.
pub(super) fn words<'a>(
    project: &'a Project,
    arguments: &'a cli::Verify,
    slice: Option<Partition>,
) -> Words<'a> {
    Words {
        flags: &project.cargo.flags,
        extra: &arguments.arguments,
        slice,
    }
}

/// The option that selects a scope.
pub(super) fn flag(scope: &Scope) -> String {
    match scope {
        Scope::Step(id) => format!("--step {id}"),
        scope => format!("--{scope}"),
    }
}

/// The tests that the change of each PoC can affect, together; without a PoC, of the change on this branch. `but` are
/// files that are no part of the change, `base` is the commit to compare with where the user names one. Tests that `failed`
/// names are selected as well.
pub(super) fn selection(
    project: &Project,
    pocs: &[Poc],
    but: &[Utf8PathBuf],
    base: Option<&str>,
    failed: &TestNames,
) -> Result<Selection> {
    let repository = change::repository_of(&project.workspace).context(
        "failed to determine the change; without git, run everything: `cargo poc verify --full`",
    )?;
    let (bases, notes) = bases(&repository, pocs, base)?;
    let mut all = Selection {
        notes,
        ..Selection::default()
    };
    for base in bases {
        let mut change = Change::since(&repository, &base)?;
        change.files.retain(|file| !but.contains(&file.path));
        let one = affected::select_to_run(project, &change, failed)?;
        all.merge(one);
    }
    Ok(all)
}

/// The commits to compare with, and notes about them.
pub(super) fn bases(
    repository: &Repository,
    pocs: &[Poc],
    base: Option<&str>,
) -> Result<(BTreeSet<String>, Vec<String>)> {
    let mut bases: BTreeSet<String> = base.map(str::to_owned).into_iter().collect();
    let mut notes = Vec::new();
    // The task list of another tool has no base.
    let own = pocs.iter().filter(|poc| !poc.paths.is_foreign());
    for poc in own.filter(|_| base.is_none()) {
        let none = || {
            format!(
                "{} has no Base in its Overview; add the commit it started from",
                poc.paths.plan
            )
        };
        let base = base::of_poc(repository, poc)?
            .with_context(none)
            .or_exit(Exit::Usage)?;
        notes.extend(base.note);
        bases.insert(base.commit);
    }
    if bases.is_empty() {
        bases.insert(repository.default_base()?);
    }
    Ok((bases, notes))
}

/// The number of tests that a change selects, for the record.
pub(super) fn selected(selection: &Selection) -> Selected {
    let count = |tests| u64::try_from(tests).unwrap_or(u64::MAX);
    Selected {
        selected: count(selection.count()),
        total: count(selection.total.tests),
    }
}

/// Rejects build options that a command of the plan lacks, and a configuration that all of them lack, because commands are run as
/// written.
pub(super) fn built_as_asked(
    project: &Project,
    options: &cli::Build,
    poc: &Poc,
    checks: &[Invocation],
) -> Result<()> {
    let configuration = &project.workspace.configuration;
    let wanted = [
        configuration.feature_arguments(),
        configuration.build_arguments(),
    ]
    .concat();
    let inherited = project.config.default_environment();
    let mut variables = configuration.environment.clone();
    variables.retain(|name, value| inherited.get(name) != Some(value));
    let (commands, _) = verify::commands_of(checks)?;
    let mut first = None;
    for command in commands.iter().map(Invocation::command) {
        let builds = |call: &Command| {
            let building = ["test", "nextest", "check", "build", "run", "bench"];
            let mut words = call.words.iter().map(String::as_str);
            call.cargo().is_some() && words.any(|word| building.contains(&word))
        };
        let calls = of_text(&command, 1);
        let mut lacking = calls.iter().filter(|call| builds(call)).flat_map(|call| {
            let is_lacking = |word: &&String| !call.words.contains(word);
            let words = wanted.iter().filter(is_lacking).cloned();
            let assigned: BTreeMap<_, _> = call.assigned.iter().cloned().collect();
            let unassigned = variables.iter();
            let unassigned =
                unassigned.filter(move |(name, value)| assigned.get(*name) != Some(value));
            words.chain(unassigned.map(|(name, value)| format!("{name}={value}")))
        });
        let is_building = calls.iter().any(builds);
        let lacking = lacking.next();
        match lacking {
            _ if !is_building => {}
            // A plan can require other configurations beside this one.
            None if options.choice().is_plain() => return Ok(()),
            None => {}
            Some(lacking) => {
                first.get_or_insert((command.clone(), lacking));
            }
        }
    }
    let Some((command, lacking)) = first else {
        return Ok(());
    };
    let plan = project.workspace.slashed(&poc.paths.plan);
    Err(exit::usage(format!(
        "a plan's commands are run as written, and `{command}` in {plan} does not have `{lacking}`; write it there, or set it in \
         a configuration before `cargo poc init`"
    )))
}

/// The tests that the plans excuse today.
pub(super) fn quarantined(pocs: &[Poc]) -> Vec<String> {
    let today = quarantine::today();
    let rows = pocs.iter().flat_map(|poc| &poc.plan.quarantine);
    rows.filter(|row| row.objection(today).is_none())
        .map(|row| row.test.clone())
        .collect()
}

/// The settings of the programs of a run, without colours; `key` distinguishes the run from one inside it.
pub(super) fn settings(project: &Project, arguments: &cli::Verify, key: &str) -> Result<Settings> {
    let seconds = arguments.timeout.map(Duration::from_secs);
    Ok(Settings {
        inside: RecursionGuard::enter(key).or_exit(Exit::Usage)?,
        program: std::env::current_exe().context("failed to find the path of this program")?,
        coloured: false,
        timeout: Some(seconds.unwrap_or(project.config.timeout)),
        stop: Stop::default(),
        environment: project.workspace.configuration.environment.clone(),
    })
}
