//! For programs: version 1 of the formats in `docs/json.md`. These structs are the contract, never the internal types.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::human::reason_line;
use crate::affected::{Selection, TestKind};
use crate::change::Change;
use crate::terminal::Terminal;
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
    unaffecting: Vec<Unaffecting<'a>>,
    seconds: f64,
}

#[derive(Serialize)]
struct AffectedTest<'a> {
    package: &'a str,
    binary: String,
    test: &'a str,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct Unaffecting<'a> {
    path: &'a str,
    why: &'a str,
}

/// `affected --format json`: counts are test targets, `test` is `*` for a whole target.
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
            .filter(|(target, _)| (target.kind == TestKind::Doc) == doc);
        targets
            .map(|(target, reasons)| AffectedTest {
                package: &workspace.packages[target.package].name,
                binary: target.binary_id(workspace),
                test: "*",
                reasons: reasons
                    .iter()
                    .map(|reason| reason_line(workspace, reason))
                    .collect(),
            })
            .collect()
    };
    let report = Affected {
        version: VERSION,
        base: change.base.as_deref(),
        total: selection.total,
        selected: selection.targets.len(),
        tests: tests(false),
        doctests: tests(true),
        unaffecting: selection
            .without_effect
            .iter()
            .map(|(path, why)| Unaffecting { path, why })
            .collect(),
        seconds: took.as_secs_f64(),
    };
    print(terminal, &report)
}

/// One JSON document, indented, with a final newline.
///
/// # Errors
/// When the output cannot be written.
pub fn print(terminal: &mut Terminal, report: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(report).context("failed to write JSON")?;
    writeln!(terminal.out(), "{text}")?;
    Ok(())
}
