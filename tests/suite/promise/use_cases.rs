//! What a plan's life brings about without fault of its own gives no finding.

use super::{sandbox, status, text, verified, work};

#[test]
fn a_commit_of_the_tree_that_was_verified_gives_no_finding() {
    let sandbox = sandbox();
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    work(&sandbox);
    verified(&sandbox);
    sandbox.commit("work");
    sandbox.poc("check cache").exits(0).hides("POC024");
}

#[test]
fn a_set_up_that_is_verified_again_is_no_step_out_of_order() {
    let sandbox = sandbox();
    work(&sandbox);
    verified(&sandbox);
    sandbox.poc("verify cache --step 0").exits(0);
    sandbox.poc("check cache").exits(0).hides("POC052");
}

#[test]
fn an_expectation_of_one_command_is_compared_with_that_command() {
    let sandbox = sandbox();
    work(&sandbox);
    verified(&sandbox);
    sandbox.poc("verify cache --full").exits(0);
    sandbox.poc("check cache").exits(0).hides("POC056");
}

#[test]
fn a_failure_that_a_later_run_has_passed_is_over() {
    let sandbox = sandbox();
    work(&sandbox);
    let good = sandbox.read("src/lib.rs");
    sandbox.append("src/lib.rs", "#[test]\nfn broken() {\n    panic!();\n}\n");
    sandbox.poc("verify cache --full").exits(1);
    assert_eq!(status(&sandbox)["state"], "failed");
    sandbox.write("src/lib.rs", good);
    verified(&sandbox);
    let poc = status(&sandbox);
    assert_ne!(poc["state"], "failed", "{poc:#}");
    assert!(!text(&poc["next"]["why"]).contains("fix"), "{poc:#}");
}

#[test]
fn a_base_that_moves_with_each_commit_is_a_finding() {
    let sandbox = sandbox();
    sandbox.poc("check cache").exits(0).hides("POC031");
    for base in ["HEAD", "HEAD~1", "@"] {
        let sandbox = super::sandbox();
        sandbox.write("README.md", "more\n").commit("second");
        sandbox.edit("docs/cache-plan.md", "`main`", &format!("`{base}`"));
        sandbox
            .poc("check cache")
            .prints("warning[POC031]: the base `")
            .prints("moves with each commit");
    }
}

#[test]
fn a_plan_that_names_no_package_is_told_that_it_locks_no_test() {
    let sandbox = sandbox();
    let plan = sandbox.read("docs/cache-plan.md");
    let files = plan.find("## Files").unwrap();
    let plan = plan[..files].replace("| **Packages** | `app` |\n", "");
    sandbox.write("docs/cache-plan.md", plan);
    sandbox
        .poc("verify cache --step 0")
        .exits(0)
        .says("names no package, so no test is locked");
}
