//! Tests in quarantine that the plan does not excuse.

use super::context::{Check, LintContext};
use crate::finding::{Code, Finding, Gate, Rule, Severity};

pub(super) const CHECKS: &[Check] = &[(&[INVALID_QUARANTINE], quarantine)];

pub(crate) const INVALID_QUARANTINE: Code = Code::new(&Rule {
    code: "POC058",
    name: "invalid-quarantine",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a quarantine has ended, or lacks an owner, a reason or a last day",
    page: r"
A failed or flaky test is excused until the last day of its row in the plan. This quarantine has ended:

```markdown
## Quarantine

| Test | Owner | Reason | Until |
|------|-------|--------|-------|
| `store::cache::tests::races` | Ada | races with the clock, issue 12 | 2020-01-31 |
```

`status` shows each row. After the last day the test counts again, also in runs that were recorded before, until it is fixed or the
row has a later day. A row that is added after the plan was locked, or whose day is moved, weakens a promise (POC061). A run of
cargo is only excused if it has `--no-fail-fast`, since cargo otherwise leaves out the tests after the first binary that fails.
",
});

fn quarantine(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for quarantined in &cx.status.quarantine {
        let Some(why) = &quarantined.objection else {
            continue;
        };
        let row = &quarantined.row;
        let message = format!("the quarantine of `{}` excuses nothing: {why}", row.test);
        found.push(
            cx.in_plan_line(INVALID_QUARANTINE, row.line, message)
                .about(&row.test),
        );
    }
}
