//! The kept runs in a file, to reuse their results on another machine.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::kept::{KeptRuns, RunKind, remove};
use crate::affected::failed::FailedTests;
use crate::change;
use crate::project::Project;
use crate::sys::stamps::{self, Stamp};
use crate::sys::{files, packed};
use crate::workspace::Workspace;

/// First line of the file, with the version of the format.
const HEADING: &[u8] = b"cargo-poc results 2\n";
/// The maximum size in bytes of a file that git ignores and whose content is compared.
const LARGEST_IGNORED: u64 = 64 << 20;

type Hash = [u8; 32];

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Exported {
    kind: RunKind,
    kept: KeptRuns,
    /// The files that git ignores, as in the last run: other machines have other times.
    ignored: BTreeMap<String, (Stamp, Hash)>,
}

/// Writes the results of a runner. Returns the number of tests.
///
/// # Errors
/// When the list of failed tests cannot be read, or the file cannot be written.
pub fn export(project: &Project, runner: &str, file: &Utf8Path) -> Result<usize> {
    let workspace = &project.workspace;
    let kind = RunKind::of(workspace, runner);
    let mut kept = KeptRuns::load(workspace, &kind);
    let failed = FailedTests::load(workspace)?;
    for run in &mut kept.runs {
        remove(&mut run.passed, &failed);
    }
    let tests = count(&kept);
    let mut ignored = BTreeMap::new();
    if !kept.runs.is_empty() {
        let root = change::repository_of(workspace)?.root;
        // Most runs have the same files.
        let paths = kept.runs.iter().flat_map(|run| run.state.ignored.keys());
        for path in paths.collect::<BTreeSet<_>>() {
            if let Some(content) = content(&root.join(path))? {
                ignored.insert(path.clone(), content);
            }
        }
    }
    let exported = Exported {
        kind,
        kept,
        ignored,
    };
    files::write_report(file, &packed::pack(HEADING, &exported)?)?;
    Ok(tests)
}

/// Adds the results of another machine to those of this one. Returns the number of tests, and why a run with this runner cannot reuse
/// them, if so.
///
/// # Errors
/// When the file cannot be read, is damaged or has another version, or the results cannot be kept.
pub fn import(project: &Project, runner: &str, file: &Utf8Path) -> Result<(usize, Option<String>)> {
    let workspace = &project.workspace;
    let exported: Result<Exported> = packed::unpack(HEADING, &files::read(file)?);
    let Exported {
        kind,
        mut kept,
        ignored,
    } = exported?;
    let root = change::repository_of(workspace)?.root;
    for (path, (theirs, hash)) in &ignored {
        let Some((ours, _)) = content(&root.join(path))?.filter(|(_, found)| found == hash) else {
            continue;
        };
        for run in &mut kept.runs {
            let stamp = run.state.ignored.get_mut(path);
            if let Some(stamp) = stamp.filter(|stamp| *stamp == theirs) {
                *stamp = ours;
            }
        }
    }
    let tests = count(&kept);
    KeptRuns::change(workspace, &kind, |own| own.import(kept))?;
    Ok((tests, difference(workspace, runner, &kind)))
}

/// Why results of this kind are not those of a runner.
fn difference(workspace: &Workspace, runner: &str, kind: &RunKind) -> Option<String> {
    if kind.runner != runner {
        let (theirs, ours) = (&kind.runner, runner);
        return Some(format!("they are from {theirs}, and this run uses {ours}"));
    }
    (*kind != RunKind::of(workspace, runner))
        .then(|| "they are from another build configuration".to_owned())
}

/// The stamp and the hash of a file; `None` if it is not a file or too large.
fn content(path: &Utf8Path) -> Result<Option<(Stamp, Hash)>> {
    let stamps = stamps::of(path, 1, &|_| false)?.unwrap_or_default();
    let [(_, stamp)] = &stamps[..] else {
        return Ok(None);
    };
    if stamp.0 > LARGEST_IGNORED || !path.is_file() {
        return Ok(None);
    }
    let bytes = files::read_if_exists(path)
        .with_context(|| format!("cannot compare {path} with other machines"))?;
    Ok(bytes.map(|bytes| (*stamp, *blake3::hash(&bytes).as_bytes())))
}

fn count(kept: &KeptRuns) -> usize {
    let passed = kept.passed();
    passed.values().map(std::collections::BTreeSet::len).sum()
}
