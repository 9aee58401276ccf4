//! Test filters that match nothing: the test that should prove a step was never written, or has another name.
//!
//! Only claimed steps and steps with evidence are checked, because before that, tests may be unwritten. A macro, a build
//! script or a harness can generate a test whose name is in no source, but the parts of the name are. So a filter is
//! reported only if one of its words is in no file, and in no file name, of the packages and the members they link.

use std::collections::BTreeSet;

use camino::Utf8Path;
use rayon::prelude::*;

use super::context::{Check, LintContext};
use crate::affected::items::{TestPattern, Uncached};
use crate::affected::{TestTarget, source_tests};
use crate::document::Block;
use crate::document::plan::Action;
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::script::calls::Call;
use crate::script::simple_commands::Command;
use crate::status::State;
use crate::sys::files;
use crate::workspace::{PackageId, Workspace};

pub(super) const CHECKS: &[Check] = &[(&[UNMET_FILTER], unmet_filter)];

/// Shorter words are in almost every source.
const SHORTEST: usize = 3;
/// Longer files are data that test names do not come from, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

fn unmet_filter(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(workspace) = cx.context.workspace else {
        return;
    };
    for block in judged(cx) {
        let commands = cx.commands_of(block);
        // Another workspace has other packages.
        let moves = |command: &Command| matches!(command.program(), "cd" | "pushd");
        if commands.iter().any(moves) {
            continue;
        }
        for command in commands {
            let Some(call) = filtered(command) else {
                continue;
            };
            if let Some(missing) = missing(cx, workspace, &call) {
                found.push(finding(cx, command, &call.filters, &missing));
            }
        }
    }
}

pub(crate) const UNMET_FILTER: Code = Code::new(&Rule {
    code: "POC089",
    name: "unmet-filter",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a test filter matches no source",
    page: r"
A step is claimed or was proven, and its command filters tests by a name that contains a word found in no file of the tested
packages or the members they link. The test was not written or has another name, so `cargo test` runs nothing and passes. Filters
of unclaimed steps, of plans with files still to create, and of tests whose names come from macros or custom harnesses are not
checked.

```bash
cargo test -p store evicts_oldest
```
",
});

fn finding(
    cx: &LintContext<'_>,
    command: &Command,
    filters: &[&str],
    missing: &[String],
) -> Finding {
    let all = filters.join("`, `");
    let words = missing.join("`, `");
    let message = format!("no test can match `{all}`: no source contains `{words}`");
    let help = "write the test, or correct its name in the command";
    cx.command(UNMET_FILTER, command, message)
        .about(all)
        .help(help)
}

/// Shell blocks of claimed steps, and of proven steps whose evidence is stale or failed.
fn judged<'s>(cx: &'s LintContext<'_>) -> impl Iterator<Item = &'s Block> {
    let steps = cx.plan.steps.iter().zip(&cx.status.steps);
    let said = steps.filter(|(_, status)| matches!(status.state, State::Claimed | State::Stale));
    let done = cx.claims_complete() && cx.status.state != State::Proven;
    said.flat_map(|(step, _)| &step.verification)
        .chain(cx.plan.done.iter().filter(move |_| done))
        .filter(|block| block.is_shell())
}

/// A call with name filters; `None` if there are none, or if a word of the command is not understood.
fn filtered(command: &Command) -> Option<Call<'_>> {
    let call = Call::of(command)?;
    let plain = |filter: &&str| {
        let mut letters = filter.chars();
        letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':'))
    };
    let documentation = call.targets.iter().any(|(kind, _)| *kind == "--doc");
    let judged = !call.filters.is_empty() && !documentation && call.filters.iter().all(plain);
    judged.then_some(call)
}

/// Words that are in no source, at least one of each filter; `None` if a test may match a filter.
fn missing(cx: &LintContext<'_>, workspace: &Workspace, call: &Call<'_>) -> Option<Vec<String>> {
    let filters = &call.filters;
    let mut packages: BTreeSet<PackageId> = BTreeSet::new();
    for name in &call.packages {
        // A name of no member, or of several, is reported by another rule.
        packages.insert(workspace.find(name).ok()?);
    }
    if packages.is_empty() {
        packages = (0..workspace.packages.len()).collect();
    }
    if waits_for_file(cx, workspace, &packages) {
        return None;
    }
    let words: Vec<Vec<String>> = filters.iter().map(|filter| words(filter)).collect();
    let mut all: BTreeSet<&str> = words.iter().flatten().map(String::as_str).collect();
    for package in workspace.links(&packages) {
        all = absent(workspace.folder(package), all)?;
        let may_be_met =
            |words: &Vec<String>| !words.iter().any(|word| all.contains(word.as_str()));
        if words.iter().any(may_be_met) {
            return None;
        }
    }
    sources_contain_all(workspace, &packages, filters)
        .then(|| all.into_iter().map(str::to_owned).collect())
}

fn words(filter: &str) -> Vec<String> {
    let words = filter
        .split(['_', ':'])
        .filter(|word| word.len() >= SHORTEST);
    words.map(str::to_ascii_lowercase).collect()
}

/// Whether the plan creates a file in these packages that does not exist yet.
fn waits_for_file(
    cx: &LintContext<'_>,
    workspace: &Workspace,
    packages: &BTreeSet<PackageId>,
) -> bool {
    cx.plan.files.iter().any(|row| {
        let made = match &row.action {
            Action::Create | Action::Unknown(_) => &row.path,
            Action::Rename(to) => to,
            _ => return false,
        };
        let path = workspace.root.join(made);
        let inside = workspace
            .owner(&path)
            .is_none_or(|owner| packages.contains(&owner));
        inside && !path.exists()
    })
}

/// The words that are in no file of `folder` and in no file name; `None` if a file cannot be read. Plans and other prose name
/// tests but define none, so they are skipped.
fn absent<'w>(folder: &Utf8Path, words: BTreeSet<&'w str>) -> Option<BTreeSet<&'w str>> {
    let paths = files::walk(folder).ok()?;
    let prose = |path: &Utf8Path| matches!(path.extension(), Some("md" | "html"));
    let held: Option<Vec<BTreeSet<&str>>> = paths
        .par_iter()
        .filter(|path| !prose(path))
        .map(|path| {
            let name = path
                .strip_prefix(folder)
                .unwrap_or(path)
                .as_str()
                .to_ascii_lowercase();
            let length = path.metadata().map_or(0, |metadata| metadata.len());
            let mut text = name.into_bytes();
            if length <= LONGEST as u64 {
                text.extend(files::read_if_exists(path).ok()?.unwrap_or_default());
                text.make_ascii_lowercase();
            }
            let holds = |word: &&&str| memchr::memmem::find(&text, word.as_bytes()).is_some();
            Some(words.iter().filter(holds).copied().collect())
        })
        .collect();
    let held: BTreeSet<&str> = held?.into_iter().flatten().collect();
    Some(
        words
            .into_iter()
            .filter(|word| !held.contains(word))
            .collect(),
    )
}

/// Whether the sources contain every test of these packages, and none that a filter matches.
fn sources_contain_all(
    workspace: &Workspace,
    packages: &BTreeSet<PackageId>,
    filters: &[&str],
) -> bool {
    let wanted = |target: &TestTarget| packages.contains(&target.package);
    let Ok(tests) = source_tests(workspace, &Uncached, &wanted) else {
        return false;
    };
    let met = |name: &str| filters.iter().any(|filter| name.contains(filter));
    let mut tests = tests.values().flatten();
    tests.all(|test| matches!(&test.name, TestPattern::Exact(name) if !met(name)))
}
