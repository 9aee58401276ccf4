//! Errors of commands whose output is JSON.

use anyhow::Result;
use serde::Serialize;

use super::output::{VERSION, print};
use crate::exit;
use crate::sys::terminal::{Terminal, relative};

#[derive(Serialize)]
struct Failure {
    version: u32,
    error: ErrorReport,
}

#[derive(Serialize)]
pub(in crate::report) struct ErrorReport {
    code: &'static str,
    exit: u8,
    message: String,
    causes: Vec<String>,
    next: HelpReport,
}

#[derive(Serialize)]
struct HelpReport {
    command: String,
}

/// The error that ends a run with `--format json`: the message, the name of the exit code and the command to continue
/// with.
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
        message: shown(error),
        causes: error.chain().skip(1).map(shown).collect(),
        next: HelpReport { command: next },
    }
}

/// A message with paths relative to the workspace.
fn shown(message: &(impl ToString + ?Sized)) -> String {
    relative::shown(&message.to_string()).into_owned()
}

pub(in crate::report) fn error_reports(
    errors: &[anyhow::Error],
    command: &str,
) -> Vec<ErrorReport> {
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
