//! `cargo poc affected --culprit TEST --good REF`: the commits that can have broken a test.
//!
//! Each commit since REF is checked out in a copy of the repository, and the tests that it can affect are selected as for any change. A
//! commit whose selection lacks the test cannot have broken it, so only the others are left to bisect.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use camino::Utf8Path;
use serde_json::json;

use super::history::{History, Test};
use crate::affected::{self, TestSelector};
use crate::change::Change;
use crate::cli::{Affected, AffectedFormat, Global};
use crate::config::Options;
use crate::exit::{self, Exit, OrExit as _};
use crate::project::Project;
use crate::sys::files;
use crate::sys::git::copy::Commit;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::workspace::Workspace;

/// A commit that can have broken the test.
struct Candidate<'c> {
    commit: &'c Commit,
    /// The last commit before the next candidate, in which the test ends as in this one.
    last: &'c Commit,
    /// Why nothing is known about it.
    unknown: Option<String>,
}

/// How the test ended on a commit.
enum Outcome {
    Passed,
    Failed,
    /// It did not run.
    Skipped,
}

/// Lists the commits since `good` that can affect the test; with `--run`, finds the first one in which it fails.
///
/// # Errors
/// A usage error: another format, an unknown test, a commit that is not in the first-parent history of HEAD. git fails, or the
/// culprit is not known.
pub(super) fn run(
    project: &Project,
    global: &Global,
    command: &Affected,
    (test, good): (&str, &str),
    terminal: &mut Terminal,
) -> Result<Exit> {
    if command.format != AffectedFormat::Human {
        return Err(exit::usage("--culprit supports only `--format human`"));
    }
    let test = Test::find(&project.workspace, test)?;
    let repository = project.repository()?;
    let start = repository.commit(good)?;
    let commits = repository
        .first_parents_since(&start)
        .or_exit(Exit::Usage)?;
    let history = History::open(project, &repository, "culprit", command.runner)?;
    history.check_out(&start)?;
    if !test.exists_in(&history.project(global.options())?.workspace) {
        return Err(exit::usage(format!(
            "{good} has no test {} {}; pass a later commit in which it passes",
            test.binary, test.test
        )));
    }
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let parents = std::iter::once(&start).chain(commits.iter().map(|commit| &commit.id));
    for (commit, parent) in commits.iter().zip(parents) {
        history.check_out(&commit.id)?;
        let affects = test.is_affected_in(&history, global.options(), parent);
        let unknown = match affects {
            Ok(true) => None,
            Err(error) => Some(format!("{error:#}")),
            Ok(false) => {
                if let Some(candidate) = candidates.last_mut() {
                    candidate.last = commit;
                }
                continue;
            }
        };
        candidates.push(Candidate {
            commit,
            last: commit,
            unknown,
        });
    }
    list(&candidates, &commits, &test, terminal)?;
    if candidates.is_empty() {
        let message = format!(
            "no commit since {good} can affect {}; something outside of the repository may have changed, or the test fails in {good} too",
            test.test
        );
        return Err(anyhow!(message)).or_exit(Exit::CouldNotRun);
    }
    if command.run {
        let start = Commit {
            id: start,
            subject: good.to_owned(),
        };
        bisect((&start, &candidates), &history, &test, terminal)
    } else {
        Ok(Exit::Success)
    }
}

impl Test {
    /// The test with this name, or with the id of its binary and this name.
    fn find(workspace: &Workspace, text: &str) -> Result<Self> {
        let (binary, name) = match text.split_once(' ') {
            Some((binary, name)) => (Some(binary), name.trim()),
            None => (None, text),
        };
        let known = affected::tests_of_build(workspace);
        let with = |is_test: &dyn Fn(&TestSelector) -> bool| -> Vec<&str> {
            let known = known.iter().map(|(id, tests)| (id.as_str(), tests));
            let has = |(id, tests): &(&str, &BTreeSet<TestSelector>)| {
                binary.is_none_or(|binary| binary == *id) && tests.iter().any(is_test)
            };
            known.filter(has).map(|(id, _)| id).collect()
        };
        let mut binaries = with(&|test| *test == TestSelector::Exact(name.to_owned()));
        if binaries.is_empty() {
            // A binary whose sources do not contain the names of its tests.
            binaries = with(&|test| test.matches(name));
        }
        match binaries[..] {
            [binary] => Ok(Self {
                binary: binary.to_owned(),
                test: name.to_owned(),
            }),
            [] => Err(exit::usage(format!(
                "no test of the work tree is named `{text}`; write its name as the test runner prints it (documentation tests have no such name)"
            ))),
            _ => Err(exit::usage(format!(
                "several binaries have a test `{name}`; write `{}`",
                binaries
                    .iter()
                    .map(|binary| format!("{binary} {name}"))
                    .collect::<Vec<_>>()
                    .join("` or `")
            ))),
        }
    }

    /// Whether the change of the checked out commit since its parent can affect the test. A commit without the test can.
    fn is_affected_in(
        &self,
        history: &History<'_>,
        options: Options,
        parent: &str,
    ) -> Result<bool> {
        let project = history.project(options)?;
        let change = Change::since(&project.repository()?, parent)?;
        let selection = affected::select_in(&project, &change, true)?;
        let workspace = &project.workspace;
        let is_selected = selection.targets.iter().any(|(target, part)| {
            target.binary_id(workspace) == self.binary && part.runs(&self.test)
        });
        Ok(is_selected || !self.exists_in(workspace))
    }

    fn exists_in(&self, workspace: &Workspace) -> bool {
        let known = affected::tests_of_build(workspace);
        let mut tests = known.get(&self.binary).into_iter().flatten();
        tests.any(|test| test.matches(&self.test))
    }
}

fn list(
    candidates: &[Candidate<'_>],
    commits: &[Commit],
    test: &Test,
    terminal: &mut Terminal,
) -> Result<()> {
    // The first run in which the test passes, or the last in which it fails, may be one of the ends.
    let runs = |count: usize| match count {
        0 => 0,
        1 => 2,
        _ => count.next_power_of_two().ilog2() + 1,
    };
    writeln!(
        terminal.out(),
        "{} of {} can have broken {} {}: at most {} to find it, in place of {}",
        candidates.len(),
        counted(commits.len(), "commit"),
        test.binary,
        test.test,
        counted(runs(candidates.len()) as usize, "run"),
        runs(commits.len()),
    )?;
    for Candidate {
        commit, unknown, ..
    } in candidates
    {
        let why = unknown.as_ref().and_then(|why| why.lines().next());
        let why = why.map(|why| format!(" (not known: {why})"));
        writeln!(
            terminal.out(),
            "  {} {}{}",
            short(&commit.id),
            commit.subject,
            why.unwrap_or_default()
        )?;
    }
    Ok(())
}

/// Runs the test on the candidate in the middle until the first one in which it fails is known. It must have failed there, and passed
/// before: `start` is the commit before all candidates.
fn bisect(
    (start, candidates): (&Commit, &[Candidate<'_>]),
    history: &History<'_>,
    test: &Test,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let report = history.file("test.json");
    let failing = json!({ "failing": [test] });
    files::write_atomic(&report, failing.to_string().as_bytes())?;
    let mut untested: Vec<usize> = (0..candidates.len() - 1).collect();
    let (mut first, mut last) = (0, candidates.len() - 1);
    let (mut has_passed, mut has_failed) = (false, false);
    while !untested.is_empty() {
        let middle = usize::midpoint(first, last);
        let nearest = untested
            .iter()
            .enumerate()
            .min_by_key(|(_, index)| index.abs_diff(middle));
        let Some((at, _)) = nearest else { break };
        let index = untested.remove(at);
        match outcome_of(&candidates[index], history, &report, terminal)? {
            Outcome::Passed => {
                first = index + 1;
                has_passed = true;
            }
            Outcome::Failed => {
                last = index;
                has_failed = true;
            }
            Outcome::Skipped => {}
        }
        untested.retain(|index| (first..last).contains(index));
    }
    if !has_failed {
        let outcome = outcome_of(&candidates[last], history, &report, terminal)?;
        is_as_said(&outcome, false, &candidates[last].last.id)?;
    }
    if !has_passed {
        let outcome = outcome_in(start, history, &report, terminal)?;
        is_as_said(&outcome, true, &start.subject)?;
    }
    let found = &candidates[first..=last];
    for Candidate { commit, .. } in found {
        writeln!(terminal.out(), "culprit {} {}", commit.id, commit.subject)?;
    }
    if let [_] = found {
        return Ok(Exit::Success);
    }
    Err(anyhow!(
        "the test did not run in the other commits, so one of {} is the culprit",
        found.len()
    ))
    .or_exit(Exit::CouldNotRun)
}

/// Whether the test passed in the first commit of the question, or failed in the last one.
///
/// # Errors
/// When it did not, since then no commit between the two broke it.
fn is_as_said(outcome: &Outcome, passes: bool, commit: &str) -> Result<()> {
    let why = match (outcome, passes) {
        (Outcome::Passed, true) | (Outcome::Failed, false) => return Ok(()),
        (Outcome::Failed, true) => "fails",
        (Outcome::Passed, false) => "passes",
        (Outcome::Skipped, _) => "did not run",
    };
    let commit = commit.get(..10).unwrap_or(commit);
    Err(anyhow!(
        "the test {why} in {commit}, so it is not known which commit broke it"
    ))
    .or_exit(Exit::CouldNotRun)
}

fn outcome_of(
    candidate: &Candidate<'_>,
    history: &History<'_>,
    report: &Utf8Path,
    terminal: &mut Terminal,
) -> Result<Outcome> {
    let Candidate { commit, last, .. } = candidate;
    match outcome_in(commit, history, report, terminal)? {
        Outcome::Skipped if last.id != commit.id => outcome_in(last, history, report, terminal),
        outcome => Ok(outcome),
    }
}

fn outcome_in(
    commit: &Commit,
    history: &History<'_>,
    report: &Utf8Path,
    terminal: &mut Terminal,
) -> Result<Outcome> {
    history.check_out(&commit.id)?;
    let run = history.verify(&["--from-report", report.as_str()], terminal)?;
    let mut title = format!("{} {}", short(&commit.id), commit.subject);
    let (word, outcome) = match run {
        Ok(run) if run.is_complete() && run.failing.is_empty() => ("Passed", Outcome::Passed),
        Ok(run) if run.is_complete() => ("Failed", Outcome::Failed),
        other => {
            let why = other.err();
            title.push_str(": ");
            title.push_str(
                why.as_deref()
                    .unwrap_or("the test did not build or did not run"),
            );
            ("Skipped", Outcome::Skipped)
        }
    };
    terminal.status(word, title)?;
    Ok(outcome)
}

fn short(id: &str) -> &str {
    &id[..id.len().min(10)]
}
