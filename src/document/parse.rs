//! Converts blocks to plans and results.

mod footer;
mod foreign;
mod outcome;
mod plan;
mod reading;
mod results;
mod unread;

use super::outline::Outline;
use super::plan::Plan;
use super::results::Results;
use super::text::Document;
use reading::Reading;

pub use foreign::{is_foreign, read_foreign};

/// Parses a plan. Never fails: [`Plan::problems`] contains the text that cannot be parsed.
#[must_use]
pub fn read_plan(document: &Document) -> Plan {
    let mut outline = Outline::read(document.text());
    let reading = Reading::new(document, &mut outline);
    plan::read(reading)
}

/// Parses a results document. Never fails: [`Results::problems`] contains the text that cannot be parsed.
#[must_use]
pub fn read_results(document: &Document) -> Results {
    let mut outline = Outline::read(document.text());
    let reading = Reading::new(document, &mut outline);
    results::read(reading)
}
