//! What holds whatever people write into the documents.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::{PLAN, RESULTS, sandbox, status, text, work};
use crate::kit::Sandbox;
use crate::property::cases;

/// One edit of a person: in which document, what is replaced, and by what.
type Edit = (&'static str, &'static str, &'static str);

const IN_PLAN: &str = "docs/cache-plan.md";
const IN_RESULTS: &str = "docs/cache-results.md";

/// Ways to claim, to weaken and to fabricate.
const EDITS: &[Edit] = &[
    (IN_PLAN, "- [ ] it answers", "- [x] it answers"),
    (IN_PLAN, "- [ ] the block passes", "- [X] the block passes"),
    (
        IN_PLAN,
        "- [ ] the unit test passes",
        "- [✅] the unit test passes",
    ),
    (IN_PLAN, "- [ ] it is pleasant", "- [x] it is pleasant"),
    (IN_PLAN, "- [ ] write", "- [x] write"),
    (IN_PLAN, "  - Proof: step 1\n", "  - Proof: step 0\n"),
    (IN_PLAN, "  - Proof: step 1\n", "  - Proof: person\n"),
    (IN_PLAN, "  - Proof: done 2\n", ""),
    (IN_PLAN, "  - Proof: done 2\n", "  - Proof: trust me\n"),
    (IN_PLAN, "cargo test --lib\n# Expected: 1 passed", "true"),
    (IN_PLAN, "- [ ] write `src/lib.rs`\n", "**Tests**: none\n"),
    (IN_PLAN, "### Step 1: Do it", "### ~~Step 1~~: Do it"),
    (IN_PLAN, "### Step 1: Do it", "### Step 1: Do it ✅"),
    (
        IN_PLAN,
        "| `src/lib.rs` | Modify | Pending: answers |\n",
        "",
    ),
    (IN_PLAN, "true\ntest -f src/lib.rs\n", ""),
    (IN_RESULTS, "- [ ] it answers", "- [x] it answers (42)"),
    (
        IN_RESULTS,
        "- [ ] the block passes",
        "- [x] the block passes",
    ),
    (
        IN_RESULTS,
        "- [ ] the unit test passes",
        "- [x] the unit test passes",
    ),
    (IN_RESULTS, "- [ ] it is pleasant", "- [x] it is pleasant"),
    (
        IN_RESULTS,
        "| **Status** | Pending |",
        "| **Status** | Complete |",
    ),
    (
        IN_RESULTS,
        "| **Status** | Pending |",
        "| **Status** | ✅ Done |",
    ),
    (
        IN_RESULTS,
        "| **Status** | Pending |",
        "| **Status** | In Progress |",
    ),
    (
        IN_RESULTS,
        "| **Completed** | -- |",
        "| **Completed** | 2026-01-03 |",
    ),
    (
        IN_RESULTS,
        "### Step 0: Set-up\n\n**Status**: Pending",
        "### Step 0: Set-up\n\n**Status**: Complete",
    ),
    (
        IN_RESULTS,
        "### Step 1: Do it\n\n**Status**: Pending",
        "### Step 1: Do it ✅\n\n**Status**: Complete (2026-01-03)",
    ),
    (
        IN_RESULTS,
        "**Test Results**: --",
        "**Test Results**: 1 passed",
    ),
    (
        IN_RESULTS,
        "**Result**: --\n",
        "**Result**: proven\n\n## Evidence\n\n<!-- cargo-poc:begin evidence -->\n\n| When | Scope | Command | Outcome | Tests | \
         Commit | Took |\n|------|-------|---------|---------|-------|--------|------|\n| 2026-01-03 10:04:05 -08:00 | step 1 | `cargo \
         test` | passed | 12 passed | `0a1b2c3d4e5f` | 3.2 s |\n\n<!-- cargo-poc:end evidence -->\n",
    ),
    (
        IN_RESULTS,
        "**Result**: --\n",
        "**Result**: proven\n\n<!-- cargo-poc:begin evidence -->\n\n<!-- cargo-poc:evidence v1 0123456789abcdef \
         {\"poc\":\"cache\",\"scope\":\"step 1\",\"outcome\":\"passed\"} -->\n\n<!-- cargo-poc:end evidence -->\n",
    ),
    (
        IN_RESULTS,
        "**Result**: --\n",
        "**Result**: proven\n\n<!-- cargo-poc:begin contract -->\n\n| When | Who | What | Was | Is | Why |\n|---|---|---|---|---|---|\n\
         | 2026-01-03 | Ada | confirmed | — | criterion: it is pleasant | saw it |\n\n<!-- cargo-poc:end contract -->\n",
    ),
];

fn edited(edits: &[usize]) -> (String, String) {
    let (mut plan, mut results) = (PLAN.to_owned(), RESULTS.to_owned());
    for index in edits {
        let (path, old, new) = EDITS[*index];
        let document = if path == IN_PLAN {
            &mut plan
        } else {
            &mut results
        };
        *document = document.replacen(old, new, 1);
    }
    (plan, results)
}

fn write(sandbox: &Sandbox, (plan, results): (String, String)) {
    sandbox.write(IN_PLAN, plan).write(IN_RESULTS, results);
}

fn edits(most: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..EDITS.len(), 1..most)
}

/// A case runs the program, so a failure is not made smaller for long.
fn config(count: u32) -> ProptestConfig {
    ProptestConfig {
        max_shrink_iters: 64,
        ..cases(count)
    }
}

/// A criterion that is claimed, by its tick or by the whole that is called complete, and not proven.
fn is_claimed_unproven(poc: &Value) -> bool {
    let complete = ["Complete", "✅ Done"].contains(&text(&poc["summary"]["status"]));
    let items = poc["criteria"]["items"].as_array().unwrap();
    items
        .iter()
        .any(|item| item["state"] != "proven" && (complete || item["checked"] == true))
}

#[test]
fn no_edits_alone_reach_complete_or_a_passing_gate_with_an_unproven_criterion() {
    let sandbox = sandbox();
    work(&sandbox);
    let checked = TestRunner::new(config(120)).run(&edits(9), |edits| {
        write(&sandbox, edited(&edits));
        let run = sandbox.poc("status cache --check --format json");
        let poc = run.json()["pocs"][0].take();
        prop_assert!(poc["state"] != "proven", "{poc:#}");
        if is_claimed_unproven(&poc) {
            prop_assert!(run.code != 0, "{poc:#}");
        }
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn the_next_action_leads_to_complete_or_to_a_person_and_never_in_a_loop() {
    let start = (edits(5), any::<bool>(), any::<bool>());
    let checked = TestRunner::new(config(10)).run(&start, |(edits, worked, breaks)| {
        let sandbox = sandbox();
        write(&sandbox, edited(&edits));
        if worked {
            work(&sandbox);
        }
        if breaks {
            sandbox.append("src/lib.rs", "#[test]\nfn broken() {\n    panic!();\n}\n");
        }
        let mut seen: Vec<String> = Vec::new();
        loop {
            let poc = status(&sandbox);
            let next = &poc["next"];
            if next.is_null() || next["person"] == true {
                let ended =
                    !next.is_null() || poc["state"] == "proven" || poc["state"] == "withdrawn";
                prop_assert!(ended, "{poc:#}");
                return Ok(());
            }
            let command = text(&next["command"]).to_owned();
            let line = command.strip_prefix("cargo poc ").unwrap();
            sandbox.poc(line);
            prop_assert!(
                !seen.contains(&command),
                "{command} twice, after {seen:?}\n{poc:#}"
            );
            seen.push(command);
        }
    });
    checked.unwrap();
}
