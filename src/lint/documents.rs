//! What cannot be read, or not as it was meant.

use super::{Rule, Subject};
use crate::document::Severity;
use crate::finding::{Code, Finding};

pub(super) const RULES: &[Rule] = &[problems, no_results];

/// What the reader of the documents could not make out.
fn problems(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let code = |severity| match severity {
        Severity::Warning => Code::Unclear,
        Severity::Error => Code::Unreliable,
    };
    for problem in &on.plan.problems {
        let code = code(problem.kind.severity());
        let mut finding = on.in_plan(code, &problem.span, &problem.message);
        (finding.line, finding.column) = (problem.line, problem.column);
        found.push(finding);
    }
    for problem in on.results.iter().flat_map(|results| &results.problems) {
        let code = code(problem.kind.severity());
        let mut finding = on.in_results(code, &problem.span, &problem.message);
        (finding.line, finding.column) = (problem.line, problem.column);
        found.push(finding);
    }
}

/// A plan without its results.
fn no_results(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if on.results.is_none() {
        let message = format!("there is no {}", on.results_path);
        let help = "restore it from git, or start again with another name";
        found.push(on.in_plan_line(Code::NoResults, 1, message).help(help));
    }
}
