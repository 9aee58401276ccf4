//! Rules that compare claims with recorded runs.

use super::context::{Check, LintContext};
use crate::document;
use crate::evidence::Scope;
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::freshness;
use crate::status::{EvidenceState, State, evidence_state};

pub(super) const CHECKS: &[Check] = &[
    (&[DAMAGED_EVIDENCE], damaged),
    (
        &[UNPROVEN_CLAIM, FAILED_RUN, STALE_EVIDENCE, OTHER_COMMANDS],
        steps,
    ),
    (&[UNPROVEN_CLAIM], whole),
    (
        &[FAILED_RUN, STALE_EVIDENCE, REGRESSION, OTHER_COMMANDS],
        runs,
    ),
    (
        &[
            UNPROVEN_CLAIM,
            FAILED_RUN,
            STALE_EVIDENCE,
            UNCOMMITTED_EVIDENCE,
            OTHER_COMMANDS,
        ],
        dirty,
    ),
];

pub(crate) const DAMAGED_EVIDENCE: Code = Code::new(&Rule {
    code: "POC010",
    name: "damaged-evidence",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "evidence was edited, truncated or copied",
    page: r#"
A record of a run was changed by hand, truncated, or copied from another PoC. The record is ignored. Restore the results
document from git, or verify again.

```console
$ sed -i 's/"outcome":"failed"/"outcome":"passed"/' docs/fires-results.md
```
"#,
});

/// Evidence with a wrong checksum.
fn damaged(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for problem in &cx.context.evidence.problems {
        found.push(cx.in_results_line(DAMAGED_EVIDENCE, problem.line, &problem.message));
    }
}

pub(crate) const UNPROVEN_CLAIM: Code = Code::new(&Rule {
    code: "POC020",
    name: "unproven-claim",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a claim has no evidence",
    page: r"
A ticked box, a mark or `Complete` claims that the work is done, but no recorded run proves it. Run the command in the message.

```markdown
**Status**: Complete
```
",
});

pub(crate) const FAILED_RUN: Code = Code::new(&Rule {
    code: "POC021",
    name: "failed-run",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "the last run failed",
    page: r"
The last recorded run of a step, the done block or the affected tests failed. A run that executed no test counts as failed.
Fix the cause and verify again: only the last run counts.

```bash
cargo test -p store no_such_test
```
",
});

pub(crate) const STALE_EVIDENCE: Code = Code::new(&Rule {
    code: "POC022",
    name: "stale-evidence",
    severity: Severity::Warning,
    gate: Gate::Stale,
    title: "evidence is stale",
    page: r#"
The run passed, but a change since then can affect one of its tests, or the toolchain changed. Comments make nothing stale. For
commands that do more than run tests, any change in the code they link makes the evidence stale. Verify again. `status --check`
exits with 3 if no finding is worse than this one.

```console
$ cargo poc verify fires --step 1
$ sed -i "s/^    42$/    40 + 2/" app/src/lib.rs
```
"#,
});

pub(crate) const OTHER_COMMANDS: Code = Code::new(&Rule {
    code: "POC025",
    name: "other-commands",
    severity: Severity::Warning,
    gate: Gate::Stale,
    title: "evidence comes from other commands than the plan's",
    page: r#"
The commands of the plan are not the commands that were run, because the plan changed or the evidence is of another plan.
Verify again.

```console
$ cargo poc verify fires --step 1
$ sed -i "s/cargo test -p store/cargo test -p app/" docs/fires-plan.md
```
"#,
});

/// Steps whose claim or evidence is not valid.
fn steps(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for (step, planned) in cx.status.steps.iter().zip(&cx.plan.steps) {
        let (code, verb) = match step.state {
            State::Claimed => (UNPROVEN_CLAIM, "is marked as done, but no run proves it"),
            State::Failed => (FAILED_RUN, "failed"),
            State::Stale if step.evidence == EvidenceState::OtherCommands => {
                (OTHER_COMMANDS, "was proven but is stale")
            }
            State::Stale => (STALE_EVIDENCE, "was proven but is stale"),
            _ => continue,
        };
        let why = step
            .why
            .as_ref()
            .map_or(String::new(), |why| format!(" ({why})"));
        let message = format!("step {} {verb}{why}", step.id);
        let mut finding = cx.in_plan(code, &planned.heading, message);
        // A step of another tool that names no file has nothing to run.
        if step.has_commands || !cx.poc.paths.is_foreign() {
            let (name, id) = (&cx.status.name, &step.id);
            finding = finding.help(format!("run `cargo poc verify {name} --step {id}`"));
        }
        finding.column = 1;
        found.push(finding);
    }
}

/// Results that claim `Complete` before everything is proven.
fn whole(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let claim = cx.results.and_then(|results| results.status.as_ref());
    let Some(claim) = claim.filter(|claim| claim.status == Some(document::Status::Complete)) else {
        return;
    };
    if cx.status.state != State::Proven {
        let message = format!(
            "the results say `{}`, but not everything is proven",
            claim.text
        );
        let help = format!("see `cargo poc status {}`", cx.status.name);
        found.push(
            cx.in_results(UNPROVEN_CLAIM, &claim.span, message)
                .help(help),
        );
    }
}

pub(crate) const REGRESSION: Code = Code::new(&Rule {
    code: "POC023",
    name: "regression",
    severity: Severity::Error,
    gate: Gate::Required,
    title: "a test that passed in the baseline fails or is missing",
    page: r#"
A test that passed in the baseline now fails or no longer exists, so the work is not self-contained.

```console
$ cargo poc verify fires --baseline
$ sed -i "s/fn unit/fn renamed/" store/src/lib.rs
$ cargo poc verify fires
```
"#,
});

/// The last runs of the done block and of affected or all tests.
fn runs(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let evidence = cx.context.evidence;
    let line_of = |scope: &Scope| {
        let mut records = evidence.records.iter().rev();
        let of_scope = records.find(|located| located.record.scope == *scope);
        of_scope.map_or(1, |located| located.line)
    };
    let failed = cx.status.runs.failed_since_done.clone();
    for scope in failed.into_iter().chain([Scope::Done]) {
        let regressed = evidence
            .last(&scope)
            .is_some_and(|record| !record.regressions.is_empty() || !record.missing.is_empty());
        let (code, message) = match evidence_state(cx.poc, cx.context, &scope) {
            EvidenceState::Failed(why) => (
                if regressed { REGRESSION } else { FAILED_RUN },
                format!("the last run of `{scope}` did not pass ({why})"),
            ),
            EvidenceState::Stale(why) if scope == Scope::Done => (
                STALE_EVIDENCE,
                format!("the done block was proven but is stale ({why})"),
            ),
            EvidenceState::OtherCommands if scope == Scope::Done => (
                OTHER_COMMANDS,
                "the commands of the done block differ from those of its last run".to_owned(),
            ),
            _ => continue,
        };
        found.push(cx.in_results_line(code, line_of(&scope), message));
    }
}

pub(crate) const UNCOMMITTED_EVIDENCE: Code = Code::new(&Rule {
    code: "POC024",
    name: "uncommitted-evidence",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "evidence comes from uncommitted sources",
    page: r"
The work is called complete, but the last run of a step used sources that are in no commit, so the run cannot be repeated.
Documents are not compared. Commit; if the sources differ from those of the run, verify again.

```markdown
| **Status** | Complete |
```
",
});

/// Completed work whose evidence comes from uncommitted sources: nobody can repeat the run.
fn dirty(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if !cx.claims_complete() {
        return;
    }
    let steps = cx.status.steps.iter().filter(|step| {
        // A set-up step stays proven when sources change.
        let is_set_up =
            step.state == State::Proven && matches!(step.evidence, EvidenceState::Stale(_));
        step.state != State::Withdrawn && !is_set_up
    });
    let steps = steps.map(|step| Scope::Step(step.id.clone()));
    let mut scopes = Vec::new();
    let mut first = None;
    for scope in steps.chain([Scope::Done]) {
        let last = cx.context.evidence.last_located(&scope);
        let Some(last) = last.filter(|last| last.record.source.dirty == Some(true)) else {
            continue;
        };
        // The verified sources were committed later without changes.
        if cx.context.is_committed
            && freshness::changed_of(&last.record.inputs, cx.context.inputs).is_empty()
        {
            continue;
        }
        scopes.push(format!("`{scope}`"));
        first.get_or_insert(last.line);
    }
    let Some(line) = first else {
        return;
    };
    let runs = if scopes.len() == 1 { "run" } else { "runs" };
    let scopes = scopes.join(", ");
    let message = format!("the last {runs} of {scopes} used sources that are not in a commit");
    let help = "commit; verify again if the sources then differ";
    found.push(
        cx.in_results_line(UNCOMMITTED_EVIDENCE, line, message)
            .help(help),
    );
}
