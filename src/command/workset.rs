//! The input of `status` and `check`: documents, evidence and the status of each PoC.

mod inputs;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::deps;
use crate::cli::{Global, Which};
use crate::config::{Config, Options, current_folder};
use crate::contract::ContractState;
use crate::contract::tests::Present;
use crate::evidence::{self, Evidence, EvidenceProblem, ProblemKind};
use crate::exit::{self, Exit};
use crate::finding::{Finding, Severity};
use crate::freshness::since::Unaffected;
use crate::lint;
use crate::lint::levels::Levels;
use crate::next::{self, Next};
use crate::project::{Ask, Paths, Poc, Project};
use crate::report::PocStatus;
use crate::status::{self, Assessment, Context, NamedPaths, OtherPlans, State};
use crate::sys::cargo;
use crate::sys::files;
use crate::sys::terminal::Terminal;
use inputs::{Recorded, Toolchain, changes, inputs, is_committed, lacks_lockfile, unaffected};

/// The named PoCs and their statuses.
pub struct Workset {
    /// The workspace; `None` for a document outside a workspace.
    pub project: Option<Project>,
    /// Base of shown paths: the workspace root or the current folder.
    pub root: Utf8PathBuf,
    /// The documents, sorted by name.
    pub pocs: Vec<Poc>,
    /// The evidence of each PoC, in the same order.
    pub evidence: Vec<Evidence>,
    /// The status of each PoC, in the same order.
    pub statuses: Vec<PocStatus>,
    /// Errors of documents that cannot be read, by path. They do not affect the other PoCs.
    pub unreadable: Vec<anyhow::Error>,
    /// Warnings that do not change the result.
    pub notes: Vec<String>,
}

impl Workset {
    /// Prints the documents that cannot be read. Without a status, they make the exit code a usage error.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn report_unreadable(&self, terminal: &mut Terminal) -> Result<Exit> {
        for error in &self.unreadable {
            terminal.error(error)?;
        }
        Ok(if self.unreadable.is_empty() {
            Exit::Success
        } else {
            Exit::Usage
        })
    }

    /// Fails without the folder of the plans: a gate must not pass if its name is misspelt.
    ///
    /// # Errors
    /// A usage error.
    pub fn require_docs(&self) -> Result<()> {
        match &self.project {
            Some(project) if !project.docs().is_dir() => Err(exit::usage(format!(
                "the folder {} does not exist; pass the folder of the plans with --docs",
                project.docs()
            ))),
            _ => Ok(()),
        }
    }

    /// The folder of [`Self::root`] within the repository, for GitHub, which expects paths from the repository's root.
    #[must_use]
    pub fn prefix(&self) -> Utf8PathBuf {
        let project = self.project.as_ref();
        project.map(Project::prefix).unwrap_or_default()
    }
}

/// Loads the named PoCs and computes their statuses. cargo and rustc run in parallel, because each takes as long as everything
/// else. `adjust` can change the settings.
///
/// # Errors
/// No workspace, an unknown name, a named document that cannot be read, or inputs of evidence that cannot be read.
pub fn load(
    global: &Global,
    which: &Which,
    adjust: impl Fn(&mut Config) -> Result<()>,
) -> Result<Workset> {
    load_to(global, which, Extent::Whole, adjust)
}

/// Like [`load`], for commands that only report: findings have no fix.
///
/// # Errors
/// As for [`load`].
pub fn load_for_report(global: &Global, which: &Which) -> Result<Workset> {
    load_to(global, which, Extent::Report, |_| Ok(()))
}

/// The purpose of loading documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// To change them: findings carry their fixes.
    Whole,
    /// To report their state.
    Report,
}

fn load_to(
    global: &Global,
    which: &Which,
    extent: Extent,
    adjust: impl Fn(&mut Config) -> Result<()>,
) -> Result<Workset> {
    let options = &global.options();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| cargo::toolchain(&options.folder()?));
        let asked = Mutex::new(Some(asked));
        let toolchain = || {
            let first = asked.lock().unwrap_or_else(PoisonError::into_inner).take();
            match first {
                Some(first) => first
                    .join()
                    .map_err(|_| anyhow!("the thread that runs rustc panicked"))?,
                None => cargo::toolchain(&options.folder()?),
            }
        };
        let of_project = |mut project: Project, read: Read| {
            adjust(&mut project.config)?;
            of_project(project, read, extent, &toolchain)
        };
        match &which.plan {
            None => Project::with(global, Ask::Files, |project| {
                let read = read(&project, which.name.as_deref())?;
                of_project(project, read)
            }),
            Some(file) => match Project::around(global, file)? {
                Some(project) => {
                    let read = named(project.of_file(located(file)?)?)?;
                    of_project(project, read)
                }
                None => outside(options, file, extent, adjust),
            },
        }
    })
}

fn of_project(
    mut project: Project,
    mut read: Read,
    extent: Extent,
    toolchain: Toolchain,
) -> Result<Workset> {
    read.notes.append(&mut project.notes);
    let statuses = statuses(&project, &mut read.pocs, extent, toolchain, &mut read.notes)?;
    let pocs = read.pocs.into_iter();
    let (pocs, evidence) = pocs.map(|(poc, evidence, _)| (poc, evidence)).unzip();
    Ok(Workset {
        root: project.workspace.root.clone(),
        project: Some(project),
        pocs,
        evidence,
        statuses,
        unreadable: read.unreadable,
        notes: read.notes,
    })
}

/// Loads a plan outside a workspace.
fn outside(
    options: &Options,
    file: &Utf8Path,
    extent: Extent,
    adjust: impl Fn(&mut Config) -> Result<()>,
) -> Result<Workset> {
    let root = options.folder()?;
    let mut config = Config::outside();
    adjust(&mut config)?;
    let paths = Paths::of_file(located(file)?)?;
    let (poc, evidence, mut contract) = with_evidence(Poc::read(paths)?);
    contract.compare(&poc.plan, &[])?;
    let unknown = "the plan is not in a workspace";
    let cx = Context {
        workspace: None,
        root: &root,
        evidence: &evidence,
        change: Err(unknown.to_owned()),
        dependencies: Err(unknown.to_owned()),
        inputs: &BTreeMap::new(),
        unaffected: &Unaffected::new(),
        is_committed: false,
        contract: &contract,
        config: &config,
        other_plans: &OtherPlans::default(),
        fixes: extent == Extent::Whole,
    };
    let levels = Levels::configured(&config, &root)?;
    let statuses = vec![evaluate(&poc, &cx, &levels)];
    Ok(Workset {
        project: None,
        root,
        pocs: vec![poc],
        evidence: vec![evidence],
        statuses,
        unreadable: Vec::new(),
        notes: Vec::new(),
    })
}

/// The assessment of a PoC, its findings, and the next action.
fn evaluate(poc: &Poc, cx: &Context<'_>, levels: &Levels) -> PocStatus {
    let assessment = status::assess(poc, cx);
    let findings = lint::lint(poc, &assessment, cx, levels);
    let mut next = next::next(&assessment, &findings);
    if !poc.paths.is_foreign()
        && assessment.state == State::Proven
        && next.as_ref().is_some_and(|next| !next.person)
        && let Some(finding) = contradiction(poc, &assessment, cx, levels)
    {
        next = Some(Next::fix(&finding));
    }
    PocStatus {
        assessment,
        findings,
        next,
    }
}

/// The first error that the linter would report if the results were Complete.
fn contradiction(
    poc: &Poc,
    assessment: &Assessment,
    cx: &Context<'_>,
    levels: &Levels,
) -> Option<Finding> {
    let completed = super::completed::completed(poc, assessment).ok()?;
    let assessment = status::assess(&completed, cx);
    let mut findings = lint::lint(&completed, &assessment, cx, levels).into_iter();
    findings.find(|finding| finding.severity == Severity::Error)
}

/// One PoC and its status.
///
/// # Errors
/// A document or an input of evidence that cannot be read.
pub(super) fn assess_one(project: &Project, paths: Paths) -> Result<(Poc, PocStatus)> {
    let mut pocs = [with_evidence(Poc::read(paths)?)];
    let toolchain = || cargo::toolchain(&project.workspace.root);
    let mut notes = Vec::new();
    let statuses = statuses(project, &mut pocs, Extent::Report, &toolchain, &mut notes)?;
    let [(poc, ..)] = pocs;
    let status = statuses.into_iter().next();
    Ok((poc, status.context("a PoC without a status")?))
}

/// The absolute path of `file`, which is relative to the current folder.
///
/// # Errors
/// When the current folder no longer exists.
pub fn located(file: &Utf8Path) -> Result<Utf8PathBuf> {
    Ok(files::normalize(&current_folder()?.join(file)))
}

/// The documents of the named PoCs.
struct Read {
    pocs: Vec<Recorded>,
    unreadable: Vec<anyhow::Error>,
    notes: Vec<String>,
}

fn named(paths: Paths) -> Result<Read> {
    Ok(Read {
        pocs: vec![with_evidence(Poc::read(paths)?)],
        unreadable: Vec::new(),
        notes: Vec::new(),
    })
}

/// Reads the named PoC, or all of them.
fn read(project: &Project, name: Option<&str>) -> Result<Read> {
    if let Some(name) = name {
        return named(project.find(name)?);
    }
    let paths = project.list()?.into_par_iter();
    let read: Vec<Result<_>> = paths
        .map(|paths| Ok(with_evidence(project.read(paths)?)))
        .collect();
    let mut all = Read {
        pocs: Vec::new(),
        unreadable: Vec::new(),
        notes: Vec::new(),
    };
    for poc in read {
        match poc {
            Ok(poc) => all.pocs.push(poc),
            Err(error) => all.unreadable.push(error),
        }
    }
    Ok(all)
}

fn with_evidence(poc: Poc) -> Recorded {
    let results = poc.results.as_ref();
    let text = results.map_or("", |(document, _)| document.text());
    let mut evidence = evidence::read(text);
    exclude_foreign(&mut evidence, &poc.paths.name);
    let contract = ContractState::read_beside(text, &poc.paths.name, &evidence.records);
    (poc, evidence, contract)
}

/// Moves evidence of another PoC to the problems: it proves nothing here.
fn exclude_foreign(evidence: &mut Evidence, name: &str) {
    let (own, foreign): (Vec<_>, Vec<_>) = std::mem::take(&mut evidence.records)
        .into_iter()
        .partition(|located| located.record.poc == name);
    evidence.records = own;
    evidence
        .problems
        .extend(foreign.into_iter().map(|located| EvidenceProblem {
            kind: ProblemKind::Damaged,
            line: located.line,
            message: format!(
                "this evidence belongs to the PoC `{}` and does not count here; remove it and verify again",
                located.record.poc
            ),
        }));
}

/// Computes the status of each PoC, and adds warnings to `notes`.
fn statuses(
    project: &Project,
    pocs: &mut [Recorded],
    extent: Extent,
    toolchain: Toolchain,
    notes: &mut Vec<String>,
) -> Result<Vec<PocStatus>> {
    let (changes, inputs) = rayon::join(
        || changes(project, pocs),
        || inputs(project, pocs, toolchain),
    );
    let changes = changes.map(|(changes, moved)| {
        notes.extend(moved);
        changes
    });
    let inputs = inputs?;
    let levels = Levels::configured(&project.config, &project.workspace.root)?;
    let other_plans = other_plans(project, pocs);
    if pocs
        .iter()
        .any(|(_, evidence, _)| lacks_lockfile(evidence, &inputs))
    {
        notes.push(format!(
            "git ignores {}, which is missing here, so the versions of dependencies are not compared with the verified ones",
            cargo::LOCKFILE
        ));
    }
    let unaffected = unaffected(project, pocs, &inputs, notes)?;
    let agreed = pocs.iter().filter_map(|(.., standing)| standing.agreed());
    let is_committed = is_committed(project, pocs);
    let present = Present::read(project, agreed, &inputs)?;
    let status = |(poc, evidence, standing): &mut Recorded| {
        let tests = standing.agreed().map(|agreed| present.of(agreed));
        standing.compare(&poc.plan, tests.unwrap_or_default())?;
        let change = match &changes {
            Ok(changes) => poc.plan.base.as_deref().map_or_else(
                || Err("the plan has no Base in its Overview, so the change is unknown".to_owned()),
                |base| changes[base].as_ref().map_err(|error| format!("{error:#}")),
            ),
            Err(error) => Err(format!("the change is unknown: {error:#}")),
        };
        let cx = Context {
            workspace: Some(&project.workspace),
            root: &project.workspace.root,
            config: &project.config,
            evidence,
            change,
            dependencies: deps::compare(project, poc, &[]).map_err(|error| format!("{error:#}")),
            inputs: &inputs,
            unaffected: &unaffected,
            is_committed,
            other_plans: &other_plans,
            contract: standing,
            fixes: extent == Extent::Whole,
        };
        Ok(evaluate(poc, &cx, &levels))
    };
    pocs.par_iter_mut().map(status).collect()
}

/// All plans of the folder, including those not loaded.
fn other_plans(project: &Project, pocs: &[Recorded]) -> OtherPlans {
    let known = |paths: &Paths| pocs.iter().any(|(poc, ..)| poc.paths.name == paths.name);
    let mut unread = project.list().unwrap_or_default();
    unread.retain(|paths| !known(paths));
    let known = pocs.iter();
    let known = known.map(|(poc, ..)| NamedPaths::of(&poc.paths.name, &poc.plan));
    OtherPlans::new(known.collect(), unread)
}
