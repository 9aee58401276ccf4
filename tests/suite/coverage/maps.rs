//! The stored coverage: one for each configuration, updated, and taken to another machine.

use super::selection::selected;
use super::workspace;
use crate::kit::{Sandbox, nextest_for};

/// Two functions, each with a test that writes a line to a file when it runs. The tests run at the same time, so each line is one write.
fn counting() -> Sandbox {
    let sandbox = Sandbox::package();
    sandbox
        .append("Cargo.toml", "\n[features]\nmore = []\n\n[lib]\ndoctest = false\n")
        .write(
            "src/lib.rs",
            "pub fn one() -> u32 {\n    1\n}\n\npub fn two() -> u32 {\n    2\n}\n\n#[cfg(test)]\nmod tests {\n    \
             fn ran(name: &str) {\n        use std::io::Write;\n        \
             let file = std::fs::File::options().append(true).create(true).open(\"target/ran\");\n        \
             file.unwrap().write_all(format!(\"{name}\\n\").as_bytes()).unwrap();\n    }\n\n    \
             #[test]\n    fn first() {\n        ran(\"first\");\n        assert_eq!(super::one(), 1);\n    }\n\n    \
             #[test]\n    fn second() {\n        ran(\"second\");\n        assert_eq!(super::two(), 2);\n    }\n}\n",
        )
        .remove("tests/it.rs");
    sandbox.git();
    sandbox
}

/// The tests that ran since the last call, sorted.
fn ran(sandbox: &Sandbox) -> Vec<String> {
    let text = sandbox.read("target/ran");
    sandbox.write("target/ran", "");
    let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
    names.sort();
    names
}

const BASE: &str = "affected --base HEAD";

#[test]
fn update_runs_only_tests_that_a_change_can_affect() {
    if !nextest_for("update_runs_only_tests_that_a_change_can_affect") {
        return;
    }
    let sandbox = counting();
    sandbox
        .poc("affected --collect --update")
        .exits(0)
        .says("all tests run: no coverage is collected")
        .says("Observed 2 of 2 tests");
    assert_eq!(ran(&sandbox), ["first", "second"]);
    sandbox.edit(
        "src/lib.rs",
        "    1\n}\n\npub fn two",
        "    2 - 1\n}\n\npub fn two",
    );
    sandbox
        .poc("affected --collect --update")
        .exits(0)
        .says("Kept 1 test from the earlier collection")
        .says("Observed 2 of 2 tests");
    assert_eq!(ran(&sandbox), ["first"]);
    sandbox
        .poc("affected --audit")
        .exits(0)
        .prints("0 missed of 6 pairs");
    // The stored coverage is that of the new state.
    assert_eq!(selected(&sandbox, BASE), Vec::<String>::new());
    sandbox.edit("src/lib.rs", "    2\n}", "    1 + 1\n}");
    assert_eq!(selected(&sandbox, BASE), ["app tests::second"]);
    sandbox.edit("src/lib.rs", "    2 - 1\n", "    3 - 2\n");
    sandbox
        .poc("affected --collect --update")
        .exits(0)
        .hides("Kept 1");
    assert_eq!(ran(&sandbox), ["first", "second"]);
}

#[test]
fn each_configuration_has_its_coverage() {
    if !nextest_for("each_configuration_has_its_coverage") {
        return;
    }
    let sandbox = counting();
    sandbox.poc("affected --collect").exits(0);
    sandbox.edit(
        "src/lib.rs",
        "    1\n}\n\npub fn two",
        "    2 - 1\n}\n\npub fn two",
    );
    assert_eq!(selected(&sandbox, BASE), ["app tests::first"]);
    let all_features = format!("{BASE} --all-features");
    sandbox.poc("affected --collect --all-features").exits(0);
    sandbox.poc(&all_features).exits(0).hides("not used");
    assert_eq!(selected(&sandbox, &all_features), Vec::<String>::new());
    assert_eq!(selected(&sandbox, BASE), ["app tests::first"]);
}

#[test]
fn fresh_clone_selects_as_the_machine_that_collected() {
    if !nextest_for("fresh_clone_selects_as_the_machine_that_collected") {
        return;
    }
    let sandbox = workspace();
    sandbox
        .poc("affected --collect --export target/map")
        .exits(0)
        .says("Exported target/map");
    let clone = Sandbox::empty();
    let name = clone.root.join("clone");
    clone.run_git(&["clone", "--quiet", sandbox.root.as_str(), name.as_str()]);
    let map = std::fs::read(sandbox.root.join("target/map")).unwrap();
    clone.write("map", &map[..map.len() - 1]);
    clone
        .poc_in("clone", "affected --import ../map")
        .exits(4)
        .says("cannot use the coverage in ../map")
        .says("it is damaged");
    clone.write("map", &map);
    clone
        .poc_in("clone", "affected --import ../map")
        .exits(0)
        .says("Imported the coverage of 6 tests from ../map");
    let from_sources = clone.poc_in("clone", &format!("{BASE} --no-observed --format names"));
    for (old, new) in [
        ("\"said\"\n", "\"sai\"\n"),
        ("let more = number + 1;", "let more = 1 + number;"),
    ] {
        sandbox.edit("src/lib.rs", old, new);
        clone.edit("clone/src/lib.rs", old, new);
        let here = sandbox.poc(&format!("{BASE} --format names"));
        let there = clone.poc_in("clone", &format!("{BASE} --format names"));
        assert_eq!(here.exits(0).stdout, there.exits(0).stdout);
        assert!(!there.stdout.is_empty());
        assert_ne!(there.stdout, from_sources.stdout);
        there.says("executed nothing that changed");
    }
    clone.poc_in("clone", "affected --import ../none").exits(4);
    sandbox.poc("affected --update").exits(2);
    sandbox
        .poc("affected --import target/map --base HEAD")
        .exits(2);
}

#[test]
fn variable_that_any_source_names_is_a_condition() {
    if !nextest_for("variable_that_any_source_names_is_a_condition") {
        return;
    }
    let sandbox = Sandbox::package();
    sandbox
        .append("Cargo.toml", "\n[lib]\ndoctest = false\n")
        // No function is in the file that names the variable, and its value is used in another function than the one that reads it.
        .write("src/names.rs", "pub const MODE: &str = \"APP_MODE\";\n")
        .write(
            "src/lib.rs",
            "mod names;\n\npub struct Settings {\n    pub fast: bool,\n    pub proxy: bool,\n}\n\npub fn settings() -> Settings {\n    \
             Settings {\n        fast: std::env::var_os(names::MODE).is_some(),\n        \
             proxy: std::env::var(\"app_proxy\").is_ok(),\n    }\n}\n\n\
             pub fn speed(settings: &Settings) -> u32 {\n    if settings.fast { fast() } else { 1 }\n}\n\n\
             pub fn fast() -> u32 {\n    1\n}\n\n\
             #[test]\nfn speeds() {\n    assert_eq!(speed(&settings()), 1);\n}\n",
        )
        .remove("tests/it.rs");
    sandbox.git();
    sandbox.poc("affected --collect").exits(0);
    sandbox.edit(
        "src/lib.rs",
        "fast() -> u32 {\n    1",
        "fast() -> u32 {\n    2",
    );
    sandbox.poc(BASE).exits(0).hides("another value");
    for name in ["APP_MODE", "app_proxy"] {
        let mut command = sandbox.command(crate::kit::PROGRAM);
        command.args(BASE.split(' ')).env(name, "1");
        crate::kit::finish(command, BASE)
            .exits(0)
            .says(&format!("another value of the environment variable {name}"));
    }
}
