//! Running invocations on real workspaces, and recording them.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::Exit;
use cargo_poc::internals::affected::{Selection, TargetSelection, all_targets};
use cargo_poc::internals::config::RunnerChoice;
use cargo_poc::internals::evidence::{Outcome, Record, Scope, Source};
use cargo_poc::internals::script::shell::{RecursionGuard, Settings};
use cargo_poc::internals::sys::cargo::Cargo;
use cargo_poc::internals::sys::exec::Stop;
use cargo_poc::internals::sys::files;
use cargo_poc::internals::sys::terminal::Terminal;
use cargo_poc::internals::verify::runner::Words;
use cargo_poc::internals::verify::{
    Invocation, Options, Program, RecordContext, Report, Runner, commands_hash, exit, run,
};
use cargo_poc::internals::workspace::Workspace;

use crate::kit::left_out;

/// A temporary folder with these files.
fn folder(tree: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(guard.path().canonicalize().unwrap()).unwrap();
    for (path, content) in tree {
        files::create(&root.join(path), content.as_bytes()).unwrap();
    }
    (guard, root)
}

fn options(root: &Utf8Path) -> Options<'static> {
    Options {
        root: root.to_owned(),
        settings: Settings {
            inside: RecursionGuard::enter("docs/test-results.md test").unwrap(),
            program: crate::kit::PROGRAM.into(),
            coloured: false,
            timeout: Some(Duration::from_secs(120)),
            stop: Stop::default(),
            environment: std::collections::BTreeMap::new(),
        },
        binaries: None,
        keep_going: false,
        title: "test".to_owned(),
        expected: None,
        usual: None,
        progress: false,
        quarantine: Vec::new(),
    }
}

/// Runs checks without showing them.
fn quietly(checks: &[Invocation], options: &Options<'_>) -> Report {
    let nowhere = || Box::new(std::io::sink());
    run(checks, options, &mut Terminal::to(nowhere(), nowhere())).unwrap()
}

fn block(script: &str) -> Report {
    let (_guard, root) = folder(&[]);
    quietly(&[Invocation::block(script)], &options(&root))
}

/// A script whose cargo prints what a runner printed, and ends with `status`.
fn printing(case: &str, status: i32) -> String {
    let cases = format!("{}/tests/cases", env!("CARGO_MANIFEST_DIR"));
    format!("PATH=\"$PATH:{cases}/bin\" cargo tarpaulin '{cases}/observe/{case}' {status}")
}

#[test]
fn a_block_is_one_script_to_bash() {
    let report = block(
        "text=$(cat <<'END'\none\n  two 'quoted\nacross' lines\nEND\n)\ntest \"$text\" = \"one\n  two 'quoted\nacross' lines\"\n",
    );
    assert_eq!(report.outcome(), Outcome::Passed);
    assert_eq!(report.checked[0].observed.counts().ran(), 0);
}

#[test]
fn a_block_from_a_document_with_carriage_returns_runs() {
    assert_eq!(block("true\r\ntest a = a\r\n").outcome(), Outcome::Passed);
}

#[test]
fn the_first_failure_fails_the_block() {
    for script in [
        "false; true",
        "false | cat",
        "echo $UNSET_VARIABLE_OF_A_TEST",
        "exit 3",
    ] {
        assert_eq!(block(script).outcome(), Outcome::Failed, "{script}");
    }
}

#[test]
fn missing_command_could_not_run_and_is_not_a_failed_test() {
    let report = block("cargo-poc-has-no-such-command");
    assert_eq!(report.outcome(), Outcome::CouldNotRun);
    assert!(
        report.checked[0]
            .tail
            .contains("cargo-poc-has-no-such-command")
    );
}

#[test]
fn a_command_that_cargo_does_not_have_could_not_run() {
    let report = block("cargo no-such-command-of-cargo");
    assert_eq!(report.outcome(), Outcome::CouldNotRun);
}

#[test]
fn failed_tests_fail_despite_exit_status_zero() {
    let report = block(&printing("cargo-test.txt", 0));
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(report.counts().failed, 3);
}

#[test]
fn test_command_without_tests_does_not_pass() {
    let nothing_matched = "running 0 tests\\n\\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out; \
                           finished in 0.00s\\n";
    let bin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/bin");
    let script = format!("PATH=\"$PATH:{bin}\" cargo tarpaulin '{nothing_matched}'");
    assert_eq!(block(&script).outcome(), Outcome::NoTests);
}

#[test]
fn a_block_that_takes_too_long_is_ended() {
    let (_guard, root) = folder(&[]);
    let mut options = options(&root);
    options.settings.timeout = Some(Duration::from_millis(300));
    let report = quietly(&[Invocation::block("sleep 60")], &options);
    assert_eq!(report.outcome(), Outcome::TimedOut);
}

#[test]
fn snapshots_are_neither_accepted_nor_updated() {
    let report = block(
        "echo $INSTA_UPDATE $INSTA_FORCE_PASS ${TRYBUILD-unset} ${UPDATE_EXPECT-unset} ${SNAPSHOTS-unset}; false",
    );
    assert_eq!(report.checked[0].tail, "no 0 unset unset unset\n");
}

#[test]
fn commands_after_a_failure_are_skipped_by_default() {
    let (_guard, root) = folder(&[]);
    let checks = ["true", "false", "touch ran"].map(Invocation::block);
    let mut options = options(&root);
    let report = quietly(&checks, &options);
    assert_eq!((report.checked.len(), report.left.len()), (2, 1));
    assert!(!root.join("ran").exists());
    options.keep_going = true;
    let report = quietly(&checks, &options);
    assert_eq!((report.checked.len(), report.left.len()), (3, 0));
    assert_eq!(report.outcome(), Outcome::Failed);
    assert!(root.join("ran").exists());
}

#[test]
fn blocks_run_in_the_workspace_root() {
    let (_guard, root) = folder(&[("here", "")]);
    assert_eq!(
        quietly(&[Invocation::block("test -f here")], &options(&root)).outcome(),
        Outcome::Passed
    );
}

const ROOT: &str = "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"two\"]\n";

/// Two members with an integration test of the same name, doctests and a binary.
fn members() -> (tempfile::TempDir, Utf8PathBuf) {
    folder(&[
        ("Cargo.toml", ROOT),
        (
            "one/Cargo.toml",
            "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        ),
        (
            "one/src/lib.rs",
            "/// ```\n/// assert_eq!(one::one(), 1);\n/// ```\npub fn one() -> u8 { 1 }\n\n#[test]\nfn is_one() { assert_eq!(one(), 1) }\n\
             #[test]\n#[ignore]\nfn later() {}\n",
        ),
        (
            "one/tests/it.rs",
            "#[test]\nfn stays() {}\n#[test]\nfn goes() {}\n",
        ),
        (
            "two/Cargo.toml",
            "[package]\nname = \"two\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\none = { path = \"../one\" }\n",
        ),
        (
            "two/src/main.rs",
            "fn main() {}\n#[test]\nfn in_the_binary() { assert_eq!(one::one(), 1) }\n",
        ),
        (
            "two/tests/it.rs",
            "#[test]\nfn of_two() {}\n#[test]\nfn known_to_fail() { panic!() }\n",
        ),
    ])
}

fn workspace(root: &Utf8Path) -> Workspace {
    let cargo = Cargo {
        manifest_path: Some(root.join("Cargo.toml")),
        ..Cargo::default()
    };
    Workspace::new(cargo.members().unwrap().read().unwrap())
}

fn everything(workspace: &Workspace) -> Selection {
    let targets = all_targets(workspace);
    Selection {
        targets: targets
            .into_iter()
            .map(|target| (target, TargetSelection::default()))
            .collect(),
        ..Selection::default()
    }
}

fn record(root: &Utf8Path, runner: Runner, scope: Scope, baseline: Option<&Record>) -> Record {
    let workspace = workspace(root);
    let checks = runner.selected(&workspace, &everything(&workspace), Words::default(), true);
    let mut options = options(root);
    options.keep_going = true;
    let report = quietly(&checks, &options);
    let basis = RecordContext {
        poc: "cache",
        scope,
        source: Source::default(),
        inputs: BTreeMap::new(),
        toolchain: "rustc 1.89.0\nhost",
        baseline,
        failed_before: cargo_poc::internals::evidence::Names::new(),
        selection: None,
    };
    report.record(&workspace, &basis).unwrap()
}

fn tests(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (binary, test) in pairs {
        tests
            .entry((*binary).to_owned())
            .or_default()
            .push((*test).to_owned());
    }
    tests
}

fn change(root: &Utf8Path, path: &str, from: &str, to: &str) {
    let old = std::fs::read_to_string(root.join(path)).unwrap();
    assert!(old.contains(from));
    files::write_atomic(&root.join(path), old.replace(from, to).as_bytes()).unwrap();
}

#[test]
fn regressions_and_missing_tests_differ_from_earlier_failures() {
    let (_guard, root) = members();
    let baseline = record(&root, Runner::Cargo, Scope::Baseline, None);
    assert_eq!(baseline.outcome, Outcome::Failed);
    assert_eq!(baseline.failing, tests(&[("two::it", "known_to_fail")]));
    assert_eq!(baseline.ignored, tests(&[("one", "later")]));
    let counts = baseline.tests.unwrap();
    assert_eq!(
        (counts.passed, counts.failed, counts.ignored),
        (6, 1, 1),
        "{baseline:#?}"
    );
    assert_eq!(baseline.notes, [] as [String; 0]);
    assert_eq!(baseline.toolchain, "rustc 1.89.0");
    let passed = baseline.passed.as_ref().unwrap().names().unwrap();
    let binaries: Vec<_> = passed.keys().map(String::as_str).collect();
    assert_eq!(
        binaries,
        ["one", "one::doc", "one::it", "two::bin/two", "two::it"]
    );

    change(&root, "one/src/lib.rs", "u8 { 1 }", "u8 { 2 }");
    change(&root, "one/tests/it.rs", "goes", "came");
    let now = record(&root, Runner::Cargo, Scope::Affected, Some(&baseline));
    assert_eq!(
        now.regressions,
        tests(&[
            ("one", "is_one"),
            ("one::doc", "one/src/lib.rs - one"),
            ("two::bin/two", "in_the_binary")
        ])
    );
    assert_eq!(now.missing, tests(&[("one::it", "goes")]));
    assert_eq!(exit(&now), Exit::Findings);

    // A whole test target that is gone takes its tests with it, though everything that ran passed.
    change(&root, "one/src/lib.rs", "u8 { 2 }", "u8 { 1 }");
    change(
        &root,
        "two/tests/it.rs",
        "#[test]\nfn known_to_fail() { panic!() }\n",
        "",
    );
    files::remove(&root.join("one/tests/it.rs")).unwrap();
    let now = record(&root, Runner::Cargo, Scope::Full, Some(&baseline));
    assert_eq!(now.outcome, Outcome::Passed);
    assert_eq!(
        now.missing,
        tests(&[("one::it", "goes"), ("one::it", "stays")])
    );
    assert!(!now.proves());
    assert_eq!(exit(&now), Exit::Findings);
}

#[test]
fn both_runners_report_the_same() {
    let (_guard, root) = members();
    if Runner::choose(RunnerChoice::Nextest, &root).is_err() {
        left_out(
            "both_runners_report_the_same",
            "cargo-nextest",
            "CARGO_POC_REQUIRE_NEXTEST",
        );
        return;
    }
    let cargo = record(&root, Runner::Cargo, Scope::Baseline, None);
    let nextest = record(&root, Runner::Nextest, Scope::Baseline, Some(&cargo));
    let names = |record: &Record| record.passed.as_ref().unwrap().names().unwrap();
    assert_eq!(names(&nextest), names(&cargo));
    assert_eq!(nextest.failing, cargo.failing);
    assert_eq!(nextest.ignored, cargo.ignored);
    assert_eq!(nextest.notes, [] as [String; 0]);
    assert_eq!(
        nextest
            .tests
            .map(|tests| (tests.passed, tests.failed, tests.ignored)),
        Some((6, 1, 1))
    );
    assert_eq!(
        (nextest.regressions, nextest.missing),
        (BTreeMap::new(), BTreeMap::new())
    );
}

#[test]
fn harness_that_nextest_cannot_list_is_reported_with_a_remedy() {
    let (_guard, root) = members();
    if Runner::choose(RunnerChoice::Nextest, &root).is_err() {
        eprintln!("left out: cargo-nextest is not installed");
        return;
    }
    change(
        &root,
        "one/Cargo.toml",
        "[package]",
        "[[test]]\nname = \"own\"\nharness = false\n\n[package]",
    );
    files::create(
        &root.join("one/tests/own.rs"),
        b"fn main() { println!(\"all fine\"); }\n",
    )
    .unwrap();
    let nextest = record(&root, Runner::Nextest, Scope::Full, None);
    assert_eq!(nextest.outcome, Outcome::Failed);
    assert!(
        nextest
            .notes
            .iter()
            .any(|note| note.contains("use `--runner cargo`")),
        "{:?}",
        nextest.notes
    );
    let cargo = record(&root, Runner::Cargo, Scope::Full, None);
    assert_eq!(cargo.tests.unwrap().passed, 6);
    assert_eq!(
        cargo.notes,
        ["tests/own.rs: has a custom harness; its tests are not counted"]
    );
}

#[test]
fn user_filter_hides_no_test_and_must_match_one() {
    let (_guard, root) = members();
    let workspace = workspace(&root);
    let baseline = record(&root, Runner::Cargo, Scope::Baseline, None);
    for (filter, outcome) in [
        ("stays", Outcome::Passed),
        ("no_such_test", Outcome::NoTests),
    ] {
        let words = Words {
            extra: &[filter.to_owned()],
            ..Words::default()
        };
        let checks = Runner::Cargo.full(&workspace, words);
        let report = quietly(&checks, &options(&root));
        assert_eq!(report.outcome(), outcome, "{filter}");
        let basis = RecordContext {
            poc: "cache",
            scope: Scope::Full,
            source: Source::default(),
            inputs: BTreeMap::new(),
            toolchain: "",
            baseline: Some(&baseline),
            failed_before: cargo_poc::internals::evidence::Names::new(),
            selection: None,
        };
        let record = report.record(&workspace, &basis).unwrap();
        assert_eq!(record.missing, BTreeMap::new());
        let expected = if outcome == Outcome::Passed {
            Exit::Success
        } else {
            Exit::CouldNotRun
        };
        assert_eq!(exit(&record), expected);
    }
}

#[test]
fn code_that_does_not_compile_has_failed() {
    let (_guard, root) = members();
    change(&root, "one/src/lib.rs", "u8 { 1 }", "u8 { \"\" }");
    let record = record(&root, Runner::Cargo, Scope::Affected, None);
    assert_eq!(record.outcome, Outcome::Failed);
    assert!(
        record
            .notes
            .iter()
            .any(|note| note.starts_with("could not compile `one`")),
        "{:?}",
        record.notes
    );
}

fn argv(check: &Invocation) -> &[String] {
    match &check.program {
        Program::Cargo { argv, .. } => argv,
        Program::Block(_) | Program::Command(_) => panic!("no block was asked for"),
    }
}

#[test]
fn flags_and_arguments_are_placed_for_each_runner() {
    let (_guard, root) = members();
    let workspace = workspace(&root);
    let (flags, extra) = (["--locked".to_owned()], ["--test-threads=1".to_owned()]);
    let words = Words {
        flags: &flags,
        extra: &extra,
        slice: None,
    };
    let cargo = Runner::Cargo.full(&workspace, words);
    assert_eq!(
        argv(&cargo[0]),
        [
            "test",
            "--no-fail-fast",
            "--locked",
            "--workspace",
            "--",
            "--test-threads=1"
        ]
    );
    let nextest = Runner::Nextest.full(&workspace, words);
    assert_eq!(argv(&nextest[0])[..3], ["nextest", "run", "--no-fail-fast"]);
    assert_eq!(argv(&nextest[0]).last().unwrap(), "--test-threads=1");
    assert_eq!(
        argv(&nextest[1])[2..5],
        ["--locked", "--workspace", "--doc"]
    );
    assert_eq!(nextest.len(), 2);
}

#[test]
fn command_hash_ignores_line_ends() {
    let hash = |script: &str| commands_hash(&[Invocation::block(script)]);
    assert_eq!(hash("a\nb\n"), hash("a\r\nb"));
    assert_ne!(hash("a\nb"), hash("a\nc"));
}
