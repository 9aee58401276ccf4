//! What a plan promises, locked when its work begins, and what becomes of it.

use serde_json::{Value, json};

use crate::kit::Sandbox;
use crate::plans::plan;

const PLAN: &str = plan!(
    "- [ ] p99 read latency < 5 ms
- [ ] no panic on any input
- [ ] [fill in: a third]
",
    "### Step 0: Prepare

**Verification**:
```bash
test -f Cargo.toml
# Expected: exit code 0
```

### Step 1: Do it

**Verification**:
```bash
# the whole package
echo '12 passed'
# Expected: 12 passed
test -d src
```

## What \"Done\" Looks Like

```bash
true
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

## Implementation Progress

### Step 0: Prepare

**Status**: Pending

### Step 1: Do it

**Status**: Pending
";

/// A package with these documents, whose first step was verified, so that its plan is locked.
fn begun() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox.poc("verify cache --step 0").exits(0);
    sandbox
}

fn status(sandbox: &Sandbox) -> Value {
    sandbox.poc("status cache --format json").json()["pocs"][0].take()
}

/// The codes and messages of findings on the contract.
fn findings(sandbox: &Sandbox) -> Vec<(String, String)> {
    let status = status(sandbox);
    let all = status["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.map(|finding| (text(&finding["code"]), text(&finding["message"])))
        .filter(|(code, _)| ("POC061".."POC066").contains(&code.as_str()))
        .collect()
}

#[track_caller]
fn finds(sandbox: &Sandbox, code: &str, message: &str) {
    let found = findings(sandbox);
    assert!(
        found
            .iter()
            .any(|(own, text)| own == code && text.starts_with(message)),
        "no {code} {message:?} in {found:#?}"
    );
}

#[test]
fn first_verification_of_a_step_locks_the_contract() {
    let sandbox = begun();
    let results = sandbox.read("docs/cache-results.md");
    assert!(results.contains("## Contract"), "{results}");
    assert!(results.contains("| A Person | locked |"), "{results}");
    assert!(
        results.contains("3 criteria, 2 steps, 2 tests ("),
        "{results}"
    );
    sandbox.poc("verify cache --step 0").exits(0);
    let again = sandbox.read("docs/cache-results.md");
    assert_eq!(again.matches("cargo-poc:contract v1").count(), 1);
    let status = status(&sandbox);
    assert_eq!(status["contract"]["by"], "A Person");
    assert_eq!(status["contract"]["changes"], json!([]));
    assert_eq!(findings(&sandbox), []);
}

#[test]
fn baseline_and_test_runs_do_not_lock_the_contract() {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox.poc("verify cache --full").exits(0);
    assert_eq!(status(&sandbox)["contract"], Value::Null);
    sandbox
        .poc("amend cache --reason why")
        .exits(2)
        .says("can be edited freely");
}

#[test]
fn weaker_criteria_are_marked_and_notes_are_ignored() {
    let sandbox = begun();
    sandbox
        .edit(
            "docs/cache-plan.md",
            "no panic on any input",
            "no panic on any input (fuzzed for an hour)",
        )
        .edit("docs/cache-plan.md", "[fill in: a third]", "it is small");
    assert_eq!(findings(&sandbox), []);
    sandbox.edit("docs/cache-plan.md", "< 5 ms", "< 50 ms");
    finds(
        &sandbox,
        "POC061",
        "criterion relaxed: p99 read latency < 5 ms → p99 read latency < 50 ms",
    );
    sandbox
        .poc("status cache --check")
        .exits(1)
        .prints("error[POC061] docs/cache-plan.md:12:");
    sandbox.edit("docs/cache-plan.md", "< 50 ms", "< 1 ms");
    finds(&sandbox, "POC063", "criterion tightened");
    sandbox.edit(
        "docs/cache-plan.md",
        "p99 read latency < 1 ms",
        "p99 read latency is pleasing",
    );
    finds(&sandbox, "POC062", "criterion changed");
    sandbox.edit(
        "docs/cache-plan.md",
        "- [ ] p99 read latency is pleasing\n",
        "",
    );
    finds(
        &sandbox,
        "POC061",
        "criterion removed: p99 read latency < 5 ms",
    );
}

#[test]
fn weaker_commands_and_expectations_are_marked() {
    for (old, new, code, message) in [
        ("# the whole package\n", "# another word\n", "", ""),
        (
            "# Expected: 12 passed",
            "# Expected: 9 passed",
            "POC061",
            "expectation of step 1 relaxed: 12 passed → 9 passed",
        ),
        (
            "# Expected: 12 passed",
            "# Expected: ~12",
            "POC061",
            "expectation of step 1 relaxed",
        ),
        (
            "# Expected: 12 passed",
            "# Expected: looks good",
            "POC061",
            "expectation of step 1 relaxed",
        ),
        (
            "# Expected: 12 passed\n",
            "",
            "POC061",
            "expectation of step 1 removed: 12 passed",
        ),
        (
            "test -d src",
            "test -d src || true",
            "POC061",
            "command of step 1 narrowed",
        ),
        (
            "test -d src\n",
            "",
            "POC061",
            "command of step 1 removed: test -d src",
        ),
        (
            "test -d src",
            "test -d src/deep",
            "POC062",
            "command of step 1 changed",
        ),
        (
            "test -d src\n",
            "test -d src\ncargo check\n",
            "POC063",
            "command of step 1 added: cargo check",
        ),
        (
            "```bash\ntrue\n```",
            "",
            "POC061",
            "command of done removed: true",
        ),
        (
            "### Step 1: Do it",
            "### ~~Step 1~~: Do it",
            "POC061",
            "step 1 removed",
        ),
    ] {
        let sandbox = begun();
        sandbox.edit("docs/cache-plan.md", old, new);
        if code.is_empty() {
            assert_eq!(findings(&sandbox), []);
        } else {
            finds(&sandbox, code, message);
        }
    }
}

#[test]
fn removed_and_ignored_tests_are_named() {
    let sandbox = begun();
    sandbox.append("src/lib.rs", "\n#[test]\nfn another() {}\n");
    assert_eq!(findings(&sandbox), [], "more tests are no loss");
    sandbox.edit(
        "src/lib.rs",
        "    #[test]\n    fn unit",
        "    #[test]\n    #[ignore]\n    fn unit",
    );
    finds(&sandbox, "POC061", "test newly ignored: app tests::unit");
    sandbox.remove("tests/it.rs");
    finds(&sandbox, "POC061", "test removed: app::it integration");
    sandbox
        .poc("amend cache --reason 'they were flaky'")
        .exits(0)
        .prints("weaker  test newly ignored");
    assert_eq!(findings(&sandbox), []);
}

#[test]
fn a_test_that_asserts_nothing_any_more_is_named() {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS)
        .write(
            "tests/it.rs",
            "#[test]\nfn integration() {\n    assert_eq!(1 + 1, 2);\n}\n#[test]\nfn builds() {}\n#[test]\nfn helped() {\n    same(1);\n}\nfn same(n: u32) {\n    \
             assert_eq!(n, 1);\n}\n",
        );
    sandbox.git();
    sandbox.poc("verify cache --step 0").exits(0);
    sandbox.edit(
        "tests/it.rs",
        "assert_eq!(1 + 1, 2);",
        "let sum = 1 + 1;\n    assert_eq!(sum, 2);",
    );
    assert_eq!(findings(&sandbox), []);
    sandbox.edit("tests/it.rs", "assert_eq!(sum, 2);", "let _ = sum;");
    finds(
        &sandbox,
        "POC061",
        "test without any assertion now: app::it integration",
    );
    sandbox.edit("tests/it.rs", "let _ = sum;", "assert!(true);");
    finds(
        &sandbox,
        "POC061",
        "test without any assertion now: app::it integration",
    );
    sandbox.edit("tests/it.rs", "    assert_eq!(n, 1);\n", "    let _ = n;\n");
    finds(
        &sandbox,
        "POC061",
        "tests without any assertion now: app::it helped, app::it integration",
    );
    sandbox.poc("status --check").exits(1);
}

#[test]
fn amendment_records_author_time_reason_and_change() {
    let sandbox = begun();
    sandbox
        .poc("amend cache --reason because")
        .exits(0)
        .says("Unchanged");
    sandbox.poc("amend cache").exits(2);
    sandbox
        .poc("amend cache --reason ' '")
        .exits(2)
        .says("is empty");
    sandbox.edit("docs/cache-plan.md", "< 5 ms", "< 50 ms");
    sandbox.edit(
        "docs/cache-plan.md",
        "- [ ] [fill in: a third]\n",
        "- [ ] small | simple\n",
    );
    let before = sandbox.read("docs/cache-results.md");
    let shown = sandbox.poc("amend cache --reason 'a slow disk' --dry-run");
    shown.exits(0).prints("+| 2").prints("a slow disk");
    assert_eq!(sandbox.read("docs/cache-results.md"), before);

    let run = sandbox.poc("amend cache --reason 'a slow disk'");
    run.exits(0)
        .prints("weaker  criterion relaxed")
        .says("by A Person");
    let results = sandbox.read("docs/cache-results.md");
    assert!(
        results.contains("| **weaker**: criterion relaxed | p99 read latency &lt; 5 ms | p99 read latency &lt; 50 ms | a slow disk |"),
        "{results}"
    );
    assert_eq!(findings(&sandbox), []);
    let status = status(&sandbox);
    let amendment = &status["contract"]["amendments"][0];
    assert_eq!(amendment["reason"], "a slow disk");
    assert_eq!(amendment["by"], "A Person");
    assert_eq!(amendment["weakens"], true);
    assert_eq!(
        amendment["changes"][0],
        json!({"what": "criterion", "how": "relaxed", "weakens": true, "was": "p99 read latency < 5 ms", "is": "p99 read latency < 50 ms"})
    );
    sandbox
        .poc("status cache")
        .prints("1 amendment, 1 of them weakening it");
    sandbox.edit("docs/cache-plan.md", "< 50 ms", "< 5 ms");
    finds(&sandbox, "POC063", "criterion tightened");
}

#[test]
fn edited_lock_does_not_count_and_is_reported() {
    let sandbox = begun();
    sandbox.edit(
        "docs/cache-results.md",
        "p99 read latency < 5 ms",
        "p99 read latency < 500 ms",
    );
    finds(&sandbox, "POC064", "this contract was edited");
    sandbox.poc("status cache --check").exits(1);
    sandbox
        .poc("amend cache --reason x")
        .exits(2)
        .says("docs/cache-results.md:");
}

#[test]
fn removed_contract_is_reported() {
    let sandbox = begun();
    let results = sandbox.read("docs/cache-results.md");
    let without = |part: &str| {
        let lines = results.lines().filter(|line| !line.contains(part));
        sandbox.write(
            "docs/cache-results.md",
            lines.collect::<Vec<_>>().join("\n"),
        );
        sandbox.poc("status cache --check").exits(1);
    };
    without("cargo-poc:contract v1");
    finds(&sandbox, "POC064", "the table of the contract differs");
    let (before, region) = results.split_once("## Contract").unwrap();
    let (_, after) = region.split_once("end contract -->").unwrap();
    sandbox.write("docs/cache-results.md", format!("{before}{after}"));
    let lost = "the contract at the time of this run is missing";
    finds(&sandbox, "POC064", lost);
    sandbox.poc("status cache --check").exits(1);
    sandbox.poc("amend cache --reason x").exits(2).says(lost);
    // A new lock, of a weaker plan, does not replace it.
    sandbox.edit("docs/cache-plan.md", "< 5 ms", "< 50 ms");
    sandbox.poc("verify cache --step 0 -q");
    finds(&sandbox, "POC064", lost);
}

#[test]
fn locking_keeps_line_ends_and_other_text() {
    let sandbox = Sandbox::package();
    let results = format!(
        "\u{feff}{}",
        RESULTS.replace('\n', "\r\n") + "trailing  \r\n\tمرحبا 🦀"
    );
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", &results);
    sandbox.git();
    sandbox.poc("verify cache --done").exits(0);
    let now = sandbox.read("docs/cache-results.md");
    assert!(now.starts_with(&results));
    assert_eq!(now.matches('\n').count(), now.matches("\r\n").count());
}

#[test]
fn missing_git_user_is_an_error_with_a_remedy() {
    let sandbox = begun();
    sandbox.edit("docs/cache-plan.md", "< 5 ms", "< 50 ms");
    let mut command = sandbox.command(crate::kit::PROGRAM);
    command.args(["amend", "cache", "--reason", "x"]);
    for name in [
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "EMAIL",
    ] {
        command.env_remove(name);
    }
    sandbox.run_git(&["config", "user.useConfigOnly", "true"]);
    crate::kit::finish(command, "amend")
        .exits(4)
        .says("git config user.name");
}
