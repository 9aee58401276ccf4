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

/// What else a plan may contain, and how the sources may stand: where the next action has to find its way.
const SECTIONS: &[Edit] = &[
    (
        IN_PLAN,
        "## Implementation Steps",
        "## Prerequisites\n\n### 1. Affected tests\n\n**Verification**:\n```bash\ncargo test -p app --lib\n```\n\n## Implementation Steps",
    ),
    (
        IN_PLAN,
        "## Implementation Steps",
        "## Prerequisites\n\n### 1. Affected tests\n\n**Verification**:\n```bash\ncargo test -p app typo\n```\n\n## Implementation Steps",
    ),
    (
        IN_PLAN,
        "## What \"Done\"",
        "## Production-Grade Checklist\n\n- [ ] **No stubs**: no `todo!` is left\n- [ ] **Documented**: every public item says what it is\n\n## What \"Done\"",
    ),
    (
        IN_PLAN,
        "## What \"Done\"",
        "## Production-Grade Checklist\n\n- [x] **No secrets**: no password in the source\n- [ ] it was shown to a user\n\n## What \"Done\"",
    ),
    (
        IN_PLAN,
        "## What \"Done\"",
        "## Quarantine\n\n| Test | Owner | Reason | Until |\n|---|---|---|---|\n| `broken` | Ada | shaky | 2020-01-31 |\n\n## What \"Done\"",
    ),
    (
        IN_PLAN,
        "## What \"Done\"",
        "## Quarantine\n\n| Test | Owner | Reason | Until |\n|---|---|---|---|\n| `broken` | Ada | shaky | 9999-01-31 |\n\n## What \"Done\"",
    ),
    (IN_PLAN, "# Expected: 1 passed", "# Expected: 9 passed"),
    (
        IN_PLAN,
        "# Expected: 1 passed",
        "# Expected: it feels quick",
    ),
    (
        IN_PLAN,
        "cargo test --lib",
        "cargo test --lib --no-fail-fast",
    ),
    (IN_PLAN, "test -f src/lib.rs", "test -f src/nothing.rs"),
    (IN_PLAN, "true\ntest -f src/lib.rs", "sleep 0 &"),
    (IN_PLAN, "  - Proof: step 1\n", "  - Proof: step 9\n"),
    (IN_PLAN, "| **Base** | `main` |\n", ""),
    (
        IN_PLAN,
        "| **Packages** | `app` |\n",
        "| **Packages** | `nothing` |\n",
    ),
    (
        IN_PLAN,
        "| `src/lib.rs` | Modify |",
        "| `src/new.rs` | Create |",
    ),
    (
        IN_PLAN,
        "- [ ] it is pleasant",
        "- [ ] [fill in: what it is]",
    ),
    (
        IN_PLAN,
        "## Files to",
        "## Dependencies\n\nUpdate `Cargo.toml`:\n\n```toml\n[dependencies]\nnothing = { path = \"nothing\" } # Add for this\n```\n\n## Files to",
    ),
    (
        IN_PLAN,
        "### Step 0: Set-up",
        "<<<<<<< HEAD\n### Step 0: Set-up",
    ),
    (
        IN_RESULTS,
        "| **Status** | Pending |",
        "| **Status** | Blocked by Ada |",
    ),
    (IN_RESULTS, "### Step 1: Do it\n", "### Step 7: Do it\n"),
];

/// Sources in which something else is wrong.
const SOURCES: &[&str] = &[
    "",
    "#[test]\nfn broken() {\n    panic!();\n}\n",
    "#[test]\n#[ignore]\nfn left_out() {}\n",
    "pub fn undocumented() {\n    todo!()\n}\n",
    "this does not compile\n",
];

fn edited<'e>(edits: impl Iterator<Item = &'e Edit>) -> (String, String) {
    let (mut plan, mut results) = (PLAN.to_owned(), RESULTS.to_owned());
    for (path, old, new) in edits {
        let document = if *path == IN_PLAN {
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
    let all = (edits(9), prop::collection::vec(0..SECTIONS.len(), 0..3));
    let checked = TestRunner::new(config(120)).run(&all, |(edits, sections)| {
        let edits = edits.iter().map(|index| &EDITS[*index]);
        let sections = sections.iter().map(|index| &SECTIONS[*index]);
        write(&sandbox, edited(edits.chain(sections)));
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
fn following_next_actions_ends_at_complete_or_at_a_person() {
    let start = (
        edits(4),
        prop::collection::vec(0..SECTIONS.len(), 0..3),
        any::<bool>(),
        0..SOURCES.len(),
        0..8_u32,
    );
    let checked =
        TestRunner::new(config(24)).run(&start, |(edits, sections, worked, source, rest)| {
            let sandbox = sandbox();
            let edits = edits.iter().map(|index| &EDITS[*index]);
            write(
                &sandbox,
                edited(edits.chain(sections.iter().map(|index| &SECTIONS[*index]))),
            );
            if worked {
                work(&sandbox);
            }
            sandbox.append("src/lib.rs", SOURCES[source]);
            match rest {
                0 => {
                    sandbox.remove(IN_RESULTS);
                }
                // A run that is stale afterwards.
                1 => {
                    sandbox.poc("verify cache --step 1");
                    sandbox.append("src/lib.rs", "\n/// Later.\npub fn later() {}\n");
                }
                2 => {
                    sandbox.poc("verify cache --full");
                }
                _ => {}
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
