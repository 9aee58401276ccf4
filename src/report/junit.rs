//! JUnit XML: the state of PoCs, and the tests of a run.

mod xml;

use self::xml::{Case, CaseResult, Kind, Report, Suite};
use super::poc_status::PocStatus;
use crate::evidence::{Outcome, Scope};
use crate::finding::{Finding, Severity};
use crate::status::{State, StepStatus};
use crate::verify;
use crate::verify::binaries::Binaries;
use crate::verify::test_output::Verdict;

/// `status --format junit`: two suites for each PoC, one of its steps and one of its findings. A step that is claimed, stale or
/// failed is a failure; a step that has not started is skipped.
#[must_use]
pub fn status(statuses: &[PocStatus]) -> String {
    let mut report = Report::default();
    for status in statuses {
        let assessment = &status.assessment;
        let case = |step: &StepStatus| Case {
            name: format!("step {}: {}", step.id, step.title),
            classname: assessment.plan.clone(),
            result: CaseResult {
                kind: match step.state {
                    State::Proven => Kind::Passed,
                    State::Pending
                    | State::InProgress
                    | State::Unconfirmed
                    | State::Withdrawn
                    | State::Unknown => Kind::Skipped,
                    State::Claimed | State::Stale | State::Failed => Kind::Failed,
                },
                type_: step.state.word().to_owned(),
                message: step.why.as_deref().unwrap_or(step.state.word()).to_owned(),
            },
            time: None,
            output: String::new(),
        };
        report.suites.push(Suite {
            name: assessment.name.clone(),
            cases: assessment.steps.iter().map(case).collect(),
        });
        if !status.findings.is_empty() {
            let name = format!("{} findings", assessment.name);
            report.suites.push(findings(name, &status.findings));
        }
    }
    report.write()
}

/// `check --format junit`: a suite of findings.
#[must_use]
pub fn check<'a>(fresh: impl IntoIterator<Item = &'a Finding>) -> String {
    let report = Report {
        suites: vec![findings("cargo poc check".to_owned(), fresh)],
        time: None,
    };
    report.write()
}

/// A suite of findings: an error is a failure; a warning is a passed case with the finding as its output.
fn findings<'a>(name: String, findings: impl IntoIterator<Item = &'a Finding>) -> Suite {
    let case = |finding: &Finding| {
        let is_error = finding.severity == Severity::Error;
        Case {
            name: format!("{} {}:{}", finding.code, finding.path, finding.line),
            classname: finding.path.clone(),
            result: if is_error {
                CaseResult {
                    kind: Kind::Failed,
                    type_: finding.code.as_str().to_owned(),
                    message: finding.text(),
                }
            } else {
                Kind::Passed.into()
            },
            time: None,
            output: if is_error {
                String::new()
            } else {
                finding.text()
            },
        }
    };
    Suite {
        name,
        cases: findings.into_iter().map(case).collect(),
    }
}

/// `verify --report junit=FILE`: a suite of the commands of a run, and one for each test binary.
#[must_use]
pub fn run(scope: &Scope, ran: &verify::Report, binaries: &Binaries<'_>) -> String {
    let checked = ran.checked.iter().map(|checked| {
        let passed = checked.outcome() == Outcome::Passed;
        let why = [vec![checked.outcome().to_string()], checked.unmet.clone()].concat();
        Case {
            name: checked.check.command(),
            classname: "cargo-poc".to_owned(),
            result: CaseResult {
                kind: if passed { Kind::Passed } else { Kind::Failed },
                type_: String::new(),
                message: why.join("; "),
            },
            time: Some(checked.duration),
            output: if passed {
                String::new()
            } else {
                checked.tail.clone()
            },
        }
    });
    let left = ran.left.iter().map(|left| Case {
        name: left.command(),
        classname: "cargo-poc".to_owned(),
        result: Kind::Skipped.into(),
        time: None,
        output: String::new(),
    });
    let mut report = Report {
        suites: vec![Suite {
            name: format!("cargo poc verify: {scope}"),
            cases: checked.chain(left).collect(),
        }],
        time: Some(ran.duration),
    };
    for (binary, tests) in ran.verdicts(binaries) {
        let case = |(name, verdict): (_, Verdict)| Case {
            name,
            classname: binary.clone(),
            result: match verdict {
                Verdict::Passed => Kind::Passed.into(),
                Verdict::Failed => Kind::Failed.into(),
                Verdict::Ignored => Kind::Skipped.into(),
            },
            time: None,
            output: String::new(),
        };
        report.suites.push(Suite {
            name: binary.clone(),
            cases: tests.into_iter().map(case).collect(),
        });
    }
    report.write()
}
