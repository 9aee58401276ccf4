//! `verify --shadow`: also runs the tests that are not selected, and reports those that fail.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::evidence::{Names, Selected, Source};
use crate::project::Project;
use crate::report::run::Shadow;
use crate::sys::cargo::own_folder;
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::verify::Report;
use crate::verify::binaries::Binaries;
use crate::verify::test_output::Verdict;

/// One run in the ledger.
#[derive(Debug, Serialize, Deserialize)]
struct LedgerRun {
    commit: Option<String>,
    dirty: Option<bool>,
    selected: u64,
    total: u64,
    failing: usize,
    escapes: Names,
    selected_seconds: f64,
    other_seconds: f64,
}

/// Splits a run into its first invocations, which ran the selected tests, and all others.
pub(super) fn split(report: &Report, selected: usize, binaries: &Binaries<'_>) -> Shadow {
    let (ours, others) = report.checked.split_at(selected.min(report.checked.len()));
    let part = |checked: &[_]| Report {
        checked: checked.to_vec(),
        ..Report::default()
    };
    let (ours, others) = (part(ours), part(others));
    let duration = |report: &Report| report.checked.iter().map(|one| one.duration).sum();
    let is_failed = |verdict: &Verdict| *verdict == Verdict::Failed;
    let ran = ours.verdicts(binaries);
    let mut escapes = Names::new();
    for (binary, tests) in others.verdicts(binaries) {
        let known = ran.get(&binary);
        let failed = tests.into_iter().filter(|(name, verdict)| {
            is_failed(verdict) && known.is_none_or(|known| !known.contains_key(name))
        });
        let names: BTreeSet<String> = failed.map(|(name, _)| name).collect();
        if !names.is_empty() {
            escapes.insert(binary, names);
        }
    }
    let failed = ran.values().flat_map(|tests| tests.values());
    let failed = failed.filter(|verdict| is_failed(verdict)).count();
    Shadow {
        failing: failed + count(&escapes),
        escapes,
        selected: duration(&ours),
        others: duration(&others),
    }
}

fn count(tests: &Names) -> usize {
    tests.values().map(BTreeSet::len).sum()
}

/// Prints the result, and adds it to the ledger in the target folder.
///
/// # Errors
/// When the ledger is damaged or cannot be written.
pub(super) fn report(
    project: &Project,
    shadow: &Shadow,
    selection: Selected,
    source: &Source,
    terminal: &mut Terminal,
) -> Result<()> {
    for (binary, tests) in &shadow.escapes {
        for test in tests {
            writeln!(terminal.out(), "escaped {binary} {test}")?;
        }
    }
    writeln!(
        terminal.out(),
        "{}; selected tests {}, other tests {}",
        rate(count(&shadow.escapes), shadow.failing),
        seconds(shadow.selected.as_secs_f64()),
        seconds(shadow.others.as_secs_f64()),
    )?;
    let path = own_folder(&project.workspace.target_directory).join("shadow.jsonl");
    let run = LedgerRun {
        commit: source.commit.clone(),
        dirty: source.dirty,
        selected: selection.selected,
        total: selection.total,
        failing: shadow.failing,
        escapes: shadow.escapes.clone(),
        selected_seconds: shadow.selected.as_secs_f64(),
        other_seconds: shadow.others.as_secs_f64(),
    };
    let line = serde_json::to_string(&run)? + "\n";
    files::create_folder(&own_folder(&project.workspace.target_directory))?;
    files::append(&path, line.as_bytes())?;
    let text = files::read(&path)?;
    let runs = String::from_utf8_lossy(&text);
    let runs: Vec<LedgerRun> = runs
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{path} is damaged; remove it"))?;
    let sum = |of: fn(&LedgerRun) -> usize| runs.iter().map(of).sum::<usize>();
    let others: f64 = runs.iter().map(|run| run.other_seconds).sum();
    terminal.status(
        "Ledger",
        format!(
            "{}: {}; other tests {}",
            counted(runs.len(), "run"),
            rate(sum(|run| count(&run.escapes)), sum(|run| run.failing)),
            seconds(others)
        ),
    )
}

fn rate(escapes: usize, failing: usize) -> String {
    format!("escapes: {escapes} of {}", counted(failing, "failing test"))
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}
