//! Evidence and configurations: what proves what, in which build.

use std::fmt::Write as _;

use super::synthetic;
use crate::kit::{PROGRAM, Sandbox, finish, nextest_for};

/// A plan whose steps each have one command.
fn plan_with(commands: &[&str]) -> String {
    let mut plan = "# Cfg Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Name** | Cfg |\n| **Base** | `HEAD` |\n\n\
                    ## Success Criteria\n\n- [ ] it works\n\n## Implementation Steps\n"
        .to_owned();
    for (number, command) in commands.iter().enumerate() {
        let _ = write!(
            plan,
            "\n### Step {number}: Number {number}\n\n**Tasks**:\n- [ ] do\n\n**Verification**:\n```bash\n{command}\n```\n"
        );
    }
    plan
}

const RESULTS: &str = "# Cfg: results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n";

/// The states of the steps of the plan `cfg`.
fn states(sandbox: &Sandbox) -> Vec<String> {
    let status = sandbox.poc("status cfg --format json").json();
    let steps = status["pocs"][0]["steps"].as_array().unwrap().iter();
    steps
        .map(|step| step["state"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn evidence_is_judged_in_the_build_of_its_own_commands() {
    let sandbox = synthetic();
    sandbox
        .append(
            "base/src/lib.rs",
            "\n#[cfg(loom)]\npub fn model() -> u32 {\n    mutant(40)\n}\n\n#[cfg(loom)]\n#[test]\nfn modelled() {\n    model();\n}\n",
        )
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc]\ndefault-configuration = \"all\"\n\n[workspace.metadata.poc.configurations.all]\n\
             all-features = true\n",
        )
        .write(
            "docs/cfg-plan.md",
            plan_with(&[
                "cargo test --offline -p base",
                "cargo test --offline -p base --all-features",
                "RUSTFLAGS=\"--cfg loom\" cargo test --offline -p base --lib",
                "cargo test --offline -p app --features more",
            ]),
        )
        .write("docs/cfg-results.md", RESULTS)
        .commit("a plan");
    for step in 0..4 {
        sandbox.poc(&format!("verify cfg --step {step}")).exits(0);
    }
    assert_eq!(states(&sandbox), ["proven"; 4]);
    for (mutant, expected) in [
        (3, ["stale", "proven", "stale", "proven"]),
        (2, ["proven", "stale", "proven", "stale"]),
        (40, ["proven", "proven", "stale", "proven"]),
        (1, ["stale", "stale", "stale", "proven"]),
    ] {
        let call = format!("mutant({mutant})");
        let text = sandbox.read("base/src/lib.rs");
        sandbox.edit("base/src/lib.rs", &call, &format!("mutant({mutant} + 0)"));
        assert_eq!(states(&sandbox), expected, "mutant {mutant}");
        sandbox.write("base/src/lib.rs", text);
    }
}

#[test]
fn a_plan_is_proven_in_each_configuration_that_it_requires() {
    let sandbox = synthetic();
    let both = "cargo test --offline -p base\ncargo test --offline -p base --all-features";
    let plan = plan_with(&["cargo test --offline -p base", both]);
    let plan = plan.replace(
        "| **Base**",
        "| **Configurations** | default, all |\n| **Base**",
    );
    sandbox
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc.configurations.all]\nall-features = true\n",
        )
        .write("docs/cfg-plan.md", &plan)
        .write("docs/cfg-results.md", RESULTS)
        .commit("a plan");
    sandbox.poc("verify cfg --step 0").exits(0);
    sandbox.poc("verify cfg --step 1").exits(0);
    let steps = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(PROGRAM);
        command
            .args(["status", "cfg", "--format", "json"])
            .envs(variables.iter().copied());
        finish(command, "status").json()["pocs"][0]["steps"].take()
    };
    let states = |step: &serde_json::Value| {
        let configurations = step["configurations"].as_array().unwrap().iter();
        let word = |one: &serde_json::Value| {
            format!(
                "{} {}",
                one["name"].as_str().unwrap(),
                one["state"].as_str().unwrap()
            )
        };
        configurations.map(word).collect::<Vec<_>>()
    };
    let all = steps(&[]);
    assert_eq!(all[0]["state"], "in progress");
    assert_eq!(states(&all[0]), ["default proven", "all pending"]);
    assert_eq!(all[1]["state"], "proven");
    assert_eq!(states(&all[1]), ["default proven", "all proven"]);
    sandbox
        .poc("check cfg")
        .exits(1)
        .prints("POC090")
        .prints("the configuration `all` is required, and no command tests in it");
    sandbox
        .poc("status cfg")
        .exits(0)
        .prints("default")
        .prints("in the configuration `all`: no command tests in it");
    sandbox.poc("report --output page.html").exits(0);
    let page = sandbox.read("page.html");
    assert!(
        page.contains("<th role=\"columnheader\" scope=\"col\">all</th>"),
        "{page}"
    );

    // A run that fails in one configuration only.
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["verify", "cfg", "--step", "1"])
        .env("MUTANT", "2");
    finish(command, "verify").exits(1);
    let all = steps(&[("MUTANT", "2")]);
    assert_eq!(all[1]["state"], "failed");
    assert_eq!(states(&all[1]), ["default proven", "all failed"]);

    // A change that only one configuration compiles leaves the proof of the other.
    sandbox.poc("verify cfg --step 1").exits(0);
    let text = sandbox.read("base/src/lib.rs");
    sandbox.edit("base/src/lib.rs", "mutant(2)", "mutant(2 + 0)");
    let all = steps(&[]);
    assert_eq!(all[1]["state"], "stale");
    assert_eq!(states(&all[1]), ["default proven", "all stale"]);
    // Commands behind a failed one do not run.
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["verify", "cfg", "--step", "1"])
        .env("MUTANT", "1");
    finish(command, "verify").exits(1);
    let all = steps(&[("MUTANT", "1")]);
    assert_eq!(states(&all[1]), ["default failed", "all pending"]);
    sandbox.write("base/src/lib.rs", text);
    // A configuration can be named if some command tests in it.
    for (step, code) in [("0", 2), ("1", 0)] {
        sandbox
            .poc(&format!("verify cfg --step {step} --list --config all"))
            .exits(code);
    }

    // What was promised stays promised, and what does not exist cannot be proven.
    sandbox.edit("docs/cfg-plan.md", "default, all", "default");
    sandbox
        .poc("check cfg")
        .exits(1)
        .prints("configuration removed: all");
    sandbox.edit("docs/cfg-plan.md", "| default |", "| default, al |");
    sandbox
        .poc("check cfg")
        .exits(1)
        .prints("the workspace has no configuration `al`; did you mean `all`?");
}

#[test]
fn a_plan_is_not_run_in_a_configuration_that_its_commands_lack() {
    let sandbox = synthetic();
    sandbox.poc("init plain -p base").exits(0);
    sandbox
        .poc("verify plain --baseline --all-features")
        .exits(2)
        .says("a plan's commands are run as written")
        .says("does not have `--all-features`");
    sandbox.poc("init every -p base --all-features").exits(0);
    sandbox
        .poc("verify every --baseline --all-features")
        .exits(0)
        .prints("24 passed");
}

/// Lists, filters and prints tests as libtest-mimic does.
const HARNESS: &str = r#"fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let mut tests = vec![("", "timed"), ("[kind] ", "with_a_kind")];
    if has("--ignored") {
        tests.clear();
    }
    if has("--list") {
        for (kind, name) in tests {
            println!("{kind}{name}: test");
        }
        return;
    }
    let filters = || words.iter().filter(|word| !word.starts_with("--"));
    tests.retain(|(kind, name)| {
        let name = format!("{kind}{name}");
        let matches = |filter: &String| if has("--exact") { name == *filter } else { name.contains(filter) };
        filters().next().is_none() || filters().any(matches)
    });
    base::extra();
    println!("\nrunning {} tests", tests.len());
    for (kind, name) in &tests {
        println!("test {kind:<7}{name:<12} ... ok");
    }
    let (passed, left_out) = (tests.len(), 2 - tests.len());
    println!("\ntest result: ok. {passed} passed; 0 failed; 0 ignored; 0 measured; {left_out} filtered out; finished in 0.00s\n");
}
"#;

/// An example, and a bench with a harness of its own, that only `extra` builds.
fn with_gated_targets(sandbox: &Sandbox) {
    sandbox
        .append(
            "base/Cargo.toml",
            "\n[[example]]\nname = \"shown\"\ntest = true\nrequired-features = [\"extra\"]\n\n[[bench]]\nname = \"timed\"\n\
             harness = false\ntest = true\nrequired-features = [\"extra\"]\n",
        )
        .write(
            "base/examples/shown.rs",
            "fn main() {}\n\n#[test]\nfn shows() {\n    base::extra();\n}\n",
        )
        .write("base/benches/timed.rs", HARNESS);
}

#[test]
fn a_test_that_another_configuration_hides_has_not_vanished() {
    let sandbox = synthetic();
    with_gated_targets(&sandbox);
    let plan = plan_with(&[
        "cargo test --offline -p base",
        "cargo test --offline -p base --all-features",
    ]);
    let baseline = "## Prerequisites\n\n### 1. Baseline\n\n```bash\ncargo test --offline -p base --all-features\n```\n\n## Success Criteria";
    sandbox
        .write(
            "docs/cfg-plan.md",
            plan.replace("## Success Criteria", baseline),
        )
        .write("docs/cfg-results.md", RESULTS)
        .commit("a plan");
    let run = sandbox.poc("verify cfg --baseline --format json");
    run.exits(0);
    let passed = run.json()["tests"]["passed"].as_u64().unwrap();
    assert!(passed > 14, "{run}");
    for step in 0..2 {
        sandbox
            .poc(&format!("verify cfg --step {step}"))
            .exits(0)
            .hides("vanished");
    }
    sandbox.poc("verify cfg --affected --full").exits(2);
    let extra = "pub fn extra() -> u32 {\n    mutant(2)";
    sandbox.edit("base/src/lib.rs", extra, &extra.replace("(2)", "(2 + 0)"));
    for runner in ["cargo", "nextest"] {
        if runner == "cargo" || nextest_for("custom harnesses") {
            sandbox
                .poc(&format!(
                    "verify cfg --affected --no-record --no-reuse --all-features --runner {runner}"
                ))
                .exits(0)
                .prints("with_a_kind")
                .prints("shows")
                .hides("vanished");
        }
    }
    sandbox.run_git(&["checkout", "--quiet", "base"]);
    sandbox.poc("verify cfg --full").exits(0).hides("vanished");
    // The contract counts the tests of every configuration.
    sandbox.poc("check cfg").hides("POC06");
    sandbox.poc("check cfg --all-features").hides("POC06");
    // A test that is gone has vanished in every configuration.
    sandbox.edit(
        "base/src/lib.rs",
        "    #[test]\n    #[cfg(feature = \"extra\")]\n    fn base_extra() {\n        super::extra();\n    }\n",
        "",
    );
    for step in 0..2 {
        sandbox
            .poc(&format!("verify cfg --step {step}"))
            .exits(1)
            .prints("vanished: the baseline passed base tests::base_extra");
    }
}
