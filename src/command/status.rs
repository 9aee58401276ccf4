//! `cargo poc status`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use super::deps;
use crate::change::Change;
use crate::cli;
use crate::evidence::Evidence;
use crate::exit::Exit;
use crate::finding::Code;
use crate::freshness::{Hasher, Inputs};
use crate::project::{Poc, Project};
use crate::report;
use crate::status::{Facts, Status};
use crate::sys::files;
use crate::terminal::Terminal;

/// Reports where the PoCs stand; with `--check`, the exit code says whether all that is claimed is proven.
///
/// `toolchain` is only called when there is evidence to compare with.
///
/// # Errors
/// A document that cannot be read, or evidence whose inputs cannot be.
pub fn run(
    project: &Project,
    arguments: &cli::Status,
    toolchain: impl FnOnce() -> Result<String> + Send,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let statuses = statuses(project, arguments.name.as_deref(), toolchain)?;
    match arguments.format {
        cli::StatusFormat::Json => report::json::status(terminal, &statuses)?,
        cli::StatusFormat::Github => github(terminal, &statuses)?,
        cli::StatusFormat::Human => match (&statuses[..], &arguments.name) {
            ([only], _) => report::human::status::screen(terminal, only)?,
            _ => report::human::status::overview(terminal, &statuses)?,
        },
    }
    Ok(if arguments.check {
        gate(&statuses)
    } else {
        Exit::Fine
    })
}

/// Unreadable before unproven before stale.
fn gate(statuses: &[Status]) -> Exit {
    let unreliable = |status: &Status| {
        status
            .findings
            .iter()
            .any(|finding| finding.code == Code::Unreliable)
    };
    if statuses.iter().any(unreliable) {
        Exit::Usage
    } else if statuses.iter().any(Status::has_errors) {
        Exit::Findings
    } else if statuses.iter().any(Status::is_stale) {
        Exit::Stale
    } else {
        Exit::Fine
    }
}

/// The status of the named PoC, or of all.
///
/// # Errors
/// As for [`run`].
pub fn statuses(
    project: &Project,
    name: Option<&str>,
    toolchain: impl FnOnce() -> Result<String> + Send,
) -> Result<Vec<Status>> {
    let paths = match name {
        Some(name) => vec![project.find(name)?],
        None => project.list()?,
    };
    let mut pocs: Vec<(Poc, Evidence)> = Vec::new();
    for paths in paths {
        let poc = project.read(paths)?;
        let evidence = poc.evidence();
        pocs.push((poc, evidence));
    }
    let (changes, inputs) = rayon::join(
        || changes(project, &pocs),
        || inputs(project, &pocs, toolchain),
    );
    let inputs = inputs?;
    let status = |(poc, evidence): &(Poc, Evidence)| {
        let change = match &changes {
            Ok(changes) => poc.plan.base.as_deref().map_or_else(
                || {
                    Err(
                        "the plan's Overview names no Base; what changed since is unknown"
                            .to_owned(),
                    )
                },
                |base| changes[base].as_ref().map_err(|error| format!("{error:#}")),
            ),
            Err(error) => Err(format!("what changed is unknown: {error:#}")),
        };
        let facts = Facts {
            workspace: &project.workspace,
            config: &project.config,
            evidence,
            change,
            dependencies: deps::compare(project, poc, &[]).map_err(|error| format!("{error:#}")),
            inputs: &inputs,
        };
        Status::of(poc, &facts)
    };
    Ok(pocs.iter().map(status).collect())
}

/// The change since each base that a plan names.
fn changes(
    project: &Project,
    pocs: &[(Poc, Evidence)],
) -> Result<BTreeMap<String, Result<Change>>> {
    let bases: BTreeSet<&String> = pocs
        .iter()
        .filter_map(|(poc, _)| poc.plan.base.as_ref())
        .collect();
    if bases.is_empty() {
        return Ok(BTreeMap::new());
    }
    let repository = project.repository()?;
    Ok(bases
        .into_iter()
        .map(|base| (base.clone(), Change::since(&repository, base)))
        .collect())
}

/// The hashes, as they are now, of everything that evidence names.
fn inputs(
    project: &Project,
    pocs: &[(Poc, Evidence)],
    toolchain: impl FnOnce() -> Result<String> + Send,
) -> Result<Inputs> {
    let records = || pocs.iter().flat_map(|(_, evidence)| &evidence.records);
    if records().next().is_none() {
        return Ok(Inputs::new());
    }
    let mut hasher = Hasher::new(project, project.repository().ok(), &toolchain()?)?;
    hasher.current(records().flat_map(|located| located.record.inputs.keys()))
}

fn github(terminal: &mut Terminal, statuses: &[Status]) -> Result<()> {
    report::github::annotations(terminal, statuses)?;
    let summary = report::github::summary(statuses);
    match std::env::var("GITHUB_STEP_SUMMARY") {
        Ok(path) if !path.is_empty() => files::append(&Utf8PathBuf::from(path), summary.as_bytes())
            .context("failed to add to $GITHUB_STEP_SUMMARY"),
        _ => Ok(()),
    }
}
