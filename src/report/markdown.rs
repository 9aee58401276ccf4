//! Markdown for people: the summary of a CI step, or a comment on a pull request.

use std::fmt::Write as _;

use camino::Utf8Path;

use super::github::below;
use super::poc_status::PocStatus;
use super::run::{RecordedRun, Run};
use crate::evidence::format_duration;
use crate::finding::Finding;
use crate::status::Review;

/// A table of PoCs with their next command, and a table of their findings. `prefix` is the workspace's folder within the
/// repository.
#[must_use]
pub fn statuses(prefix: &Utf8Path, statuses: &[PocStatus]) -> String {
    let mut text = String::from(
        "## cargo poc\n\n| PoC | State | Steps proven | Next |\n|-----|-------|--------------|------|\n",
    );
    for status in statuses {
        let (proven, steps) = status.assessment.proven();
        let next = status
            .next
            .as_ref()
            .map_or(String::new(), |next| format!("`{}`", cell(&next.command)));
        let _ = writeln!(
            text,
            "| {} | {} | {proven}/{steps} | {next} |",
            cell(&status.assessment.name),
            status.assessment.state.word(),
        );
    }
    let all = statuses.iter().flat_map(|status| &status.findings);
    text + &findings(prefix, all)
}

/// For each PoC, the parts that were proven since a commit, and those that are not proven.
#[must_use]
pub fn reviews(since: &str, reviews: &[Review]) -> String {
    let mut text = format!("## cargo poc: since {}\n", cell(since));
    if reviews.is_empty() {
        text.push_str("\nNo PoC differs, and none is stale or failed.\n");
    }
    for review in reviews {
        let _ = writeln!(
            text,
            "\n### {}: {}",
            cell(&review.name),
            review.state.word()
        );
        for (label, items) in [
            ("Proves", &review.proven),
            ("Leaves open", &review.open),
            ("Changes the plan", &review.amended),
            ("Proven before", &review.earlier),
        ] {
            if !items.is_empty() {
                let _ = writeln!(text, "\n{label}:\n");
            }
            for item in items {
                let _ = writeln!(text, "- {}", cell(item));
            }
        }
    }
    text
}

/// The outcome of a run for each PoC, how many tests the change selects, a table of the commands, regressions by name, and
/// a table of the findings.
#[must_use]
pub fn run(prefix: &Utf8Path, run: &Run<'_>) -> String {
    let mut text = format!("## cargo poc verify: {}\n", cell(&run.scope.to_string()));
    if let Some(selection) = run.selection {
        let (selected, total) = (selection.selected, selection.total);
        let _ = writeln!(text, "\nThe change can affect {selected} of {total} tests.");
    }
    for recorded in run.records {
        outcome(recorded, &mut text);
    }
    if let Some(strength) = run.strength {
        let _ = writeln!(text, "\n{strength}.");
        for survivor in &strength.survivors {
            let (place, function) = (cell(&survivor.place), cell(&survivor.function));
            let _ = writeln!(text, "\n- missed {place} in {function}");
        }
        for escape in &strength.escapes {
            let escaped = format!("{} {}", escape.binary, escape.test);
            let (escaped, place) = (cell(&escaped), cell(&escape.place));
            let _ = writeln!(text, "\n- escaped {escaped} at {place}");
        }
    }
    if !run.checks.is_empty() {
        text.push_str(
            "\n| Command | Outcome | Tests | Took |\n|---------|---------|-------|------|\n",
        );
    }
    for check in run.checks {
        let tests = check.tests.map(|tests| tests.to_string());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            cell(&check.command),
            check.outcome,
            tests.as_deref().unwrap_or("—"),
            format_duration(check.milliseconds)
        );
    }
    text += &findings(prefix, &run.findings);
    let first = run.records.iter().take(1);
    for note in first.flat_map(|first| &first.record.notes) {
        let _ = writeln!(text, "\n> {}", cell(note));
    }
    text
}

fn outcome(recorded: &RecordedRun, text: &mut String) {
    let record = &recorded.record;
    let poc = match record.poc.as_str() {
        "" => String::new(),
        poc => format!("{}: ", cell(poc)),
    };
    let tests = record.tests.map(|tests| format!(", {tests}"));
    let _ = writeln!(
        text,
        "\n{poc}{}{}",
        record.outcome_cell(),
        tests.unwrap_or_default()
    );
}

/// A table of findings; empty without findings.
pub fn findings<'a>(prefix: &Utf8Path, findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut text = String::new();
    for finding in findings {
        if text.is_empty() {
            text.push_str("\n| Finding | Where | What |\n|---------|-------|------|\n");
        }
        let _ = writeln!(
            text,
            "| {} | {}:{} | {} |",
            finding.code,
            cell(&below(prefix, &finding.path)),
            finding.line,
            cell(&finding.text())
        );
    }
    text
}

/// Text that cannot end its table cell or begin an HTML element.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
}
