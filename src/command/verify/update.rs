//! `cargo poc verify --update`: corrects expected test counts in the plan.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use regex::Regex;

use crate::document::{Block, Document, Span, edit::Edits};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::Scope;
use crate::exit;
use crate::project::{Poc, Project};
use crate::script::expectation::Assertion;
#[cfg(feature = "interview")]
use crate::sys::raw_mode::RawMode;
use crate::sys::terminal::Terminal;
use crate::verify::{self, InvocationResult, Program, Report};

/// Shows the difference, and writes it with `--write` or after a confirmation on the terminal.
///
/// # Errors
/// When the plan was changed during the run, or cannot be written.
pub(super) fn run(
    project: &Project,
    poc: &Poc,
    scope: &Scope,
    report: &Report,
    write: bool,
    terminal: &mut Terminal,
) -> Result<()> {
    let plan = project.workspace.slashed(&poc.paths.plan);
    let text = updated(
        &poc.plan_document,
        &verify::blocks(&poc.plan, scope),
        &report.checked,
    )?;
    if text == poc.plan_document.text() {
        return terminal.status(
            "Unchanged",
            format!("no expected count of {plan} is outdated"),
        );
    }
    let apply = |mode: Mode, terminal: &mut Terminal| {
        document_update::change(project, &poc.paths, mode, terminal, |now| {
            if now.plan_document.text() != poc.plan_document.text() {
                return Err(exit::usage(format!(
                    "{plan} was changed during the run; run again"
                )));
            }
            let plan = Some(text.clone());
            Ok((
                Texts {
                    plan,
                    results: None,
                },
                (),
            ))
        })
    };
    apply(Mode::DryRun, terminal)?;
    terminal.flush()?;
    let yes = write
        || terminal.can_ask()
            && confirms(&format!("Write this to {plan}?")).context("failed to ask; use --write")?;
    if !yes {
        return terminal.status("Not written", "pass --write to write it to the plan");
    }
    apply(Mode::Write, terminal)?;
    terminal.status(
        "Updated",
        format!("{plan}; verify again to record evidence for the new text"),
    )
}

#[cfg(feature = "interview")]
fn confirms(question: &str) -> Result<bool> {
    let _raw_mode = RawMode::enter()?;
    Ok(inquire::Confirm::new(question)
        .with_default(false)
        .prompt()?)
}

/// A build without the feature `interview` never asks.
#[cfg(not(feature = "interview"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the other build")]
fn confirms(_question: &str) -> Result<bool> {
    Ok(false)
}

/// The plan with the counts of a run. Only commands whose tests all passed are updated.
fn updated(document: &Document, blocks: &[&Block], checked: &[InvocationResult]) -> Result<String> {
    let mut edits = Edits::new(document);
    for one in checked {
        let Program::Command(command) = &one.check.program else {
            continue;
        };
        let counts = one.observed.counts();
        if !one.observed.ran_tests() || counts.failed > 0 || !one.ended.success() {
            continue;
        }
        let Some(block) = blocks.get(command.block) else {
            continue;
        };
        for expected in &command.expected {
            let stale: Vec<(u64, u64)> = expected
                .meaning
                .assertions()
                .iter()
                .flat_map(|clause| match clause {
                    Assertion::Passed(number) if !number.holds(counts.passed) => {
                        vec![(number.value(), counts.passed)]
                    }
                    Assertion::PassedOf(passed, total)
                        if (*passed, *total) != (counts.passed, counts.passed) =>
                    {
                        vec![(*passed, counts.passed), (*total, counts.passed)]
                    }
                    Assertion::Ignored(number) if *number != counts.ignored => {
                        vec![(*number, counts.ignored)]
                    }
                    _ => Vec::new(),
                })
                .collect();
            for line in expected.lines.clone() {
                let span = document.line_span(block.line + 1 + line);
                replace(document, &span, &stale, &mut edits);
            }
        }
    }
    edits.apply()
}

/// Replaces numbers in the comment of a line.
fn replace(document: &Document, line: &Span, stale: &[(u64, u64)], edits: &mut Edits<'_>) {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d[\d,_]*").ok());
    let Some(number) = NUMBER.as_ref() else {
        return;
    };
    let text = &document.text()[line.clone()];
    let lowered = text.to_ascii_lowercase();
    let comment = lowered
        .rfind("expect")
        .or_else(|| text.find('#'))
        .unwrap_or(0);
    for found in number.find_iter(&text[comment..]) {
        let digits = found.as_str().trim_end_matches([',', '_']);
        let value = digits.replace([',', '_'], "").parse::<u64>().ok();
        let new = stale.iter().find(|(old, _)| Some(*old) == value);
        if let Some((_, new)) = new {
            let start = line.start + comment + found.start();
            edits.replace(start..start + digits.len(), &new.to_string());
        }
    }
}
