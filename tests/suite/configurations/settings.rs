//! Settings of terminals, of cargo and of test runners change no result.

use super::synthetic;
use crate::kit::{PROGRAM, Sandbox, finish, nextest_for};

#[test]
fn settings_of_the_terminal_change_no_result() {
    let sandbox = synthetic();
    sandbox
        .write(".cargo/config.toml", "[alias]\ntest-all = \"test --all-features\"\n[term]\nquiet = false\nprogress = { when = \"always\", width = 80 }\n")
        .commit("settings");
    sandbox.edit("base/src/lib.rs", "mutant(1)", "mutant(1 + 0)");
    for (name, value) in [
        ("CARGO_TERM_COLOR", "always"),
        ("CARGO_TERM_QUIET", "true"),
        ("CARGO_TERM_VERBOSE", "true"),
        ("CARGO_TERM_PROGRESS_WHEN", "never"),
    ] {
        let mut command = sandbox.command(PROGRAM);
        command
            .args([
                "verify",
                "--no-record",
                "--no-reuse",
                "--runner",
                "cargo",
                "--format",
                "json",
            ])
            .env(name, value);
        let run = finish(command, name);
        run.exits(0);
        let report = run.json();
        assert_eq!(report["tests"]["passed"], 1, "{name}={value}: {run}");
        assert_eq!(
            report["notes"],
            serde_json::json!([]),
            "{name}={value}: {run}"
        );
    }
}

const PLAN: &str = "# Loop Plan\n\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Name** | Loop |\n| **Base** | `HEAD` |\n\n\
                    ## Prerequisites\n\n### 1. Baseline\n\n```bash\ncargo test --offline --no-fail-fast -p app\n```\n\n\
                    ## Success Criteria\n\n- [ ] it works\n\n## Implementation Steps\n\n### Step 0: Store\n\n**Tasks**:\n- [ ] do\n\n\
                    **Verification**:\n```bash\ncargo test --offline -p app --lib store\n# Expected: 1 passed\n```\n";

/// What the whole loop comes to with these variables: `init`, baseline, a step, the affected tests, and the status.
fn whole_loop(sandbox: &Sandbox, runner: &str, variables: &[(&str, &str)]) -> serde_json::Value {
    sandbox
        .write("docs/loop-plan.md", PLAN)
        .write(
            "docs/loop-results.md",
            "# Loop: results\n\n## Summary\n\n| Attribute | Value |\n|---|---|\n| **Status** | In Progress |\n",
        )
        .write("src/store.rs", STORE);
    let run = |line: &str| {
        let mut command = sandbox.command(PROGRAM);
        command
            .args(line.split_whitespace())
            .envs(variables.iter().copied());
        let run = finish(command, line);
        run.exits(0);
        run
    };
    let plan = run("init other -p app --file src/store.rs --dry-run").stdout;
    // The commit that it starts from is another one where settings were committed.
    let plan = plan.replace(sandbox.run_git(&["rev-parse", "HEAD"]).trim(), "HEAD");
    let verified = |line: &str| {
        let report = run(&format!("{line} --format json")).json();
        serde_json::json!([
            report["tests"],
            report["notes"],
            report["outcome"],
            report["exit"]
        ])
    };
    let baseline = verified("verify loop --baseline");
    sandbox.edit("src/store.rs", "    2\n", "    1 + 1\n");
    let step = verified("verify loop --step 0");
    let affected = verified(&format!(
        "verify loop --affected --no-record --no-reuse --runner {runner}"
    ));
    let status = run("status loop --format json").json();
    let names = run("affected --format names").stdout;
    let steps = status["pocs"][0]["steps"].clone();
    let tests = status["pocs"][0]["tests"].clone();
    serde_json::json!([plan, baseline, step, affected, names, steps, tests])
}

const STORE: &str = "//! Stores.\n\n/// Two.\n///\n/// ```\n/// assert_eq!(app::store::store(), 2);\n/// ```\npub fn store() -> u32 {\n    2\n}\n\n\
                     #[cfg(test)]\nmod tests {\n    #[test]\n    fn store() {\n        println!(\"shown by a test\");\n        \
                     assert_eq!(super::store(), 2);\n    }\n}\n";

fn package() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox
        .write(
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write(
            "src/lib.rs",
            "//! The app.\n\npub mod store;\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn other() {}\n}\n",
        )
        .write("src/store.rs", STORE)
        .write("wrapper", "#!/bin/sh\nexec \"$@\"\n");
    sandbox.shell("chmod +x wrapper").exits(0);
    sandbox.shell("cargo generate-lockfile --offline").exits(0);
    sandbox.git();
    sandbox
}

/// Settings that do not hide each other share a loop.
const VARIABLES: [&[(&str, &str)]; 4] = [
    &[
        ("CARGO_TERM_COLOR", "always"),
        ("CARGO_TERM_PROGRESS_WHEN", "always"),
        ("CARGO_TERM_PROGRESS_WIDTH", "60"),
        ("FORCE_COLOR", "1"),
        ("CLICOLOR_FORCE", "1"),
        ("CLICOLOR", "1"),
        ("RUST_TEST_THREADS", "1"),
        ("RUST_TEST_NOCAPTURE", "1"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LIB_BACKTRACE", "1"),
    ],
    &[
        ("CARGO_TERM_QUIET", "true"),
        ("RUST_TEST_SHUFFLE", "1"),
        ("RUST_TEST_TIME_UNIT", "10,20"),
        ("RUSTC_WRAPPER", "./wrapper"),
    ],
    &[
        ("CARGO_TERM_VERBOSE", "true"),
        ("NO_COLOR", "1"),
        ("RUSTC_WORKSPACE_WRAPPER", "./wrapper"),
    ],
    &[
        ("CARGO_INCREMENTAL", "0"),
        ("CARGO_BUILD_JOBS", "1"),
        ("CARGO_LOG", "error"),
    ],
];

#[cfg(unix)]
#[test]
fn the_whole_loop_has_the_same_result_under_each_setting() {
    let sandbox = package();
    let expected = whole_loop(&sandbox, "cargo", &[]);
    assert_eq!(expected[1][0]["passed"], 3, "{expected}");
    for variables in VARIABLES {
        let result = whole_loop(&sandbox, "cargo", variables);
        assert_eq!(result, expected, "{variables:?}");
    }
    // Settings of the workspace are not reported either, and do not change what runs.
    let sandbox = package();
    sandbox.write(
        ".cargo/config.toml",
        "[alias]\ntest-all = \"test --all-features\"\nt = \"test --release\"\n\n[build]\nrustc-wrapper = \"./wrapper\"\n\n\
         [term]\nquiet = true\ncolor = \"always\"\nprogress = { when = \"always\", width = 80 }\n",
    );
    sandbox.commit("settings");
    assert_eq!(whole_loop(&sandbox, "cargo", &[]), expected, "settings");
}

#[test]
fn the_whole_loop_has_the_same_result_under_settings_of_nextest() {
    if !nextest_for("settings of nextest") {
        return;
    }
    let sandbox = package();
    let expected = whole_loop(&sandbox, "nextest", &[]);
    let settings: [&[(&str, &str)]; 4] = [
        &[
            ("NEXTEST_STATUS_LEVEL", "none"),
            ("NEXTEST_FINAL_STATUS_LEVEL", "none"),
        ],
        &[
            ("NEXTEST_SUCCESS_OUTPUT", "immediate"),
            ("NEXTEST_FAILURE_OUTPUT", "never"),
        ],
        &[
            ("NEXTEST_TEST_THREADS", "1"),
            ("NEXTEST_RETRIES", "1"),
            ("NEXTEST_SHOW_PROGRESS", "bar"),
        ],
        &[
            ("CARGO_TERM_COLOR", "always"),
            ("NEXTEST_NO_FAIL_FAST", "1"),
        ],
    ];
    for variables in settings {
        let result = whole_loop(&sandbox, "nextest", variables);
        assert_eq!(result, expected, "{variables:?}");
    }
}

#[test]
fn filters_of_libtest_reach_both_runners() {
    let sandbox = package();
    let mut runners = vec!["cargo"];
    runners.extend(nextest_for("filters of libtest").then_some("nextest"));
    for runner in runners {
        for (arguments, passed) in [
            ("--skip other", 2),
            ("--exact tests::other", 1),
            ("--include-ignored", 3),
            ("other --test-threads=1", 1),
        ] {
            sandbox
                .poc(&format!(
                    "verify --full --no-record --no-reuse --runner {runner} -- {arguments}"
                ))
                .exits(0)
                .prints(&format!("full: passed, {passed} passed"));
        }
    }
}

#[test]
fn each_build_option_has_the_same_meaning_on_every_command() {
    let sandbox = synthetic();
    sandbox
        .append(
            "Cargo.toml",
            "\n[workspace.metadata.poc.configurations.all]\nall-features = true\n",
        )
        .commit("a configuration");
    sandbox.poc("init one -p base").exits(0);
    sandbox.commit("a plan");
    sandbox.edit("base/src/lib.rs", "mutant(1)", "mutant(1 + 0)");
    for (option, written) in [
        ("--all-features", "--all-features"),
        ("--features extra", "--features extra"),
        ("-F base/wide,base/extra", "base/wide,base/extra"),
        ("--no-default-features", "--no-default-features"),
        (
            "--target wasm32-unknown-unknown",
            "--target wasm32-unknown-unknown",
        ),
        ("--profile bench", "--profile bench"),
        ("--release", "--release"),
        ("--config all", "--all-features"),
    ] {
        for command in [
            "affected --format args",
            "verify --list --affected --runner cargo",
            "verify --list --full --runner cargo",
            "init two -p base --dry-run",
        ] {
            sandbox
                .poc(&format!("{command} {option}"))
                .exits(0)
                .prints(written);
        }
        for command in [
            "affected --format matrix --shards 2",
            "affected --format json",
            "status one",
            "report --output page.html",
        ] {
            sandbox.poc(&format!("{command} {option}")).exits(0);
        }
        let run = sandbox.poc(&format!("check one {option}"));
        assert!(run.code < 2, "{run}");
    }
}
