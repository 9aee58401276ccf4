//! Strength in a plan: evidence, its states, and the expectation of a percentage.

use serde_json::Value;

use super::CHANGED;
use crate::formats::{fits, schema};
use crate::kit::{Run, Sandbox, mutants_for};
use crate::plans::plan;

const RESULTS: &str = "# Cache Results

## Summary

| Attribute | Value |
|---|---|
| **Status** | Pending |

## Success Criteria

- [ ] it answers

## Implementation Progress

### Step 1: Do it

**Status**: Pending

### Step 2: Do more

**Status**: Pending
";

const PLAN: &str = plan!(
    "- [ ] it answers
  - Proof: step 1
",
    "### Step 1: Do it

**Tasks**:
- [ ] write `src/lib.rs`

**Verification**:
```bash
cargo test --lib
# Expected: All pass
```

### Step 2: Do more

**Tasks**:
- [ ] write `src/more.rs`

**Verification**:
```bash
cargo test --lib
# Expected: All pass
```

## Files to Create/Modify

| File | Action | Status |
|---|---|---|
| `src/lib.rs` | Modify | Pending: answers |
| `src/more.rs` | Create | Pending: answers |
"
);

/// A package with a plan, and a change of both files after it.
fn sandbox(plan: &str) -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", plan)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    let small = CHANGED.split("pub fn count").next().unwrap();
    let tests = "#[cfg(test)]\nmod more_tests {\n    #[test]\n    fn larger() {\n        assert_eq!(super::larger(2, 1), 2);\n        \
                 assert_eq!(super::larger(1, 2), 2);\n    }\n}\n";
    sandbox
        .append("src/lib.rs", &format!("\npub mod more;\n{small}{tests}"))
        .write(
            "src/more.rs",
            "//! More.\n\n/// Yes.\npub fn yes() -> bool {\n    true\n}\n\n#[test]\nfn said() {\n    assert!(yes());\n}\n",
        );
    sandbox
}

fn step(sandbox: &Sandbox, number: usize) -> Value {
    let run = sandbox.poc("status cache --format json");
    let report = run.json();
    fits(&schema("status"), &report);
    report["pocs"][0]["steps"][number - 1].clone()
}

fn verify(sandbox: &Sandbox, more: &str) -> Run {
    sandbox.poc(&format!("verify cache --step 1 --runner cargo {more}"))
}

#[test]
fn strength_of_a_step_is_evidence() {
    if !mutants_for("strength_of_a_step_is_evidence") {
        return;
    }
    let sandbox = sandbox(PLAN);
    // Only the file of the step counts.
    verify(&sandbox, "--strength")
        .exits(0)
        .prints("4 of 5 mutants killed\n")
        .prints("missed src/lib.rs:23:10 in larger: 1 test passed");
    assert!(
        sandbox
            .read("docs/cache-results.md")
            .contains("4 of 5 mutants killed")
    );
    let known = step(&sandbox, 1);
    assert_eq!(known["state"], "proven");
    assert!(
        known["why"]
            .as_str()
            .unwrap()
            .contains("4 of 5 mutants killed")
    );
    assert_eq!(known["strength"]["missed"], 1);
    assert_eq!(known["strength"]["stale"], false);
    assert_eq!(step(&sandbox, 2)["strength"], Value::Null);
    sandbox.poc("status cache").prints("4 of 5 mutants killed");
    // A run without mutants does not hide the earlier result while it is valid.
    verify(&sandbox, "").exits(0).hides("mutants");
    assert_eq!(step(&sandbox, 1)["strength"]["stale"], false);
    let page = "report --output target/page.html";
    sandbox.poc(page).exits(0);
    assert!(
        sandbox
            .read("target/page.html")
            .contains("4 of 5 mutants killed")
    );
    // A change of the code makes it stale, as the other evidence.
    sandbox.edit("src/lib.rs", "if a > b", "if b < a");
    let known = step(&sandbox, 1);
    assert_eq!(known["state"], "stale");
    assert_eq!(known["strength"]["stale"], true);
}

#[test]
fn expected_percentage_must_be_met() {
    if !mutants_for("expected_percentage_must_be_met") {
        return;
    }
    let expecting = |percent: &str| {
        let both = format!("All pass, {percent} % of mutants killed");
        PLAN.replacen("All pass", &both, 1)
    };
    let sandbox = sandbox(&expecting("90"));
    verify(&sandbox, "")
        .exits(1)
        .says("at least 90 % of mutants killed expected, but 4 of 5 mutants killed");
    let known = step(&sandbox, 1);
    assert_eq!(known["state"], "failed");
    assert!(
        known["why"]
            .as_str()
            .unwrap()
            .contains("at least 90 % of mutants killed expected")
    );
    // A lower percentage weakens the plan.
    sandbox.write("docs/cache-plan.md", expecting("80"));
    verify(&sandbox, "")
        .exits(0)
        .prints("4 of 5 mutants killed");
    let run = sandbox.poc("check cache");
    run.exits(1).prints("POC061");
    sandbox.write("docs/cache-plan.md", expecting("90"));
    // A test that detects the last mutant does not exist: both branches are equal for equal numbers.
    sandbox.edit("src/lib.rs", "if a > b { a } else { b }", "a.max(b)");
    verify(&sandbox, "")
        .exits(0)
        .prints("2 of 2 mutants killed");
    assert_eq!(step(&sandbox, 1)["state"], "proven");
    let setting = "exclude_re = [\"replace larger -> u32 with 0\"]\n";
    sandbox.write(".cargo/mutants.toml", setting);
    let why = "at least 90 % of mutants killed expected, but 1 of 1 mutant killed, 1 excluded";
    verify(&sandbox, "").exits(1).says(why);
    let known = step(&sandbox, 1);
    assert_eq!(known["state"], "failed");
    assert_eq!(known["strength"]["excluded"][0]["mutants"], 1);
    let page = "report --output target/page.html";
    sandbox.poc(page).exits(0);
    let page = sandbox.read("target/page.html");
    assert!(page.contains("in <code>larger</code>: 1</p>"));
}

#[test]
fn required_strength_is_stale_after_a_change_that_the_command_cannot_see() {
    if !mutants_for("required_strength_is_stale_after_a_change_that_the_command_cannot_see") {
        return;
    }
    let expecting = PLAN.replacen("All pass", "All pass, 80 % of mutants killed", 1);
    let sandbox = sandbox(&expecting);
    let unit = "assert_eq!(super::larger(2, 1), 2);\n        assert_eq!(super::larger(1, 2), 2);";
    sandbox.edit("src/lib.rs", unit, "assert!(super::larger(1, 1) < 9);");
    let test = "//! T.\n\n#[test]\nfn larger() {\n    let larger = app::larger;\n    assert_eq!((larger(2, 1), larger(1, 2)), (2, 2));\n}\n";
    sandbox.write("tests/other.rs", test);
    verify(&sandbox, "")
        .exits(0)
        .prints("4 of 5 mutants killed");
    let state = |sandbox: &Sandbox| {
        let known = step(sandbox, 1);
        assert_eq!(known["strength"]["stale"], known["state"] != "proven");
        known["state"].as_str().unwrap().to_owned()
    };
    let known = sandbox.read("src/lib.rs");
    sandbox.append("src/lib.rs", "\n// A comment.\n");
    assert_eq!(state(&sandbox), "proven");
    // New code without a test.
    let new = "\n/// Five more.\npub fn more(a: u32) -> u32 {\n    a + 5\n}\n";
    sandbox.append("src/lib.rs", new);
    assert_eq!(state(&sandbox), "stale");
    sandbox.write("src/lib.rs", known);
    // The test that detects the mutants is none of `cargo test --lib`.
    let known = sandbox.read("tests/other.rs");
    sandbox.edit("tests/other.rs", "(2, 2)", "(2, larger(1, 2))");
    assert_eq!(state(&sandbox), "stale");
    sandbox.write("tests/other.rs", known);
    assert_eq!(state(&sandbox), "proven");
}

#[test]
fn done_block_judges_mutants_and_baseline_does_not() {
    if !mutants_for("done_block_judges_mutants_and_baseline_does_not") {
        return;
    }
    let block = "```bash\ncargo test --lib\n# Expected: All pass, 90 % of mutants killed\n```\n";
    let plan = PLAN
        .replace(
            "## Files to",
            &format!("## What \"Done\" Looks Like\n\n{block}\n## Files to"),
        )
        .replace(
            "## Success Criteria",
            &format!(
                "## Prerequisites\n\n### 1. Identify Affected Tests\n\n{block}\n## Success Criteria"
            ),
        );
    let sandbox = sandbox(&plan);
    sandbox
        .poc("verify cache --done --runner cargo")
        .exits(1)
        .says("at least 90 % of mutants killed expected, but 5 of 6 mutants killed");
    sandbox
        .poc("verify cache --baseline --runner cargo")
        .exits(4)
        .says("at least 90 % of mutants killed expected, but only steps and the done block judge mutants");
}

#[test]
fn failed_step_runs_no_mutant() {
    let sandbox = sandbox(PLAN);
    sandbox.edit("src/lib.rs", "if a > b", "if a < b");
    verify(&sandbox, "--strength")
        .exits(1)
        .hides("mutants killed");
    assert_eq!(step(&sandbox, 1)["strength"], Value::Null);
}
