//! From blocks to types.

use super::outline::Outline;
use super::{Document, Plan, Results};

/// Reads a plan. Never fails: what cannot be read is in [`Plan::problems`].
#[must_use]
pub fn read_plan(document: &Document) -> Plan {
    let outline = Outline::read(document.text());
    let _ = outline;
    Plan::default()
}

/// Reads a results document. Never fails: what cannot be read is in [`Results::problems`].
#[must_use]
pub fn read_results(document: &Document) -> Results {
    let outline = Outline::read(document.text());
    let _ = outline;
    Results::default()
}
