//! Plans and executes one verification.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use super::super::coverage;
use super::record::{Before, record_run, recordable, source};
use super::reports::FinishedRun;
use super::request::{runner, selected, selection, words};
use super::{failed, hint, update};
use crate::affected::failed::{FailedTests, TestNames};
use crate::affected::{self, Selection};
use crate::change::{self, Change};
use crate::cli;
use crate::contract;
use crate::document::proof::{self, Proof, is_test};
use crate::document::quarantine;
use crate::evidence::{Names, Outcome, Packed, Record, Scope};
use crate::exit::{self, Exit, OrExit as _};
use crate::freshness;
use crate::freshness::since;
use crate::project::{Poc, Project};
use crate::report;
use crate::report::run::RecordedRun;
use crate::script::expectation::{Expectation, Expected};
use crate::script::shell::{RecursionGuard, Settings};
use crate::sys::exec::Stop;
use crate::sys::terminal::Terminal;
use crate::sys::{cargo, exec};
use crate::verify::binaries::Binaries;
use crate::verify::test_output::Verdict;
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
            (Scope::Full, _) => Self::of(
                scope,
                runner(project, arguments.runner)?.full(workspace, words(project, arguments, None)),
                (0..workspace.packages.len()).collect(),
                None,
            ),
            (Scope::Affected, _) => {
                let failed = FailedTests::load(workspace)?;
                let selection = if arguments.scope.failed {
                    only_failed(project, &failed)?
                } else {
                    selection(project, pocs, &[], arguments.base.as_deref(), &failed)?
                };
                Self::affected(project, arguments, selection)
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
                if !arguments.build.choice().is_plain() {
                    built_as_asked(project, poc, &checks)?;
                }
                let scripts: Vec<String> = checks.iter().map(Invocation::command).collect();
                let packages = freshness::packages_of_script(workspace, &scripts.join("\n"));
                let job = Self::of(scope, checks, packages, None)?;
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
        mut selection: Selection,
    ) -> Result<Self> {
        // The run depends on every affected package, even if coverage shows that some of its tests are unaffected.
        let packages = selection.packages();
        coverage::narrow(project, &arguments.arguments, true, &mut selection)?;
        let runner = runner(project, arguments.runner)?;
        let words = words(project, arguments, None);
        let checks = runner.selected(&project.workspace, &selection, words);
        Self::of(Scope::Affected, checks, packages, Some(selection))
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

    pub(super) fn list(&self, terminal: &mut Terminal) -> Result<Exit> {
        report::human::verify::list(terminal, &self.scope, &self.commands)?;
        for expected in &self.optional {
            let text = expected.text.replace('\n', " ");
            terminal.detail(format!("commented out, so not checked: {text}"))?;
        }
        for note in self.selection.iter().flat_map(|selection| &selection.notes) {
            terminal.warn(note)?;
        }
        Ok(Exit::Success)
    }

    /// If the change affects no test, checks that the changed packages compile. A plan without commands for a scope is an error.
    pub(super) fn nothing_to_run(
        &self,
        project: &Project,
        arguments: &cli::Verify,
        terminal: &mut Terminal,
    ) -> Result<Exit> {
        let Some(selection) = &self.selection else {
            let scope = &self.scope;
            return Err(exit::usage(format!(
                "there is nothing to run for {scope}: the plan has no bash block with a command there; add a verification command"
            )));
        };
        coverage::left_out(terminal, selection)?;
        for note in &selection.notes {
            terminal.warn(note)?;
        }
        let unaffected = "the change affects no test, so nothing was run or recorded";
        let mut ended = FinishedRun {
            scope: &self.scope,
            exit: Exit::Success,
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
            return Ok(Exit::Success);
        }
        let binaries = Binaries::of(&project.workspace);
        let options = self.options(project, arguments, &[], &binaries, terminal)?;
        let check =
            verify::runner::compiles(&project.workspace, &selection.touched, &project.cargo.flags);
        exec::install_interrupt_handler()?;
        let report = verify::run(&[check], &options, terminal)?;
        let compiles = report.checked.iter().all(|check| check.ended.success());
        let but = if compiles {
            ""
        } else {
            ", and the changed packages do not compile"
        };
        terminal.status("Unaffected", format!("{unaffected}{but}"))?;
        ended.ran = Some(&report);
        ended.exit = if compiles {
            Exit::Success
        } else {
            Exit::Findings
        };
        ended.report(project, arguments, terminal)?;
        Ok(ended.exit)
    }

    /// Prints the number of affected tests and the notes of the selection.
    fn show_selection(&self, terminal: &mut Terminal) -> Result<()> {
        let Some(selection) = &self.selection else {
            return Ok(());
        };
        coverage::left_out(terminal, selection)?;
        for note in &selection.notes {
            terminal.warn(note)?;
        }
        let share = report::human::affected::share(selection);
        terminal.status(
            "Affected",
            format!("{share} (`cargo poc affected --explain` shows the reasons)"),
        )
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
        }
        self.show_selection(terminal)?;
        let toolchain = cargo::toolchain(&workspace.root)?;
        let repository = change::repository_of(workspace).ok();
        let repository = repository.as_ref();
        let before = Before::run(project, repository, &toolchain, &self.packages)?;
        let mut source = source(project, repository);
        let mut stood = repository.map(since::before_run).transpose()?.flatten();
        let binaries = Binaries::of(workspace);
        let mut report = self.execute(project, arguments, pocs, &binaries, terminal)?;
        let interrupted = report.outcome() == Outcome::Interrupted;
        if !self.scope.is_of_plan() {
            let filtered = !arguments.arguments.is_empty();
            failed::keep(workspace, &report, &binaries, filtered)?;
        }
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
            Ok(record)
        };
        let (exit, records) = if interrupted {
            // An interrupted run is no evidence and must not replace earlier evidence.
            if exec::interrupted() {
                terminal.warn("interrupted; nothing was recorded")?;
            }
            (
                Exit::CouldNotRun,
                vec![RecordedRun::of(record("", None, Names::new())?)],
            )
        } else {
            let recording = arguments.records();
            let settled = record_run(project, pocs, &self.scope, recording, &record, terminal)?;
            let recorded = settled.1.iter().filter(|one| one.results.is_some());
            let recorded = recorded.map(|one| &one.record);
            if let (Some(repository), Some(stood)) = (repository, stood)
                && let Err(error) = since::keep(workspace, repository, stood, recorded)
            {
                let so = "any later change of its packages makes this evidence stale";
                terminal.warn(format!("{error:#}; {so}"))?;
            }
            settled
        };
        if self.scope == Scope::Baseline
            && let Some(hint) = hint::of_baseline(project, &report, &source)
        {
            terminal.warn(hint)?;
        }
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
        let ended = FinishedRun {
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
        self.reject_idle_targets(project, pocs, &mut report)?;
        Ok(report)
    }

    /// Rejects a baseline without a test of a target that it started.
    fn reject_idle_targets(
        &self,
        project: &Project,
        pocs: &[Poc],
        report: &mut verify::Report,
    ) -> Result<()> {
        let (Scope::Baseline, [poc]) = (&self.scope, pocs) else {
            return Ok(());
        };
        let packages = contract::tests::packages(&project.workspace, &poc.plan);
        verify::reject_idle_targets(report, &project.workspace, &packages)
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
                inside: RecursionGuard::enter(&key).or_exit(Exit::Usage)?,
                program: std::env::current_exe()
                    .context("failed to find the path of this program")?,
                coloured: terminal.coloured(),
                timeout: Some(
                    arguments
                        .timeout
                        .map_or(project.config.timeout, Duration::from_secs),
                ),
                stop: self.stop.clone(),
                environment: project.workspace.configuration.environment.clone(),
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

/// The tests that `failed` names, and no others.
fn only_failed(project: &Project, failed: &TestNames) -> Result<Selection> {
    let nothing = Change::of_files(BTreeSet::new());
    let selection = affected::select_with_failed(project, &nothing, true, failed)?;
    if selection.is_empty() {
        return Err(anyhow!(
            "no test failed in its last run; `cargo poc verify` runs the affected tests"
        ));
    }
    Ok(selection)
}

/// Rejects build options that no command of the plan contains, because commands are run as written.
fn built_as_asked(project: &Project, poc: &Poc, checks: &[Invocation]) -> Result<()> {
    let configuration = &project.workspace.configuration;
    let wanted = [
        configuration.feature_arguments(),
        configuration.build_arguments(),
    ]
    .concat();
    let (commands, _) = verify::commands_of(checks)?;
    for command in commands.iter().map(Invocation::command) {
        let words = shlex::split(&command).unwrap_or_default();
        let builds = words.iter().any(|word| {
            matches!(
                word.as_str(),
                "test" | "nextest" | "check" | "build" | "run" | "bench"
            )
        });
        let is_cargo = words.first().is_some_and(|word| word == "cargo");
        let lacking = wanted.iter().find(|word| !words.contains(*word));
        if let (true, true, Some(lacking)) = (is_cargo, builds, lacking) {
            let plan = project.workspace.slashed(&poc.paths.plan);
            return Err(exit::usage(format!(
                "a plan's commands are run as written, and `{command}` in {plan} does not have `{lacking}`; write it there, \
                 or set it in a configuration before `cargo poc init`"
            )));
        }
    }
    Ok(())
}

/// The tests that criteria name as proof and that passed; `None` if there are none.
fn passed_proofs(
    pocs: &[Poc],
    verdicts: &BTreeMap<String, BTreeMap<String, Verdict>>,
) -> Result<Option<Packed>> {
    let criteria = pocs.iter().flat_map(|poc| &poc.plan.criteria);
    let proofs: Vec<Proof> = criteria.flat_map(proof::proofs).collect();
    let is_named = |binary: &str, test: &str| {
        proofs.iter().any(|proof| match proof {
            Proof::Test(name) => is_test(name, binary, test),
            _ => false,
        })
    };
    let mut passed = Names::new();
    for (binary, tests) in verdicts {
        let tests = tests
            .iter()
            .filter(|(_, verdict)| **verdict == Verdict::Passed);
        for (test, _) in tests.filter(|(test, _)| is_named(binary, test)) {
            passed
                .entry(binary.clone())
                .or_default()
                .insert(test.clone());
        }
    }
    (!passed.is_empty())
        .then(|| Packed::new(&passed))
        .transpose()
}

/// The tests that the plans excuse today.
fn quarantined(pocs: &[Poc]) -> Vec<String> {
    let today = quarantine::today();
    let rows = pocs.iter().flat_map(|poc| &poc.plan.quarantine);
    rows.filter(|row| row.objection(today).is_none())
        .map(|row| row.test.clone())
        .collect()
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
