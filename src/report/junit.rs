//! JUnit XML, which every CI shows: where PoCs stand, and the tests of a run.
//!
//! quick-junit writes it, as it does for nextest: it leaves out what XML cannot hold (control characters, colours).

use anyhow::{Context as _, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::poc_status::PocStatus;
use crate::evidence::{Outcome, Scope};
use crate::finding::{Finding, Severity};
use crate::status::State;
use crate::verify;
use crate::verify::binaries::Binaries;
use crate::verify::test_output::Verdict;

/// A suite for each PoC, whose cases are its steps, and one for its findings. What is claimed, stale or failed is a
/// failure, what has not begun is skipped.
///
/// # Errors
/// When it cannot be written as XML.
pub fn status(statuses: &[PocStatus]) -> Result<String> {
    let mut report = Report::new("cargo-poc");
    for status in statuses {
        let mut steps = TestSuite::new(status.assessment.name.as_str());
        for step in &status.assessment.steps {
            let mut outcome = match step.state {
                State::Proven => TestCaseStatus::success(),
                State::Pending | State::InProgress | State::Withdrawn | State::Unknown => {
                    TestCaseStatus::skipped()
                }
                State::Claimed | State::Stale | State::Failed => {
                    TestCaseStatus::non_success(NonSuccessKind::Failure)
                }
            };
            outcome.set_type(step.state.word());
            outcome.set_message(step.why.as_deref().unwrap_or(step.state.word()));
            let mut case = TestCase::new(format!("step {}: {}", step.id, step.title), outcome);
            case.set_classname(status.assessment.plan.as_str());
            steps.add_test_case(case);
        }
        report.add_test_suite(steps);
        if !status.findings.is_empty() {
            report.add_test_suite(findings(
                &format!("{} findings", status.assessment.name),
                &status.findings,
            ));
        }
    }
    report.to_string().context("failed to write JUnit XML")
}

/// `check --format junit`: a suite of findings.
///
/// # Errors
/// When it cannot be written as XML.
pub fn check<'a>(fresh: impl IntoIterator<Item = &'a Finding>) -> Result<String> {
    let mut report = Report::new("cargo-poc");
    report.add_test_suite(findings("cargo poc check", fresh));
    report.to_string().context("failed to write JUnit XML")
}

/// A suite of findings: an error is a failure, a warning passes and says what it is about.
fn findings<'a>(name: &str, findings: impl IntoIterator<Item = &'a Finding>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    for finding in findings {
        let mut outcome = match finding.severity {
            Severity::Error => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Severity::Warning => TestCaseStatus::success(),
        };
        if finding.severity == Severity::Error {
            outcome.set_type(finding.code.as_str());
            outcome.set_message(finding.text());
        }
        let place = format!("{}:{}", finding.path, finding.line);
        let mut case = TestCase::new(format!("{} {place}", finding.code), outcome);
        case.set_classname(finding.path.as_str());
        if finding.severity == Severity::Warning {
            case.set_system_out(finding.text());
        }
        suite.add_test_case(case);
    }
    suite
}

/// `verify --report junit=FILE`: a suite for the commands of a run, and one for each test binary.
///
/// # Errors
/// When it cannot be written as XML.
pub fn run(scope: &Scope, ran: &verify::Report, binaries: &Binaries<'_>) -> Result<String> {
    let mut report = Report::new("cargo-poc");
    report.set_time(ran.duration);
    let mut commands = TestSuite::new(format!("cargo poc verify: {scope}"));
    for checked in &ran.checked {
        let passed = checked.outcome() == Outcome::Passed;
        let mut outcome = if passed {
            TestCaseStatus::success()
        } else {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        };
        if !passed {
            let why = [vec![checked.outcome().to_string()], checked.unmet.clone()].concat();
            outcome.set_message(why.join("; "));
        }
        let mut case = TestCase::new(checked.check.command(), outcome);
        case.set_classname("cargo-poc").set_time(checked.duration);
        if !passed {
            case.set_system_out(checked.tail.as_str());
        }
        commands.add_test_case(case);
    }
    for left in &ran.left {
        let mut case = TestCase::new(left.command(), TestCaseStatus::skipped());
        case.set_classname("cargo-poc");
        commands.add_test_case(case);
    }
    report.add_test_suite(commands);
    for (binary, tests) in ran.verdicts(binaries) {
        let mut suite = TestSuite::new(binary.as_str());
        for (name, verdict) in tests {
            let outcome = match verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Verdict::Ignored => TestCaseStatus::skipped(),
            };
            let mut case = TestCase::new(name, outcome);
            case.set_classname(binary.as_str());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().context("failed to write JUnit XML")
}
