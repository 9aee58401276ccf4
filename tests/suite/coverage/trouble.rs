//! Missing, damaged and truncated coverage.

use super::workspace;
use crate::kit::{Sandbox, nextest_for};

#[test]
fn damaged_coverage_is_reported_and_not_used() {
    let sandbox = Sandbox::package();
    sandbox.git();
    sandbox
        .poc("affected --audit")
        .exits(4)
        .says("no coverage is collected; run `cargo poc affected --collect`");
    sandbox.write(
        "target/cargo-poc/observed",
        "cargo-poc observed 5\nnot what it was",
    );
    sandbox
        .poc("affected --audit")
        .exits(4)
        .says("run `cargo poc affected --collect` again")
        .says("it is damaged");
}

#[test]
fn a_workspace_that_does_not_build_is_not_collected() {
    if !nextest_for("a_workspace_that_does_not_build_is_not_collected") {
        return;
    }
    let sandbox = workspace();
    sandbox.append("src/lib.rs", "fn broken() -> u32 { \"\" }\n");
    sandbox
        .poc("affected --collect")
        .exits(4)
        .says("mismatched types")
        .says("nextest could not build and list the tests");
    assert!(!sandbox.exists("target/cargo-poc/observed"));
}

#[cfg(unix)]
#[test]
fn missing_nextest_is_an_error_with_a_remedy() {
    let sandbox = Sandbox::package();
    let cargo = std::path::Path::new(env!("CARGO")).parent().unwrap();
    let output = sandbox
        .command(crate::kit::PROGRAM)
        .args(["affected", "--collect"])
        .env("PATH", cargo)
        .env("HOME", sandbox.root.as_str())
        .env("CARGO_HOME", sandbox.root.join("home"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("cargo install cargo-nextest --locked"),
        "{said}"
    );
}

/// Waits until a program has written the id of a process, and a line end, to a file.
#[cfg(unix)]
fn process_in(path: &camino::Utf8Path, writer: &mut std::process::Child) -> i32 {
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some(id) = text.strip_suffix('\n') {
            return id.parse().unwrap();
        }
        let ended = writer.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before: {ended:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn interrupted_run_leaves_no_process_and_can_be_resumed() {
    use nix::sys::signal::{Signal, kill};
    if !nextest_for("interrupted_run_leaves_no_process_and_can_be_resumed") {
        return;
    }
    let sandbox = Sandbox::package();
    let pid = sandbox.root.join("target/pid");
    sandbox
        .write(
            "tests/it.rs",
            format!(
                "#[test]\nfn waits() {{\n    if std::path::Path::new({pid:?}).exists() {{ return }}\n    \
                 std::fs::write({pid:?}, format!(\"{{}}\\n\", std::process::id())).unwrap();\n    \
                 std::thread::sleep(std::time::Duration::from_secs(600));\n}}\n"
            ),
        )
        .git();
    let mut collecting = sandbox
        .command(crate::kit::PROGRAM)
        .args(["affected", "--collect", "--", "-j1"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let test = process_in(&pid, &mut collecting);
    kill(
        nix::unistd::Pid::from_raw(collecting.id().cast_signed()),
        Signal::SIGINT,
    )
    .unwrap();
    let mut said = String::new();
    let mut errors = collecting.stderr.take().unwrap();
    std::io::Read::read_to_string(&mut errors, &mut said).unwrap();
    assert_eq!(collecting.wait().unwrap().code(), Some(4), "{said}");
    assert!(said.contains("continues if no file changes"), "{said}");
    assert!(crate::exec::gone(test), "the test still runs: {said}");
    assert!(!sandbox.exists("target/cargo-poc/observed"));

    let run = sandbox.poc("affected --collect -- -j1");
    run.exits(0)
        .says("Observed 2 of 2 tests")
        .says("Kept 1 test from an interrupted run");
}
