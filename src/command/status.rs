//! `cargo poc status`.

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::workset::Workset;
use crate::cli;
use crate::cli::reports::StatusReport;
use crate::exit::{self, Exit};
use crate::finding::{self, Finding};
use crate::lint::documents::UNRELIABLE_DOCUMENT;
use crate::lint::files::UNKNOWN_CHANGE;
use crate::report::{self, PocStatus};
use crate::status::{State, review};
use crate::sys::files;
use crate::sys::terminal::Terminal;

/// Reports the state of the PoCs. With `--check`, the exit code is 0 only if every claim is proven.
///
/// # Errors
/// When the report cannot be written.
pub fn run(workset: &Workset, arguments: &cli::Status, terminal: &mut Terminal) -> Result<Exit> {
    let statuses = &workset.statuses;
    for note in &workset.notes {
        terminal.warn(note)?;
    }
    if let Some(project) = &workset.project {
        terminal.paths_from(&project.workspace.root);
    }
    match arguments.format {
        _ if arguments.since.is_some() => reviews(workset, arguments, terminal)?,
        cli::StatusFormat::Json => {
            print(
                terminal,
                &report::json::status(statuses, &workset.unreadable)?,
            )?;
        }
        cli::StatusFormat::Junit => print(terminal, &report::junit::status(statuses))?,
        cli::StatusFormat::Sarif => print(terminal, &sarif(workset)?)?,
        cli::StatusFormat::Github => github(workset, terminal)?,
        cli::StatusFormat::Markdown => print(terminal, &markdown(workset))?,
        cli::StatusFormat::Human => match (&statuses[..], workset.unreadable.is_empty()) {
            ([only], true) => report::human::status::screen(terminal, only)?,
            _ => report::human::status::overview(terminal, statuses)?,
        },
    }
    for wanted in &arguments.report {
        let text = match wanted.format {
            StatusReport::Json => report::json::status(statuses, &workset.unreadable)?,
            StatusReport::Junit => report::junit::status(statuses),
            StatusReport::Sarif => sarif(workset)?,
            StatusReport::Markdown => markdown(workset),
        };
        files::write_report(&wanted.file, text.as_bytes())?;
    }
    // Unreadable documents have no status, but are always reported.
    for error in &workset.unreadable {
        if arguments.format != cli::StatusFormat::Json {
            terminal.error(error)?;
        }
    }
    if arguments.check && statuses.is_empty() && workset.unreadable.is_empty() {
        workset.require_docs()?;
    }
    let gate = if arguments.check {
        gate(statuses).max(unknown(workset)?)
    } else if statuses
        .iter()
        .any(|status| status.assessment.steps.is_empty())
    {
        Exit::Usage
    } else {
        Exit::Success
    };
    Ok(if workset.unreadable.is_empty() {
        gate
    } else {
        Exit::Usage
    })
}

/// Fails if a shallow clone lacks a base: then the change is unknown, which must not count as success. In other clones the base
/// may no longer exist, and evidence remains valid without it.
fn unknown(workset: &Workset) -> Result<Exit> {
    let unknown = |status: &PocStatus| {
        let mut findings = status.findings.iter();
        findings.any(|finding| finding.code == UNKNOWN_CHANGE)
    };
    let repository = workset
        .project
        .as_ref()
        .and_then(|project| project.repository().ok());
    match repository {
        Some(repository) if workset.statuses.iter().any(unknown) && repository.is_shallow()? => {
            Ok(Exit::CouldNotRun)
        }
        _ => Ok(Exit::Success),
    }
}

/// Unreadable documents take precedence over unproven claims, and these over stale evidence.
fn gate(statuses: &[PocStatus]) -> Exit {
    let unreliable = |status: &PocStatus| {
        status
            .findings
            .iter()
            .any(|finding| finding.code == UNRELIABLE_DOCUMENT)
    };
    let any = |check: fn(&[Finding]) -> bool| {
        let mut findings = statuses.iter().map(|status| &status.findings);
        findings.any(|findings| check(findings))
    };
    if statuses.iter().any(unreliable) {
        Exit::Usage
    } else if any(finding::has_errors) {
        Exit::Findings
    } else if any(finding::has_stale) {
        Exit::Stale
    } else {
        Exit::Success
    }
}

/// Reports the PoCs whose documents differ from a commit, or that are stale or failed.
fn reviews(workset: &Workset, arguments: &cli::Status, terminal: &mut Terminal) -> Result<()> {
    let since = arguments.since.as_deref().unwrap_or_default();
    let project = workset
        .project
        .as_ref()
        .context("`--since` needs a workspace")?;
    let repository = project.repository()?;
    // The branch is compared with the commit that it started from.
    let commit = repository.commit(since)?;
    let commit = repository.merge_base(&commit)?.unwrap_or(commit);
    let before = |path: &Utf8Path| {
        let path = path.strip_prefix(&repository.root).unwrap_or(path);
        let text = repository.show(&commit, path)?.unwrap_or_default();
        anyhow::Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let mut reviews = Vec::new();
    let statuses = workset.statuses.iter().zip(&workset.evidence);
    for (poc, (status, evidence)) in workset.pocs.iter().zip(statuses) {
        let earlier = before(&poc.paths.results)?;
        let results = poc.results.as_ref();
        let results = results.map_or("", |(document, _)| document.text());
        let differs = results != earlier || poc.plan_document.text() != before(&poc.paths.plan)?;
        let assessment = &status.assessment;
        if differs || matches!(assessment.state, State::Stale | State::Failed) {
            reviews.push(review(assessment, evidence, &earlier));
        }
    }
    match arguments.format {
        cli::StatusFormat::Human => report::human::review::reviews(terminal, since, &reviews),
        cli::StatusFormat::Markdown => print(terminal, &report::markdown::reviews(since, &reviews)),
        _ => Err(exit::usage(
            "`--since` supports `--format human` and `--format markdown`",
        )),
    }
}

fn print(terminal: &mut Terminal, text: &str) -> Result<()> {
    terminal.out().write_all(text.as_bytes())?;
    Ok(())
}

fn sarif(workset: &Workset) -> Result<String> {
    let findings = workset.statuses.iter().flat_map(|status| &status.findings);
    report::sarif::log(&workset.prefix(), findings)
}

/// GitHub expects paths relative to the repository's root.
fn github(workset: &Workset, terminal: &mut Terminal) -> Result<()> {
    let prefix = workset.prefix();
    let findings = workset.statuses.iter().flat_map(|status| &status.findings);
    print(terminal, &report::github::annotations(&prefix, findings))?;
    report::github::add_summary(&markdown(workset))
}

fn markdown(workset: &Workset) -> String {
    report::markdown::statuses(&workset.prefix(), &workset.statuses)
}
