//! Prints the steps and criteria that a branch proves, and those that are still open.

use anyhow::Result;

use super::sanitize;
use crate::status::Review;
use crate::sys::terminal::{BOLD, DIM, GOOD, Terminal, WARN};
use crate::sys::text::counted;

/// Prints the reviews of the PoCs that differ from `since`.
///
/// # Errors
/// When the output cannot be written.
pub fn reviews(terminal: &mut Terminal, since: &str, reviews: &[Review]) -> Result<()> {
    let out = terminal.out();
    if reviews.is_empty() {
        writeln!(
            out,
            "No PoC differs from {since}, and none is stale or failed."
        )?;
        return Ok(());
    }
    for (index, review) in reviews.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let (name, state) = (sanitize(&review.name), review.state.word());
        writeln!(out, "{BOLD}{name}{BOLD:#}  {state}, since {since}")?;
        for (label, style, items) in [
            ("Proves", GOOD, &review.proven),
            ("Open", WARN, &review.open),
            ("Changed", WARN, &review.amended),
        ] {
            for (index, item) in items.iter().enumerate() {
                let label = if index == 0 { label } else { "" };
                writeln!(out, "  {style}{label:<8}{style:#} {}", sanitize(item))?;
            }
        }
        if !review.earlier.is_empty() {
            let count = counted(review.earlier.len(), "item");
            writeln!(out, "  {DIM}{:<8} {count} proven before{DIM:#}", "Earlier")?;
        }
    }
    Ok(())
}
