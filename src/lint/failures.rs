//! Failures of a run as findings, each with its position: in the source of a test, or at a command of the plan.
//!
//! Input: the records of a run, one for each PoC. Output: findings with the codes that `status` uses.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::contract::UNCONFIRMED_RUN;
use super::evidence::{FAILED_RUN, REGRESSION};
use crate::affected::items::TestPattern;
use crate::affected::{SourceTest, TestTarget, TestTargetKind, every_target, source_tests_in};
use crate::document::Plan;
use crate::evidence::{Check, Outcome, Record, Scope};
use crate::finding::{Code, Finding};
use crate::project::Project;
use crate::verify::recording::first_line;
use crate::verify::{self, Program, Report};
use crate::workspace::Workspace;

/// The run and its records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The scope of the run.
    pub scope: &'a Scope,
    /// One record for each PoC, or a single one. All have the same checks.
    pub records: &'a [&'a Record],
    /// The commands in the order in which they ran.
    pub checks: &'a [Check],
    /// The run itself; `None` if shards ran elsewhere.
    pub ran: Option<&'a Report>,
    /// The plan with the commands of the run, and its path relative to the workspace root.
    pub plan: Option<(&'a str, &'a Plan)>,
}

/// Tests that failed or are missing, commands that failed, and pending confirmations, sorted by path, line and code.
#[must_use]
pub(crate) fn of(project: &Project, seen: Seen<'_>) -> Vec<Finding> {
    let workspace = &project.workspace;
    let mut findings = tests(seen, &Places::of(project, seen));
    findings.extend(commands(workspace, seen));
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.path.clone(), finding.line, finding.code);
        key(one).cmp(&key(other))
    });
    findings
}

fn tests(seen: Seen<'_>, places: &Places<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (binary, test) in seen
        .records
        .first()
        .into_iter()
        .flat_map(|record| all(&record.failing))
    {
        let worse = |record: &&&Record| holds(&record.regressions, binary, test);
        let by: Vec<&str> = named(seen.records.iter().filter(worse));
        let (code, message) = if by.is_empty() {
            (FAILED_RUN, format!("the test `{test}` of {binary} failed"))
        } else {
            let message = format!(
                "the test `{test}` of {binary} failed, but passed in the baseline {}",
                of_pocs(&by)
            );
            (REGRESSION, message)
        };
        findings.push(places.finding(code, binary, test, message));
    }
    let mut gone: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for record in seen.records {
        for test in all(&record.missing) {
            gone.entry(test).or_default().push(&record.poc);
        }
    }
    for ((binary, test), by) in gone {
        let message = format!(
            "the test `{test}` of {binary} is missing or ignored, but passed in the baseline {}",
            of_pocs(&by)
        );
        findings.push(places.finding(REGRESSION, binary, test, message));
    }
    findings
}

fn all(tests: &BTreeMap<String, Vec<String>>) -> impl Iterator<Item = (&str, &str)> {
    let binaries = tests.iter();
    binaries.flat_map(|(binary, tests)| {
        tests
            .iter()
            .map(move |test| (binary.as_str(), test.as_str()))
    })
}

fn holds(tests: &BTreeMap<String, Vec<String>>, binary: &str, test: &str) -> bool {
    tests
        .get(binary)
        .is_some_and(|tests| tests.iter().any(|known| known == test))
}

fn named<'r>(records: impl Iterator<Item = &'r &'r Record>) -> Vec<&'r str> {
    records.map(|record| record.poc.as_str()).collect()
}

fn of_pocs(names: &[&str]) -> String {
    format!("of {}", names.join(", "))
}

/// Commands that did not pass, unless a failed test already reports it.
fn commands(workspace: &Workspace, seen: Seen<'_>) -> Vec<Finding> {
    let Some(record) = seen.records.first() else {
        return Vec::new();
    };
    let manifest = workspace.slashed(&workspace.root.join("Cargo.toml"));
    let place = |index: usize| seen.line(index).unwrap_or_else(|| (manifest.clone(), 1));
    let mut findings = Vec::new();
    for (index, check) in seen.checks.iter().enumerate() {
        let command = first_line(&check.command);
        let failed_tests = check.tests.is_some_and(|tests| tests.failed > 0);
        let (path, line) = place(index);
        let (code, message) = match check.outcome {
            Outcome::Passed => continue,
            Outcome::Failed
                if failed_tests && check.unmet.is_empty() && !record.failing.is_empty() =>
            {
                continue;
            }
            Outcome::Unconfirmed => (
                UNCONFIRMED_RUN,
                format!(
                    "`{command}` needs a confirmation by a person: {}",
                    check.expected.join("; ").replace('\n', " ")
                ),
            ),
            Outcome::Failed => (
                FAILED_RUN,
                format!("`{command}` failed, {}", seen.why(index, check)),
            ),
            outcome => (FAILED_RUN, format!("`{command}`: {outcome}")),
        };
        findings.push(Finding::new(code, path, line, message).about(check.command.clone()));
    }
    if findings.is_empty() && record.outcome == Outcome::NoTests {
        let (path, line) = place(0);
        findings.push(Finding::new(
            FAILED_RUN,
            path,
            line,
            "no test ran; a run without tests proves nothing",
        ));
    }
    findings
}

impl Seen<'_> {
    /// The line of the plan with the command of this index.
    fn line(&self, index: usize) -> Option<(String, usize)> {
        let (path, plan) = self.plan?;
        let checked = self.ran?.checked.get(index)?;
        let Program::Command(command) = &checked.check.program else {
            return None;
        };
        let blocks = verify::blocks(plan, self.scope);
        let block = blocks.get(command.block)?;
        Some((path.to_owned(), block.line + 1 + command.lines.start))
    }

    /// Why a command failed.
    fn why(&self, index: usize, check: &Check) -> String {
        let checked = self.ran.and_then(|ran| ran.checked.get(index));
        let errors = checked.map(|checked| &checked.observed.compile_errors[..]);
        let mut reasons: Vec<&str> = check.unmet.iter().map(String::as_str).collect();
        reasons.extend(errors.into_iter().flatten().map(String::as_str));
        if reasons.is_empty() {
            format!("exit status {}", check.exit)
        } else {
            reasons.join("; ")
        }
    }
}

/// The positions of tests.
struct Places<'w> {
    workspace: &'w Workspace,
    targets: BTreeMap<String, TestTarget>,
    /// The tests in the sources of these targets.
    tests: BTreeMap<TestTarget, Vec<SourceTest>>,
}

impl<'w> Places<'w> {
    /// The positions of the tests that the records name.
    fn of(project: &'w Project, seen: Seen<'_>) -> Self {
        let workspace = &project.workspace;
        let named = seen.records.iter();
        let named = named.flat_map(|record| record.failing.keys().chain(record.missing.keys()));
        let named: BTreeSet<&String> = named.collect();
        let targets = every_target(workspace).into_iter();
        let targets = targets.map(|target| (target.binary_id(workspace), target));
        let targets: BTreeMap<String, TestTarget> =
            targets.filter(|(id, _)| named.contains(id)).collect();
        let wanted: BTreeSet<&TestTarget> = targets.values().collect();
        let tests = if wanted.is_empty() {
            BTreeMap::new()
        } else {
            // Without readable sources, a finding is at the root file of its target.
            source_tests_in(project, &|target| wanted.contains(target)).unwrap_or_default()
        };
        Self {
            workspace,
            targets,
            tests,
        }
    }

    fn finding(&self, code: Code, binary: &str, test: &str, message: String) -> Finding {
        let (file, line) = self.place(binary, test);
        let path = self.workspace.slashed(&file);
        Finding::new(code, path, line, message).about(format!("{binary} {test}"))
    }

    /// The function of the test; if no source contains it, the first line of the target's root file or of the root manifest.
    fn place(&self, binary: &str, test: &str) -> (Utf8PathBuf, usize) {
        let workspace = self.workspace;
        let Some(target) = self.targets.get(binary) else {
            return (workspace.root.join("Cargo.toml"), 1);
        };
        let folder = workspace.folder(target.package);
        let root = target.described(workspace).map_or_else(
            || folder.join("Cargo.toml"),
            |target| target.src_path.clone(),
        );
        if target.kind == TestTargetKind::Doc {
            return documented(&[&workspace.root, folder], test).unwrap_or((root, 1));
        }
        let known = self.tests.get(target).into_iter().flatten();
        let known = known.filter(|known| known.line > 0);
        let is_it =
            |known: &&SourceTest| matches!(&known.name, TestPattern::Exact(name) if name == test);
        let is_start = |known: &&SourceTest| matches!(&known.name, TestPattern::Prefix(start) if test.starts_with(start));
        let found = known.clone().find(is_it);
        let found = found.or_else(|| known.clone().find(is_start));
        found.map_or((root, 1), |found| (found.file.clone(), found.line as usize))
    }
}

/// The position of a documentation test that rustdoc calls `src/lib.rs - answer (line 5)`, in one of these folders.
fn documented(folders: &[&Utf8Path], test: &str) -> Option<(Utf8PathBuf, usize)> {
    let (file, rest) = test.split_once(" - ")?;
    let (_, line) = rest.rsplit_once("(line ")?;
    let line = line.split(')').next()?.parse().ok()?;
    let mut files = folders.iter().map(|folder| folder.join(file));
    Some((files.find(|file| file.is_file())?, line))
}
