//! The changes and hashes that the assessment of PoCs needs, read once for all of them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use crate::change::{Change, base_moves};
use crate::command::base;
use crate::contract::ContractState;
use crate::evidence::{Evidence, Located, Scope};
use crate::freshness::since::{Aspect, Since, Stale, Unaffected};
use crate::freshness::{self, Hasher, Inputs};
use crate::project::{Poc, Project};
use crate::status::configurations;

/// Whether evidence depends on a lockfile that git ignores and that is missing here.
pub(super) fn lacks_lockfile(evidence: &Evidence, inputs: &Inputs) -> bool {
    let records = evidence.records.iter();
    let mut inputs_of = records.map(|located| &located.record.inputs);
    let name = freshness::IGNORED_LOCKFILE;
    !inputs.contains_key(name) && inputs_of.any(|recorded| recorded.contains_key(name))
}

/// Whether the work tree equals HEAD, except for documents, and a run had other sources than its commit; else nothing depends on it.
pub(super) fn is_committed(project: &Project, pocs: &[Recorded]) -> bool {
    let mut records = pocs.iter().flat_map(|(_, evidence, _)| &evidence.records);
    if !records.any(|located| located.record.source.dirty == Some(true)) {
        return false;
    }
    let (workspace, config) = (&project.workspace, &project.config);
    let changes = project.repository().and_then(|repository| {
        let head = repository
            .opened_at()
            .context("the repository has no commit")?;
        let changes = repository.changes_since(head)?;
        let paths = changes.into_iter();
        Ok(paths
            .map(|change| repository.root.join(change.path))
            .collect::<Vec<_>>())
    });
    let is_document = |path: &Utf8PathBuf| config.is_document(workspace.relative(path));
    changes.is_ok_and(|paths| paths.iter().all(is_document))
}

/// The runs whose inputs have changed without a possible effect on their tests.
pub(super) fn unaffected(
    project: &Project,
    pocs: &[Recorded],
    inputs: &Inputs,
    notes: &mut Vec<String>,
) -> Result<Unaffected> {
    let (workspace, config) = (&project.workspace, &project.config);
    let mut stale = Vec::new();
    for (poc, evidence, _) in pocs {
        let steps = poc.plan.steps.iter();
        let steps = steps.map(|step| Scope::Step(step.id.to_string()));
        for scope in steps.chain([Scope::Done]) {
            if let Some(located) = evidence.last_located(&scope) {
                stale.extend(of_last_run(project, poc, located, inputs));
            }
            if let Some(located) = evidence.last_with_strength(&scope) {
                // The tests of any target and feature may detect a mutant.
                let all = "cargo test --workspace; cargo test --workspace --all-features";
                let changed = freshness::changed_of(&located.record.inputs, inputs);
                if !changed.is_empty() {
                    stale.push(Stale {
                        located,
                        aspect: Aspect::Strength,
                        scripts: vec![all],
                        changed,
                        results: &poc.paths.results,
                    });
                }
            }
        }
    }
    if stale.is_empty() {
        return Ok(Unaffected::new());
    }
    // Without a repository, the change is unknown.
    let Ok(repository) = project.repository() else {
        return Ok(Unaffected::new());
    };
    let mut since = Since::new(workspace, config, repository);
    let unaffected = since.unaffected(&stale)?;
    if let Err(error) = since.finish() {
        notes.push(format!("{error:#}; the next run will be slower"));
    }
    Ok(unaffected)
}

/// The last run of a scope, if its inputs have changed: with its tests, and with those in each required configuration.
fn of_last_run<'s>(
    project: &Project,
    poc: &'s Poc,
    located: &'s Located,
    inputs: &Inputs,
) -> Vec<Stale<'s>> {
    let record = &located.record;
    let changed = freshness::changed_of(&record.inputs, inputs);
    if changed.is_empty() {
        return Vec::new();
    }
    let run = |aspect, scripts| Stale {
        located,
        aspect,
        scripts,
        changed: changed.clone(),
        results: &poc.paths.results,
    };
    let mut stale = Vec::new();
    if record.outcome.is_whole() {
        let checks = record.checks.iter();
        let scripts = checks.map(|check| check.command.as_str());
        // Only the shell knew which tests the command of a foreign step selected.
        let scripts = if poc.paths.is_foreign() {
            vec!["cargo test --workspace"]
        } else {
            scripts.collect()
        };
        stale.push(run(Aspect::Tests, scripts));
    }
    for name in &poc.plan.configurations {
        let checks = project.config.named(name).map(|configuration| {
            configurations::checks_in(&project.workspace, &configuration, record)
        });
        let checks = checks.unwrap_or_default().into_iter();
        let scripts: Vec<&str> = checks.map(|check| check.command.as_str()).collect();
        if !scripts.is_empty() {
            stale.push(run(Aspect::TestsIn(name.clone()), scripts));
        }
    }
    stale
}

/// The change since each base, and a note for each base that has moved.
pub(super) type Changes = (BTreeMap<String, Result<Change>>, Vec<String>);

pub(super) fn changes(project: &Project, pocs: &[Recorded]) -> Result<Changes> {
    let mut changes = BTreeMap::new();
    let mut notes = Vec::new();
    if pocs.iter().all(|(poc, ..)| poc.plan.base.is_none()) {
        return Ok((changes, notes));
    }
    let repository = project.repository()?;
    for (poc, ..) in pocs {
        let Some(recorded) = poc.plan.base.as_ref() else {
            continue;
        };
        if changes.contains_key(recorded) {
            continue;
        }
        let change = base::of_poc(&repository, poc).and_then(|base| {
            let base = base.context("the plan has no base")?;
            notes.extend(base.note);
            if base_moves(recorded) {
                notes.push(format!(
                    "the Base `{recorded}` of {} moves with each commit and hides committed changes; replace it with {}",
                    project.workspace.slashed(&poc.paths.plan),
                    &base.commit[..base.commit.len().min(12)]
                ));
            }
            Change::since(&repository, &base.commit)
        });
        changes.insert(recorded.clone(), change);
    }
    Ok((changes, notes))
}

/// The current hashes of all inputs that evidence and contracts name.
pub(super) fn inputs(project: &Project, pocs: &[Recorded], toolchain: Toolchain) -> Result<Inputs> {
    let recorded = pocs.iter().flat_map(|(_, evidence, _)| &evidence.records);
    let recorded = recorded.flat_map(|located| located.record.inputs.keys());
    let agreed = pocs.iter().filter_map(|(_, _, contract)| contract.agreed());
    let agreed = agreed.flat_map(|agreed| agreed.inputs.keys());
    let confirmed = pocs
        .iter()
        .flat_map(|(_, _, contract)| contract.confirmations());
    let confirmed = confirmed.flat_map(|(_, confirmed)| confirmed.inputs.keys());
    let mut names = recorded.chain(agreed).chain(confirmed).peekable();
    if names.peek().is_none() {
        return Ok(Inputs::new());
    }
    let mut hasher = Hasher::new(
        &project.workspace,
        &project.config,
        project.repository().ok(),
        &toolchain()?,
    )?;
    hasher.current(names)
}

/// Returns rustc's version. Only called if there is evidence to compare.
pub(super) type Toolchain<'a> = &'a (dyn Fn() -> Result<String> + Sync);

/// The documents of a PoC, its evidence and its contract.
pub(super) type Recorded = (Poc, Evidence, ContractState);
