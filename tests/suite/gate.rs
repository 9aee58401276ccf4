//! Blocks that try to pass without proof, and honest blocks of the same shape: the exit code of each.

use cargo_poc::internals::evidence::Outcome;

use crate::kit::Sandbox;

mod evasions;

/// A package whose test targets each behave in one way. Only those of the library run by default.
fn package() -> Sandbox {
    let sandbox = Sandbox::empty();
    let targets = ["bad", "exits", "forges", "ghost", "flaky", "noisy", "ugly"];
    let targets: Vec<String> = targets
        .iter()
        .map(|name| format!("\n[[test]]\nname = \"{name}\"\ntest = false\n"))
        .collect();
    let targets = targets.concat();
    sandbox
        .write(
            "Cargo.toml",
            format!(
                "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\nautotests = false\n\n[lib]\ndoctest = \
                 false\n\n[profile.dev]\ndebug = 0\n{targets}"
            ),
        )
        .write(".cargo/config.toml", "[alias]\ntl = \"test --lib\"\n")
        .write(
            "src/lib.rs",
            "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n    #[test]\n    fn two() {}\n}\n",
        )
        .write(
            "tests/bad.rs",
            "#[test]\nfn good() {}\n#[test]\nfn wrong() {\n    panic!();\n}\n",
        )
        .write(
            "tests/exits.rs",
            "#[test]\nfn a() {}\n#[test]\nfn z() {\n    std::process::exit(0);\n}\n",
        )
        .write(
            "tests/forges.rs",
            "use std::io::Write;\n#[test]\nfn a() {}\n#[test]\nfn z() {\n    std::thread::sleep(std::time::Duration::from_millis(300));\n    let mut out = \
             std::fs::OpenOptions::new().write(true).open(\"/dev/stdout\").unwrap();\n    out.write_all(b\"\\ntest result: ok. 2 passed; 0 failed; 0 \
             ignored; 0 measured; 0 filtered out; finished in 0.01s\\n\\n\").unwrap();\n    std::process::exit(0);\n}\n",
        )
        .write(
            "tests/ghost.rs",
            "#[test]\nfn reads_a_log() {\n    let child = std::process::Command::new(\"printf\").arg(\"test net::dial ... FAILED\\\\n\").status();\n    \
             assert!(child.unwrap().success());\n}\n",
        )
        .write(
            "tests/flaky.rs",
            "#[test]\nfn second_time() {\n    let seen = std::path::Path::new(\"target/seen\");\n    let again = seen.exists();\n    if again {\n        \
             std::fs::remove_file(seen).unwrap();\n    } else {\n        std::fs::write(seen, \"\").unwrap();\n    }\n    assert!(again);\n}\n",
        )
        .write(
            "tests/ugly.rs",
            "#[test]\nfn fails() {\n    println!(\"::add-mask::x\\n##vso[task.complete]\\n\\u{fffe}\\u{ffff}\\u{1}\\u{85}\");\n    panic!();\n}\n",
        )
        .write(
            "tests/noisy.rs",
            "#[test]\nfn prints() {\n    println!(\"test result: FAILED. 0 passed; 9 failed; 0 ignored; 0 measured; 0 filtered out\");\n    let child = \
             std::process::Command::new(\"printf\").arg(\"no line end\").status();\n    assert!(child.unwrap().success());\n}\n",
        );
    sandbox.lock_with_cargo();
    sandbox
}

/// Honest blocks.
const HONEST: &[&str] = &[
    "cargo test --lib\n# Expected: All pass",
    "cargo test --lib\n# Expected: 2 passed",
    "cargo test --lib 2>&1 | tail -3\n# Expected: 2 passed",
    "cargo test --lib | head -1\n# Expected: 2 passed",
    "cargo test --lib 2>&1 | grep 'test result'\n# Expected: All tests pass",
    "cargo test --lib > target/log.txt\n# Expected: 2 passed",
    "cargo test --lib > target/log.txt 2>&1\n# Expected: 2 passed",
    "cargo test --lib >/dev/null 2>&1 || true\n# Expected: All tests pass",
    "cargo test --lib 2>/dev/null\n# Expected: 2 passed",
    "cargo test --lib -q\n# Expected: 2 passed",
    "cargo test --lib -- -q\n# Expected: 2 passed",
    "cargo test --lib -v\n# Expected: 2 passed",
    "cargo test --lib -- --nocapture\n# Expected: 2 passed",
    "CARGO_TERM_COLOR=always cargo test --lib\n# Expected: 2 passed",
    "CARGO_TERM_QUIET=true cargo test --lib\n# Expected: 2 passed",
    "cargo t --lib\n# Expected: 2 passed",
    "cargo tl\n# Expected: 2 passed",
    "cargo test --no-run\ncargo test --lib\n# Expected: All tests pass",
    "check() {\n  cargo test --lib\n}\ncheck\n# Expected: 2 passed",
    "timeout 300 cargo test --lib\n# Expected: 2 passed",
    "if cargo test --lib; then echo fine; fi\n# Expected: 2 passed",
    "trap 'echo bye' EXIT\ncargo test --lib",
    "(cd src && cargo test --lib)\n# Expected: 2 passed",
    "out=$(cargo test --lib 2>&1)\ngrep -q '2 passed' <<<\"$out\"",
    "bash -c 'cargo test --lib'\n# Expected: 2 passed",
    "for n in 1 2; do cargo test --lib; done\n# Expected: 4 passed",
    "cargo test --lib one && cargo test --lib two\n# Expected: 2 passed",
    "cargo test --lib\n# Expected: all pass, 3 times",
    "cargo test --lib\n# Expected: 2 passed, in 2 runs",
    "cargo test --test bad\n# Expected: 1 failed",
    "cargo test --test bad\n# Expected: 1 passed, 1 failed",
    "cargo test --test bad\n# Expected: exit code 101",
    "cargo test --test bad good\n# Expected: 1 passed",
    "cargo test --test ghost\n# Expected: 1 passed, 0 failed",
    "cargo test --test noisy -- --nocapture\n# Expected: 1 passed",
    "echo '3 passed'\n# Expected: \"3 passed\"",
    "cargo check --tests\n# Expected: exit code 0\ncargo test --lib",
];

/// Blocks that prove nothing, each with the exit code and what the message names.
const UNPROVEN: &[(&str, i32, &str)] = &[
    // Text that only looks like a run.
    (
        "echo '3 passed'\n# Expected: 3 passed",
        1,
        "no test program",
    ),
    (
        "printf 'running 1 test\\ntest a ... ok\\n\\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\\n'\n# Expected: 1 passed",
        1,
        "no test program",
    ),
    ("echo fine\n# Expected: All tests pass", 4, "ran no test"),
    (
        "cargo build --tests\n# Expected: All tests pass",
        4,
        "ran no test",
    ),
    ("cargo check\n# Expected: 2 passed", 1, "no test program"),
    // No test matches.
    (
        "cargo test typo\n# Expected: All pass",
        4,
        "`cargo test typo` ran no test",
    ),
    ("cargo test typo", 4, "`cargo test typo` ran no test"),
    (
        "cargo test typo 2>&1 | grep 'test result'\n# Expected: All pass",
        4,
        "`cargo test typo`",
    ),
    (
        "cargo test typo | tail -1\n# Expected: All pass",
        4,
        "`cargo test typo`",
    ),
    (
        "cargo test typo > target/log.txt\n# Expected: All pass",
        4,
        "`cargo test typo`",
    ),
    (
        "cargo test typo > target/log.txt 2>&1\n# Expected: All pass",
        4,
        "`cargo test typo`",
    ),
    (
        "cargo test typo >/dev/null 2>&1 || true",
        4,
        "`cargo test typo`",
    ),
    (
        "cargo test -q typo\n# Expected: All pass",
        4,
        "`cargo test -q typo`",
    ),
    ("cargo tl typo\n# Expected: All pass", 4, "`cargo tl typo`"),
    ("command cargo test typo", 4, "`cargo test typo`"),
    ("eval 'cargo test typo'", 4, "`cargo test typo`"),
    ("echo typo | xargs cargo test", 4, "`cargo test typo`"),
    ("bash -c 'cargo test typo'", 4, "`cargo test typo`"),
    ("cargo test --lib -- --ignored", 4, "--ignored` ran no test"),
    ("cargo test --lib on -- --exact", 4, "--exact` ran no test"),
    (
        "cargo test --lib one\ncargo test --lib typo\ncargo test --lib two",
        4,
        "`cargo test --lib typo` ran no test",
    ),
    (
        "cargo test --lib && cargo test typo\n# Expected: 2 passed",
        4,
        "`cargo test typo`",
    ),
    // Builds and lists.
    (
        "cargo test --no-run\n# Expected: All pass",
        4,
        "does not run tests",
    ),
    ("cargo test --no-run", 4, ""),
    (
        "cargo test -- --list\n# Expected: All pass",
        4,
        "does not run tests",
    ),
    (
        "cargo tl -- --list\n# Expected: All tests pass",
        4,
        "does not run tests",
    ),
    (
        "cargo test --help\n# Expected: All pass",
        4,
        "does not run tests",
    ),
    // Jobs in the background.
    ("cargo test --lib &\n# Expected: All tests pass", 4, ""),
    // The block ends while the tests still run.
    (
        "(sleep 1; cargo test --lib) &\n# Expected: All tests pass",
        4,
        "",
    ),
    // A cargo that is none.
    (
        "cargo() { echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'; }\ncargo test\n# Expected: All pass",
        4,
        "did not run through the logged cargo",
    ),
    (
        "shopt -s expand_aliases\nalias cargo='echo 3 passed;:'\ncargo test\n# Expected: All pass",
        4,
        "did not run through the logged cargo",
    ),
    (
        "mkdir -p target/fake\nprintf '#!/bin/sh\\necho 3 passed\\n' > target/fake/cargo\nchmod +x target/fake/cargo\nPATH=\"target/fake:$PATH\" cargo test\n# Expected: All pass",
        4,
        "did not run through the logged cargo",
    ),
    // Exit statuses that are hidden.
    (
        "cargo test --test bad || true\n# Expected: All pass",
        1,
        "1 failed",
    ),
    (
        "cargo test --test bad >/dev/null 2>&1 || true",
        1,
        "exit code 101",
    ),
    ("cargo test --test bad; true", 1, ""),
    (
        "set +o pipefail\ncargo test --test bad 2>&1 | cat",
        1,
        "exit code 101",
    ),
    (
        "if cargo test --test bad; then echo fine; fi",
        1,
        "exit code 101",
    ),
    ("! cargo test --test bad", 1, "exit code 101"),
    (
        "out=$(cargo test --test bad 2>&1) || true\ngrep -q 'test result' <<<\"$out\"",
        1,
        "exit code 101",
    ),
    (
        "bash -c 'cargo test --test bad; exit 0'",
        1,
        "exit code 101",
    ),
    (
        "bash <<'END'\ncargo test --test bad\nexit 0\nEND",
        1,
        "exit code 101",
    ),
    (
        "echo 'cargo test --test bad || :' > target/s.sh\nbash target/s.sh\n# Expected: All pass",
        1,
        "1 failed",
    ),
    (
        "cargo test --test flaky || cargo test --test flaky\n# Expected: All pass",
        1,
        "exit code 101",
    ),
    (
        "cargo test --test flaky\n# Expected: all pass, 2 times",
        1,
        "passed 1 of 2 runs",
    ),
    ("trap 'exit 3' EXIT\ntrue", 1, "bash ended with exit 3"),
    (
        "trap 'cargo test --test bad || true' EXIT\ntrue",
        1,
        "exit code 101",
    ),
    ("trap 'exit 0' ERR\ncargo test --test bad", 1, ""),
    // Summaries that are missing or forged.
    (
        "cargo test --test exits\n# Expected: All pass",
        1,
        "without a summary",
    ),
    (
        "cargo test --test forges\n# Expected: All pass",
        1,
        "the summary counts 2 passed",
    ),
    (
        "cargo test --test forges 2>&1 | tail -3\n# Expected: 2 passed",
        1,
        "the summary counts 2 passed",
    ),
    // Expected failures that do not come.
    (
        "cargo test --test bad\n# Expected: 2 failed",
        1,
        "2 failed expected, but 1 failed",
    ),
    (
        "cargo test --lib\n# Expected: 1 failed",
        1,
        "1 failed expected, but 0 failed",
    ),
    (
        "cargo test --lib\n# Expected: exit code 101",
        1,
        "exit code 101 expected",
    ),
    (
        "cargo test --lib\n# Expected: 3 passed",
        1,
        "3 passed expected, but 2 passed",
    ),
    ("exit 0\ncargo test --lib", 1, "the block ended here"),
];

/// The package with a PoC whose steps have these blocks, numbered from 0.
fn with_blocks<'b>(blocks: impl IntoIterator<Item = &'b str>) -> Sandbox {
    planned(package(), blocks)
}

/// `sandbox` with a PoC whose steps have these blocks, numbered from 0.
fn planned<'b>(sandbox: Sandbox, blocks: impl IntoIterator<Item = &'b str>) -> Sandbox {
    let steps: Vec<String> = blocks
        .into_iter()
        .enumerate()
        .map(|(id, block)| {
            format!(
                "### Step {id}: Do it\n\n**Goal**: g\n\n**Verification**:\n```bash\n{block}\n```\n\n"
            )
        })
        .collect();
    let steps = steps.concat();
    sandbox
        .write(
            "docs/gate-plan.md",
            format!(
                "# Gate Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `main` |\n\n## Implementation \
                 Steps\n\n{steps}"
            ),
        )
        .write(
            "docs/gate-results.md",
            "# Gate Results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | Pending |\n",
        );
    sandbox.git();
    sandbox
}

/// Runs each block as a step, and compares the exit code and the message.
fn check_blocks(sandbox: Sandbox, blocks: &[(&str, i32, &str)]) {
    let sandbox = planned(sandbox, blocks.iter().map(|(block, ..)| *block));
    sandbox
        .shell("cargo test --offline --no-run --lib --test bad --test exits --test forges --test ghost --test flaky --test noisy")
        .exits(0);
    let mut wrong = Vec::new();
    for (id, (block, code, message)) in blocks.iter().enumerate() {
        let run = sandbox.poc(&format!("verify gate --step {id} --no-record"));
        if run.code != *code || !run.stderr.contains(message) {
            wrong.push(format!(
                "{block}\n=> {} in place of {code}, {message:?}\n{}\n",
                run.code, run.stderr
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        blocks.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_block_has_its_expected_outcome() {
    let honest = HONEST.iter().map(|block| (*block, 0, ""));
    let blocks: Vec<_> = honest.chain(UNPROVEN.iter().copied()).collect();
    check_blocks(package(), &blocks);
}

#[test]
fn flaky_command_is_reported_and_every_run_is_counted() {
    let nextest = "    Starting 2 tests across 1 binary\\n  TRY 1 FAIL [   0.004s] app t::a\\n  TRY 2 PASS [   0.004s] app t::a\\n        PASS [   \
                   0.004s] app t::b\\n------------\\n     Summary [   0.010s] 2 tests run: 2 passed (1 flaky), 0 skipped\\n   FLAKY 2/3 [   0.004s] \
                   app t::a\\n";
    let bin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/bin");
    let retried = format!("PATH=\"$PATH:{bin}\" cargo tarpaulin '{nextest}'\n# Expected: All pass");
    let sandbox = with_blocks([
        retried.as_str(),
        "cargo test --test flaky\n# Expected: all pass, 4 times",
        "cargo test --lib\n# Expected: all pass, 3 times",
        "cargo test --test bad\n# Expected: 1 failed",
    ]);
    sandbox
        .poc("verify gate --step 0")
        .exits(1)
        .prints("flaky")
        .says("app t::a");
    sandbox.poc("verify gate --step 1").exits(1).prints("flaky");
    sandbox.poc("verify gate --step 2").exits(0);
    let evidence = cargo_poc::internals::evidence::read(&sandbox.read("docs/gate-results.md"));
    let records = evidence.records.iter().map(|one| &one.record);
    let runs: Vec<_> = records
        .map(|record| {
            let runs = record.checks[0].runs;
            (record.outcome, runs.map(|runs| (runs.passed, runs.total)))
        })
        .collect();
    assert_eq!(
        runs,
        [
            (Outcome::Flaky, None),
            (Outcome::Flaky, Some((2, 4))),
            (Outcome::Passed, Some((3, 3))),
        ]
    );
    // A test that is written before its code is a proven step, and its state says that the failure is expected.
    sandbox
        .poc("verify gate --step 3")
        .exits(0)
        .says("failed as the plan expects: 1 passed, 1 failed");
    let status = sandbox.poc("status gate --format json").json();
    let step = &status["pocs"][0]["steps"][3];
    assert_eq!(step["state"], "proven", "{step}");
    sandbox
        .poc("status gate")
        .prints("1 failed, as the plan expects");
}

#[test]
fn output_of_a_test_cannot_become_a_test_a_command_or_markup() {
    let sandbox = with_blocks(["cargo test --test ghost", "cargo test --test ugly"]);
    let run = |step: u32| {
        let mut command = sandbox.command(crate::kit::PROGRAM);
        let line =
            format!("verify gate --step {step} --no-record --format github --report junit=j.xml");
        command.args(line.split(' ')).env("CI", "true");
        crate::kit::finish(command, &line)
    };
    run(0).exits(0).hides("::error");
    let junit = sandbox.read("j.xml");
    assert!(
        junit.contains("failures=\"0\"") && !junit.contains("net::dial"),
        "{junit}"
    );
    let ugly = run(1);
    ugly.exits(1).hides("##vso[");
    let lines = || ugly.stdout.lines().chain(ugly.stderr.lines());
    assert!(
        !lines().any(|line| line.trim_start().starts_with("::add-mask")),
        "{ugly}"
    );
    assert!(
        lines().any(|line| line.contains(": :add-mask::x")),
        "{ugly}"
    );
    let forbidden = ['\u{fffe}', '\u{ffff}', '\u{1}', '\u{85}'];
    let junit = sandbox.read("j.xml");
    assert!(
        junit.contains("add-mask") && !junit.contains(forbidden),
        "{junit}"
    );
}

#[test]
fn colours_do_not_change_which_tests_run() {
    let sandbox = Sandbox::package();
    sandbox.write(
        "src/lib.rs",
        "pub fn a() -> u8 {\n    1\n}\npub fn b() -> u8 {\n    2\n}\n#[test]\nfn of_a() {\n    assert!(a() > 0);\n}\n#[test]\nfn of_b() {\n    \
         assert!(b() > 0);\n}\n",
    );
    sandbox.write("tests/it.rs", "#[test]\nfn alone() {}\n");
    sandbox.git();
    sandbox.edit("src/lib.rs", "    1\n", "    3\n");
    for color in ["never", "always"] {
        sandbox
            .poc(&format!("verify --color {color} --runner cargo"))
            .exits(0)
            .hides("could not be listed")
            .hides("of_b");
    }
}
