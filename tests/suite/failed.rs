//! Failed tests: selected until they pass, and run alone with `verify --failed`.

use crate::kit::Sandbox;

/// `store` with two functions, each with a unit test, committed.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace("store");
    sandbox.write(
        "store/src/lib.rs",
        "pub fn one() -> u32 {\n    1\n}\npub fn two() -> u32 {\n    2\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn \
         of_one() {\n        assert_eq!(super::one(), 1);\n    }\n    #[test]\n    fn of_two() {\n        \
         assert_eq!(super::two(), 2);\n    }\n}\n",
    );
    sandbox.git();
    sandbox
}

const NAMES: &str = "affected --format names";

#[test]
fn a_failed_test_stays_selected_until_it_passes() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    3\n");
    sandbox.poc("verify --runner cargo").exits(1);
    // Compared with the commit that breaks it, nothing changes.
    sandbox.commit("break one");
    sandbox
        .poc("affected --base HEAD")
        .exits(0)
        .prints("by 1 failed test");
    let names = sandbox.poc(&format!("{NAMES} --base HEAD"));
    assert_eq!(names.stdout, "store\tstore\ttests::of_one\n");
    sandbox
        .poc("affected --base HEAD --explain")
        .prints("it failed in its last run");
    sandbox.poc("verify --base HEAD --runner cargo").exits(1);

    sandbox.edit("store/src/lib.rs", "    3\n", "    1\n");
    sandbox.poc("verify --base HEAD --runner cargo").exits(0);
    sandbox.commit("repair one");
    let names = sandbox.poc(&format!("{NAMES} --base HEAD"));
    assert_eq!(names.stdout, "");
}

#[test]
fn failed_runs_the_failed_tests_alone_and_records_nothing() {
    let sandbox = workspace();
    sandbox
        .poc("verify --failed --runner cargo")
        .exits(4)
        .says("no test failed in its last run");
    sandbox.edit("store/src/lib.rs", "    1\n", "    3\n");
    sandbox.edit("store/src/lib.rs", "    2\n", "    1 + 1\n");
    sandbox.poc("verify --runner cargo").exits(1);
    let run = sandbox.poc("verify --failed --runner cargo");
    run.exits(1).prints("0 passed, 1 failed");
    sandbox.edit("store/src/lib.rs", "    3\n", "    1\n");
    let run = sandbox.poc("verify --failed --runner cargo");
    run.exits(0).prints("1 passed");
    sandbox.poc("verify --failed --runner cargo").exits(4);
}

#[test]
fn removed_failed_test_is_dropped_after_a_run_of_its_target() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    3\n");
    sandbox.poc("verify --runner cargo").exits(1);
    sandbox.edit("store/src/lib.rs", "fn of_one()", "fn of_first()");
    sandbox.edit("store/src/lib.rs", "    3\n", "    1\n");
    // No source has the test, so its whole target is selected.
    let names = sandbox.poc(NAMES);
    assert_eq!(names.stdout, "store\tstore\t*\n");
    sandbox.poc("verify --runner cargo").exits(0);
    let names = sandbox.poc(NAMES);
    assert_eq!(names.stdout, "store\tstore\ttests::of_first\n");
}

#[test]
fn a_filter_of_the_user_does_not_hide_a_failed_test() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    3\n");
    sandbox.edit("store/src/lib.rs", "    2\n", "    1 + 1\n");
    sandbox.poc("verify --runner cargo").exits(1);
    sandbox.poc("verify --runner cargo -- of_two").exits(0);
    sandbox.commit("break one");
    let names = sandbox.poc(&format!("{NAMES} --base HEAD"));
    assert_eq!(names.stdout, "store\tstore\ttests::of_one\n");
}

#[test]
fn a_damaged_list_of_failed_tests_is_named() {
    let sandbox = workspace();
    sandbox.write("target/cargo-poc/failed.json", "{");
    sandbox
        .poc("verify --runner cargo")
        .exits(4)
        .says("failed.json, the list of failed tests, is damaged");
}

#[test]
fn tests_that_failed_in_a_report_run_alone() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    1\n", "    3\n");
    sandbox.edit("store/src/lib.rs", "    2\n", "    1 + 1\n");
    sandbox.write(".gitignore", "target/\n*.xml\n*.json\n");
    let reports = "--report junit=ours.xml --report json=ours.json";
    sandbox
        .poc(&format!("verify --runner cargo {reports}"))
        .exits(1);
    sandbox.edit("store/src/lib.rs", "    3\n", "    1\n");
    sandbox.write(
        "libtest.xml",
        "<testsuites><testsuite name=\"test\"><testcase classname=\"tests\" name=\"of_one\"><failure type=\"assert\"/>\
         </testcase></testsuite></testsuites>",
    );
    for report in ["ours.xml", "ours.json", "libtest.xml"] {
        let run = sandbox.poc(&format!("verify --from-report {report} --runner cargo"));
        run.exits(0).prints("test tests::of_one ... ok");
        run.prints("passed, 1 passed, 1 filtered");
    }
    sandbox.write("none.xml", "<testsuites></testsuites>");
    let run = sandbox.poc("verify --from-report none.xml");
    run.exits(4).says("none.xml contains no failed test");
    sandbox.edit("libtest.xml", "of_one", "of_nobody");
    let run = sandbox.poc("verify --from-report libtest.xml");
    run.exits(4).says("of_nobody");
    sandbox.poc("verify --from-report missing.xml").exits(2);
}
