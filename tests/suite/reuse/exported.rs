//! Results from another machine: `verify --export` and `--import`.

use super::{BOTH, SOURCE, VERIFY, verify, workspace};
use crate::kit::{Run, Sandbox};

const FILE: &str = "target/passed";

/// A clone of the workspace that has its changes, and its results beside it.
fn clone_of(sandbox: &Sandbox) -> Sandbox {
    let clone = Sandbox::empty();
    let folder = clone.root.join("clone");
    clone.run_git(&["clone", "--quiet", sandbox.root.as_str(), folder.as_str()]);
    for file in [SOURCE, "Cargo.lock"] {
        let text = std::fs::read(sandbox.root.join(file)).unwrap();
        clone.write(&format!("clone/{file}"), &text);
    }
    if let Ok(results) = std::fs::read(sandbox.root.join(FILE)) {
        clone.write("passed", &results);
    }
    clone
}

/// The workspace, with its two tests passed and exported.
fn exported() -> Sandbox {
    let sandbox = workspace();
    verify(&sandbox, &format!("--export {FILE}"), BOTH, 0)
        .exits(0)
        .says("Exported the results of 2 tests to target/passed");
    sandbox
}

/// Runs `verify` in a clone, and returns which tests ran.
fn ran(clone: &Sandbox, more: &str) -> (Run, Vec<String>) {
    let run = clone.poc_in("clone", &format!("{VERIFY} {more}"));
    let lines = run.stdout.lines().chain(run.stderr.lines());
    let names = lines.filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "));
    let mut names: Vec<String> = names.map(|(name, _)| name.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    (run, names)
}

#[test]
fn a_clone_reuses_what_the_machine_that_exported_reuses() {
    let sandbox = exported();
    let clone = clone_of(&sandbox);
    assert_eq!(ran(&clone, "--list").0.stdout.matches("--lib").count(), 1);
    let (run, names) = ran(&clone, "--import ../passed");
    run.exits(0)
        .says("Imported the results of 2 tests from ../passed")
        .prints("ran 0, reused 2");
    assert!(names.is_empty(), "{run}");
    for (at, folder) in [(&sandbox, ""), (&clone, "clone/")] {
        at.edit(&format!("{folder}{SOURCE}"), "    3 - 2\n", "    4 - 3\n");
    }
    verify(&sandbox, "", &["tests::of_one"], 1).exits(0);
    let (run, names) = ran(&clone, "");
    run.exits(0).prints("ran 1, reused 1");
    assert_eq!(names, ["tests::of_one"]);
}

#[test]
fn results_are_reused_only_under_the_same_conditions() {
    let sandbox = workspace();
    sandbox.append(
        SOURCE,
        "pub fn three() -> bool {\n    std::env::var(\"STORE_MODE\").is_ok()\n}\n",
    );
    verify(&sandbox, &format!("--export {FILE}"), BOTH, 0).exits(0);
    let clone = clone_of(&sandbox);
    let import = "--import ../passed";
    let under = |variable: &str, more: &str| {
        std::fs::remove_dir_all(clone.root.join("clone/target/cargo-poc")).ok();
        let run = clone.shell(&format!(
            "cd clone && {variable} cargo poc {VERIFY} {more} {import}"
        ));
        let count = run.stdout.matches("test tests::of").count();
        (run, count)
    };
    assert_eq!(under("", "").1, 0);
    let (run, count) = under("STORE_MODE=1", "");
    run.says("no imported result is reused: $STORE_MODE differs from the run on ");
    assert_eq!(count, 2);
    let (run, count) = under("RUSTFLAGS=--cfg=special", "");
    run.says("build environment differs");
    assert_eq!(count, 2);
    assert_eq!(under("", "--release").1, 2);
    clone.write(
        "clone/.cargo/config.toml",
        "[build]\nrustflags = ['--cfg=special']\n",
    );
    assert_eq!(under("", "").1, 2);
    std::fs::remove_dir_all(clone.root.join("clone/.cargo")).unwrap();
    clone.write(
        ".cargo/config.toml",
        "[build]\nrustflags = ['--cfg=special']\n",
    );
    let (run, count) = under("", "");
    run.says("build environment differs");
    assert_eq!(count, 2);
    std::fs::remove_dir_all(clone.root.join(".cargo")).unwrap();
    assert_eq!(under("", "").1, 0);
}

#[test]
fn tests_that_fail_are_not_exported() {
    let sandbox = workspace();
    verify(&sandbox, "", BOTH, 0).exits(0);
    sandbox.edit(SOURCE, "    3 - 2\n", "    3 - 1\n");
    verify(&sandbox, &format!("--export {FILE}"), &["tests::of_one"], 1)
        .exits(1)
        .says("Exported the results of 1 test to target/passed");
    sandbox.edit(SOURCE, "    3 - 1\n", "    3 - 2\n");
    let clone = clone_of(&sandbox);
    let (run, names) = ran(&clone, "--import ../passed");
    run.exits(0).prints("ran 1, reused 1");
    assert_eq!(names, ["tests::of_one"]);
}

#[test]
fn tests_that_failed_here_are_not_taken_from_another_machine() {
    let sandbox = exported();
    let clone = clone_of(&sandbox);
    clone.edit(&format!("clone/{SOURCE}"), "    3 - 2\n", "    3 - 1\n");
    ran(&clone, "").0.exits(1);
    clone.edit(&format!("clone/{SOURCE}"), "    3 - 1\n", "    3 - 2\n");
    let (run, names) = ran(&clone, "--import ../passed");
    run.exits(0).prints("ran 1, reused 1");
    assert_eq!(names, ["tests::of_one"]);
}

#[test]
fn ignored_files_are_compared_by_content() {
    let sandbox = workspace();
    sandbox.append(".gitignore", "*.local\n");
    sandbox.commit("ignore");
    sandbox.write("store/limits.local", "1");
    sandbox.append(
        SOURCE,
        "#[test]\nfn reads() {\n    assert!(!std::fs::read_to_string(\"limits.local\").unwrap().is_empty());\n}\n",
    );
    let all = ["reads", "tests::of_one", "tests::of_two"];
    let base = "--base HEAD~1";
    verify(&sandbox, &format!("{base} --export {FILE}"), &all, 0).exits(0);
    for (content, expected) in [("1", &[][..]), ("2", &["reads"])] {
        let clone = clone_of(&sandbox);
        clone.write("clone/store/limits.local", content);
        let (run, names) = ran(&clone, &format!("{base} --import ../passed"));
        run.exits(0);
        assert_eq!(names, expected, "{content}: {run}");
    }
}

#[test]
fn unusable_files_are_errors_and_unknown_commits_are_named() {
    let sandbox = exported();
    let clone = clone_of(&sandbox);
    let results = std::fs::read(clone.root.join("passed")).unwrap();
    clone.write("passed", &results[..results.len() - 1]);
    ran(&clone, "--import ../passed")
        .0
        .exits(4)
        .says("cannot use the results in ../passed")
        .says("it is damaged");
    ran(&clone, "--import ../none").0.exits(4);
    for conflict in ["--no-reuse", "--partition 1/2", "--full", "--failed"] {
        ran(&clone, &format!("--import ../passed {conflict}"))
            .0
            .exits(2);
    }
    let later = Sandbox::empty();
    sandbox.commit("later");
    let origin = format!("file://{}", sandbox.root);
    let folder = later.root.join("clone");
    later.run_git(&["clone", "--quiet", "--depth=1", &origin, folder.as_str()]);
    later.write("passed", &results);
    later.append(&format!("clone/{SOURCE}"), "pub fn more() {}\n");
    later.edit(&format!("clone/{SOURCE}"), "    3 - 2\n", "    4 - 3\n");
    let (run, names) = ran(&later, "--base HEAD --import ../passed");
    run.exits(0)
        .says("no imported result is reused: git does not have commit ");
    assert_eq!(names, ["tests::of_one"]);
}
