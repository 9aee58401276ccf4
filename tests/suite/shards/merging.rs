//! Shards that failed, are of different runs, or do not contain each test once.

use super::*;

#[test]
fn failure_in_one_shard_fails_the_merge_with_the_regression() {
    let (of, reports) = (changed(), Sandbox::empty());
    // The baseline before the change, on this machine.
    of.poc("verify cache --baseline -q").exits(0);
    of.edit("store/src/lib.rs", "    40 + 2\n", "    40 + 3\n");
    of.edit(
        "store/src/lib.rs",
        "    fn unit() {\n        assert_eq!(super::answer(), 42);",
        "    fn unit() {\n        assert_eq!(super::answer(), 43);",
    );
    of.commit("broken");
    let ends = run_all(&of, &reports, 2, "--runner cargo");
    assert!(ends.contains(&1), "{ends:?}");
    let machine = clone(&of);
    merge(&machine, &reports, &[1, 2])
        .exits(1)
        .prints("cache affected: failed")
        .prints("regression: the baseline passed");
    let merged = records(&machine).pop().unwrap();
    assert_eq!(merged.outcome, Outcome::Failed);
    assert_eq!(
        merged.failing.get("store::cases").map(Vec::len),
        Some(8),
        "{merged:#?}"
    );
    assert_eq!(
        merged.regressions.get("store::cases").map(Vec::len),
        Some(8),
        "{merged:#?}"
    );
    assert_eq!(merged.regressions.get("store"), None);
}

#[test]
fn shards_of_different_runs_are_not_merged() {
    let (of, reports) = (changed(), Sandbox::empty());
    assert_eq!(run_all(&of, &reports, 2, "--runner cargo"), [0, 0]);
    let machine = clone(&of);
    let untouched = machine.files();
    merge(&machine, &reports, &[2])
        .exits(4)
        .says("the report of shard 1/2 is missing");
    merge(&machine, &reports, &[1, 2, 2])
        .exits(2)
        .says("are both shard 2/2");
    machine
        .poc("verify --merge nowhere.json")
        .exits(4)
        .says("nowhere.json");
    machine
        .poc("verify --merge docs/cache-plan.md")
        .exits(2)
        .says("docs/cache-plan.md is not a report of `cargo poc verify --partition M/N --report shard=FILE`");

    // Differences between reports of different runs.
    let second = reports.read("shard-2.json");
    for (pointer, value, why) in [
        (
            "/partition",
            json!("2/3"),
            "the number of shards is 2 in the first, but 3 in the second",
        ),
        (
            "/record/source/commit",
            json!("0000000000000000000000000000000000000000"),
            "the commit is",
        ),
        (
            "/record/inputs/store",
            json!("0000000000000000"),
            "they ran on different store",
        ),
        (
            "/record/toolchain",
            json!("rustc 1.0.0"),
            "the toolchain is",
        ),
        (
            "/run/selection",
            json!("0000000000000000"),
            "the digest of the selected tests is",
        ),
        (
            "/run/scope",
            json!("full"),
            "the scope is affected in the first, but full in the second",
        ),
        ("/run/runner", json!("nextest"), "the test runner is"),
        (
            "/run/pocs",
            json!(["other"]),
            "the PoC is cache in the first, but other in the second",
        ),
        ("/version", json!(2), "is a report of version 2"),
    ] {
        let mut other: Value = serde_json::from_str(&second).unwrap();
        *other.pointer_mut(pointer).unwrap() = value;
        reports.write("shard-2.json", other.to_string());
        merge(&machine, &reports, &[1, 2]).exits(2).says(why);
    }
    // A shard that did not run a test of its part.
    let mut other: Value = serde_json::from_str(&second).unwrap();
    let ran = other["binaries"].as_object_mut().unwrap();
    let id = ran.keys().next().unwrap().clone();
    let taken = ran.remove(&id).unwrap();
    reports.write("shard-2.json", other.to_string());
    merge(&machine, &reports, &[1, 2])
        .exits(4)
        .says(&format!("shard 2/2 did not run {id}"));
    // And one that ran a test of another part.
    reports.write("shard-2.json", &second);
    let mut first: Value = serde_json::from_str(&reports.read("shard-1.json")).unwrap();
    first["binaries"][&id] = taken;
    let kept = reports.read("shard-1.json");
    reports.write("shard-1.json", first.to_string());
    merge(&machine, &reports, &[1, 2])
        .exits(4)
        .says(&format!("{id} ran in shard 1, but belongs to shard 2"));
    reports.write("shard-1.json", kept);

    // Another commit here, or other files.
    machine.edit("store/src/lib.rs", "40 + 2", "41 + 1");
    merge(&machine, &reports, &[1, 2]).exits(0);
    machine.run_git(&["checkout", "--quiet", "."]);
    machine.edit("alone/src/lib.rs", "    42\n", "    40 + 2\n");
    merge(&machine, &reports, &[1, 2])
        .exits(2)
        .says("the shards selected other tests than are selected here");
    machine.commit("more");
    merge(&machine, &reports, &[1, 2])
        .exits(2)
        .says("merge them on the same commit");
    machine.run_git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    assert_eq!(machine.files(), untouched, "nothing was recorded");
}

#[test]
fn test_that_ran_in_no_shard_or_in_two_is_reported() {
    if !nextest_for("tests that shards left out") {
        return;
    }
    let (of, reports) = (changed(), Sandbox::empty());
    assert_eq!(run_all(&of, &reports, 2, "--runner nextest"), [0, 0]);
    let machine = clone(&of);
    let second = report(&reports, 2);
    let mut other = second.clone();
    let ran = other["binaries"]["store::cases"]["tests"]
        .as_object_mut()
        .unwrap();
    let test = ran.keys().next().unwrap().clone();
    ran.remove(&test);
    reports.write("shard-2.json", other.to_string());
    merge(&machine, &reports, &[1, 2])
        .exits(4)
        .says(&format!("no shard ran store::cases {test}"));
    reports.write("shard-2.json", second.to_string());
    let mut first = report(&reports, 1);
    first["binaries"]["store::cases"]["tests"][&test] = json!("passed");
    reports.write("shard-1.json", first.to_string());
    merge(&machine, &reports, &[1, 2]).exits(4).says(&format!(
        "store::cases {test} ran in shard 1 and in shard 2"
    ));
}
