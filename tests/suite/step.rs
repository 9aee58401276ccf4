//! `step` and `update`: plan and results edited together, by spans, and nothing else of them touched.

use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::kit::{PROGRAM, Sandbox};
use crate::plans::plan;

const PLAN: &str = plan!(
    "- [ ] fast
",
    "### Step 1: Do it

**Goal**: it works

**Tasks**:
- [ ] write
- [ ] test
  - with care
- [ ] measure

**Tests**: none

**Verification**:
```bash
test -f src/lib.rs
```

---

### Step 2: Do more

**Tests**: none

**Verification**:
```bash
false
```

---

## What \"Done\" Looks Like

```bash
true
```
"
);

const RESULTS: &str = "# Cache Results

## Summary

| Attribute | Value |
|---|---|
| **Status** | Pending |
| **Started** | -- |

## Implementation Progress

### Step 1: Do it \u{23f3}

**Status**: Pending

**Test Results**: --

**Issues**: None

**Lessons Learned**: - the first

**Result**: --

### Step 2: Do more

**Status**: Pending

## Key Decisions Made

None yet.

## Next Steps

1. `cargo poc status`
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox
}

fn plan(sandbox: &Sandbox) -> String {
    sandbox.read("docs/cache-plan.md")
}

fn results(sandbox: &Sandbox) -> String {
    sandbox.read("docs/cache-results.md")
}

fn status(sandbox: &Sandbox) -> Value {
    sandbox.poc("status cache --format json").json()["pocs"][0].take()
}

fn next(sandbox: &Sandbox) -> String {
    status(sandbox)["next"]["command"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Runs a command a second time, which must change nothing.
#[track_caller]
fn again(sandbox: &Sandbox, line: &str) {
    let before = sandbox.files();
    sandbox.poc(line).exits(0).says("Unchanged");
    assert!(sandbox.files() == before, "{line} twice");
}

#[test]
fn step_is_started_and_closed_with_next_actions() {
    let sandbox = sandbox();
    assert_eq!(next(&sandbox), "cargo poc verify cache --step 1");
    let before = sandbox.files();
    sandbox
        .poc("step start cache 1 --dry-run")
        .exits(0)
        .prints("+**Status**: In Progress (");
    assert!(sandbox.files() == before);
    sandbox
        .poc("step start 1")
        .exits(0)
        .says("Started step 1 of cache")
        .says("Locked");
    again(&sandbox, "step start cache 1");
    let text = results(&sandbox);
    assert!(
        text.contains("### Step 1: Do it \u{1f504}\n\n**Status**: In Progress (20"),
        "{text}"
    );
    assert!(
        text.contains("| **Status** | In Progress |\n| **Started** | 20"),
        "{text}"
    );
    assert_eq!(plan(&sandbox), PLAN, "the plan carries no status");
    assert_eq!(status(&sandbox)["contract"]["by"], "A Person");

    assert_eq!(next(&sandbox), "cargo poc verify cache --step 1");
    sandbox
        .poc("step done cache 1")
        .exits(1)
        .says("step 1 is in progress")
        .says("cargo poc verify cache --step 1");
    sandbox.poc("verify cache --step 1 --no-close").exits(0);
    assert_eq!(next(&sandbox), "cargo poc step done cache 1");
    sandbox
        .poc("step done cache 1")
        .exits(0)
        .says("Done step 1 of cache");
    again(&sandbox, "step done cache 1");
    let text = results(&sandbox);
    assert!(
        text.contains("### Step 1: Do it \u{2705}\n\n**Status**: Complete (20"),
        "{text}"
    );
    let ticked = PLAN
        .replace("- [ ] write", "- [x] write")
        .replace("- [ ] test", "- [x] test")
        .replace("- [ ] measure", "- [x] measure");
    assert_eq!(plan(&sandbox), ticked);
    assert_eq!(next(&sandbox), "cargo poc verify cache --step 2");

    sandbox.append("src/lib.rs", "// changed\n");
    sandbox
        .poc("step done cache 1")
        .exits(3)
        .says("step 1 is stale");
    sandbox
        .poc("step start cache 9")
        .exits(2)
        .says("its steps are 1, 2");
}

#[test]
fn forced_step_is_recorded_and_remains_visible() {
    let sandbox = sandbox();
    sandbox.poc("step done cache 2 --force").exits(2);
    sandbox.poc("step done cache 2 --reason x").exits(2);
    sandbox.poc("step start cache 2").exits(0);
    let line = "step done cache 2 --force --reason 'seen on the target'";
    sandbox.poc(line).exits(0).says("no run has proven step 2");
    again(&sandbox, line);
    let status = status(&sandbox);
    assert_eq!(
        status["contract"]["overrides"][0]["reason"],
        "seen on the target"
    );
    assert_eq!(status["contract"]["overrides"][0]["by"], "A Person");
    assert_eq!(status["steps"][1]["state"], "claimed");
    let codes: Vec<&str> = status["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert!(
        codes.contains(&"POC065") && codes.contains(&"POC020"),
        "{codes:?}"
    );
    sandbox
        .poc("status cache")
        .prints("forced step 2: seen on the target");
}

#[test]
fn notes_are_added_to_their_fields_once() {
    let sandbox = sandbox();
    let line = "step note cache 1 --issue 'a | b' --issue second --lesson 'the second' --decision 'moka it is' --deviation 'no async'";
    sandbox.poc(line).exits(0).says("Noted in step 1");
    again(&sandbox, line);
    sandbox
        .poc("step note cache 2 --issue late --decision 'and no tokio'")
        .exits(0);
    let expected = RESULTS
        .replace("**Issues**: None\n\n**Lessons Learned**: - the first\n\n**Result**: --\n",
            "**Issues**:\n- a | b\n- second\n\n**Lessons Learned**: - the first\n- the second\n\n**Result**: --\n\n**Deviation from Plan**:\n- no async\n")
        .replace("### Step 2: Do more\n\n**Status**: Pending\n", "### Step 2: Do more\n\n**Status**: Pending\n\n**Issues**:\n- late\n")
        .replace("None yet.", "- **Step 1**: moka it is\n- **Step 2**: and no tokio");
    assert_eq!(results(&sandbox), expected);
    sandbox.poc("step note cache 1").exits(2);
    sandbox
        .poc("step note cache 1 --issue ' '")
        .exits(2)
        .says("is empty");
}

#[test]
fn a_step_is_added_and_split_off_in_both_documents() {
    let sandbox = sandbox();
    let line = "step split cache 1 'Measure it' --task 3 --task 2 --verify 'test -d src' --verify '# Expected: exit code 0'";
    sandbox.poc(line).exits(0).says("step 1b: Measure it");
    again(&sandbox, line);
    let expected = PLAN.replace("- [ ] test\n  - with care\n- [ ] measure\n", "").replace(
        "### Step 2: Do more",
        "### Step 1b: Measure it\n\n**Goal**: [fill in: the behaviour that this step adds]\n\n**Tasks**:\n- [ ] test\n  - with \
         care\n- [ ] measure\n\n**Verification**:\n```bash\ntest -d src\n# Expected: exit code 0\n```\n\n---\n\n### Step 2: Do more",
    );
    assert_eq!(plan(&sandbox), expected);
    let text = results(&sandbox);
    assert!(
        text.contains("**Result**: --\n\n### Step 1b: Measure it\n\n**Status**: Pending\n"),
        "{text}"
    );
    sandbox
        .poc("step add cache 'The last' --task one --goal 'all of it'")
        .exits(0)
        .says("step 3: The last");
    sandbox
        .poc("step add cache 'Between' --after 1")
        .exits(0)
        .says("step 1c: Between");
    let ids = |text: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix("### Step "))
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&plan(&sandbox)), ["1", "1b", "1c", "2", "3"]);
    assert_eq!(ids(&results(&sandbox)), ["1", "1b", "1c", "2", "3"]);
    sandbox
        .poc("step split cache 1 Wrong --task 9")
        .exits(2)
        .says("has no task 9");
    sandbox.poc("verify cache --step 1b").exits(0);
}

#[test]
fn withdrawn_step_stays_visible_and_changes_the_contract() {
    let sandbox = sandbox();
    sandbox.poc("step start cache 1").exits(0);
    let line = "step withdraw cache 2 --reason 'moved to the next PoC'";
    sandbox.poc(line).exits(0).says("Withdrew step 2");
    again(&sandbox, line);
    assert!(plan(&sandbox).contains("### ~~Step 2~~: Do more\n"));
    assert!(
        results(&sandbox)
            .contains("### ~~Step 2~~: Do more\n\n**Status**: Withdrawn: moved to the next PoC\n")
    );
    let status = status(&sandbox);
    assert_eq!(status["steps"][1]["state"], "withdrawn");
    assert_eq!(status["contract"]["changes"], Value::Array(Vec::new()));
    let amendment = &status["contract"]["amendments"][0];
    assert_eq!(amendment["reason"], "moved to the next PoC");
    assert_eq!(amendment["weakens"], true);
    sandbox
        .poc("step start cache 2")
        .exits(2)
        .says("withdrawn step 2");
    sandbox.poc("step add cache 'More' --verify true").exits(0);
    assert_eq!(
        self::status(&sandbox)["contract"]["changes"],
        Value::Array(Vec::new())
    );
}

#[test]
fn every_byte_outside_an_edit_is_kept() {
    let odd = |text: &str| {
        let text = text
            .replace("- [ ] test", "-\t[ ] test")
            .replace('\n', "  \r\n");
        let text = text.replace("Do it", "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f980}");
        format!("\u{feff}{text}\t")
    };
    let sandbox = Sandbox::package();
    let (plan_text, results_text) = (odd(PLAN), odd(RESULTS));
    sandbox
        .write("docs/cache-plan.md", &plan_text)
        .write("docs/cache-results.md", &results_text);
    sandbox.git();
    for line in [
        "step note cache 1 --issue 'an issue' --lesson 'a lesson' --decision 'a decision'",
        "step start cache 1",
        "verify cache --step 1",
        "step done cache 1",
        "step add cache 'More' --after 1",
        "step withdraw cache 2 --reason 'enough'",
    ] {
        sandbox.poc(line).exits(0);
        for (now, before) in [
            (plan(&sandbox), &plan_text),
            (results(&sandbox), &results_text),
        ] {
            assert_eq!(
                now.matches('\n').count(),
                now.matches("\r\n").count(),
                "{line}"
            );
            // Existing text is kept, except for the edited lines.
            let kept = before
                .lines()
                .filter(|old| now.lines().any(|new| new == *old))
                .count();
            assert!(before.lines().count() - kept <= 10, "{line}\n{now}");
            assert!(now.starts_with('\u{feff}'));
        }
    }
    assert!(results(&sandbox).ends_with("<!-- cargo-poc:end evidence -->\r\n"));
}

#[test]
fn concurrent_commands_wait_for_each_other() {
    let sandbox = sandbox();
    let note = |number: usize| {
        let mut command = sandbox.command(PROGRAM);
        command.args([
            "step",
            "note",
            "cache",
            "1",
            "--issue",
            &format!("issue {number}"),
        ]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<Child> = (0..8).map(note).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = results(&sandbox);
    for number in 0..8 {
        assert_eq!(
            text.matches(&format!("- issue {number}\n")).count(),
            1,
            "{text}"
        );
    }
}

#[test]
fn a_killed_command_leaves_each_document_old_or_new() {
    let sandbox = sandbox();
    for delay in 0..20 {
        let before = (plan(&sandbox), results(&sandbox));
        let mut command = sandbox.command(PROGRAM);
        command.args(["step", "add", "cache", &format!("Number {delay}")]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay * 10));
        child.kill().unwrap();
        child.wait().unwrap();
        let after = (plan(&sandbox), results(&sandbox));
        let heading = format!(": Number {delay}\n");
        assert!(after.0 == before.0 || after.0.matches(&heading).count() == 1);
        assert!(after.1 == before.1 || after.1.matches(&heading).count() == 1);
        // Run again, it brings both to their end, and never adds a second one.
        sandbox
            .poc(&format!("step add cache 'Number {delay}'"))
            .exits(0);
        assert_eq!(plan(&sandbox).matches(&heading).count(), 1);
        assert_eq!(results(&sandbox).matches(&heading).count(), 1);
    }
}

#[test]
fn generated_parts_follow_the_workspace_and_nothing_else_is_touched() {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs='keeps | answers' --criterion fast")
        .exits(0);
    sandbox.commit("plan");
    again(&sandbox, "update cache");
    sandbox
        .write("store/src/cache.rs", "#[test]\nfn one() {}\n")
        .edit(
            "store/src/lib.rs",
            "pub fn answer",
            "mod cache;\n\npub fn answer",
        );
    let mine = "\nA note of mine, with the word Pending.\n";
    sandbox.append("docs/cache-plan.md", mine);
    let before = plan(&sandbox);
    sandbox
        .poc("update --dry-run")
        .exits(0)
        .prints("+| `store/src/cache.rs` | Create | Done: keeps");
    assert_eq!(plan(&sandbox), before);
    sandbox.poc("update cache").exits(0).says("Updated cache");
    again(&sandbox, "update");
    let after = plan(&sandbox);
    assert!(after.ends_with(mine));
    assert!(
        after.contains("| `store/src/cache.rs` | Create | Done: keeps \\| answers |"),
        "{after}"
    );
    assert!(
        after.contains("| `store/src/lib.rs` (doctests) | ~1 |")
            && after.contains("| `store/src/lib.rs` | ~2 |"),
        "{after}"
    );

    sandbox.poc("verify cache --full").exits(0);
    sandbox.poc("update cache").exits(0);
    let text = results(&sandbox);
    assert!(
        text.contains("**Total**: 7\n<!-- cargo-poc:end counts -->"),
        "{text}"
    );
    assert_eq!(status(&sandbox)["tests"]["claimed"], 7);
}

#[test]
fn documents_without_markers_are_not_changed() {
    let sandbox = sandbox();
    let before = sandbox.files();
    sandbox.poc("update cache").exits(0).says("has no markers");
    assert!(sandbox.files() == before);
}
