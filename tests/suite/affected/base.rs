//! The base of the change.

use super::*;

#[test]
fn base_of_the_only_open_plan_is_used() {
    let sandbox = workspace();
    change_the_test(&sandbox, "free");
    sandbox.commit("second");
    sandbox.poc("init cache -p store").exits(0);
    change_the_test(&sandbox, "store");
    sandbox.commit("work on main");
    // On the default branch the merge base is HEAD; the plan knows better.
    assert_eq!(affected(&sandbox), ["store::it"]);
    let run = sandbox.poc("affected cache --format names");
    assert_eq!(selected(&run), ["store::it"]);
}

/// A checkout as CI makes it: detached, on a branch that no remote names as its default.
fn detached() -> (Sandbox, String) {
    let sandbox = workspace();
    sandbox.run_git(&["branch", "-m", "trunk"]);
    let base = sandbox.run_git(&["rev-parse", "HEAD"]);
    change_the_test(&sandbox, "free");
    sandbox.commit("change");
    sandbox.run_git(&["checkout", "-q", "--detach"]);
    sandbox.run_git(&["branch", "-qD", "trunk"]);
    (sandbox, base)
}

#[test]
fn an_unknown_base_on_a_detached_checkout_is_an_error() {
    let (sandbox, base) = detached();
    sandbox
        .poc("affected --format names")
        .exits(4)
        .says("the base is unknown");
    sandbox
        .poc("verify --no-record")
        .exits(4)
        .says("--base COMMIT");
    assert_eq!(
        selected(&sandbox.poc(&format!("affected --format names --base {base}"))),
        ["free::it"]
    );
}

#[test]
fn base_of_the_ci_system_is_used() {
    let (sandbox, base) = detached();
    sandbox.run_git(&["update-ref", "refs/remotes/origin/trunk", &base]);
    let with = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(crate::kit::PROGRAM);
        command.args(["poc", "affected", "--format", "names"]);
        command.envs(variables.iter().copied());
        crate::kit::finish(command, "affected")
    };
    for variables in [
        [("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "trunk")],
        [
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
        ],
        [
            ("BUILDKITE", "true"),
            ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "trunk"),
        ],
        [
            ("TF_BUILD", "True"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/trunk"),
        ],
    ] {
        assert_eq!(selected(&with(&variables)), ["free::it"], "{variables:?}");
    }
    with(&[("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "gone")])
        .exits(4)
        .says("git fetch origin gone:refs/remotes/origin/gone");
}

#[test]
fn rebased_branch_excludes_changes_of_the_default_branch() {
    let sandbox = workspace();
    sandbox.run_git(&["branch", "-M", "main"]);
    sandbox.run_git(&["checkout", "-qb", "topic"]);
    sandbox.poc("init cache -p store").exits(0);
    change_the_test(&sandbox, "store");
    sandbox.commit("work");
    sandbox.run_git(&["checkout", "-q", "main"]);
    change_the_test(&sandbox, "free");
    sandbox.commit("other work");
    sandbox.run_git(&["checkout", "-q", "topic"]);
    assert_eq!(affected(&sandbox), ["store::it"]);

    sandbox.run_git(&["rebase", "-q", "main"]);
    let run = sandbox.poc("affected --format names");
    run.says("the base of cache is now");
    assert_eq!(selected(&run), ["store::it"]);
    sandbox
        .poc("verify --list")
        .exits(0)
        .says("the base of cache is now")
        .prints("-p store --test it");
    sandbox
        .poc("status --check")
        .says("the base of cache is now");
}

#[test]
fn verify_compares_with_the_given_base() {
    let sandbox = workspace();
    change_the_test(&sandbox, "free");
    sandbox.commit("one");
    change_the_test_back(&sandbox);
    sandbox.commit("two");
    sandbox
        .poc("verify --list --base HEAD~1")
        .exits(0)
        .prints("-p free --test it");
    sandbox
        .poc("affected --format matrix --shards 2 --base HEAD~1")
        .exits(0)
        .prints("\"partition\":\"1/1\"");
}

fn change_the_test_back(sandbox: &Sandbox) {
    sandbox.edit("free/tests/it.rs", "40 + 2", "42");
}
