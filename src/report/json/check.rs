//! `check --format json`.

use anyhow::Result;
use serde::Serialize;

use super::error::{ErrorReport, error_reports};
use super::output::{VERSION, print};
use super::values::severity;
use crate::finding::{Finding, Severity};
use crate::sys::terminal::Terminal;

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
    severity: &'static str,
    path: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
    fix: Option<&'a str>,
    known: bool,
}

/// `check --format json`. `suppressed` has an entry for each finding; suppressed findings are not counted. `unreadable` are
/// documents that could not be read.
///
/// # Errors
/// When the output cannot be written.
pub fn check(
    terminal: &mut Terminal,
    findings: &[&Finding],
    suppressed: &[bool],
    unreadable: &[anyhow::Error],
) -> Result<()> {
    let all = || findings.iter().zip(suppressed.iter().copied());
    let count = |severity: Severity| {
        all()
            .filter(|(finding, suppressed)| !suppressed && finding.severity == severity)
            .count()
    };
    let findings = all().map(|(finding, suppressed)| CheckedFinding {
        code: finding.code.as_str(),
        severity: severity(finding.severity),
        path: &finding.path,
        line: finding.line,
        column: finding.column,
        message: &finding.message,
        help: Some(finding.help.as_str()).filter(|help| !help.is_empty()),
        fix: finding.fix.as_ref().map(|fix| fix.what.as_str()),
        known: suppressed,
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
