//! `cargo poc status`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use super::deps;
use crate::change::Change;
use crate::cli;
use crate::evidence::{self, Evidence, Problem, ProblemKind};
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
    let read = read(project, arguments.name.as_deref())?;
    let statuses = statuses(project, &read.pocs, toolchain)?;
    match arguments.format {
        cli::StatusFormat::Json => report::json::status(terminal, &statuses)?,
        cli::StatusFormat::Github => github(project, terminal, &statuses)?,
        cli::StatusFormat::Human => match (&statuses[..], read.unreadable.is_empty()) {
            ([only], true) => report::human::status::screen(terminal, only)?,
            _ => report::human::status::overview(terminal, &statuses)?,
        },
    }
    // What cannot be read has no status, and is never left out in silence.
    for error in &read.unreadable {
        terminal.error(error)?;
    }
    let gate = if arguments.check {
        gate(&statuses)
    } else if statuses.iter().any(|status| status.steps.is_empty()) {
        Exit::Usage
    } else {
        Exit::Fine
    };
    Ok(if read.unreadable.is_empty() {
        gate
    } else {
        Exit::Usage
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

/// The documents of the PoCs asked for.
struct Read {
    pocs: Vec<(Poc, Evidence)>,
    /// Why documents cannot be read, by their place.
    unreadable: Vec<anyhow::Error>,
}

/// Reads the named PoC, or all of them; of all, one that cannot be read does not hide the others.
fn read(project: &Project, name: Option<&str>) -> Result<Read> {
    let with_evidence = |poc: Poc| {
        let results = poc.results.as_ref();
        let mut evidence = results.map_or_else(Evidence::default, |(document, _)| {
            evidence::read(document.text())
        });
        set_aside_foreign(&mut evidence, &poc.paths.name);
        (poc, evidence)
    };
    if let Some(name) = name {
        let poc = project.read(project.find(name)?)?;
        return Ok(Read {
            pocs: vec![with_evidence(poc)],
            unreadable: Vec::new(),
        });
    }
    let (mut pocs, mut unreadable) = (Vec::new(), Vec::new());
    for paths in project.list()? {
        match project.read(paths) {
            Ok(poc) => pocs.push(with_evidence(poc)),
            Err(error) => unreadable.push(error),
        }
    }
    Ok(Read { pocs, unreadable })
}

/// What another PoC's runs have shown proves nothing here, however it came here.
fn set_aside_foreign(evidence: &mut Evidence, name: &str) {
    let (own, foreign): (Vec<_>, Vec<_>) = std::mem::take(&mut evidence.records)
        .into_iter()
        .partition(|located| located.record.poc == name);
    evidence.records = own;
    evidence
        .problems
        .extend(foreign.into_iter().map(|located| Problem {
            kind: ProblemKind::Damaged,
            line: located.line,
            message: format!(
                "this evidence is of the PoC `{}` and does not count here; take it out, and verify",
                located.record.poc
            ),
        }));
}

/// The status of each PoC.
fn statuses(
    project: &Project,
    pocs: &[(Poc, Evidence)],
    toolchain: impl FnOnce() -> Result<String> + Send,
) -> Result<Vec<Status>> {
    let (changes, inputs) = rayon::join(
        || changes(project, pocs),
        || inputs(project, pocs, toolchain),
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

/// GitHub takes paths from the repository's root.
fn github(project: &Project, terminal: &mut Terminal, statuses: &[Status]) -> Result<()> {
    let root = &project.workspace.root;
    let prefix = project
        .repository()
        .ok()
        .and_then(|repository| Some(root.strip_prefix(&repository.root).ok()?.to_owned()))
        .unwrap_or_default();
    report::github::annotations(terminal, &prefix, statuses)?;
    let summary = report::github::summary(&prefix, statuses);
    match std::env::var("GITHUB_STEP_SUMMARY") {
        Ok(path) if !path.is_empty() => files::append(&Utf8PathBuf::from(path), summary.as_bytes())
            .context("failed to add to $GITHUB_STEP_SUMMARY"),
        _ => Ok(()),
    }
}
