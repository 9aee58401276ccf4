//! Errors have a position and a remedy, end with the documented exit code, and change no file.

mod environment;

use crate::kit::{Run, Sandbox};

const RESULTS: &str =
    "# R\n\n## Implementation Progress\n\n### Step 0: It\n\n**Status**: Pending\n";

fn plan(body: &str) -> String {
    format!(
        "# P\n\n## Implementation Steps\n\n### Step 0: It\n\n**Tasks**:\n- [ ] do\n\n**Verification**:\n```bash\ntrue\n```\n{body}"
    )
}

fn workspace() -> Sandbox {
    let sandbox = Sandbox::workspace("store; app: store");
    sandbox
        .write("docs/cache-plan.md", plan(""))
        .write("docs/cache-results.md", RESULTS);
    sandbox.git();
    sandbox
}

/// Runs a line that must fail in this way and leave every file unchanged.
#[track_caller]
fn refused(sandbox: &Sandbox, line: &str, code: i32, said: &[&str]) -> Run {
    let before = sandbox.files();
    let run = sandbox.poc(line);
    run.exits(code);
    for said in said {
        assert!(
            run.stderr.contains(said) || run.stdout.contains(said),
            "no {said:?} in\n{run}"
        );
    }
    assert!(
        run.stderr.contains("error") || !run.stdout.is_empty(),
        "{run}"
    );
    assert!(!run.stderr.contains("panicked"), "{run}");
    assert_eq!(sandbox.files(), before, "{run}");
    run
}

const EVERY_COMMAND: [&str; 5] = ["init x", "status", "affected", "deps", "verify"];

#[test]
fn no_workspace() {
    let sandbox = Sandbox::empty();
    for line in EVERY_COMMAND {
        refused(&sandbox, line, 2, &["could not find `Cargo.toml`"]);
    }
    refused(
        &sandbox,
        "status --manifest-path gone/Cargo.toml",
        2,
        &["gone/Cargo.toml"],
    );
}

#[test]
fn a_broken_manifest_is_shown_with_its_line() {
    let sandbox = workspace();
    sandbox.append("app/Cargo.toml", "\n[dependencies\n");
    let line = sandbox.read("app/Cargo.toml").lines().count();
    for command in EVERY_COMMAND {
        let at = format!("app/Cargo.toml:{line}");
        let at_line = format!("{line} | [dependencies");
        let run = refused(&sandbox, command, 2, &["app/Cargo.toml"]);
        assert!(
            run.stderr.contains(&at) || run.stderr.contains(&at_line),
            "{run}"
        );
    }
    // A member that is named and not there.
    let sandbox = workspace();
    sandbox.edit("Cargo.toml", "\"app\"", "\"app\", \"gone\"");
    refused(&sandbox, "status", 2, &["gone/Cargo.toml"]);
}

#[test]
fn no_such_plan() {
    let sandbox = workspace();
    for line in [
        "status cahce",
        "affected cahce",
        "deps cahce",
        "verify cahce",
    ] {
        refused(
            &sandbox,
            line,
            2,
            &["no plan `cahce`", "did you mean `cache`?"],
        );
    }
    sandbox.remove("docs/cache-plan.md");
    refused(
        &sandbox,
        "status cache",
        2,
        &["no plan `cache`", "cargo poc init cache"],
    );
}

#[test]
fn an_empty_plan_and_one_without_steps() {
    for text in [
        "",
        "\n\n",
        "# P\n\nJust words.\n",
        "# P\n\n## Implementation Steps\n\nNone yet.\n",
    ] {
        let sandbox = workspace();
        sandbox.write("docs/cache-plan.md", text);
        refused(
            &sandbox,
            "status cache",
            2,
            &["POC002", "docs/cache-plan.md:1", "no step", "### Step 1"],
        );
        refused(&sandbox, "status --check", 2, &[]);
        refused(&sandbox, "verify cache --step 0", 2, &[]);
    }
}

#[test]
fn a_document_that_is_not_utf_8() {
    for path in ["docs/cache-plan.md", "docs/cache-results.md"] {
        let sandbox = workspace();
        sandbox.write(path, b"# P\n\nbl\xe4h\n");
        refused(
            &sandbox,
            "status cache",
            2,
            &[&format!("{path}:3"), "UTF-8"],
        );
    }
}

#[test]
fn a_plan_of_five_megabytes_is_read() {
    let sandbox = workspace();
    let filler = "Some words that say nothing at all.\n\n".repeat(140_000);
    sandbox.write(
        "docs/cache-plan.md",
        plan(&format!("\n## Notes\n\n{filler}")),
    );
    assert!(sandbox.read("docs/cache-plan.md").len() > 5_000_000);
    sandbox.poc("status cache").exits(0).prints("0  It");
}

#[test]
fn windows_line_ends_and_byte_order_mark_are_accepted() {
    let sandbox = workspace();
    let plain = sandbox
        .poc("status cache --format json")
        .exits(0)
        .stdout
        .clone();
    for text in [
        plan("").replace('\n', "\r\n"),
        format!("\u{feff}{}", plan("")),
        format!("\u{feff}{}", plan("").replace('\n', "\r\n")),
    ] {
        sandbox.write("docs/cache-plan.md", &text);
        assert_eq!(
            sandbox.poc("status cache --format json").exits(0).stdout,
            plain
        );
        assert_eq!(sandbox.read("docs/cache-plan.md"), text);
    }
    // And in the manifest that gets a dependency.
    let manifest = sandbox.read("app/Cargo.toml").replace('\n', "\r\n");
    sandbox.write("app/Cargo.toml", format!("\u{feff}{manifest}"));
    sandbox.poc("init other -p app --dep one@1").exits(0);
}

#[test]
fn name_that_is_not_a_slug_or_leaves_the_docs_folder() {
    let sandbox = workspace();
    let long = "a".repeat(300);
    for name in [
        "Cache", "'ca che'", "ca_che", "../cache", "a/b", "..", ".", "größe", "'a\\b'", "''",
        "a.md", &long,
    ] {
        refused(
            &sandbox,
            &format!("init {name} -p app"),
            2,
            &["cannot name a PoC", "use a-z, 0-9 and `-`"],
        );
    }
    refused(&sandbox, "init -p app -- -cache", 2, &["cannot name a PoC"]);
    for name in ["../cache", "../../etc/passwd", "docs/cache"] {
        refused(&sandbox, &format!("status {name}"), 2, &["no plan"]);
    }
}

#[test]
fn a_file_outside_the_workspace() {
    let sandbox = workspace();
    for file in ["../outside.rs", "/etc/passwd", "app/../../outside.rs"] {
        refused(
            &sandbox,
            &format!("init x -p app --file {file}"),
            2,
            &["is outside the workspace"],
        );
        refused(
            &sandbox,
            &format!("affected --files {file}"),
            2,
            &["is outside the workspace"],
        );
    }
    refused(
        &sandbox,
        "init x -p app --file=-app/src/gone.rs",
        2,
        &["is planned as Delete, but does not exist"],
    );
    refused(
        &sandbox,
        "init x -p app --file app/src",
        2,
        &["is a folder"],
    );
    refused(
        &sandbox,
        "init x -p app --file ''",
        2,
        &["contains no path"],
    );
}

#[test]
fn an_unknown_package() {
    let sandbox = workspace();
    refused(
        &sandbox,
        "init x -p stroe",
        2,
        &["no package `stroe`", "did you mean `store`?"],
    );
    refused(
        &sandbox,
        "init x -p store@9.0.0",
        2,
        &["no package `store@9.0.0`"],
    );
    sandbox.poc("init x -p store@0.1.0").exits(0);
}

#[test]
fn a_dependency_that_cannot_be_read() {
    let sandbox = workspace();
    for (spec, said) in [
        ("'one@'", "an invalid version requirement"),
        ("one@latest", "an invalid version requirement"),
        ("'one[a'", "no closing `]`"),
        ("'o ne'", "has no package name"),
        ("''", "has no package name"),
    ] {
        refused(
            &sandbox,
            &format!("init x -p app --dep {spec}"),
            2,
            &[said, "e.g. serde@1.0[derive]"],
        );
    }
    refused(
        &sandbox,
        "init x -p app --dev",
        2,
        &["needs a --dep before it"],
    );
}

#[test]
fn a_base_that_does_not_exist() {
    let sandbox = workspace();
    for line in ["affected --base nowhere", "init x -p app --base nowhere"] {
        refused(&sandbox, line, 2, &["`nowhere` is not a commit", "git log"]);
    }
    // A name that looks like an option is a name.
    refused(
        &sandbox,
        "affected --base=--output=x",
        2,
        &["is not a commit"],
    );
    // In a plan: the rest of its status is valid, and the missing data is reported.
    sandbox.write(
        "docs/cache-plan.md",
        plan("\n## Overview\n\n| Attribute | Value |\n|---|---|\n| **Base** | `0123456789` |\n"),
    );
    sandbox
        .poc("status cache")
        .exits(0)
        .prints("`0123456789` is not a commit");
    refused(&sandbox, "affected cache", 2, &["is not a commit"]);
}

#[test]
fn a_base_that_a_shallow_clone_lacks() {
    let sandbox = workspace();
    let first = sandbox.run_git(&["rev-parse", "HEAD"]);
    sandbox
        .append("app/src/lib.rs", "// more\n")
        .commit("second");
    let clone = Sandbox::empty();
    clone.run_git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &format!("file://{}", sandbox.root),
        ".",
    ]);
    refused(
        &clone,
        &format!("affected --base {first}"),
        4,
        &["shallow clone of 1 commits", "git fetch --depth=1 origin"],
    );
}

#[test]
fn results_with_broken_records() {
    let record = "<!-- cargo-poc:evidence v1 0123456789abcdef {\"after\":null} -->";
    for (line, said) in [
        (record.to_owned(), "was edited and does not count"),
        (record.replace("v1", "v9"), "has an unknown version"),
        (
            "<!-- cargo-poc:evidence v1 -->".to_owned(),
            "truncated or wrapped",
        ),
        (
            "<!-- cargo-poc:evidence -->".to_owned(),
            "truncated or wrapped",
        ),
    ] {
        let sandbox = workspace();
        sandbox.append(
            "docs/cache-results.md",
            &format!(
                "\n<!-- cargo-poc:begin evidence -->\n\n{line}\n\n<!-- cargo-poc:end evidence -->\n"
            ),
        );
        let at = sandbox
            .read("docs/cache-results.md")
            .lines()
            .position(|other| other == line)
            .unwrap()
            + 1;
        refused(
            &sandbox,
            "status cache --check",
            1,
            &[&format!("docs/cache-results.md:{at}"), said],
        );
        sandbox.poc("status cache").exits(0).prints(said);
    }
    // A comment or a region that is not closed makes the whole document unreliable.
    for rest in [&record[..40], "<!-- cargo-poc:begin evidence -->"] {
        let sandbox = workspace();
        sandbox.append("docs/cache-results.md", &format!("\n{rest}\n"));
        refused(&sandbox, "status cache --check", 2, &["POC010"]);
    }
}

#[test]
fn an_unknown_option_or_command() {
    let sandbox = workspace();
    refused(&sandbox, "stats", 2, &["unrecognized subcommand", "status"]);
    refused(
        &sandbox,
        "status --chek",
        2,
        &["unexpected argument", "--check"],
    );
    refused(
        &sandbox,
        "affected --base main --files x",
        2,
        &["cannot be used with"],
    );
    sandbox
        .poc("poc status --help")
        .exits(0)
        .prints("cargo poc status");
    sandbox
        .poc("status --help")
        .exits(0)
        .prints("cargo-poc status");
}

#[cfg(unix)]
#[test]
fn closed_pipe_is_not_an_error() {
    let sandbox = workspace();
    sandbox
        .shell("cargo poc init x -p app --dry-run | head -1")
        .exits(0)
        .hides("error");
}
