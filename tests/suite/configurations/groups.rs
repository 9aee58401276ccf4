//! Packages that exclude each other, and packages that compile in no build.

use super::detected::excluding;
use crate::kit::{Sandbox, nextest_for};

#[test]
fn a_plan_for_packages_that_exclude_each_other_is_tested_in_each_required_configuration() {
    let nextest = nextest_for("a plan for packages that exclude each other");
    for runner in ["cargo"].into_iter().chain(nextest.then_some("nextest")) {
        let sandbox = excluding();
        sandbox.append(
            "Cargo.toml",
            &format!("[workspace.metadata.poc]\nrunner = \"{runner}\"\n\n[workspace.metadata.poc.configurations.release]\nprofile = \"release\"\n"),
        );
        sandbox.commit("a configuration");
        sandbox
            .poc("init one -p base --file base/src/lib.rs --size full")
            .exits(0)
            .says("Affected ~3 of ~3 tests");
        let plan = sandbox.read("docs/one-plan.md");
        assert!(!plan.contains("--workspace"), "{plan}");
        sandbox
            .poc("verify one --baseline")
            .exits(0)
            .prints("3 passed");
        sandbox.poc("status one").exits(0).hides("POC012");
        sandbox
            .poc("init two -p base --file base/src/lib.rs --require default --require release")
            .exits(0);
        sandbox
            .poc("verify two --baseline")
            .exits(0)
            .prints("6 passed");
        sandbox
            .poc("status two")
            .exits(0)
            .hides("POC090")
            .hides("POC082");
    }
}

/// Adds a member that enables both features, so that it compiles in no configuration.
fn add_broken(sandbox: &Sandbox) {
    sandbox
        .edit("Cargo.toml", "\"app-b\"]", "\"app-b\", \"both\"]")
        .write(
            "both/Cargo.toml",
            "[package]\nname = \"both\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n\
             base = { path = \"../base\", features = [\"a\", \"b\"] }\n",
        )
        .write(
            "both/src/lib.rs",
            "#[test]\nfn own_both() {\n    base::common();\n}\n",
        )
        .lock_with_cargo()
        .commit("both");
}

#[test]
fn init_writes_no_command_that_cannot_succeed() {
    let sandbox = excluding();
    let place = "base/src/lib.rs:2 is a `compile_error!` for its features";
    sandbox
        .poc("init one -p base --all-features")
        .exits(2)
        .says("`base` does not compile in the configuration --all-features")
        .says(place);
    assert!(!sandbox.exists("docs/one-plan.md"));
    add_broken(&sandbox);
    sandbox
        .poc("init one -p base --file base/src/lib.rs --size full")
        .exits(0)
        .says("the tests of `both` are left out")
        .says(place);
    let plan = sandbox.read("docs/one-plan.md");
    assert!(!plan.contains("-p both"), "{plan}");
    sandbox
        .poc("verify one --baseline")
        .exits(0)
        .prints("3 passed");
}

#[test]
fn features_that_exclude_each_other_by_a_macro_are_found() {
    for check in [
        "macro_rules! exclude {\n    ($one:literal, $other:literal) => {\n        #[cfg(all(feature = $one, feature = $other))]\n        \
         compile_error!(\"choose one\");\n    };\n}\nexclude!(\"a\", \"b\");\n",
        "macro_rules! cfg_if {\n    (if #[cfg($meta:meta)] { $($item:item)* } else { $($other:item)* }) => {\n        \
         $(#[cfg($meta)] $item)*\n        $(#[cfg(not($meta))] $other)*\n    };\n}\n\
         cfg_if! {\n    if #[cfg(all(feature = \"a\", feature = \"b\"))] {\n        compile_error!(\"choose one\");\n    } else {\n        \
         pub fn only_one() {}\n    }\n}\n",
    ] {
        let sandbox = excluding();
        sandbox.edit(
            "base/src/lib.rs",
            "#[cfg(all(feature = \"a\", feature = \"b\"))]\ncompile_error!(\"choose one of a and b\");\n",
            check,
        );
        sandbox
            .shell("cargo test --offline --workspace --no-run")
            .exits(101);
        sandbox
            .poc("verify --full --runner cargo --no-record")
            .exits(0)
            .prints("3 passed");
    }
}

#[test]
fn a_baseline_names_features_that_may_exclude_each_other() {
    let sandbox = excluding();
    sandbox
        .edit(
            "base/src/lib.rs",
            "#[cfg(all(feature = \"a\", feature = \"b\"))]\ncompile_error!(\"choose one of a and b\");\n",
            "",
        )
        .write(
            "base/build.rs",
            "fn main() {\n    let on = |name: &str| std::env::var_os(name).is_some();\n    \
             assert!(!(on(\"CARGO_FEATURE_A\") && on(\"CARGO_FEATURE_B\")), \"choose one\");\n}\n",
        )
        .commit("a build script");
    sandbox
        .poc("init one -p base --file base/src/lib.rs")
        .exits(0);
    sandbox.commit("a plan");
    let baseline = || sandbox.poc("verify one --baseline");
    baseline().exits(1).says(
        "`base` is built with the features `a` (app-a) and `b` (app-b) at once; if they exclude each other, add a configuration \
         with `packages` for each",
    );
    sandbox.append(
        "Cargo.toml",
        "[workspace.metadata.poc.configurations.fast]\nprofile = \"release\"\n\n\
         [workspace.metadata.poc.configurations.only-a]\npackages = [\"app-a\", \"base\"]\n",
    );
    baseline()
        .exits(1)
        .says("the configuration only-a may work");
}

#[test]
fn an_archive_of_one_group_is_not_the_whole_suite() {
    if !nextest_for("archives of packages that exclude each other") {
        return;
    }
    let sandbox = excluding();
    sandbox.append(
        "Cargo.toml",
        "[workspace.metadata.poc.configurations.only-b]\npackages = [\"app-b\"]\n",
    );
    sandbox.commit("a configuration");
    sandbox
        .shell("cargo nextest archive --offline -p app-b --archive-file target/b.tar.zst")
        .exits(0);
    let full = |more: &str| {
        sandbox.poc(&format!(
            "verify --full --runner nextest {more} -- --archive-file target/b.tar.zst"
        ))
    };
    full("")
        .exits(2)
        .says("target/b.tar.zst lacks app-a, base, whose tests are selected");
    full("--config only-b").exits(0).prints("1 passed");
}
