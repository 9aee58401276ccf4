//! `cargo poc verify`.

mod compared;
mod confirm;
mod failed;
mod hint;
mod job;
mod merge;
mod nothing;
mod record;
mod reports;
mod request;
mod reuse;
mod shadow;
pub(super) mod shard;
mod strength;
mod update;
pub(crate) mod watch;

use anyhow::Result;
use camino::Utf8Path;

use self::job::Job;
use self::request::{pocs, runner, scope, takes_next};
use super::{step, summary, workset};
use crate::cli::reports::{ReportFile, VerifyReport};
use crate::cli::{self, Global};
use crate::document::StepId;
use crate::evidence::Scope;
use crate::exit::{self, Exit};
use crate::next;
use crate::project::{Paths, Poc, Project};
use crate::report::PocStatus;
use crate::sys::terminal::Terminal;
use crate::verify::runner::refuse_build_options;

/// Runs the verification of a step, other blocks of a plan, or tests, and records the result.
///
/// # Errors
/// A usage error: an unknown PoC, step or base; a plan that is ambiguous or has no commands. Could not run: cargo or bash
/// is missing, or the results cannot be written.
pub fn run(global: &Global, arguments: &cli::Verify, terminal: &mut Terminal) -> Result<Exit> {
    // A listing that does not depend on the change needs no git.
    let listed = arguments.list && !matches!(scope(arguments), Scope::Affected);
    let project = &if listed {
        Project::load_without_git(global)?
    } else {
        Project::load(global)?
    };
    let named = match &arguments.plan {
        Some(file) => Some(cli::Verify {
            name: Some(name_of(project, file)?),
            ..arguments.clone()
        }),
        None => None,
    };
    let arguments = named.as_ref().unwrap_or(arguments);
    if !arguments.confirm.is_empty() {
        let poc = project.named_or_only(arguments.name.as_deref())?;
        return confirmed(global, project, arguments, &poc, terminal);
    }
    refuse_build_options(&arguments.arguments, runner(project, arguments.runner)?)?;
    reports::prepare(arguments, terminal);
    if !arguments.merge.is_empty() {
        return merge::run(project, arguments, terminal);
    }
    let mut scope = scope(arguments);
    if takes_next(arguments) {
        let paths = project.named_or_only(arguments.name.as_deref())?.paths;
        let (_, status) = workset::assess_one(project, paths.clone())?;
        match next::next_scope(&status.assessment) {
            Some(next) => scope = next,
            None => return nothing_left(project, &paths, &status, terminal),
        }
    }
    let (pocs, unreadable) = pocs(project, arguments.name.as_deref(), &scope)?;
    for error in &unreadable {
        terminal.error(error)?;
    }
    reuse::import(project, arguments, terminal)?;
    let exit = run_scope(global, project, arguments, &pocs, scope, terminal)?;
    reuse::export(project, arguments, terminal)?;
    Ok(if unreadable.is_empty() {
        exit
    } else {
        exit.max(Exit::Usage)
    })
}

/// The name of the plan in a file.
fn name_of(project: &Project, file: &Utf8Path) -> Result<String> {
    let paths = project.of_file(workset::located(file)?)?;
    if !paths.plan.is_file() {
        return Err(exit::usage(format!("{file} does not exist")));
    }
    if !paths.is_foreign() && project.find(&paths.name)?.plan != paths.plan {
        let docs = project.docs();
        return Err(exit::usage(format!(
            "{file} is not in {docs}; pass its folder with --docs"
        )));
    }
    Ok(paths.name)
}

/// Runs one scope of the PoCs.
fn run_scope(
    global: &Global,
    project: &Project,
    arguments: &cli::Verify,
    pocs: &[Poc],
    scope: Scope,
    terminal: &mut Terminal,
) -> Result<Exit> {
    if let Some(partition) = arguments.partition {
        return shard::run(project, arguments, pocs, scope, partition, terminal);
    }
    let of_shard = |wanted: &ReportFile<VerifyReport>| wanted.format == VerifyReport::Shard;
    if arguments.report.iter().any(of_shard) {
        return Err(exit::usage(
            "`--report shard=FILE` reports one shard; select it with `--partition M/N`",
        ));
    }
    if arguments.strength && matches!(scope, Scope::Affected) {
        return strength::of_change(project, arguments, pocs, terminal);
    }
    let job = Job::plan(project, arguments, pocs, scope)?;
    if arguments.list {
        return job.list(arguments, terminal);
    }
    if job.commands.is_empty() {
        return job.nothing_to_run(project, arguments, terminal);
    }
    let recorded = pocs.first().filter(|_| arguments.records());
    let started = recorded.filter(|poc| !poc.paths.is_foreign());
    if let (Some(poc), Scope::Step(id)) = (started, &job.scope) {
        step::start_before_run(project, &poc.paths, &StepId::new(id), terminal)?;
    }
    let exit = job.run(project, arguments, pocs, terminal)?;
    if let (Some(poc), Exit::Success) = (recorded, exit) {
        after_run(global, arguments, &poc.paths, &job.scope, terminal)?;
    }
    if arguments.collect {
        super::coverage::collect(project, &arguments.arguments, false, terminal)?;
    }
    Ok(exit)
}

/// Closes a proven step, and completes the work if everything is proven.
fn after_run(
    global: &Global,
    arguments: &cli::Verify,
    paths: &Paths,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<()> {
    if arguments.no_close || !matches!(scope, Scope::Step(_) | Scope::Done) {
        return Ok(());
    }
    let mut project = Project::load(global)?;
    if let Scope::Step(id) = scope {
        step::close_after_run(&project, paths, &StepId::new(id), terminal)?;
        project.refresh_repository();
    }
    if paths.is_foreign() {
        return Ok(());
    }
    summary::complete(&project, paths, terminal)
}

/// Records a person's confirmation, then closes the steps that it proves.
fn confirmed(
    global: &Global,
    project: &Project,
    arguments: &cli::Verify,
    poc: &Poc,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let confirmation = confirm::Confirming {
        by: arguments.by.as_deref(),
        reason: arguments.reason.as_deref(),
    };
    let (exit, steps) = confirm::run(project, poc, &arguments.confirm, &confirmation, terminal)?;
    let mut project = Project::load(global)?;
    if !arguments.no_close && exit == Exit::Success && !poc.paths.is_foreign() {
        for id in &steps {
            step::close_after_run(&project, &poc.paths, id, terminal)?;
        }
        project.refresh_repository();
        summary::complete(&project, &poc.paths, terminal)?;
    }
    Ok(exit)
}

/// Every step and the done block are proven or need a confirmation.
fn nothing_left(
    project: &Project,
    paths: &Paths,
    status: &PocStatus,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let name = &paths.name;
    match &status.next {
        Some(next) if next.person => {
            let (why, command) = (&next.why, &next.command);
            terminal.status("Open", format!("{name}: {why}: `{command}`"))?;
            Ok(Exit::Findings)
        }
        _ => {
            let affected = format!("`cargo poc verify {name} --affected` runs the affected tests");
            terminal.status(
                "Proven",
                format!("{name}: no step is left to run; {affected}"),
            )?;
            if !paths.is_foreign() {
                summary::complete(project, paths, terminal)?;
            }
            Ok(Exit::Success)
        }
    }
}
