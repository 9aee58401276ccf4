//! Reports about one PoC or many, for people and for programs.

use std::fmt::Write as _;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::{PLAN, RESULTS, all_passed, sandbox};
use crate::kit::Sandbox;

/// An item of the checklist that the program checks.
fn item(number: u32, text: &str, line: u32, checked: bool) -> Value {
    json!({
        "number": number, "text": text, "line": line, "checked": checked, "computed": true, "state": "proven", "why": null,
        "by": null, "time": null, "commit": null,
    })
}

#[test]
fn every_json_member_exists_and_is_documented() {
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
            "configurations": [],
            "summary": {"status": "In Progress", "started": "2026-01-03", "completed": null},
            "steps": [
                {"id": "0", "title": "Set-up", "line": 28, "state": "stale", "why": "changed since it was verified: store", "configurations": [], "strength": null, "tasks": {"checked": 0, "total": 1}},
                {"id": "1", "title": "Keep answers", "line": 38, "state": "stale", "why": "changed since it was verified: store", "configurations": [], "strength": null, "tasks": {"checked": 0, "total": 2}},
                {"id": "2", "title": "Drop them", "line": 49, "state": "withdrawn", "why": null, "configurations": [], "strength": null, "tasks": {"checked": 0, "total": 0}},
            ],
            "criteria": {
                "plan": {"checked": 0, "total": 2},
                "results": {"checked": 0, "total": 2},
                "proven": 0,
                "items": [
                    criterion(1, "fast", 21, "step 1", "step 1 is stale: changed since it was verified: store"),
                    criterion(2, "small", 23, "done", "the done block: changed since it was verified: store"),
                ],
            },
            "checklist": {
                "checked": 1,
                "total": 2,
                "proven": 2,
                "items": [item(1, "No stubs", 53, true), item(2, "No secrets", 54, false)],
            },
            "files": [
                {"path": "store/src/lib.rs", "action": "modify", "state": "done"},
                {"path": "store/src/cache.rs", "action": "create", "state": "done"},
            ],
            "dependencies": [],
            "quarantine": [],
            "tests": {
                "baseline": {"passed": 3, "failed": 0, "ignored": 0},
                "latest": {"passed": 3, "failed": 0, "ignored": 0},
                "claimed": null,
            },
            "contract": null,
            "placeholders": 0,
            "findings": null,
            "next": {"command": "cargo poc verify cache --step 0", "why": "step 0: changed since it was verified: store", "person": false},
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

/// A stale criterion with one proof.
fn criterion(number: usize, text: &str, line: usize, proof: &str, why: &str) -> Value {
    json!({
        "number": number, "text": text, "line": line, "checked": false, "state": "stale", "why": why,
        "proven_by": [{"proof": proof, "state": "stale", "why": why, "by": null, "time": null, "commit": null}],
    })
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
fn overview_has_a_line_for_each_poc() {
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
    // A unique prefix of a name is enough; for an unknown name the nearest one is suggested.
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
        "::error file=rust/docs/a-plan.md,line=11,col=1,title=POC020::step 0 is marked as done",
    );
    // GitHub shows ten per step; the summary contains all, after the existing text.
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
fn status_works_in_any_folder_and_without_git() {
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
        .prints("the change is unknown");
}
