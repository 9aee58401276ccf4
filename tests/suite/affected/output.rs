//! Formats of the selection, and arguments for test runners.

use super::*;

#[test]
fn summary_names_the_rules() {
    let sandbox = workspace();
    sandbox.edit("store/src/lib.rs", "    42\n", "    40 + 2\n");
    sandbox.poc("affected").prints(", by 1 changed item, 0.");
    sandbox.write("app/data/words.txt", "x");
    let prints = ", by 1 changed item, in the package's folder, 0.";
    sandbox.poc("affected").prints(prints);
}

#[test]
fn json_is_the_documented_format() {
    let sandbox = workspace();
    change_the_test(&sandbox, "store");
    let json = sandbox.poc("affected --format json").exits(0).json();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "base", "doctests", "seconds", "selected", "tests", "total", "version"
        ]
    );
    assert_eq!(json["version"], 1);
    assert_eq!(json["base"], sandbox.run_git(&["rev-parse", "HEAD"]));
    assert_eq!((&json["total"], &json["selected"]), (&21.into(), &1.into()));
    assert_eq!(
        json["tests"],
        serde_json::json!([{
            "package": "store", "binary": "store::it", "test": "integration",
            "reasons": ["it::integration"],
        }])
    );
    assert_eq!(json["doctests"], serde_json::json!([]));
    let given = sandbox
        .poc("affected --files store/src/lib.rs --format json")
        .json();
    assert!(given["base"].is_null(), "{given}");
    assert_eq!(given["doctests"].as_array().unwrap().len(), 5);
}

#[test]
fn arguments_run_exactly_the_selection() {
    let sandbox = workspace();
    change_the_test(&sandbox, "store");
    let run = sandbox.shell("cargo test --offline $(cargo poc affected --format args)");
    run.exits(0).prints("test integration ... ok").hides("unit");
    assert_eq!(run.stdout.matches("running ").count(), 1, "{run}");
    rule_the_library(&sandbox, "user/src/lib.rs");
    sandbox.run_git(&["checkout", "--quiet", "store"]);
    let run = sandbox.shell("cargo test --offline $(cargo poc affected --format args)");
    run.exits(0)
        .prints("test tests::unit ... ok")
        .prints("test integration ... ok")
        .prints("user/src/lib.rs - answer (line 6) ... ok");
    assert_eq!(run.stdout.matches("running ").count(), 3, "{run}");
}

#[test]
fn arguments_for_test_targets_in_several_packages_run_nothing_else() {
    let sandbox = workspace();
    sandbox
        .write("user/tests/only.rs", "#[test]\nfn only() {}\n")
        .commit("one more");
    sandbox.edit("user/tests/only.rs", "only() {}", "only() { drop(1) }");
    change_the_test(&sandbox, "store");
    let run = sandbox.poc("affected --format args");
    run.exits(0);
    // cargo applies the name of a target to every named package, so the target `it` of `user` runs as well, with a note.
    assert_eq!(
        run.stdout,
        "-p store -p user --test it --test only -- --exact integration only\n"
    );
    run.says("1 test target more");
}

#[test]
fn nothing_affected_runs_nothing() {
    let sandbox = workspace();
    let run = sandbox.shell("cargo test --offline $(cargo poc affected --format args)");
    run.exits(0).says("no test is affected").hides("... ok");
    let filterset = sandbox.poc("affected --format nextest");
    assert_eq!(filterset.stdout, "none()\n");
}

#[test]
fn named_packages_run_as_many_tests_as_the_workspace() {
    let sandbox = Sandbox::workspace("store; app: store; free");
    sandbox.append("store/Cargo.toml", "\n[features]\nextra = []\n");
    sandbox.append(
        "store/src/lib.rs",
        "#[cfg(all(test, feature = \"extra\"))]\n#[test]\nfn extra() {}\n",
    );
    sandbox.edit(
        "app/Cargo.toml",
        "path = \"../store\"",
        "path = \"../store\"\nfeatures = [\"extra\"]",
    );
    sandbox.git();
    // Only store is selected, but app asks for a feature of it that a run of the workspace has.
    let run = sandbox.poc("affected --files store/tests/it.rs store/tests/data --format args");
    assert_eq!(run.stdout, "-p store --features store/extra\n");
    let run = sandbox.shell("cargo test --offline --lib -p store --features store/extra");
    run.exits(0).prints("test extra ... ok");
}

#[test]
fn nextest_filterset_names_binaries_and_a_warning_names_doctests() {
    let sandbox = workspace();
    rule_the_library(&sandbox, "user/src/lib.rs");
    let run = sandbox.poc("affected --format nextest");
    run.exits(0).says("cargo test --doc");
    assert_eq!(run.stdout, "package(=user)\n");
    let installed = sandbox.shell("cargo nextest --version");
    assert!(
        installed.code == 0 || std::env::var_os("CI").is_none(),
        "CI must have cargo-nextest"
    );
    if installed.code != 0 {
        eprintln!("left out: cargo-nextest is not installed");
        return;
    }
    let run = sandbox.shell(
        "cargo nextest run --offline -E \"$(cargo poc affected --format nextest 2>/dev/null)\"",
    );
    run.exits(0).says("2 tests run: 2 passed");
}
