//! `status`: where a PoC stands, on documents with evidence of our own making.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8Path;
use cargo_poc::cli::Cli;
use cargo_poc::document::{Document, read_plan};
use cargo_poc::evidence::{self, Names, Outcome, Packed, Record, Scope, Source, Tests};
use cargo_poc::freshness::Hasher;
use cargo_poc::project::Project;
use cargo_poc::sys::cargo::toolchain;
use cargo_poc::verify;
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
- [x] small

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
- [ ] **Documented**

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

fn tests(passed: u64, failed: u64) -> Tests {
    Tests {
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
        &project,
        project.repository().ok(),
        &toolchain(&sandbox.root).unwrap(),
    )
    .unwrap();
    let plan = sandbox.read("docs/cache-plan.md");
    let plan = read_plan(&Document::from_text("p", plan));
    Record {
        after: None,
        poc: "cache".to_owned(),
        time: format!("2026-01-03T10:00:{second:02}Z"),
        outcome: Outcome::Passed,
        checks: Vec::new(),
        tests: Some(tests(3, 0)),
        selection: None,
        failing: BTreeMap::new(),
        ignored: BTreeMap::new(),
        regressions: BTreeMap::new(),
        vanished: BTreeMap::new(),
        passed: (scope == Scope::Baseline).then(|| Packed::new(&Names::new()).unwrap()),
        notes: Vec::new(),
        source: Source::default(),
        inputs: hasher.inputs(&[store].into()).unwrap(),
        commands: verify::commands_hash(&verify::planned(&plan, &scope)),
        milliseconds: 1,
        took: BTreeMap::new(),
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

/// Records a passing run of everything.
fn all_passed(sandbox: &Sandbox) {
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
fn work_goes_from_step_to_step_to_done() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    assert_states(
        &sandbox,
        "pending",
        ["pending"; 2],
        "cargo poc step start cache 0",
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
        "cargo poc step start cache 1",
    );
    sandbox.edit("docs/cache-plan.md", "- [ ] write", "- [x] write");
    assert_states(
        &sandbox,
        "in progress",
        ["proven", "in progress"],
        "cargo poc verify cache --step 1",
    );
    passed(&sandbox, step("1"), 2);
    said(&sandbox, "Step 1: Keep answers");
    assert_states(
        &sandbox,
        "in progress",
        ["proven"; 2],
        "cargo poc verify cache --done",
    );
    passed(&sandbox, Scope::Done, 3);
    assert_states(
        &sandbox,
        "proven",
        ["proven"; 2],
        "${EDITOR:-vi} +13 docs/cache-results.md",
    );
    sandbox
        .edit("docs/cache-results.md", "- [ ] fast", "- [x] fast")
        .edit("docs/cache-results.md", "- [ ] small", "- [x] small");
    assert_states(
        &sandbox,
        "proven",
        ["proven"; 2],
        "cargo poc step done cache 1",
    );
    sandbox
        .poc("step done cache 1")
        .exits(0)
        .says("was to be modified, and is as it was at the base")
        .says("POC038");
    sandbox.poc("status --check").exits(0);
}

#[test]
fn a_tick_or_a_word_is_a_claim_and_gates() {
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
            .prints("step 0 is said to be done, and nothing has shown it");
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
fn evidence_goes_stale_with_what_it_depended_on_and_only_with_that() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    // Not read by the store's tests.
    sandbox
        .append("free/src/lib.rs", "// changed\n")
        .append("docs/cache-plan.md", "\nA note.\n");
    assert_eq!(states(&sandbox).0, "proven");
    sandbox.append("store/src/lib.rs", "// changed\n");
    assert_states(
        &sandbox,
        "stale",
        ["stale"; 2],
        "cargo poc verify cache --step 0",
    );
    sandbox
        .poc("status cache")
        .prints("changed since it was verified: store");
    sandbox.poc("status --check").exits(3);
    // What it was is fresh again.
    sandbox.run_git(&["checkout", "--quiet", "store"]);
    assert_eq!(states(&sandbox).0, "proven");
    sandbox.append("Cargo.lock", "\n# changed\n");
    sandbox.poc("status --check").exits(3);
}

#[test]
fn another_verification_is_not_the_one_that_was_shown() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    sandbox.edit(
        "docs/cache-plan.md",
        "cargo check -p store",
        "cargo check -p store --tests",
    );
    assert_states(
        &sandbox,
        "stale",
        ["stale", "proven"],
        "cargo poc verify cache --step 0",
    );
    sandbox
        .poc("status cache --check")
        .exits(3)
        .prints("the plan's commands have changed since it was verified");
}

#[test]
fn the_last_run_counts() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    let mut failed = a_record(&sandbox, step("1"), 20);
    failed.outcome = Outcome::Failed;
    failed.tests = Some(tests(2, 1));
    failed.failing = BTreeMap::from([("store".to_owned(), vec!["tests::unit".to_owned()])]);
    write_down(&sandbox, &failed);
    assert_states(
        &sandbox,
        "failed",
        ["proven", "failed"],
        "cargo poc verify cache --step 1",
    );
    assert_eq!(codes(&sandbox), ["POC021"]);
    sandbox.poc("status --check").exits(1);
    sandbox
        .poc("status")
        .prints("failing: tests::unit")
        .prints("last run 2 passed, 1 failed");
    passed(&sandbox, step("1"), 21);
    assert_eq!(states(&sandbox).0, "proven");
}

#[test]
fn no_test_is_never_green() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    let mut none = a_record(&sandbox, step("0"), 1);
    none.outcome = Outcome::NoTests;
    write_down(&sandbox, &none);
    assert_eq!(states(&sandbox).1[0], "failed");
    sandbox
        .poc("status cache --check")
        .exits(1)
        .prints("no test matched its command");
}

#[test]
fn a_regression_gates_though_every_step_is_proven() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    let mut worse = a_record(&sandbox, Scope::Affected, 30);
    worse.outcome = Outcome::Failed;
    worse.regressions = BTreeMap::from([("app::it".to_owned(), vec!["integration".to_owned()])]);
    write_down(&sandbox, &worse);
    assert_states(&sandbox, "failed", ["proven"; 2], "cargo poc verify cache");
    assert_eq!(codes(&sandbox), ["POC023"]);
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("the baseline passed what fails now: integration");
    // A test that vanished is one too, though the run passed.
    let mut gone = a_record(&sandbox, Scope::Affected, 31);
    gone.vanished = worse.regressions.clone();
    write_down(&sandbox, &gone);
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("POC023")
        .prints("is gone now: integration");
    passed(&sandbox, Scope::Affected, 32);
    assert_eq!(states(&sandbox).0, "proven");
}

#[test]
fn evidence_that_was_edited_does_not_count() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    sandbox.edit(
        "docs/cache-results.md",
        "\"outcome\":\"passed\"",
        "\"outcome\": \"passed\"",
    );
    let before = sandbox.files();
    let (state, ..) = states(&sandbox);
    assert_eq!(state, "pending");
    assert!(codes(&sandbox).iter().all(|code| code == "POC010"));
    let run = sandbox.poc("status cache --check");
    run.exits(1)
        .prints("docs/cache-results.md:")
        .prints("this evidence was edited and does not count");
    assert_eq!(sandbox.files(), before);
}

#[test]
fn evidence_of_another_poc_does_not_count() {
    let sandbox = sandbox();
    let mut other = a_record(&sandbox, step("0"), 1);
    other.poc = "other".to_owned();
    write_down(&sandbox, &other);
    assert_eq!(states(&sandbox).1[0], "pending");
    sandbox
        .poc("status cache --check")
        .exits(1)
        .prints("of the PoC `other`");
}

#[test]
fn files_are_compared_with_the_change_since_the_base() {
    let sandbox = sandbox();
    let files = || cache(&sandbox.poc("status cache --format json"))["files"].clone();
    let row = |path: &str, action: &str, state: Value| json!({"path": path, "action": action, "state": state});
    let (lib, cache_file) = ("store/src/lib.rs", "store/src/cache.rs");
    assert_eq!(
        files(),
        json!([
            row(lib, "modify", json!("pending")),
            row(cache_file, "create", json!("pending"))
        ])
    );
    sandbox
        .append(lib, "// work\n")
        .write(cache_file, "")
        .append("free/src/lib.rs", "// more\n");
    sandbox
        .append("Cargo.lock", "\n")
        .append("docs/cache-plan.md", "\n");
    assert_eq!(
        files(),
        json!([
            row(lib, "modify", json!("done")),
            row(cache_file, "create", json!("done")),
            row("free/src/lib.rs", "none", json!("unplanned")),
        ])
    );
    sandbox
        .poc("status cache")
        .prints("2 done, 0 pending, 1 unplanned")
        .prints("unplanned free/src/lib.rs");
    sandbox.remove(lib);
    assert_eq!(files()[0], row(lib, "modify", json!("missing")));
    sandbox.write(lib, "");
    // Without a base it is not known whether a file that was there has been changed.
    sandbox.edit("docs/cache-plan.md", "| **Base** | `main` |\n", "");
    assert_eq!(files()[0], row(lib, "modify", Value::Null));
    assert_eq!(codes(&sandbox), ["POC031"]);
    sandbox.poc("status cache").exits(0).prints("names no Base");
}

#[test]
fn dependencies_are_compared_with_the_manifests() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    sandbox.append(
        "docs/cache-plan.md",
        "\n## Dependencies\n\nUpdate `store/Cargo.toml`:\n\n```toml\n[dependencies]\nfree = { path = \"../free\" } # Add for x\n```\n",
    );
    let dependencies = || cache(&sandbox.poc("status cache --format json"))["dependencies"].clone();
    let entry = |state: &str| json!([{"manifest": "store/Cargo.toml", "name": "free", "kind": "normal", "state": state}]);
    assert_eq!(dependencies(), entry("missing"));
    assert_eq!(states(&sandbox).2, "cargo poc deps cache");
    sandbox.poc("deps cache --offline").exits(0);
    assert_eq!(dependencies(), entry("present"));
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
        .prints("there is no docs/cache-results.md");
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
fn every_member_is_there_and_documented() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    sandbox.append("store/src/lib.rs", "// changed\n");
    let mut json = sandbox.poc("status --format json").exits(0).json();
    let commit = json["pocs"][0]["base"].clone();
    assert_eq!(commit, "main");
    let findings = json["pocs"][0]["findings"].take();
    let finding = findings[0].as_object().unwrap();
    let keys: Vec<&String> = finding.keys().collect();
    assert_eq!(
        keys,
        ["code", "column", "line", "message", "path", "severity"]
    );
    assert_eq!(
        json,
        json!({"version": 1, "unreadable": [], "pocs": [{
            "name": "cache",
            "plan": "docs/cache-plan.md",
            "results": "docs/cache-results.md",
            "type": "PoC",
            "state": "stale",
            "base": "main",
            "summary": {"status": "In Progress", "started": "2026-01-03", "completed": null},
            "steps": [
                {"id": "0", "title": "Set-up", "line": 26, "state": "stale", "why": "changed since it was verified: store", "tasks": {"checked": 0, "total": 1}},
                {"id": "1", "title": "Keep answers", "line": 36, "state": "stale", "why": "changed since it was verified: store", "tasks": {"checked": 0, "total": 2}},
                {"id": "2", "title": "Drop them", "line": 47, "state": "withdrawn", "why": null, "tasks": {"checked": 0, "total": 0}},
            ],
            "criteria": {"plan": {"checked": 1, "total": 2}, "results": {"checked": 0, "total": 2}},
            "checklist": {"checked": 1, "total": 2},
            "files": [
                {"path": "store/src/lib.rs", "action": "modify", "state": "done"},
                {"path": "store/src/cache.rs", "action": "create", "state": "pending"},
            ],
            "dependencies": [],
            "tests": {
                "baseline": {"passed": 3, "failed": 0, "ignored": 0},
                "latest": {"passed": 3, "failed": 0, "ignored": 0},
                "claimed": null,
            },
            "contract": null,
            "placeholders": 0,
            "findings": null,
            "next": {"command": "cargo poc verify cache --step 0", "why": "step 0: changed since it was verified: store"},
        }]})
    );
    let documented =
        std::fs::read_to_string(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md"))
            .unwrap();
    let mut members = Vec::new();
    names(&json, &mut members);
    names(&findings, &mut members);
    for member in members {
        let named = ["`{}", ".{}", "\"{}\""]
            .iter()
            .any(|form| documented.contains(&form.replace("{}", &member)));
        assert!(named, "`{member}` is not in docs/json.md");
    }
}

fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                found.push(name.clone());
                names(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

#[test]
fn all_pocs_are_a_line_each() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    sandbox.write("docs/older-implementation.md", PLAN);
    sandbox.poc("init third -p free").exits(0);
    let run = sandbox.poc("status");
    run.exits(0).prints("3 PoCs: 1 proven, 2 pending");
    let lines: Vec<&str> = run
        .stdout
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(lines, ["cache", "older", "third", "3"]);
    // The beginning of a name will do, and a wrong one is met with the nearest.
    sandbox.poc("status th").exits(0).prints("third");
    sandbox
        .poc("status cahce")
        .exits(2)
        .says("did you mean `cache`?");
    let none = Sandbox::package();
    none.poc("status").exits(0).prints("No PoC yet");
}

#[test]
fn one_plan_that_cannot_be_read_does_not_hide_the_others() {
    let sandbox = sandbox();
    sandbox.write("docs/bad-plan.md", b"# Plan \xff\n");
    let run = sandbox.poc("status");
    run.exits(2)
        .prints("cache")
        .says("docs/bad-plan.md")
        .says("UTF-8");
    let run = sandbox.poc("status --format json");
    assert_eq!(run.exits(2).json()["pocs"].as_array().unwrap().len(), 1);
}

#[test]
fn github_gets_escaped_annotations_and_a_summary() {
    let sandbox = Sandbox::empty();
    sandbox.member("rust/store", "store", &[]);
    sandbox.write(
        "rust/Cargo.toml",
        "[workspace]\nmembers = [\"store\"]\nresolver = \"2\"\n",
    );
    let mut plan = "# P\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `main` |\n\n## Implementation Steps\n".to_owned();
    for id in 0..12 {
        let _ = write!(
            plan,
            "\n### Step {id}: It\n\n**Tasks**:\n- [x] done\n\n**Verification**:\n```bash\ntrue\n```\n"
        );
    }
    sandbox
        .write("rust/docs/a-plan.md", plan)
        .write("rust/docs/a-results.md", RESULTS);
    sandbox.git();
    let summary = sandbox.root.join("summary.md");
    let line = format!(
        "export GITHUB_STEP_SUMMARY='{summary}'; cd rust; cargo poc status --check --format github"
    );
    sandbox.write("summary.md", "before\n");
    let run = sandbox.shell(&line);
    run.exits(1).prints(
        "::error file=rust/docs/a-plan.md,line=11,col=1,title=POC020::step 0 is said to be done",
    );
    // GitHub shows ten a step; the summary has them all, after what was there.
    assert_eq!(run.stdout.matches("::error").count(), 10, "{run}");
    let text = sandbox.read("summary.md");
    assert!(text.starts_with("before\n## cargo poc\n"), "{text}");
    assert_eq!(
        text.matches("| POC020 | rust/docs/a-plan.md:").count(),
        12,
        "{text}"
    );
}

#[test]
fn it_works_from_any_folder_and_without_git() {
    let sandbox = sandbox();
    let here = sandbox.poc("status cache").exits(0).stdout.clone();
    assert_eq!(
        sandbox.poc_in("store/src", "status cache").exits(0).stdout,
        here
    );
    assert_eq!(sandbox.poc("poc status cache").exits(0).stdout, here);
    let without = Sandbox::workspace("store");
    without
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    without
        .poc("status cache")
        .exits(0)
        .prints("POC031")
        .prints("what changed is unknown");
}

#[test]
fn a_withdrawn_poc_asks_for_nothing() {
    let sandbox = sandbox();
    sandbox.edit("docs/cache-results.md", "In Progress", "Withdrawn");
    assert_states(&sandbox, "withdrawn", ["pending"; 2], "none");
}
