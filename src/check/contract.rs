//! What a plan promised against what it promises now, and what waits for a person.

use super::{Rule, Subject};
use crate::finding::{Code, Finding};
use crate::status::unconfirmed;

pub(super) const RULES: &[Rule] = &[to_confirm];

/// The first run whose output a person has to look at.
fn to_confirm(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some((scope, id)) = unconfirmed(on.poc, on.facts) else {
        return;
    };
    let mut records = on.facts.evidence.records.iter().rev();
    let record = records.find(|located| located.record.scope == scope);
    let line = record.map_or(1, |located| located.line);
    let message = format!("what {id} did is for a person to judge");
    let help = format!(
        "look at it, then run `cargo poc verify {} --confirm {id}`",
        on.status.name
    );
    found.push(
        on.in_results_line(Code::Unconfirmed, line, message)
            .help(help),
    );
}
