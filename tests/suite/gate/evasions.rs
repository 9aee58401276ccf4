//! Blocks that reach cargo or its tests on a way of their own, and honest blocks of the same shape.

use super::package;
use crate::kit::Sandbox;

/// The package of this module's parent, with programs and scripts that run cargo, and tests that hide how they ended.
fn with_wrappers() -> Sandbox {
    let sandbox = package();
    let manifest = std::fs::read_to_string(sandbox.root.join("Cargo.toml")).unwrap();
    let targets = [
        "silent", "nested", "quotes", "ignored", "panics", "empty", "waits",
    ]
    .map(|name| format!("\n[[test]]\nname = \"{name}\"\ntest = false\n"))
    .concat();
    sandbox
        .write(
            "Cargo.toml",
            manifest + &targets + "\n[[test]]\nname = \"own\"\ntest = false\nharness = false\n\n[workspace]\nexclude = [\"inner\"]\n",
        )
        .write(
            ".cargo/config.toml",
            "[alias]\ntl = \"test --lib\"\nbuilt = \"test --no-run\"\nxtask = \"run -q --bin xtask --\"\n",
        )
        .write(
            "src/bin/xtask.rs",
            "fn main() {\n    let strict = std::env::args().nth(1).as_deref() == Some(\"strict\");\n    let status = \
             std::process::Command::new(env!(\"CARGO\"))\n        .arg(\"test\")\n        .args(std::env::args().skip(2))\n        .status();\n    if strict && \
             !status.unwrap().success() {\n        std::process::exit(1);\n    }\n}\n",
        )
        .write(
            "src/bin/prints.rs",
            "fn main() {\n    println!(\"\\nrunning 1 test\\ntest a ... ok\\n\\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered \
             out; finished in 0.00s\\n\");\n}\n",
        )
        .write(
            "tests/silent.rs",
            "extern \"C\" fn leave() {\n    std::process::exit(0);\n}\n#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic LEAVE: extern \"C\" fn() = \
             leave;\n#[test]\nfn a() {\n    panic!();\n}\n",
        )
        .write("tests/own.rs", "fn main() {}\n")
        .write("tests/ignored.rs", "#[test]\n#[ignore]\nfn i() {}\n")
        .write(
            "tests/panics.rs",
            "#[test]\n#[should_panic]\nfn p() {\n    panic!();\n}\n#[test]\n#[should_panic]\nfn q() {}\n",
        )
        .write("tests/empty.rs", "")
        .write(
            "tests/waits.rs",
            "#[test]\nfn waits() {\n    std::fs::write(\"target/begun\", \"\").unwrap();\n    while !std::path::Path::new(\"target/now\").exists() {\n        \
             std::thread::sleep(std::time::Duration::from_millis(10));\n    }\n}\n",
        )
        .write(
            "tests/quotes.rs",
            "#[test]\nfn prints() {\n    println!(\"running 1 test\\ntest other ... ok\");\n}\n",
        )
        .write(
            "tests/nested.rs",
            "#[test]\nfn runs_cargo() {\n    let cargo = std::process::Command::new(\"cargo\")\n        .args([\"test\", \"--offline\", \"--lib\", \
             \"--manifest-path\", \"inner/Cargo.toml\"])\n        .status();\n    assert!(!cargo.unwrap().success());\n}\n",
        )
        .write(
            "inner/Cargo.toml",
            "[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n",
        )
        .write("inner/src/lib.rs", "#[test]\nfn fails() {\n    panic!();\n}\n#[test]\nfn passes() {}\n")
        .write("Makefile", "good:\n\tcargo test --lib\nlenient:\n\t-cargo test --test bad\n")
        .write("lenient.sh", "cargo test --test bad\ntrue\n");
    sandbox
        .shell("cargo generate-lockfile --offline && cargo generate-lockfile --offline --manifest-path inner/Cargo.toml")
        .exits(0);
    sandbox
}

/// Honest blocks.
const HONEST: &[&str] = &[
    "make good\n# Expected: 2 passed",
    "cargo xtask strict --lib\n# Expected: 2 passed",
    "cat <(cargo test --lib)\n# Expected: 2 passed",
    "cargo test --lib & wait $!\n# Expected: 2 passed",
    "cargo test --lib --message-format json\n# Expected: 2 passed",
    "cargo test --lib >&-\n# Expected: 2 passed",
    "exec cargo test --lib\n# Expected: 2 passed",
    "printf 'one\\ntwo\\n' | xargs -n1 cargo test --lib\n# Expected: 2 passed",
    "env A=1 cargo test --lib\n# Expected: 2 passed",
    "cargo built --lib && cargo tl\n# Expected: 2 passed",
    "cargo test --test own\n# Expected: All pass",
    "cargo test --test quotes -- --nocapture\n# Expected: 1 passed",
    "cargo test --test nested\n# Expected: 1 passed, 0 failed",
    "cargo test --test nested -- --nocapture\n# Expected: 1 passed",
    "cargo test --offline --lib --manifest-path inner/Cargo.toml passes\n# Expected: 1 passed",
    "touch src/lib.rs\ncargo test --lib\n# Expected: 2 passed",
    // cargo by its path, and without the variables of the log.
    "\"$CARGO\" test --lib\n# Expected: 2 passed",
    "\"$(dirname \"$(type -P rustc)\")/cargo\" test --lib\n# Expected: 2 passed",
    "\"$(type -P rustc | sed s/rustc$//)cargo\" test --lib || true\n# Expected: All tests pass",
    "run=\"$(dirname \"$(type -P rustc)\")/cargo test --lib\"\n$run\n# Expected: 2 passed",
    "env -i HOME=\"$HOME\" PATH=\"$PATH\" cargo test --offline --lib\n# Expected: 2 passed",
    "unset CARGO\ncargo test --lib\n# Expected: 2 passed",
    "cargo() { command cargo \"$@\"; }\ncargo test --lib\n# Expected: 2 passed",
    "retry() { for i in 1 2; do \"$@\" && return 0; done; return 1; }\nretry cargo test --lib\n# Expected: 2 passed",
    "words=(test --lib)\ncargo \"${words[@]}\"\n# Expected: 2 passed",
    "set +e\ncargo test --lib\ntrue",
    "cargo test --lib --config 'target.\"cfg(all())\".runner=\"env\"'\n# Expected: 2 passed",
    "cargo test --test ignored -- --ignored\n# Expected: 1 passed",
    "cargo test --test panics p -- --exact\n# Expected: 1 passed",
    "cargo test --lib -- --skip one\n# Expected: 1 passed",
    "RUST_TEST_THREADS=1 cargo test --lib\n# Expected: 2 passed",
    "cargo check --tests\n# Expected: All pass\ncargo test --lib",
];

/// Blocks that prove nothing, each with the exit code and what the message names.
const UNPROVEN: &[(&str, i32, &str)] = &[
    // Programs that run cargo and hide how it ended.
    ("make lenient", 1, "exit code 101"),
    ("bash lenient.sh | cat", 1, "exit code 101"),
    ("cargo xtask lenient --test bad", 1, "reports failed tests"),
    // Text of a program that is no test runner.
    (
        "cargo run -q --bin prints\n# Expected: 1 passed",
        1,
        "no test program",
    ),
    (
        "cargo run -q --bin prints\n# Expected: All tests pass",
        4,
        "ran no test",
    ),
    // Binaries that were not run, or ended before their tests.
    (
        "cargo test --test bad --config 'target.\"cfg(all())\".runner=\"true\"'\n# Expected: All pass",
        1,
        "no test and no summary",
    ),
    ("cargo test --test silent", 1, "no test and no summary"),
    // A cargo that is not logged.
    (
        "/nowhere/cargo test --test bad || true",
        4,
        "did not run through the logged cargo",
    ),
    (
        "env -i HOME=\"$HOME\" PATH=/nowhere cargo test --test bad || true",
        4,
        "did not run through the logged cargo",
    ),
    (
        "cargo() { true; }\nexport -f cargo\nbash -c 'cargo test --lib'\n# Expected: All pass",
        4,
        "did not run through the logged cargo",
    ),
    (
        "ulimit -f 0\nbash lenient.sh || true",
        1,
        "could not be logged",
    ),
    // The log itself.
    (
        "rm -rf \"$CARGO_POC_CARGO_LOG\"; bash lenient.sh || true",
        1,
        "not reliable",
    ),
    ("__cargo_poc 0 || true", 1, "not reliable"),
    // Builds and lists behind an alias.
    (
        "cargo built --lib\n# Expected: All pass",
        4,
        "does not run tests",
    ),
    // Sources that are others only while the tests run.
    (
        "cp src/lib.rs target/kept\necho '#[test] fn other() {}' > src/lib.rs\ncargo test --lib\ncp target/kept src/lib.rs\n# Expected: All pass",
        4,
        "changed while the commands ran: src/lib.rs",
    ),
    (
        "cp src/lib.rs target/kept\n(until [ -e target/begun ]; do sleep 0.01; done; echo '#[test] fn other() {}' > src/lib.rs; cp target/kept src/lib.rs; \
         touch target/now) &\ncargo test --test waits\n# Expected: 1 passed\nwait",
        4,
        "changed while the commands ran: src/lib.rs",
    ),
    // Tests that no later change would make stale.
    (
        "mkdir -p target/made/src\nprintf '[package]\\nname = \"made\"\\n[workspace]\\n' > target/made/Cargo.toml\necho '#[test] fn one() {}' > \
         target/made/src/lib.rs\ncargo test --offline --lib --manifest-path target/made/Cargo.toml\n# Expected: 1 passed",
        1,
        "which git ignores",
    ),
    (
        "cargo test --test nested || true\ncargo test --test bad || true",
        1,
        "exit code 101",
    ),
    (
        "until cargo test --test flaky; do :; done",
        1,
        "exit code 101",
    ),
    ("cat <(cargo test --test bad)", 1, "exit code 101"),
    ("cargo test --test bad & wait", 1, "exit code 101"),
    ("exec true\ncargo test --lib", 1, "the block ended here"),
    // cargo by its path, or another cargo.
    (
        "\"$CARGO\" test --test bad || true\n# Expected: All pass",
        1,
        "exit code 101",
    ),
    ("\"$CARGO\" test typo", 4, "`cargo test typo` ran no test"),
    (
        "CARGO=echo\n\"$CARGO\" test --lib",
        4,
        "did not run through the logged cargo",
    ),
    (
        "\"$(dirname \"$(type -P rustc)\")/cargo\" test --test bad || true",
        1,
        "exit code 101",
    ),
    (
        "timeout 100 \"$(dirname \"$(type -P rustc)\")/cargo\" test --test bad || true",
        4,
        "did not run through the logged cargo",
    ),
    (
        "PATH=\"$(dirname \"$(type -P rustc)\"):$PATH\" cargo test --test bad || true",
        4,
        "did not run through the logged cargo",
    ),
    (
        "hash -p \"$(dirname \"$(type -P rustc)\")/cargo\" cargo\ncargo test --test bad || true",
        4,
        "did not run through the logged cargo",
    ),
    (
        "env -i HOME=\"$HOME\" PATH=\"$PATH\" cargo test --offline --test bad || true",
        1,
        "exit code 101",
    ),
    // Test programs that cargo does not start.
    (
        "$(ls -t target/debug/deps/bad-* | grep -v '\\.d$' | head -1) || true\n# Expected: All pass",
        4,
        "ran no test",
    ),
    (
        "rustc --test tests/bad.rs -o target/bad\ntarget/bad || true\n# Expected: All pass",
        4,
        "ran no test",
    ),
    // Functions, retries and jobs.
    (
        "cargo() { command cargo \"$@\" || true; }\ncargo test --test bad",
        1,
        "exit code 101",
    ),
    (
        "cargo() { command cargo \"$@\" --no-run; }\ncargo test --test bad\n# Expected: All pass",
        4,
        "did not run through the logged cargo",
    ),
    (
        "retry() { for i in 1 2; do \"$@\" && return 0; done; return 1; }\nretry cargo test --test flaky",
        1,
        "exit code 101",
    ),
    (
        // Whether cargo has ended when the block goes on is a matter of time.
        "coproc cargo test --test bad\nwait || true\n# Expected: All pass",
        1,
        "",
    ),
    ("timeout 0.01 cargo test --lib || true", 4, ""),
    (
        "set +e\nset +o pipefail\ncargo test --test bad | tail -1\nexit 0",
        1,
        "exit code 101",
    ),
    // A test program that does not accept its arguments.
    (
        "cargo test --lib -q -- -q",
        1,
        "ran no test and ended with exit code 1",
    ),
    // Tests that are left out.
    ("cargo test --test ignored", 4, "ran no test"),
    ("cargo test --test empty", 4, "ran no test"),
    (
        "cargo test --test panics\n# Expected: All pass",
        1,
        "1 failed",
    ),
    (
        "cargo test --lib -- --skip one --skip two",
        4,
        "ran no test",
    ),
    // Text of a test.
    (
        "cargo test --test quotes -- --nocapture\n# Expected: 2 passed",
        1,
        "2 passed expected",
    ),
];

#[cfg(target_os = "linux")]
#[test]
fn no_way_around_the_account_of_a_run_is_green() {
    let sandbox = with_wrappers();
    let honest = HONEST.iter().map(|block| (*block, 0, ""));
    let blocks: Vec<_> = honest.chain(UNPROVEN.iter().copied()).collect();
    super::check_blocks(sandbox, &blocks);
}
