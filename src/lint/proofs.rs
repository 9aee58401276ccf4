//! Proofs of success criteria: a tick without proof, and a proof that does not exist.

use super::context::{Check, LintContext};
use super::evidence::{STALE_EVIDENCE, UNPROVEN_CLAIM};
use crate::document::proof::Proof;
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::status::{CriterionStatus, State};

pub(super) const CHECKS: &[Check] = &[
    (&[UNPROVABLE_CRITERION], unprovable),
    (&[UNPROVEN_CLAIM, STALE_EVIDENCE], ticked),
];

pub(crate) const UNPROVABLE_CRITERION: Code = Code::new(&Rule {
    code: "POC057",
    name: "unprovable-criterion",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a criterion names a proof that does not exist",
    page: r"
The bullet under a criterion names its proof. Here the plan has no step 9:

```markdown
- [ ] p99 read latency < 1 ms
  - Proof: step 9
```

Several bullets are all needed. A proof is `step ID`, `done` (the done block), `done 2` (its second command), `test NAME`, `value NAME` (a measured value) or `person`. Without such a bullet,
a person has to confirm the criterion: `cargo poc verify NAME --confirm criterion.1 --reason TEXT`.
",
});

/// Proofs that refer to nothing.
fn unprovable(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for (criterion, item) in cx.status.criteria.iter().zip(&cx.plan.criteria) {
        let unprovable = criterion
            .proven_by
            .iter()
            .filter(|proof| match &proof.proof {
                Proof::Step(id) => !cx.plan.steps.iter().any(|step| step.id == *id),
                Proof::Done(_) => cx.plan.done.is_empty(),
                Proof::Unknown(_) => true,
                Proof::Test(_) | Proof::Value(_) | Proof::Person => false,
            });
        // A nested criterion inherits proofs, which are reported at its parent.
        for proof in unprovable.filter(|_| item.depth == 0) {
            let why = proof.why.as_deref().unwrap_or("it cannot be read");
            let message = format!("criterion {} cannot be proven: {why}", criterion.number);
            found.push(
                cx.in_plan(UNPROVABLE_CRITERION, &item.span, message)
                    .about(&item.text),
            );
        }
    }
}

/// Ticked criteria that are not proven, one finding per document.
fn ticked(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let unproven = |criterion: &&CriterionStatus| {
        criterion.checked && !matches!(criterion.state, State::Proven | State::Unknown)
    };
    for stale in [false, true] {
        let criteria = cx.status.criteria.iter().filter(unproven);
        let criteria: Vec<&CriterionStatus> = criteria
            .filter(|criterion| (criterion.state == State::Stale) == stale)
            .collect();
        let Some(first) = criteria.first() else {
            continue;
        };
        let why = first.why.as_deref().unwrap_or("no run proves it");
        let more = match criteria.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let verb = if stale {
            "was proven but is stale"
        } else {
            "is ticked but not proven"
        };
        let message = format!("criterion {} {verb} ({why}){more}", first.number);
        let code = if stale {
            STALE_EVIDENCE
        } else {
            UNPROVEN_CLAIM
        };
        let finding = match first.ticked_in_results {
            Some(line) => cx.in_results_line(code, line, message),
            None => cx.in_plan_line(code, first.line, message),
        };
        let help = format!("see `cargo poc status {}`", cx.status.name);
        found.push(finding.about(&first.text).help(help));
    }
}
