//! `cargo poc verify --update`: expected test counts that are not what a run saw, brought up to date in the plan.

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

/// Shows the difference, and writes it when told to, or when a person at the terminal says yes.
///
/// # Errors
/// When the plan was changed while the run went on, or cannot be written.
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
        return terminal.status("Unchanged", format!("no expected count of {plan} is stale"));
    }
    let apply = |mode: Mode, terminal: &mut Terminal| {
        document_update::change(project, &poc.paths, mode, terminal, |now| {
            if now.plan_document.text() != poc.plan_document.text() {
                return Err(exit::usage(format!(
                    "{plan} was changed while its commands ran; run again"
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
            && confirms(&format!("Write this into {plan}?"))
                .context("failed to ask; use --write")?;
    if !yes {
        return terminal.status("Not written", "add --write to write it into the plan");
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

/// The plan with the counts that were seen. Only commands whose tests all passed say what a count should be.
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

/// Replaces these numbers in the comment of a line.
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
