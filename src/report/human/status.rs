//! Prints one PoC on a screen, or a line for each.

use std::io::Write;

use anstyle::Style;
use anyhow::Result;

use super::{fitted, padded, sanitize, widest, wrapped};
use crate::contract::{Entry, Kind};
use crate::evidence::TestCounts;
use crate::finding::{Finding, Severity};
use crate::lint::plan::PLACEHOLDER;
use crate::report::PocStatus;
use crate::status::{Assessment, ChecklistStatus, DependencyState, FileState, State};
use crate::sys::terminal::link::Links;
use crate::sys::terminal::{BAD, BOLD, DIM, GOOD, LITERAL, Terminal, WARN};
use crate::sys::text::counted;

fn style(state: State) -> Style {
    match state {
        State::Proven => GOOD,
        State::Failed => BAD,
        State::Claimed | State::Stale | State::Unconfirmed => WARN,
        State::InProgress => LITERAL,
        State::Pending | State::Withdrawn | State::Unknown => DIM,
    }
}

/// The number of lines that the output should fit into, including findings and the next action.
const LINES: usize = 24;
/// The minimum number of findings to show.
const FINDINGS: usize = 3;
/// Lines for the next action, its blank line, and the number of further findings.
const BELOW: usize = 5;

/// Prints a line for each PoC, and a total.
///
/// # Errors
/// When the output cannot be written.
pub fn overview(terminal: &mut Terminal, statuses: &[PocStatus]) -> Result<()> {
    let columns = terminal.columns();
    let out = terminal.out();
    if statuses.is_empty() {
        writeln!(out, "No PoC yet. `cargo poc init NAME` starts one.")?;
        return Ok(());
    }
    let width = widest(
        statuses
            .iter()
            .map(|status| status.assessment.name.as_str()),
    );
    for status in statuses {
        let (name, style) = (
            padded(&status.assessment.name, width),
            style(status.assessment.state),
        );
        let state = padded(status.assessment.state.word(), 11);
        let next = status
            .next
            .as_ref()
            .map_or("", |next| next.command.as_str());
        let progress = progress(status);
        // Do not break a command: move it below its label if it does not fit.
        let used = width + 11 + progress.len() + next.len() + 6;
        let apart = if columns.is_some_and(|columns| used > columns) {
            "\n    "
        } else {
            "  "
        };
        writeln!(
            out,
            "{BOLD}{name}{BOLD:#}  {style}{state}{style:#}  {progress}{apart}{LITERAL}{next}{LITERAL:#}"
        )?;
    }
    let mut totals: Vec<String> = Vec::new();
    for state in [
        State::Proven,
        State::Failed,
        State::Claimed,
        State::Stale,
        State::Unconfirmed,
        State::InProgress,
        State::Pending,
        State::Withdrawn,
        State::Unknown,
    ] {
        let count = statuses
            .iter()
            .filter(|status| status.assessment.state == state)
            .count();
        if count > 0 {
            totals.push(format!("{count} {}", state.word()));
        }
    }
    writeln!(
        out,
        "{DIM}{}: {}{DIM:#}",
        counted(statuses.len(), "PoC"),
        totals.join(", ")
    )?;
    Ok(())
}

fn progress(status: &PocStatus) -> String {
    let (proven, steps) = status.assessment.proven();
    format!("{proven}/{steps} steps proven")
}

/// Prints one PoC.
///
/// # Errors
/// When the output cannot be written.
pub fn screen(terminal: &mut Terminal, status: &PocStatus) -> Result<()> {
    let (columns, links) = (terminal.columns(), terminal.links());
    // Collect the text first, to know how many findings fit.
    let mut text: Vec<u8> = Vec::new();
    let out = &mut text;
    let state_style = style(status.assessment.state);
    let base = status
        .assessment
        .base
        .as_deref()
        .map_or("no base".to_owned(), |base| {
            format!(
                "base {}",
                sanitize(&base.chars().take(12).collect::<String>())
            )
        });
    let kind = sanitize(status.assessment.kind.as_deref().unwrap_or("PoC"));
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {state_style}{}{state_style:#}  {DIM}{kind} · {base} · {}{DIM:#}\n",
        status.assessment.name,
        status.assessment.state.word(),
        links.to(&status.assessment.plan, &status.assessment.plan, 1)
    )?;
    steps(out, &status.assessment, columns)?;
    writeln!(out)?;
    counts(out, &status.assessment, columns)?;
    let used = memchr::memchr_iter(b'\n', out).count();
    let room = LINES.saturating_sub(used + BELOW).max(FINDINGS);
    findings(out, status, room, columns, &links)?;
    if let Some(next) = &status.next {
        writeln!(
            out,
            "\n{BOLD}Next{BOLD:#}  {LITERAL}{}{LITERAL:#}\n      {}",
            next.command,
            wrapped(&sanitize(&next.why), columns, 6, 6)
        )?;
    } else if status.assessment.state == State::Proven {
        writeln!(out, "\n{GOOD}Everything is proven.{GOOD:#}")?;
    }
    terminal.out().write_all(&text)?;
    Ok(())
}

fn steps(out: &mut dyn Write, status: &Assessment, columns: Option<usize>) -> Result<()> {
    let ids = widest(status.steps.iter().map(|step| step.id.as_str()));
    let titles: Vec<String> = status
        .steps
        .iter()
        .map(|step| sanitize(&step.title))
        .collect();
    // Columns before and after the title: state, id and tasks.
    let room = columns.map(|columns| columns.saturating_sub(ids + 32).max(16));
    let titles: Vec<String> = titles.iter().map(|title| fitted(title, room)).collect();
    let width = widest(titles.iter().map(String::as_str)).min(44);
    let names: Vec<String> = status
        .configurations
        .iter()
        .map(|name| sanitize(name))
        .collect();
    if !names.is_empty() {
        let heads = names.iter().map(|name| padded(name, column(name)));
        writeln!(
            out,
            "  {}  {}  {}  {DIM}{}{DIM:#}",
            " ".repeat(11),
            " ".repeat(ids),
            padded("", width),
            heads.collect::<Vec<_>>().join("  ").trim_end()
        )?;
    }
    for (step, title) in status.steps.iter().zip(&titles) {
        let style = style(step.state);
        let tasks = match step.tasks.total {
            0 => String::new(),
            total => format!("{}/{total} tasks", step.tasks.checked),
        };
        let tasks = match &step.why {
            Some(why) if step.state == State::Proven => format!("{tasks}  {}", sanitize(why)),
            _ => tasks,
        };
        let columns_of = names.iter().enumerate().map(|(index, name)| {
            let own = step.configurations.get(index).map(|own| own.state);
            let style = own.map_or(DIM, self::style);
            let word = padded(own.map_or("no tests", State::word), column(name));
            format!("{style}{word}{style:#}  ")
        });
        let columns_of: String = columns_of.collect();
        writeln!(
            out,
            "  {style}{}{style:#}  {}  {}  {columns_of}{DIM}{tasks}{DIM:#}",
            padded(step.state.word(), 11),
            padded(&step.id, ids),
            padded(title, width),
        )?;
        if let Some(why) = step.why.as_ref().filter(|_| step.state != State::Proven) {
            writeln!(
                out,
                "  {}  {}  {DIM}{}{DIM:#}",
                " ".repeat(11),
                " ".repeat(ids),
                wrapped(&sanitize(why), columns, ids + 17, ids + 17)
            )?;
        }
    }
    Ok(())
}

/// How wide the column of a configuration is: its name, or the longest state.
fn column(name: &str) -> usize {
    widest([name, State::Unconfirmed.word()].into_iter())
}

fn counts(out: &mut dyn Write, status: &Assessment, columns: Option<usize>) -> Result<()> {
    let mut line = |label: &str, text: &str| writeln!(out, "  {BOLD}{label:<12}{BOLD:#} {text}");
    if !status.criteria.is_empty() {
        line("Criteria", &wrapped(&criteria(status), columns, 15, 15))?;
    }
    if !status.checklist.is_empty() {
        line("Checklist", &wrapped(&checklist(status), columns, 15, 15))?;
    }
    line("Files", &files(status))?;
    for (state, verb) in [
        (FileState::Missing, "missing"),
        (FileState::Unplanned, "unplanned"),
    ] {
        for file in status
            .files
            .iter()
            .filter(|file| file.state == Some(state))
            .take(2)
        {
            line(
                "",
                &format!("{WARN}{verb}{WARN:#} {}", sanitize(&file.path)),
            )?;
        }
    }
    if let Some(contract) = contract(status) {
        line("Contract", &contract)?;
    }
    for entry in status.contract.of(Kind::Override) {
        let (step, reason) = (entry.step.as_deref(), entry.reason.as_deref());
        let step = sanitize(step.unwrap_or_default());
        let reason = sanitize(reason.unwrap_or_default());
        line("", &format!("{WARN}forced{WARN:#} step {step}: {reason}"))?;
    }
    if !status.dependencies.is_empty() {
        line("Dependencies", &dependencies(status))?;
    }
    line("Tests", &tests(status))?;
    for (index, quarantined) in status.quarantine.iter().enumerate() {
        let row = &quarantined.row;
        let until = row.until.as_ref().map_or("--", |until| until.text.as_str());
        let text = sanitize(&format!(
            "{} until {until}, {}: {}",
            row.test, row.owner, row.reason
        ));
        let text = match &quarantined.objection {
            None => text,
            Some(why) => format!("{WARN}counts{WARN:#}, since {}: {text}", sanitize(why)),
        };
        let label = if index == 0 { "Quarantine" } else { "" };
        line(label, &wrapped(&text, columns, 15, 15))?;
    }
    if status.placeholders > 0 {
        line(
            "Placeholders",
            &format!("{} to fill in", status.placeholders),
        )?;
    }
    Ok(())
}

/// The number of proven criteria, and the first that is not proven.
fn criteria(status: &Assessment) -> String {
    let (proven, total) = (status.proven_criteria(), status.criteria.len());
    let mut open = status.criteria.iter();
    let open = open.find(|criterion| criterion.state != State::Proven);
    let open = open.map_or(String::new(), |criterion| {
        unproven(
            criterion.state,
            criterion.number,
            &criterion.text,
            criterion.why.as_deref(),
        )
    });
    format!("{proven}/{total} proven{open}")
}

/// An item that is not proven, behind the counts.
fn unproven(state: State, number: usize, text: &str, why: Option<&str>) -> String {
    let style = style(state);
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    format!(
        "; {style}{}{style:#} {number}. {}{}",
        state.word(),
        sanitize(text),
        sanitize(&why)
    )
}

/// How many items of the checklist hold, and the first that does not.
fn checklist(status: &Assessment) -> String {
    let proven = |item: &&ChecklistStatus| item.state == State::Proven;
    let (held, total) = (
        status.checklist.iter().filter(proven).count(),
        status.checklist.len(),
    );
    let open = status.checklist.iter().find(|item| !proven(item));
    let open = open.map_or(String::new(), |item| {
        unproven(item.state, item.number, &item.text, item.why.as_deref())
    });
    format!("{held}/{total} proven{open}")
}

/// The time of the lock, and the amendments and changes since.
fn contract(status: &Assessment) -> Option<String> {
    let lock = status.contract.lock()?;
    let day = lock.time.split('T').next().unwrap_or_default();
    let by = lock
        .by
        .as_deref()
        .map_or(String::new(), |by| format!(" by {}", sanitize(by)));
    let amendments: Vec<_> = status.contract.of(Kind::Amend).collect();
    let weakens = |entry: &&&Entry| entry.changes.iter().any(|change| change.how.weakens());
    let weaker = amendments.iter().filter(weakens).count();
    let amended = match (amendments.len(), weaker) {
        (0, _) => String::new(),
        (count, 0) => format!(", {}", counted(count, "amendment")),
        (count, weaker) => format!(
            ", {}, {weaker} of them weakening it",
            counted(count, "amendment")
        ),
    };
    let open = status.contract.changes.len();
    let open = match open {
        0 => String::new(),
        open => format!(", {WARN}{} not amended{WARN:#}", counted(open, "change")),
    };
    Some(format!("locked {day}{by}{amended}{open}"))
}

fn files(status: &Assessment) -> String {
    if status.files.is_empty() {
        return "none planned".to_owned();
    }
    let count = |state| {
        status
            .files
            .iter()
            .filter(|file| file.state == Some(state))
            .count()
    };
    let mut parts = vec![
        format!("{} done", count(FileState::Done)),
        format!("{} pending", count(FileState::Pending)),
    ];
    for (state, verb) in [
        (FileState::Missing, "missing"),
        (FileState::Unplanned, "unplanned"),
    ] {
        if count(state) > 0 {
            parts.push(format!("{} {verb}", count(state)));
        }
    }
    let unknown = status
        .files
        .iter()
        .filter(|file| file.state.is_none())
        .count();
    if unknown > 0 {
        parts.push(format!("{unknown} unknown"));
    }
    parts.join(", ")
}

fn dependencies(status: &Assessment) -> String {
    let mut parts: Vec<String> = Vec::new();
    for state in [
        DependencyState::Present,
        DependencyState::Missing,
        DependencyState::Incomplete,
        DependencyState::Conflict,
        DependencyState::Invalid,
    ] {
        let names: Vec<&str> = status
            .dependencies
            .iter()
            .filter(|one| one.state == Some(state))
            .map(|one| one.name.as_str())
            .collect();
        if names.is_empty() {
            continue;
        }
        parts.push(if state == DependencyState::Present {
            format!("{} in the manifests", names.len())
        } else {
            format!("{}: {}", state.word(), names.join(", "))
        });
    }
    if parts.is_empty() {
        "none to add".to_owned()
    } else {
        parts.join("; ")
    }
}

fn tests(status: &Assessment) -> String {
    let told =
        |tests: Option<TestCounts>| tests.map_or("none".to_owned(), |tests| tests.to_string());
    format!(
        "baseline {}; last run {}",
        told(status.tests.baseline),
        told(status.tests.latest)
    )
}

fn findings(
    out: &mut dyn Write,
    status: &PocStatus,
    room: usize,
    columns: Option<usize>,
    links: &Links,
) -> Result<()> {
    // Placeholders have a separate line.
    let shown = status.findings.iter();
    let shown: Vec<&Finding> = shown
        .filter(|finding| finding.code != PLACEHOLDER)
        .collect();
    if !shown.is_empty() {
        writeln!(out)?;
    }
    for finding in shown.iter().take(room) {
        let (style, severity) = match finding.severity {
            Severity::Error => (BAD, "error"),
            Severity::Warning => (WARN, "warning"),
        };
        let place = format!("{}:{}", finding.path, finding.line);
        let place = links.to(&place, &finding.path, finding.line);
        let message = format!("{place}: {}", sanitize(&finding.text()));
        writeln!(
            out,
            "  {style}{severity}[{}]{style:#} {}",
            finding.code,
            wrapped(&message, columns, severity.len() + 12, 4)
        )?;
    }
    if let Some(more) = shown.len().checked_sub(room).filter(|more| *more > 0) {
        writeln!(
            out,
            "  {DIM}and {more} more; see `cargo poc check {}`{DIM:#}",
            status.assessment.name
        )?;
    }
    Ok(())
}
