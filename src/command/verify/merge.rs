//! `cargo poc verify --merge REPORT…`.

use anyhow::Result;
use rayon::prelude::*;

use super::record::{record_run, recordable, source};
use super::reports::{FinishedRun, must_run_here};
use super::request::{all_readable, selection};
use crate::affected::Selection;
use crate::affected::failed::TestNames;
use crate::change;
use crate::cli;
use crate::evidence::{Names, Outcome, Scope};
use crate::exit::{self, Exit};
use crate::project::{Poc, Project};
use crate::report::run::RecordedRun;
use crate::sys::files::normalize;
use crate::sys::terminal::Terminal;
use crate::verify::deal::digest;
use crate::verify::shard::Shard;
use crate::verify::shard::merged::Merged;

/// Checks that the shards together ran exactly the selected tests, and records them as one run.
///
/// # Errors
/// As for [`Merged::of`], and a usage error if they ran on another commit or selected other tests.
pub(super) fn run(
    project: &Project,
    arguments: &cli::Verify,
    terminal: &mut Terminal,
) -> Result<Exit> {
    must_run_here(arguments)?;
    let shards: Result<Vec<_>> = arguments
        .merge
        .par_iter()
        .map(|file| Ok((file.clone(), Shard::read(file)?)))
        .collect();
    let merged = Merged::of(shards?)?;
    let scope = merged.first().run.scope.clone();
    let pocs = all_readable(project, arguments.name.as_deref(), &scope)?;
    fits(project, arguments, &pocs, &merged)?;
    let report = |exit: Exit, records: &[RecordedRun], terminal: &mut Terminal| {
        let ended = FinishedRun {
            scope: &scope,
            exit,
            selection: merged.first().record.selection,
            reused: 0,
            shadow: None,
            strength: None,
            records,
            poc: None,
            ran: None,
        };
        ended.report(project, arguments, terminal)?;
        Ok(exit)
    };
    if !merged.selects_anything() {
        terminal.status(
            "Unaffected",
            "the change affects no test, so nothing was run or recorded",
        )?;
        let exit = if merged.shards_passed() {
            Exit::Success
        } else {
            Exit::Findings
        };
        return report(exit, &[], terminal);
    }
    let recording = arguments.records();
    if recording {
        recordable(&pocs)?;
    }
    let record =
        |poc: &str, baseline: Option<&_>, _| merged.record(&project.workspace, poc, baseline);
    if merged.outcome() == Outcome::Interrupted {
        terminal.warn("a shard was interrupted; nothing was recorded")?;
        let records = [RecordedRun::of(record("", None, Names::new())?)];
        return report(Exit::CouldNotRun, &records, terminal);
    }
    let (exit, records) = record_run(project, &pocs, &scope, recording, &record, terminal)?;
    report(exit, &records, terminal)
}

/// Whether the shards ran the selected tests. Their reports may be in this folder and are excluded from the change.
fn fits(project: &Project, arguments: &cli::Verify, pocs: &[Poc], merged: &Merged) -> Result<()> {
    let first = merged.first();
    let names: Vec<&str> = pocs.iter().map(|poc| poc.paths.name.as_str()).collect();
    if first.run.pocs != names {
        let told = |names: &[&str]| match names {
            [] => "no PoC".to_owned(),
            names => names.join(", "),
        };
        let theirs: Vec<&str> = first.run.pocs.iter().map(String::as_str).collect();
        return Err(exit::usage(format!(
            "the shards ran for {}, but this merge is for {}; name the same PoC, or none for all PoCs",
            told(&theirs),
            told(&names)
        )));
    }
    let (here, there) = (
        source(
            project,
            change::repository_of(&project.workspace).ok().as_ref(),
        )
        .commit,
        &first.record.source.commit,
    );
    if here != *there {
        let told =
            |commit: &Option<String>| commit.clone().unwrap_or_else(|| "no commit".to_owned());
        return Err(exit::usage(format!(
            "the shards ran on {}, but this is {}; merge them on the same commit",
            told(there),
            told(&here)
        )));
    }
    let reports: Vec<_> = arguments
        .merge
        .iter()
        .map(|file| normalize(&project.folder.join(file)))
        .collect();
    let all = match first.run.scope {
        Scope::Full => Selection::everything(&project.workspace),
        _ => selection(
            project,
            pocs,
            &reports,
            arguments.base.as_deref(),
            &TestNames::new(),
        )?,
    };
    if digest(&project.workspace, &all) != first.run.selection {
        return Err(exit::usage(
            "the shards selected other tests than are selected here, on the same commit: files that are not committed differ. \
             Begin again from a clean checkout, and write reports where git ignores them (target/)",
        ));
    }
    Ok(())
}
