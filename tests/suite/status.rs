//! `status`: where a PoC stands, on documents with evidence of our own making.

mod freshness;
mod reports;
mod workspace;

use std::collections::BTreeMap;

use cargo_poc::internals::cli::Cli;
use cargo_poc::internals::document::{Document, read_plan};
use cargo_poc::internals::evidence::{
    self, Names, Outcome, Packed, Record, Scope, Source, TestCounts,
};
use cargo_poc::internals::freshness::Hasher;
use cargo_poc::internals::project::Project;
use cargo_poc::internals::sys::cargo::toolchain;
use cargo_poc::internals::verify;
use clap::Parser as _;
use serde_json::{Value, json};

use crate::kit::{Run, Sandbox};

pub(crate) const PLAN: &str = "# Cache PoC Implementation Plan

## Overview

| Attribute | Value |
|-----------|-------|
| **Name** | Cache |
| **Type** | PoC |
| **Base** | `main` |

## Prerequisites

### 1. Identify Affected Tests

```bash
cargo test -p store
```

## Success Criteria

- [ ] fast
  - Proof: step 1
- [ ] small
  - Proof: done

## Implementation Steps

### Step 0: Set-up

**Tasks**:
- [ ] prepare

**Verification**:
```bash
cargo check -p store
```

### Step 1: Keep answers

**Tasks**:
- [ ] write
- [ ] test

**Verification**:
```bash
cargo test -p store
```

### ~~Step 2~~: Drop them

## Production-Grade Checklist

- [x] **No stubs**
- [ ] **No secrets**

## What \"Done\" Looks Like

```bash
cargo test --workspace
```

## Files to Create/Modify

| File | Action | Status |
|------|--------|--------|
| `store/src/lib.rs` | Modify | Pending: answers |
| `store/src/cache.rs` | Create | Pending: keeps them |
";

const RESULTS: &str = "# Cache PoC Results

## Summary

| Attribute | Value |
|-----------|-------|
| **Status** | In Progress |
| **Started** | 2026-01-03 |
| **Completed** | -- |

## Success Criteria

- [ ] fast
- [ ] small

## Implementation Progress

### Step 0: Set-up

**Status**: Pending

### Step 1: Keep answers

**Status**: Pending
";

/// A workspace with a plan called `cache` in its first commit, and no evidence.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; free");
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox
}

fn tests(passed: u64, failed: u64) -> TestCounts {
    TestCounts {
        passed,
        failed,
        ignored: 0,
        filtered: 0,
    }
}

/// What a run of `scope` on the store, as things are now, would have recorded.
fn a_record(sandbox: &Sandbox, scope: Scope, second: u32) -> Record {
    let manifest = sandbox.root.join("Cargo.toml");
    let cli = Cli::parse_from(["cargo-poc", "--manifest-path", manifest.as_str(), "status"]);
    let project = Project::load(&cli.global).unwrap();
    let store = project.workspace.find("store").unwrap();
    let mut hasher = Hasher::new(
        &project.workspace,
        &project.config,
        project.repository().ok(),
        &toolchain(&sandbox.root).unwrap(),
    )
    .unwrap();
    let plan = sandbox.read("docs/cache-plan.md");
    let plan = read_plan(&Document::from_text("p", plan));
    Record {
        previous: Vec::new(),
        contract: None,
        poc: "cache".to_owned(),
        time: format!("2026-01-03T10:00:{second:02}Z"),
        outcome: Outcome::Passed,
        checks: Vec::new(),
        tests: Some(tests(3, 0)),
        selection: None,
        strength: None,
        failing: BTreeMap::new(),
        ignored: BTreeMap::new(),
        regressions: BTreeMap::new(),
        missing: BTreeMap::new(),
        recovered: BTreeMap::new(),
        quarantined: BTreeMap::new(),
        passed: (scope == Scope::Baseline).then(|| Packed::new(&Names::new()).unwrap()),
        notes: Vec::new(),
        source: Source::default(),
        inputs: hasher.inputs(&[store].into()).unwrap(),
        commands: verify::commands_hash(&verify::planned(&plan, &scope)),
        milliseconds: 1,
        durations_ms: BTreeMap::new(),
        toolchain: "rustc".to_owned(),
        tool: "cargo-poc".to_owned(),
        scope,
    }
}

fn write_down(sandbox: &Sandbox, record: &Record) {
    let text = sandbox.read("docs/cache-results.md");
    let text = evidence::append(&text, record).unwrap();
    sandbox.write("docs/cache-results.md", text);
}

/// Records a passing run.
pub(crate) fn passed(sandbox: &Sandbox, scope: Scope, second: u32) {
    write_down(sandbox, &a_record(sandbox, scope, second));
}

pub(crate) fn step(id: &str) -> Scope {
    Scope::Step(id.to_owned())
}

/// What the plan wants of files.
fn work(sandbox: &Sandbox) {
    sandbox
        .append("store/src/lib.rs", "// answers\n")
        .write("store/src/cache.rs", "//! Keeps answers.\n");
}

/// Does the work, and records a passing run of everything.
fn all_passed(sandbox: &Sandbox) {
    work(sandbox);
    let scopes = [Scope::Baseline, step("0"), step("1"), Scope::Done];
    for (second, scope) in (0..).zip(scopes) {
        passed(sandbox, scope, second);
    }
}

#[track_caller]
pub(crate) fn cache(run: &Run) -> Value {
    run.json()["pocs"][0].clone()
}

/// The state of the whole, then of each step, then the next command.
#[track_caller]
fn states(sandbox: &Sandbox) -> (String, Vec<String>, String) {
    let poc = cache(sandbox.poc("status cache --format json").exits(0));
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let steps = poc["steps"].as_array().unwrap();
    (
        text(&poc["state"]),
        steps.iter().map(|step| text(&step["state"])).collect(),
        text(&poc["next"]["command"]),
    )
}

#[track_caller]
fn assert_states(sandbox: &Sandbox, whole: &str, steps: [&str; 2], next: &str) {
    let (state, mut found, command) = states(sandbox);
    assert_eq!(found.pop().as_deref(), Some("withdrawn"));
    assert_eq!((state.as_str(), command.as_str()), (whole, next));
    assert_eq!(found, steps);
}

#[track_caller]
fn codes(sandbox: &Sandbox) -> Vec<String> {
    let poc = cache(&sandbox.poc("status cache --format json"));
    let findings = poc["findings"].as_array().unwrap();
    let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
    findings.iter().map(code).collect()
}

#[test]
fn a_new_plan_is_pending_and_its_baseline_comes_first() {
    let sandbox = sandbox();
    assert_states(
        &sandbox,
        "pending",
        ["pending"; 2],
        "cargo poc verify cache --baseline",
    );
    sandbox.poc("status --check").exits(0);
}

/// The results call a step complete, as `step done` makes them do.
fn said(sandbox: &Sandbox, heading: &str) {
    let block = |status: &str| format!("### {heading}\n\n**Status**: {status}\n");
    sandbox.edit(
        "docs/cache-results.md",
        &block("Pending"),
        &block("Complete"),
    );
}

#[test]
fn work_proceeds_by_step_to_the_done_block() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    assert_states(
        &sandbox,
        "pending",
        ["pending"; 2],
        "cargo poc verify cache --step 0",
    );
    passed(&sandbox, step("0"), 1);
    assert_states(
        &sandbox,
        "in progress",
        ["proven", "pending"],
        "cargo poc step done cache 0",
    );
    said(&sandbox, "Step 0: Set-up");
    assert_states(
        &sandbox,
        "in progress",
        ["proven", "pending"],
        "cargo poc verify cache --step 1",
    );
    sandbox.edit("docs/cache-plan.md", "- [ ] write", "- [x] write");
    assert_states(
        &sandbox,
        "in progress",
        ["proven", "in progress"],
        "cargo poc verify cache --step 1",
    );
    // A run that passes before the planned files are there proves nothing.
    passed(&sandbox, step("1"), 2);
    assert_states(
        &sandbox,
        "in progress",
        ["proven", "in progress"],
        "cargo poc verify cache --step 1",
    );
    sandbox
        .poc("status cache")
        .prints("planned but not done: `store/src/lib.rs`, `store/src/cache.rs`");
    work(&sandbox);
    passed(&sandbox, step("0"), 3);
    passed(&sandbox, step("1"), 4);
    said(&sandbox, "Step 1: Keep answers");
    assert_states(
        &sandbox,
        "in progress",
        ["proven"; 2],
        "cargo poc verify cache --done",
    );
    passed(&sandbox, Scope::Done, 5);
    assert_states(&sandbox, "proven", ["proven"; 2], "cargo poc verify cache");
    sandbox
        .poc("verify cache")
        .exits(0)
        .says("no step is left to run")
        .says("Complete cache");
    let results = sandbox.read("docs/cache-results.md");
    assert!(
        results.contains("| **Status** | Complete |") && !results.contains("[ ]"),
        "{results}"
    );
    assert_states(&sandbox, "proven", ["proven"; 2], "none");
    sandbox.poc("status --check").exits(0);
}

#[test]
fn ticks_and_status_words_are_claims_that_fail_the_gate() {
    let claims = [
        ("docs/cache-plan.md", "- [ ] prepare", "- [x] prepare"),
        (
            "docs/cache-results.md",
            "### Step 0: Set-up\n\n**Status**: Pending",
            "### Step 0: Set-up\n\n**Status**: Complete",
        ),
        (
            "docs/cache-results.md",
            "### Step 0: Set-up\n\n**Status**: Pending",
            "### Step 0: Set-up ✅\n\n**Status**: Complete",
        ),
    ];
    for (path, old, new) in claims {
        let sandbox = sandbox();
        passed(&sandbox, Scope::Baseline, 0);
        sandbox.edit(path, old, new);
        assert_states(
            &sandbox,
            "claimed",
            ["claimed", "pending"],
            "cargo poc verify cache --step 0",
        );
        assert_eq!(codes(&sandbox), ["POC020"]);
        sandbox
            .poc("status --check")
            .exits(1)
            .prints("step 0 is marked as done, but no run proves it");
        // Evidence settles it.
        passed(&sandbox, step("0"), 1);
        sandbox.poc("status --check").exits(0);
    }
}

#[test]
fn a_completed_summary_needs_everything_proven() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    sandbox.edit("docs/cache-results.md", "In Progress", "✅ Complete");
    assert_eq!(states(&sandbox).0, "claimed");
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("not everything is proven");
    sandbox
        .append("store/src/lib.rs", "// changed\n")
        .write("store/src/cache.rs", "//! Keeps answers.\n")
        .edit(
            "docs/cache-results.md",
            "**Status**: Pending",
            "**Status**: Complete",
        );
    all_passed(&sandbox);
    // Proven, and still not what the Summary says: the criteria are open.
    let (state, _, next) = states(&sandbox);
    assert_eq!(
        (state.as_str(), next.as_str()),
        ("proven", "cargo poc check cache")
    );
    sandbox
        .poc("status --check")
        .exits(1)
        .hides("Everything is proven");
    sandbox
        .edit("docs/cache-results.md", "- [ ] fast", "- [x] fast")
        .edit("docs/cache-results.md", "- [ ] small", "- [x] small");
    assert_eq!(states(&sandbox).2, "none");
    sandbox.poc("status --check").exits(0);
}

#[test]
fn a_plan_without_results_is_a_finding() {
    let sandbox = sandbox();
    sandbox.remove("docs/cache-results.md");
    let run = sandbox.poc("status cache --format json");
    let poc = cache(run.exits(0));
    assert!(poc["results"].is_null() && poc["summary"]["status"].is_null());
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("docs/cache-results.md does not exist");
}

#[test]
fn placeholders_come_last() {
    let sandbox = sandbox();
    sandbox.append(
        "docs/cache-plan.md",
        "\n## Next Steps\n\n1. [fill in: what this unlocks]\n",
    );
    all_passed(&sandbox);
    said(&sandbox, "Step 0: Set-up");
    said(&sandbox, "Step 1: Keep answers");
    let line = sandbox.read("docs/cache-plan.md").lines().count();
    let next = cache(&sandbox.poc("status cache --format json"))["next"].clone();
    assert_eq!(
        next["command"],
        format!("${{EDITOR:-vi}} +{line} docs/cache-plan.md")
    );
    assert!(
        next["why"].as_str().unwrap().contains("1 placeholder left"),
        "{next}"
    );
}

#[test]
fn withdrawn_poc_has_no_next_action() {
    let sandbox = sandbox();
    sandbox.edit("docs/cache-results.md", "In Progress", "Withdrawn");
    assert_states(&sandbox, "withdrawn", ["pending"; 2], "none");
}
