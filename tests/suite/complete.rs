//! When the program calls a PoC complete: where all of it is proven and ticked, and never else.

use crate::kit::{Run, Sandbox};
use crate::plans::plan;

const PLAN: &str = plan!(
    "- [ ] fast
  - Proof: step 1
",
    "### Step 1: Do it

**Tests**: none

**Verification**:
```bash
test -f src/lib.rs
```

## What \"Done\" Looks Like

```bash
true
```
"
);

const RESULTS: &str = "# Cache Results

## Summary

| Attribute | Value |
|---|---|
| **Status** | \u{1f504} In Progress |
| **Started** | 2026-01-02 |
| **Completed** | -- |
| **Proves** | that it can be done |

## Success Criteria

- [x] fast

## Implementation Progress

### Step 1: Do it

**Status**: Pending
";

/// The work with its step proven, the done block not yet.
fn sandbox(results: &str) -> Sandbox {
    sandbox_of(PLAN, results, "verify cache --step 1 -q")
}

fn sandbox_of(plan: &str, results: &str, verify: &str) -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", plan)
        .write("docs/cache-results.md", results);
    sandbox.git();
    sandbox.poc(verify).exits(0);
    sandbox
}

fn results(sandbox: &Sandbox) -> String {
    sandbox.read("docs/cache-results.md")
}

/// The results up to the evidence.
fn above(sandbox: &Sandbox) -> String {
    let text = results(sandbox);
    let end = text.find("<!-- cargo-poc").unwrap_or(text.len());
    text[..end].to_owned()
}

#[track_caller]
fn is_open(sandbox: &Sandbox, run: &Run) {
    run.hides("    Complete ");
    let text = results(sandbox);
    assert!(text.contains("| **Completed** | -- |"), "{text}");
    assert!(!text.contains("| \u{2705} Complete |"), "{text}");
}

#[test]
fn done_block_completes_proven_and_ticked_work() {
    let sandbox = sandbox(RESULTS);
    sandbox.poc("step done cache 1").exits(0).hides("Complete ");
    sandbox
        .poc("verify cache --done")
        .exits(0)
        .says("Complete cache: every step, the done block and every criterion are proven");
    let text = results(&sandbox);
    let status =
        "| **Status** | \u{2705} Complete |\n| **Started** | 2026-01-02 |\n| **Completed** | 20";
    assert!(text.contains(status), "{text}");
    assert!(
        text.contains("| **Proves** | that it can be done |"),
        "{text}"
    );
    sandbox.commit("done");
    sandbox.poc("status cache --check").exits(0);
    let poc = sandbox.poc("status cache --format json").json()["pocs"][0].take();
    assert_eq!(poc["state"], "proven");
    assert_eq!(poc["next"], serde_json::Value::Null);
    sandbox
        .poc("status")
        .exits(0)
        .prints("Everything is proven.");
    // Said once; a second run changes the evidence alone.
    let before = above(&sandbox);
    sandbox
        .poc("verify cache --done")
        .exits(0)
        .hides("Complete cache");
    assert_eq!(above(&sandbox), before);
}

#[test]
fn last_step_completes_the_work_after_the_done_block() {
    // The step's block is not updated yet.
    let sandbox = sandbox_of(PLAN, RESULTS, "verify cache --step 1 -q --no-close");
    let run = sandbox.poc("verify cache --done");
    run.exits(0)
        .says("Open cache")
        .says("`cargo poc step done cache 1`");
    is_open(&sandbox, &run);
    sandbox
        .poc("step done cache 1 --dry-run")
        .exits(0)
        .hides("Complete cache");
    sandbox
        .poc("step done cache 1")
        .exits(0)
        .says("Complete cache");
    assert!(results(&sandbox).contains("| \u{2705} Complete |"));
}

#[test]
fn open_criterion_prevents_complete_and_is_the_next_action() {
    let sandbox = sandbox_of(
        &PLAN.replace("Proof: step 1", "Proof: person"),
        &RESULTS.replace("[x] fast", "[ ] fast"),
        "verify cache --step 1 -q",
    );
    let run = sandbox.poc("verify cache --done");
    run.exits(0);
    is_open(&sandbox, &run);
    // A tick is a claim, so it does not complete anything.
    sandbox.edit("docs/cache-results.md", "[ ] fast", "[x] fast");
    is_open(&sandbox, sandbox.poc("verify cache --done").exits(0));
    let poc = sandbox.poc("status cache --format json").json()["pocs"][0].take();
    assert_eq!(poc["next"]["person"], true);
    sandbox
        .poc("verify cache --confirm criterion.1 --reason measured")
        .exits(0)
        .says("Complete cache");
}

#[test]
fn finding_prevents_complete() {
    for (what, results, plan) in [
        (
            "an open flag",
            format!("{RESULTS}\n**Review**: FLAG, the eviction is untested\n"),
            PLAN.to_owned(),
        ),
        (
            "a placeholder",
            RESULTS.replace("that it can be done", "[fill in: what]"),
            PLAN.to_owned(),
        ),
        (
            "a person's own word",
            RESULTS.replace("In Progress", "In Progress (waits for Ada)"),
            PLAN.to_owned(),
        ),
        (
            "no criteria",
            RESULTS.replace("- [x] fast\n", ""),
            PLAN.to_owned(),
        ),
    ] {
        let sandbox = sandbox(&results);
        sandbox.write("docs/cache-plan.md", &plan);
        let before = above(&sandbox);
        let run = sandbox.poc("verify cache --done");
        run.exits(0).says("Open cache");
        is_open(&sandbox, &run);
        assert_eq!(above(&sandbox), before, "{what}");
    }
}

#[test]
fn missing_planned_file_prevents_complete() {
    let sandbox = sandbox(RESULTS);
    sandbox.append(
        "docs/cache-plan.md",
        "\n## Files to Create/Modify\n\n| File | Action | Status |\n|---|---|---|\n| `src/cache.rs` | Create | Pending |\n",
    );
    is_open(&sandbox, sandbox.poc("verify cache --done").exits(0));
}

#[test]
fn a_run_that_fails_or_is_not_recorded_completes_nothing() {
    let sandbox = sandbox(RESULTS);
    sandbox.poc("step done cache 1").exits(0);
    is_open(
        &sandbox,
        sandbox.poc("verify cache --done --no-record").exits(0),
    );
    is_open(&sandbox, sandbox.poc("verify cache --full").exits(0));
    // Stale once more: the step depends on it.
    sandbox.append("src/lib.rs", "// changed\n");
    is_open(&sandbox, sandbox.poc("verify cache --done").exits(0));
    sandbox.edit("docs/cache-plan.md", "\ntrue\n", "\nfalse\n");
    sandbox.poc("verify cache --step 1 -q").exits(0);
    is_open(&sandbox, sandbox.poc("verify cache --done").exits(1));
}

#[test]
fn confirmation_can_complete_the_work() {
    let sandbox = sandbox(RESULTS);
    sandbox.edit(
        "docs/cache-plan.md",
        "\ntrue\n",
        "\ntrue\n# Expected: it looks right\n",
    );
    sandbox.poc("step done cache 1").exits(0);
    is_open(&sandbox, sandbox.poc("verify cache --done").exits(1));
    sandbox
        .poc("verify cache --confirm done.1")
        .exits(0)
        .says("Complete cache");
    assert!(results(&sandbox).contains("| \u{2705} Complete |"));
}
