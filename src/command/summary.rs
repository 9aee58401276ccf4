//! The Summary of a results document: In Progress once work has started, Complete once everything is proven and no finding
//! prevents it. A status in a person's own words is kept.

use anyhow::Result;

use super::completed::{date, texts};
use super::workset;
use crate::document::Status;
use crate::document::edit::Edits;
use crate::document::results::Results;
use crate::document_update::{self, Mode, Texts};
use crate::finding::{Finding, Severity};
use crate::lint::contract::UNCONFIRMED_RUN;
use crate::lint::dependencies::MISSING_DEPENDENCY;
use crate::project::{Paths, Poc, Project};
use crate::report::PocStatus;
use crate::status::{State, summary_row};
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;

/// Marks the work as started.
pub(super) fn begin(edits: &mut Edits<'_>, results: &Results) {
    let pending = results
        .status
        .as_ref()
        .is_some_and(|status| status.status == Some(Status::Pending));
    let row = summary_row(results, "status");
    if let Some(row) = row.filter(|row| pending || row.value.is_empty()) {
        edits.set_cell(&row.value_span, "In Progress");
    }
    date(edits, results, "started");
}

/// Writes Complete if everything is proven and the linter would report no error then. If everything is proven but something
/// else is open, prints it. Otherwise does nothing.
///
/// # Errors
/// When the workspace or a document cannot be read, or the results cannot be written.
pub(super) fn complete(project: &Project, paths: &Paths, terminal: &mut Terminal) -> Result<()> {
    let (poc, status) = workset::assess_one(project, paths.clone())?;
    if !poc.is_open() || status.assessment.state != State::Proven {
        return Ok(());
    }
    let name = &paths.name;
    if let Some(blocker) = blocker(&status) {
        return report_blockers(name, &blocker, terminal);
    }
    let texts = texts(&poc, &status.assessment)?;
    let (changed, ()) = document_update::change(project, paths, Mode::Write, terminal, |now| {
        // Another process may have changed a document.
        let same = plan_and_results(now) == plan_and_results(&poc);
        Ok((if same { texts } else { Texts::default() }, ()))
    })?;
    let results = project.workspace.slashed(&paths.results);
    if changed {
        let why = "every step, the done block and every criterion are proven";
        terminal.status(
            "Complete",
            format!("{name}: {why}; {results} now contains the status Complete"),
        )
    } else {
        let why = format!("{results} was changed by another process; run this again");
        report_blockers(name, &why, terminal)
    }
}

fn report_blockers(name: &str, what: &str, terminal: &mut Terminal) -> Result<()> {
    let proven = "everything is proven, but the work is not complete";
    terminal.status("Open", format!("{name}: {proven}: {what}"))
}

fn plan_and_results(poc: &Poc) -> (&str, Option<&str>) {
    let results = poc.results.as_ref().map(|(document, _)| document.text());
    (poc.plan_document.text(), results)
}

/// The first reason why a PoC is not complete although everything is proven.
fn blocker(status: &PocStatus) -> Option<String> {
    let assessment = &status.assessment;
    let name = &assessment.name;
    if let Some(step) = assessment.steps.iter().find(|step| step.needs_done_mark) {
        let id = &step.id;
        return Some(format!(
            "step {id} is proven but not closed: `cargo poc step done {name} {id}`"
        ));
    }
    let waits = |finding: &&Finding| {
        [UNCONFIRMED_RUN, MISSING_DEPENDENCY].contains(&finding.code)
            || finding.severity == Severity::Error
    };
    if let Some(finding) = status.findings.iter().find(waits) {
        return Some(format!("{} ({})", finding.text(), finding.code));
    }
    if assessment.placeholders > 0 {
        let left = counted(assessment.placeholders, "placeholder");
        return Some(format!("{left} not filled in"));
    }
    let next = status.next.as_ref().filter(|next| next.person)?;
    Some(format!("{}: `{}`", next.why, next.command))
}
