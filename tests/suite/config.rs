//! Settings: the workspace's, overruled by the environment, and that by flags.

use crate::kit::{PROGRAM, Sandbox, finish};

fn with(settings: &str) -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store; free");
    sandbox.append(
        "Cargo.toml",
        &format!("\n[workspace.metadata.poc]\n{settings}\n"),
    );
    sandbox
}

#[test]
fn flags_override_environment_and_workspace() {
    let sandbox = with("docs = \"from-workspace\"");
    sandbox.poc("init one -p app").exits(0);
    assert!(sandbox.exists("from-workspace/one-plan.md"));
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["init", "two", "-p", "app"])
        .env("CARGO_POC_DOCS", "from-environment");
    finish(command, "init two").exits(0);
    assert!(sandbox.exists("from-environment/two-plan.md"));
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["init", "three", "-p", "app", "--docs", "from-flag"])
        .env("CARGO_POC_DOCS", "from-environment");
    finish(command, "init three").exits(0);
    assert!(sandbox.exists("from-flag/three-plan.md"));
}

#[test]
fn a_package_of_its_own_has_its_settings_in_package_metadata() {
    let sandbox = Sandbox::package();
    sandbox.append("Cargo.toml", "\n[package.metadata.poc]\ndocs = \"plans\"\n");
    sandbox.poc("init one").exits(0);
    assert!(sandbox.exists("plans/one-plan.md"));
}

#[test]
fn unknown_setting_is_an_error_with_its_line() {
    for (settings, said) in [
        ("doc = \"x\"", "unknown field `doc`"),
        ("timeout = \"long\"", "invalid type: string \"long\""),
        ("runner = \"make\"", "unknown variant `make`"),
        (
            "rules = [{ files = [\"a\"], package = [] }]",
            "unknown field `package`",
        ),
    ] {
        let sandbox = with(settings);
        let line = sandbox
            .read("Cargo.toml")
            .lines()
            .position(|line| line.contains("metadata.poc"))
            .unwrap()
            + 1;
        sandbox
            .poc("status")
            .exits(2)
            .says(&format!("Cargo.toml:{line}"))
            .says(said);
    }
}

#[test]
fn rule_without_packages_is_reported() {
    with("rules = [{ files = [\"a\"], packages = [\"stor\"] }]")
        .poc("affected --files a")
        .exits(2)
        .says("poc configuration")
        .says("did you mean `store`?");
    with("rules = [{ files = [\"a[\"], packages = [] }]")
        .poc("affected --files a")
        .exits(2)
        .says("error parsing glob 'a['");
}

#[test]
fn docs_folder_outside_the_workspace_is_rejected() {
    for docs in ["../elsewhere", "/elsewhere", "docs/../../elsewhere"] {
        let sandbox = Sandbox::workspace("store");
        sandbox
            .poc(&format!("init one -p store --docs {docs}"))
            .exits(2)
            .says("the docs folder")
            .says("is outside the workspace");
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let sandbox = with(
        "rules = [{ files = [\"data/free/**\"], packages = [] }, { files = [\"data/**\", \"*.sql\"], packages = [\"store\"] }]",
    );
    let selected = |file: &str| {
        let run = sandbox.poc(&format!("affected --format names --files {file}"));
        run.exits(0);
        run.stdout.lines().count()
    };
    assert_eq!(selected("data/free/a.json"), 0);
    // A rule names the packages that read a file; packages that link them are affected too.
    assert_eq!(selected("data/a.json"), 6);
    assert_eq!(selected("schema.sql"), 6);
    assert_eq!(selected("other.txt"), 1, "ALL alone for everything");
}

#[test]
fn a_wrong_lint_level_names_its_line() {
    for (line, says) in [
        ("POC999 = \"deny\"", "no rule has the code or name `POC999`"),
        (
            "unproven-claim = \"allow\"",
            "POC020 (a claim has no evidence) cannot be lowered",
        ),
        (
            "POC001 = \"forbid\"",
            "`forbid` is not a level; use allow, warn or deny",
        ),
        (
            "POC020 = \"warn\"",
            "POC020 (a claim has no evidence) cannot be lowered",
        ),
    ] {
        let sandbox = Sandbox::workspace("a");
        sandbox.append(
            "Cargo.toml",
            &format!("\n[workspace.metadata.poc.lints]\n{line}\n"),
        );
        let at = sandbox.read("Cargo.toml").lines().count();
        sandbox
            .poc("status")
            .exits(2)
            .says(says)
            .says(&format!("Cargo.toml:{at}"));
    }
}
