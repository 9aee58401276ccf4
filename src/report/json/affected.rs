//! `affected --format json`.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::output::{VERSION, print};
use crate::affected::{Selection, TargetSelection, TestSelector, TestTarget, TestTargetKind};
use crate::change::Change;
use crate::report::human::affected::reason_line;
use crate::sys::terminal::Terminal;
use crate::workspace::Workspace;

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

/// `affected --format json`: counts are tests found in sources; `test` is `*` for all tests of a target, and for
/// tests whose names no source contains.
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

/// One entry for a whole target, or one for each of its selected tests.
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
                TestSelector::Prefix(_) | TestSelector::Unnamed => "*",
            };
            test(name, vec![reason_line(workspace, reason)])
        })
        .collect()
}
