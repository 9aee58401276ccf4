//! A verification that has no test to run.

use anyhow::Result;

use super::job::{Job, show_notes};
use super::reports::FinishedRun;
use super::request::selected;
use crate::cli;
use crate::exit::{self, Exit};
use crate::project::Project;
use crate::sys::exec;
use crate::sys::terminal::Terminal;
use crate::verify;
use crate::verify::binaries::Binaries;

impl Job {
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
                "there is nothing to run for {scope}: the plan has no bash block with a command there; add a verification command, or in \
                 the tasks of another tool the paths of files"
            )));
        };
        show_notes(project, selection, terminal)?;
        self.reuse.show(arguments, terminal)?;
        let (title, nothing) = if self.reuse.count == 0 {
            (
                "Unaffected",
                "the change affects no test, so nothing was run or recorded",
            )
        } else {
            (
                "Unchanged",
                "every affected test passed before, so nothing was run",
            )
        };
        let touched = self.reuse.proven.touched.as_ref();
        let touched = touched.unwrap_or(&selection.touched);
        let workspace = &project.workspace;
        let mut touched = touched.clone();
        if !touched.is_empty() {
            touched.extend(selection.not_built(workspace));
        }
        let mut ended = FinishedRun {
            scope: &self.scope,
            exit: Exit::Success,
            selection: Some(selected(selection)),
            reused: self.reuse.count,
            shadow: None,
            strength: None,
            records: &[],
            poc: None,
            ran: None,
        };
        let mut report = verify::Report::default();
        if touched.is_empty() {
            terminal.status(title, nothing)?;
            self.reuse.sum_up(&report, terminal)?;
            ended.ran = Some(&report);
            ended.report(project, arguments, terminal)?;
            return Ok(Exit::Success);
        }
        let binaries = Binaries::of(&project.workspace);
        let options = self.options(project, arguments, &[], &binaries, terminal)?;
        let checks = verify::runner::compiles(workspace, selection, &touched, &project.cargo.flags);
        exec::install_interrupt_handler()?;
        report = verify::run(&checks, &options, terminal)?;
        let compiles = report.checked.iter().all(|check| check.ended.success());
        let but = if compiles {
            ""
        } else {
            ", and a package does not compile"
        };
        terminal.status(title, format!("{nothing}{but}"))?;
        self.reuse.sum_up(&report, terminal)?;
        ended.ran = Some(&report);
        ended.exit = if compiles {
            Exit::Success
        } else {
            Exit::Findings
        };
        ended.report(project, arguments, terminal)?;
        Ok(ended.exit)
    }
}
