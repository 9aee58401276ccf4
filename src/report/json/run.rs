//! `verify --format json`.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::output::{VERSION, text};
use super::values::{FindingReport, StrengthReport, outcome};
use crate::evidence::{Check, Measured, Outcome, TestCounts};
use crate::report::run::{RecordedRun, Run};

#[derive(Serialize)]
struct RunReport<'a> {
    version: u32,
    scope: String,
    outcome: Option<&'static str>,
    exit: u8,
    selection: Option<SelectionReport>,
    reused: usize,
    shadow: Option<ShadowReport<'a>>,
    strength: Option<StrengthReport<'a>>,
    tests: Option<RunCounts>,
    commands: Vec<CommandReport<'a>>,
    failing: Vec<TestReport<'a>>,
    ignored: Vec<TestReport<'a>>,
    pocs: Vec<PocReport<'a>>,
    findings: Vec<FindingReport<'a>>,
    notes: &'a [String],
    source: Option<SourceReport<'a>>,
    seconds: f64,
    toolchain: Option<&'a str>,
}

#[derive(Serialize)]
struct CommandReport<'a> {
    command: String,
    outcome: Option<&'static str>,
    exit: Option<i32>,
    tests: Option<RunCounts>,
    seconds: Option<f64>,
    expected: Vec<&'a str>,
    unmet: &'a [String],
    manual: bool,
    confirmed: Option<ConfirmationReport<'a>>,
    measured: Vec<MeasuredReport<'a>>,
    output: Option<&'a str>,
}

#[derive(Serialize)]
struct SelectionReport {
    selected: u64,
    total: u64,
}

#[derive(Serialize)]
struct ShadowReport<'a> {
    escapes: Vec<TestReport<'a>>,
    failing: usize,
    selected_seconds: f64,
    other_seconds: f64,
}

/// Test counts of one command or run.
#[derive(Serialize)]
struct RunCounts {
    passed: u64,
    failed: u64,
    ignored: u64,
    filtered: u64,
}

impl From<TestCounts> for RunCounts {
    fn from(counts: TestCounts) -> Self {
        Self {
            passed: counts.passed,
            failed: counts.failed,
            ignored: counts.ignored,
            filtered: counts.filtered,
        }
    }
}

#[derive(Serialize)]
struct SourceReport<'a> {
    commit: Option<&'a str>,
    dirty: Option<bool>,
}

#[derive(Serialize)]
struct ConfirmationReport<'a> {
    by: &'a str,
    time: &'a str,
}

#[derive(Serialize)]
struct MeasuredReport<'a> {
    name: &'a str,
    unit: &'a str,
    value: f64,
    low: f64,
    high: f64,
}

impl<'a> From<&'a Measured> for MeasuredReport<'a> {
    fn from(measured: &'a Measured) -> Self {
        let (low, high) = measured.spread.unwrap_or((measured.value, measured.value));
        Self {
            name: &measured.name,
            unit: &measured.unit,
            value: measured.value,
            low,
            high,
        }
    }
}

#[derive(Serialize)]
struct TestReport<'a> {
    binary: &'a str,
    test: &'a str,
}

#[derive(Serialize)]
struct PocReport<'a> {
    name: &'a str,
    proven: bool,
    results: Option<&'a str>,
    regressions: Option<Vec<TestReport<'a>>>,
    vanished: Option<Vec<TestReport<'a>>>,
}

/// `verify --format json`.
///
/// When it cannot be written as JSON.
/// When it cannot be written as JSON.
pub fn run(run: &Run<'_>) -> Result<String> {
    let record = run.records.first().map(|settled| &settled.record);
    let output = |index: usize| {
        let checked = run.ran.and_then(|ran| ran.checked.get(index));
        checked
            .filter(|checked| checked.outcome() != Outcome::Passed)
            .map(|checked| checked.tail.as_str())
    };
    let ran = run.checks.iter().enumerate();
    let ran = ran.map(|(index, check)| command(check, output(index)));
    let left = run
        .ran
        .iter()
        .flat_map(|ran| &ran.left)
        .map(|check| CommandReport {
            command: check.command(),
            outcome: None,
            exit: None,
            tests: None,
            seconds: None,
            expected: check
                .expected()
                .iter()
                .map(|one| one.text.as_str())
                .collect(),
            unmet: &[],
            manual: check.is_manual(),
            confirmed: None,
            measured: Vec::new(),
            output: None,
        });
    let took = record.map_or_else(
        || run.checks.iter().map(|check| check.milliseconds).sum(),
        |record| record.milliseconds,
    );
    text(&RunReport {
        version: VERSION,
        scope: run.scope.to_string(),
        outcome: record.map(|record| outcome(record.outcome)),
        exit: run.exit as u8,
        selection: run.selection.map(|of| SelectionReport {
            selected: of.selected,
            total: of.total,
        }),
        reused: run.reused,
        shadow: run.shadow.map(|shadow| ShadowReport {
            escapes: tests(&shadow.escapes),
            failing: shadow.failing,
            selected_seconds: shadow.selected.as_secs_f64(),
            other_seconds: shadow.others.as_secs_f64(),
        }),
        strength: run.strength.map(Into::into),
        tests: record.and_then(|record| record.tests).map(Into::into),
        commands: ran.chain(left).collect(),
        failing: record.map_or_else(Vec::new, |record| tests(&record.failing)),
        ignored: record.map_or_else(Vec::new, |record| tests(&record.ignored)),
        pocs: run.records.iter().filter_map(poc).collect(),
        findings: run.findings.iter().map(Into::into).collect(),
        notes: record.map_or(&[], |record| &record.notes),
        source: record.map(|record| SourceReport {
            commit: record.source.commit.as_deref(),
            dirty: record.source.dirty,
        }),
        seconds: seconds(took),
        toolchain: record.map(|record| record.toolchain.as_str()),
    })
}

fn command<'a>(check: &'a Check, output: Option<&'a str>) -> CommandReport<'a> {
    CommandReport {
        command: check.command.clone(),
        outcome: Some(outcome(check.outcome)),
        exit: Some(check.exit),
        tests: check.tests.map(Into::into),
        seconds: Some(seconds(check.milliseconds)),
        expected: check.expected.iter().map(String::as_str).collect(),
        unmet: &check.unmet,
        manual: check.manual,
        confirmed: check.confirmed.as_ref().map(|word| ConfirmationReport {
            by: &word.by,
            time: &word.time,
        }),
        measured: check.measured.iter().map(Into::into).collect(),
        output,
    }
}

fn tests<'a, Tests>(tests: &'a BTreeMap<String, Tests>) -> Vec<TestReport<'a>>
where
    &'a Tests: IntoIterator<Item = &'a String>,
{
    let binaries = tests.iter();
    let tests = binaries.flat_map(|(binary, tests)| {
        let tests = tests.into_iter();
        tests.map(move |test| TestReport { binary, test })
    });
    tests.collect()
}

/// `None` for a run without a PoC.
fn poc(settled: &RecordedRun) -> Option<PocReport<'_>> {
    let record = &settled.record;
    let measured = |worse| settled.measured.then(|| tests(worse));
    (!record.poc.is_empty()).then(|| PocReport {
        name: &record.poc,
        proven: record.proves(),
        results: settled.results.as_deref(),
        regressions: measured(&record.regressions),
        vanished: measured(&record.missing),
    })
}

fn seconds(milliseconds: u64) -> f64 {
    Duration::from_millis(milliseconds).as_secs_f64()
}
