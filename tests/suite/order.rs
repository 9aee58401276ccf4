//! The order of tests in a run, and filters for documentation tests.

use crate::kit::{Run, Sandbox};

/// The tests of a run in order, without those of an earlier listing.
fn ran(run: &Run) -> Vec<&str> {
    let lines = run.stdout.lines().chain(run.stderr.lines());
    let tests = lines.filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "));
    tests.map(|(name, _)| name).collect()
}

#[test]
fn failed_tests_run_first_then_new_ones_and_slow_binaries_last() {
    let sandbox = Sandbox::workspace("quick; heavy");
    for member in ["quick", "heavy"] {
        sandbox.remove(&format!("{member}/tests/it.rs"));
        sandbox.append(&format!("{member}/Cargo.toml"), "[lib]\ndoctest = false\n");
        let wait = if member == "heavy" { 5100 } else { 0 };
        sandbox.write(
            &format!("{member}/src/lib.rs"),
            format!(
                "pub fn number() -> u32 {{\n    1\n}}\n#[cfg(test)]\nmod {member} {{\n    use super::number;\n    #[test]\n    fn a() {{\n        \
                 std::thread::sleep(std::time::Duration::from_millis({wait}));\n        assert_eq!(number(), 1);\n    }}\n    \
                 #[test]\n    fn b() {{\n        assert_eq!(number(), 1);\n    }}\n    // more\n}}\n"
            ),
        );
    }
    sandbox.git();
    sandbox.poc("verify --runner cargo --full").exits(0);
    for member in ["quick", "heavy"] {
        sandbox.edit(&format!("{member}/src/lib.rs"), "    1\n", "    2 - 1\n");
    }
    sandbox.edit(
        "heavy/src/lib.rs",
        "fn b() {",
        "fn b() {\n        assert!(false);",
    );
    sandbox.poc("verify --runner cargo").exits(1);
    sandbox.edit("heavy/src/lib.rs", "assert!(false);", "");
    let new = "#[test]\n    fn new() {\n        assert_eq!(number(), 1);\n    }\n";
    sandbox.edit("heavy/src/lib.rs", "// more\n", new);
    // With one thread libtest prints the tests of a binary in the order in which it lists them.
    let run = sandbox.poc("verify --runner cargo --no-reuse -- --test-threads=1");
    run.exits(0).prints("5 passed");
    let expected = ["heavy::b", "heavy::new", "quick::a", "quick::b", "heavy::a"];
    assert_eq!(ran(&run), expected, "{run:?}");
    // The listing before a run prints no line that the run prints.
    let printed = |text| run.stdout.matches(text).count() + run.stderr.matches(text).count();
    assert_eq!(
        printed("Running unittests"),
        printed("Verifying"),
        "{run:?}"
    );
}

#[test]
fn whole_targets_and_single_tests_share_a_call_except_with_a_custom_harness() {
    let sandbox = Sandbox::workspace("store; other");
    sandbox.append(
        "store/Cargo.toml",
        "[lib]\ndoctest = false\n\n[[test]]\nname = \"own\"\nharness = false\n",
    );
    sandbox.write(
        "store/src/lib.rs",
        "pub fn one() -> u32 {\n    1\n}\npub fn two() -> u32 {\n    2\n}\n#[test]\nfn ones() {\n    assert_eq!(one(), 1);\n}\n\
         #[test]\nfn twos() {\n    assert_eq!(two(), 2);\n}\n",
    );
    sandbox.write(
        "store/tests/it.rs",
        "#[test]\nfn outside() {\n    assert_eq!(store::one(), 1);\n}\n",
    );
    sandbox.write(
        "store/tests/own.rs",
        "fn main() {\n    let given: Vec<String> = std::env::args().skip(1).collect();\n    println!(\"own: {} {given:?}\", store::one());\n}\n",
    );
    sandbox.git();
    sandbox.edit("store/src/lib.rs", "    1\n", "    2 - 1\n");
    let run = sandbox.poc("verify --runner cargo");
    run.exits(0);
    assert_eq!(ran(&run), ["ones", "outside"], "{run:?}");
    let lines = run.stderr.lines();
    let calls: Vec<&str> = lines.filter(|line| line.contains("Verifying")).collect();
    assert_eq!(calls.len(), 2, "{run:?}");
    assert!(calls[0].contains("--lib --test it"), "{run:?}");
    // Such a harness might run its tests instead of listing them.
    assert_eq!(run.stdout.matches("own: 1 []").count(), 1, "{run:?}");
    assert_eq!(run.stdout.matches("own: ").count(), 1, "{run:?}");
}

/// A library with documentation tests in two files.
fn documented() -> Sandbox {
    let sandbox = Sandbox::workspace("store; other");
    let function = |name: &str, module: &str| {
        format!(
            "/// Text.\n///\n/// ```\n/// assert_eq!(store::{module}{name}(), 1);\n/// ```\npub fn {name}() -> u32 {{\n    1 // {name}\n}}\n"
        )
    };
    let root = ["one", "two", "three", "four"].map(|name| function(name, ""));
    sandbox.write(
        "store/src/lib.rs",
        format!("{}pub mod more;\n", root.concat()),
    );
    let more = ["five", "six", "seven", "two"].map(|name| function(name, "more::"));
    sandbox.write("store/src/more.rs", more.concat());
    sandbox.write("store/tests/it.rs", "");
    sandbox.git();
    sandbox
}

#[test]
fn only_selected_documentation_tests_run() {
    let sandbox = documented();
    sandbox.edit("store/src/more.rs", "1 // six", "2 - 1");
    let run = sandbox.poc("verify --runner cargo");
    run.exits(0);
    let tests = ran(&run);
    assert_eq!(tests.len(), 1, "{run:?}");
    assert!(tests[0].contains("more.rs - more::six"), "{run:?}");
    // A new line above moves the others.
    sandbox.edit("store/src/more.rs", "2 - 1", "2\n        - 1");
    sandbox.edit("store/src/lib.rs", "1 // four", "3 - 2");
    let run = sandbox.poc("verify --runner cargo");
    run.exits(0).prints("2 passed");
}

#[test]
fn documentation_tests_that_are_listed_under_another_name_run_together() {
    let sandbox = documented();
    sandbox.append(
        "store/src/lib.rs",
        "#[doc = include_str!(\"../READ.md\")]\npub mod readme {}\n",
    );
    sandbox.write(
        "store/READ.md",
        "# Read\n\n```\nassert_eq!(store::one(), 1);\n```\n",
    );
    sandbox.commit("embed");
    sandbox.edit("store/READ.md", "store::one(), 1", "store::two(), 1");
    let run = sandbox.poc("verify --runner cargo --base HEAD");
    run.exits(0).prints("9 passed");
    sandbox.edit("store/READ.md", "store::two(), 1", "store::two(), 2");
    sandbox.poc("verify --runner cargo --base HEAD").exits(1);
}

#[test]
fn documentation_tests_run_last() {
    let sandbox = documented();
    sandbox.edit("store/src/lib.rs", "1 // one", "3 - 2");
    sandbox.edit("other/src/lib.rs", "    42\n", "    40 + 2\n");
    let list = sandbox.poc("verify --runner cargo --list");
    let lines: Vec<&str> = list.stdout.lines().collect();
    let first_doc = lines.iter().position(|line| line.contains("--doc"));
    let last_other = lines.iter().rposition(|line| !line.contains("--doc"));
    assert!(first_doc > last_other, "{list:?}");
}
