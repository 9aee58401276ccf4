//! Criteria, steps and their proofs, and the path from a new plan to a complete one.

mod checklist;
mod properties;
mod quarantine;
mod use_cases;

use serde_json::{Value, json};

use crate::kit::{Run, Sandbox};
use crate::plans::plan;

const PLAN: &str = plan!(
    "- [ ] it answers
  - Proof: step 1
- [ ] the block passes
  - Proof: done 2
- [ ] the unit test passes
  - Proof: test `tests::unit`
- [ ] it is pleasant
",
    "### Step 0: Set-up

**Tests**: none

**Verification**:
```bash
test -f Cargo.toml
```

### Step 1: Do it

**Tasks**:
- [ ] write `src/lib.rs`

**Verification**:
```bash
cargo test --lib
# Expected: 1 passed
```

## What \"Done\" Looks Like

```bash
true
test -f src/lib.rs
```

## Files to Create/Modify

| File | Action | Status |
|---|---|---|
| `src/lib.rs` | Modify | Pending: answers |
"
);

const RESULTS: &str = "# Cache Results

## Summary

| Attribute | Value |
|---|---|
| **Status** | Pending |
| **Started** | -- |
| **Completed** | -- |

## Success Criteria

- [ ] it answers
- [ ] the block passes
- [ ] the unit test passes
- [ ] it is pleasant

## Implementation Progress

### Step 0: Set-up

**Status**: Pending

### Step 1: Do it

**Status**: Pending

**Test Results**: --

**Result**: --
";

fn sandbox_of(plan: &str, results: &str) -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", plan)
        .write("docs/cache-results.md", results);
    sandbox.git();
    sandbox
}

fn sandbox() -> Sandbox {
    sandbox_of(PLAN, RESULTS)
}

fn status(sandbox: &Sandbox) -> Value {
    sandbox.poc("status cache --format json").json()["pocs"][0].take()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("none")
}

/// The state of each criterion.
fn criteria(sandbox: &Sandbox) -> Vec<String> {
    let status = status(sandbox);
    let items = status["criteria"]["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| text(&item["state"]).to_owned())
        .collect()
}

/// Runs all commands of the plan, which pass.
fn verified(sandbox: &Sandbox) {
    for line in [
        "verify cache --step 0",
        "verify cache --step 1",
        "verify cache --done",
    ] {
        sandbox.poc(line).exits(0);
    }
}

fn work(sandbox: &Sandbox) {
    sandbox.append("src/lib.rs", "\n/// Answers.\npub fn more() {}\n");
}

#[test]
fn one_command_for_each_step_leads_from_init_to_complete() {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox.git();
    let mut commands = 0;
    let mut run = |line: &str| -> Run {
        commands += 1;
        sandbox.poc(line)
    };
    run("init cache -p store --size tiny --file store/src/cache.rs=keeps --file store/src/lib.rs=uses \
         --criterion 'answers are kept' --step 'Keep them' --step 'Drop them' --step 'Count them'")
    .exits(0);
    sandbox.commit("plan");
    let (plan, results) = ("docs/cache-plan.md", "docs/cache-results.md");
    let by_hand = sandbox.read(plan).matches("[fill in:").count()
        + sandbox.read(results).matches("[fill in:").count();
    assert_eq!(by_hand, 0, "{}", sandbox.read(plan));
    run("verify cache --baseline").exits(0);
    run("verify cache").exits(0).says("Closed step 0");
    sandbox
        .write("store/src/cache.rs", "#[test]\nfn kept() {}\n")
        .append("store/src/lib.rs", "\nmod cache;\n");
    for step in 1..=3 {
        run("verify cache")
            .exits(0)
            .says(&format!("Started step {step}"))
            .says(&format!("Closed step {step}"));
    }
    run("verify cache").exits(0).says("Complete cache");
    assert!(commands <= 8, "{commands} commands");
    let text = sandbox.read(results);
    assert!(text.contains("| **Status** | Complete |"), "{text}");
    assert!(text.contains("**Result**: proven in "), "{text}");
    assert!(!text.contains("- [ ] answers are kept"), "{text}");
    let status = status(&sandbox);
    assert_eq!(
        (&status["state"], &status["next"]),
        (&json!("proven"), &Value::Null)
    );
    sandbox.poc("status --check").exits(0);
}

#[test]
fn plan_without_any_work_is_not_proven() {
    let sandbox = Sandbox::workspace("store");
    sandbox.git();
    sandbox
        .poc("init nothing -p store --file store/src/lib.rs --size tiny")
        .exits(0);
    sandbox.commit("plan");
    for line in [
        "verify nothing --baseline",
        "verify nothing --step 0",
        "verify nothing --step 1",
        "verify nothing --done",
    ] {
        sandbox.poc(line).exits(0);
    }
    sandbox
        .poc("step done nothing 1")
        .exits(1)
        .says("planned but not done: `store/src/lib.rs`");
    let status = sandbox.poc("status nothing --format json").json();
    let poc = &status["pocs"][0];
    assert_eq!(poc["steps"][0]["state"], "proven");
    assert_eq!(poc["steps"][1]["state"], "in progress");
    assert_ne!(poc["state"], "proven");
    // The next action names what blocks, also when a criterion is ticked, which is a claim.
    let next = |poc: &Value| {
        (
            text(&poc["next"]["why"]).to_owned(),
            poc["next"]["person"].clone(),
        )
    };
    assert!(next(poc).0.contains("planned but not done"), "{poc}");
    assert_eq!(next(poc).1, true);
    sandbox.edit(
        "docs/nothing-plan.md",
        "- [ ] Every test",
        "- [x] Every test",
    );
    let status = sandbox.poc("status nothing --format json").json();
    assert!(
        next(&status["pocs"][0]).0.contains("planned but not done"),
        "{status}"
    );
}

#[test]
fn criterion_has_the_state_of_its_proofs() {
    let sandbox = sandbox();
    assert_eq!(criteria(&sandbox), ["pending"; 4]);
    work(&sandbox);
    sandbox.poc("verify cache --step 0").exits(0);
    sandbox
        .poc("verify cache --step 1")
        .exits(0)
        .says("Closed step 1");
    assert_eq!(
        criteria(&sandbox),
        ["proven", "pending", "proven", "unconfirmed"]
    );
    sandbox.poc("verify cache --done").exits(0);
    assert_eq!(
        criteria(&sandbox),
        ["proven", "proven", "proven", "unconfirmed"]
    );
    assert_eq!(status(&sandbox)["state"], "unconfirmed");

    sandbox
        .poc("verify cache --confirm criterion.4")
        .exits(2)
        .says("--reason");
    sandbox
        .poc("verify cache --confirm criterion.1 --reason x")
        .exits(2)
        .says("criterion.1 is proven by step 1, not by a person");
    sandbox
        .poc("verify cache --confirm criterion.9 --reason x")
        .exits(2)
        .says("it has 4");
    sandbox
        .poc("verify cache --confirm criterion.4 --by Ada --reason 'used it for a day'")
        .exits(0)
        .says("Confirmed it is pleasant, by Ada")
        .says("Complete cache");
    let poc = status(&sandbox);
    let proof = &poc["criteria"]["items"][3]["proven_by"][0];
    let commit = sandbox.run_git(&["rev-parse", "HEAD"]);
    assert_eq!(
        (&proof["proof"], &proof["by"], &proof["commit"]),
        (&json!("person"), &json!("Ada"), &json!(commit.trim()))
    );
    assert_eq!(poc["criteria"]["proven"], 4);
    assert_eq!(poc["state"], "proven");
    sandbox.poc("status --check").exits(0);

    // What a person has confirmed is stale with the sources that they saw.
    sandbox.append("src/lib.rs", "\n/// Other.\npub fn other() {}\n");
    let poc = status(&sandbox);
    let criterion = &poc["criteria"]["items"][3];
    assert_eq!(criterion["state"], "stale");
    assert!(
        text(&criterion["why"]).contains("since Ada confirmed"),
        "{criterion}"
    );
    let gate = sandbox.poc("status --check");
    assert_ne!(gate.code, 0, "{gate}");
}

#[test]
fn a_baseline_needs_a_test_of_every_target_that_it_starts() {
    let baseline = |command: &str| {
        PLAN.replace(
            "## Success Criteria",
            &format!("## Prerequisites\n\n### 1. Affected tests\n\n**Verification**:\n```bash\n{command}\n```\n\n## Success Criteria"),
        )
    };
    let sandbox = sandbox();
    sandbox.write(
        "tests/gated.rs",
        "#![cfg(feature = \"gated\")]\n#[test]\nfn gated() {}\n",
    );
    for (command, code, message) in [
        ("cargo test -p app --lib", 0, ""),
        ("cargo test -p app --test it", 0, ""),
        (
            "cargo test -p app --lib --tests",
            0,
            "app::gated ran no test: a feature or flag",
        ),
        (
            "cargo test -p app --lib --tests unit",
            4,
            "app::it ran no test: the filter left out the one test in its sources",
        ),
        (
            "cargo test -p app --lib --tests unit\ncargo test -p app --test it",
            0,
            "",
        ),
    ] {
        sandbox.write("docs/cache-plan.md", baseline(command));
        let run = sandbox.poc("verify cache --baseline --no-record");
        assert_eq!(run.code, code, "{command}: {run}");
        assert!(run.stderr.contains(message), "{command}: {run}");
    }
}

#[test]
fn tick_without_proof_fails_the_gate() {
    for (path, tick) in [
        ("docs/cache-plan.md", "it answers\n"),
        ("docs/cache-results.md", "it is pleasant\n"),
    ] {
        let sandbox = sandbox();
        sandbox.poc("status --check").exits(0);
        sandbox.edit(path, &format!("- [ ] {tick}"), &format!("- [x] {tick}"));
        sandbox
            .poc("status --check")
            .exits(1)
            .prints("POC020")
            .prints("is ticked but not proven");
    }
}

#[test]
fn weaker_proof_weakens_the_contract() {
    let sandbox = sandbox();
    sandbox.poc("step start cache 0").exits(0);
    sandbox.edit(
        "docs/cache-plan.md",
        "  - Proof: step 1\n",
        "  - Proof: person\n",
    );
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("POC061")
        .prints("proof of a criterion");
}

#[test]
fn set_up_step_stays_proven() {
    let sandbox = sandbox();
    sandbox.poc("verify cache --step 0").exits(0);
    work(&sandbox);
    let step = status(&sandbox)["steps"][0].clone();
    assert_eq!(step["state"], "proven");
    assert_eq!(step["why"], "the plan says that it has no tests");
    // Another command is another set-up.
    sandbox.edit("docs/cache-plan.md", "test -f Cargo.toml", "test -d src");
    assert_eq!(status(&sandbox)["steps"][0]["state"], "stale");
}

#[test]
fn step_without_a_test_is_not_proven_unless_declared() {
    let plan = PLAN.replace("cargo test --lib\n# Expected: 1 passed\n", "test -d src\n");
    let sandbox = sandbox_of(&plan, RESULTS);
    work(&sandbox);
    sandbox
        .poc("verify cache --step 1")
        .exits(0)
        .says("passed without a test");
    assert_eq!(status(&sandbox)["steps"][1]["state"], "in progress");
    sandbox.edit(
        "docs/cache-plan.md",
        "- [ ] write `src/lib.rs`\n",
        "- [ ] write `src/lib.rs`\n\n**Tests**: none\n",
    );
    assert_eq!(status(&sandbox)["steps"][1]["state"], "proven");
    sandbox
        .poc("status cache")
        .prints("the plan says that it has no tests");
}

#[test]
fn a_plan_without_a_done_block_can_be_completed() {
    let (plan, _) = PLAN.split_once("## What").unwrap();
    let plan = plan
        .replace("- [ ] the block passes\n  - Proof: done 2\n", "")
        .replace("- [ ] it is pleasant\n", "");
    let results = RESULTS
        .replace("- [ ] the block passes\n", "")
        .replace("- [ ] it is pleasant\n", "");
    let sandbox = sandbox_of(&plan, &results);
    sandbox.poc("verify cache").exits(0).says("Closed step 0");
    sandbox
        .poc("verify cache")
        .exits(0)
        .says("Closed step 1")
        .says("Complete cache");
    assert_eq!(status(&sandbox)["next"], Value::Null);
}

#[test]
fn marks_of_a_person_survive_the_end_of_a_step() {
    let marks =
        "- [~] alpha\n- [ ] bravo\n- [-] charlie, cancelled\n- [>] delta, moved\n- [ ] ~~echo~~\n";
    let plan = PLAN.replace("- [ ] write `src/lib.rs`\n", marks);
    let sandbox = sandbox_of(&plan, RESULTS);
    work(&sandbox);
    sandbox
        .poc("verify cache --step 1")
        .exits(0)
        .says("Closed step 1");
    let now = sandbox.read("docs/cache-plan.md");
    assert!(
        now.contains(&marks.replace("[ ] bravo", "[x] bravo")),
        "{now}"
    );
}

#[test]
fn reason_of_a_failure_is_the_unmet_expectation() {
    let plan = PLAN.replace("# Expected: 1 passed", "# Expected: 7 passed");
    let sandbox = sandbox_of(&plan, RESULTS);
    work(&sandbox);
    sandbox.poc("verify cache --step 1").exits(1);
    let poc = status(&sandbox);
    let why = text(&poc["steps"][1]["why"]);
    assert!(
        why.contains("cargo test --lib") && why.contains('7'),
        "{why}"
    );
}

#[test]
fn a_document_that_cannot_be_read_does_not_stop_commands_about_others() {
    let sandbox = sandbox();
    sandbox.write("docs/secret-plan.md", b"\0GITCRYPT\0\x92\xca\xfe\xff");
    sandbox
        .poc("affected")
        .exits(0)
        .says("docs/secret-plan.md")
        .says("binary file")
        .hides("UTF-8");
    sandbox.edit("src/lib.rs", "    42\n", "    40 + 2\n");
    let run = sandbox.poc("verify");
    run.exits(2).says("docs/secret-plan.md").prints("passed");
    sandbox.poc("verify cache --affected --no-record").exits(0);
    sandbox.poc("status cache").exits(0);
    sandbox
        .poc("status --check")
        .exits(2)
        .says("docs/secret-plan.md");
}

#[test]
fn results_without_their_plan_pass_no_gate() {
    let sandbox = sandbox();
    work(&sandbox);
    verified(&sandbox);
    let restore = "docs/cache-plan.md does not exist, but docs/cache-results.md has its records";
    for other in ["docs/old.md", "docs/other-plan.md"] {
        sandbox
            .shell(&format!("mv docs/cache-plan.md {other}"))
            .exits(0);
        sandbox.poc("status --check").exits(2).says(restore);
        sandbox.poc("check").exits(2).says(restore);
        sandbox
            .shell(&format!("mv {other} docs/cache-plan.md"))
            .exits(0);
    }
    // A document of another purpose has no records.
    sandbox.shell("rm docs/cache-*").exits(0);
    sandbox.write("docs/survey-results.md", "# Results\n");
    sandbox.poc("status --check").exits(0);
}

#[test]
fn only_the_plan_withdraws_a_step() {
    let sandbox = sandbox();
    work(&sandbox);
    verified(&sandbox);
    sandbox.append("src/lib.rs", "#[test]\nfn broken() {\n    panic!();\n}\n");
    sandbox.poc("verify cache --step 1 -q").exits(1);
    let results = sandbox.read("docs/cache-results.md");
    let (before, step) = results.split_once("### Step 1:").unwrap();
    let status = step
        .lines()
        .find(|line| line.starts_with("**Status**"))
        .unwrap();
    for step in [
        format!(
            "### Step 1:{}",
            step.replacen(status, "**Status**: Skipped", 1)
        ),
        format!("### ~~Step 1~~:{step}"),
    ] {
        sandbox.write("docs/cache-results.md", format!("{before}{step}"));
        sandbox
            .poc("status cache --check")
            .exits(1)
            .prints("failed");
        sandbox
            .poc("check cache")
            .prints("but not in the plan, so it counts as open");
    }
}

#[test]
fn gate_fails_for_a_missing_folder() {
    let sandbox = sandbox();
    sandbox
        .poc("status --check --docs typo")
        .exits(2)
        .says("does not exist; pass the folder")
        .says("typo");
    sandbox.poc("status --docs typo").exits(0);
}

#[test]
fn status_screen_fits_24_lines_with_the_next_action() {
    let mut plan = PLAN.to_owned();
    let mut results = RESULTS.to_owned();
    for id in 2..6 {
        let step = format!(
            "### Step {id}: Part {id}\n\n**Tasks**:\n- [x] write `src/p{id}.rs`\n\n**Verification**:\n```bash\ncargo test p{id}\n```\n\n"
        );
        plan = plan.replace("## What", &format!("{step}## What"));
        let block = format!("\n### Step {id}: Part {id}\n\n**Status**: Complete\n");
        results.push_str(&block);
    }
    for number in 0..30 {
        let row = format!("| `src/f{number}.rs` | Modify | Pending |\n");
        plan.push_str(&row);
    }
    let sandbox = sandbox_of(&plan, &results);
    work(&sandbox);
    let run = sandbox.poc("status cache");
    let lines = run.stdout.lines().count();
    assert!(lines <= 24, "{lines} lines\n{run}");
    run.prints("Next")
        .prints("more; see `cargo poc check cache`");
}
