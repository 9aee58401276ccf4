//! What holds whatever people write into the documents.

use std::fmt::Write as _;

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
        "### Step 1: Do it\n\n**Status**: Pending",
        "### Step 1: Do it\n\n**Status**: Skipped",
    ),
    (IN_RESULTS, "### Step 1: Do it\n", "### ~~Step 1~~: Do it\n"),
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
    (
        IN_PLAN,
        "**Verification**:\n```bash\ncargo test --lib\n# Expected: 1 passed\n```\n",
        "",
    ),
    (IN_PLAN, "# Expected: 1 passed", "# Expected: 1 failed"),
    (IN_PLAN, "# Expected: 1 passed", "# Expected: 1+ passed"),
    (IN_PLAN, "cargo test --lib", "cargo test --lib typo"),
    (
        IN_PLAN,
        "  - Proof: test `tests::unit`\n",
        "  - Proof: test `tests::nothing`\n",
    ),
    (IN_PLAN, "  - Proof: done 2\n", "  - Proof: done 9\n"),
    (
        IN_PLAN,
        "| `src/lib.rs` | Modify |",
        "| `src/lib.rs` | Delete |",
    ),
    (
        IN_PLAN,
        "| **Packages** | `app` |\n",
        "| **Packages** | `app` |\n| **Configurations** | default |\n",
    ),
    (
        IN_PLAN,
        "| **Packages** | `app` |\n",
        "| **Packages** | `app` |\n| **Configurations** | nothing |\n",
    ),
    (
        IN_PLAN,
        "## What \"Done\"",
        "### Step 2: More\n\n**Verification**:\n```bash\ncargo test --test it\n```\n\n## What \"Done\"",
    ),
    (
        IN_PLAN,
        "## What \"Done\" Looks Like\n\n```bash\ntrue\ntest -f src/lib.rs\n```\n",
        "",
    ),
    (
        IN_RESULTS,
        "**Result**: --\n",
        "**Result**: --\n\n**Review**: FLAG: a lock is missing\n",
    ),
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

/// A recorded run or confirmation: its visible row, and the record.
type Recorded = (String, String);

const REGIONS: [(&str, &str); 2] = [("Contract", "contract"), ("Evidence", "evidence")];

/// What the results hold in a region.
fn recorded(results: &str, region: &str) -> Vec<Recorded> {
    let begin = format!("<!-- cargo-poc:begin {region} -->");
    let rows = results.split_once(&begin).map_or("", |(_, rest)| rest);
    let rows = rows.split("<!--").next().unwrap_or_default();
    let rows = rows.lines().filter(|line| line.starts_with("| 20"));
    let lead = format!("<!-- cargo-poc:{region} v1 ");
    let records = results.lines().filter(|line| line.starts_with(&lead));
    let pair = |(row, record): (&str, &str)| (row.to_owned(), record.to_owned());
    rows.zip(records).map(pair).collect()
}

/// The results with copies of these records.
fn with_records(results: &str, records: &[&Recorded]) -> String {
    let mut text = results.to_owned();
    for (title, region) in REGIONS {
        let lead = format!("<!-- cargo-poc:{region} ");
        let own = records
            .iter()
            .filter(|(_, record)| record.starts_with(&lead));
        let (rows, blocks): (Vec<&str>, Vec<&str>) = own
            .map(|(row, record)| (row.as_str(), record.as_str()))
            .unzip();
        let Some(columns) = rows
            .first()
            .map(|row| row.replace("\\|", "").matches('|').count() - 1)
        else {
            continue;
        };
        let head = "| x ".repeat(columns) + "|\n" + &"|---".repeat(columns) + "|";
        let _ = write!(
            text,
            "\n## {title}\n\n<!-- cargo-poc:begin {region} -->\n\n{head}\n{}\n\n{}\n\n<!-- cargo-poc:end {region} -->\n",
            rows.join("\n"),
            blocks.join("\n\n")
        );
    }
    text
}

/// Proves everything in the plan of `name`, and returns what was recorded. The documents are as before afterwards.
fn proven(sandbox: &Sandbox, name: &str, flags: &str) -> Vec<Recorded> {
    let (plan, results) = (
        format!("docs/{name}-plan.md"),
        format!("docs/{name}-results.md"),
    );
    let before = [&plan, &results].map(|path| sandbox.read(path));
    for line in [
        "--step 0",
        "--step 1",
        "--done",
        "--confirm criterion.4 --reason seen",
    ] {
        let mut command = sandbox.command(crate::kit::PROGRAM);
        command.args(shlex::split(&format!("verify {name} {line}")).unwrap());
        if !flags.is_empty() {
            command.env("RUSTFLAGS", flags);
        }
        crate::kit::finish(command, line).exits(0);
    }
    let after = sandbox.read(&results);
    for (path, text) in [&plan, &results].into_iter().zip(before) {
        sandbox.write(path, text);
    }
    let regions = REGIONS.iter();
    regions
        .flat_map(|(_, region)| recorded(&after, region))
        .collect()
}

/// Records of this PoC and of another one, none of which proves the present sources of this one: from other sources, with
/// other flags of the compiler, and of another plan with the same commands. The last ones prove it.
fn copies(sandbox: &Sandbox) -> (Vec<Recorded>, Vec<Recorded>) {
    sandbox
        .write("docs/other-plan.md", PLAN)
        .write("docs/other-results.md", RESULTS);
    let library = sandbox.read("src/lib.rs");
    sandbox.write("src/lib.rs", library.replace("    42\n", "    41 + 1\n"));
    let mut copies = proven(sandbox, "cache", "");
    sandbox.write("src/lib.rs", library);
    copies.extend(proven(sandbox, "cache", "--cfg other"));
    copies.extend(proven(sandbox, "other", ""));
    (copies, proven(sandbox, "cache", ""))
}

#[test]
fn no_edits_alone_reach_complete_or_a_passing_gate_with_an_unproven_criterion() {
    let sandbox = sandbox();
    work(&sandbox);
    let (mut copies, valid) = copies(&sandbox);
    // Records of the present sources count wherever they come from, so a copy is read like an original.
    sandbox.write(
        IN_RESULTS,
        with_records(RESULTS, &valid.iter().collect::<Vec<_>>()),
    );
    assert_eq!(status(&sandbox)["state"], "proven");
    // A run of one step proves that step alone.
    let of_step_0 = |(_, record): &&Recorded| record.contains("\"scope\":\"step 0\"");
    copies.extend(valid.iter().filter(of_step_0).cloned());
    let all = (
        edits(9),
        prop::collection::vec(0..SECTIONS.len(), 0..3),
        prop::collection::vec(0..copies.len(), 0..12),
    );
    let checked = TestRunner::new(config(80)).run(&all, |(edits, sections, records)| {
        let edits = edits.iter().map(|index| &EDITS[*index]);
        let sections = sections.iter().map(|index| &SECTIONS[*index]);
        let (plan, results) = edited(edits.chain(sections));
        let records: Vec<&Recorded> = records.iter().map(|index| &copies[*index]).collect();
        write(&sandbox, (plan, with_records(&results, &records)));
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

/// Another state than that of the documents alone: what ran before, and whether something changed since.
fn prepare(sandbox: &Sandbox, before: u32) {
    match before {
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
        3 => {
            sandbox.poc("step start cache 1");
        }
        // Runs in another order, and a confirmation.
        4 => {
            for line in ["--done", "--step 1", "--confirm criterion.4 --reason seen"] {
                sandbox.poc(&format!("verify cache {line}"));
            }
        }
        // A step that was closed by hand.
        5 => {
            sandbox.poc("step done cache 1 --force --reason shown");
        }
        // Everything that can be done by commands, and another source then.
        6 => {
            for _ in 0..4 {
                sandbox.poc("verify cache");
            }
            sandbox.edit("src/lib.rs", "    42\n", "    40 + 2\n");
        }
        _ => {}
    }
}

/// Runs each next action until it asks a person or everything is proven. No command may come twice.
fn follow(sandbox: &Sandbox) -> Result<(), TestCaseError> {
    let mut seen: Vec<String> = Vec::new();
    loop {
        let poc = status(sandbox);
        let next = &poc["next"];
        if next.is_null() || next["person"] == true {
            let ended = !next.is_null() || poc["state"] == "proven" || poc["state"] == "withdrawn";
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
}

#[test]
fn following_next_actions_ends_at_complete_or_at_a_person() {
    let start = (
        edits(4),
        prop::collection::vec(0..SECTIONS.len(), 0..3),
        any::<bool>(),
        0..SOURCES.len(),
        0..10_u32,
        prop::collection::vec(0..EDITS.len() + SECTIONS.len(), 0..3),
    );
    // One sandbox for all, so that cargo builds only what a case changes.
    let sandbox = sandbox();
    let untouched = sandbox.files();
    let checked = TestRunner::new(config(20)).run(
        &start,
        |(edits, sections, worked, source, before, later)| {
            for path in sandbox
                .files()
                .keys()
                .filter(|path| !untouched.contains_key(*path))
            {
                std::fs::remove_file(path).unwrap();
            }
            for (path, bytes) in &untouched {
                if std::fs::read(path).ok().as_ref() != Some(bytes) {
                    cargo_poc::internals::sys::files::write_atomic(path, bytes).unwrap();
                }
            }
            let edits = edits.iter().map(|index| &EDITS[*index]);
            write(
                &sandbox,
                edited(edits.chain(sections.iter().map(|index| &SECTIONS[*index]))),
            );
            if worked {
                work(&sandbox);
            }
            sandbox.append("src/lib.rs", SOURCES[source]);
            prepare(&sandbox, before);
            let all: Vec<&Edit> = EDITS.iter().chain(SECTIONS).collect();
            for (path, old, new) in later.iter().map(|index| all[*index]) {
                if sandbox.exists(path) {
                    let text = sandbox.read(path).replacen(old, new, 1);
                    sandbox.write(path, text);
                }
            }
            follow(&sandbox)
        },
    );
    checked.unwrap();
}

#[test]
fn a_done_block_that_no_run_can_prove_asks_a_person() {
    let sandbox = sandbox();
    let configurations = SECTIONS
        .iter()
        .find(|(_, _, new)| new.contains("| default |"));
    write(
        &sandbox,
        edited(EDITS[10..=10].iter().chain(configurations)),
    );
    work(&sandbox);
    follow(&sandbox).unwrap();
    let next = &status(&sandbox)["next"];
    assert!(
        text(&next["why"]).contains("the configuration `default`"),
        "{next}"
    );
}
