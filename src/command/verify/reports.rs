//! `cargo poc verify --format` and `--report`: machine-readable reports of one [`Run`].

use anyhow::Result;

use crate::cli::reports::VerifyReport;
use crate::cli::{StatusFormat, Verify};
use crate::evidence::{Check, Record, Scope, Selected, Strength};
use crate::exit::{self, Exit};
use crate::lint::failures;
use crate::project::{Poc, Project};
use crate::report::run::{RecordedRun, Run, Shadow};
use crate::report::{github, json, junit, markdown, sarif};
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::verify;
use crate::verify::binaries::Binaries;

/// Rejects reports that need a run on this machine.
pub(super) fn must_run_here(arguments: &Verify) -> Result<()> {
    let wanted = arguments.report.iter().map(|wanted| wanted.format);
    let mut wanted =
        wanted.chain((arguments.format == StatusFormat::Junit).then_some(VerifyReport::Junit));
    match wanted.find(|format| matches!(format, VerifyReport::Junit | VerifyReport::Shard)) {
        Some(VerifyReport::Junit) => Err(exit::usage(
            "shard reports do not include how each command ended; use `--report junit=FILE` with each `verify --partition M/N`",
        )),
        Some(_) => Err(exit::usage(
            "`--report shard=FILE` reports one shard; select it with `--partition M/N`",
        )),
        None => Ok(()),
    }
}

/// Reserves standard output for a machine-readable format.
pub(super) fn prepare(arguments: &Verify, terminal: &mut Terminal) {
    if !matches!(arguments.format, StatusFormat::Human | StatusFormat::Github) {
        terminal.reserve_out();
    }
}

/// A finished run.
pub(super) struct FinishedRun<'a> {
    /// The verified scope.
    pub scope: &'a Scope,
    /// The exit code of the program.
    pub exit: Exit,
    /// The number of tests that the change selects, if the run depends on a change.
    pub selection: Option<Selected>,
    /// The number of selected tests that did not run because they passed before.
    pub reused: usize,
    /// The tests that were not selected, if they ran as well.
    pub shadow: Option<&'a Shadow>,
    /// The outcomes of mutants, if they ran.
    pub strength: Option<&'a Strength>,
    /// The recorded run of each PoC; empty if nothing was run.
    pub records: &'a [RecordedRun],
    /// The PoC whose commands were run.
    pub poc: Option<&'a Poc>,
    /// The run; `None` if shards ran elsewhere.
    pub ran: Option<&'a verify::Report>,
}

impl FinishedRun<'_> {
    /// Prints and writes the requested reports.
    ///
    /// # Errors
    /// When a report cannot be written.
    pub(super) fn report(
        &self,
        project: &Project,
        arguments: &Verify,
        terminal: &mut Terminal,
    ) -> Result<()> {
        if arguments.format == StatusFormat::Human && arguments.report.is_empty() {
            return Ok(());
        }
        let workspace = &project.workspace;
        let records: Vec<&Record> = self.records.iter().map(|settled| &settled.record).collect();
        let checks = self.checks();
        let plan = self
            .poc
            .map(|poc| (workspace.slashed(&poc.paths.plan), &poc.plan));
        let seen = failures::Seen {
            scope: self.scope,
            records: &records,
            checks: &checks,
            ran: self.ran,
            plan: plan.as_ref().map(|(path, plan)| (path.as_str(), *plan)),
        };
        let run = Run {
            scope: self.scope,
            exit: self.exit,
            selection: self.selection,
            reused: self.reused,
            shadow: self.shadow,
            strength: self.strength,
            records: self.records,
            checks: &checks,
            ran: self.ran,
            findings: failures::of(project, seen),
        };
        let written = Written { project, run: &run };
        for wanted in &arguments.report {
            if let Some(text) = written.form(wanted.format)? {
                files::write_report(&wanted.file, text.as_bytes())?;
                terminal.status("Wrote", &wanted.file)?;
            }
        }
        let printed = match arguments.format {
            StatusFormat::Human => None,
            StatusFormat::Json => Some(VerifyReport::Json),
            StatusFormat::Junit => Some(VerifyReport::Junit),
            StatusFormat::Sarif => Some(VerifyReport::Sarif),
            StatusFormat::Github => Some(VerifyReport::Github),
            StatusFormat::Markdown => Some(VerifyReport::Markdown),
        };
        if let Some(text) = printed
            .map(|format| written.form(format))
            .transpose()?
            .flatten()
        {
            terminal.document().write_all(text.as_bytes())?;
        }
        let mut reports = arguments.report.iter();
        if printed == Some(VerifyReport::Github)
            || reports.any(|wanted| wanted.format == VerifyReport::Github)
        {
            github::add_summary(&markdown::run(&project.prefix(), &run))?;
        }
        Ok(())
    }

    fn checks(&self) -> Vec<Check> {
        match (self.ran, self.records) {
            (Some(ran), _) => ran.checks(),
            (None, [first, ..]) => first.record.checks.clone(),
            (None, []) => Vec::new(),
        }
    }
}

struct Written<'a> {
    project: &'a Project,
    run: &'a Run<'a>,
}

impl Written<'_> {
    /// The run in a format; `None` if the format is written elsewhere.
    fn form(&self, format: VerifyReport) -> Result<Option<String>> {
        let prefix = self.project.prefix();
        Ok(Some(match (format, self.run.ran) {
            (VerifyReport::Json, _) => json::run(self.run)?,
            (VerifyReport::Sarif, _) => sarif::log(&prefix, &self.run.findings)?,
            (VerifyReport::Github, _) => github::annotations(&prefix, &self.run.findings),
            (VerifyReport::Markdown, _) => markdown::run(&prefix, self.run),
            (VerifyReport::Junit, Some(ran)) => {
                junit::run(self.run.scope, ran, &Binaries::of(&self.project.workspace))
            }
            // A shard writes its own report.
            (VerifyReport::Shard, _) | (VerifyReport::Junit, None) => return Ok(None),
        }))
    }
}
