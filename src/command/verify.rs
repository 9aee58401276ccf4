//! `cargo poc verify`.

mod confirm;
mod merge;
mod reports;
pub(super) mod shard;
mod update;
pub(crate) mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use self::reports::Ended;
use super::{amend, summary};
use crate::affected::{self, Selection};
use crate::change::{self, Change};
use crate::cli::reports::{ReportFile, VerifyReport};
use crate::cli::{self, Global};
use crate::document::plan::Step;
use crate::document::{Severity, StepId};
use crate::evidence::{self, Outcome, Record, Scope, Selected, Source};
use crate::exit::{self, Exit, OrExit as _};
use crate::freshness::{self, Hasher};
use crate::project::{Poc, Project};
use crate::report;
use crate::report::run::Settled;
use crate::sys::exec::Stop;
use crate::sys::{cargo, exec};
use crate::terminal::Terminal;
use crate::verify::binaries::Binaries;
use crate::verify::expected::{Expected, Meaning};
use crate::verify::partition::Partition;
use crate::verify::runner::{self, Words};
use crate::verify::shell::{Inside, Settings};
use crate::verify::{self, Basis, Check, Options, Program, Runner};
use crate::workspace::PackageId;
use crate::workspace::graph::nearest;
use crate::writing::{self, Mode, Texts};

/// Runs what proves a step, a plan's other commands, or tests, and records what was seen.
///
/// # Errors
/// Bad usage: an unknown PoC, step or base; a plan that cannot be relied on, or has nothing to run. Could not run: no
/// cargo, no bash, results that cannot be written.
pub fn run(global: &Global, arguments: &cli::Verify, terminal: &mut Terminal) -> Result<Exit> {
    let project = &Project::load(global)?;
    if !arguments.confirm.is_empty() {
        let poc = project.named_or_only(arguments.name.as_deref())?;
        let exit = confirm::run(project, &poc, &arguments.confirm, terminal)?;
        summary::complete(global, &poc.paths, terminal)?;
        return Ok(exit);
    }
    reports::prepare(arguments, terminal);
    if !arguments.merge.is_empty() {
        return merge::run(project, arguments, terminal);
    }
    let scope = scope(arguments);
    let pocs = pocs(project, arguments.name.as_deref(), &scope)?;
    if let Some(partition) = arguments.partition {
        return shard::run(project, arguments, &pocs, scope, partition, terminal);
    }
    let of_shard = |wanted: &ReportFile<VerifyReport>| wanted.format == VerifyReport::Shard;
    if arguments.report.iter().any(of_shard) {
        return Err(exit::usage(
            "`--report shard=FILE` is what one shard saw; name which with `--partition M/N`",
        ));
    }
    let job = Job::plan(project, arguments, &pocs, scope)?;
    if arguments.list {
        return job.list(terminal);
    }
    if job.commands.is_empty() {
        return job.nothing_to_run(project, arguments, terminal);
    }
    let exit = job.run(project, arguments, &pocs, terminal)?;
    if let ([poc], Scope::Done, Exit::Fine, false) =
        (&pocs[..], &job.scope, exit, arguments.no_record)
    {
        summary::complete(global, &poc.paths, terminal)?;
    }
    if arguments.collect {
        super::observed::collect(project, &arguments.arguments, terminal)?;
    }
    Ok(exit)
}

/// The named PoC; else, for a scope of a plan, the only open one, and for tests every open one.
pub(super) fn pocs(project: &Project, name: Option<&str>, scope: &Scope) -> Result<Vec<Poc>> {
    let of_plan = !matches!(scope, Scope::Affected | Scope::Full);
    match name {
        None if !of_plan => project.open(),
        name => Ok(vec![project.named_or_only(name)?]),
    }
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
fn runner(project: &Project, wanted: Option<cli::Runner>) -> Result<Runner> {
    let wanted = wanted.unwrap_or(project.config.runner);
    Runner::choose(wanted, &project.workspace.root)
}

/// What the runner is given, but for the tests.
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

/// What a run of `verify` is to do.
struct Job {
    scope: Scope,
    checks: Vec<Check>,
    /// The checks, blocks as their commands.
    commands: Vec<Check>,
    /// Expectations of what is commented out.
    optional: Vec<Expected>,
    /// The packages whose tests run, which with all they link are what the evidence depends on.
    packages: BTreeSet<PackageId>,
    /// What led to the affected tests, for the line that says so.
    selection: Option<Selection>,
    /// What ends the run before its time.
    stop: Stop,
}

impl Job {
    fn plan(
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        scope: Scope,
    ) -> Result<Self> {
        let workspace = &project.workspace;
        match (&scope, pocs) {
            (Scope::Full, _) => Self::of(
                scope,
                runner(project, arguments.runner)?.full(workspace, words(project, arguments, None)),
                (0..workspace.packages.len()).collect(),
                None,
            ),
            (Scope::Affected, _) => {
                Self::affected(project, arguments, selection(project, pocs, &[])?)
            }
            (_, [poc]) => {
                reliable(poc)?;
                if let Scope::Step(id) = &scope {
                    known_step(poc, id)?;
                }
                if !arguments.arguments.is_empty() {
                    return Err(exit::usage(
                        "arguments after `--` go to the test runner of --affected and --full; a plan's commands are run as written",
                    ));
                }
                let checks = verify::planned(&poc.plan, &scope);
                let scripts: Vec<String> = checks.iter().map(Check::command).collect();
                let packages = freshness::packages_of_script(workspace, &scripts.join("\n"));
                let job = Self::of(scope, checks, packages, None)?;
                job.readable(poc)?;
                Ok(job)
            }
            _ => Err(exit::usage("name one PoC for this scope")),
        }
    }

    /// The tests that `selection` says are affected.
    fn affected(
        project: &Project,
        arguments: &cli::Verify,
        mut selection: Selection,
    ) -> Result<Self> {
        // What the run depends on is all that is affected, also where tests of it are known to run as they did.
        let packages = selection.packages();
        super::observed::narrow(project, &arguments.arguments, true, &mut selection)?;
        let runner = runner(project, arguments.runner)?;
        let words = words(project, arguments, None);
        let checks = runner.selected(&project.workspace, &selection, words);
        Self::of(Scope::Affected, checks, packages, Some(selection))
    }

    fn of(
        scope: Scope,
        checks: Vec<Check>,
        packages: BTreeSet<PackageId>,
        selection: Option<Selection>,
    ) -> Result<Self> {
        let (commands, optional) = verify::commands_of(&checks)?;
        Ok(Self {
            scope,
            checks,
            commands,
            optional,
            packages,
            selection,
            stop: Stop::default(),
        })
    }

    /// A pattern that cannot be read would be an expectation that nothing is held against.
    fn readable(&self, poc: &Poc) -> Result<()> {
        let blocks = verify::blocks(&poc.plan, &self.scope);
        for check in &self.commands {
            for expected in check.expected() {
                if let Program::Command(command) = &check.program
                    && let Meaning::Unreadable(why) = &expected.meaning
                {
                    let line = blocks[command.block].line + 1 + expected.lines.start;
                    return Err(exit::usage(format!("{}:{line}: {why}", poc.paths.plan)));
                }
            }
        }
        Ok(())
    }

    fn list(&self, terminal: &mut Terminal) -> Result<Exit> {
        report::human::verify::list(terminal, &self.scope, &self.commands)?;
        for expected in &self.optional {
            let text = expected.text.replace('\n', " ");
            terminal.detail(format!("not run, so not expected: {text}"))?;
        }
        Ok(Exit::Fine)
    }

    /// A change that reaches no test is no failure, if what it touches still compiles; a plan without commands for a
    /// scope is.
    fn nothing_to_run(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        terminal: &mut Terminal,
    ) -> Result<Exit> {
        let Some(selection) = &self.selection else {
            let scope = &self.scope;
            return Err(exit::usage(format!(
                "there is nothing to run for {scope}: the plan has no bash block with a command there; write the command that proves it"
            )));
        };
        super::observed::left_out(terminal, selection)?;
        for note in &selection.notes {
            terminal.warn(note)?;
        }
        let unaffected =
            "no test can be affected by the change, so none was run and nothing recorded";
        let mut ended = Ended {
            scope: &self.scope,
            exit: Exit::Fine,
            selection: Some(selected(selection)),
            records: &[],
            poc: None,
            ran: None,
        };
        if selection.touched.is_empty() {
            terminal.status("Unaffected", unaffected)?;
            let nothing = verify::Report::default();
            ended.ran = Some(&nothing);
            ended.report(project, arguments, terminal)?;
            return Ok(Exit::Fine);
        }
        let binaries = Binaries::of(&project.workspace);
        let options = self.options(project, arguments, &[], &binaries, terminal)?;
        let check = runner::compiles(&project.workspace, &selection.touched, &project.cargo.flags);
        exec::install_interrupt_handler()?;
        let report = verify::run(&[check], &options, terminal)?;
        let compiles = report.checked.iter().all(|check| check.ended.success());
        let but = if compiles {
            ""
        } else {
            ", and it does not compile"
        };
        terminal.status("Unaffected", format!("{unaffected}{but}"))?;
        ended.ran = Some(&report);
        ended.exit = if compiles { Exit::Fine } else { Exit::Findings };
        ended.report(project, arguments, terminal)?;
        Ok(ended.exit)
    }

    fn run(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        terminal: &mut Terminal,
    ) -> Result<Exit> {
        let workspace = &project.workspace;
        if !arguments.no_record {
            recordable(pocs)?;
        }
        if let Some(selection) = &self.selection {
            super::observed::left_out(terminal, selection)?;
            for note in &selection.notes {
                terminal.warn(note)?;
            }
            let of = report::human::affected::share(selection);
            terminal.status(
                "Affected",
                format!("{of} (`cargo poc affected --explain` says why)"),
            )?;
        }
        let toolchain = cargo::toolchain(&workspace.root)?;
        let mut inputs = inputs(project, &toolchain, &self.packages)?;
        let source = source(project);
        let binaries = Binaries::of(workspace);
        let options = self.options(project, arguments, pocs, &binaries, terminal)?;
        exec::install_interrupt_handler()?;
        let mut report = verify::run(&self.checks, &options, terminal)?;
        let interrupted = report.outcome() == Outcome::Interrupted;
        // cargo brings the lockfile in line before it builds: what the tests ran with is what is there now.
        freshness::refresh_lockfile(&mut inputs, workspace)?;
        if let [poc] = pocs
            && let Some(earlier) = poc.evidence().last(&self.scope)
            && earlier.inputs == inputs
        {
            report.confirmed_by(earlier);
        }
        let record = |poc: &str, baseline: Option<&Record>| {
            let (scope, source, inputs) = (self.scope.clone(), source.clone(), inputs.clone());
            report.record(
                workspace,
                &Basis {
                    poc,
                    scope,
                    source,
                    inputs,
                    toolchain: &toolchain,
                    baseline,
                    selection: self.selection.as_ref().map(selected),
                },
            )
        };
        let (exit, records) = if interrupted {
            // Says nothing about the code, and must not push what was proven before out of sight.
            if exec::interrupted() {
                terminal.warn("interrupted; nothing was recorded")?;
            }
            (Exit::CouldNotRun, vec![Settled::of(record("", None)?)])
        } else {
            let recording = !arguments.no_record;
            settle(project, pocs, &self.scope, recording, &record, terminal)?
        };
        if let ([poc], true) = (pocs, arguments.update && !interrupted) {
            update::run(
                project,
                poc,
                &self.scope,
                &report,
                arguments.write,
                terminal,
            )?;
        }
        let ended = Ended {
            scope: &self.scope,
            exit,
            selection: self.selection.as_ref().map(selected),
            records: &records,
            poc: pocs.first().filter(|_| self.selection.is_none()),
            ran: Some(&report),
        };
        ended.report(project, arguments, terminal)?;
        Ok(exit)
    }

    fn options<'w>(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        binaries: &'w Binaries<'w>,
        terminal: &Terminal,
    ) -> Result<Options<'w>> {
        let names: Vec<&str> = pocs.iter().map(|poc| poc.paths.name.as_str()).collect();
        let key = format!("{} {}", names.join(","), self.scope);
        // As many as last time, until the runner tells better.
        let last = pocs
            .iter()
            .filter_map(|poc| poc.evidence().last(&self.scope)?.tests);
        Ok(Options {
            binaries: Some(binaries),
            root: project.workspace.root.clone(),
            settings: Settings {
                inside: Inside::enter(&key).or_exit(Exit::Usage)?,
                coloured: terminal.coloured(),
                timeout: Some(
                    arguments
                        .timeout
                        .map_or(project.config.timeout, Duration::from_secs),
                ),
                stop: self.stop.clone(),
            },
            keep_going: arguments.keep_going,
            title: self.scope.to_string(),
            expected: last.map(|tests| tests.passed + tests.failed).max(),
            usual: usual(pocs, &self.scope),
            progress: terminal.shows_progress(),
        })
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

/// Says what a run came to, for each PoC, and writes it into its results where it is `recording`; the worst of them.
fn settle(
    project: &Project,
    pocs: &[Poc],
    scope: &Scope,
    recording: bool,
    record: &dyn Fn(&str, Option<&Record>) -> Result<Record>,
    terminal: &mut Terminal,
) -> Result<(Exit, Vec<Settled>)> {
    if pocs.is_empty() {
        let record = record("", None)?;
        report::human::verify::outcome(terminal, &record)?;
        return Ok((verify::exit(&record), vec![Settled::of(record)]));
    }
    let mut worst = Exit::Fine;
    let mut records = Vec::new();
    for poc in pocs {
        let known = poc.evidence();
        let baseline = known.baseline().filter(|_| *scope != Scope::Baseline);
        let record = record(&poc.paths.name, baseline)?;
        if recording {
            write(project, poc, &record, terminal)?;
        }
        report::human::verify::outcome(terminal, &record)?;
        let results = project.workspace.slashed(&poc.paths.results);
        if recording {
            terminal.status("Recorded", format!("{} in {results}", record.scope))?;
        }
        worst = worst.max(verify::exit(&record));
        records.push(Settled {
            measured: baseline.is_some(),
            results: recording.then_some(results),
            record,
        });
    }
    Ok((worst, records))
}

/// How long a verification of this scope took when it last ran to its end.
fn usual(pocs: &[Poc], scope: &Scope) -> Option<Duration> {
    let records = pocs
        .iter()
        .filter_map(|poc| poc.evidence().last(scope).cloned());
    let whole = records.filter(|record| record.outcome.is_whole());
    whole
        .map(|record| Duration::from_millis(record.milliseconds))
        .max()
}

/// Hashes of what a run of these packages' tests depends on.
fn inputs(
    project: &Project,
    toolchain: &str,
    packages: &BTreeSet<PackageId>,
) -> Result<freshness::Inputs> {
    let repository = change::repository_of(&project.workspace).ok();
    Hasher::new(project, repository, toolchain)?.inputs(packages)
}

/// The tests that the change of each PoC can affect, together; without a PoC, of the change on this branch. `but` are
/// files that are no part of the change.
fn selection(project: &Project, pocs: &[Poc], but: &[Utf8PathBuf]) -> Result<Selection> {
    let repository = change::repository_of(&project.workspace).context(
        "failed to find out what changed; without git, run everything: `cargo poc verify --full`",
    )?;
    let mut bases: BTreeSet<String> = BTreeSet::new();
    for poc in pocs {
        let base = poc.plan.base.clone();
        let none = || {
            format!(
                "{} names no Base in its Overview; write the commit it started from",
                poc.paths.plan
            )
        };
        bases.insert(base.with_context(none).or_exit(Exit::Usage)?);
    }
    if bases.is_empty() {
        bases.insert(repository.default_base()?);
    }
    let mut all = Selection::default();
    for base in bases {
        let mut change = Change::since(&repository, &base)?;
        change.files.retain(|file| !but.contains(&file.path));
        let one = affected::select_in(project, &change, true)?;
        all.merge(one);
    }
    Ok(all)
}

/// A plan that cannot be relied on must not become evidence.
pub(super) fn reliable(poc: &Poc) -> Result<()> {
    let worst = poc
        .plan
        .problems
        .iter()
        .find(|problem| problem.kind.severity() == Severity::Error);
    match worst {
        Some(problem) => Err(exit::usage(format!(
            "{}:{}: {}",
            poc.paths.plan, problem.line, problem.message
        ))),
        None => Ok(()),
    }
}

pub(super) fn known_step<'p>(poc: &'p Poc, id: &str) -> Result<&'p Step> {
    if let Some(step) = poc.plan.steps.iter().find(|step| step.id.as_str() == id) {
        return Ok(step);
    }
    let ids: Vec<&str> = poc.plan.steps.iter().map(|step| step.id.as_str()).collect();
    Err(exit::usage(format!(
        "{} has no step {id}; its steps are {}{}",
        poc.paths.plan,
        ids.join(", "),
        nearest(id, &ids)
    )))
}

/// Nobody should wait for a run that cannot be recorded.
fn recordable(pocs: &[Poc]) -> Result<()> {
    match pocs.iter().find(|poc| poc.results.is_none()) {
        Some(poc) => Err(exit::usage(format!(
            "there is no {} to record evidence in; restore it from git, or run with --no-record",
            poc.paths.results
        ))),
        None => Ok(()),
    }
}

/// The commit and whether the work tree differs from it; unknown without git.
fn source(project: &Project) -> Source {
    let Ok(repository) = change::repository_of(&project.workspace) else {
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

/// The first evidence of a step, or of the done block, locks what it is evidence of. A baseline and the prerequisites do
/// not: they tell what was there before, and are run while the plan is still being filled in.
fn write(project: &Project, poc: &Poc, record: &Record, terminal: &mut Terminal) -> Result<()> {
    let locks = matches!(record.scope, Scope::Step(_) | Scope::Done);
    writing::change(project, &poc.paths, Mode::Write, terminal, |poc| {
        let (document, _) = writing::results(poc)?;
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
