//! The Summary of a results document: In Progress once work has begun, Complete once all of it is proven and nothing
//! contradicts it. A word of a person's own is theirs to change.

use anyhow::Result;

use super::workset;
use crate::document::edit::Edits;
use crate::document::results::Results;
use crate::document::{Row, Status, vocabulary};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::now;
use crate::finding::{Code, Severity};
use crate::lint::contract::UNCONFIRMED_RUN;
use crate::lint::dependencies::MISSING_DEPENDENCY;
use crate::project::{Paths, Poc, Project};
use crate::report::PocStatus;
use crate::status::State;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;

/// The work as a whole has begun.
pub(super) fn begin(edits: &mut Edits<'_>, results: &Results) {
    let pending = results
        .status
        .as_ref()
        .is_some_and(|status| status.status == Some(Status::Pending));
    if let Some(row) = row(results, "status").filter(|row| pending || row.value.is_empty()) {
        edits.set_cell(&row.value_span, "In Progress");
    }
    date(edits, results, "started");
}

/// Says Complete where every step and the done block are proven, every criterion is ticked, and the linter would have
/// nothing to say against it; where all is proven and something else is open, says what. Else nothing is done.
///
/// # Errors
/// When the workspace or a document cannot be read, or the results cannot be written.
pub(super) fn complete(project: &Project, paths: &Paths, terminal: &mut Terminal) -> Result<()> {
    let (poc, status) = workset::assess_one(project, paths.clone(), None)?;
    if !poc.is_open() || status.assessment.state != State::Proven {
        return Ok(());
    }
    let name = &paths.name;
    let text = match completed(&poc, &status) {
        Ok(text) => text,
        Err(open) => return report_blockers(name, &open, terminal),
    };
    let (_, then) = workset::assess_one(project, paths.clone(), Some(&text))?;
    let mut against = then.findings.iter();
    if let Some(finding) = against.find(|finding| finding.severity == Severity::Error) {
        let open = format!(
            "{}:{}: {} ({})",
            finding.path,
            finding.line,
            finding.text(),
            finding.code
        );
        return report_blockers(name, &open, terminal);
    }
    let (changed, ()) = document_update::change(project, paths, Mode::Write, terminal, |now| {
        // Somebody who writes meanwhile may have opened something again.
        let same = plan_and_results(now) == plan_and_results(&poc);
        let results = same.then_some(text);
        Ok((
            Texts {
                plan: None,
                results,
            },
            (),
        ))
    })?;
    let results = project.workspace.slashed(&paths.results);
    if changed {
        let said = "every step and the done block are proven, every criterion is ticked";
        terminal.status("Complete", format!("{name}: {said}; {results} says so now"))
    } else {
        report_blockers(name, &format!("{results} was changed meanwhile"), terminal)
    }
}

fn report_blockers(name: &str, what: &str, terminal: &mut Terminal) -> Result<()> {
    let proven = "every step and the done block are proven, and it is not complete";
    terminal.status("Open", format!("{name}: {proven}: {what}"))
}

fn plan_and_results(poc: &Poc) -> (&str, Option<&str>) {
    let results = poc.results.as_ref().map(|(document, _)| document.text());
    (poc.plan_document.text(), results)
}

/// The results with a Summary that says Complete, and since when; else what is open.
fn completed(poc: &Poc, status: &PocStatus) -> Result<String, String> {
    let Some((document, results)) = &poc.results else {
        return Err("it has no results document".to_owned());
    };
    let shown = status.assessment.results.as_deref().unwrap_or_default();
    let mut steps = status.assessment.steps.iter();
    if let Some(step) = steps.find(|step| step.needs_done_mark) {
        let (id, name) = (&step.id, &status.assessment.name);
        return Err(format!(
            "step {id} is proven, and its results do not say so: `cargo poc step done {name} {id}`"
        ));
    }
    let ticks = status.assessment.results_criteria;
    if ticks.total == 0 {
        return Err(format!("{shown} has no success criteria"));
    }
    if ticks.checked < ticks.total {
        return Err(open_criteria(status));
    }
    if status.assessment.placeholders > 0 {
        let left = counted(status.assessment.placeholders, "placeholder");
        return Err(format!("{left} left to fill in"));
    }
    let waits = |code: Code| [UNCONFIRMED_RUN, MISSING_DEPENDENCY].contains(&code);
    let mut findings = status.findings.iter();
    if let Some(finding) = findings.find(|finding| waits(finding.code)) {
        return Err(format!("{} ({})", finding.text(), finding.code));
    }
    let Some(row) = row(results, "status") else {
        return Err(format!(
            "the Summary of {shown} has no Status row to say so"
        ));
    };
    if !is_plain(&row.value) {
        return Err(format!(
            "{shown}:{} says `{}`; that is yours to change",
            row.line, row.value
        ));
    }
    let sign = row
        .value
        .chars()
        .any(|sign| vocabulary::sign(sign).is_some());
    let mut edits = Edits::new(document);
    edits.set_cell(
        &row.value_span,
        if sign { "✅ Complete" } else { "Complete" },
    );
    date(&mut edits, results, "completed");
    edits.apply().map_err(|error| format!("{error:#}"))
}

/// How many criteria of the results are not ticked.
fn open_criteria(status: &PocStatus) -> String {
    let ticks = status.assessment.results_criteria;
    format!(
        "{} of {} criteria of {} are not ticked",
        ticks.total - ticks.checked,
        ticks.total,
        status.assessment.results.as_deref().unwrap_or_default()
    )
}

fn row<'r>(results: &'r Results, key: &str) -> Option<&'r Row> {
    let mut rows = results.summary.iter();
    rows.find(|row| row.key.eq_ignore_ascii_case(key))
}

/// Sets the date of a row that has none.
fn date(edits: &mut Edits<'_>, results: &Results, key: &str) {
    if let Some(row) = row(results, key)
        && matches!(row.value.as_str(), "" | "--" | "—" | "-")
    {
        edits.set_cell(&row.value_span, &now());
    }
}

/// Whether a status says that the work is pending or goes on, and nothing else.
fn is_plain(value: &str) -> bool {
    let words = vocabulary::words(value);
    let plain = [
        "",
        "pending",
        "not started",
        "planned",
        "todo",
        "to do",
        "in progress",
        "started",
        "ongoing",
        "wip",
    ];
    let goes_on = matches!(
        vocabulary::status(value),
        None | Some(Status::Pending | Status::InProgress)
    );
    goes_on && plain.contains(&words.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_a_plain_word_is_the_programs_to_replace() {
        for plain in [
            "",
            "--",
            "Pending",
            "In Progress",
            "🔄 In Progress",
            "in-progress",
            "⏳",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for own in [
            "In Progress (waits for Ada)",
            "Blocked",
            "❌",
            "Pending / Complete",
            "Complete",
            "Review",
        ] {
            assert!(!is_plain(own), "{own}");
        }
    }
}
