//! `verify --shadow` and `affected --replay`: the tests that were not selected run as well.

use serde_json::json;

use crate::formats::{fits, schema};
use crate::kit::{PROGRAM, Sandbox, finish};

/// A test that fails because of an environment variable, and one that reads a file whose path only a data file contains, from
/// its end to its start.
const TESTS: &str = r#"
#[test]
fn by_variable() {
    assert!(std::env::var_os("APP_FAILS").is_none());
}

#[test]
fn by_listed_file() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let listed = std::fs::read_to_string(format!("{folder}/tests/list.txt")).unwrap();
    let path: String = listed.trim().chars().rev().collect();
    let text = std::fs::read_to_string(format!("{folder}/{path}")).unwrap();
    assert_eq!(text, "good\n");
}
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::workspace("base; app");
    sandbox
        .append("app/tests/it.rs", TESTS)
        .write("app/tests/list.txt", "txt.eton/esab/..\n")
        .write("base/note.txt", "good\n");
    sandbox.git();
    sandbox
}

#[test]
fn failed_test_that_was_not_selected_is_an_escape() {
    let sandbox = sandbox();
    sandbox.edit("base/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox
        .poc("verify --shadow --base HEAD --runner cargo")
        .exits(0)
        .prints("escapes: 0 of 0 failing tests")
        .says("Affected 3 of 8 tests")
        .says("Ledger 1 run: escapes: 0 of 0 failing tests");
    let shadow = || {
        let mut command = sandbox.command(PROGRAM);
        command.env("APP_FAILS", "1");
        let line = "verify --shadow --base HEAD --runner cargo --no-reuse --format json";
        command.args(line.split(' '));
        finish(command, line)
    };
    let run = shadow();
    let report = run.exits(1).json();
    fits(&schema("verify"), &report);
    let escape = json!([{"binary": "app::it", "test": "by_variable"}]);
    assert_eq!(report["shadow"]["escapes"], escape);
    assert_eq!(report["shadow"]["failing"], 1);
    run.says("escaped app::it by_variable")
        .says("Ledger 2 runs: escapes: 1 of 1 failing test");
    // A test that failed is selected from then on.
    let report = shadow().exits(1).json();
    assert_eq!(report["shadow"]["escapes"], json!([]));
    assert_eq!(report["shadow"]["failing"], 1);
    // Nothing is selected: all other tests run.
    sandbox.remove("target/cargo-poc/failed.json");
    sandbox.edit("base/src/lib.rs", "    40 + 2\n", "    42\n");
    sandbox
        .poc("verify --shadow --base HEAD --runner cargo")
        .exits(0)
        .says("Affected 0 of 8 tests")
        .prints("escapes: 0 of 0 failing tests");
    sandbox.write("target/cargo-poc/shadow.jsonl", "not ours\n");
    sandbox
        .poc("verify --shadow --base HEAD --runner cargo")
        .exits(4)
        .says("shadow.jsonl is damaged; remove it");
}

#[test]
fn shadow_run_is_no_evidence() {
    let sandbox = sandbox();
    sandbox.poc("init work -p base").exits(0);
    sandbox.commit("plan");
    sandbox.edit("base/src/lib.rs", "    42\n", "    40 + 2\n");
    let before = sandbox.read("docs/work-results.md");
    sandbox
        .poc("verify work --shadow --runner cargo")
        .exits(0)
        .prints("escapes: 0 of 0 failing tests");
    assert_eq!(sandbox.read("docs/work-results.md"), before);
    sandbox.poc("verify --shadow --full").exits(2);
    sandbox.poc("verify --shadow --fail-fast").exits(2);
}

#[test]
fn replay_compares_selections_with_failing_tests() {
    let sandbox = sandbox();
    // With the sources of its parent, the tests of this commit fail, and they are selected.
    sandbox
        .edit("base/src/lib.rs", "    42\n", "    43\n")
        .edit(
            "base/src/lib.rs",
            "assert_eq!(base::answer(), 42)",
            "assert_eq!(base::answer(), 43)",
        )
        .edit(
            "base/src/lib.rs",
            "assert_eq!(super::answer(), 42)",
            "assert_eq!(super::answer(), 43)",
        )
        .edit("base/tests/it.rs", "42", "43");
    sandbox.commit("another answer");
    let run = sandbox.poc("affected --replay 1 --runner cargo");
    run.exits(0)
        .says("as committed: 37.5 % of the tests selected, escapes: 0 of 0 failing tests")
        .says("with the sources of its parent: 37.5 % of the tests selected, escapes: 0 of 1 failing test")
        .prints("escapes: 0 of 1 failing test in 2 changes; 37.5 % of the tests selected on average; 0 not counted");
    // The selection does not see the path in a data file.
    sandbox.write("base/note.txt", "bad\n");
    sandbox.commit("a note");
    sandbox.edit("base/src/lib.rs", "    43\n", "    does not compile\n");
    sandbox.commit("broken");
    sandbox.write("uncommitted.txt", "");
    sandbox
        .poc("affected --replay 50 --runner cargo")
        .exits(1)
        .prints("app::it by_listed_file\n")
        .says("its tests did not build or did not run")
        .prints("escapes: 1 of 2 failing tests in 3 changes")
        .prints("1 not counted");
    assert!(!sandbox.exists("target/cargo-poc/replay"));
    sandbox.poc("affected --replay 1 --format json").exits(2);
    sandbox.poc("affected --replay 0").exits(2);
}

#[test]
fn moved_documentation_test_that_failed_before_is_no_escape() {
    let sandbox = Sandbox::package();
    sandbox.edit(
        "src/lib.rs",
        "answer(), 42);\n/// ```",
        "answer(), 1);\n/// ```",
    );
    sandbox.git();
    sandbox.edit(
        "src/lib.rs",
        "/// The answer.",
        "/// The answer\n/// in two lines.",
    );
    sandbox.commit("moved");
    sandbox
        .poc("affected --replay 1 --runner cargo")
        .exits(0)
        .prints("escapes: 0 of 0 failing tests in 2 changes");
}
