//! Writes JSON documents.

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::sys::terminal::Terminal;

/// The version of every format in this module.
pub const VERSION: u32 = 1;

/// Prints one JSON document, indented, with a final newline.
///
/// # Errors
/// When the output cannot be written.
pub fn print(terminal: &mut Terminal, report: &impl Serialize) -> Result<()> {
    let text = text(report)?;
    terminal.document().write_all(text.as_bytes())?;
    Ok(())
}

pub(super) fn text(report: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(report).context("failed to write JSON")?;
    text.push('\n');
    Ok(text)
}
