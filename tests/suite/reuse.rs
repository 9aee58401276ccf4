//! Tests that passed are not run again while nothing that they can reach has changed.

mod conditions;
mod exported;

use crate::kit::{Run, Sandbox};

const VERIFY: &str = "verify --runner cargo";
const SOURCE: &str = "store/src/lib.rs";

/// `store` with two functions, each with a unit test, on a branch that changes both.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace("store");
    sandbox.remove("store/tests/it.rs");
    sandbox.write(
        SOURCE,
        "pub fn one() -> u32 {\n    1\n}\npub fn two() -> u32 {\n    2\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn \
         of_one() {\n        assert_eq!(super::one(), 1);\n    }\n    #[test]\n    fn of_two() {\n        \
         assert_eq!(super::two(), 2);\n    }\n}\n",
    );
    sandbox.git();
    sandbox.edit(SOURCE, "    1\n", "    3 - 2\n");
    sandbox.edit(SOURCE, "    2\n", "    1 + 1\n");
    sandbox
}

/// Runs `verify`, and checks which tests ran and how many were reused.
fn verify(sandbox: &Sandbox, more: &str, ran: &[&str], reused: usize) -> Run {
    let run = sandbox.poc(&format!("{VERIFY} {more}"));
    let lines = run.stdout.lines().chain(run.stderr.lines());
    let mut names: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ran, "{run:?}");
    let count = format!("reused {reused}");
    let says = run.stdout.contains(&count) || run.stderr.contains(&count);
    assert_eq!(says, reused > 0, "{run:?}");
    run
}

const BOTH: &[&str] = &["tests::of_one", "tests::of_two"];

#[test]
fn only_tests_that_the_last_edit_can_affect_run_again() {
    let sandbox = workspace();
    verify(&sandbox, "", BOTH, 0).exits(0);
    sandbox.edit(SOURCE, "    3 - 2\n", "    4 - 3\n");
    verify(&sandbox, "", &["tests::of_one"], 1)
        .exits(0)
        .prints("ran 1, reused 1");
    // The results of both runs together are those of the present state.
    verify(&sandbox, "", &[], 2).exits(0);
    let list = sandbox.poc(&format!("{VERIFY} --list"));
    list.exits(0).says("Reused 2 tests");
    sandbox.edit(SOURCE, "    4 - 3\n", "    3 - 2\n");
    verify(&sandbox, "", &[], 2).exits(0);
    sandbox.commit("change both");
    verify(&sandbox, "--base HEAD~1", &[], 2).exits(0);
    verify(&sandbox, "--no-reuse --base HEAD~1", BOTH, 0).exits(0);
    verify(&sandbox, "--base HEAD~1 -- --test-threads=1", BOTH, 0).exits(0);
    verify(&sandbox, "--full", BOTH, 0).exits(0);
}

#[test]
fn changed_packages_compile_although_every_test_is_reused() {
    let sandbox = workspace();
    verify(&sandbox, "", BOTH, 0).exits(0);
    sandbox.append(SOURCE, "pub fn untested() -> u32 {\n    \"\"\n}\n");
    verify(&sandbox, "", &[], 2).exits(1);
    sandbox.edit(SOURCE, "    \"\"\n", "    7\n");
    verify(&sandbox, "", &[], 2).exits(0);
}

#[test]
fn a_failed_test_always_runs() {
    let sandbox = workspace();
    verify(&sandbox, "", BOTH, 0).exits(0);
    sandbox.edit(SOURCE, "    3 - 2\n", "    3 - 1\n");
    verify(&sandbox, "", &["tests::of_one"], 1).exits(1);
    verify(&sandbox, "", &["tests::of_one"], 1).exits(1);
    // Its result on these sources is known, but not whether it is reliable.
    sandbox.edit(SOURCE, "    3 - 1\n", "    3 - 2\n");
    verify(&sandbox, "", &["tests::of_one"], 1).exits(0);
    verify(&sandbox, "", &[], 2).exits(0);
}

#[test]
fn conditions_outside_of_the_work_tree_are_compared() {
    let sandbox = workspace();
    sandbox.append(
        SOURCE,
        "pub fn three() -> bool {\n    std::env::var(\"STORE_MODE\").is_ok()\n}\n",
    );
    let with = |variable: &str| {
        let run = sandbox.shell(&format!("{variable} cargo poc {VERIFY}"));
        let lines = run.stdout.lines().chain(run.stderr.lines());
        lines
            .filter(|line| line.starts_with("test tests::"))
            .count()
    };
    assert_eq!(with(""), 2);
    assert_eq!(with(""), 0);
    assert_eq!(with("STORE_MODE=1"), 2);
    assert_eq!(with("STORE_MODE=1"), 0);
    assert_eq!(with("STORE_MODE=2"), 2);
    assert_eq!(with(""), 0);
    assert_eq!(with("RUSTFLAGS=--cfg=special"), 2);
    assert_eq!(with("OTHER=1"), 0);
    let release = sandbox.poc(&format!("{VERIFY} --profile release"));
    release.prints("2 passed");
    sandbox.write(
        "rust-toolchain.toml",
        "[toolchain]\nprofile = \"minimal\"\n",
    );
    assert_eq!(with(""), 2);
    assert_eq!(with(""), 0);
}

#[test]
fn a_variable_that_was_not_set_is_compared_where_strings_compose_its_name() {
    let sandbox = workspace();
    sandbox.append(
        SOURCE,
        "pub fn three(name: &str) -> bool {\n    std::env::var(format!(\"{}_{name}\", \"STORE\")).is_ok()\n}\npub const LAST: &str = \"MODE\";\n",
    );
    let ran = |variable: &str| {
        let run = sandbox.shell(&format!("{variable} cargo poc {VERIFY}"));
        run.stdout.matches("test tests::").count()
    };
    assert_eq!(ran(""), 2);
    assert_eq!(ran(""), 0);
    assert_eq!(ran("STORE_MODE=1"), 2);
}

#[test]
fn a_change_of_ignored_files_runs_the_tests_that_may_read_them() {
    let sandbox = workspace();
    sandbox.append(".gitignore", "*.local\n");
    sandbox.write("store/limits.local", "1");
    sandbox.append(
        SOURCE,
        "#[test]\nfn reads() {\n    assert!(!std::fs::read_to_string(\"limits.local\").unwrap().is_empty());\n}\n",
    );
    verify(
        &sandbox,
        "",
        &["reads", "tests::of_one", "tests::of_two"],
        0,
    )
    .exits(0);
    verify(&sandbox, "", &[], 3).exits(0);
    sandbox.write("store/limits.local", "22");
    verify(&sandbox, "", &["reads"], 2).exits(0);
    sandbox.write("store/other.local", "22");
    verify(&sandbox, "", &[], 3).exits(0);
}

#[test]
fn ignored_tests_and_new_tests_are_not_reused() {
    let sandbox = workspace();
    sandbox.edit(
        SOURCE,
        "    #[test]\n    fn of_two",
        "    #[test]\n    #[ignore]\n    fn of_two",
    );
    verify(&sandbox, "", BOTH, 0).exits(0);
    sandbox.append(SOURCE, "#[test]\nfn new() {}\n");
    let run = verify(&sandbox, "", &["new", "tests::of_two"], 1);
    run.exits(0).prints("1 passed");
}

#[test]
fn runs_of_a_plan_reuse_nothing_unless_they_are_not_recorded() {
    let sandbox = workspace();
    sandbox
        .poc("init work -p store --file store/src/lib.rs --size tiny --base main")
        .exits(0);
    verify(&sandbox, "work --affected", BOTH, 0);
    verify(&sandbox, "work --affected", BOTH, 0);
    verify(&sandbox, "work --affected --no-record", &[], 2).exits(0);
}

#[test]
fn the_setting_turns_reuse_off_and_damaged_results_are_ignored() {
    let sandbox = workspace();
    verify(&sandbox, "", BOTH, 0).exits(0);
    sandbox.write(
        "target/cargo-poc/passed",
        "cargo-poc passed tests 3\nrubbish",
    );
    verify(&sandbox, "", BOTH, 0).exits(0);
    verify(&sandbox, "", &[], 2).exits(0);
    sandbox.append("Cargo.toml", "[workspace.metadata.poc]\nreuse = false\n");
    verify(&sandbox, "", BOTH, 0).exits(0);
}

#[test]
fn reports_have_the_number_of_reused_tests() {
    let sandbox = workspace();
    let reused = |run: &Run| -> serde_json::Value {
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        report["reused"].clone()
    };
    let first = sandbox.poc(&format!("{VERIFY} --format json"));
    assert_eq!(reused(&first), 0);
    let second = sandbox.poc(&format!("{VERIFY} --format json"));
    assert_eq!(reused(&second), 2);
}

#[test]
fn documentation_tests_are_reused_while_their_file_is_unchanged() {
    let sandbox = Sandbox::workspace("store");
    sandbox.write("store/src/more.rs", "pub fn more() -> u32 {\n    7\n}\n");
    sandbox.append(SOURCE, "pub mod more;\n");
    sandbox.git();
    sandbox.edit(SOURCE, "    42\n", "    40 + 2\n");
    let ran = |run: &Run| run.stdout.contains("src/lib.rs - answer (line");
    let first = sandbox.poc(VERIFY);
    assert!(ran(first.exits(0)), "{first:?}");
    sandbox.edit("store/src/more.rs", "7", "8");
    let second = sandbox.poc(VERIFY);
    assert!(!ran(second.exits(0)), "{second:?}");
    sandbox.edit(
        SOURCE,
        "The store library.",
        "The store library, again.\n//!",
    );
    let third = sandbox.poc(VERIFY);
    assert!(ran(third.exits(0)), "{third:?}");
}

/// Mutates each function of a workspace in turn, and compares the reused results with those of a run of all tests.
#[test]
fn no_reused_test_would_fail() {
    let sandbox = Sandbox::workspace("core; store: core; app: store");
    sandbox.write(
        "core/src/lib.rs",
        "pub trait Shape {\n    fn area(&self) -> u32;\n    fn twice(&self) -> u32 {\n        self.area() * 2\n    }\n}\n\
         pub struct Square(pub u32);\nimpl Shape for Square {\n    fn area(&self) -> u32 {\n        self.0 * self.0\n    }\n}\n\
         pub struct Line;\nimpl Shape for Line {\n    fn area(&self) -> u32 {\n        0\n    }\n    fn twice(&self) -> u32 {\n        9\n    }\n}\n\
         pub const LIMIT: u32 = 10;\npub fn answer() -> u32 {\n    42\n}\n\
         macro_rules! sum {\n    ($a:expr, $b:expr) => {\n        $a + $b\n    };\n}\npub fn summed() -> u32 {\n    sum!(1, 2)\n}\n\
         #[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn square() {\n        assert_eq!(Square(3).twice(), 18);\n    }\n    \
         #[test]\n    fn line() {\n        assert_eq!(Line.twice(), 9);\n    }\n    #[test]\n    fn sums() {\n        assert_eq!(summed(), 3);\n    }\n}\n",
    );
    sandbox.write(
        "store/src/lib.rs",
        "use core_lib::{Shape, Square};\npub fn answer() -> u32 {\n    Square(6).area() + 6\n}\npub fn below(n: u32) -> bool {\n    n < core_lib::LIMIT\n}\n\
         #[cfg(test)]\nmod tests {\n    #[test]\n    fn unit() {\n        assert_eq!(super::answer(), 42);\n    }\n    #[test]\n    fn limit() {\n        assert!(super::below(9) && !super::below(10));\n    }\n}\n",
    );
    for member in ["core", "store", "app"] {
        let manifest = format!("{member}/Cargo.toml");
        sandbox.append(&manifest, "[lib]\ndoctest = false\n");
    }
    // `core` is also the name of a crate of Rust.
    sandbox.append("core/Cargo.toml", "name = \"core_lib\"\n");
    sandbox.edit("core/tests/it.rs", "core::answer", "core_lib::answer");
    // Compared with a commit without sources, every test is affected.
    sandbox.run_git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
    sandbox.run_git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    sandbox.write(".gitignore", "target/\n");
    sandbox.commit("everything");
    sandbox.poc(&format!("{VERIFY} --full")).exits(0);
    let mutants = [
        ("core/src/lib.rs", "self.area() * 2", "self.area() * 3"),
        ("core/src/lib.rs", "self.0 * self.0", "self.0 + self.0"),
        ("core/src/lib.rs", "        9\n", "        8\n"),
        ("core/src/lib.rs", "LIMIT: u32 = 10", "LIMIT: u32 = 11"),
        ("core/src/lib.rs", "    42\n", "    41\n"),
        ("core/src/lib.rs", "$a + $b", "$a * $b"),
        ("core/src/lib.rs", "sum!(1, 2)", "sum!(2, 2)"),
        ("store/src/lib.rs", "area() + 6", "area() + 7"),
        ("store/src/lib.rs", "n < ", "n <= "),
        ("app/src/lib.rs", "    42\n", "    43\n"),
        ("app/tests/it.rs", "42", "44"),
    ];
    let outcome = |run: &Run| -> (usize, Vec<String>) {
        let report: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        let failing = report["failing"].as_array().unwrap();
        let name = |one: &serde_json::Value| format!("{} {}", one["binary"], one["test"]);
        let mut failing: Vec<String> = failing.iter().map(name).collect();
        failing.sort();
        let reused = report["reused"].as_u64().unwrap();
        (usize::try_from(reused).unwrap(), failing)
    };
    let mut reused = 0;
    let reusing = format!("{VERIFY} --base HEAD~1 --format json");
    // Each mutant begins with the results of the first run.
    let results = "target/cargo-poc/passed";
    let passed = std::fs::read(sandbox.root.join(results)).unwrap();
    for (path, from, to) in mutants {
        sandbox.write(results, &passed);
        sandbox.edit(path, from, to);
        let (count, failing) = outcome(&sandbox.poc(&reusing));
        let (_, really) = outcome(&sandbox.poc(&format!("{VERIFY} --full --format json")));
        assert_eq!(failing, really, "{path}: {from}");
        assert!(!really.is_empty(), "{path}: {from}");
        reused += count;
        sandbox.edit(path, to, from);
        sandbox.remove("target/cargo-poc/failed.json");
    }
    let (_, failing) = outcome(&sandbox.poc(&reusing));
    assert_eq!(failing, Vec::<String>::new());
    assert!(reused > 50, "{reused}");
}
