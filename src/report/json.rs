//! For programs: version 1 of the formats in `docs/json.md`. These structs are the contract, never the internal types.

mod run;

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

pub use self::run::run;
use super::PocStatus;
use super::human::affected::reason_line;
use crate::affected::{Selection, TargetSelection, TestSelector, TestTarget, TestTargetKind};
use crate::change::Change;
use crate::contract::{ContractState, Difference, How, Kind};
use crate::evidence::TestCounts;
use crate::exit;
use crate::finding::{Finding, Severity};
use crate::next::Next;
use crate::status::{DependencyStatus, FileStatus, State, Summary, Ticks};
use crate::sys::terminal::Terminal;
use crate::workspace::Workspace;

/// The version of every format here.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Affected<'a> {
    version: u32,
    base: Option<&'a str>,
    total: usize,
    selected: usize,
    tests: Vec<AffectedTest<'a>>,
    doctests: Vec<AffectedTest<'a>>,
    seconds: f64,
}

#[derive(Serialize)]
struct AffectedTest<'a> {
    package: &'a str,
    binary: String,
    test: &'a str,
    reasons: Vec<String>,
}

/// `affected --format json`: counts are tests that the sources tell of; `test` is `*` for all of a target, or where no
/// source tells the name.
///
/// # Errors
/// When the output cannot be written.
pub fn affected(
    terminal: &mut Terminal,
    workspace: &Workspace,
    change: &Change,
    selection: &Selection,
    took: Duration,
) -> Result<()> {
    let tests = |doc: bool| {
        let targets = selection
            .targets
            .iter()
            .filter(|(target, _)| (target.kind == TestTargetKind::Doc) == doc);
        targets
            .flat_map(|(target, part)| tests_of(workspace, target, part))
            .collect()
    };
    let report = Affected {
        version: VERSION,
        base: change.base.as_deref(),
        total: selection.total.tests,
        selected: selection.count(),
        tests: tests(false),
        doctests: tests(true),
        seconds: took.as_secs_f64(),
    };
    print(terminal, &report)
}

/// A target that is selected whole, or each of its selected tests.
fn tests_of<'a>(
    workspace: &'a Workspace,
    target: &TestTarget,
    part: &'a TargetSelection,
) -> Vec<AffectedTest<'a>> {
    let test = |test: &'a str, reasons: Vec<String>| AffectedTest {
        package: &workspace.packages[target.package].name,
        binary: target.binary_id(workspace),
        test,
        reasons,
    };
    if !part.whole.is_empty() {
        let reasons = part.whole.iter();
        return vec![test(
            "*",
            reasons
                .map(|reason| reason_line(workspace, reason))
                .collect(),
        )];
    }
    let tests = part.tests.iter();
    tests
        .map(|(name, reason)| {
            let name = match name {
                TestSelector::Exact(name) | TestSelector::Doc(name) => name.as_str(),
                TestSelector::Prefix(_) => "*",
            };
            test(name, vec![reason_line(workspace, reason)])
        })
        .collect()
}

/// One JSON document, indented, with a final newline.
///
/// # Errors
/// When the output cannot be written.
pub fn print(terminal: &mut Terminal, report: &impl Serialize) -> Result<()> {
    let text = text(report)?;
    terminal.document().write_all(text.as_bytes())?;
    Ok(())
}

fn text(report: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(report).context("failed to write JSON")?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct Failure {
    version: u32,
    error: ErrorReport,
}

#[derive(Serialize)]
pub(super) struct ErrorReport {
    code: &'static str,
    exit: u8,
    message: String,
    causes: Vec<String>,
    next: NextReport,
}

#[derive(Serialize)]
struct NextReport {
    command: String,
}

/// Why a run with `--format json` ends without its report: what a person reads on standard error, with the exit code's
/// name and the command to go on with.
///
/// # Errors
/// When the output cannot be written.
pub fn error(terminal: &mut Terminal, error: &anyhow::Error, command: &str) -> Result<()> {
    let report = Failure {
        version: VERSION,
        error: error_report(error, command),
    };
    print(terminal, &report)
}

fn error_report(error: &anyhow::Error, command: &str) -> ErrorReport {
    let exit = exit::code_of(error);
    let next = exit::next_of(error).map_or_else(|| help_on(command), str::to_owned);
    ErrorReport {
        code: exit.word(),
        exit: exit as u8,
        message: error.to_string(),
        causes: error.chain().skip(1).map(ToString::to_string).collect(),
        next: NextReport { command: next },
    }
}

pub(super) fn error_reports(errors: &[anyhow::Error], command: &str) -> Vec<ErrorReport> {
    let reports = errors.iter().map(|error| error_report(error, command));
    reports.collect()
}

fn help_on(command: &str) -> String {
    let words = ["cargo poc", command, "--help"];
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    pocs: Vec<PocReport<'a>>,
    unreadable: Vec<ErrorReport>,
}

#[derive(Serialize)]
pub(super) struct PocReport<'a> {
    name: &'a str,
    plan: &'a str,
    results: Option<&'a str>,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    state: State,
    base: Option<&'a str>,
    summary: &'a Summary,
    steps: Vec<StepReport<'a>>,
    criteria: CriteriaReport,
    checklist: Ticks,
    files: &'a [FileStatus],
    dependencies: &'a [DependencyStatus],
    tests: TestsReport,
    contract: Option<ContractReport<'a>>,
    placeholders: usize,
    findings: Vec<FindingReport<'a>>,
    next: Option<&'a Next>,
}

#[derive(Serialize)]
struct StepReport<'a> {
    id: &'a str,
    title: &'a str,
    state: State,
    why: Option<&'a str>,
    line: usize,
    tasks: Ticks,
}

#[derive(Serialize)]
struct CriteriaReport {
    plan: Ticks,
    results: Ticks,
}

#[derive(Serialize)]
struct TestsReport {
    baseline: Option<CountsReport>,
    latest: Option<CountsReport>,
    claimed: Option<u64>,
}

#[derive(Serialize)]
struct ContractReport<'a> {
    hash: String,
    time: &'a str,
    by: Option<&'a str>,
    amendments: Vec<AmendmentReport<'a>>,
    overrides: Vec<OverrideReport<'a>>,
    changes: Vec<ChangeReport<'a>>,
}

#[derive(Serialize)]
struct AmendmentReport<'a> {
    time: &'a str,
    by: Option<&'a str>,
    reason: Option<&'a str>,
    weakens: bool,
    changes: Vec<ChangeReport<'a>>,
}

#[derive(Serialize)]
struct OverrideReport<'a> {
    step: Option<&'a str>,
    time: &'a str,
    by: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangeReport<'a> {
    what: &'a str,
    how: How,
    weakens: bool,
    was: Option<&'a str>,
    is: Option<&'a str>,
}

#[derive(Serialize)]
struct CountsReport {
    passed: u64,
    failed: u64,
    ignored: u64,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    code: &'static str,
    severity: Severity,
    path: &'a str,
    line: usize,
    column: usize,
    message: String,
}

/// `status --format json`; `unreadable` are documents that have no status.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn status(statuses: &[PocStatus], unreadable: &[anyhow::Error]) -> Result<String> {
    text(&Report {
        version: VERSION,
        pocs: statuses.iter().map(poc).collect(),
        unreadable: error_reports(unreadable, "status"),
    })
}

fn contract(standing: &ContractState) -> Option<ContractReport<'_>> {
    let lock = standing.lock()?;
    let amendments = standing.of(Kind::Amend).map(|entry| AmendmentReport {
        time: &entry.time,
        by: entry.by.as_deref(),
        reason: entry.reason.as_deref(),
        weakens: entry.changes.iter().any(|change| change.how.weakens()),
        changes: changes(&entry.changes),
    });
    let overrides = standing.of(Kind::Override).map(|entry| OverrideReport {
        step: entry.step.as_deref(),
        time: &entry.time,
        by: entry.by.as_deref(),
        reason: entry.reason.as_deref(),
    });
    Some(ContractReport {
        hash: standing.agreed()?.hash(),
        time: &lock.time,
        by: lock.by.as_deref(),
        amendments: amendments.collect(),
        overrides: overrides.collect(),
        changes: changes(&standing.changes),
    })
}

fn changes(changes: &[Difference]) -> Vec<ChangeReport<'_>> {
    let changes = changes.iter();
    changes
        .map(|Difference { what, how, was, is }| ChangeReport {
            what,
            how: *how,
            weakens: how.weakens(),
            was: was.as_deref(),
            is: is.as_deref(),
        })
        .collect()
}

pub(super) fn poc(status: &PocStatus) -> PocReport<'_> {
    let steps = status.assessment.steps.iter().map(|step| StepReport {
        id: &step.id,
        title: &step.title,
        state: step.state,
        why: step.why.as_deref(),
        line: step.line,
        tasks: step.tasks,
    });
    let findings = status.findings.iter().map(finding);
    let counts = |tests: Option<TestCounts>| {
        tests.map(|tests| CountsReport {
            passed: tests.passed,
            failed: tests.failed,
            ignored: tests.ignored,
        })
    };
    PocReport {
        name: &status.assessment.name,
        plan: &status.assessment.plan,
        results: status.assessment.results.as_deref(),
        kind: status.assessment.kind.as_deref(),
        state: status.assessment.state,
        base: status.assessment.base.as_deref(),
        summary: &status.assessment.summary,
        steps: steps.collect(),
        criteria: CriteriaReport {
            plan: status.assessment.plan_criteria,
            results: status.assessment.results_criteria,
        },
        checklist: status.assessment.checklist,
        files: &status.assessment.files,
        dependencies: &status.assessment.dependencies,
        tests: TestsReport {
            baseline: counts(status.assessment.tests.baseline),
            latest: counts(status.assessment.tests.latest),
            claimed: status.assessment.tests.claimed,
        },
        contract: contract(&status.assessment.contract),
        placeholders: status.assessment.placeholders,
        findings: findings.collect(),
        next: status.next.as_ref(),
    }
}

fn finding(finding: &Finding) -> FindingReport<'_> {
    FindingReport {
        code: finding.code.as_str(),
        severity: finding.severity,
        path: &finding.path,
        line: finding.line,
        column: finding.column,
        message: finding.text(),
    }
}

#[derive(Serialize)]
struct CheckReport<'a> {
    version: u32,
    errors: usize,
    warnings: usize,
    findings: Vec<CheckedFinding<'a>>,
    unreadable: Vec<ErrorReport>,
}

#[derive(Serialize)]
struct CheckedFinding<'a> {
    code: &'static str,
    severity: Severity,
    path: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
    fix: Option<&'a str>,
    known: bool,
}

/// `check --format json`: `known` says for each finding whether the baseline knows it; those are not counted.
/// `unreadable` are documents that could not be looked at.
///
/// # Errors
/// When the output cannot be written.
pub fn check(
    terminal: &mut Terminal,
    findings: &[&Finding],
    known: &[bool],
    unreadable: &[anyhow::Error],
) -> Result<()> {
    let all = || findings.iter().zip(known.iter().copied());
    let count = |severity: Severity| {
        all()
            .filter(|(finding, known)| !known && finding.severity == severity)
            .count()
    };
    let findings = all().map(|(finding, known)| CheckedFinding {
        code: finding.code.as_str(),
        severity: finding.severity,
        path: &finding.path,
        line: finding.line,
        column: finding.column,
        message: &finding.message,
        help: Some(finding.help.as_str()).filter(|help| !help.is_empty()),
        fix: finding.fix.as_ref().map(|fix| fix.what.as_str()),
        known,
    });
    let report = CheckReport {
        version: VERSION,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        findings: findings.collect(),
        unreadable: error_reports(unreadable, "check"),
    };
    print(terminal, &report)
}
