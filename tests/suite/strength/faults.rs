//! Faults of cargo-mutants, with a program in its place, and interrupts.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{CHANGED, sandbox};
use crate::kit::{PROGRAM, Run, Sandbox, finish};

/// Runs `verify --strength` with a shell script as cargo-mutants.
fn with(sandbox: &Sandbox, script: &str) -> Run {
    with_more(sandbox, script, "")
}

fn with_more(sandbox: &Sandbox, script: &str, more: &str) -> Run {
    let line = format!("verify --strength{more}");
    let mut command = command(sandbox, script);
    command.args(more.split_whitespace());
    finish(command, &line)
}

fn command(sandbox: &Sandbox, script: &str) -> std::process::Command {
    let tool = sandbox.root.join("target/bin/cargo-mutants");
    sandbox.write("target/bin/cargo-mutants", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = sandbox.command(PROGRAM);
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(tool.parent().unwrap().as_std_path().to_owned());
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap();
    command.env("PATH", path).args(["verify", "--strength"]);
    command
}

/// One mutant, as cargo-mutants lists it.
fn listed(place: &str, replacement: &str) -> String {
    format!(
        r#"cat <<'END'
[{{"file": "base/src/lib.rs", "package": "base", "genre": "FnValue", "name": "base/src/lib.rs:21:5: replace larger -> u32 with 7",
  "replacement": "{replacement}", "span": {place}, "diff": "",
  "function": {{"function_name": "larger", "return_type": "-> u32", "span": {{"start": {{"line": 20, "column": 1}}, "end": {{"line": 22, "column": 2}}}}}}}}]
END"#
    )
}

const BODY: &str = r#"{"start": {"line": 21, "column": 5}, "end": {"line": 21, "column": 30}}"#;

#[test]
fn list_in_another_format_is_an_error() {
    let sandbox = sandbox(CHANGED);
    with(&sandbox, "echo '{\"mutants\": 3}'")
        .exits(4)
        .says("cargo-mutants printed a list in another format");
    with(&sandbox, "echo '['")
        .exits(4)
        .says("cargo-mutants printed a list in another format");
    let beyond = r#"{"start": {"line": 230, "column": 5}, "end": {"line": 230, "column": 30}}"#;
    with(&sandbox, &listed(beyond, "7"))
        .exits(4)
        .says("cargo-mutants named a place that");
}

#[test]
fn failure_of_the_tool_is_an_error() {
    let sandbox = sandbox(CHANGED);
    with(&sandbox, "echo 'no such option' >&2; exit 1")
        .exits(4)
        .says("cargo-mutants could not list the mutants (exit 1)")
        .says("no such option");
    with(&sandbox, "kill -9 $$")
        .exits(4)
        .says("cargo-mutants could not list the mutants (");
    for nothing in ["true", "echo '[]'"] {
        with(&sandbox, nothing)
            .exits(4)
            .says("the change touches no code that cargo-mutants can change");
    }
}

#[test]
fn mutants_come_from_the_list() {
    let sandbox = sandbox(CHANGED);
    with(&sandbox, &listed(BODY, "7"))
        .exits(0)
        .prints("1 of 1 mutant killed\n");
    with(&sandbox, &listed(BODY, "if a >= b { a } else { b }"))
        .exits(0)
        .prints("0 of 1 mutant killed\n")
        .prints("missed base/src/lib.rs:21:5 in larger: 1 test passed");
}

/// A wrapper of rustc that does something else for tests of `base` with the mutant 7.
fn wrapped(instead: &str) -> Sandbox {
    let sandbox = sandbox(CHANGED);
    sandbox
        .write(
            ".cargo/config.toml",
            "[build]\nrustc-wrapper = \".cargo/wrapper\"\n",
        )
        .write(
            ".cargo/wrapper",
            format!("#!/bin/sh\ncase \"$*\" in *\"--crate-name base \"*--test*) if grep -q '7 /\\* ~' base/src/lib.rs; then {instead}; fi;; esac\nexec \"$@\"\n"),
        );
    let wrapper = sandbox.root.join(".cargo/wrapper");
    std::fs::set_permissions(wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox
}

#[test]
fn build_that_fails_without_a_compile_error_is_an_error() {
    let second = listed(BODY, "8");
    let second = second.split_once('[').unwrap().1;
    let both = listed(BODY, "7").replace("]\nEND", &format!(", {second}"));
    for (instead, said) in [
        ("kill -9 $$", "signal: 9"),
        (
            "exec \"$@\" -C linker=/no/such/linker",
            "linker `/no/such/linker` not found",
        ),
    ] {
        let sandbox = wrapped(instead);
        for more in ["", " --separate-builds"] {
            with_more(&sandbox, &both, more)
                .exits(4)
                .hides("unviable")
                .says(said)
                .says("the build with the mutant at base/src/lib.rs:21:5 failed, but not by a compile error");
        }
    }
    let sandbox = wrapped("exec \"$@\" --cfg seven");
    sandbox.append(
        "base/src/lib.rs",
        "\n#[cfg(seven)]\ncompile_error!(\"seven\");\n",
    );
    with(&sandbox, &both)
        .exits(0)
        .prints("1 of 1 mutant killed, 1 unviable");
}

#[test]
fn mutant_of_a_constant_is_judged() {
    let code = "\npub const SUM: u32 = 1 + 2;\n\n#[test]\nfn sum() {\n    assert_eq!(SUM, 3);\n}\n";
    let sandbox = sandbox(code);
    let text = sandbox.read("base/src/lib.rs");
    let line = text.lines().position(|line| line.contains("SUM")).unwrap() + 1;
    let mutant = |sign: &str| {
        format!(
            r#"{{"file": "base/src/lib.rs", "package": "base", "genre": "BinaryOperator", "function": null, "diff": "",
  "name": "base/src/lib.rs:{line}:24: replace + with {sign}", "replacement": "{sign}",
  "span": {{"start": {{"line": {line}, "column": 24}}, "end": {{"line": {line}, "column": 25}}}}}}"#
        )
    };
    let list = format!("cat <<'END'\n[{}, {}]\nEND", mutant("*"), mutant("|"));
    with(&sandbox, &list)
        .exits(0)
        .prints("1 of 2 mutants killed")
        .prints(&format!(
            "missed base/src/lib.rs:{line}:24 in an item outside of functions: 1 test passed"
        ));
}

#[test]
fn changed_file_that_is_not_read_is_named() {
    let code = "\nmacro_rules! items {\n    ($($t:tt)*) => { $($t)* };\n}\nitems! { pub mod made; }\ninclude!(\"included.rs\");\n\n\
                #[cfg(test)]\nmod checks;\n";
    let function = |name: &str| format!("pub fn {name}() -> u8 {{\n    1\n}}\n");
    let sandbox = sandbox(&format!("{code}{CHANGED}"));
    sandbox
        .write("base/src/made.rs", function("made"))
        .write("base/src/included.rs", function("included"))
        .write("base/src/checks.rs", function("check"));
    let mutant = |sandbox: &Sandbox| {
        let text = sandbox.read("base/src/lib.rs");
        let line = text
            .lines()
            .position(|line| line.contains("if a > b"))
            .unwrap()
            + 1;
        // The function has the lines 20 to 22 in other tests.
        listed(BODY, "7")
            .replace("\"line\": 20", &format!("\"line\": {}", line - 1))
            .replace("\"line\": 21", &format!("\"line\": {line}"))
            .replace("\"line\": 22", &format!("\"line\": {}", line + 1))
    };
    let script = format!(
        "case \"$*\" in *--list-files*) echo '[{{\"package\": \"base\", \"path\": \"base/src/lib.rs\"}}]'; exit;; esac\n{}",
        mutant(&sandbox)
    );
    with(&sandbox, &script)
        .exits(0)
        .prints("1 of 1 mutant killed, no mutants of base/src/included.rs, base/src/made.rs, base/src/lib.rs:20\n");
}

#[test]
fn test_that_fails_without_a_mutant_later_detects_none() {
    let sandbox = sandbox(CHANGED);
    // It passes once.
    let flaky = "//! T.\n\n#[test]\nfn flaky() {\n    let mark = concat!(env!(\"CARGO_TARGET_TMPDIR\"), \"/ran\");\n    \
                 let ran = std::path::Path::new(mark).exists();\n    std::fs::write(mark, \"\").unwrap();\n    \
                 assert!(!ran && base::larger(1, 1) == 1);\n}\n";
    sandbox.write("base/tests/flaky.rs", flaky);
    // Both branches are equal for equal numbers, so no test detects this mutant.
    let equal = listed(BODY, "if a >= b { a } else { b }");
    for more in ["", " --separate-builds"] {
        with_more(&sandbox, &equal, more).exits(4).says(
            "fails without one as well, so the strength is not known: base::flaky flaky is flaky",
        );
        sandbox.remove("target/cargo-poc/strength/target/tmp/ran");
    }
}

/// Processes whose command line contains this text.
fn processes(text: &str) -> usize {
    let listed = std::process::Command::new("ps")
        .args(["-eo", "args="])
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    listed.lines().filter(|line| line.contains(text)).count()
}

#[test]
fn interrupt_leaves_no_process_and_the_next_run_is_right() {
    let code = CHANGED.replace(
        "assert_eq!(super::count(3), 3);",
        "if super::count(3) != 3 { std::thread::sleep(std::time::Duration::from_secs(90)) }",
    );
    let sandbox = sandbox(&code);
    let endless = listed(
        r#"{"start": {"line": 29, "column": 5}, "end": {"line": 29, "column": 6}}"#,
        "7",
    );
    let endless = endless
        .replace("\"line\": 22", "\"line\": 30")
        .replace("\"line\": 20", "\"line\": 24")
        .replace("larger", "count");
    let files = sandbox.files();
    for signal in ["INT", "KILL"] {
        let mut child = command(&sandbox, &endless)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let own = sandbox
            .root
            .join("target/cargo-poc/strength/target/debug/deps/base-");
        let begun = Instant::now();
        // The test waits as soon as the mutant runs; the tests without a mutant are short.
        let mut seen = 0;
        while seen < 5 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no test runs");
            std::thread::sleep(Duration::from_millis(100));
            seen = if processes(own.as_str()) > 0 {
                seen + 1
            } else {
                0
            };
        }
        let id = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
        assert!(sent.unwrap().success());
        child.wait().unwrap();
        let begun = Instant::now();
        while processes(own.as_str()) > 0 {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{signal}: a test is left"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(sandbox.files(), files, "{signal}");
    }
    with(&sandbox, &listed(BODY, "7"))
        .exits(0)
        .prints("1 of 1 mutant killed\n");
}
