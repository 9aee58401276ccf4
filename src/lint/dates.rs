//! Contradicting dates.

use std::cmp::Ordering;

use super::context::{Check, LintContext};
use crate::document::Timestamp;
use crate::document::results::ResultStep;
use crate::evidence::Scope;
use crate::finding::{Code, Finding, Gate, Rule, Severity};

pub(super) const CHECKS: &[Check] = &[
    (&[DATES_OUT_OF_ORDER], whole),
    (&[DATES_OUT_OF_ORDER], steps),
];

fn is_before(one: &Timestamp, other: &Timestamp) -> bool {
    one.compare(other) == Some(Ordering::Less)
}

pub(crate) const DATES_OUT_OF_ORDER: Code = Code::new(&Rule {
    code: "POC052",
    name: "dates-out-of-order",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "dates are out of order",
    page: r"
Work was completed before it was started, a step before the previous step, or the whole before one of its steps. Dates without
a time count as the whole day.

```markdown
**Status**: Complete (2026-01-03T12:00:00-0800)
```

```markdown
**Status**: Complete (2026-01-03T11:00:00-08:00)
```
",
});

/// Created, started, completed.
fn whole(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(results) = cx.results else { return };
    let row = |key: &str| {
        let row = results
            .summary
            .iter()
            .find(|row| row.key.eq_ignore_ascii_case(key));
        row.map_or(0..0, |row| row.value_span.clone())
    };
    let mut later = |earlier: (&str, Option<&Timestamp>), key: &str, at: Option<&Timestamp>| {
        if let (Some(first), Some(second)) = (earlier.1, at)
            && is_before(second, first)
        {
            let message = format!(
                "{} on {}, but {} later, on {}",
                key.to_lowercase(),
                second.text,
                earlier.0,
                first.text
            );
            found.push(cx.in_results(DATES_OUT_OF_ORDER, &row(key), message));
        }
    };
    later(
        ("planned", cx.plan.created.as_ref()),
        "Started",
        results.started.as_ref(),
    );
    later(
        ("started", results.started.as_ref()),
        "Completed",
        results.completed.as_ref(),
    );
    let ends = results
        .steps
        .iter()
        .filter_map(|step| Some((step, step.completed.as_ref()?)));
    if let Some(completed) = &results.completed
        && let Some((step, _)) = ends.clone().find(|(_, end)| is_before(completed, end))
    {
        let message = format!(
            "completed on {}, but step {} was completed later",
            completed.text, step.id
        );
        found.push(cx.in_results(DATES_OUT_OF_ORDER, &row("Completed"), message));
    }
}

/// Whether a step has passed more than once. Its date is that of the last run.
fn was_verified_again(cx: &LintContext<'_>, step: &ResultStep) -> bool {
    let scope = Scope::Step(step.id.to_string());
    let records = cx.context.evidence.records.iter();
    let passed = records.filter(|located| located.record.scope == scope && located.record.proves());
    passed.count() > 1
}

/// Completion dates of consecutive steps.
fn steps(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(results) = cx.results else { return };
    let mut last: Option<(&ResultStep, &Timestamp)> = None;
    for step in &results.steps {
        if let (Some(started), Some(completed)) = (&step.started, &step.completed)
            && is_before(completed, started)
        {
            let message = format!("step {} was completed before it was started", step.id);
            found.push(cx.in_results(DATES_OUT_OF_ORDER, &step.heading, message));
        }
        let Some(at) = step.completed.as_ref().or(step.started.as_ref()) else {
            continue;
        };
        if let Some((before, end)) = last
            && is_before(at, end)
            && !was_verified_again(cx, before)
        {
            let message = format!(
                "step {} is dated {}, later than step {}, dated {}",
                before.id, end.text, step.id, at.text
            );
            found.push(cx.in_results(DATES_OUT_OF_ORDER, &step.heading, message));
        }
        last = Some((step, at));
    }
}
