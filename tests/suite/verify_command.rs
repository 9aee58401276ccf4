//! `cargo poc verify` as a user runs it: exit codes, records, and processes that are left when it is stopped.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use cargo_poc::internals::evidence::{self, Outcome, ProblemKind, Scope};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::kit::{PROGRAM, Sandbox, finish};

const RESULTS: &str = "# Cache: results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n";

/// A package with a plan whose steps run these scripts, in its own git repository.
fn sandbox(steps: &[&str]) -> Sandbox {
    let mut plan = "# Cache Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Name** | Cache |\n| **Base** | `HEAD` \
                    |\n\n## Implementation Steps\n"
        .to_owned();
    for (id, script) in steps.iter().enumerate() {
        write!(
            plan,
            "\n### Step {id}: Do it\n\n**Goal**: done.\n\n**Tasks**:\n- [ ] do\n\n**Verification**:\n```bash\n{script}\n```\n"
        )
        .unwrap();
    }
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[package]\nname = \"store\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write("src/lib.rs", "#[test]\nfn works() {}\n")
        .write("docs/cache-plan.md", plan)
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox
}

fn results(sandbox: &Sandbox) -> String {
    sandbox.read("docs/cache-results.md")
}

/// The program with these arguments, to be started.
fn program(sandbox: &Sandbox, arguments: &str) -> Command {
    let mut command = sandbox.command(PROGRAM);
    command.args(arguments.split(' '));
    command
}

/// Starts the program, whose errors nobody reads.
fn start(sandbox: &Sandbox, arguments: &str, output: Stdio) -> Child {
    let mut command = program(sandbox, arguments);
    command.stdout(output).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The outcomes recorded, in order; nothing else may be wrong with the evidence.
fn recorded(sandbox: &Sandbox) -> Vec<(Scope, Outcome)> {
    let evidence = evidence::read(&results(sandbox));
    assert_eq!(evidence.problems, []);
    let outcome = |located: evidence::Located| (located.record.scope, located.record.outcome);
    evidence.records.into_iter().map(outcome).collect()
}

fn step(id: &str, outcome: Outcome) -> (Scope, Outcome) {
    (Scope::Step(id.to_owned()), outcome)
}

#[test]
fn every_outcome_has_its_exit_code_and_is_recorded() {
    let sandbox = sandbox(&[
        "true",
        "false",
        "cargo test --offline no_such_test",
        "no-such-command-anywhere",
        "sleep 60",
    ]);
    let cases = [
        (0, Outcome::Passed, ""),
        (1, Outcome::Failed, ""),
        (4, Outcome::NoTests, "no_such_test` ran no test"),
        (4, Outcome::CouldNotRun, "no-such-command-anywhere"),
        (4, Outcome::TimedOut, ""),
    ];
    let mut expected = Vec::new();
    for (id, (code, outcome, message)) in cases.into_iter().enumerate() {
        let limit = if outcome == Outcome::TimedOut { 2 } else { 300 };
        let run = sandbox.poc(&format!("verify cache --timeout {limit} --step {id}"));
        run.exits(code);
        let printed = run.stdout + &run.stderr;
        assert!(printed.contains(message), "{printed}");
        expected.push(step(&id.to_string(), outcome));
    }
    assert_eq!(recorded(&sandbox), expected);
    assert!(results(&sandbox).starts_with(RESULTS));
}

#[test]
fn test_run_is_counted_and_a_regression_is_reported() {
    let sandbox = sandbox(&["cargo test --offline --no-fail-fast"]);
    let baseline = "\n## Prerequisites\n\n### 1. Identify Affected Tests\n\n**Baseline verification**:\n```bash\ncargo test --offline \
                    --no-fail-fast\n```\n";
    sandbox.append("docs/cache-plan.md", baseline);
    sandbox.poc("verify cache --baseline").exits(0);

    sandbox.write("src/lib.rs", "#[test]\nfn works() { panic!() }\n");
    sandbox
        .poc("verify cache --step 0")
        .exits(1)
        .prints("regression: the baseline passed")
        .prints("store works");

    sandbox.write("src/lib.rs", "#[test]\nfn other() {}\n");
    // Green, but a test is gone.
    sandbox
        .poc("verify cache --step 0")
        .exits(1)
        .prints("vanished: the baseline passed");

    let evidence = evidence::read(&results(&sandbox));
    assert_eq!(evidence.records.len(), 3);
    let first = &evidence.records[0].record;
    assert_eq!(first.tests.unwrap().passed, 1);
    assert_eq!(
        first.source.dirty,
        Some(false),
        "documents of ours are no change"
    );
    let second = &evidence.records[1].record;
    assert_eq!(second.source.dirty, Some(true));
    assert_eq!(second.regressions["store"], ["works"]);
    assert_ne!(second.inputs["store"], first.inputs["store"]);
}

#[test]
fn listing_runs_nothing_and_no_record_writes_nothing() {
    let sandbox = sandbox(&["mkdir -p target && touch target/ran"]);
    let list = sandbox.poc("verify cache --step 0 --list");
    assert_eq!(
        list.exits(0).stdout,
        "mkdir -p target && touch target/ran\n"
    );
    assert!(!sandbox.exists("target/ran"));
    sandbox.poc("verify cache --step 0 --no-record").exits(0);
    assert!(sandbox.exists("target/ran"));
    assert_eq!(results(&sandbox), RESULTS);
}

#[test]
fn unknown_step_is_a_usage_error() {
    let sandbox = sandbox(&["true"]);
    sandbox
        .poc("verify cache --step 7")
        .exits(2)
        .says("no step 7");
}

#[test]
fn recursive_verification_is_stopped() {
    let sandbox = sandbox(&[&format!("'{PROGRAM}' verify cache --step 0")]);
    sandbox
        .poc("verify cache --step 0")
        .exits(1)
        .prints("runs this very verification again");
    assert_eq!(recorded(&sandbox), [step("0", Outcome::Failed)]);
}

/// A folder that holds only links to these programs.
fn path_with(programs: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for program in programs {
        let found = std::env::split_paths(&path)
            .map(|folder| folder.join(program))
            .find(|file| file.is_file());
        std::os::unix::fs::symlink(found.unwrap(), folder.path().join(program)).unwrap();
    }
    folder
}

#[test]
fn missing_bash_is_an_error_with_a_remedy() {
    let sandbox = sandbox(&["true"]);
    let path = path_with(&["git", "cargo", "rustc"]);
    let mut command = program(&sandbox, "verify cache --step 0");
    command.env("PATH", path.path());
    finish(command, "without bash")
        .exits(4)
        .says("failed to start `bash`")
        .says("install it");
    assert_eq!(results(&sandbox), RESULTS);
}

#[test]
fn requested_but_missing_nextest_could_not_run() {
    let sandbox = sandbox(&["true"]);
    let path = path_with(&["git", "cargo", "rustc", "bash"]);
    let home = tempfile::tempdir().unwrap();
    let mut command = program(&sandbox, "verify cache --full --runner nextest");
    command
        .env("PATH", path.path())
        .env("CARGO_HOME", home.path());
    finish(command, "without nextest")
        .exits(4)
        .says("cargo install cargo-nextest");
}

#[test]
fn missing_cargo_could_not_run() {
    let sandbox = sandbox(&["true"]);
    let mut command = program(&sandbox, "verify cache --full");
    command.env("CARGO", "/no/such/cargo");
    finish(command, "without cargo")
        .exits(4)
        .says("/no/such/cargo");
}

#[test]
fn two_verifications_at_once_are_both_recorded() {
    let sandbox = sandbox(&["sleep 0.3", "sleep 0.3", "sleep 0.3"]);
    let quiet = |id| {
        start(
            &sandbox,
            &format!("verify cache --step {id}"),
            Stdio::null(),
        )
    };
    let children: Vec<Child> = (0..3).map(quiet).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let mut recorded = recorded(&sandbox);
    recorded.sort();
    let passed = |id: &str| step(id, Outcome::Passed);
    assert_eq!(recorded, [passed("0"), passed("1"), passed("2")]);
}

#[test]
fn closed_pipe_changes_neither_exit_code_nor_evidence() {
    let sandbox = sandbox(&["seq 1 100000; false"]);
    let mut child = start(&sandbox, "verify cache --step 0", Stdio::piped());
    let mut first = [0; 2];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(recorded(&sandbox), [step("0", Outcome::Failed)]);
}

#[test]
fn ctrl_c_leaves_no_process_and_no_evidence() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let sandbox =
            sandbox(&["sleep infinity & echo $!; bash -c 'echo $$; sleep infinity'; wait"]);
        let mut child = start(&sandbox, "verify cache --step 0", Stdio::piped());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let pids: Vec<i32> = lines
            .by_ref()
            .take(2)
            .map(|line| line.unwrap().parse().unwrap())
            .collect();
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let _rest = lines.count();
        assert_eq!(child.wait().unwrap().code(), Some(4), "{signal}");
        assert!(pids.into_iter().all(crate::exec::gone), "{signal}");
        let results = results(&sandbox);
        assert!(!results.contains("cargo-poc:evidence"), "{results}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_process_survives_a_killed_program() {
    let script = "sleep infinity & echo $!; setsid sleep infinity & echo $!; (setsid sleep infinity & echo $!); bash -c 'echo \
                  $$; sleep infinity'";
    let sandbox = sandbox(&[script]);
    let mut child = start(&sandbox, "verify cache --step 0", Stdio::piped());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pids = lines.take(4).map(|line| line.unwrap().parse().unwrap());
    let pids: Vec<i32> = pids.collect();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    for pid in pids {
        assert!(crate::exec::gone(pid), "{pid} still runs");
    }
}

#[test]
fn a_git_that_hangs_does_not_hang_the_program() {
    let sandbox = sandbox(&["true"]);
    sandbox.write("target/git", "#!/bin/sh\nexec sleep infinity\n");
    let git = sandbox.root.join("target/git");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&git, mode).unwrap();
    let mut command = program(&sandbox, "affected");
    command.env("GIT", &git).env("CARGO_POC_TOOL_TIMEOUT", "1");
    finish(command, "with a git that hangs")
        .exits(4)
        .says("did not end within 1 s");
}

#[test]
fn evidence_edited_by_hand_is_found_by_status() {
    let sandbox = sandbox(&["false"]);
    sandbox.poc("verify cache --step 0").exits(1);
    let edited = results(&sandbox).replace("\"outcome\":\"failed\"", "\"outcome\":\"passed\"");
    sandbox.write("docs/cache-results.md", &edited);
    let evidence = evidence::read(&edited);
    assert_eq!(evidence.problems[0].kind, ProblemKind::Edited);
    let place = format!("docs/cache-results.md:{}", evidence.problems[0].line);
    sandbox.poc("status cache --check").exits(1).prints(&place);
}

#[test]
fn read_only_results_stay_unchanged() {
    let sandbox = sandbox(&["true"]);
    let path = sandbox.root.join("docs/cache-results.md");
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    sandbox
        .poc("verify cache --step 0")
        .exits(4)
        .says("cache-results.md");
    assert_eq!(results(&sandbox), RESULTS);
}

#[test]
fn missing_results_fail_before_the_run() {
    let sandbox = sandbox(&["mkdir -p target && touch target/ran"]);
    sandbox.remove("docs/cache-results.md");
    sandbox.poc("verify cache --step 0").exits(2);
    assert!(!sandbox.exists("target/ran"));
}
