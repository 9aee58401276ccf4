//! Plans and executes one verification.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;

use super::super::coverage;
use super::record::{Before, keep_snapshot, passed_proofs, record_run, recordable, source};
use super::reports::FinishedRun;
use super::request::{built_as_asked, quarantined, runner, selected, selection, settings, words};
use super::reuse::{self, Reuse};
use super::{compared, failed, hint, shadow, strength, update};
use crate::affected::failed::FailedTests;
use crate::affected::{self, Selection};
use crate::change;
use crate::cli;
use crate::contract;
use crate::document_update;
use crate::evidence::{Names, Outcome, Record, Scope, Source};
use crate::exit::{self, Exit};
use crate::freshness;
use crate::freshness::passed::TreeState;
use crate::freshness::since;
use crate::project::{Poc, Project};
use crate::report;
use crate::report::run::{RecordedRun, Shadow};
use crate::script::expectation::{Expectation, Expected};
use crate::script::shell::Settings;
use crate::sys::exec::Stop;
use crate::sys::terminal::Terminal;
use crate::sys::{cargo, exec};
use crate::verify::binaries::Binaries;
use crate::verify::{self, Invocation, Options, Program, RecordContext};
use crate::workspace::PackageId;

/// One planned verification.
pub(super) struct Job {
    pub(super) scope: Scope,
    pub(super) checks: Vec<Invocation>,
    /// The invocations; each command of a block is one.
    pub(super) commands: Vec<Invocation>,
    /// Expectations whose commands are commented out.
    pub(super) optional: Vec<Expected>,
    /// The packages whose tests run. Evidence depends on them and all they link.
    pub(super) packages: BTreeSet<PackageId>,
    /// The selection of affected tests, for the message about it.
    pub(super) selection: Option<Selection>,
    /// The selected tests that do not run.
    pub(super) reuse: Reuse,
    /// With `--shadow`: the number of invocations that run the selected tests; the others run all other tests.
    pub(super) selected: Option<usize>,
    /// With `--from-report`: the tests of the report, which must run.
    pub(super) reported: Names,
    /// Stops the run early.
    pub(super) stop: Stop,
}

impl Job {
    pub(super) fn plan(
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        scope: Scope,
    ) -> Result<Self> {
        let workspace = &project.workspace;
        match (&scope, pocs) {
            (Scope::Full, _) => {
                workspace.build_in_groups(affected::buildable_groups_in(project));
                Self::of(
                    scope,
                    runner(project, arguments.runner)?
                        .full(workspace, words(project, arguments, None)),
                    (0..workspace.packages.len()).collect(),
                    None,
                )
            }
            (Scope::Affected, _) => {
                let failed = match &arguments.scope.from_report {
                    Some(file) => failed::in_report(project, file)?,
                    None => FailedTests::load(workspace)?,
                };
                let selection = if arguments.scope.runs_failed_tests() {
                    failed::only(project, &failed)?
                } else {
                    selection(project, pocs, &[], arguments.base.as_deref(), &failed)?
                };
                let job = Self::affected(project, arguments, pocs, selection)?;
                let is_reported = arguments.scope.from_report.is_some();
                Ok(Self {
                    reported: if is_reported { failed } else { Names::new() },
                    ..job
                })
            }
            (_, [poc]) => {
                crate::document_update::reliable(poc)?;
                if let Scope::Step(id) = &scope {
                    poc.step(id)?;
                }
                if !arguments.arguments.is_empty() {
                    return Err(exit::usage(
                        "arguments after `--` are for --affected and --full; a plan's commands are run as written",
                    ));
                }
                let checks = verify::planned(&poc.plan, &scope);
                if arguments.build != cli::Build::default() {
                    built_as_asked(project, &arguments.build, poc, &checks)?;
                }
                let scripts: Vec<String> = checks.iter().map(Invocation::command).collect();
                let packages = freshness::packages_of_script(workspace, &scripts.join("\n"));
                let mut job = Self::of(scope, checks, packages, None)?;
                if strength::is_wanted(arguments, &job.scope, job.commands.iter()) {
                    // Tests of any package may detect a mutant.
                    job.packages = (0..workspace.packages.len()).collect();
                }
                job.readable(poc)?;
                Ok(job)
            }
            _ => Err(exit::usage("name one PoC for this scope")),
        }
    }

    /// Runs the selected tests.
    pub(super) fn affected(
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        mut selection: Selection,
    ) -> Result<Self> {
        // The run depends on every affected package, even if coverage shows that some of its tests are unaffected.
        let packages = selection.packages();
        coverage::narrow(project, &arguments.arguments, true, &mut selection)?;
        let mut left = selection.clone();
        let reuse = Reuse::of(project, arguments, pocs, &mut left)?;
        let rest = arguments.shadow.then(|| left.rest(&project.workspace));
        let mut checks = reuse::in_order(project, arguments, pocs, left)?;
        let selected = rest.is_some().then_some(checks.len());
        if let Some(rest) = rest {
            checks.extend(reuse::in_order(project, arguments, pocs, rest)?);
        }
        let job = Self::of(Scope::Affected, checks, packages, Some(selection))?;
        Ok(Self {
            reuse,
            selected,
            ..job
        })
    }

    pub(super) fn of(
        scope: Scope,
        checks: Vec<Invocation>,
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
            reuse: Reuse::default(),
            selected: None,
            reported: Names::new(),
            stop: Stop::default(),
        })
    }

    /// Rejects expectations with an invalid pattern, which would never be checked.
    fn readable(&self, poc: &Poc) -> Result<()> {
        let blocks = verify::blocks(&poc.plan, &self.scope);
        for check in &self.commands {
            for expected in check.expected() {
                if let Program::Command(command) = &check.program
                    && let Expectation::Unreadable(why) = &expected.meaning
                {
                    let line = blocks[command.block].line + 1 + expected.lines.start;
                    return Err(exit::usage(format!("{}:{line}: {why}", poc.paths.plan)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn list(&self, arguments: &cli::Verify, terminal: &mut Terminal) -> Result<Exit> {
        report::human::verify::list(terminal, &self.scope, &self.commands)?;
        for expected in &self.optional {
            let text = expected.text.replace('\n', " ");
            terminal.detail(format!("commented out, so not checked: {text}"))?;
        }
        for note in self.selection.iter().flat_map(|selection| &selection.notes) {
            terminal.warn(note)?;
        }
        self.reuse.show(arguments, terminal)?;
        Ok(Exit::Success)
    }

    /// Prints the number of affected tests and the notes of the selection.
    fn show_selection(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        terminal: &mut Terminal,
    ) -> Result<()> {
        let Some(selection) = &self.selection else {
            return Ok(());
        };
        show_notes(project, selection, terminal)?;
        let share = report::human::affected::share(selection);
        terminal.status(
            "Affected",
            format!("{share} (`cargo poc affected --explain` shows the reasons)"),
        )?;
        self.reuse.show(arguments, terminal)
    }

    pub(super) fn run(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        terminal: &mut Terminal,
    ) -> Result<Exit> {
        let workspace = &project.workspace;
        if arguments.records() {
            recordable(pocs)?;
            document_update::remove_without_writer(project);
        }
        self.show_selection(project, arguments, terminal)?;
        let toolchain = cargo::toolchain(&workspace.root)?;
        let repository = change::repository_of(workspace).ok();
        let repository = repository.as_ref();
        let before = Before::run(project, repository, &toolchain, &self.packages)?;
        let mut source = source(project, repository);
        let mut stood = repository.map(since::before_run).transpose()?.flatten();
        let tree = reuse::before_run(project, repository)?;
        let binaries = Binaries::of(workspace);
        let mut report = self.execute(project, arguments, pocs, &binaries, terminal)?;
        let interrupted = report.outcome() == Outcome::Interrupted;
        let ran = (&self.scope, &report);
        let strength = strength::of_run(project, arguments, pocs, ran, terminal)?;
        self.keep_results(
            project,
            arguments,
            (&report, &binaries),
            tree.as_ref(),
            &toolchain,
        )?;
        let mut inputs = before.after(&report.times, terminal)?;
        if !self.scope.is_of_plan() {
            inputs.extend(freshness::configuration(workspace));
        }
        if freshness::changed_while_it_ran(&inputs) {
            // Tests saw neither the commit nor the state before the run.
            source.dirty = Some(true);
            stood = None;
        }
        if let [poc] = pocs
            && let Some(earlier) = poc.evidence().last(&self.scope)
            && earlier.inputs == inputs
        {
            report.confirmed_by(earlier);
        }
        let record = |poc: &str, baseline: Option<&Record>, failed_before: Names| {
            let (scope, source, inputs) = (self.scope.clone(), source.clone(), inputs.clone());
            let mut record = report.record(
                workspace,
                &RecordContext {
                    poc,
                    scope,
                    source,
                    inputs,
                    toolchain: &toolchain,
                    baseline,
                    failed_before,
                    selection: self.selection.as_ref().map(selected),
                },
            )?;
            if record.passed.is_none() {
                record.passed = passed_proofs(pocs, &report.verdicts(&binaries))?;
            }
            strength::add_to(&mut record, strength.as_ref());
            Ok(record)
        };
        let (exit, records) = if interrupted {
            // An interrupted run is no evidence and must not replace earlier evidence.
            if exec::interrupted() {
                terminal.warn("interrupted; nothing was recorded")?;
            }
            let record = record("", None, Names::new())?;
            (Exit::CouldNotRun, vec![RecordedRun::of(record)])
        } else {
            let recording = arguments.records();
            let settled = record_run(project, pocs, &self.scope, recording, &record, terminal)?;
            if let (Some(repository), Some(stood)) = (repository, stood) {
                keep_snapshot(project, repository, stood, &settled.1, terminal)?;
            }
            settled
        };
        let exit = self.of_report(project, exit, (&report, &binaries), terminal)?;
        let exit = strength
            .as_ref()
            .map_or(exit, |of| exit.max(strength::exit_of(of)));
        self.reuse.sum_up(&report, terminal)?;
        if self.scope == Scope::Baseline {
            hint::show(project, &report, &source, terminal)?;
        }
        if !interrupted {
            self.update(project, arguments, pocs, &report, terminal)?;
        }
        let shadow = self.shadow(project, (&report, &binaries), &source, terminal)?;
        let ended = FinishedRun {
            scope: &self.scope,
            exit,
            selection: self.selection.as_ref().map(selected),
            reused: self.reuse.count,
            shadow: shadow.as_ref(),
            strength: strength.as_ref(),
            records: &records,
            poc: pocs.first().filter(|_| self.selection.is_none()),
            ran: Some(&report),
        };
        ended.report(project, arguments, terminal)?;
        Ok(exit)
    }

    /// With `--update`: updates the test counts of the plan.
    fn update(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        report: &verify::Report,
        terminal: &mut Terminal,
    ) -> Result<()> {
        match pocs {
            [poc] if arguments.update => {
                let write = arguments.write;
                update::run(project, poc, &self.scope, report, write, terminal)
            }
            _ => Ok(()),
        }
    }

    /// With `--from-report`: a run without one of the reported tests did not check it.
    fn of_report(
        &self,
        project: &Project,
        exit: Exit,
        (report, binaries): (&verify::Report, &Binaries<'_>),
        terminal: &mut Terminal,
    ) -> Result<Exit> {
        match failed::not_run(project, &self.reported, &report.verdicts(binaries)) {
            Some(why) if exit == Exit::Success => {
                terminal.warn(why)?;
                Ok(Exit::CouldNotRun)
            }
            _ => Ok(exit),
        }
    }

    /// With `--shadow`: reports the tests that failed and were not selected.
    fn shadow(
        &self,
        project: &Project,
        (report, binaries): (&verify::Report, &Binaries<'_>),
        source: &Source,
        terminal: &mut Terminal,
    ) -> Result<Option<Shadow>> {
        let (Some(count), Some(selection)) = (self.selected, &self.selection) else {
            return Ok(None);
        };
        if report.outcome() == Outcome::Interrupted {
            return Ok(None);
        }
        let shadow = shadow::split(report, count, binaries);
        shadow::report(project, &shadow, selected(selection), source, terminal)?;
        Ok(Some(shadow))
    }

    /// Keeps which tests passed and which failed. `before` is the state of the work tree before the run.
    fn keep_results(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        (report, binaries): (&verify::Report, &Binaries<'_>),
        before: Option<&TreeState>,
        toolchain: &str,
    ) -> Result<()> {
        if self.scope.is_of_plan() {
            return Ok(());
        }
        let filtered = !arguments.arguments.is_empty();
        failed::keep(&project.workspace, report, binaries, filtered)?;
        match before {
            Some(before) if !filtered => {
                let runner = runner(project, arguments.runner)?;
                reuse::keep(
                    project,
                    runner,
                    (report, binaries),
                    before,
                    &self.reuse,
                    toolchain,
                )
            }
            _ => Ok(()),
        }
    }

    /// Runs the checks.
    fn execute(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        binaries: &Binaries<'_>,
        terminal: &mut Terminal,
    ) -> Result<verify::Report> {
        let options = self.options(project, arguments, pocs, binaries, terminal)?;
        exec::install_interrupt_handler()?;
        let mut report = verify::run(&self.checks, &options, terminal)?;
        if let [poc] = pocs {
            compared::judge(&mut report, project, poc, &options, terminal)?;
        }
        if let (Scope::Baseline, [poc]) = (&self.scope, pocs) {
            let packages = contract::tests::packages(&project.workspace, &poc.plan);
            verify::reject_idle_targets(&mut report, project, &packages)?;
        }
        Ok(report)
    }

    pub(super) fn options<'w>(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        pocs: &[Poc],
        binaries: &'w Binaries<'w>,
        terminal: &Terminal,
    ) -> Result<Options<'w>> {
        let names: Vec<&str> = pocs.iter().map(|poc| poc.paths.name.as_str()).collect();
        let key = format!("{} {}", names.join(","), self.scope);
        // Assume as many tests as last time, until the runner reports the number.
        let last = pocs
            .iter()
            .filter_map(|poc| poc.evidence().last(&self.scope)?.tests);
        Ok(Options {
            binaries: Some(binaries),
            root: project.workspace.root.clone(),
            settings: Settings {
                coloured: terminal.coloured(),
                stop: self.stop.clone(),
                ..settings(project, arguments, &key)?
            },
            keep_going: !arguments.fail_fast
                && (arguments.no_fail_fast || self.scope.has_independent_commands()),
            title: self.scope.to_string(),
            expected: last.map(|tests| tests.passed + tests.failed).max(),
            usual: last_duration(pocs, &self.scope),
            progress: terminal.shows_progress(),
            quarantine: quarantined(pocs),
        })
    }
}

pub(super) fn show_notes(
    project: &Project,
    selection: &Selection,
    terminal: &mut Terminal,
) -> Result<()> {
    if let Some(other) = project.other_build(true) {
        terminal.warn(other)?;
    }
    coverage::left_out(terminal, selection)?;
    for note in &selection.notes {
        terminal.warn(note)?;
    }
    Ok(())
}

/// The duration of the last completed verification of this scope.
fn last_duration(pocs: &[Poc], scope: &Scope) -> Option<Duration> {
    let records = pocs
        .iter()
        .filter_map(|poc| poc.evidence().last(scope).cloned());
    let whole = records.filter(|record| record.outcome.is_whole());
    whole
        .map(|record| Duration::from_millis(record.milliseconds))
        .max()
}
