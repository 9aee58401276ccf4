//! `cargo poc verify`.

mod confirm;
mod hint;
mod job;
mod merge;
mod reports;
pub(super) mod shard;
mod update;
pub(crate) mod watch;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use self::job::Job;
use super::{amend, step, summary, workset};
use crate::affected::{self, Selection};
use crate::change::{self, Change};
use crate::cli::reports::{ReportFile, VerifyReport};
use crate::cli::{self, Global};
use crate::config::RunnerChoice;
use crate::document::StepId;
use crate::document_update::{self, Mode, Texts};
use crate::evidence::{self, Names, Record, Scope, Selected, Source};
use crate::exit::{self, Exit, OrExit as _};
use crate::freshness::{self, Hasher};
use crate::next;
use crate::project::{Paths, Poc, Project};
use crate::report::run::RecordedRun;
use crate::report::{self, PocStatus};
use crate::sys::files;
use crate::sys::git::Repository;
use crate::sys::terminal::Terminal;
use crate::verify::partition::Partition;
use crate::verify::runner::{Words, refuse_build_options};
use crate::verify::{self, Runner};
use crate::workspace::PackageId;

/// Runs the verification of a step, other blocks of a plan, or tests, and records the result.
///
/// # Errors
/// Bad usage: an unknown PoC, step or base; a plan that cannot be relied on, or has nothing to run. Could not run: no
/// cargo, no bash, results that cannot be written.
pub fn run(global: &Global, arguments: &cli::Verify, terminal: &mut Terminal) -> Result<Exit> {
    // A listing that does not depend on the change needs no git.
    let listed = arguments.list && !matches!(scope(arguments), Scope::Affected);
    let project = &if listed {
        Project::load_without_git(global)?
    } else {
        Project::load(global)?
    };
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
    let exit = run_scope(global, project, arguments, &pocs, scope, terminal)?;
    Ok(if unreadable.is_empty() {
        exit
    } else {
        exit.max(Exit::Usage)
    })
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
            "`--report shard=FILE` is what one shard saw; name which with `--partition M/N`",
        ));
    }
    let job = Job::plan(project, arguments, pocs, scope)?;
    if arguments.list {
        return job.list(terminal);
    }
    if job.commands.is_empty() {
        return job.nothing_to_run(project, arguments, terminal);
    }
    let recorded = pocs.first().filter(|_| !arguments.no_record);
    if let (Some(poc), Scope::Step(id)) = (recorded, &job.scope) {
        step::start_before_run(project, &poc.paths, &StepId::new(id), terminal)?;
    }
    let exit = job.run(project, arguments, pocs, terminal)?;
    if let (Some(poc), Exit::Fine) = (recorded, exit) {
        after_run(global, arguments, &poc.paths, &job.scope, terminal)?;
    }
    if arguments.collect {
        super::coverage::collect(project, &arguments.arguments, terminal)?;
    }
    Ok(exit)
}

/// Closes a step that has been proven, and the whole with it.
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
    summary::complete(&project, paths, terminal)
}

/// Records what a person confirms, then closes what that proves.
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
    if !arguments.no_close && exit == Exit::Fine {
        for id in &steps {
            step::close_after_run(&project, &poc.paths, id, terminal)?;
        }
        project.refresh_repository();
        summary::complete(&project, &poc.paths, terminal)?;
    }
    Ok(exit)
}

/// Whether a PoC is named and nothing says what of it to run.
fn takes_next(arguments: &cli::Verify) -> bool {
    arguments.name.is_some()
        && matches!(scope(arguments), Scope::Affected)
        && !arguments.scope.affected
        && arguments.arguments.is_empty()
        && arguments.partition.is_none()
        && arguments.base.is_none()
}

/// Every step and the done block are proven, or wait for a person.
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
            summary::complete(project, paths, terminal)?;
            Ok(Exit::Fine)
        }
    }
}

/// [`pocs`] for runs on several machines, which have to agree on them: one that cannot be read is an error.
fn all_readable(project: &Project, name: Option<&str>, scope: &Scope) -> Result<Vec<Poc>> {
    let (pocs, unreadable) = pocs(project, name, scope)?;
    match unreadable.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(pocs),
    }
}

/// The named PoC; else, for a scope of a plan, the only open one, and for tests every open one. Documents that cannot be
/// read are returned beside them.
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

fn scope(arguments: &cli::Verify) -> Scope {
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

/// What runs the tests: the one that is `wanted`, else the one that is set.
fn runner(project: &Project, wanted: Option<RunnerChoice>) -> Result<Runner> {
    let wanted = wanted.unwrap_or(project.config.runner);
    Runner::choose(wanted, &project.workspace.root)
}

/// The runner's arguments besides the tests.
fn words<'a>(
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

/// How a scope is asked for.
fn flag(scope: &Scope) -> String {
    match scope {
        Scope::Step(id) => format!("--step {id}"),
        scope => format!("--{scope}"),
    }
}

/// How many tests a change selects, for the record.
pub(super) fn selected(selection: &Selection) -> Selected {
    let count = |tests| u64::try_from(tests).unwrap_or(u64::MAX);
    Selected {
        selected: count(selection.count()),
        total: count(selection.total.tests),
    }
}

/// Makes the record of a run for a PoC by name, against its baseline and the tests that failed before.
type MakeRecord<'a> = dyn Fn(&str, Option<&Record>, Names) -> Result<Record> + 'a;

/// Prints the outcome of a run for each PoC and, when `recording`, writes it into the results. Returns the worst exit code.
fn record_run(
    project: &Project,
    pocs: &[Poc],
    scope: &Scope,
    recording: bool,
    record: &MakeRecord<'_>,
    terminal: &mut Terminal,
) -> Result<(Exit, Vec<RecordedRun>)> {
    if pocs.is_empty() {
        let record = record("", None, Names::new())?;
        report::human::verify::outcome(terminal, &record)?;
        return Ok((verify::exit(&record), vec![RecordedRun::of(record)]));
    }
    let mut worst = Exit::Fine;
    let mut records = Vec::new();
    for poc in pocs {
        let known = poc.evidence();
        let baseline = known.baseline().filter(|_| *scope != Scope::Baseline);
        let record = record(&poc.paths.name, baseline, known.failing())?;
        let written = if recording {
            write(project, poc, &record, terminal)
        } else {
            Ok(())
        };
        // The outcome is shown even if it could not be recorded.
        report::human::verify::outcome(terminal, &record)?;
        written?;
        let results = project.workspace.slashed(&poc.paths.results);
        if recording {
            terminal.status("Recorded", format!("{} in {results}", record.scope))?;
        }
        worst = worst.max(verify::exit(&record));
        records.push(RecordedRun {
            measured: baseline.is_some(),
            results: recording.then_some(results),
            record,
        });
    }
    Ok((worst, records))
}

/// What a run of these packages' tests depends on, hashed before it.
pub(super) struct Before<'p> {
    project: &'p Project,
    packages: &'p BTreeSet<PackageId>,
    toolchain: &'p str,
    hasher: Hasher<'p>,
    inputs: freshness::Inputs,
}

impl<'p> Before<'p> {
    pub(super) fn run(
        project: &'p Project,
        repository: Option<&Repository>,
        toolchain: &'p str,
        packages: &'p BTreeSet<PackageId>,
    ) -> Result<Self> {
        let mut hasher = hasher(project, repository.cloned(), toolchain)?;
        let inputs = hasher.inputs(packages)?;
        Ok(Self {
            project,
            packages,
            toolchain,
            hasher,
            inputs,
        })
    }

    /// What the run depended on, hashed again after it. Inputs that changed meanwhile are marked so: then the run proves
    /// nothing, and a warning names the files.
    pub(super) fn after(mut self, terminal: &mut Terminal) -> Result<freshness::Inputs> {
        let repository = change::repository_of(&self.project.workspace).ok();
        let mut hasher = hasher(self.project, repository, self.toolchain)?;
        let after = hasher.inputs(self.packages)?;
        // cargo updates the lockfile before it builds: the tests ran with the one that is there now.
        freshness::keep_lockfile(&mut self.inputs, &after);
        freshness::mark_changed(&mut self.inputs, &after);
        if freshness::changed_while_it_ran(&self.inputs) {
            let differing = self.hasher.differences(&hasher);
            let few = differing.len().min(10);
            let more = match differing.len() - few {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            terminal.warn(format!(
                "changed while the commands ran: {}{more}; this run proves nothing, verify again (git should ignore files that a run writes)",
                differing[..few].join(", ")
            ))?;
        }
        Ok(self.inputs)
    }
}

fn hasher<'p>(
    project: &'p Project,
    repository: Option<Repository>,
    toolchain: &str,
) -> Result<Hasher<'p>> {
    Hasher::new(&project.workspace, &project.config, repository, toolchain)
}

/// The tests that the change of each PoC can affect, together; without a PoC, of the change on this branch. `but` are
/// files that are no part of the change, `base` is the commit to compare with where the user names one.
fn selection(
    project: &Project,
    pocs: &[Poc],
    but: &[Utf8PathBuf],
    base: Option<&str>,
) -> Result<Selection> {
    let repository = change::repository_of(&project.workspace).context(
        "failed to find out what changed; without git, run everything: `cargo poc verify --full`",
    )?;
    let mut bases: BTreeSet<String> = base.map(str::to_owned).into_iter().collect();
    let mut notes = Vec::new();
    for poc in pocs.iter().filter(|_| base.is_none()) {
        let none = || {
            format!(
                "{} names no Base in its Overview; write the commit it started from",
                poc.paths.plan
            )
        };
        let base = super::base::of_poc(&repository, poc)?
            .with_context(none)
            .or_exit(Exit::Usage)?;
        notes.extend(base.note);
        bases.insert(base.commit);
    }
    if bases.is_empty() {
        bases.insert(repository.default_base()?);
    }
    let mut all = Selection {
        notes,
        ..Selection::default()
    };
    for base in bases {
        let mut change = Change::since(&repository, &base)?;
        change.files.retain(|file| !but.contains(&file.path));
        let one = affected::select_in(project, &change, true)?;
        all.merge(one);
    }
    Ok(all)
}

/// Checks before the run that it can be recorded.
fn recordable(pocs: &[Poc]) -> Result<()> {
    match pocs.iter().find(|poc| poc.results.is_none()) {
        Some(poc) => Err(exit::usage(format!(
            "there is no {} to record evidence in; `cargo poc init {} --adopt` writes it, --no-record does without",
            poc.paths.results, poc.paths.name
        ))),
        None => pocs.iter().try_for_each(|poc| {
            files::check_writable(&poc.paths.results)
                .context("the run could not be recorded, so nothing was run")
        }),
    }
}

/// The commit and whether the work tree differs from it; unknown without git.
fn source(project: &Project, repository: Option<&Repository>) -> Source {
    let Some(repository) = repository else {
        return Source::default();
    };
    let commit = repository.head().ok().flatten();
    let ours = |path: &camino::Utf8Path| {
        let path = repository.root.join(path);
        project
            .config
            .is_document(project.workspace.relative(&path))
    };
    let dirty = commit.as_deref().and_then(|commit| {
        let changes = repository.changes_since(commit).ok()?;
        Some(changes.iter().any(|change| !ours(&change.path)))
    });
    Source { commit, dirty }
}

/// The first evidence of a step or of the done block locks its promises. A baseline and the prerequisites do not: they
/// describe the state before the work and run while the plan is still being written.
fn write(project: &Project, poc: &Poc, record: &Record, terminal: &mut Terminal) -> Result<()> {
    let locks = matches!(record.scope, Scope::Step(_) | Scope::Done);
    if locks {
        amend::warn_of_unknown_tests(project, poc, terminal)?;
    }
    document_update::change(project, &poc.paths, Mode::Write, terminal, |poc| {
        let (document, _) = document_update::results(poc)?;
        let mut text = document.text().to_owned();
        if locks {
            text = amend::locked(project, poc, &text)?;
        }
        let results = Some(evidence::append(&text, record)?);
        Ok((
            Texts {
                results,
                plan: None,
            },
            (),
        ))
    })
    .context("failed to add evidence")?;
    Ok(())
}
