//! Prints the selection of `affected` for people.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;

use super::wrapped;
use crate::affected::{Reason, Selection, Step, TargetSelection, TestSelector, TestTarget};
use crate::change::Change;
use crate::sys::terminal::{BOLD, DIM, LITERAL, Terminal};
use crate::sys::text::counted;
use crate::workspace::Workspace;

/// The maximum number of rules in the summary.
const RULES: usize = 3;
/// Why a failed test is selected.
const FAILED: &str = "it failed in its last run";
/// The maximum number of files without affected tests to list without `--explain`.
const UNREAD: usize = 5;

/// Prints the selection by package, or with reasons for everything whose name contains `explain`.
///
/// # Errors
/// When the output cannot be written.
pub fn selection(
    terminal: &mut Terminal,
    workspace: &Workspace,
    change: &Change,
    selection: &Selection,
    benches: bool,
    explain: Option<&str>,
    took: Duration,
) -> Result<()> {
    let base = change
        .base
        .as_deref()
        .map_or("given files".to_owned(), |base| {
            format!("since {}", &base[..base.len().min(12)])
        });
    let share = if benches {
        let targets = selection.total.targets;
        format!("{} of {targets} benches", selection.targets.len())
    } else {
        share(selection)
    };
    let seconds = took.as_secs_f64();
    let by = match change.files.len() {
        0 if selection.is_empty() => {
            format!("can be affected: no file changed {base} ({seconds:.2} s)")
        }
        count => format!(
            "can be affected by {} ({base}{}, {seconds:.2} s)",
            counted(count, "changed file"),
            rules(selection),
        ),
    };
    let by = wrapped(&by, terminal.columns(), share.len() + 1, 4);
    writeln!(terminal.out(), "{BOLD}{share}{BOLD:#} {by}")?;
    match explain {
        None => by_package(terminal, workspace, selection)?,
        Some(text) => explained(terminal, workspace, selection, text)?,
    }
    unread(terminal, selection, explain)
}

/// The rules that selected tests: `, by 2 changed items, the lockfile`.
fn rules(selection: &Selection) -> String {
    let mut rules: Vec<String> = Vec::new();
    if selection.items > 0 {
        rules.push(counted(selection.items, "changed item"));
    }
    let targets = selection.targets.values();
    let failed = targets
        .flat_map(|part| part.tests.values())
        .filter(|reason| **reason == Reason::Failed);
    match failed.count() {
        0 => {}
        failed => rules.push(counted(failed, "failed test")),
    }
    let whole: BTreeSet<&str> = selection
        .targets
        .values()
        .flat_map(|part| &part.whole)
        .map(|reason| match reason {
            Reason::File { rule, .. } => rule.split([',', ';']).next().unwrap_or(rule),
            Reason::Items(_) => "tests that only a run lists",
            Reason::Widened(_) => "code that cannot be analyzed",
            Reason::Failed => "a test failed in its last run",
        })
        .collect();
    rules.extend(whole.into_iter().map(str::to_owned));
    let more = rules.len().saturating_sub(RULES);
    rules.truncate(RULES);
    if more > 0 {
        rules.push(format!("{more} more"));
    }
    if rules.is_empty() {
        String::new()
    } else {
        format!(", by {}", rules.join(", "))
    }
}

/// `5 of 24 tests, in 2 of 9 test targets`.
#[must_use]
pub fn share(selection: &Selection) -> String {
    format!(
        "{} of {}, in {} of {}",
        selection.count(),
        counted(selection.total.tests, "test"),
        selection.targets.len(),
        counted(selection.total.targets, "test target"),
    )
}

fn by_package(terminal: &mut Terminal, workspace: &Workspace, selection: &Selection) -> Result<()> {
    let columns = terminal.columns();
    for package in selection.packages() {
        let targets = selection
            .targets
            .iter()
            .filter(|(target, _)| target.package == package);
        let kinds: Vec<String> = targets
            .map(|(target, part)| of_target(target, part))
            .collect();
        let name = &workspace.packages[package].name;
        let kinds = wrapped(&kinds.join(", "), columns, name.len() + 4, 6);
        writeln!(terminal.out(), "  {LITERAL}{name}{LITERAL:#}  {kinds}")?;
    }
    Ok(())
}

/// `lib`, or `lib 3 of 40` if only some of its tests are selected.
fn of_target(target: &TestTarget, part: &TargetSelection) -> String {
    if part.is_whole() {
        target.kind.to_string()
    } else {
        format!("{} {} of {}", target.kind, part.count(), part.known.len())
    }
}

/// Prints each selected target, test, file and item whose name contains `text`, with its reasons. Tests with the same reason share
/// an entry.
fn explained(
    terminal: &mut Terminal,
    workspace: &Workspace,
    selection: &Selection,
    text: &str,
) -> Result<()> {
    for (target, part) in &selection.targets {
        let name = format!(
            "{} {}",
            workspace.packages[target.package].name, target.kind
        );
        let all = name.contains(text);
        let whole: Vec<&Reason> = part
            .whole
            .iter()
            .filter(|reason| all || is_about(reason, text))
            .collect();
        let tests = part.tests.iter();
        let tests: Vec<(String, &Reason)> = tests
            .map(|(test, reason)| (shown(test), reason))
            .filter(|(test, reason)| all || test.contains(text) || is_about(reason, text))
            .collect();
        if whole.is_empty() && tests.is_empty() {
            continue;
        }
        writeln!(terminal.out(), "  {LITERAL}{name}{LITERAL:#}")?;
        for reason in whole {
            writeln!(terminal.out(), "    {}", reason_line(workspace, reason))?;
        }
        for (reason, names) in together(&tests) {
            let more = match names.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            writeln!(terminal.out(), "    {}{more}", names[0])?;
            match reason {
                Reason::Items(steps) => chain(terminal, steps)?,
                other => writeln!(terminal.out(), "      {}", reason_line(workspace, other))?,
            }
        }
    }
    Ok(())
}

/// Groups tests by their path to the change, without the tests themselves.
fn together<'r>(tests: &[(String, &'r Reason)]) -> Vec<(&'r Reason, Vec<String>)> {
    let mut groups: BTreeMap<Option<&[Step]>, usize> = BTreeMap::new();
    let mut found: Vec<(&Reason, Vec<String>)> = Vec::new();
    for (name, reason) in tests {
        let way = match reason {
            Reason::Items(steps) if steps.len() > 1 => Some(&steps[1..]),
            _ => None,
        };
        let known = way.and_then(|way| groups.get(&Some(way)));
        if let Some(index) = known {
            found[*index].1.push(name.clone());
        } else {
            groups.insert(way, found.len());
            found.push((*reason, vec![name.clone()]));
        }
    }
    found
}

fn chain(terminal: &mut Terminal, steps: &[Step]) -> Result<()> {
    let links = terminal.links();
    for (index, step) in steps.iter().enumerate() {
        let arrow = if index == 0 { " " } else { "→" };
        let place = step.place.as_ref();
        let place = place.map_or_else(String::new, |(file, line)| {
            let shown = format!("{file}:{line}");
            format!("  {}", links.to(&shown, file, *line as usize))
        });
        writeln!(
            terminal.out(),
            "      {arrow} {}{DIM}{place}{DIM:#}",
            step.name
        )?;
    }
    Ok(())
}

fn is_about(reason: &Reason, text: &str) -> bool {
    match reason {
        Reason::File { file, .. } => file.contains(text),
        Reason::Widened(why) => why.contains(text),
        Reason::Failed => FAILED.contains(text),
        Reason::Items(steps) => steps.iter().any(|step| {
            let place = step.place.as_ref();
            step.name.contains(text) || place.is_some_and(|(file, _)| file.contains(text))
        }),
    }
}

fn shown(name: &TestSelector) -> String {
    match name {
        TestSelector::Exact(name) | TestSelector::Doc(name) => name.clone(),
        TestSelector::Prefix(start) => format!("{start}*"),
        TestSelector::Unnamed => "tests that generated code may define".to_owned(),
    }
}

fn unread(terminal: &mut Terminal, selection: &Selection, explain: Option<&str>) -> Result<()> {
    let unread: Vec<&(String, String)> = selection
        .without_effect
        .iter()
        .filter(|(file, _)| explain.is_none_or(|text| file.contains(text)))
        .collect();
    let shown = if explain.is_some() {
        unread.len()
    } else {
        UNREAD
    };
    for (file, why) in unread.iter().take(shown) {
        let line = format!("{file}: no test ({why})");
        let line = wrapped(&line, terminal.columns(), 2, 6);
        writeln!(terminal.out(), "  {DIM}{line}{DIM:#}")?;
    }
    if unread.len() > shown {
        let more = unread.len() - shown;
        writeln!(
            terminal.out(),
            "  {DIM}and {more} more files that affect no test; --explain lists them{DIM:#}"
        )?;
    }
    Ok(())
}

/// `src/a.rs (source of the package) and 2 more → core → app`, or the items from a test to a changed one.
#[must_use]
pub fn reason_line(workspace: &Workspace, reason: &Reason) -> String {
    match reason {
        Reason::File {
            file,
            more,
            rule,
            chain,
        } => {
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = chain.iter();
            let names: Vec<&str> = names
                .map(|package| workspace.packages[*package].name.as_str())
                .collect();
            format!("{file}{more} ({rule}) → {}", names.join(" → "))
        }
        Reason::Items(steps) => {
            let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
            names.join(" → ")
        }
        Reason::Widened(why) => why.clone(),
        Reason::Failed => FAILED.to_owned(),
    }
}
