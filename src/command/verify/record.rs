//! Records of a run: the evidence in the results documents, and the state of its inputs before and after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use super::super::amend;
use crate::change;
use crate::change::snapshot::Snapshot;
use crate::contract::ContractState;
use crate::document::proof::{self, Proof, is_test};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::{self, CHANGED, Names, Packed, Record, Scope, Source};
use crate::exit::{self, Exit};
use crate::freshness::since;
use crate::freshness::{self, Hasher};
use crate::project::{Poc, Project};
use crate::report;
use crate::report::run::RecordedRun;
use crate::sys::files;
use crate::sys::git::Repository;
use crate::sys::terminal::Terminal;
use crate::verify;
use crate::verify::test_output::Verdict;
use crate::workspace::PackageId;

/// Makes the record of a run for a named PoC, from its baseline and the tests that failed before.
type MakeRecord<'a> = dyn Fn(&str, Option<&Record>, Names) -> Result<Record> + 'a;

/// Prints the outcome of a run for each PoC and, if `recording`, writes it to the results. Returns the worst exit code.
pub(super) fn record_run(
    project: &Project,
    pocs: &[Poc],
    scope: &Scope,
    recording: bool,
    record: &MakeRecord<'_>,
    terminal: &mut Terminal,
) -> Result<(Exit, Vec<RecordedRun>)> {
    if pocs.is_empty() {
        let record = record("", None, Names::new())?;
        report::human::verify::outcome(terminal, &record)?;
        return Ok((verify::exit(&record), vec![RecordedRun::of(record)]));
    }
    let mut worst = Exit::Success;
    let mut records = Vec::new();
    for poc in pocs {
        let known = poc.evidence();
        let baseline = known.baseline().filter(|_| *scope != Scope::Baseline);
        let record = record(&poc.paths.name, baseline, known.failing())?;
        let written = if recording {
            write(project, poc, &record, terminal)
        } else {
            Ok(())
        };
        // The outcome is shown even if it could not be recorded.
        report::human::verify::outcome(terminal, &record)?;
        written?;
        let results = project.workspace.slashed(&poc.paths.results);
        if recording {
            terminal.status("Recorded", format!("{} in {results}", record.scope))?;
        }
        worst = worst.max(verify::exit(&record));
        records.push(RecordedRun {
            measured: baseline.is_some(),
            results: recording.then_some(results),
            record,
        });
    }
    Ok((worst, records))
}

/// Stores the state of the work tree before a run for the records in documents.
pub(super) fn keep_snapshot(
    project: &Project,
    repository: &Repository,
    stood: Snapshot,
    records: &[RecordedRun],
    terminal: &mut Terminal,
) -> Result<()> {
    let recorded = records.iter().filter(|one| one.results.is_some());
    let recorded = recorded.map(|one| &one.record);
    if let Err(error) = since::keep(&project.workspace, repository, stood, recorded) {
        let so = "any later change of its packages makes this evidence stale";
        terminal.warn(format!("{error:#}; {so}"))?;
    }
    Ok(())
}

/// Checks before the run that it can be recorded.
pub(super) fn recordable(pocs: &[Poc]) -> Result<()> {
    match pocs.iter().find(|poc| poc.results.is_none()) {
        Some(poc) => Err(exit::usage(format!(
            "{} does not exist, so evidence cannot be recorded; create it with `cargo poc init {} --adopt`, or use --no-record",
            poc.paths.results, poc.paths.name
        ))),
        None => pocs.iter().try_for_each(|poc| {
            files::check_writable(&poc.paths.results)
                .context("nothing was run, because the run could not be recorded")
        }),
    }
}

/// The commit and whether the work tree differs from it; unknown without git.
pub(super) fn source(project: &Project, repository: Option<&Repository>) -> Source {
    let Some(repository) = repository else {
        return Source::default();
    };
    let commit = repository.head().ok().flatten();
    let ours = |path: &camino::Utf8Path| {
        let path = repository.root.join(path);
        project
            .config
            .is_document(project.workspace.relative(&path))
    };
    let dirty = commit.as_deref().and_then(|commit| {
        let changes = repository.changes_since(commit).ok()?;
        Some(changes.iter().any(|change| !ours(&change.path)))
    });
    Source { commit, dirty }
}

/// The first evidence of a step or of the done block locks the contract. A baseline and the prerequisites do not: they
/// describe the state before the work and run while the plan is still being written.
fn write(project: &Project, poc: &Poc, record: &Record, terminal: &mut Terminal) -> Result<()> {
    let locks = matches!(record.scope, Scope::Step(_) | Scope::Done);
    if locks {
        amend::warn_of_unknown_tests(project, poc, terminal)?;
    }
    document_update::change(project, &poc.paths, Mode::Write, terminal, |poc| {
        let (document, _) = document_update::results(poc)?;
        let mut text = document.text().to_owned();
        if locks {
            text = amend::locked(project, poc, &text)?;
        }
        let locked = ContractState::read(&text, &poc.paths.name);
        let record = Record {
            contract: locked.last_agreed().map(|entry| entry.checksum.clone()),
            ..record.clone()
        };
        let results = Some(evidence::append(&text, &record)?);
        Ok((
            Texts {
                results,
                plan: None,
            },
            (),
        ))
    })
    .context("failed to add evidence")?;
    Ok(())
}

/// The tests that criteria name as proof and that passed; `None` if there are none.
pub(super) fn passed_proofs(
    pocs: &[Poc],
    verdicts: &BTreeMap<String, BTreeMap<String, Verdict>>,
) -> Result<Option<Packed>> {
    let criteria = pocs.iter().flat_map(|poc| &poc.plan.criteria);
    let proofs: Vec<Proof> = criteria.flat_map(proof::proofs).collect();
    let is_named = |binary: &str, test: &str| {
        proofs.iter().any(|proof| match proof {
            Proof::Test(name) => is_test(name, binary, test),
            _ => false,
        })
    };
    let mut passed = Names::new();
    for (binary, tests) in verdicts {
        let tests = tests
            .iter()
            .filter(|(_, verdict)| **verdict == Verdict::Passed);
        for (test, _) in tests.filter(|(test, _)| is_named(binary, test)) {
            passed
                .entry(binary.clone())
                .or_default()
                .insert(test.clone());
        }
    }
    (!passed.is_empty())
        .then(|| Packed::new(&passed))
        .transpose()
}

/// The inputs of a run of these packages' tests, hashed before it.
pub(super) struct Before<'p> {
    project: &'p Project,
    /// The members that the tests link or can reach.
    members: BTreeSet<PackageId>,
    toolchain: &'p str,
    hasher: Hasher<'p>,
    inputs: freshness::Inputs,
    /// The inputs outside of the workspace, as far as they were known before the run.
    outside: freshness::Inputs,
}

impl<'p> Before<'p> {
    pub(super) fn run(
        project: &'p Project,
        repository: Option<&Repository>,
        toolchain: &'p str,
        packages: &BTreeSet<PackageId>,
    ) -> Result<Self> {
        let mut hasher = hasher(project, repository.cloned(), toolchain)?;
        let members = hasher.reached(packages)?;
        let inputs = hasher.inputs_from(&members)?;
        let outside = hasher.outside()?;
        Ok(Self {
            project,
            members,
            toolchain,
            hasher,
            inputs,
            outside,
        })
    }

    /// Hashes the inputs again after the run. Changed inputs are marked: then the run proves nothing, and a warning names the
    /// files.
    pub(super) fn after(
        mut self,
        times: &[(SystemTime, SystemTime)],
        terminal: &mut Terminal,
    ) -> Result<freshness::Inputs> {
        let repository = change::repository_of(&self.project.workspace).ok();
        let mut hasher = hasher(self.project, repository, self.toolchain)?;
        let after = hasher.inputs_from(&self.members)?;
        // cargo updates the lockfile before it builds, so the tests ran with the current one.
        freshness::keep_lockfile(&mut self.inputs, &after);
        freshness::mark_changed(&mut self.inputs, &after);
        let restored = self.hasher.restored(&hasher, times);
        self.hasher.mark_restored(&mut self.inputs, &restored);
        self.inputs
            .extend(outside(&self.outside, hasher.outside()?));
        if freshness::changed_while_it_ran(&self.inputs) {
            let mut differing = self.hasher.differences(&hasher);
            differing.extend(restored);
            let few = differing.len().min(10);
            let more = match differing.len() - few {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            terminal.warn(format!(
                "changed while the commands ran: {}{more}; this run proves nothing, verify again (git should ignore files that a run writes)",
                differing[..few].join(", ")
            ))?;
        }
        Ok(self.inputs)
    }
}

/// The inputs outside of the workspace after a run; those that changed meanwhile are marked so.
fn outside(before: &freshness::Inputs, mut after: freshness::Inputs) -> freshness::Inputs {
    for (name, hash) in &mut after {
        if before.get(name).is_some_and(|before| before != hash) {
            CHANGED.clone_into(hash);
        }
    }
    after
}

fn hasher<'p>(
    project: &'p Project,
    repository: Option<Repository>,
    toolchain: &str,
) -> Result<Hasher<'p>> {
    Hasher::new(&project.workspace, &project.config, repository, toolchain)
}
