//! Values of several formats.

use serde::Serialize;

use crate::evidence::{Exclusion, Outcome, Strength, TestCounts};
use crate::finding::{Finding, Severity};
use crate::next::Next;
use crate::status::{State, StrengthStatus, Ticks};

/// The state of a step or a PoC; `null` if it is unknown.
pub(super) fn state(state: State) -> Option<&'static str> {
    (state != State::Unknown).then(|| state.word())
}

pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Unconfirmed => "unconfirmed",
        Outcome::Flaky => "flaky",
        Outcome::NoTests => "no-tests",
        Outcome::Failed => "failed",
        Outcome::CouldNotRun => "could-not-run",
        Outcome::TimedOut => "timed-out",
        Outcome::Interrupted => "interrupted",
    }
}

/// The numbers of ticked and of all boxes.
#[derive(Serialize)]
pub(super) struct TicksReport {
    checked: usize,
    total: usize,
}

impl From<Ticks> for TicksReport {
    fn from(ticks: Ticks) -> Self {
        Self {
            checked: ticks.checked,
            total: ticks.total,
        }
    }
}

/// The outcomes of mutants.
#[derive(Serialize)]
pub(super) struct StrengthReport<'a> {
    killed: u64,
    viable: u64,
    caught: u64,
    timeout: u64,
    missed: u64,
    unviable: u64,
    stale: bool,
    survivors: Vec<SurvivorReport<'a>>,
    escapes: Vec<EscapeReport<'a>>,
    excluded: Vec<ExcludedReport<'a>>,
    unread: &'a [String],
}

#[derive(Serialize)]
struct SurvivorReport<'a> {
    place: &'a str,
    function: &'a str,
    tests: usize,
    diff: &'a str,
}

#[derive(Serialize)]
struct ExcludedReport<'a> {
    place: &'a str,
    function: &'a str,
    mutants: u64,
    why: &'static str,
}

#[derive(Serialize)]
struct EscapeReport<'a> {
    binary: &'a str,
    test: &'a str,
    place: &'a str,
}

impl<'a> From<&'a Strength> for StrengthReport<'a> {
    fn from(strength: &'a Strength) -> Self {
        let survivors = strength.survivors.iter().map(|survivor| SurvivorReport {
            place: &survivor.place,
            function: &survivor.function,
            tests: survivor.tests,
            diff: &survivor.diff,
        });
        let escapes = strength.escapes.iter().map(|escape| EscapeReport {
            binary: &escape.binary,
            test: &escape.test,
            place: &escape.place,
        });
        let excluded = strength.excluded.iter().map(|excluded| ExcludedReport {
            place: &excluded.place,
            function: &excluded.function,
            mutants: excluded.mutants,
            why: match excluded.why {
                Exclusion::Settings => "settings",
                Exclusion::Configuration => "configuration",
            },
        });
        Self {
            killed: strength.killed(),
            viable: strength.viable(),
            caught: strength.caught,
            timeout: strength.timeout,
            missed: strength.missed,
            unviable: strength.unviable,
            stale: false,
            survivors: survivors.collect(),
            escapes: escapes.collect(),
            excluded: excluded.collect(),
            unread: &strength.unread,
        }
    }
}

impl<'a> From<&'a StrengthStatus> for StrengthReport<'a> {
    fn from(status: &'a StrengthStatus) -> Self {
        Self {
            stale: status.is_stale,
            ..(&status.strength).into()
        }
    }
}

/// Test counts of a baseline or a whole suite.
#[derive(Serialize)]
pub(super) struct CountsReport {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl From<TestCounts> for CountsReport {
    fn from(counts: TestCounts) -> Self {
        Self {
            passed: counts.passed,
            failed: counts.failed,
            ignored: counts.ignored,
        }
    }
}

#[derive(Serialize)]
pub(super) struct NextReport<'a> {
    command: &'a str,
    why: &'a str,
    person: bool,
}

impl<'a> From<&'a Next> for NextReport<'a> {
    fn from(next: &'a Next) -> Self {
        Self {
            command: &next.command,
            why: &next.why,
            person: next.person,
        }
    }
}

#[derive(Serialize)]
pub(super) struct FindingReport<'a> {
    code: &'static str,
    severity: &'static str,
    path: &'a str,
    line: usize,
    column: usize,
    message: String,
}

impl<'a> From<&'a Finding> for FindingReport<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            code: finding.code.as_str(),
            severity: severity(finding.severity),
            path: &finding.path,
            line: finding.line,
            column: finding.column,
            message: finding.text(),
        }
    }
}
