//! Selection with coverage.

use super::workspace;
use crate::kit::{Sandbox, nextest_for};

/// Selected tests, as `binary test`.
pub(super) fn selected(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let run = sandbox.poc(&format!("{line} --format names"));
    run.exits(0);
    let names = run.stdout.lines().map(|line| {
        if line == "ALL" {
            return line.to_owned();
        }
        let mut words = line.split('\t').skip(1);
        let (Some(binary), Some(test)) = (words.next(), words.next()) else {
            panic!("no test of a binary: {line}");
        };
        format!("{binary} {test}")
    });
    names.collect()
}

/// `either` with two branches, and tests of which only some run a given branch.
const BRANCHES: &str = "\npub fn either(go: bool) -> u32 {\n    if go { chosen() } else { 0 }\n}\n\nfn chosen() -> u32 {\n    1\n}\n\n\
         const fn fixed() -> u32 {\n    1\n}\n\npub const FIXED: u32 = fixed();\n\n#[cfg(test)]\nmod more {\n    #[test]\n    fn goes() {\n        \
         assert_eq!(super::either(true), 1);\n    }\n\n    #[test]\n    fn stays() {\n        assert_eq!(super::either(false), 0);\n    \
         }\n\n    #[test]\n    #[should_panic]\n    fn fails() {\n        super::either(true);\n    }\n\n    #[test]\n    fn counts() {\n        \
         assert_eq!(super::FIXED, 1);\n    }\n\n    #[test]\n    fn builds() {\n        \
         std::process::Command::new(env!(\"CARGO\")).arg(\"--version\").status().unwrap();\n    }\n}\n";

#[test]
fn changed_body_selects_tests_that_ran_it_or_have_no_coverage() {
    if !nextest_for("changed_body_selects_tests_that_ran_it_or_have_no_coverage") {
        return;
    }
    let sandbox = workspace();
    // Both tests lead to `either`, and one runs it.
    sandbox.append("src/lib.rs", BRANCHES);
    sandbox.commit("more");
    sandbox.poc("affected --collect").exits(0);
    sandbox.run_git(&["checkout", "--quiet", "-b", "work"]);
    let base = "affected --base HEAD";
    assert_eq!(selected(&sandbox, base), Vec::<String>::new());

    sandbox.edit(
        "src/lib.rs",
        "fn chosen() -> u32 {\n    1\n}",
        "fn chosen() -> u32 {\n    1 + 0\n}",
    );
    let all = [
        "app more::builds",
        "app more::fails",
        "app more::goes",
        "app more::stays",
    ];
    assert_eq!(selected(&sandbox, &format!("{base} --no-observed")), all);
    // `fails` did not fail as it should, so nothing is known of it; what cargo ran for `builds` was not observed.
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::fails", "app more::goes"]
    );
    sandbox
        .poc(base)
        .exits(0)
        .says("1 test that executed nothing that changed");

    // Committed or not, it is the same change since the suite was run.
    sandbox.commit("changed");
    assert_eq!(
        selected(&sandbox, "affected --base HEAD~1"),
        ["app more::builds", "app more::fails", "app more::goes"]
    );

    sandbox
        .poc("verify --no-record --runner nextest")
        .exits(1)
        .says("1 test that executed nothing that changed")
        .says("more::fails")
        .hides("more::stays");
    // A test that failed stays selected, whatever changes; these are other questions.
    sandbox.remove("target/cargo-poc/failed.json");

    // What else changes is judged by the sources, and by them alone.
    sandbox.edit(
        "src/lib.rs",
        "fn chosen() -> u32 {",
        "#[inline(never)]\nfn chosen() -> u32 {",
    );
    assert_eq!(selected(&sandbox, base), all);
    sandbox.edit("src/lib.rs", "#[inline(never)]\n", "");
    assert_eq!(selected(&sandbox, base), Vec::<String>::new());
    sandbox.edit(
        "src/lib.rs",
        "const fn fixed() -> u32 {\n    1",
        "const fn fixed() -> u32 {\n    1 + 0",
    );
    // `goes` executed a function that uses the constant, so no profile shows that it does not read it.
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::counts", "app more::goes"]
    );
    sandbox.edit("src/lib.rs", "1 + 0\n}\n\npub const", "1\n}\n\npub const");

    // With another toolchain's or other features' runs nothing is left out.
    sandbox.edit(
        "src/lib.rs",
        "    if go { chosen()",
        "    if !!go { chosen()",
    );
    assert_eq!(selected(&sandbox, base), all);
    sandbox.edit(
        "src/lib.rs",
        "    if !!go { chosen()",
        "    if go { chosen()",
    );
    sandbox.edit("src/lib.rs", "    1 + 0\n}", "    2 - 1\n}");
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::fails", "app more::goes"]
    );
    sandbox.poc("affected --collect --all-features").exits(0);
    sandbox.edit("src/lib.rs", "    2 - 1\n}", "    3 - 2\n}");
    assert_eq!(
        selected(&sandbox, base),
        ["app more::builds", "app more::fails", "app more::goes"]
    );
    sandbox
        .poc(&format!("{base} --all-features"))
        .exits(0)
        .hides("coverage is collected");
    sandbox
        .poc(&format!("{base} --no-default-features"))
        .exits(0)
        .says("coverage is collected for another configuration");
    sandbox.write("target/cargo-poc/observed", "nothing of ours");
    sandbox
        .poc(base)
        .exits(0)
        .says("selecting from the sources alone");
    assert_eq!(selected(&sandbox, base), all);
}

#[test]
fn tests_of_a_procedural_macro_have_the_id_of_nextest() {
    if !nextest_for("tests_of_a_procedural_macro_have_the_id_of_nextest") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox
        .append("Cargo.toml", "\n[lib]\nproc-macro = true\n")
        .write(
            "src/lib.rs",
            "fn helper() -> u32 {\n    1\n}\n\n#[test]\nfn helps() {\n    assert_eq!(helper(), 1);\n}\n",
        )
        .remove("tests/it.rs")
        .git();
    super::the_only_test_runs_two_functions(&sandbox);
    // Every item has changed: nothing was audited, which does not count as passed.
    sandbox.write(
        "src/lib.rs",
        "fn other() -> u32 {\n    2\n}\n\n#[test]\nfn does() {\n    assert_eq!(other(), 2);\n}\n",
    );
    sandbox
        .poc("affected --audit")
        .exits(4)
        .says("nothing was audited")
        .says("run `cargo poc affected --collect` again");
}

#[test]
fn the_formats_of_a_selection_are_not_those_of_an_audit() {
    let sandbox = Sandbox::package();
    sandbox.poc("affected --audit --format names").exits(2);
    sandbox.poc("affected --audit --base HEAD").exits(2);
    sandbox.poc("affected -- --all-features").exits(2);
}

#[test]
fn tests_that_were_collected_with_another_build_run_again() {
    if !nextest_for("tests_that_were_collected_with_another_build_run_again") {
        return;
    }
    let sandbox = workspace();
    sandbox
        .poc("affected --collect")
        .exits(0)
        .says("Observed 6 of 9 tests");
    // Another program in front of rustc is another build to cargo, and functions get other names.
    let name = format!("target/other{}", std::env::consts::EXE_SUFFIX);
    let other = sandbox.root.join(name);
    std::fs::copy(crate::kit::PROGRAM, &other).unwrap();
    let mut command = sandbox.command(other.as_str());
    command.args(["affected", "--collect"]);
    crate::kit::finish(command, "affected --collect")
        .exits(0)
        .says("Observed 6 of 9 tests")
        .hides("from an interrupted run");
}

#[test]
fn missing_profile_or_environment_dependency_prevents_narrowing() {
    if !nextest_for("missing_profile_or_environment_dependency_prevents_narrowing") {
        return;
    }
    let sandbox = Sandbox::empty();
    sandbox.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[[test]]\nname = \"own\"\nharness = false\n",
    );
    sandbox.write(".gitignore", "target\n*.profraw\n");
    sandbox.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n",
    );
    sandbox.write(
        "src/main.rs",
        "fn main() { println!(\"{}\", text()) }\nfn text() -> &'static str { \"hi\" }\n",
    );
    sandbox.write(
        "src/lib.rs",
        "pub fn slow() -> u32 { 1 }\npub fn fast() -> u32 { 1 }\npub fn pick() -> u32 { if std::env::var_os(\"APP_FAST\").is_some() { fast() } \
         else { slow() } }\n#[test] fn picks() { assert_eq!(pick(), 1) }\npub fn branch(go: bool) -> u32 { if go { fast() } else { slow() } }\n\
         #[test] fn branches() { assert_eq!(branch(false), 1) }\n",
    );
    sandbox.write(
        "tests/run.rs",
        "use std::process::Command;\nconst APP: &str = env!(\"CARGO_BIN_EXE_app\");\n#[test] fn cleared() { \
         assert!(Command::new(APP).env_clear().status().unwrap().success()) }\n#[test] fn through() { \
         assert!(Command::new(\"env\").args([\"-i\", APP]).status().unwrap().success()) }\n#[test] fn plain() { \
         assert!(Command::new(APP).status().unwrap().success()) }\n#[test] fn version() { Command::new(\"rustfmt\").arg(\"-V\").status().ok(); }\n\
         #[test] fn other() {}\n",
    );
    // A custom harness that prints no list of tests.
    sandbox.write("tests/own.rs", "fn main() { println!(\"running all\") }\n");
    sandbox.git();
    sandbox.poc("affected --collect").exits(0);
    let base = "affected --base HEAD";
    assert_eq!(selected(&sandbox, base), Vec::<String>::new());

    sandbox.edit("src/main.rs", "{ \"hi\" }", "{ \"ho\" }");
    // `version` may have started the program as well: nothing proves that it did not.
    assert_eq!(
        selected(&sandbox, base),
        [
            "app::run cleared",
            "app::run plain",
            "app::run through",
            "app::run version"
        ]
    );
    sandbox.edit("src/main.rs", "{ \"ho\" }", "{ \"hi\" }");

    sandbox.edit(
        "src/lib.rs",
        "fast() -> u32 { 1 }",
        "fast() -> u32 { 2 - 1 }",
    );
    assert_eq!(selected(&sandbox, base), Vec::<String>::new());
    let with = |name: &str, value: &str| {
        let line = format!("{base} --format names");
        let mut command = sandbox.command(crate::kit::PROGRAM);
        command.args(line.split(' ')).env(name, value);
        crate::kit::finish(command, &line)
    };
    // `pick` may read any variable, by a name that no source contains.
    let run = with("OTHER", "1");
    assert_eq!(run.exits(0).stdout, "app\tapp\tpicks\n");
    run.says("more tests may be left out with the variables of the collection: `OTHER` differs");
    // Differs in each shell, and even between two commands.
    assert_eq!(with("SHLVL", "7").exits(0).stdout, "");
    with("APP_FAST", "1")
        .exits(0)
        .says("another value of the environment variable APP_FAST");
    // Tests that a later collection keeps have run with the variables of the earlier one.
    let mut update = sandbox.command(crate::kit::PROGRAM);
    update
        .args(["affected", "--collect", "--update"])
        .env("OTHER", "1");
    crate::kit::finish(update, "affected --collect --update").exits(0);
    sandbox.edit("src/lib.rs", "{ 2 - 1 }", "{ 3 - 2 }");
    assert_eq!(with("OTHER", "1").exits(0).stdout, "app\tapp\tpicks\n");
}
