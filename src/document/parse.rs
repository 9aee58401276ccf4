//! From blocks to plans and results.

mod footer;
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

/// Reads a plan. Never fails: what cannot be read is in [`Plan::problems`].
#[must_use]
pub fn read_plan(document: &Document) -> Plan {
    let mut outline = Outline::read(document.text());
    let reading = Reading::new(document, &mut outline);
    plan::read(reading)
}

/// Reads a results document. Never fails: what cannot be read is in [`Results::problems`].
#[must_use]
pub fn read_results(document: &Document) -> Results {
    let mut outline = Outline::read(document.text());
    let reading = Reading::new(document, &mut outline);
    results::read(reading)
}
