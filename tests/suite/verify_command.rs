//! `cargo poc verify` as a user runs it: exit codes, records, and processes that are left when it is stopped.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_poc::evidence::{self, Outcome, ProblemKind, Scope};
use cargo_poc::sys::files;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A package with a plan whose steps run these scripts, in its own git repository.
struct Sandbox {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

const RESULTS: &str = "# Cache: results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n";

impl Sandbox {
    fn new(steps: &[&str]) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(guard.path().canonicalize().unwrap()).unwrap();
        let sandbox = Self {
            _guard: guard,
            root,
        };
        let manifest = "[package]\nname = \"store\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        sandbox.write("Cargo.toml", manifest);
        sandbox.write("src/lib.rs", "#[test]\nfn works() {}\n");
        sandbox.write(".gitignore", "/target\n");
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
        sandbox.write("docs/cache-plan.md", &plan);
        sandbox.write("docs/cache-results.md", RESULTS);
        for arguments in ["init -q", "add -A", "commit -qm base"] {
            let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
            let status = Command::new("git")
                .args(identity)
                .args(arguments.split(' '))
                .current_dir(&sandbox.root)
                .status();
            assert!(status.unwrap().success());
        }
        sandbox
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        if path.exists() {
            files::write_atomic(&path, content.as_bytes()).unwrap();
        } else {
            files::create(&path, content.as_bytes()).unwrap();
        }
    }

    fn results(&self) -> String {
        std::fs::read_to_string(self.root.join("docs/cache-results.md")).unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-poc"));
        command
            .args(arguments.split(' '))
            .current_dir(&self.root)
            .env_remove("CARGO_POC_INSIDE");
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The outcomes recorded, in order; nothing else may be wrong with the evidence.
    fn recorded(&self) -> Vec<(Scope, Outcome)> {
        let evidence = evidence::read(&self.results());
        assert_eq!(evidence.problems, []);
        let outcome = |located: evidence::Located| (located.record.scope, located.record.outcome);
        evidence.records.into_iter().map(outcome).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn step(id: &str, outcome: Outcome) -> (Scope, Outcome) {
    (Scope::Step(id.to_owned()), outcome)
}

#[test]
fn every_outcome_has_its_exit_code_and_is_recorded() {
    let sandbox = Sandbox::new(&[
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
        let output = {
            let limit = if outcome == Outcome::TimedOut { 2 } else { 300 };
            sandbox.run(&format!("verify cache --timeout {limit} --step {id}"))
        };
        let printed = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(printed.contains(message), "{printed}");
        expected.push(step(&id.to_string(), outcome));
    }
    assert_eq!(sandbox.recorded(), expected);
    assert!(sandbox.results().starts_with(RESULTS));
}

#[test]
fn a_run_of_the_tests_is_counted_and_a_regression_is_told() {
    let sandbox = Sandbox::new(&["cargo test --offline --no-fail-fast"]);
    let plan = std::fs::read_to_string(sandbox.root.join("docs/cache-plan.md")).unwrap();
    let baseline = "\n## Prerequisites\n\n### 1. Identify Affected Tests\n\n**Baseline verification**:\n```bash\ncargo test --offline \
                    --no-fail-fast\n```\n";
    sandbox.write("docs/cache-plan.md", &(plan + baseline));
    let output = sandbox.run("verify cache --baseline");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    sandbox.write("src/lib.rs", "#[test]\nfn works() { panic!() }\n");
    let output = sandbox.run("verify cache --step 0");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("regression: the baseline passed"),
        "{}",
        text(&output.stdout)
    );
    assert!(text(&output.stdout).contains("store works"));

    sandbox.write("src/lib.rs", "#[test]\nfn other() {}\n");
    let output = sandbox.run("verify cache --step 0");
    assert_eq!(output.status.code(), Some(1), "green, but a test is gone");
    assert!(
        text(&output.stdout).contains("vanished: the baseline passed"),
        "{}",
        text(&output.stdout)
    );

    let evidence = evidence::read(&sandbox.results());
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
    let sandbox = Sandbox::new(&["mkdir -p target && touch target/ran"]);
    let output = sandbox.run("verify cache --step 0 --list");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        "mkdir -p target && touch target/ran\n"
    );
    assert!(!sandbox.root.join("target/ran").exists());
    let output = sandbox.run("verify cache --step 0 --no-record");
    assert_eq!(output.status.code(), Some(0));
    assert!(sandbox.root.join("target/ran").exists());
    assert_eq!(sandbox.results(), RESULTS);
}

#[test]
fn a_step_that_is_not_there_is_bad_usage() {
    let sandbox = Sandbox::new(&["true"]);
    let output = sandbox.run("verify cache --step 7");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("no step 7"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_plan_that_verifies_itself_is_stopped() {
    let binary = env!("CARGO_BIN_EXE_cargo-poc");
    let sandbox = Sandbox::new(&[&format!("'{binary}' verify cache --step 0")]);
    let output = sandbox.run("verify cache --step 0");
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(
        printed.contains("runs this very verification again"),
        "{printed}"
    );
    assert_eq!(sandbox.recorded(), [step("0", Outcome::Failed)]);
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
fn without_bash_the_message_says_what_to_do_and_nothing_is_written() {
    let sandbox = Sandbox::new(&["true"]);
    let path = path_with(&["git", "cargo", "rustc"]);
    let output = sandbox
        .command("verify cache --step 0")
        .env("PATH", path.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let message = text(&output.stderr);
    assert!(
        message.contains("failed to start `bash`") && message.contains("install it"),
        "{message}"
    );
    assert_eq!(sandbox.results(), RESULTS);
}

#[test]
fn nextest_that_is_asked_for_and_missing_could_not_run() {
    let sandbox = Sandbox::new(&["true"]);
    let path = path_with(&["git", "cargo", "rustc", "bash"]);
    let home = tempfile::tempdir().unwrap();
    let output = sandbox
        .command("verify cache --full --runner nextest")
        .env("PATH", path.path())
        .env("CARGO_HOME", home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("cargo install cargo-nextest"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_cargo_that_is_not_there_could_not_run() {
    let sandbox = Sandbox::new(&["true"]);
    let output = sandbox
        .command("verify cache --full")
        .env("CARGO", "/no/such/cargo")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(
        text(&output.stderr).contains("/no/such/cargo"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn two_verifications_at_once_are_both_recorded() {
    let sandbox = Sandbox::new(&["sleep 0.3", "sleep 0.3", "sleep 0.3"]);
    let quiet = |id| {
        let mut command = sandbox.command(&format!("verify cache --step {id}"));
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<Child> = (0..3).map(quiet).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let mut recorded = sandbox.recorded();
    recorded.sort();
    let passed = |id: &str| step(id, Outcome::Passed);
    assert_eq!(recorded, [passed("0"), passed("1"), passed("2")]);
}

#[test]
fn a_reader_that_goes_away_changes_neither_exit_code_nor_evidence() {
    let sandbox = Sandbox::new(&["seq 1 100000; false"]);
    let mut command = sandbox.command("verify cache --step 0");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0; 2];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(sandbox.recorded(), [step("0", Outcome::Failed)]);
}

#[test]
fn ctrl_c_leaves_no_process_and_no_evidence() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let sandbox =
            Sandbox::new(&["sleep infinity & echo $!; bash -c 'echo $$; sleep infinity'; wait"]);
        let mut command = sandbox.command("verify cache --step 0");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
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
        let results = sandbox.results();
        assert!(!results.contains("cargo-poc:evidence"), "{results}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_survives_when_the_program_is_killed() {
    let script = "sleep infinity & echo $!; setsid sleep infinity & echo $!; (setsid sleep infinity & echo $!); bash -c 'echo \
                  $$; sleep infinity'";
    let sandbox = Sandbox::new(&[script]);
    let mut command = sandbox.command("verify cache --step 0");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
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
    let sandbox = Sandbox::new(&["true"]);
    std::fs::create_dir_all(sandbox.root.join("target")).unwrap();
    sandbox.write("target/git", "#!/bin/sh\nexec sleep infinity\n");
    let git = sandbox.root.join("target/git");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&git, mode).unwrap();
    let mut command = sandbox.command("affected");
    command.env("GIT", &git).env("CARGO_POC_TOOL_TIMEOUT", "1");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("did not answer within 1 s"));
}

#[test]
fn evidence_edited_by_hand_is_found_by_status() {
    let sandbox = Sandbox::new(&["false"]);
    sandbox.run("verify cache --step 0");
    let edited = sandbox
        .results()
        .replace("\"outcome\":\"failed\"", "\"outcome\":\"passed\"");
    sandbox.write("docs/cache-results.md", &edited);
    let evidence = evidence::read(&edited);
    assert_eq!(evidence.problems[0].kind, ProblemKind::Edited);
    let output = sandbox.run("status cache --check");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let place = format!("docs/cache-results.md:{}", evidence.problems[0].line);
    assert!(
        text(&output.stdout).contains(&place),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn results_that_may_not_be_written_stay_as_they_were() {
    let sandbox = Sandbox::new(&["true"]);
    let path = sandbox.root.join("docs/cache-results.md");
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let output = sandbox.run("verify cache --step 0");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("cache-results.md"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(sandbox.results(), RESULTS);
}

#[test]
fn without_results_nobody_waits_for_a_run_that_cannot_be_recorded() {
    let sandbox = Sandbox::new(&["mkdir -p target && touch target/ran"]);
    files::remove(Utf8Path::new(&sandbox.root.join("docs/cache-results.md"))).unwrap();
    let output = sandbox.run("verify cache --step 0");
    assert_eq!(output.status.code(), Some(2));
    assert!(!sandbox.root.join("target/ran").exists());
}
