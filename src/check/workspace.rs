//! The plan against the workspace and what changed in it.

use super::{Rule, Subject};
use crate::finding::{Code, Finding};

pub(super) const RULES: &[Rule] = &[unknown_dependencies, unknown_change];

/// A Dependencies section that cannot be compared.
fn unknown_dependencies(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if let (Some(_), Err(error)) = (on.facts.workspace, &on.facts.dependencies) {
        found.push(on.in_plan_line(Code::Dependencies, 1, error));
    }
}

/// A change that nobody knows.
fn unknown_change(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if let (Some(_), Err(error)) = (on.facts.workspace, &on.facts.change) {
        found.push(on.in_plan_line(Code::UnknownChange, 1, error));
    }
}
