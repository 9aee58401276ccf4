//! Running a selection: the tests that a change can affect and no others, whatever runs them.

use crate::kit::{Run, Sandbox};

/// `store` has two functions, each with a unit test; `made` is a test that a build script writes, which is in no source.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace("store; free");
    sandbox.write(
        "store/src/lib.rs",
        "pub fn one() -> u32 {\n    1\n}\npub fn two() -> u32 {\n    2\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn \
         of_one() {\n        assert_eq!(super::one(), 1);\n    }\n    #[test]\n    fn of_two() {\n        \
         assert_eq!(super::two(), 2);\n    }\n}\n",
    );
    sandbox.write(
        "store/tests/it.rs",
        "#[test]\nfn outside() {\n    assert_eq!(store::two(), 2);\n}\n",
    );
    sandbox.git();
    sandbox
}

fn verify(sandbox: &Sandbox, runner: &str, more: &str) -> Run {
    sandbox.poc(&format!("verify --no-record --runner {runner}{more}"))
}

fn runners(sandbox: &Sandbox) -> Vec<&'static str> {
    let installed = sandbox.shell("cargo nextest --version").code == 0;
    assert!(
        installed || std::env::var_os("CI").is_none(),
        "CI must have cargo-nextest"
    );
    if installed {
        vec!["cargo", "nextest"]
    } else {
        eprintln!("left out: cargo-nextest is not installed");
        vec!["cargo"]
    }
}

#[test]
fn only_affected_tests_run() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    2 - 1\n");
    for runner in runners(&sandbox) {
        let run = verify(&sandbox, runner, "");
        run.exits(0);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(
            shown.contains("1 of 6 tests, in 1 of 6 test targets"),
            "{run}"
        );
        assert!(shown.contains("tests::of_one"), "{run}");
        assert!(
            !shown.contains("of_two") && !shown.contains("outside"),
            "{run}"
        );
        assert!(shown.contains("passed, 1 passed"), "{run}");
    }
}

#[test]
fn failure_among_affected_tests_fails_the_run() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    2\n", "    3\n");
    for runner in runners(&sandbox) {
        let run = verify(&sandbox, runner, "");
        run.exits(1);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(shown.contains("failed, 0 passed, 2 failed"), "{run}");
        assert!(!shown.contains("of_one"), "{run}");
    }
}

#[test]
fn every_test_runs_after_a_failed_command_except_with_fail_fast() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    2\n", "    3\n");
    let run = verify(&sandbox, "cargo", "");
    run.exits(1).prints("failed, 0 passed, 2 failed");
    let run = verify(&sandbox, "cargo", " --fail-fast");
    run.exits(1)
        .prints("failed, 0 passed, 1 failed")
        .says("not run: cargo test");
}

#[test]
fn test_that_is_in_no_source_runs() {
    let sandbox = workspace();
    sandbox.write(
        "store/build.rs",
        "fn main() {\n    let folder = std::env::var(\"OUT_DIR\").unwrap();\n    std::fs::write(format!(\"{folder}/made.rs\"), \
         \"#[test]\\nfn made() {}\\n\").unwrap();\n}\n",
    );
    sandbox.append(
        "store/src/lib.rs",
        "#[cfg(test)]\nmod generated {\n    include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n}\n",
    );
    sandbox.commit("a test made by the build script");
    sandbox.edit("store/src/lib.rs", "    1\n", "    2 - 1\n");
    for runner in runners(&sandbox) {
        let run = verify(&sandbox, runner, "");
        run.exits(0);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(shown.contains("generated::made"), "{run}");
        assert!(shown.contains("tests::of_one"), "{run}");
        // The command names the tests that it leaves out.
        let mut ran = shown.lines().filter(|line| !line.contains("Verifying"));
        assert!(!ran.any(|line| line.contains("of_two")), "{run}");
    }
}

#[test]
fn filters_and_options_of_the_user_narrow_the_selection() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    2\n", "    1 + 1\n");
    let run = verify(&sandbox, "cargo", " -- --nocapture of_");
    run.exits(0);
    let shown = format!("{}{}", run.stdout, run.stderr);
    assert!(shown.contains("tests::of_two"), "{run}");
    assert!(
        !shown.contains("of_one") && !shown.contains("test outside"),
        "{run}"
    );
}

#[test]
fn change_that_affects_no_test_must_compile() {
    let sandbox = workspace();
    sandbox.append("store/src/lib.rs", "pub fn three() -> u32 {\n    3\n}\n");
    verify(&sandbox, "cargo", "")
        .exits(0)
        .says("the change affects no test");
    sandbox.edit("store/src/lib.rs", "    3\n", "    \"three\"\n");
    verify(&sandbox, "cargo", "")
        .exits(1)
        .prints("mismatched types")
        .says("a package does not compile");
}

/// rustc gives up on it; to select has an end, too.
#[test]
fn infinite_macro_expansion_is_stopped() {
    let sandbox = workspace();
    sandbox.append(
        "store/src/lib.rs",
        "macro_rules! grow {\n    ($($more:tt)*) => {\n        grow!($($more)* a);\n        grow!($($more)* b);\n    };\n}\ngrow!();\n",
    );
    sandbox
        .poc("affected --format names")
        .exits(0)
        .prints("store\tstore\t*");
}

#[test]
fn item_cache_is_reused_and_damaged_entries_are_parsed_again() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    2 - 1\n");
    let names = |more: &str| {
        let run = sandbox.poc(&format!("affected --format names{more}"));
        run.exits(0);
        run.stdout.clone()
    };
    let expected = "store\tstore\ttests::of_one\n";
    assert_eq!(names(" --no-cache"), expected);
    let cache = "target/cargo-poc/items";
    assert!(!sandbox.exists(cache));
    assert_eq!(names(""), expected);
    let whole = std::fs::read(sandbox.root.join(cache)).unwrap();
    assert_eq!(names(""), expected);
    for length in [0, whole.len() / 2, whole.len() - 1] {
        sandbox.write(cache, &whole[..length]);
        assert_eq!(names(""), expected, "cut to {length} bytes");
    }
    // One bit in every hundredth byte: the damaged entry is parsed again.
    for at in (0..whole.len()).step_by(100) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        sandbox.write(cache, &damaged);
        assert_eq!(names(""), expected, "byte {at}");
    }
}

/// What a run without anything kept selects, and with what the run before kept.
fn both_ways(sandbox: &Sandbox, more: &str) -> [String; 2] {
    ["", " --no-cache"].map(|cache| {
        let run = sandbox.poc(&format!("affected --format json{more}{cache}"));
        run.exits(0);
        let lines = run.stdout.lines();
        let timeless: Vec<&str> = lines.filter(|line| !line.contains("seconds")).collect();
        timeless.join("\n")
    })
}

#[test]
fn cached_metadata_of_other_options_is_not_used() {
    let sandbox = workspace();
    let same = |what: &str| {
        let [kept, anew] = both_ways(&sandbox, "");
        assert_eq!(kept, anew, "{what}");
        kept
    };
    let nothing = same("nothing changed");
    sandbox.edit("store/src/lib.rs", "    1\n", "    2 - 1\n");
    let one = same("one function");
    assert_ne!(one, nothing);
    sandbox.edit("store/src/lib.rs", "    2\n", "    1 + 1\n");
    let two = same("another one");
    assert_ne!(two, one);
    sandbox.write(
        "store/tests/more.rs",
        "#[test]\nfn more() {\n    store::one();\n}\n",
    );
    let more = same("a test target more");
    assert!(more.contains("more"), "{more}");
    sandbox.remove("store/tests/it.rs");
    assert!(!same("a test target less").contains("outside"));
    sandbox.append(
        "free/Cargo.toml",
        "\n[dependencies]\nstore = { path = \"../store\" }\n",
    );
    sandbox.write(
        "free/tests/through.rs",
        "#[test]\nfn through() {\n    store::two();\n}\n",
    );
    assert!(same("a dependency more").contains("through"));
    sandbox.commit("all of it");
    let committed = same("another commit to compare with");
    assert_eq!(committed, same("and again"));
    let [kept, anew] = both_ways(&sandbox, " --base HEAD~1");
    assert_eq!(kept, anew);
    assert_ne!(kept, committed);
    assert_eq!(same("back to the usual base"), committed);
}

#[test]
fn cached_data_may_be_damaged_or_used_concurrently() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    2 - 1\n");
    // Only where there is a folder to build in is anything kept of what cargo says.
    sandbox.poc("affected").exits(0);
    let [expected, anew] = both_ways(&sandbox, "");
    assert_eq!(expected, anew);
    let members = "target/cargo-poc/members";
    let whole = std::fs::read(sandbox.root.join(members)).unwrap();
    let mut cases: Vec<Vec<u8>> = vec![Vec::new(), whole[..whole.len() / 2].to_vec()];
    cases.extend((0..whole.len()).step_by(whole.len() / 12 + 1).map(|at| {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        flipped
    }));
    for damaged in cases {
        sandbox.write(members, &damaged);
        assert_eq!(both_ways(&sandbox, "")[0], expected);
        assert_eq!(std::fs::read(sandbox.root.join(members)).unwrap(), whole);
    }
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| both_ways(&sandbox, "")[0].clone()))
            .collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), expected);
        }
    });
}
