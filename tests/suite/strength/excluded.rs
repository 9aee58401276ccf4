//! Changed code without a judged mutant: settings of cargo-mutants, packages that are not built, and code that cargo-mutants does not read.

use serde_json::{Value, json};

use super::{CHANGED, sandbox, strength};
use crate::formats::{fits, schema};
use crate::kit::{Sandbox, mutants_for};

fn report(sandbox: &Sandbox, more: &str) -> Value {
    let run = strength(sandbox, more);
    let report = run.exits(0).json();
    fits(&schema("verify"), &report);
    report["strength"].clone()
}

/// The code without the functions that tests of other outcomes need.
fn larger() -> String {
    let (functions, tests) = CHANGED.split_once("#[cfg(test)]").unwrap();
    let larger = functions.split("pub fn count").next().unwrap();
    let test = tests.split("    #[test]\n    fn count").next().unwrap();
    format!("{larger}#[cfg(test)]{test}}}\n")
}

#[test]
fn excluded_mutants_are_named_and_count_as_not_killed() {
    if !mutants_for("excluded_mutants_are_named_and_count_as_not_killed") {
        return;
    }
    let skipped =
        "\n#[cfg_attr(never, mutants :: skip)]\npub fn skipped(n: u32) -> bool {\n    n > 3\n}\n";
    let sandbox = sandbox(&format!("{}{skipped}", larger()));
    let before = report(&sandbox, "");
    assert_eq!(
        (&before["killed"], &before["viable"]),
        (&json!(4), &json!(5))
    );
    let entry = |place: &str, function: &str, mutants: u32| json!({"place": format!("base/src/lib.rs:{place}"), "function": function, "mutants": mutants, "why": "settings"});
    let skipped = entry("36:5", "skipped", 5);
    assert_eq!(before["excluded"], json!([skipped]));
    for setting in [
        "exclude_re = [\"replace > with\"]",
        "examine_re = [\"replace larger\"]",
    ] {
        sandbox.write(".cargo/mutants.toml", format!("{setting}\n"));
        let known = report(&sandbox, "");
        assert_eq!(
            (&known["killed"], &known["viable"]),
            (&json!(2), &json!(2)),
            "{setting}"
        );
        assert_eq!(
            known["excluded"],
            json!([entry("21:10", "larger", 3), skipped]),
            "{setting}"
        );
    }
    strength(&sandbox, "").says(
        "excluded base/src/lib.rs:21:10 in larger: 3 mutants, by `.cargo/mutants.toml` or `mutants::skip`",
    );
    for setting in [
        "exclude_globs = [\"base/**\"]",
        "examine_globs = [\"app/**\"]",
    ] {
        sandbox.write(".cargo/mutants.toml", format!("{setting}\n"));
        strength(&sandbox, "").exits(4).prints(
            "all mutants of the change are excluded, so its strength is not known: base/src/lib.rs:21:5 in larger: 5 mutants, by ",
        );
    }
}

#[test]
fn mutants_of_packages_that_are_not_built_are_named() {
    if !mutants_for("mutants_of_packages_that_are_not_built_are_named") {
        return;
    }
    let sandbox = sandbox(&larger());
    let manifest = "\n[workspace.metadata.poc.configurations.base]\npackages = [\"base\"]\n";
    sandbox
        .append("Cargo.toml", manifest)
        .append(
            "app/src/lib.rs",
            "\npub fn same(a: u32) -> bool {\n    a == 1\n}\n\ninclude!(\"more.rs\");\n",
        )
        .write("app/src/more.rs", "pub fn more() -> bool {\n    true\n}\n");
    let known = report(&sandbox, "--config base");
    assert_eq!((&known["killed"], &known["viable"]), (&json!(4), &json!(5)));
    let excluded = known["excluded"].as_array().unwrap();
    assert_eq!(excluded.len(), 1, "{excluded:?}");
    assert_eq!(excluded[0]["function"], "same");
    assert_eq!(excluded[0]["mutants"], 3);
    assert_eq!(excluded[0]["why"], "configuration");
    assert_eq!(known["unread"], json!(["app/src/more.rs"]));
}

/// A file of which the configuration compiles only some items.
#[test]
fn items_that_are_not_compiled_do_not_hide_others() {
    if !mutants_for("items_that_are_not_compiled_do_not_hide_others") {
        return;
    }
    let sandbox = Sandbox::workspace("base");
    let never = "\n#[cfg(never)]\npub fn never() -> u32 {\n    1\n}\n";
    sandbox.append("base/src/lib.rs", never);
    sandbox.git();
    let code = larger();
    // Nothing follows the function.
    let (function, test) = code.split_once("#[cfg(test)]").unwrap();
    sandbox.append(
        "base/src/lib.rs",
        &format!("\n#[cfg(never)]\npub mod far;\n\n#[cfg(test)]{test}{function}"),
    );
    sandbox.write(
        "base/src/far.rs",
        "//! F.\n\n/// F.\npub fn far() -> bool {\n    true\n}\n",
    );
    let known = report(&sandbox, "");
    assert_eq!((&known["killed"], &known["viable"]), (&json!(4), &json!(6)));
    // cargo-mutants does not evaluate `cfg`.
    let survivors = known["survivors"].as_array().unwrap().iter();
    let functions: Vec<&str> = survivors
        .map(|one| one["function"].as_str().unwrap())
        .collect();
    assert_eq!(functions, ["far", "larger"]);
}

/// Code that only tests compile needs no mutants.
#[test]
fn code_that_cargo_mutants_does_not_read_is_named() {
    if !mutants_for("code_that_cargo_mutants_does_not_read_is_named") {
        return;
    }
    let code = r#"
include!("included.rs");
#[path = "named.rs"]
pub mod by_path;
#[path = "../outside.rs"]
pub mod outside;
#[cfg_attr(all(), path = "conditional.rs")]
pub mod by_condition;
#[cfg(test)]
mod checks;
#[cfg(test)]
#[path = "../tests/helper/mod.rs"]
mod helper;
include!(concat!(env!("OUT_DIR"), "/made.rs"));

macro_rules! same {
    ($name:ident) => {
        pub fn $name() -> bool {
            true
        }
    };
}
same!(yes);
macro_rules! items {
    ($($item:item)*) => { $($item)* };
}
items! {
    pub fn inside() -> bool {
        true
    }
}
#[cfg(test)]
macro_rules! of_tests {
    () => { assert!(super::yes()) };
}
thread_local! {
    pub static CELL: std::cell::Cell<u32> = const { std::cell::Cell::new(1) };
}
"#;
    let sandbox = sandbox(&format!("{code}{}", larger()));
    let function = |name: &str| format!("pub fn {name}() -> bool {{\n    true\n}}\n");
    sandbox
        .write("base/src/included.rs", function("included"))
        .write("base/src/named.rs", function("named"))
        .write("base/outside.rs", function("outside"))
        .write("base/src/conditional.rs", function("conditional"))
        .write("base/src/checks.rs", function("check"))
        .write("base/tests/helper/mod.rs", function("help"))
        .write("base/tests/it.rs", "mod helper;\n\n#[test]\nfn helps() {\n    assert!(helper::help());\n}\n")
        .write("base/examples/shown.rs", "fn main() {\n    assert!(base::by_path::named());\n}\n")
        .write("base/build.rs", "fn main() {\n    let folder = std::env::var(\"OUT_DIR\").unwrap();\n    std::fs::write(folder + \"/made.rs\", \"pub fn made() -> bool { true }\").unwrap();\n}\n");
    let known = report(&sandbox, "");
    assert_eq!(known["excluded"], json!([]));
    let text = sandbox.read("base/src/lib.rs");
    let line = |code: &str| {
        let before = text.split(code).next().unwrap();
        format!("base/src/lib.rs:{}", before.matches('\n').count() + 1)
    };
    assert_eq!(
        known["unread"],
        json!([
            "base/build.rs",
            "base/outside.rs",
            "base/src/conditional.rs",
            "base/src/included.rs",
            line("macro_rules! same"),
            line("same!(yes)"),
            line("macro_rules! items"),
            line("pub fn inside"),
        ])
    );
    // `named` has one mutant.
    assert_eq!((&known["killed"], &known["viable"]), (&json!(4), &json!(6)));
}
