//! One verification on several machines: each shard in its own process and clone, and their merged result.

mod merging;

use std::fmt::Write as _;
use std::process::Child;
use std::sync::OnceLock;

use cargo_poc::internals::evidence::{self, Outcome, Record, Scope};
use serde_json::{Value, json};

use crate::built::Built;
use crate::kit::{Run, Sandbox, nextest_for};

/// `store` with eight tests that a change reaches, `app` that links it, `alone` that does not; a PoC, and the change.
fn changed() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; alone");
    let mut tests = String::new();
    for index in 0..8 {
        let _ = write!(
            tests,
            "#[test]\nfn case_{index}() {{\n    assert_eq!(store::answer(), 42);\n}}\n\n"
        );
    }
    sandbox.write("store/tests/cases.rs", tests);
    sandbox.append(
        "store/tests/it.rs",
        "\n#[test]\n#[ignore]\nfn slow() {\n    assert_eq!(store::answer(), 42);\n}\n",
    );
    // Every clone builds everything again.
    sandbox.append(
        "Cargo.toml",
        "\n[profile.dev]\ndebug = 0\nincremental = false\n",
    );
    sandbox.git();
    sandbox
        .poc("init cache -p store --file store/src/cache.rs --criterion fast")
        .exits(0);
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox.commit("work");
    sandbox
}

/// The same commit on another machine.
fn clone(of: &Sandbox) -> Sandbox {
    let clone = Sandbox::empty();
    clone.run_git(&["clone", "--quiet", of.root.as_str(), "."]);
    clone
}

/// [`clone`], with the tests of [`changed`] built, so that cargo builds only what `of` changed since.
fn built_clone(of: &Sandbox) -> Sandbox {
    static BUILT: OnceLock<Built> = OnceLock::new();
    let clone = clone(of);
    BUILT
        .get_or_init(|| Built::new("shards", &changed()))
        .place(&clone);
    clone
}

/// Starts a shard in its own clone; its report is written outside.
fn start(of: &Sandbox, reports: &Sandbox, partition: &str, more: &str) -> (Sandbox, Child) {
    let machine = built_clone(of);
    let index = partition.split('/').next().unwrap();
    let report = reports.root.join(format!("shard-{index}.json"));
    let line = format!("verify --partition {partition} --report shard={report} {more}");
    let mut command = machine.command(crate::kit::PROGRAM);
    command.args(shlex::split(&line).unwrap());
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let child = command.spawn().unwrap();
    (machine, child)
}

/// Runs all shards side by side; their exit codes.
fn run_all(of: &Sandbox, reports: &Sandbox, count: usize, more: &str) -> Vec<i32> {
    let machines: Vec<_> = (1..=count)
        .map(|index| start(of, reports, &format!("{index}/{count}"), more))
        .collect();
    let ends = machines.into_iter().map(|(machine, mut child)| {
        let code = child.wait().unwrap().code().unwrap();
        assert_eq!(
            machine.run_git(&["status", "--porcelain"]),
            "",
            "nothing is recorded"
        );
        code
    });
    ends.collect()
}

fn merge(machine: &Sandbox, reports: &Sandbox, which: &[usize]) -> Run {
    let files = which.iter().map(|index| {
        reports
            .root
            .join(format!("shard-{index}.json"))
            .into_string()
    });
    machine.poc(&format!(
        "verify --merge {}",
        files.collect::<Vec<_>>().join(" ")
    ))
}

fn records(sandbox: &Sandbox) -> Vec<Record> {
    let evidence = evidence::read(&sandbox.read("docs/cache-results.md"));
    assert_eq!(evidence.problems, []);
    evidence
        .records
        .into_iter()
        .map(|located| located.record)
        .collect()
}

fn report(reports: &Sandbox, index: usize) -> Value {
    serde_json::from_str(&reports.read(&format!("shard-{index}.json"))).unwrap()
}

/// What an unsharded run of the same tests records.
fn whole(of: &Sandbox, more: &str) -> Record {
    let machine = built_clone(of);
    machine.poc(&format!("verify {more}"));
    records(&machine).pop().unwrap()
}

#[test]
fn nextest_shards_on_several_machines_become_one_record() {
    if !nextest_for("shards of nextest") {
        return;
    }
    let (of, reports) = (changed(), Sandbox::empty());
    assert_eq!(run_all(&of, &reports, 3, "--runner nextest"), [0, 0, 0]);
    let ran = |index: usize| {
        let binaries = report(&reports, index)["binaries"]["store::cases"]["tests"].clone();
        binaries.as_object().map_or(0, serde_json::Map::len)
    };
    let shares: Vec<usize> = (1..=3).map(ran).collect();
    assert!(
        shares.iter().all(|share| *share < 8),
        "each ran some: {shares:?}"
    );
    assert_eq!(
        shares.iter().sum::<usize>(),
        8,
        "and together all: {shares:?}"
    );

    let machine = clone(&of);
    merge(&machine, &reports, &[3, 1, 2])
        .exits(0)
        .prints("cache affected: passed");
    let [merged] = &records(&machine)[..] else {
        panic!("one record");
    };
    let whole = whole(&of, "--runner nextest");
    assert_eq!(merged.scope, Scope::Affected);
    assert_eq!(merged.tests, whole.tests);
    assert_eq!(merged.ignored, whole.ignored);
    assert_eq!(
        (&merged.source, &merged.inputs),
        (&whole.source, &whole.inputs)
    );
    assert!(merged.proves());
    machine
        .poc("status cache")
        .prints("last run 12 passed, 1 ignored");
}

#[test]
fn shards_of_cargo_test_run_whole_packages() {
    let (of, reports) = (changed(), Sandbox::empty());
    let matrix = of
        .poc("affected --format matrix --shards 2 --runner cargo")
        .exits(0)
        .json();
    let partitions: Vec<&Value> = matrix["include"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["partition"])
        .collect();
    assert_eq!(partitions, ["1/2", "2/2"]);
    assert_eq!(run_all(&of, &reports, 2, "--runner cargo"), [0, 0]);
    let machine = clone(&of);
    merge(&machine, &reports, &[1, 2]).exits(0);
    let [merged] = &records(&machine)[..] else {
        panic!("one record");
    };
    let whole = whole(&of, "--runner cargo");
    assert_eq!(merged.tests, whole.tests);
    let binaries = |record: &Record| record.durations_ms.keys().cloned().collect::<Vec<_>>();
    assert_eq!(binaries(merged), binaries(&whole));
}

#[test]
fn whole_suite_is_partitioned_and_merged_like_a_selection() {
    let (of, reports) = (changed(), Sandbox::empty());
    let matrix = of
        .poc("affected --format matrix --full --shards 2 --runner cargo")
        .exits(0)
        .json();
    let jobs = matrix["include"].as_array().unwrap();
    let partitions: Vec<&Value> = jobs.iter().map(|job| &job["partition"]).collect();
    assert_eq!(partitions, ["1/2", "2/2"]);
    // Without records, by the number of tests: `cases` has more than all other packages except `store`.
    let list = |index: usize| {
        let line = format!("verify --full --partition {index}/2 --runner cargo --list");
        of.poc(&line).exits(0).stdout.clone()
    };
    let (first, second) = (list(1), list(2));
    assert!(first.contains("--test cases"), "{first}");
    assert!(!first.contains("--test it"), "{first}");
    assert!(second.contains("-p app"), "{second}");
    assert!(second.contains("-p alone"), "{second}");

    assert_eq!(run_all(&of, &reports, 2, "--full --runner cargo"), [0, 0]);
    let machine = clone(&of);
    merge(&machine, &reports, &[2, 1])
        .exits(0)
        .prints("cache full: passed");
    let merged = records(&machine).pop().unwrap();
    let whole = whole(&of, "--full --runner cargo");
    assert_eq!(merged.scope, Scope::Full);
    assert_eq!(merged.tests, whole.tests);
    assert_eq!(merged.ignored, whole.ignored);
    let binaries = |record: &Record| record.durations_ms.keys().cloned().collect::<Vec<_>>();
    assert_eq!(binaries(&merged), binaries(&whole));
    // A shard of the selection is none of the suite.
    assert_eq!(run_all(&of, &reports, 1, "--runner cargo"), [0]);
    merge(&clone(&of), &reports, &[1, 2]).exits(2);
}

#[test]
fn shards_of_the_whole_suite_are_nextest_partitions() {
    if !nextest_for("shards of the whole suite") {
        return;
    }
    let (of, reports) = (changed(), Sandbox::empty());
    let line = "--full --runner nextest";
    assert_eq!(run_all(&of, &reports, 2, line), [0, 0]);
    let machine = clone(&of);
    merge(&machine, &reports, &[1, 2])
        .exits(0)
        .prints("cache full: passed");
    let merged = records(&machine).pop().unwrap();
    let whole = whole(&of, line);
    assert_eq!(merged.scope, Scope::Full);
    assert_eq!(merged.tests, whole.tests);
    assert_eq!(merged.ignored, whole.ignored);
    merge(&clone(&of), &reports, &[1])
        .exits(4)
        .says("shard 2/2 is missing");
}

#[test]
fn shards_run_from_an_archive_that_was_built_once() {
    if !nextest_for("shards from an archive") {
        return;
    }
    let (of, reports) = (changed(), Sandbox::empty());
    let builder = built_clone(&of);
    let archive = reports.root.join("tests.tar.zst");
    let line = format!("cargo nextest archive --workspace --archive-file {archive}");
    builder.shell(&line).exits(0);
    let more = format!("--runner nextest --locked -- --archive-file {archive} --workspace-remap .");
    assert_eq!(run_all(&of, &reports, 2, &more), [0, 0]);
    let documented: Vec<bool> = (1..=2)
        .map(|index| {
            report(&reports, index)["binaries"]
                .get("store::doc")
                .is_some()
        })
        .collect();
    assert_eq!(
        documented,
        [true, false],
        "documentation tests are built on one machine only"
    );
    let machine = clone(&of);
    merge(&machine, &reports, &[1, 2]).exits(0);
    assert_eq!(
        records(&machine)[0].tests,
        whole(&of, "--runner nextest").tests
    );

    // An archive without a package whose tests are selected.
    let line = format!("cargo nextest archive -p app --archive-file {archive}");
    builder.shell(&line).exits(0);
    clone(&of)
        .poc(&format!("verify --partition 1/1 {more}"))
        .exits(2)
        .says("lacks store, ")
        .says("cargo nextest archive --workspace");
}

#[test]
fn more_shards_than_tests_and_no_affected_test_at_all() {
    let sandbox = Sandbox::workspace("store; alone");
    sandbox.git();
    let reports = Sandbox::empty();
    // Nothing has changed: one job, which has nothing to do.
    let matrix = sandbox
        .poc("affected --format matrix --shards 4 --runner cargo")
        .exits(0)
        .json();
    assert_eq!(matrix["include"].as_array().unwrap().len(), 1);
    assert_eq!(run_all(&sandbox, &reports, 1, "--runner cargo"), [0]);
    merge(&clone(&sandbox), &reports, &[1])
        .exits(0)
        .says("the change affects no test");

    // Three targets, and five shards.
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox.commit("work");
    let machines: Vec<_> = (1..=5)
        .map(|index| {
            let machine = clone(&sandbox);
            machine.run_git(&["remote", "set-head", "origin", "main"]);
            let file = reports.root.join(format!("shard-{index}.json"));
            machine
                .poc(&format!(
                    "verify --partition {index}/5 --report shard={file} --runner cargo -q"
                ))
                .exits(0);
            machine
        })
        .collect();
    merge(&machines[0], &reports, &[1, 2, 3, 4, 5])
        .exits(0)
        .prints("affected: passed, 3 passed");
}

#[test]
fn jobs_are_balanced_by_recorded_durations() {
    let sandbox = changed();
    let matrix = || {
        sandbox
            .poc("affected --format matrix --shards 2 --runner cargo")
            .exits(0)
            .json()
    };
    assert_eq!(
        matrix()["include"][0]["seconds"],
        Value::Null,
        "nothing has run yet"
    );
    sandbox.poc("verify --runner cargo -q").exits(0);
    let mut record = records(&sandbox).pop().unwrap();
    let ran: Vec<&str> = record.durations_ms.keys().map(String::as_str).collect();
    assert_eq!(
        ran,
        [
            "app::doc",
            "store",
            "store::cases",
            "store::doc",
            "store::it"
        ]
    );
    // As if the one test of `app` took longer than all of `store`.
    for (binary, milliseconds) in &mut record.durations_ms {
        *milliseconds = if binary == "app::doc" { 9000 } else { 1500 };
    }
    let results = sandbox.read("docs/cache-results.md");
    sandbox.write(
        "docs/cache-results.md",
        evidence::append(&results, &record).unwrap(),
    );
    let matrix = matrix();
    assert_eq!(
        (
            &matrix["include"][0]["seconds"],
            &matrix["include"][1]["seconds"]
        ),
        (&json!(9.0), &json!(6.0))
    );
    let list = |index: usize| {
        let run = sandbox.poc(&format!(
            "verify --partition {index}/2 --runner cargo --list"
        ));
        run.exits(0).stdout.clone()
    };
    let (first, second) = (list(1), list(2));
    assert!(
        first.contains("-p app") && !first.contains("-p store"),
        "{first}"
    );
    assert!(
        second.contains("-p store") && !second.contains("-p app"),
        "{second}"
    );
}

#[test]
fn invalid_partitions_are_usage_errors() {
    let sandbox = changed();
    sandbox.poc("verify cache --done --partition 1/2").exits(2);
    sandbox
        .poc("verify --partition 3/2")
        .exits(2)
        .says("write M/N, from 1/N to N/N");
    sandbox
        .poc("verify --report shard=x.json")
        .exits(2)
        .says("select it with `--partition M/N`");
    sandbox
        .poc("affected --format matrix")
        .exits(2)
        .says("--shards N");
    for alone in ["--shards 2", "--full"] {
        let run = sandbox.poc(&format!("affected {alone}"));
        run.exits(2).says("--format matrix");
    }
    sandbox
        .poc("affected cache --format matrix --shards 2 --full")
        .exits(2)
        .says("--full");
    // A matrix can be asked for from any base.
    sandbox
        .poc("affected --format matrix --shards 2 --base HEAD~1")
        .exits(0);
}
