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
fn uncommitted_sources_give_one_finding_and_none_for_a_set_up_before_the_work() {
    let sandbox = sandbox();
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    sandbox.poc("verify cache --step 0").exits(0);
    work(&sandbox);
    for scope in ["--step 1", "--done"] {
        sandbox.poc(&format!("verify cache {scope}")).exits(0);
    }
    let results = "docs/cache-results.md";
    sandbox.edit(
        results,
        "| **Status** | In Progress |",
        "| **Status** | Complete |",
    );
    let run = sandbox.poc("check cache");
    assert_eq!(run.stdout.matches("warning[POC024]").count(), 1, "{run}");
    run.prints("the last runs of `step 1`, `done` used sources that are not in a commit");
    sandbox.commit("work");
    sandbox.poc("check cache").hides("POC024");
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

#[test]
fn the_next_action_on_a_merge_conflict_is_to_resolve_it() {
    for document in ["docs/cache-plan.md", "docs/cache-results.md"] {
        let sandbox = sandbox();
        sandbox.append(document, "\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n");
        let poc = status(&sandbox);
        let next = &poc["next"];
        assert_eq!(next["person"], true, "{next:#}");
        assert!(text(&next["why"]).contains("conflict markers"), "{next:#}");
        assert_eq!(text(&next["command"]), "cargo poc check cache");
    }
}

#[test]
fn a_missing_folder_of_plans_passes_no_check() {
    let sandbox = sandbox();
    for line in ["status --check --docs typo", "check --docs typo"] {
        sandbox
            .poc(line)
            .exits(2)
            .says("the folder typo does not exist");
    }
}

#[test]
fn each_total_is_compared_with_its_parts() {
    let sandbox = sandbox();
    sandbox.append(
        "docs/cache-results.md",
        "\n## Final Validation\n\n| Suite | Tests |\n|---|---|\n| unit | 1 |\n| doc | 2 |\n| **Total** | 3 |\n\n**Total**: 4 tests\n",
    );
    sandbox
        .poc("check cache")
        .exits(1)
        .prints("the total is 4, but its parts add up to 3")
        .hides("the total is 3");
}

#[test]
fn paths_in_errors_are_relative_to_the_workspace() {
    let sandbox = sandbox();
    sandbox.write("docs/other-plan.md", b"\0\xff");
    for line in [
        "verify cache --step 9",
        "step note cache 9 --issue x",
        "step start other 1",
        "init cache",
        "check",
        "status none",
        "verify cache --step 9 --format json",
    ] {
        let run = sandbox.poc(line);
        run.exits(2).hides(sandbox.root.as_str());
        assert!(
            format!("{}{}", run.stdout, run.stderr).contains("docs"),
            "{run}"
        );
    }
}
