//! Rules that compare the plan with its locked contract, and runs that need confirmation.

use super::context::{Check, LintContext};
use crate::contract::{Difference, Kind};
use crate::document::SectionKind;
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::status::State;

pub(super) const CHECKS: &[Check] = &[
    (&[UNCONFIRMED_RUN], to_confirm),
    (&[DAMAGED_CONTRACT], damaged),
    (
        &[WEAKENED_PROMISE, CHANGED_PROMISE, EXTENDED_PROMISE],
        changes,
    ),
    (&[FORCED_STEP], overrides),
];

/// The number of changed tests to name in a finding; `amend` names all.
const NAMED: usize = 4;

pub(crate) const UNCONFIRMED_RUN: Code = Code::new(&Rule {
    code: "POC060",
    name: "unconfirmed-run",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a run needs confirmation by a person",
    page: r"
`# Expected: a p99 that pleases` cannot be checked by a program. `verify` runs the command and asks a person to decide:

```text
$ cargo poc verify cache --done
  look at  target/release/load --rate 10k
  expected a p99 that pleases
  then     cargo poc verify cache --confirm done.2
```

Read the output and confirm it in your name, or write a supported expectation (`cargo poc verify --help`).
",
});

/// The first run that needs a confirmation.
fn to_confirm(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some((scope, id)) = &cx.status.runs.unconfirmed else {
        return;
    };
    let mut records = cx.context.evidence.records.iter().rev();
    let record = records.find(|located| located.record.scope == *scope);
    let line = record.map_or(1, |located| located.line);
    let message = format!("the result of {id} needs a confirmation by a person");
    let help = format!(
        "check the output, then run `cargo poc verify {} --confirm {id}`",
        cx.status.name
    );
    found.push(
        cx.in_results_line(UNCONFIRMED_RUN, line, message)
            .help(help),
    );
}

pub(crate) const DAMAGED_CONTRACT: Code = Code::new(&Rule {
    code: "POC064",
    name: "damaged-contract",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a lock or amendment was edited, truncated or copied",
    page: r"
Each entry under `## Contract` has a checksum and names the previous entry, and each run names the last entry of its time. Restore the
line from git.
",
});

/// Invalid entries.
fn damaged(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for problem in &cx.context.contract.problems {
        found.push(cx.in_results_line(DAMAGED_CONTRACT, problem.line, &problem.message));
    }
}

pub(crate) const WEAKENED_PROMISE: Code = Code::new(&Rule {
    code: "POC061",
    name: "weakened-promise",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "the plan was weakened without an amendment",
    page: r#"
The contract was locked when the work began: the success criteria, the verification commands with their expectations, and the
tests of the affected packages, stored in the results under `## Contract`. Since then a criterion was removed or its number
relaxed, a command was removed or runs less (`--skip`, a filter, `|| true`, one package instead of the workspace), an
expectation was relaxed, or a test was deleted or ignored.

```text
error[POC061] docs/cache-plan.md:34: criterion relaxed: p99 read latency < 1 ms → p99 read latency < 5 ms
```

Restore it. For a deliberate change, record an amendment: `cargo poc amend cache --reason "the disk of the CI machine"`. It
stores who changed what, when and why, and `status` continues to show that the contract was weakened.
"#,
});

pub(crate) const CHANGED_PROMISE: Code = Code::new(&Rule {
    code: "POC062",
    name: "changed-promise",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "the plan was changed without an amendment",
    page: r"
Like POC061, for a change that a program cannot classify: a criterion in other words, a number that is not a bound, or another
command. Adding a note in parentheses to a criterion and filling in a placeholder are not changes.
",
});

pub(crate) const EXTENDED_PROMISE: Code = Code::new(&Rule {
    code: "POC063",
    name: "extended-promise",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "the plan was extended without an amendment",
    page: r"
Like POC061, for additions and stricter requirements. `cargo poc amend` adds them to the contract. Until then, removing them
again would not be noticed.
",
});

/// Changes of the plan since the contract was locked or amended.
fn changes(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let changes = &cx.context.contract.changes;
    let (tests, others): (Vec<&Difference>, Vec<&Difference>) =
        changes.iter().partition(|change| change.what == "test");
    for change in others {
        let code = if change.how.weakens() {
            WEAKENED_PROMISE
        } else if change.how.extends() {
            EXTENDED_PROMISE
        } else {
            CHANGED_PROMISE
        };
        found.push(at_change(cx, code, change, change.to_string()));
    }
    let mut hows: Vec<_> = tests.iter().map(|test| test.how).collect();
    hows.sort_unstable();
    hows.dedup();
    for how in hows {
        let gone = tests.iter().filter(|test| test.how == how);
        let names: Vec<&str> = gone.filter_map(|test| test.was.as_deref()).collect();
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = names[..names.len().min(NAMED)].join(", ");
        let what = if names.len() == 1 { "test" } else { "tests" };
        let message = format!("{what} {how}: {shown}{more}");
        found.push(at_change(cx, WEAKENED_PROMISE, tests[0], message));
    }
}

/// A finding at the changed line of the plan, or at the section of a removed one.
fn at_change(cx: &LintContext<'_>, code: Code, change: &Difference, message: String) -> Finding {
    let is = change.is.as_deref();
    let criterion = cx
        .plan
        .criteria
        .iter()
        .find(|item| Some(item.text.as_str()) == is);
    let kind = match change.what.as_str() {
        "criterion" | "proof of a criterion" => SectionKind::SuccessCriteria,
        what if what.ends_with("done") => SectionKind::Done,
        "test" => SectionKind::TestSummary,
        _ => SectionKind::Steps,
    };
    let section = cx.plan.sections.iter().find(|section| section.kind == kind);
    let id = change.what.rsplit_once("step ").map(|(_, id)| id);
    let step = cx
        .plan
        .steps
        .iter()
        .find(|step| Some(step.id.as_str()) == id);
    let span = criterion
        .map(|item| &item.span)
        .or(step.map(|step| &step.heading))
        .or(section.map(|section| &section.heading));
    let finding = match span {
        Some(span) => cx.in_plan(code, span, message),
        None => cx.in_plan_line(code, 1, message),
    };
    let name = &cx.status.name;
    finding.about(change.to_string()).help(format!(
        "restore it, or give a reason: `cargo poc amend {name} --reason \"…\"`"
    ))
}

pub(crate) const FORCED_STEP: Code = Code::new(&Rule {
    code: "POC065",
    name: "forced-step",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a step was closed without proof",
    page: r#"
`cargo poc step done --force --reason "…"` closed the step, and no run has proven it since. Run its verification.
"#,
});

/// Steps that were closed without proof and are still not proven.
fn overrides(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let entries = cx.context.contract.entries.iter();
    for located in entries.filter(|located| located.entry.kind == Kind::Override) {
        let id = located.entry.step.as_deref().unwrap_or_default();
        let mut steps = cx.status.steps.iter();
        if steps.any(|step| step.id == id && step.state == State::Proven) {
            continue;
        }
        let reason = located.entry.reason.as_deref().unwrap_or_default();
        let by = located.entry.by.as_deref().unwrap_or("an unknown person");
        let message = format!("step {id} was closed without proof by {by}: {reason}");
        let help = format!("run `cargo poc verify {} --step {id}`", cx.status.name);
        found.push(
            cx.in_results_line(FORCED_STEP, located.line, message)
                .about(id)
                .help(help),
        );
    }
}
