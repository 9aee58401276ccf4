//! Changes of a contract.

use anyhow::Result;

use super::sanitize;
use crate::contract::Difference;
use crate::sys::terminal::{BAD, Terminal, WARN};

/// Prints a line for each difference, and marks those that weaken the contract.
///
/// # Errors
/// When the output cannot be written.
pub fn differences(terminal: &mut Terminal, differences: &[Difference]) -> Result<()> {
    for one in differences {
        let text = sanitize(&one.to_string());
        let out = terminal.out();
        if one.how.weakens() {
            writeln!(out, "  {BAD}weaker{BAD:#}  {text}")?;
        } else {
            writeln!(out, "  {WARN}change{WARN:#}  {text}")?;
        }
    }
    Ok(())
}
