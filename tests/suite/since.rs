//! What changed since a recorded run: evidence is stale only when a test that its commands run can tell.

use crate::kit::{Sandbox, nextest_for};

const LIBRARY: &str = "\
pub mod index;
pub mod store;
";
const INDEX: &str = "\
pub fn index() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn indexes() {
        assert_eq!(super::index(), 1);
    }
}
";
const STORE: &str = "\
pub fn store() -> u32 {
    2
}

#[cfg(test)]
mod tests {
    #[test]
    fn stores() {
        assert_eq!(super::store(), 2);
    }
}
";
const PLAN: &str = "\
# Cache Plan

## Overview

| Attribute | Value |
|---|---|
| **Name** | Cache |
| **Base** | `HEAD` |

## Success Criteria

- [ ] it works

## Implementation Steps

### Step 0: Store

**Tasks**:
- [ ] do

**Verification**:
```bash
cargo test --offline -p app store
```

### Step 1: Compile

**Tasks**:
- [ ] do

**Tests**: none

**Verification**:
```bash
cargo check --offline -p app
```
";
const RESULTS: &str = "# Cache: results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n";

/// A package of two modules, and a plan with a step that tests one of them and a step that only compiles.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write("src/lib.rs", LIBRARY)
        .write("src/index.rs", INDEX)
        .write("src/store.rs", STORE)
        .write(".gitignore", "/target\n")
        .write("docs/cache-plan.md", PLAN)
        .write("docs/cache-results.md", RESULTS);
    sandbox.lock_with_cargo();
    sandbox.git();
    sandbox
}

fn verified(sandbox: &Sandbox) {
    sandbox.poc("verify cache --step 0 --runner cargo").exits(0);
}

/// The states of the steps.
fn states(sandbox: &Sandbox) -> Vec<String> {
    let status = sandbox.poc("status cache --format json").json();
    let steps = status["pocs"][0]["steps"].as_array().unwrap().iter();
    steps
        .map(|step| step["state"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn change_that_affects_no_test_of_a_run_keeps_evidence_fresh() {
    let sandbox = sandbox();
    // On changes that no commit holds, with a file that git does not know.
    sandbox
        .edit("src/store.rs", "    2\n", "    1 + 1\n")
        .write("src/new.rs", "pub fn new() {}\n")
        .append("src/lib.rs", "pub mod new;\n");
    verified(&sandbox);
    assert_eq!(states(&sandbox)[0], "proven");
    for (old, new) in [("    1\n", "    2 - 1\n"), ("index(), 1", "index(), 0 + 1")] {
        sandbox.edit("src/index.rs", old, new);
        assert_eq!(states(&sandbox)[0], "proven", "{new}");
    }
    sandbox.edit("src/new.rs", "{}", "{ let _ = 1; }");
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.edit("src/store.rs", "1 + 1", "3 - 1");
    assert_eq!(states(&sandbox)[0], "stale");
    sandbox.edit("src/store.rs", "3 - 1", "1 + 1");
    assert_eq!(states(&sandbox)[0], "proven");
}

#[test]
fn a_test_that_is_new_gone_or_ignored_makes_it_stale() {
    let sandbox = sandbox();
    verified(&sandbox);
    // The step's filter selects tests with `store` in their path.
    let more = "\n#[cfg(test)]\nmod more {\n    #[test]\n    fn other() {}\n}\n";
    sandbox.append("src/index.rs", more);
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.append("src/store.rs", more);
    assert_eq!(states(&sandbox)[0], "stale");
    sandbox.write("src/store.rs", STORE);
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.edit("src/store.rs", "#[test]", "#[test]\n    #[ignore]");
    assert_eq!(states(&sandbox)[0], "stale");
    sandbox.write("src/store.rs", "pub fn store() -> u32 {\n    2\n}\n");
    assert_eq!(states(&sandbox)[0], "stale");
}

/// As the commands that `init` writes where nextest is set up.
#[test]
fn nextest_filterset_may_select_any_test_of_the_packages() {
    if !nextest_for("nextest_filterset_may_select_any_test_of_the_packages") {
        return;
    }
    let sandbox = sandbox();
    sandbox
        .edit(
            "docs/cache-plan.md",
            "cargo test --offline -p app store",
            "cargo nextest run --offline --no-fail-fast -p app -E 'package(=app) & test(store)'",
        )
        .commit("nextest");
    verified(&sandbox);
    sandbox.append("src/index.rs", "// A comment.\n");
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "stale");
}

#[test]
fn filter_that_the_shell_expands_may_select_any_test_of_the_packages() {
    let sandbox = sandbox();
    sandbox
        .edit(
            "docs/cache-plan.md",
            "cargo test --offline -p app store",
            "name=store; cargo test --offline -p app \"$name\"",
        )
        .commit("variable");
    verified(&sandbox);
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.edit("src/store.rs", "    2\n", "    1 + 1\n");
    assert_eq!(states(&sandbox)[0], "stale");
}

#[test]
fn other_commands_depend_on_all_files_of_their_packages() {
    let sandbox = sandbox();
    sandbox.poc("verify cache --step 1").exits(0);
    assert_eq!(states(&sandbox)[1], "proven");
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[1], "stale");
}

#[test]
fn commit_that_introduced_a_record_is_used_without_a_snapshot() {
    let sandbox = sandbox();
    sandbox.edit("src/store.rs", "    2\n", "    1 + 1\n");
    verified(&sandbox);
    sandbox.commit("proven");
    sandbox.remove("target/cargo-poc/snapshots");
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.commit("index");
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.edit("src/store.rs", "1 + 1", "3 - 1");
    assert_eq!(states(&sandbox)[0], "stale");
}

#[test]
fn commit_with_other_sources_than_the_run_is_not_used() {
    let sandbox = sandbox();
    sandbox.edit("src/store.rs", "    2\n", "    1 + 1\n");
    verified(&sandbox);
    // The record is committed with sources that it is not of.
    sandbox.edit("src/store.rs", "1 + 1", "3 - 1");
    sandbox.commit("something else");
    sandbox.remove("target/cargo-poc/snapshots");
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "stale");
    sandbox
        .poc("affected --since-evidence")
        .exits(4)
        .says("verify again, or pass a commit with --base");
}

#[test]
fn damaged_snapshots_are_ignored() {
    let sandbox = sandbox();
    sandbox.edit("src/store.rs", "    2\n", "    1 + 1\n");
    verified(&sandbox);
    sandbox.write(
        "target/cargo-poc/snapshots",
        "cargo-poc snapshots 2\nnothing",
    );
    assert_eq!(states(&sandbox)[0], "proven");
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "stale");
}

#[test]
fn missing_commit_makes_evidence_stale() {
    let sandbox = sandbox();
    verified(&sandbox);
    sandbox.remove("target/cargo-poc/snapshots");
    sandbox
        .shell(
            "git -c user.name=a -c user.email=a@example.com commit -q -a --amend -m other && \
             git reflog expire --expire=now --all && git gc -q --prune=now",
        )
        .exits(0);
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "stale");
}

#[test]
fn files_that_git_ignores_are_checked_each_time() {
    let sandbox = sandbox();
    sandbox
        .write(".gitignore", "/target\n/src/made.rs\n/cases\n")
        .append("src/lib.rs", "pub mod made;\nmod cases;\n")
        .write("src/made.rs", "pub fn made() -> u32 {\n    2\n}\n")
        .write(
            "src/cases.rs",
            "macro_rules! dir {\n    ($folder:literal) => {};\n}\ndir!(\"cases\");\n",
        )
        .edit("src/store.rs", "    2\n", "    crate::made::made()\n");
    verified(&sandbox);
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "proven");
    assert!(sandbox.root.join("target/cargo-poc/verdicts").exists());
    // It calls what changed, and git sees nothing of that.
    sandbox.edit("src/made.rs", "    2\n", "    crate::index::index() + 1\n");
    assert_eq!(states(&sandbox)[0], "stale");
    sandbox.edit("src/made.rs", "    crate::index::index() + 1\n", "    2\n");
    assert_eq!(states(&sandbox)[0], "proven");
    // A folder that was not there holds tests, which the step's filter lets through.
    let test = "#[test]\nfn store() {\n    assert_eq!(crate::index::index(), 1);\n}\n";
    sandbox.write("cases/one.rs", test);
    assert_eq!(states(&sandbox)[0], "stale");
    sandbox.remove("cases/one.rs");
    assert_eq!(states(&sandbox)[0], "proven");
}

#[test]
fn damaged_verdicts_are_ignored() {
    let sandbox = sandbox();
    verified(&sandbox);
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    assert_eq!(states(&sandbox)[0], "proven");
    for verdicts in ["", "nothing", "cargo-poc verdicts 1 0.1.0\nnothing"] {
        sandbox.write("target/cargo-poc/verdicts", verdicts);
        assert_eq!(states(&sandbox)[0], "proven");
    }
}

#[test]
fn affected_compares_with_a_recorded_run() {
    let sandbox = sandbox();
    sandbox
        .poc("affected --since-evidence")
        .exits(2)
        .says("has no recorded run");
    sandbox.edit("src/store.rs", "    2\n", "    1 + 1\n");
    verified(&sandbox);
    let names = |line: &str| sandbox.poc(line).exits(0).stdout.clone();
    assert_eq!(names("affected --since-evidence --format names"), "");
    sandbox.edit("src/index.rs", "    1\n", "    2 - 1\n");
    let index = "app\tapp\tindex::tests::indexes\n";
    assert_eq!(names("affected --since-evidence --format names"), index);
    assert_eq!(
        names("affected cache --since-evidence=0 --format names"),
        index
    );
    // Since the base it is both.
    let both = format!("{index}app\tapp\tstore::tests::stores\n");
    assert_eq!(names("affected cache --format names"), both);
    sandbox
        .poc("affected cache --since-evidence=done")
        .exits(2)
        .says("no recorded run of `done`");
}

#[test]
fn build_outputs_are_not_inputs_even_if_git_does_not_ignore_them() {
    for repository in [true, false] {
        let sandbox = Sandbox::package();
        if repository {
            sandbox.run_git(&["init", "--quiet", "--initial-branch=main"]);
            sandbox.commit("first");
        }
        sandbox.write("target/debug/old.txt", "built before");
        sandbox.poc("init tidy -p app").exits(0);
        let plan = sandbox.read("docs/tidy-plan.md");
        assert!(!plan.contains("target/"), "{plan}");
        sandbox.write("docs/tidy-plan.md", tested(&plan));
        sandbox.poc("verify tidy --step 0 -q").exits(0);
        sandbox.write("target/debug/new.txt", "built since");
        assert_eq!(first_step(&sandbox, ""), "proven");
        sandbox.edit("src/lib.rs", "    42\n", "    40 + 2\n");
        assert_eq!(first_step(&sandbox, ""), "stale");
    }
}

#[test]
fn package_in_the_target_folder_is_a_member() {
    let sandbox = Sandbox::empty();
    sandbox.member("inside", "app", &[]);
    sandbox.write(
        "inside/.cargo/config.toml",
        "[build]\ntarget-dir = \"..\"\n",
    );
    let poc = |arguments: &str| sandbox.poc_in("inside", arguments);
    sandbox
        .shell("cd inside && cargo generate-lockfile --offline")
        .exits(0);
    poc("init tidy -p app").exits(0);
    let plan = sandbox.read("inside/docs/tidy-plan.md");
    sandbox.write("inside/docs/tidy-plan.md", tested(&plan));
    poc("verify tidy --step 0 -q").exits(0);
    assert_eq!(first_step(&sandbox, "inside"), "proven");
    sandbox.append("inside/src/lib.rs", "\npub fn more() {}\n");
    assert_eq!(first_step(&sandbox, "inside"), "stale");
}

/// The plan with a first step that runs tests: a set-up without tests stays done.
fn tested(plan: &str) -> String {
    let tested = plan.replacen("**Tests**: none\n", "", 1).replacen(
        "cargo check --tests -p app\n# Expected: exit code 0",
        "cargo test -p app",
        1,
    );
    assert_ne!(tested, plan);
    tested
}

/// The state of the first step of `tidy`, asked for in a folder.
fn first_step(sandbox: &Sandbox, folder: &str) -> serde_json::Value {
    let run = sandbox.poc_in(folder, "status tidy --format json");
    run.json()["pocs"][0]["steps"][0]["state"].take()
}

#[test]
fn what_a_test_can_start_or_read_without_linking_it_is_an_input() {
    let starts = "fn beside(name: &str) -> std::path::PathBuf {\n    std::env::current_exe().unwrap().parent().unwrap().join(\"..\").join(name)\n}\n#[test]\nfn starts() {\n    let ran = std::process::Command::new(beside(\"server\")).output();\n    assert!(ran.is_ok());\n}\n";
    let reads =
        "#[test]\nfn reads() {\n    assert!(std::fs::read(\"../server/data.txt\").is_ok());\n}\n";
    let neither = "#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n}\n";
    for (test, file, then) in [
        (starts, "server/src/main.rs", "stale"),
        (reads, "server/data.txt", "stale"),
        (neither, "server/src/main.rs", "proven"),
        (neither, "server/data.txt", "proven"),
    ] {
        let sandbox = Sandbox::workspace("server; client");
        sandbox
            .write(
                "server/src/main.rs",
                "fn main() {\n    println!(\"{}\", 1);\n}\n",
            )
            .write("server/data.txt", "1\n")
            .write("client/tests/it.rs", test)
            .write(
                "docs/cache-plan.md",
                PLAN.replace("-p app store", "-p client --test it"),
            )
            .write("docs/cache-results.md", RESULTS);
        sandbox.git();
        sandbox.shell("cargo build --offline").exits(0);
        verified(&sandbox);
        assert_eq!(states(&sandbox)[0], "proven", "{test}");
        sandbox.edit(file, "1", "2");
        assert_eq!(states(&sandbox)[0], then, "{file}\n{test}");
    }
}
