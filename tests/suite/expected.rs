//! What a plan's commands are expected to do: each run and judged by its own `# Expected:`, in one shell.

use cargo_poc::internals::evidence;

use crate::kit::{Run, Sandbox};

/// A package with a plan whose Done block is this; nothing committed but that.
fn done(block: &str) -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .write("docs/cache-plan.md", plan(block))
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox
}

const RESULTS: &str = "# Cache Results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n\n## \
                       Success Criteria\n\n- [ ] it pleases\n\n## Implementation Progress\n\n### Step 1: Do it\n\n**Status**: Pending\n";

fn plan(block: &str) -> String {
    format!(
        "# Cache Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `main` |\n\n## Success Criteria\n\n- [ ] it pleases\n  - Proof: done\n\n## Implementation \
         Steps\n\n### Step 1: Do it\n\n**Tests**: none\n\n**Verification**:\n```bash\ntrue\n```\n\n## What \"Done\" Looks Like\n\n```bash\n{block}```\n"
    )
}

fn verify(block: &str) -> (Sandbox, Run) {
    let sandbox = done(block);
    let run = sandbox.poc("verify cache --done");
    (sandbox, run)
}

/// A cargo command that prints the output of `cargo test` for this many tests.
fn tests(passed: usize, failed: usize, ignored: usize) -> String {
    let word = if failed > 0 { "FAILED" } else { "ok" };
    let lines = "test t ... ok\\n".repeat(passed)
        + &"test f ... FAILED\\n".repeat(failed)
        + &"test i ... ignored\\n".repeat(ignored);
    let bin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/bin");
    format!(
        "PATH=\"$PATH:{bin}\" cargo tarpaulin '    Finished `test` profile\\n     Running unittests src/lib.rs (target/debug/deps/app-0123456789abcdef)\\n\\nrunning {} \
         tests\\n{lines}\\ntest result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out; \
         finished in 0.00s\\n'",
        passed + failed + ignored,
    )
}

#[test]
fn every_expectation_is_checked_against_its_command() {
    let met = [
        (tests(3, 0, 0), "All pass"),
        (tests(3, 0, 0), "3 passed"),
        (tests(3, 0, 2), "3 passed, 2 ignored"),
        (tests(3, 0, 0), "3/3"),
        (tests(3, 0, 0), "~4 tests"),
        (tests(3, 0, 0), "2+ tests pass"),
        ("echo Dependencies OK".to_owned(), "\"Dependencies OK\""),
        ("true".to_owned(), "No output"),
        (
            "grep -rn nowhere_to_be_found src".to_owned(),
            "No output (zero matches)",
        ),
        ("bash -c 'exit 3'".to_owned(), "exit code 3"),
        ("true".to_owned(), "exit code 0, under 1 h"),
        ("echo 'p99 0.8 ms'".to_owned(), "glob: p99 *ms"),
        ("echo 'p99 0.8 ms'".to_owned(), "regex: ^p99 0\\.\\d"),
        (
            "pytest() { echo '12 passed in 0.1s'; }; pytest".to_owned(),
            "12 passed",
        ),
        ("echo '12 passed'".to_owned(), "\"12 passed\""),
    ];
    let lines = met
        .iter()
        .map(|(command, expected)| format!("{command}\n# Expected: {expected}\n"));
    let block = lines.collect::<Vec<_>>().concat();
    let (sandbox, run) = verify(&block);
    run.exits(0);
    let evidence = evidence::read(&sandbox.read("docs/cache-results.md"));
    let record = &evidence.records[0].record;
    assert_eq!(record.checks.len(), met.len());
    for (check, (_, expected)) in record.checks.iter().zip(&met) {
        assert_eq!(check.expected, [*expected]);
        assert_eq!(check.unmet, [""; 0], "{expected}");
    }
}

#[test]
fn unmet_expectation_fails_and_stops_the_block() {
    for (command, expected, why) in [
        (
            tests(3, 0, 0),
            "4 passed",
            "4 passed expected, but 3 passed",
        ),
        (tests(3, 0, 0), "3/4 tests", "3 of 4 passed expected"),
        (tests(3, 0, 0), "~61 tests", "about 61 passed expected"),
        (tests(3, 0, 0), "4+", "at least 4 passed expected"),
        (
            "echo 3 passed".to_owned(),
            "3 passed",
            "no test program reported its tests",
        ),
        (
            "echo fine".to_owned(),
            "\"great\"",
            "the output does not contain `great`",
        ),
        ("echo fine".to_owned(), "No output", "it printed `fine`"),
        ("echo fine >&2".to_owned(), "No output", "it printed `fine`"),
        (
            "true".to_owned(),
            "exit code 3",
            "exit code 3 expected, but it was 0",
        ),
        (
            "bash -c 'exit 4'".to_owned(),
            "exit code 3",
            "exit code 3 expected, but it was 4",
        ),
        ("sleep 0.1".to_owned(), "< 1 ms", "under 1ms expected"),
        (
            "echo fine".to_owned(),
            "glob: f",
            "no line of the output matches the glob `f`",
        ),
        (
            "echo fine".to_owned(),
            "regex: ^ine",
            "does not match the regex `^ine`",
        ),
    ] {
        let (sandbox, run) = verify(&format!("{command}\n# Expected: {expected}\ntouch ran\n"));
        run.exits(1).says(why).says("not run: touch ran");
        assert!(!sandbox.exists("ran"), "{expected}");
    }
}

#[test]
fn failed_test_or_missing_test_fails_despite_expectations() {
    let (_, run) = verify(&format!(
        "{}\n# Expected: \"test result\"\n",
        tests(2, 1, 0)
    ));
    run.exits(1);
    let (_, run) = verify("cargo test --offline no_such_test\n# Expected: All pass\n");
    run.exits(4)
        .says("`cargo test --offline no_such_test` ran no test");
    let (_, run) = verify("# nothing but a comment\n");
    run.exits(2).says("no bash block with a command");
}

#[test]
fn failure_hidden_by_tail_is_detected() {
    let (_, run) = verify("bash -c 'echo broken; exit 1' | tail -1\n");
    run.exits(1);
    let (_, run) = verify("! true\n");
    run.exits(1);
}

#[test]
fn shell_state_persists_between_commands() {
    let block = "mkdir -p target/down\ncd target/down\nexport GREETING=hello\nNAME=you\nset +u\ngreet() {\n  echo \"$GREETING $NAME $UNSET\"\n}\ntrap \
                 'echo gone > left' EXIT\ngreet\n# Expected: \"hello you\"\nbash -c 'exit 3'\n# Expected: exit code \
                 3\nbasename \"$PWD\"\n# Expected: \"down\"\nshopt -qo errexit; shopt -qo pipefail\necho \"[$(trap -p ERR)]\"\n# Expected: \"[]\"\n";
    let (sandbox, run) = verify(block);
    run.exits(0);
    assert_eq!(sandbox.read("target/down/left"), "gone\n");
}

#[test]
fn multi_line_command_is_one_command() {
    let block = "cat <<'END'\n# Expected: in a document\nlast \\\nEND\n# Expected: \"# Expected: in a document\"\necho 'a\n# Expected: in a \
                 string\nb'\n# Expected: \"in a\n#   string\"\necho one \\\n  two\n# Expected: \"one two\"\nfor n in 1 2; do\n  echo \
                 $n\ndone # Expected: \"2\"\n# 2. (Optional) the lot\n# cargo test --workspace\n# Expected: 900 passed\n";
    let sandbox = done(block);
    let list = sandbox.poc("verify cache --done --list -v");
    list.exits(0)
        .prints("  # expected: the output contains `# Expected: in a document`")
        .says("commented out, so not checked: 900 passed");
    sandbox.poc("verify cache --done").exits(0);
    let evidence = evidence::read(&sandbox.read("docs/cache-results.md"));
    assert_eq!(evidence.records[0].record.checks.len(), 4);
}

#[test]
fn block_that_exits_early_does_not_pass() {
    let (sandbox, run) = verify("exit 0\ntouch ran\n");
    run.exits(1).says("the block ended here");
    assert!(!sandbox.exists("ran"));
    let (sandbox, run) = verify("exec true\ntouch ran\n");
    run.exits(1);
    assert!(!sandbox.exists("ran"));
    let (_, run) = verify("true\nif\n");
    run.exits(1).prints("syntax error");
}

#[test]
fn no_fail_fast_runs_and_reports_every_command() {
    let sandbox = done(
        "f() { false; echo went on; }\nf\nfalse; true\ntouch ran\necho a\n# Expected: \"b\"\ncd src\ntest -f lib.rs\n",
    );
    let run = sandbox.poc("verify cache --done --no-fail-fast");
    run.exits(1).says("the output does not contain `b`");
    assert!(sandbox.exists("ran"));
    let evidence = evidence::read(&sandbox.read("docs/cache-results.md"));
    let checks = &evidence.records[0].record.checks;
    let codes: Vec<i32> = checks.iter().map(|check| check.exit).collect();
    assert_eq!(
        codes,
        [0, 1, 1, 0, 0, 0, 0],
        "what `set -e` would have stopped at has failed"
    );
}

#[test]
fn output_with_marks_or_without_a_line_end_is_only_output() {
    let block = "printf 'no line end'\n# Expected: regex: ^no line end$\nprintf '\\036%s %s\\n' 0123456789abcdef 0\n# Expected: \
                 \"0123456789abcdef 0\"\nmkdir -p target\nexec >target/log\necho kept\nread -r line || true\n[ -z \"$line\" ]\n";
    let (sandbox, run) = verify(block);
    run.exits(0);
    assert_eq!(sandbox.read("target/log"), "kept\n");
}

#[test]
fn invalid_pattern_is_an_error_before_anything_runs() {
    let (sandbox, run) = verify("touch ran\n# Expected: regex: (\n");
    run.exits(2)
        .says("docs/cache-plan.md:29: the regex `(` is invalid");
    assert!(!sandbox.exists("ran"));
}

#[test]
fn manual_expectation_passes_after_confirmation() {
    let block =
        "echo 'p99 0.8 ms'\n# Expected: a p99 that pleases\necho two\n# Expected: something else\n";
    let sandbox = done(block);
    let list = sandbox.poc("verify cache --done --list");
    list.prints("to be confirmed by a person as done.1: a p99 that pleases");
    sandbox.poc("verify cache --step 1").exits(0);
    let run = sandbox.poc("verify cache --done");
    run.exits(1)
        .prints("to be confirmed")
        .prints("cargo poc verify cache --confirm done.2");
    let status = sandbox.poc("status cache --format json").json();
    let poc = &status["pocs"][0];
    assert_eq!(poc["state"], "unconfirmed");
    assert_eq!(
        poc["next"]["command"],
        "cargo poc verify cache --confirm done.1"
    );
    let findings = poc["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["code"] == "POC060"),
        "{poc}"
    );

    sandbox.poc("verify cache --confirm done.1").exits(1);
    sandbox
        .poc("verify cache --confirm done.3")
        .exits(2)
        .says("the ids are done.1, done.2");
    sandbox
        .poc("verify cache --confirm done.2 --confirm done.1")
        .exits(0)
        .says("by A Person");
    sandbox
        .poc("verify cache --confirm done.2")
        .exits(0)
        .says("Unchanged");
    let results = sandbox.read("docs/cache-results.md");
    assert!(
        results.contains("passed, confirmed by A Person"),
        "{results}"
    );
    let status = sandbox.poc("status cache --format json").json();
    assert_eq!(status["pocs"][0]["state"], "proven");

    // Of the same commands on the same sources it still holds; of others it does not.
    sandbox.poc("verify cache --done").exits(0);
    sandbox.append("src/lib.rs", "\n/// More.\npub fn more() {}\n");
    sandbox
        .poc("verify cache --confirm done.1")
        .exits(3)
        .says("changed since that run: app");
    sandbox.poc("verify cache --done").exits(1);
    sandbox
        .poc("verify cache --confirm done.1 --confirm done.2")
        .exits(0);
    sandbox.edit("docs/cache-plan.md", "echo two", "echo three");
    sandbox
        .poc("verify cache --confirm done.2")
        .exits(3)
        .says("commands have changed");
}

#[test]
fn a_run_that_failed_cannot_be_confirmed() {
    let (sandbox, run) = verify("echo a\n# Expected: a look\nfalse\n");
    run.exits(1);
    sandbox
        .poc("verify cache --confirm done.1")
        .exits(1)
        .says("did not pass");
    sandbox.poc("verify cache --confirm nonsense").exits(2);
}

#[test]
fn outdated_counts_are_shown_and_written_with_write() {
    let command = tests(3, 0, 1);
    let block = format!(
        "{command}\r\n# Expected: 2 passed, 9 ignored  \r\n{command} # Expected: 1/1 tests\r\n{command}\r\n# Expected: ~61 tests,\r\n#   \
         1 ignored\r\n{command}\r\n# Expected: 1+\r\n"
    );
    let sandbox = done(&block);
    let before = sandbox.read("docs/cache-plan.md");
    let shown = sandbox.poc("verify cache --done --no-fail-fast --update -q");
    shown
        .exits(1)
        .prints("-# Expected: 2 passed, 9 ignored")
        .prints("+# Expected: 3 passed, 1 ignored");
    assert_eq!(
        sandbox.read("docs/cache-plan.md"),
        before,
        "nothing is written unasked"
    );
    sandbox
        .poc("verify cache --done --no-fail-fast --update --write")
        .exits(1)
        .says("Updated");
    let expected = before
        .replace("2 passed, 9 ignored", "3 passed, 1 ignored")
        .replace("1/1 tests", "3/3 tests")
        .replace("~61 tests", "~3 tests");
    assert_eq!(sandbox.read("docs/cache-plan.md"), expected);
    let run = sandbox.poc("verify cache --done --update");
    run.exits(0)
        .says("no expected count of docs/cache-plan.md is outdated");
    sandbox.poc("verify --full --update").exits(2);
}

#[test]
fn failed_run_does_not_update_counts() {
    let sandbox = done(&format!("{}\n# Expected: 9 passed\n", tests(2, 1, 0)));
    let run = sandbox.poc("verify cache --done --update --write");
    run.exits(1).says("no expected count");
}

/// A command that prints another time in each of its runs, in microseconds.
fn times(micros: &str) -> String {
    format!(
        "mkdir -p target && echo x >> target/runs && set -- {micros} && shift $(($(wc -l < target/runs) - 1)) && echo \"p99: $1 us\""
    )
}

#[test]
fn measured_value_is_recorded_with_its_spread_and_proves_a_criterion() {
    let limited = |limit: &str| format!("{}\n# Expected: {limit}\n", times("840 910 800"));
    let (sandbox, run) = verify(&limited("p99 < 1 ms, 3 times"));
    run.exits(0);
    let record = sandbox.read("docs/cache-results.md");
    let part = "\"measured\":[{\"name\":\"p99\",\"unit\":\"s\",\"value\":0.00084,\"spread\":[0.0008,0.00091]}]";
    assert!(record.contains(part), "{record}");
    let status = sandbox.poc("status cache --format json").json();
    let proof = &status["pocs"][0]["criteria"]["items"][0];
    assert_eq!(proof["state"], "proven");
    assert_eq!(proof["why"], "p99 840 us (800 us to 910 us)");
    sandbox
        .poc("report -o -")
        .exits(0)
        .prints("p99, us, in each run that measured it");
    // The value itself can be the proof.
    sandbox.edit("docs/cache-plan.md", "Proof: done", "Proof: value p99");
    let status = sandbox.poc("status cache --format json").json();
    let proof = &status["pocs"][0]["criteria"]["items"][0];
    assert_eq!(proof["state"], "proven");
    assert_eq!(proof["why"], "p99 840 us (800 us to 910 us)");
    sandbox.edit("docs/cache-plan.md", "Proof: value p99", "Proof: value p50");
    let status = sandbox.poc("status cache --format json").json();
    let proof = &status["pocs"][0]["criteria"]["items"][0];
    assert_eq!(proof["state"], "pending");
    assert_eq!(proof["why"], "no recorded run measured the value `p50`");
    sandbox.edit("docs/cache-plan.md", "Proof: value p50", "Proof: value p99");
    sandbox.edit("docs/cache-plan.md", "p99 < 1 ms", "p99 < 0.5 ms");
    let status = sandbox.poc("status cache --format json").json();
    assert_eq!(status["pocs"][0]["criteria"]["items"][0]["state"], "stale");
    // One of the runs is above the limit.
    let (sandbox, run) = verify(&limited("p99 < 0.9 ms, 3 times"));
    run.exits(1)
        .says("p99 < 900 us expected, but it was 910 us");
    sandbox
        .poc("status cache")
        .prints("p99 < 900 us expected, but it was 910 us");
    // A value that is not there is not met, and a higher limit is a weaker promise.
    let (_, run) = verify(&format!("{}\n# Expected: p50 < 1 ms\n", times("840")));
    run.exits(1).says("the output has no value of `p50`");
    sandbox.edit("docs/cache-plan.md", "p99 < 0.9 ms", "p99 < 2 ms");
    sandbox
        .poc("check")
        .exits(1)
        .prints("error[POC061]")
        .prints("relaxed");
}

#[test]
fn measured_value_must_meet_the_limit_of_its_criterion() {
    let sandbox = done("echo 'p99: 3 ms'\n# Expected: p99 < 5 ms\n");
    for (criterion, state) in [
        ("p99 is fast", "proven"),
        ("p99 < 4 ms on 1 core", "proven"),
        ("p99 stays under 1 ms", "failed"),
        ("p99 is no more than 1000 us", "failed"),
        ("p99 is at least 1 ms", "proven"),
    ] {
        let plan = plan("echo 'p99: 3 ms'\n# Expected: p99 < 5 ms\n");
        let plan = plan.replace("it pleases", criterion);
        sandbox.write(
            "docs/cache-plan.md",
            plan.replace("Proof: done", "Proof: value p99"),
        );
        sandbox.poc("verify cache --done").exits(0);
        let status = sandbox.poc("status cache --format json").json();
        let proof = &status["pocs"][0]["criteria"]["items"][0];
        assert_eq!(proof["state"], state, "{criterion}: {proof}");
    }
    sandbox
        .poc("status cache")
        .hides("expected by the criterion");
}

#[test]
fn measured_values_are_in_the_output_of_verify() {
    let sandbox = done(
        "echo '{\"size\": 11.5, \"rate\": \"12 MB/s\"}'\n# Expected: $.size <= 12 MB, $.rate >= 10 MB/s\n",
    );
    let report = sandbox.poc("verify cache --done --format json").json();
    crate::formats::fits(&crate::formats::schema("verify"), &report);
    let measured = &report["commands"][0]["measured"];
    let value = |name: &str, unit: &str, value: f64| serde_json::json!({"name": name, "unit": unit, "value": value, "low": value, "high": value});
    let expected = serde_json::json!([value("$.size", "B", 11.5e6), value("$.rate", "B/s", 12e6)]);
    assert_eq!(*measured, expected);
}
