//! Prints the result of a collection and of an audit, for people and as version 1 of `affected --audit --format json`.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::json::VERSION;
use crate::affected::coverage::audit::Audit;
use crate::affected::coverage::collect::Collected;
use crate::affected::coverage::store::Store;
use crate::affected::{TestTargetKind, all_targets};
use crate::sys::terminal::{BAD, BOLD, DIM, GOOD, Terminal};
use crate::sys::text::counted;
use crate::workspace::Workspace;

/// The maximum number of misses for people.
const SHOWN: usize = 40;

/// The result of a collection: its size, its duration, and the tests without coverage, with the reason.
///
/// # Errors
/// When the output cannot be written.
pub fn collected(
    terminal: &mut Terminal,
    workspace: &Workspace,
    collected: &Collected,
    took: Duration,
) -> Result<()> {
    let store = &collected.store;
    let observed = store.with_coverage().count();
    let mut ran: Vec<bool> = vec![false; store.items.len()];
    for (_, items) in store.with_coverage() {
        for item in items {
            ran[*item as usize] = true;
        }
    }
    let functions = ran.iter().filter(|ran| **ran).count();
    terminal.status(
        "Observed",
        format!(
            "{observed} of {} in {:.1} s: {functions} of {} ran",
            counted(store.tests.len(), "test"),
            took.as_secs_f64(),
            counted(store.items.len(), "instrumented item"),
        ),
    )?;
    if collected.before > 0 {
        terminal.status(
            "Kept",
            format!(
                "{} from an interrupted run, on the same files",
                counted(collected.before, "test")
            ),
        )?;
    }
    if let Some(why) = &collected.untraced {
        terminal.status(
            "Untraced",
            format!("the files that tests read are not recorded, and are selected from the sources: {why}"),
        )?;
    }
    if collected.kept > 0 {
        let kept = counted(collected.kept, "test");
        terminal.status(
            "Kept",
            format!("{kept} from the earlier collection, which no change since can affect"),
        )?;
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for why in store
        .tests
        .iter()
        .filter_map(|test| test.ran.as_ref().err())
    {
        *reasons.entry(why).or_default() += 1;
    }
    let targets = all_targets(workspace);
    let doc = targets
        .iter()
        .filter(|target| target.kind == TestTargetKind::Doc)
        .count();
    let mut left: Vec<String> = reasons
        .iter()
        .map(|(why, count)| format!("{}: {why}", counted(*count, "test")))
        .collect();
    left.extend((doc > 0).then(|| {
        format!(
            "the documentation tests of {}: nextest does not run them",
            counted(doc, "library crate")
        )
    }));
    left.extend(
        store
            .unlisted
            .iter()
            .map(|binary| format!("{binary}: its custom harness does not list its tests")),
    );
    for line in left {
        terminal.status("Unobserved", line)?;
    }
    let path = Store::path(&workspace.target_directory, &store.built_with);
    terminal.status(
        "Kept",
        format!(
            "in {}; profiles took at most {} per test while it ran",
            workspace.slashed(&path),
            megabytes(collected.largest)
        ),
    )
}

fn megabytes(bytes: u64) -> String {
    let megabytes = f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0;
    format!("{megabytes:.1} MB")
}

/// Prints the result of an audit for people.
///
/// # Errors
/// When the output cannot be written.
pub fn audit(terminal: &mut Terminal, audit: &Audit, took: Duration) -> Result<()> {
    for miss in audit.misses.iter().take(SHOWN) {
        let (binary, test) = &miss.example;
        writeln!(
            terminal.out(),
            "{BAD}missed{BAD:#} {BOLD}{}{BOLD:#} at {}:{}, run by {} that would not be selected, such as {binary} {test}",
            miss.item,
            miss.file,
            miss.line,
            counted(miss.tests, "test"),
        )?;
        for line in &miss.broken {
            writeln!(terminal.out(), "{DIM}  {line}{DIM:#}")?;
        }
    }
    if audit.misses.len() > SHOWN {
        let more = audit.misses.len() - SHOWN;
        writeln!(
            terminal.out(),
            "… and {more} more; --format json has them all"
        )?;
    }
    for (binary, test) in audit.unknown_tests.iter().take(SHOWN) {
        writeln!(
            terminal.out(),
            "{BAD}unknown test{BAD:#} {binary} {test}: no test in the sources has this name"
        )?;
    }
    if audit.unknown_tests.len() > SHOWN {
        writeln!(
            terminal.out(),
            "… and {} more",
            audit.unknown_tests.len() - SHOWN
        )?;
    }
    for (file, count) in &audit.unknown_items {
        writeln!(
            terminal.out(),
            "{BAD}unknown{BAD:#} {} that ran in {file}: the graph has no such item",
            counted(*count, "item")
        )?;
    }
    let style = if audit.is_clean() { GOOD } else { BAD };
    writeln!(
        terminal.out(),
        "{style}{} missed{style:#} of {} pairs of a function and a test that ran it; {} functions, {} of {} tests observed, {:.2} s",
        audit.missed,
        audit.pairs,
        audit.functions,
        audit.covered,
        audit.tests,
        took.as_secs_f64(),
    )?;
    let shares = audit.shares;
    writeln!(
        terminal.out(),
        "for a change of one function body, on average: {:.1} % of tests selected from sources, {:.1} % with coverage; \
         {:.1} % executed it",
        100.0 * shares.graph,
        100.0 * shares.with_coverage,
        100.0 * shares.ran,
    )?;
    Ok(())
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    tests: usize,
    observed: usize,
    unobserved: &'a BTreeMap<String, usize>,
    functions: usize,
    pairs: u64,
    missed: u64,
    misses: Vec<WrittenMiss<'a>>,
    unknown_tests: Vec<WrittenTest<'a>>,
    unknown_items: &'a BTreeMap<String, usize>,
    shares: WrittenShares,
    seconds: f64,
}

#[derive(Serialize)]
struct WrittenMiss<'a> {
    item: &'a str,
    file: &'a str,
    line: u32,
    tests: usize,
    example: WrittenTest<'a>,
    broken: &'a [String],
}

#[derive(Serialize)]
struct WrittenTest<'a> {
    binary: &'a str,
    test: &'a str,
}

#[derive(Serialize)]
struct WrittenShares {
    graph: f64,
    observed: f64,
    ran: f64,
}

/// Prints the result of an audit as JSON.
///
/// # Errors
/// When the output cannot be written.
pub fn audit_json(terminal: &mut Terminal, audit: &Audit, took: Duration) -> Result<()> {
    let written = Written {
        version: VERSION,
        tests: audit.tests,
        observed: audit.covered,
        unobserved: &audit.without_coverage,
        functions: audit.functions,
        pairs: audit.pairs,
        missed: audit.missed,
        misses: audit
            .misses
            .iter()
            .map(|miss| WrittenMiss {
                item: &miss.item,
                file: &miss.file,
                line: miss.line,
                tests: miss.tests,
                example: WrittenTest {
                    binary: &miss.example.0,
                    test: &miss.example.1,
                },
                broken: &miss.broken,
            })
            .collect(),
        unknown_tests: audit
            .unknown_tests
            .iter()
            .map(|(binary, test)| WrittenTest { binary, test })
            .collect(),
        unknown_items: &audit.unknown_items,
        shares: WrittenShares {
            graph: audit.shares.graph,
            observed: audit.shares.with_coverage,
            ran: audit.shares.ran,
        },
        seconds: took.as_secs_f64(),
    };
    serde_json::to_writer_pretty(&mut *terminal.out(), &written).context("failed to write JSON")?;
    writeln!(terminal.out())?;
    Ok(())
}
