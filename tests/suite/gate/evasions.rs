//! Blocks that reach cargo or its tests on a way of their own, and honest blocks of the same shape.

use super::package;
use crate::kit::Sandbox;

/// The package of this module's parent, with programs and scripts that run cargo, and tests that hide how they ended.
fn with_wrappers() -> Sandbox {
    let sandbox = package();
    let manifest = std::fs::read_to_string(sandbox.root.join("Cargo.toml")).unwrap();
    let targets = ["silent", "nested", "quotes"]
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
        "\"$(type -P rustc | sed s/rustc$//)cargo\" test --lib || true\n# Expected: All tests pass",
        4,
        "",
    ),
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
];

#[cfg(target_os = "linux")]
#[test]
fn no_way_around_the_account_of_a_run_is_green() {
    let sandbox = with_wrappers();
    let honest = HONEST.iter().map(|block| (*block, 0, ""));
    let blocks: Vec<_> = honest.chain(UNPROVEN.iter().copied()).collect();
    super::check_blocks(sandbox, &blocks);
}
