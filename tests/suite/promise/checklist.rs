//! The checklist: what a program can check is computed, the rest a person confirms once.

use serde_json::{Value, json};

use super::{PLAN, RESULTS, sandbox_of, status, text, verified, work};
use crate::kit::Sandbox;

const CHECKLIST: &str = "
## Production-Grade Checklist

- [ ] **No stubs**: no `todo!`, `unimplemented!` or `dbg!` is left
- [ ] **Documented**: every public item says what it is
- [ ] It was shown to a user
";

fn sandbox() -> Sandbox {
    let person = "- [ ] it is pleasant\n";
    sandbox_of(
        &(PLAN.replace(person, "") + CHECKLIST),
        &RESULTS.replace(person, ""),
    )
}

fn states(sandbox: &Sandbox) -> Vec<String> {
    let poc = status(sandbox);
    let items = poc["checklist"]["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| text(&item["state"]).to_owned())
        .collect()
}

#[test]
fn a_plan_with_a_checklist_is_complete_without_a_tick() {
    let sandbox = sandbox();
    work(&sandbox);
    assert_eq!(states(&sandbox), ["proven", "proven", "pending"]);
    verified(&sandbox);
    assert_eq!(states(&sandbox), ["proven", "proven", "unconfirmed"]);
    let poc = status(&sandbox);
    assert_eq!(poc["state"], "unconfirmed");
    let next = &poc["next"];
    assert_eq!(
        (text(&next["command"]), &next["person"]),
        (
            "cargo poc verify cache --confirm checklist --reason \"…\"",
            &json!(true)
        )
    );
    sandbox
        .poc("verify cache --confirm checklist")
        .exits(2)
        .says("--reason");
    sandbox
        .poc("verify cache --confirm checklist.1 --reason x")
        .exits(2)
        .says("checked by the program");
    sandbox
        .poc("verify cache --confirm checklist.4 --reason x")
        .exits(2)
        .says("it has 3");
    sandbox
        .poc("verify cache --confirm checklist --by Ada --reason 'shown on Monday'")
        .exits(0)
        .says("Confirmed It was shown to a user, by Ada");
    let poc = status(&sandbox);
    assert_eq!(poc["state"], "proven", "{poc:#}");
    assert_eq!(poc["checklist"]["checked"], 0);
    assert_eq!(poc["checklist"]["proven"], 3);
    assert_eq!(poc["checklist"]["items"][2]["by"], "Ada");
    sandbox.poc("status --check").exits(0);
    sandbox.append("src/lib.rs", "\n/// Other.\npub fn other() {}\n");
    assert_eq!(states(&sandbox)[2], "stale");
}

#[test]
fn an_item_that_the_sources_contradict_keeps_the_plan_open() {
    let sandbox = sandbox();
    work(&sandbox);
    sandbox.append("src/lib.rs", "\npub fn later() {\n    todo!()\n}\n");
    verified(&sandbox);
    let poc = status(&sandbox);
    assert_eq!(states(&sandbox)[..2], ["in progress", "in progress"]);
    let why = text(&poc["checklist"]["items"][0]["why"]).to_owned();
    assert!(
        why.contains("src/lib.rs:") && why.contains("`todo!` is left"),
        "{why}"
    );
    sandbox
        .poc("verify cache --confirm checklist --reason seen")
        .exits(0);
    let poc = status(&sandbox);
    assert_ne!(poc["state"], "proven");
    assert!(poc["next"] != Value::Null, "{poc:#}");
    // A tick changes nothing but that it is wrong.
    sandbox.edit(
        "docs/cache-plan.md",
        "- [ ] **No stubs**",
        "- [x] **No stubs**",
    );
    assert_eq!(states(&sandbox)[0], "claimed");
    sandbox.poc("status --check").exits(1).prints("POC083");
}
