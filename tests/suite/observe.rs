//! Reading what test runners print. The texts under `tests/cases/observe` are what the runners printed for
//! two small packages made for this; shorter ones stand here.

use cargo_poc::internals::sys::exec::OutputChunk;
use cargo_poc::internals::verify::test_output::{
    Binary, Ending, Header, Observed, Observer, TestCounts, Verdict,
};
use proptest::prelude::*;

use crate::property::text;

fn observe(text: &str) -> Observed {
    let mut observer = Observer::default();
    observer.push_text(text);
    observer.finish()
}

fn counts(passed: u64, failed: u64, ignored: u64, filtered: u64) -> TestCounts {
    TestCounts {
        passed,
        failed,
        ignored,
        filtered,
    }
}

fn named(binary: &Binary, wanted: Verdict) -> Vec<&str> {
    let tests = binary.tests.iter();
    let wanted = tests.filter(|(_, verdict)| **verdict == wanted);
    wanted.map(|(name, _)| name.as_str()).collect()
}

fn find<'a>(observed: &'a Observed, source: &str) -> &'a Binary {
    let wanted = |binary: &&Binary| match &binary.header {
        Header::Cargo { source: own, .. } => own == source,
        Header::Doctests(name) | Header::Nextest(name) => name == source,
        Header::Unnamed => source.is_empty(),
    };
    observed.binaries().find(wanted).unwrap()
}

/// `cargo test` of one library, from its header to its last line.
fn library(body: &str) -> String {
    format!(
        "    Finished `test` profile [unoptimized] target(s) in 0.10s\n     \
         Running unittests src/lib.rs (target/debug/deps/store-0123456789abcdef)\n\n{body}\n"
    )
}

#[test]
fn aligned_names_of_libtest_mimic_are_those_that_it_lists() {
    let observed = observe(&library(
        "running 4 tests\ntest           plain        ... ok\ntest [kind]    of_a_kind    ... ok\n\
         test [longer]  of_another   ... FAILED\ntest           not_run      ... ignored\n\nfailures:\n\n---- of_another ----\nno\n\n\n\
         failures:\n    of_another\n\ntest result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    ));
    let library = find(&observed, "src/lib.rs");
    assert_eq!(
        named(library, Verdict::Passed),
        ["[kind] of_a_kind", "plain"]
    );
    assert_eq!(named(library, Verdict::Failed), ["[longer] of_another"]);
    assert_eq!(named(library, Verdict::Ignored), ["not_run"]);
}

#[test]
fn cargo_test_of_a_workspace_is_parsed() {
    let observed = observe(include_str!("../cases/observe/cargo-test.txt"));
    assert_eq!(observed.counts(), counts(13, 3, 3, 0));
    assert_eq!(observed.runs.len(), 1);
    assert_eq!(observed.binaries().count(), 9);

    let library = find(&observed, "src/lib.rs");
    assert_eq!(library.counts, counts(2, 1, 2, 0));
    assert_eq!(
        named(library, Verdict::Passed),
        ["tests::good", "tests::panics"]
    );
    assert_eq!(named(library, Verdict::Failed), ["tests::bad"]);
    assert_eq!(
        named(library, Verdict::Ignored),
        ["tests::skipped", "tests::skipped2"]
    );
    assert_eq!(library.header.crate_name(), Some("alpha"));

    let doctests = find(&observed, "alpha");
    assert_eq!(doctests.counts, counts(3, 1, 1, 0), "both groups");
    assert_eq!(
        named(doctests, Verdict::Failed),
        ["a/src/lib.rs - two (line 5)"]
    );
    assert_eq!(find(&observed, "beta").counts, counts(0, 0, 0, 0));
}

#[test]
fn binary_without_a_summary_has_failed() {
    let observed = observe(include_str!("../cases/observe/cargo-test.txt"));
    let crashed = find(&observed, "tests/crash.rs");
    assert_eq!(crashed.ending, Ending::Crashed);
    assert_eq!(crashed.counts, counts(1, 1, 0, 0));
    assert_eq!(named(crashed, Verdict::Passed), ["a_fine"]);
    assert!(
        observed
            .notes
            .iter()
            .any(|note| note.starts_with("tests/crash.rs: its process ended"))
    );
}

#[test]
fn custom_harness_is_unknown_and_noted() {
    let observed = observe(include_str!("../cases/observe/cargo-test.txt"));
    let custom = find(&observed, "tests/custom.rs");
    assert_eq!(custom.ending, Ending::Unknown);
    assert_eq!(custom.counts, TestCounts::default());
    let note = "tests/custom.rs: has a custom harness; its tests are not counted";
    assert!(observed.notes.iter().any(|known| known == note));
}

#[test]
fn failing_custom_harness_is_one_failure() {
    let text = "     Running tests/custom.rs (target/debug/deps/custom-a04fb13c08abf4ae)\nchecking\n\
                error: test failed, to rerun pass `--test custom`\n\nCaused by:\n  process didn't exit successfully: \
                `/demo/custom` (exit status: 3)\n     Running tests/it.rs (target/debug/deps/it-a04fb13c08abf4ae)\n\n\
                running 1 test\ntest one ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered \
                out; finished in 0.00s\n\n";
    let observed = observe(text);
    assert_eq!(observed.counts(), counts(1, 1, 0, 0));
    assert_eq!(find(&observed, "tests/custom.rs").ending, Ending::Unknown);
}

#[test]
fn a_process_that_fails_after_its_summary_is_a_failure() {
    let text = library(
        "running 1 test\ntest one ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
         finished in 0.00s\n\nerror: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: \
         `/demo/store` (signal: 11, SIGSEGV: invalid memory reference)",
    );
    let observed = observe(&text);
    assert_eq!(observed.counts(), counts(1, 1, 0, 0));
    assert_eq!(find(&observed, "src/lib.rs").ending, Ending::Crashed);
}

#[test]
fn output_of_a_failed_test_that_looks_like_a_run_counts_nothing() {
    // The nested run has the outer one's sum, its own list and header.
    let text = library(
        "running 2 tests\ntest outer ... FAILED\ntest fine ... ok\n\nfailures:\n\n---- outer stdout ----\n     \
         Running unittests src/lib.rs (target/debug/deps/inner-0123456789abcdef)\n\nrunning 2 tests\ntest a ... ok\ntest b \
         ... FAILED\n\nfailures:\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 \
         filtered out; finished in 0.00s\n\nerror: test failed, to rerun pass `--lib`\n\n\nfailures:\n    outer\n\ntest \
         result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s\n\nerror: test \
         failed, to rerun pass `--lib`",
    );
    let observed = observe(&text);
    assert_eq!(observed.counts(), counts(1, 1, 0, 7));
    assert_eq!(observed.binaries().count(), 1);
    assert_eq!(
        named(find(&observed, "src/lib.rs"), Verdict::Failed),
        ["outer"]
    );
    assert_eq!(observed.notes, [] as [String; 0]);
}

#[test]
fn a_run_inside_a_run_counts_nothing() {
    // A test that starts cargo and lets it print through.
    let text = library(
        "running 3 tests\ntest first ... ok\n     Running unittests src/lib.rs \
         (target/debug/deps/inner-0123456789abcdef)\n\nrunning 2 tests\ntest a ... ok\ntest b ... ok\n\ntest result: ok. 2 \
         passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n   Doc-tests inner\n\nrunning 0 \
         tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\ntest \
         second ... ok\ntest third ... ok\n\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
         finished in 1.00s\n",
    );
    let observed = observe(&text);
    assert_eq!(observed.counts(), counts(3, 0, 0, 0));
    let library = find(&observed, "src/lib.rs");
    assert_eq!(
        named(library, Verdict::Passed),
        ["first", "second", "third"]
    );
    assert_eq!(observed.notes, [] as [String; 0]);
}

#[test]
fn output_of_children_may_split_the_line_of_a_test() {
    let observed = observe(&library(
        "running 4 tests\ntest plain ... ok\ntest serial ... from the child\nno newline more\nok\nno newline test glued ... \
         ok\ntest unended ... last words ok\n\ntest result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
         finished in 0.17s\n",
    ));
    let library = find(&observed, "src/lib.rs");
    assert_eq!(library.counts, counts(4, 0, 0, 0));
    assert_eq!(
        named(library, Verdict::Passed),
        ["glued", "plain", "serial", "unended"]
    );
    assert_eq!(observed.notes, [] as [String; 0]);
}

#[test]
fn contradiction_of_names_and_summary_is_noted_and_the_summary_counts() {
    let observed = observe(&library(
        "running 3 tests\ntest a ... ok\ntest b ... \u{7}garbled\n\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 \
         measured; 0 filtered out; finished in 0.17s\n",
    ));
    assert_eq!(observed.counts(), counts(3, 0, 0, 0));
    let disagreement = observed.runs[0].binaries[0].disagreement.clone().unwrap();
    assert!(disagreement.contains("counts 3 passed"), "{disagreement}");
}

#[test]
fn quiet_run_names_failed_tests() {
    let observed = observe(
        "\nrunning 5 tests\n.. 2/5\ntests::bad --- FAILED\nii\nfailures:\n\n---- tests::bad stdout ----\ntest result: ok. 5 \
         passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n\nfailures:\n    tests::bad\n\ntest \
         result: FAILED. 2 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.12s\n\nerror: test failed, \
         to rerun pass `--lib`\n",
    );
    assert_eq!(observed.counts(), counts(2, 1, 2, 0));
    assert_eq!(named(find(&observed, ""), Verdict::Failed), ["tests::bad"]);
}

#[test]
fn shown_output_of_passed_tests_counts_nothing() {
    let observed = observe(&library(
        "running 2 tests\ntest a ... ok\ntest b ... ok\n\nsuccesses:\n\n---- a stdout ----\ntest result: ok. 2 passed; 0 \
         failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n\n\nsuccesses:\n    a\n    b\n\ntest result: ok. 2 \
         passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s\n",
    ));
    assert_eq!(observed.counts(), counts(2, 0, 0, 4));
}

#[test]
fn colours_carriage_returns_and_verbose_headers_are_read() {
    let observed = observe(
        "\u{1b}[1m\u{1b}[92m    Finished\u{1b}[0m `test` profile [unoptimized] target(s) in 0.01s\r\n\u{1b}[1m\u{1b}[92m     \
         Running\u{1b}[0m `CARGO=/bin/cargo /demo/target/debug/deps/store-9fa23db62d7d961b --color always`\r\n\r\nrunning 1 \
         test\r\ntest good ... \u{1b}[32mok\u{1b}(B\u{1b}[m\r\n\r\ntest result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 1 passed; 0 \
         failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\r\n",
    );
    assert_eq!(observed.counts(), counts(1, 0, 0, 0));
    let binary = observed.binaries().next().unwrap();
    assert_eq!(binary.header.crate_name(), Some("store"));
    assert_eq!(named(binary, Verdict::Passed), ["good"]);
}

#[test]
fn benchmarks_and_times_are_read() {
    let observed = observe(&library(
        "running 3 tests\ntest fast ... bench:          12.34 ns/iter (+/- 1.50)\ntest timed ... ok <0.003s>\ntest slow ... \
         FAILED <61.000s>\n\nfailures:\n\nfailures:\n    slow\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 1 \
         measured; 0 filtered out; finished in 2.10s\n",
    ));
    assert_eq!(observed.counts(), counts(2, 1, 0, 0));
    assert_eq!(observed.notes, [] as [String; 0]);
}

#[test]
fn a_padded_name_is_the_same_name() {
    let observed = observe(&library(
        "running 2 tests\ntest short        ... ok\ntest longer::name ... ignored\n\ntest result: ok. 1 passed; 0 failed; 1 \
         ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
    ));
    assert_eq!(
        named(find(&observed, "src/lib.rs"), Verdict::Passed),
        ["short"]
    );
}

#[test]
fn filter_that_matches_nothing_is_detected_in_each_run_of_a_script() {
    let some = library(
        "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; \
         finished in 0.00s\n",
    );
    let none = library(
        "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.00s\n",
    );
    assert!(!observe(&some).nothing_matched());
    assert!(observe(&none).nothing_matched());
    assert!(observe(&format!("{some}{none}")).nothing_matched());
    assert_eq!(observe(&format!("{some}{none}")).runs.len(), 2);
    assert!(!observe("compiling\n").ran_tests());
    assert!(!observe("compiling\n").nothing_matched());
}

#[test]
fn run_with_only_ignored_tests_matched_nothing() {
    let observed = observe(&library(
        "running 1 test\ntest a ... ignored\n\ntest result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
         finished in 0.00s\n",
    ));
    assert!(observed.nothing_matched());
}

#[test]
fn missing_doctests_are_accepted_if_other_tests_ran() {
    let tests = library(
        "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
         finished in 0.00s\n",
    );
    let doctests = "    Finished `test` profile [unoptimized] target(s) in 0.01s\n   Doc-tests store\n\nrunning 0 \
                    tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in \
                    0.00s\n\n";
    assert!(!observe(&format!("{tests}{doctests}")).nothing_matched());
    assert!(observe(doctests).nothing_matched());
}

#[test]
fn compile_errors_are_kept_in_cargos_words() {
    let observed = observe(
        "   Compiling store v0.1.0 (/demo)\nerror[E0308]: mismatched types\n --> src/lib.rs:1:1\n\nerror: could not compile \
         `store` (lib test) due to 1 previous error\nwarning: build failed, waiting for other jobs to finish...\n",
    );
    assert_eq!(
        observed.compile_errors,
        ["could not compile `store` (lib test) due to 1 previous error"]
    );
    assert!(!observed.ran_tests());
}

#[test]
fn nextest_run_is_parsed() {
    let observed = observe(include_str!("../cases/observe/nextest.txt"));
    assert_eq!(observed.counts(), counts(3, 4, 0, 1));
    let binary = find(&observed, "gamma");
    assert_eq!(named(binary, Verdict::Passed), ["flaky", "leaks", "slow"]);
    assert_eq!(
        named(binary, Verdict::Failed),
        ["fails", "hangs", "killed", "leaks_fails"]
    );
    assert_eq!(observed.notes, [] as [String; 0]);
    assert_eq!(observed.runs.len(), 1);
}

const RULE: &str = "────────────";

#[test]
fn nextest_without_names_of_passed_tests_counts_them_with_a_note() {
    let observed = observe(&format!(
        "    Starting 9 tests across 2 binaries (3 tests skipped)\n        FAIL [   0.004s] (9/9) store::it bad\n{RULE}\n     \
         Summary [   0.014s] 9 tests run: 8 passed (1 leaky), 1 failed, 3 skipped\n        FAIL [   0.004s] (9/9) store::it \
         bad\nerror: test run failed\n"
    ));
    assert_eq!(observed.counts(), counts(8, 1, 0, 3));
    assert!(
        observed.notes[0].contains("--status-level pass"),
        "{:?}",
        observed.notes
    );
}

#[test]
fn older_and_cancelled_runs_of_nextest_are_read() {
    let observed = observe(&format!(
        "    Starting 3 tests across 1 binary\n        PASS [   0.004s] store::bin/store ok\n     SIGSEGV [   0.004s] store \
         bad\n   Canceling due to test failure\n{RULE}\n     Summary [   0.014s] 2/3 tests run: 1 passed, 1 failed, 0 \
         skipped\n     SIGSEGV [   0.004s] store bad\nerror: test run failed\n"
    ));
    assert_eq!(observed.counts(), counts(1, 1, 0, 0));
    assert_eq!(
        named(find(&observed, "store::bin/store"), Verdict::Passed),
        ["ok"]
    );
    assert_eq!(named(find(&observed, "store"), Verdict::Failed), ["bad"]);
}

#[test]
fn killed_nextest_has_not_passed() {
    let observed =
        observe("    Starting 3 tests across 1 binary\n        PASS [   0.004s] (1/3) store ok\n");
    assert_eq!(observed.counts(), counts(1, 1, 0, 0));
    assert_eq!(find(&observed, "store").ending, Ending::Crashed);
}

#[test]
fn nextest_with_no_test_to_run_matched_nothing() {
    let observed = observe(&format!(
        "    Starting 0 tests across 1 binary (8 tests skipped)\n{RULE}\n     Summary [   0.000s] 0 tests run: 0 passed, 8 \
         skipped\nerror: no tests to run\n"
    ));
    assert!(observed.nothing_matched());
}

#[test]
fn nextest_and_doctests_in_one_script_are_two_runs() {
    let observed = observe(&format!(
        "    Finished `test` profile [unoptimized] target(s) in 0.01s\n    Starting 1 test across 1 binary\n        PASS [   \
         0.004s] (1/1) store a\n{RULE}\n     Summary [   0.014s] 1 test run: 1 passed, 0 skipped\n    Finished `test` profile \
         [unoptimized] target(s) in 0.01s\n   Doc-tests store\n\nrunning 1 test\ntest src/lib.rs - two (line 2) ... ok\n\ntest \
         result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.11s\n\n"
    ));
    assert_eq!(observed.counts(), counts(2, 0, 0, 0));
    assert_eq!(observed.runs.len(), 2);
}

#[test]
fn progress_counts_running_tests_in_arbitrary_chunks() {
    let text = library("running 2 tests\ntest a ... ok\ntest b ... FAILED\n");
    let mut observer = Observer::default();
    for piece in text.as_bytes().chunks(7) {
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            observer.push(OutputChunk {
                bytes: line,
                ends_line: line.ends_with(b"\n"),
            });
        }
    }
    assert_eq!(observer.so_far(), counts(1, 1, 0, 0));
}

#[test]
fn a_line_of_megabytes_is_not_kept() {
    let mut observer = Observer::default();
    observer.push_text(&format!("{}\n", "x".repeat(3_000_000)));
    observer.push_text(&library(
        "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
         finished in 0.00s\n",
    ));
    assert_eq!(observer.finish().counts(), counts(1, 0, 0, 0));
}

/// Lines that mean something, in any order.
fn output() -> impl Strategy<Value = String> {
    let lines = prop::sample::select(vec![
        "    Finished `test` profile [unoptimized] target(s) in 0.01s",
        "     Running unittests src/lib.rs (target/debug/deps/store-0123456789abcdef)",
        "     Running `",
        "   Doc-tests store",
        "running 2 tests",
        "running 1 test",
        "test a ... ok",
        "test b ... FAILED",
        "test c ... ignored, slow",
        "test d ... ",
        "ok",
        "",
        "failures:",
        "successes:",
        "    b",
        "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s",
        "test result: ok. ",
        "error: test failed, to rerun pass `--lib`",
        "error: 1 target failed:",
        "  process didn't exit successfully: `x` (signal: 11)",
        "    Starting 2 tests across 1 binary (1 test skipped)",
        "        PASS [   0.004s] (1/2) store a",
        "        FAIL [   0.004s] (2/2) store b",
        "────────────",
        "     Summary [   0.014s] 2 tests run: 1 passed, 1 failed, 1 skipped",
        "     Summary [   0.014s] 1 test run: 9 passed",
        "text \u{1b}[1m é \u{7f}",
    ]);
    prop::collection::vec(lines, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_output_is_parsed_independently_of_chunks(text in output(), size in 1_usize..50) {
        let whole = observe(&text);
        let mut observer = Observer::default();
        for piece in text.as_bytes().chunks(size) {
            for line in piece.split_inclusive(|byte| *byte == b'\n') {
                observer.push(OutputChunk { bytes: line, ends_line: line.ends_with(b"\n") });
            }
        }
        prop_assert_eq!(&observer.finish(), &whole);
        for binary in whole.binaries() {
            let failed = named(binary, Verdict::Failed).len() as u64;
            prop_assert!(failed <= binary.counts.failed || binary.disagreement.is_some() || !whole.notes.is_empty(), "{:?}", whole);
        }
    }

    #[test]
    fn arbitrary_text_is_not_a_test_run(text in text("\\PC*")) {
        prop_assert_eq!(observe(&text).counts(), TestCounts::default());
    }
}
