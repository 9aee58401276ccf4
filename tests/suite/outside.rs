//! Documents that lie in no workspace: read to the digit, and what needs a workspace is unknown.

use std::fs;

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::kit::Sandbox;
use crate::status::{PLAN, cache, passed, sandbox, step};

/// The documents of a folder of `tests/cases/status`, each deviating from the template in many ways at once.
fn documents(name: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases/status")
        .join(name);
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        sandbox.write(path.file_name().unwrap(), fs::read(&path).unwrap());
    }
    sandbox
}

/// Each step as `id title checked/total state`.
fn steps(poc: &Value) -> Vec<String> {
    let line = |step: &Value| {
        let tasks = &step["tasks"];
        let state = step["state"].as_str().unwrap_or("null");
        format!(
            "{}|{}|{}/{}|{state}",
            step["id"].as_str().unwrap(),
            step["title"].as_str().unwrap(),
            tasks["checked"],
            tasks["total"]
        )
    };
    poc["steps"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn old_implementation_document_with_results_is_parsed_exactly() {
    let sandbox = documents("ledger");
    let poc = cache(
        sandbox
            .poc("status --format json --plan ledger-implementation.md")
            .exits(0),
    );
    assert_eq!(
        steps(&poc),
        [
            "0|Set-up (inline OK)|1/3|claimed",
            "1|Parse -- the header: and the body + Tests|0/2|claimed",
            // A list of completed items under a status that is still in progress.
            "4b|Half a step|1/2|in progress",
            "6|Moved to Step 8a|0/0|withdrawn",
            "8a|Moved here|0/1|claimed",
            "8b|And on|0/0|pending",
        ]
    );
    assert_eq!(poc["name"], "ledger");
    assert_eq!(poc["type"], "PoC");
    assert_eq!(
        poc["summary"],
        json!({"status": "✅ Complete", "started": "2026-01-03T10:20:30-0800", "completed": "2026-01-09"})
    );
    assert_eq!(poc["criteria"]["plan"], json!({"checked": 1, "total": 3}));
    assert_eq!(
        poc["criteria"]["results"],
        json!({"checked": 2, "total": 3})
    );
    assert_eq!(
        (&poc["checklist"]["checked"], &poc["checklist"]["total"]),
        (&json!(1), &json!(3))
    );
    let files = poc["files"].as_array().unwrap().iter();
    let files: Vec<String> = files
        .map(|file| {
            format!("{} {} {}", file["path"], file["action"], file["state"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        files,
        [
            "src/parse.rs create null",
            "src/lib.rs modify null",
            "tests/[name].rs create null",
            "src/old/*.rs delete null",
            "src/a.rs rename null",
            "README.md none null",
        ]
    );
    let dependency =
        json!({"manifest": "Cargo.toml", "name": "serde", "kind": "normal", "state": null});
    assert_eq!(poc["dependencies"], json!([dependency]));
    assert_eq!(
        poc["tests"],
        json!({"baseline": null, "latest": null, "claimed": 294})
    );
}

#[test]
fn contradictions_of_such_a_pair_are_reported() {
    let sandbox = documents("ledger");
    let json = sandbox
        .poc("check --format json --plan ledger-results.md")
        .exits(1)
        .json();
    let findings = json["findings"].as_array().unwrap().iter();
    let mut found: Vec<String> = findings
        .filter(|finding| finding["code"] != "POC006" && finding["code"] != "POC020")
        .map(|finding| {
            format!(
                "{}:{} {}",
                finding["path"], finding["line"], finding["code"]
            )
            .replace('"', "")
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "ledger-implementation.md:102 POC040",
            "ledger-implementation.md:21 POC008",
            "ledger-implementation.md:73 POC001",
            "ledger-results.md:16 POC045",
            "ledger-results.md:16 POC048",
            "ledger-results.md:36 POC054",
            "ledger-results.md:53 POC050",
        ]
    );
}

#[test]
fn plan_of_the_newer_template_is_parsed_exactly() {
    let sandbox = documents("wire");
    let poc = cache(
        sandbox
            .poc("status --format json --plan wire-plan.md")
            .exits(0),
    );
    assert_eq!(steps(&poc), ["1|First|2/3|in progress"]);
    assert_eq!(poc["type"], "Issue");
    assert_eq!(poc["results"], Value::Null);
    assert_eq!(poc["criteria"]["plan"], json!({"checked": 1, "total": 3}));
    let findings = poc["findings"].as_array().unwrap().iter();
    let places: Vec<String> = findings
        .map(|finding| format!("{} {}", finding["code"], finding["line"]).replace('"', ""))
        .collect();
    // The fence that is left open is named, and the step that it hides.
    assert_eq!(
        places,
        [
            "POC003 1",
            "POC020 11",
            "POC006 14",
            "POC001 26",
            "POC001 26",
            "POC001 27"
        ]
    );
}

#[test]
fn no_step_is_an_error() {
    let sandbox = Sandbox::empty();
    sandbox.write(
        "a-plan.md",
        "# Nothing\n\n## Success Criteria\n\n- [ ] one\n",
    );
    sandbox
        .poc("status --plan a-plan.md")
        .exits(2)
        .prints("POC002");
    sandbox
        .poc("check --plan a-plan.md")
        .exits(2)
        .prints("error[POC002]");
}

#[test]
fn plan_outside_a_workspace_has_unknown_states() {
    let sandbox = sandbox();
    passed(&sandbox, step("0"), 1);
    let elsewhere = Sandbox::empty();
    let plan = PLAN.to_owned()
        + "\n## Dependencies\n\nUpdate `store/Cargo.toml`:\n\n```toml\n[dependencies]\nmoka = \"0.12\" # Add for it\n```\n";
    elsewhere.write("old/cache-implementation.md", plan).write(
        "old/cache-results.md",
        sandbox.read("docs/cache-results.md"),
    );
    let run = elsewhere.poc("status --format json --plan old/cache-implementation.md");
    let poc = cache(run.exits(0));
    assert_eq!(poc["name"], "cache");
    assert_eq!(poc["plan"], "old/cache-implementation.md");
    assert_eq!(poc["results"], "old/cache-results.md");
    assert_eq!(poc["state"], Value::Null);
    assert_eq!(poc["next"], Value::Null);
    assert_eq!(poc["findings"], json!([]));
    let states = poc["steps"].as_array().unwrap().iter();
    let states: Vec<&Value> = states.map(|step| &step["state"]).collect();
    assert_eq!(
        states,
        [&Value::Null, &json!("pending"), &json!("withdrawn")]
    );
    assert_eq!(poc["criteria"]["plan"], json!({"checked": 0, "total": 2}));
    assert_eq!(
        poc["files"][0],
        json!({"path": "store/src/lib.rs", "action": "modify", "state": null})
    );
    let dependency =
        json!({"manifest": "store/Cargo.toml", "name": "moka", "kind": "normal", "state": null});
    assert_eq!(poc["dependencies"], json!([dependency]));

    // A results document means the plan beside it; from another folder paths lead there.
    let from_old = elsewhere.poc_in("old", "status --plan cache-results.md --format json");
    assert_eq!(cache(from_old.exits(0))["plan"], "cache-implementation.md");
    elsewhere
        .poc("status --plan old/cache-plan.md")
        .exits(2)
        .says("does not exist");
    elsewhere
        .poc("status --plan old/cache-implementation.md")
        .exits(0)
        .prints("unknown");
}

#[test]
fn a_plan_of_another_workspace_is_seen_in_its_own() {
    let sandbox = sandbox();
    passed(&sandbox, step("0"), 1);
    let elsewhere = Sandbox::empty();
    let plan = sandbox.root.join("docs/cache-plan.md");
    let poc = cache(
        elsewhere
            .poc(&format!("status --format json --plan {plan}"))
            .exits(0),
    );
    assert_eq!(poc["plan"], "docs/cache-plan.md");
    assert_eq!(poc["steps"][0]["state"], "proven");
}
