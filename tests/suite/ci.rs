//! Files that others run (the action, the hooks, the snippets, what assistants are told): they parse, and every command
//! in them is one that the program has.

use std::fs;

use camino::Utf8Path;
use cargo_poc::internals::cli::Cli;
use clap::Parser as _;
use serde_json::Value;

use crate::kit::{PROGRAM, Sandbox};

fn text(path: &str) -> String {
    fs::read_to_string(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Every text of a document.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// The commands of the program among lines of shell, each of which must be one; how many there are.
fn commands(lines: &str) -> usize {
    let mut count = 0;
    for line in lines.lines() {
        for lead in ["cargo poc ", "cargo-poc "] {
            let Some(command) = line.trim().strip_prefix(lead) else {
                continue;
            };
            let words = shlex::split(command.split(" >").next().unwrap()).unwrap();
            let words = std::iter::once("cargo-poc".to_owned()).chain(words);
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{line}: {error}");
            }
            count += 1;
        }
    }
    count
}

#[test]
fn action_runs_existing_commands() {
    let action = yaml(&text("action.yml"));
    assert_eq!(action["runs"]["using"], "composite");
    let default = |input: &str| action["inputs"][input]["default"].as_str().unwrap();
    let mut count = 0;
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(uses) = step["uses"].as_str() {
            let commit = uses.split_once('@').unwrap().1;
            assert!(commit.len() == 40, "a tag can be moved: {uses}");
            continue;
        }
        assert_eq!(step["shell"], "bash", "{step}");
        let script = step["run"].as_str().unwrap();
        // What a user writes reaches the shell as a variable, never as a part of the script.
        assert!(!script.contains("${{"), "{script}");
        let mut script = script.to_owned();
        for (variable, value) in step["env"].as_object().into_iter().flatten() {
            let input = value.as_str().unwrap().split_once("inputs.");
            if let Some((_, input)) = input {
                let input = input.trim_end_matches(" }}");
                script = script.replace(&format!("${variable}"), default(input));
            }
        }
        count += commands(&script);
    }
    assert_eq!(count, 3);
}

#[test]
fn action_cache_key_covers_every_file() {
    let action = yaml(&text("action.yml"));
    let mut steps = action["runs"]["steps"].as_array().unwrap().iter();
    let step = steps.find(|step| step["id"] == "sources").unwrap();
    let sandbox = Sandbox::empty();
    sandbox
        .write("action/src/main.rs", "fn main() {}")
        .write("action/a file", "a\r\n")
        .write("tell", step["run"].as_str().unwrap());
    let id = || {
        let run = sandbox.shell(
            "export SOURCE=$PWD/action GITHUB_OUTPUT=$PWD/said; bash -e tell && cat said && rm said",
        );
        let said = run.exits(0).stdout.trim().to_owned();
        assert!(said.starts_with("id=") && said.len() > 20, "{said}");
        said
    };
    let first = id();
    sandbox.write("action/target/release/built", "by cargo");
    assert_eq!(id(), first);
    sandbox.write("action/a file", "a\n");
    let second = id();
    assert_ne!(second, first);
    sandbox.write("action/src/other.rs", "");
    assert_ne!(id(), second);
}

#[test]
fn hooks_run_existing_commands() {
    let hooks = yaml(&text(".pre-commit-hooks.yaml"));
    let hooks = hooks.as_array().unwrap();
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        assert_eq!(hook["language"], "rust");
        assert_eq!(commands(hook["entry"].as_str().unwrap()), 1, "{hook}");
    }
}

#[test]
fn snippets_parse_and_run_existing_commands() {
    // A job of the matrix sets these.
    let page = text("docs/ci.md")
        .replace("$PART", "1/4")
        .replace("$import", "--import poc-results")
        .replace("$INDEX", "1");
    let blocks: Vec<&str> = page
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 10);
    let mut count = 0;
    for block in blocks {
        let block = yaml(block);
        let mut all = Vec::new();
        texts(&block, &mut all);
        count += all.into_iter().map(commands).sum::<usize>();
    }
    assert_eq!(count, 12);
    let hooks = text(".pre-commit-hooks.yaml");
    for id in ["cargo-poc-check", "cargo-poc-status"] {
        assert!(page.contains(id) && hooks.contains(&format!("- id: {id}\n")));
    }
    let action = yaml(&text("action.yml"));
    for input in action["inputs"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{input}`")), "{input}");
    }
}

#[test]
fn the_workflow_runs_the_gate_and_the_oldest_rust_that_the_manifest_names() {
    let workflow = yaml(&text(".github/workflows/ci.yml"));
    let mut all = Vec::new();
    texts(&workflow["jobs"], &mut all);
    assert!(all.contains(&".ci/run"), "{all:?}");
    let manifest: toml_edit::DocumentMut = text("Cargo.toml").parse().unwrap();
    let oldest = manifest["package"]["rust-version"].as_str().unwrap();
    let checks = format!("cargo +{oldest} check --locked");
    assert!(all.contains(&checks.as_str()), "{checks} is not in {all:?}");
}

/// What `cargo binstall` makes of a template of the manifest.
fn expanded(key: &str, target: &str) -> String {
    let manifest: toml_edit::DocumentMut = text("Cargo.toml").parse().unwrap();
    let mut text = manifest["package"]["metadata"]["binstall"][key]
        .as_str()
        .unwrap()
        .to_owned();
    let ending = if target.contains("windows") {
        ".exe"
    } else {
        ""
    };
    for (variable, value) in [
        ("repo", "https://example.com/cargo-poc"),
        ("name", env!("CARGO_PKG_NAME")),
        ("version", env!("CARGO_PKG_VERSION")),
        ("target", target),
        ("archive-suffix", ".tgz"),
        ("bin", "cargo-poc"),
        ("binary-ext", ending),
    ] {
        text = text.replace(&format!("{{ {variable} }}"), value);
    }
    assert!(!text.contains('{'), "{text}");
    text
}

#[test]
fn archive_has_the_path_and_content_that_binstall_expects() {
    let script = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/archive");
    // Compressing the program of a debug build twice takes 10 s.
    let starter = Sandbox::empty();
    starter.write("program", format!("#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n"));
    starter.shell("chmod +x program").exits(0);
    let starter = starter.root.join("program");
    for target in ["x86_64-unknown-linux-musl", "x86_64-pc-windows-msvc"] {
        let sandbox = Sandbox::empty();
        let run = sandbox.shell(&format!("{script} {target} 'out put' '{starter}'"));
        let archive = run.exits(0).stdout.trim().to_owned();
        let address = expanded("pkg-url", target);
        let (release, file) = address.rsplit_once('/').unwrap();
        let tag = concat!("v", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            release,
            format!("https://example.com/cargo-poc/releases/download/{tag}")
        );
        assert_eq!(archive, format!("out put/{file}"));
        let program = expanded("bin-dir", target);
        let script = format!("tar xzf '{archive}' && './{program}' --version && find . -type f");
        let run = sandbox.shell(&script);
        let folder = program.rsplit_once('/').unwrap().0;
        run.exits(0)
            .prints(concat!("cargo-poc ", env!("CARGO_PKG_VERSION"), "\n"))
            .prints(&format!("{folder}/man/cargo-poc-step-done.1"))
            .prints(&format!("{folder}/completions/cargo-poc.zsh"))
            .prints(&format!("{folder}/LICENSE-MIT"));
        let checksum = sandbox.shell(&format!(
            "cd 'out put' && (command -v sha256sum >/dev/null && sha256sum --check '{file}.sha256' || shasum -a 256 --check '{file}.sha256')"
        ));
        checksum.exits(0).prints(&format!("{file}: OK"));
    }
}

#[test]
fn a_release_needs_its_version_its_repository_and_its_notes() {
    let sandbox = Sandbox::empty();
    sandbox
        .write(".github/release-notes", text(".github/release-notes"))
        .write(
            "Cargo.toml",
            "[package]\nname = \"tool\"\nversion = \"1.2.3\"\n\n[dependencies]\nx = \"1\"\nversion = \"9\"\n",
        )
        .write(
            "CHANGELOG.md",
            "# Changelog\n\n## Unreleased\n\nlater\n\n## 1.2.30\n\nno\n",
        );
    let notes = |tag: &str| {
        let environment = "GITHUB_SERVER_URL=https://example.com GITHUB_REPOSITORY=ada/tool";
        sandbox.shell(&format!("{environment} bash .github/release-notes {tag}"))
    };
    notes("v1.2.4")
        .exits(1)
        .says("the tag is v1.2.4, and Cargo.toml has version 1.2.3");
    notes("v1.2.3")
        .exits(1)
        .says("needs repository = \"https://example.com/ada/tool\"");
    let repository = "repository = \"https://example.com/ada/tool\"\n\n[dependencies]";
    sandbox.edit("Cargo.toml", "\n[dependencies]", repository);
    notes("v1.2.3")
        .exits(1)
        .says("CHANGELOG.md has nothing under \"## 1.2.3\"");
    let section = "## 1.2.3 (2026-02-03)\n\n- now quick\n\n## 1.2.30";
    sandbox.edit("CHANGELOG.md", "## 1.2.30", section);
    assert_eq!(notes("v1.2.3").exits(0).stdout.trim(), "- now quick");
}

#[test]
fn release_runs_existing_scripts() {
    let workflow = yaml(&text(".github/workflows/release.yml"));
    let mut all = Vec::new();
    texts(&workflow, &mut all);
    let words = all.iter().flat_map(|text| text.split_whitespace());
    let scripts: Vec<&str> = words.filter(|word| word.starts_with(".github/")).collect();
    assert_eq!(scripts.len(), 3, "{scripts:?}");
    for script in scripts {
        assert!(
            text(script).starts_with("#!/usr/bin/env bash\n"),
            "{script}"
        );
    }
}

#[test]
fn agents_section_needs_no_workspace_and_names_existing_commands() {
    let run = Sandbox::empty().poc("init --agents");
    run.exits(0)
        .prints("Never tick a box or write `Complete` without a recorded run")
        .prints("3 evidence is stale");
    let flat = run.stdout.replace("\n   ", " ");
    let spans: Vec<&str> = flat.split('`').skip(1).step_by(2).collect();
    let count: usize = spans.iter().map(|span| commands(span)).sum();
    assert_eq!(count, 7, "{spans:?}");
    Sandbox::empty().poc("init cache --agents").exits(2);
}
