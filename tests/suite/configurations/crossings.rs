//! Configurations together with coverage, earlier commits, target runners and wrappers of rustc.

use super::detected::excluding;
use super::targets::host;
use crate::kit::{Run, Sandbox, nextest_for};

/// A library whose tests differ with the feature `extra`, which the other member enables, and with the option `special`.
fn sandbox(settings: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            format!("[workspace]\nmembers = [\"base\", \"app\"]\nresolver = \"2\"\n{settings}"),
        )
        .write(
            "base/Cargo.toml",
            "[package]\nname = \"base\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[features]\nextra = []\n\n\
             [lints.rust]\nunexpected_cfgs = \"allow\"\n",
        )
        .write(
            "base/src/lib.rs",
            "pub fn value() -> u32 {\n    if cfg!(special) {\n        special()\n    } else if cfg!(feature = \"extra\") {\n        \
             extra()\n    } else {\n        plain()\n    }\n}\n\npub fn special() -> u32 {\n    1 // special\n}\n\n\
             pub fn extra() -> u32 {\n    1 // extra\n}\n\npub fn plain() -> u32 {\n    1 // plain\n}\n\n\
             #[test]\nfn any_value() {\n    assert_eq!(value(), 1);\n}\n\n\
             #[cfg(special)]\n#[test]\nfn special_value() {\n    assert_eq!(special(), 1);\n}\n",
        )
        .write(
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n\
             base = { path = \"../base\", features = [\"extra\"] }\n",
        )
        .write(
            "app/src/lib.rs",
            "#[test]\nfn app_value() {\n    assert_eq!(base::value(), 1);\n}\n",
        )
        .lock_with_cargo()
        .git();
    sandbox
}

const CONFIGURATIONS: &str = "[workspace.metadata.poc.configurations.plain]\n\n[workspace.metadata.poc.configurations.special]\n\
    environment = { RUSTFLAGS = \"--cfg special\" }\n\n[workspace.metadata.poc.configurations.base]\npackages = [\"base\"]\n";

/// Makes the function whose line ends with this comment return another value.
fn break_function(sandbox: &Sandbox, comment: &str) {
    let (old, new) = (format!("1 // {comment}"), format!("2 // {comment}"));
    sandbox.edit("base/src/lib.rs", &old, &new);
}

fn names(sandbox: &Sandbox, more: &str) -> Run {
    let run = sandbox.poc(&format!("affected --format names {more}"));
    run.exits(0);
    run
}

#[test]
fn coverage_of_a_configuration_is_not_used_in_one_with_other_variables_or_packages() {
    if !nextest_for("coverage of configurations") {
        return;
    }
    let sandbox = sandbox(CONFIGURATIONS);
    sandbox.poc("affected --collect").exits(0);
    break_function(&sandbox, "special");
    names(&sandbox, "--config special")
        .says("coverage is collected for another configuration")
        .prints("any_value")
        .prints("special_value")
        .prints("app_value");
    sandbox.run_git(&["checkout", "--quiet", "base"]);
    break_function(&sandbox, "plain");
    // `base` alone is built without `extra`.
    names(&sandbox, "--config base").prints("any_value");
    sandbox.run_git(&["checkout", "--quiet", "base"]);
    for configuration in ["special", "base"] {
        sandbox
            .poc(&format!("affected --collect --config {configuration}"))
            .exits(0);
    }
    break_function(&sandbox, "special");
    names(&sandbox, "").hides("app_value").hides("any_value");
    names(&sandbox, "--config base").hides("any_value");
    names(&sandbox, "--config special")
        .prints("any_value")
        .prints("app_value");
    // A map from another machine stays that of its configuration.
    sandbox
        .poc("affected --export target/map --config special")
        .exits(0);
    sandbox.shell("rm -r target/cargo-poc/observed*").exits(0);
    sandbox.poc("affected --import target/map").exits(0);
    names(&sandbox, "").says("coverage is collected for another configuration");
    names(&sandbox, "--config special").hides("another configuration");
}

#[test]
fn options_that_only_another_configuration_sets_are_unset() {
    let host = host();
    let variable = format!(
        "CARGO_TARGET_{}_RUSTFLAGS",
        host.to_uppercase().replace('-', "_")
    );
    let sandbox = sandbox(&format!(
        "{CONFIGURATIONS}\n[workspace.metadata.poc.configurations.host]\ntarget = \"{host}\"\n\
         environment = {{ {variable} = \"--cfg special\" }}\n"
    ));
    break_function(&sandbox, "special");
    names(&sandbox, "").hides("special_value");
    for configuration in ["special", "host"] {
        names(&sandbox, &format!("--config {configuration}")).prints("special_value");
        for format in ["args", "nextest"] {
            sandbox
                .poc(&format!(
                    "affected --config {configuration} --format {format}"
                ))
                .exits(0)
                .says("RUSTFLAGS='--cfg special'");
        }
        sandbox
            .poc(&format!(
                "verify --runner cargo --no-record --config {configuration}"
            ))
            .exits(1)
            .prints("3 failed");
    }
}

#[test]
fn what_decides_about_debug_assertions_is_taken_from_the_configuration() {
    let off = |key: &str| format!("[workspace.metadata.poc.configurations.{key}]\n");
    let variable = |name: &str, value: &str| format!("environment = {{ {name} = \"{value}\" }}\n");
    let sandbox = sandbox(&format!(
        "{}{}{}{}{}{}{}arguments = [\"--config\", \"profile.dev.debug-assertions=false\"]\n",
        off("profile"),
        variable("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false"),
        off("flag"),
        variable("RUSTFLAGS", "-C debug-assertions=off"),
        off("level"),
        variable("RUSTFLAGS", "-O"),
        off("argument"),
    ));
    sandbox.append(
        "base/src/lib.rs",
        "\n#[cfg(not(debug_assertions))]\n#[test]\nfn without_assertions() {\n    assert_eq!(special(), 1);\n}\n",
    );
    sandbox.commit("a test");
    break_function(&sandbox, "special");
    names(&sandbox, "").hides("without_assertions");
    for configuration in ["profile", "flag", "level", "argument"] {
        let options = format!("--config {configuration}");
        names(&sandbox, &options).prints("without_assertions");
        sandbox
            .poc(&format!("verify --runner cargo --no-record {options}"))
            .exits(1)
            .prints("without_assertions ... FAILED");
    }
}

#[test]
fn earlier_commits_are_tested_in_the_given_configuration() {
    let sandbox = sandbox("");
    break_function(&sandbox, "special");
    sandbox.commit("wrong special");
    sandbox.append(
        "Cargo.toml",
        &format!(
            "[workspace.metadata.poc]\ndefault-configuration = \"special\"\n{CONFIGURATIONS}\n\
             [workspace.metadata.poc.configurations.jobs]\narguments = [\"--jobs\", \"1\"]\n\
             environment = {{ RUSTFLAGS = \"--cfg special\" }}\n"
        ),
    );
    sandbox.commit("configurations");
    let with_nextest = nextest_for("configurations of earlier commits");
    // The commit with the fault has no configuration.
    for (options, failing) in [
        ("", "escapes: 0 of 3 failing tests"),
        ("--config jobs", "escapes: 0 of 3 failing tests"),
        ("--config base", "escapes: 0 of 0 failing tests"),
        ("--runner nextest", "escapes: 0 of 3 failing tests"),
    ] {
        if options != "--runner nextest" || with_nextest {
            sandbox
                .poc(&format!("affected --replay 2 {options}"))
                .exits(0)
                .prints(failing);
        }
    }
    sandbox
        .poc("affected --culprit 'base special_value' --good HEAD~2 --run")
        .exits(0)
        .prints("wrong special\nculprit");
    let mut command = sandbox.command(crate::kit::PROGRAM);
    command
        .args(["affected", "--replay", "2"])
        .env("CARGO_POC_CONFIG", "plain");
    crate::kit::finish(command, "CARGO_POC_CONFIG=plain")
        .exits(0)
        .prints("escapes: 0 of 0 failing tests");
}

#[test]
fn arguments_of_cargo_reach_both_runners() {
    let sandbox = sandbox(
        "[workspace.metadata.poc.configurations.jobs]\narguments = [\"--jobs\", \"1\", \"--config\", \"build.incremental=false\"]\n",
    );
    let mut runners = vec!["cargo"];
    runners.extend(nextest_for("arguments of cargo").then_some("nextest"));
    for runner in runners {
        sandbox
            .poc(&format!("verify --full --config jobs --runner {runner}"))
            .exits(0)
            .prints("full: passed, 2 passed");
    }
    if nextest_for("coverage with arguments of cargo") {
        sandbox
            .poc("affected --collect --config jobs")
            .exits(0)
            .says("Observed 2 of 2 tests");
    }
}

#[cfg(unix)]
#[test]
fn coverage_is_collected_through_the_target_runner_and_the_wrapper_of_rustc() {
    if !nextest_for("coverage with a target runner") {
        return;
    }
    let host = host();
    let runner_variable = format!(
        "CARGO_TARGET_{}_RUNNER",
        host.to_uppercase().replace('-', "_")
    );
    let sandbox = sandbox(&format!(
        "[workspace.metadata.poc.configurations.variables]\n\
         environment = {{ {runner_variable} = \"./tools/runner\", RUSTC_WORKSPACE_WRAPPER = \"tools/wrapper\" }}\n\
         [workspace.metadata.poc.configurations.host]\ntarget = \"{host}\"\n"
    ));
    sandbox
        .write(
            "tools/runner",
            "#!/bin/sh\n[ \"$1\" = --option ] && shift\nTHROUGH_RUNNER=yes exec \"$@\"\n",
        )
        .write("tools/wrapper", "#!/bin/sh\nexec \"$@\" --cfg special\n")
        .edit(
            "app/src/lib.rs",
            "    assert_eq!(base::value(), 1);\n",
            "    assert_eq!(base::value(), 1);\n    assert_eq!(std::env::var(\"THROUGH_RUNNER\").unwrap(), \"yes\");\n",
        );
    sandbox.shell("chmod +x tools/*").exits(0);
    sandbox.commit("a runner");
    let collect = |options: &str, observed: &str| {
        sandbox
            .poc(&format!("affected --collect {options}"))
            .exits(0)
            .says(observed)
            .hides("it failed");
    };
    collect("--config variables", "Observed 3 of 3 tests");
    for settings in [
        format!("[target.{host}]\nrunner = \"tools/runner\"\n"),
        format!("[target.{host}]\nrunner = [\"tools/runner\", \"--option\"]\n"),
        "[target.'cfg(unix)']\nrunner = \"tools/runner --option\"\n".to_owned(),
    ] {
        sandbox.write(".cargo/config.toml", &settings);
        collect("", "Observed 2 of 2 tests");
        collect("--config host", "Observed 2 of 2 tests");
        let wrapper = format!("{settings}\n[build]\nrustc-workspace-wrapper = \"tools/wrapper\"\n");
        sandbox.write(".cargo/config.toml", wrapper);
        collect("", "Observed 3 of 3 tests");
    }
}

#[test]
fn a_test_of_a_report_that_this_build_lacks_has_not_passed() {
    let sandbox = sandbox(CONFIGURATIONS);
    break_function(&sandbox, "special");
    for (file, report) in [("target/a.xml", "junit"), ("target/a.json", "json")] {
        sandbox.write(file, "");
        sandbox
            .poc(&format!(
                "verify --full --runner cargo --config special --report {report}={file}"
            ))
            .exits(1);
        let run = |more: &str| {
            sandbox.poc(&format!(
                "verify --from-report {file} --runner cargo {more}"
            ))
        };
        run("").exits(4).says(
            "base special_value failed in the report and did not run, because this build has no such test; the configuration \
             `special` has it: add `--config special`",
        );
        run("--config special").exits(1).prints("3 failed");
    }
}

#[test]
fn commands_of_a_plan_assign_the_variables_of_their_configuration() {
    let sandbox = sandbox(CONFIGURATIONS);
    sandbox
        .poc("init one -p base --file base/src/lib.rs --config special")
        .exits(0)
        .says("Affected ~3 of ~3 tests");
    sandbox
        .poc("verify one --baseline --config special")
        .exits(0)
        .prints("3 passed");
    sandbox
        .poc("init plain -p base --file base/src/lib.rs")
        .exits(0);
    sandbox
        .poc("verify plain --baseline --config special")
        .exits(2)
        .says("does not have `RUSTFLAGS=--cfg special`");
    // As the default configuration, it applies to all commands.
    sandbox.append(
        "Cargo.toml",
        "[workspace.metadata.poc]\ndefault-configuration = \"special\"\n",
    );
    sandbox
        .poc("init two -p base --file base/src/lib.rs --require special --require plain")
        .exits(0);
    sandbox
        .poc("verify two --baseline")
        .exits(0)
        .prints("5 passed");
    sandbox.poc("status two").exits(0).hides("POC090");
}

#[test]
fn a_baseline_in_several_configurations_runs_each_test_several_times() {
    let sandbox = Sandbox::workspace("core; a: core; b: core; c: core; d: core; e: core; f: core");
    sandbox
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc.configurations.release]\nprofile = \"release\"\n",
        )
        .git();
    sandbox
        .poc("init it -p core --file core/src/lib.rs --require default --require release")
        .exits(0)
        .says("Affected ~9 of ~21 tests");
    sandbox
        .poc("verify it --baseline")
        .exits(0)
        .prints("18 passed");
    sandbox.poc("status it").exits(0).hides("POC082");
}

#[test]
fn a_required_configuration_without_the_package_of_a_step_tests_its_own_packages() {
    let sandbox = Sandbox::workspace("core; app: core");
    sandbox
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc.configurations.app]\npackages = [\"app\"]\n",
        )
        .git();
    sandbox
        .poc("init it -p core --file core/src/lib.rs --require default --require app")
        .exits(0);
    let plan = sandbox.read("docs/it-plan.md");
    assert!(plan.contains("cargo test --no-fail-fast -p app"), "{plan}");
    sandbox.poc("status it").exits(0).hides("POC090");
}

#[test]
fn a_part_of_a_name_selects_tests_in_each_build() {
    let sandbox = excluding();
    let nextest = nextest_for("parts of names");
    for runner in ["cargo"].into_iter().chain(nextest.then_some("nextest")) {
        for words in ["own_a", "--skip own_b"] {
            sandbox
                .poc(&format!("verify --full --runner {runner} -- {words}"))
                .exits(0)
                .prints("full: passed, 1 passed")
                .hides("does not name");
        }
    }
}
