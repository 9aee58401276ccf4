//! Nothing in the README that isn't true: its commands are run, its recording is what the demo prints.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cargo_poc::cli::Cli;
use cargo_poc::demo::WORKSPACE;
use clap::Parser as _;
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");

/// The code blocks in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let blocks: Vec<&str> = README
        .split(&opening)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect();
    assert!(!blocks.is_empty(), "no {language} block");
    blocks
}

/// The lines of the recording in the README, without those that only say that something is left out.
pub(crate) fn recording() -> impl Iterator<Item = &'static str> {
    blocks("console")[0]
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# …") && line.trim() != "…")
}

/// The demo's workspace, with `moka` as a registry's crate on disk, so that the README's dependency needs no network.
fn sample() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |path: &str, content: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's own new file")]
        fs::write(path, content).unwrap();
    };
    for (path, content) in WORKSPACE {
        write(path, content);
    }
    write(
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"disk\"\n[source.disk]\ndirectory = \"registry\"\n",
    );
    write(
        "registry/moka/Cargo.toml",
        "[package]\nname = \"moka\"\nversion = \"0.12.0\"\nedition = \"2021\"\n[features]\nsync = []\n[workspace]\n",
    );
    write("registry/moka/src/lib.rs", "");
    write("registry/moka/.cargo-checksum.json", "{\"files\":{}}");
    bash(
        folder.path(),
        "git init -q && git add . && git -c user.name=x -c user.email=x@example.invalid commit -qm sample",
    );
    folder
}

/// Runs a script as a person would who has installed the program.
fn bash(folder: &Path, script: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-poc"));
    let own = program.parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path)));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The loop's commands, cut where the person is to write code.
fn the_loop() -> (&'static str, &'static str) {
    let block = blocks("bash")
        .into_iter()
        .find(|block| block.contains("cargo poc init cache"))
        .unwrap();
    block.split_once("# … write code …").unwrap()
}

/// The loop with its code written.
fn after_the_loop() -> TempDir {
    let folder = sample();
    let (before, after) = the_loop();
    bash(folder.path(), before);
    bash(
        folder.path(),
        "sed -i.old 's/^use std/mod cache;\\n\\nuse std/' store/src/lib.rs && rm store/src/lib.rs.old
         echo '//! A cache.' > store/src/cache.rs
         echo '#[test] fn cache_step_1_adds() { assert_eq!(1 + 1, 2); }' > store/tests/cache.rs",
    );
    bash(folder.path(), after);
    folder
}

#[test]
fn the_loop_and_every_command_of_the_table_run_as_written() {
    let folder = after_the_loop();
    let status = bash(folder.path(), "cargo poc status cache");
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("proven       1"), "{status}");
    let manifest = fs::read_to_string(folder.path().join("store/Cargo.toml")).unwrap();
    assert!(
        manifest.contains("moka = { version = \"0.12\", features = [\"sync\"] }"),
        "{manifest}"
    );

    let examples: Vec<&str> = README
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(3))
        .filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`'))
        .collect();
    assert!(examples.len() >= 7, "{examples:?}");
    // The demo has tests of its own.
    for example in examples.iter().filter(|example| !example.contains(" demo")) {
        bash(folder.path(), example);
    }
    bash(
        folder.path(),
        "cargo test $(cargo poc affected --format args)",
    );
}

#[test]
fn the_settings_load() {
    let folder = sample();
    let settings = blocks("toml")[0];
    let script = format!(
        "cat >> Cargo.toml <<'END'\n\n{settings}\nEND\nmkdir poc-template\ncargo poc status"
    );
    bash(folder.path(), &script);
}

#[test]
fn the_first_two_commands_are_run_before_a_change_lands() {
    let first = blocks("bash")[0];
    let gate = include_str!("../../.ci/run");
    assert_eq!(first.lines().count(), 2);
    for command in first.lines() {
        let (program, arguments) = command.split_once(" -- ").unwrap_or((command, ""));
        let runs = |line: &str| line.starts_with(program) && line.contains(arguments);
        assert!(gate.lines().any(runs), "{command}");
    }
}

#[test]
fn every_command_that_is_mentioned_can_be_said() {
    let mut said = BTreeMap::new();
    let spans = README.split('`').filter(|span| !span.contains('\n'));
    let lines = blocks("bash").into_iter().flat_map(str::lines);
    for text in spans.chain(lines) {
        let Some(command) = text.trim().strip_prefix("cargo poc ") else {
            continue;
        };
        let command = command.split('#').next().unwrap().trim_end_matches('\\');
        let words = shlex::split(command).unwrap();
        let parsed = Cli::try_parse_from(std::iter::once("cargo-poc".to_owned()).chain(words));
        said.insert(
            command,
            parsed.map(|_| ()).map_err(|error| error.to_string()),
        );
    }
    assert!(said.len() > 10, "{said:?}");
    let wrong: Vec<_> = said.iter().filter(|(_, parsed)| parsed.is_err()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
