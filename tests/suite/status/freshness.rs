//! What evidence shows, and when it no longer does.

use std::collections::BTreeMap;

use cargo_poc::internals::evidence::{Outcome, Scope};

use super::{
    a_record, all_passed, assert_states, codes, passed, sandbox, states, step, tests, write_down,
};

#[test]
fn evidence_becomes_stale_only_with_its_inputs() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    // Not read by the store's tests.
    sandbox
        .append("free/src/lib.rs", "// changed\n")
        .append("docs/cache-plan.md", "\nA note.\n");
    assert_eq!(states(&sandbox).0, "proven");
    let before = sandbox.read("store/src/lib.rs");
    sandbox.append("store/src/lib.rs", "// changed\n");
    assert_states(
        &sandbox,
        "stale",
        ["stale"; 2],
        "cargo poc verify cache --step 0",
    );
    sandbox
        .poc("status cache")
        .prints("changed since it was verified: store");
    sandbox.poc("status --check").exits(3);
    // The earlier text is fresh again.
    sandbox.write("store/src/lib.rs", before);
    assert_eq!(states(&sandbox).0, "proven");
    sandbox.append("Cargo.lock", "\n# changed\n");
    sandbox.poc("status --check").exits(3);
}

#[test]
fn evidence_of_other_commands_does_not_count() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    sandbox.edit(
        "docs/cache-plan.md",
        "cargo check -p store",
        "cargo check -p store --tests",
    );
    assert_states(
        &sandbox,
        "stale",
        ["stale", "proven"],
        "cargo poc verify cache --step 0",
    );
    sandbox
        .poc("status cache --check")
        .exits(3)
        .prints("the plan's commands have changed since it was verified");
}

#[test]
fn the_last_run_counts() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    let mut failed = a_record(&sandbox, step("1"), 20);
    failed.outcome = Outcome::Failed;
    failed.tests = Some(tests(2, 1));
    failed.failing = BTreeMap::from([("store".to_owned(), vec!["tests::unit".to_owned()])]);
    write_down(&sandbox, &failed);
    assert_states(
        &sandbox,
        "failed",
        ["proven", "failed"],
        "cargo poc verify cache --step 1",
    );
    assert_eq!(codes(&sandbox), ["POC021"]);
    sandbox.poc("status --check").exits(1);
    sandbox
        .poc("status")
        .prints("failing: tests::unit")
        .prints("last run 2 passed, 1 failed");
    passed(&sandbox, step("1"), 21);
    assert_eq!(states(&sandbox).0, "proven");
}

#[test]
fn run_without_tests_does_not_pass() {
    let sandbox = sandbox();
    passed(&sandbox, Scope::Baseline, 0);
    let mut none = a_record(&sandbox, step("0"), 1);
    none.outcome = Outcome::NoTests;
    write_down(&sandbox, &none);
    assert_eq!(states(&sandbox).1[0], "failed");
    sandbox
        .poc("status cache --check")
        .exits(1)
        .prints("no test matched its command");
}

#[test]
fn regression_fails_the_gate_with_proven_steps() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    let mut worse = a_record(&sandbox, Scope::Affected, 30);
    worse.outcome = Outcome::Failed;
    worse.regressions = BTreeMap::from([("app::it".to_owned(), vec!["integration".to_owned()])]);
    write_down(&sandbox, &worse);
    assert_states(
        &sandbox,
        "failed",
        ["proven"; 2],
        "cargo poc verify cache --affected",
    );
    assert_eq!(codes(&sandbox), ["POC023"]);
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("tests that passed in the baseline failed: integration");
    // A test that vanished is one too, though the run passed.
    let mut gone = a_record(&sandbox, Scope::Affected, 31);
    gone.missing = worse.regressions.clone();
    write_down(&sandbox, &gone);
    sandbox
        .poc("status --check")
        .exits(1)
        .prints("POC023")
        .prints("are missing: integration");
    passed(&sandbox, Scope::Affected, 32);
    assert_eq!(states(&sandbox).0, "proven");
}

#[test]
fn evidence_that_was_edited_does_not_count() {
    let sandbox = sandbox();
    all_passed(&sandbox);
    sandbox.edit(
        "docs/cache-results.md",
        "\"outcome\":\"passed\"",
        "\"outcome\": \"passed\"",
    );
    let before = sandbox.files();
    let (state, ..) = states(&sandbox);
    assert_eq!(state, "pending");
    assert!(codes(&sandbox).iter().all(|code| code == "POC010"));
    let run = sandbox.poc("status cache --check");
    run.exits(1)
        .prints("docs/cache-results.md:")
        .prints("this evidence was edited and does not count");
    assert_eq!(sandbox.files(), before);
}

#[test]
fn evidence_of_another_poc_does_not_count() {
    let sandbox = sandbox();
    let mut other = a_record(&sandbox, step("0"), 1);
    other.poc = "other".to_owned();
    write_down(&sandbox, &other);
    assert_eq!(states(&sandbox).1[0], "pending");
    sandbox
        .poc("status cache --check")
        .exits(1)
        .prints("belongs to the PoC `other`");
}
