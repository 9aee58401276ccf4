//! The README and the book in `docs` are true: their commands are run, their recording is what the demo prints, and their
//! links lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use camino::Utf8Path;
use cargo_poc::internals::cli::Cli;
use cargo_poc::internals::demo::WORKSPACE;
use clap::Parser as _;
use clap::error::ErrorKind;
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");
const GUIDE: &str = include_str!("../../docs/guide.md");
const COMMANDS: &str = include_str!("../../docs/commands.md");
const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
/// Every page with commands of the program.
const PAGES: &[&str] = &[
    README,
    GUIDE,
    COMMANDS,
    CONFIGURATION,
    include_str!("../../docs/concepts.md"),
    include_str!("../../docs/selection.md"),
    include_str!("../../docs/findings.md"),
    include_str!("../../docs/ci.md"),
    include_str!("../../docs/performance.md"),
    include_str!("../../docs/comparison.md"),
    include_str!("../../CONTRIBUTING.md"),
    include_str!("../../SECURITY.md"),
];

/// The code blocks of a page in `language`.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("```{language}\n");
    let rests = page.split(&opening).skip(1);
    rests
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect()
}

/// The lines of the recording in the guide, except those that mark an omission.
pub(crate) fn recording() -> impl Iterator<Item = &'static str> {
    blocks(GUIDE, "console")[0]
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
    let block = blocks(README, "bash")
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

    let examples: Vec<&str> = COMMANDS
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(3))
        .filter_map(|cell| cell.trim().strip_prefix('`')?.strip_suffix('`'))
        .collect();
    assert!(examples.len() >= 7, "{examples:?}");
    // The demo has separate tests.
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
    let settings = blocks(CONFIGURATION, "toml")[0];
    let script = format!(
        "cat >> Cargo.toml <<'END'\n\n{settings}\nEND\nmkdir poc-template\ncargo poc status"
    );
    bash(folder.path(), &script);
}

#[test]
fn the_first_two_commands_are_run_before_a_change_lands() {
    let first = blocks(README, "bash")[0];
    let gate = include_str!("../../.ci/run");
    assert_eq!(first.lines().count(), 2);
    for command in first.lines() {
        let (program, arguments) = command.split_once(" -- ").unwrap_or((command, ""));
        let runs = |line: &str| line.starts_with(program) && line.contains(arguments);
        assert!(gate.lines().any(runs), "{command}");
    }
}

#[test]
fn every_mentioned_command_parses() {
    let mut said = BTreeMap::new();
    let spans = PAGES
        .iter()
        .flat_map(|page| page.split('`'))
        .filter(|span| !span.contains('\n'));
    let blocks = PAGES.iter().flat_map(|page| blocks(page, "bash"));
    let lines = blocks.flat_map(str::lines);
    let commands = spans.chain(lines).flat_map(|text| text.split("&&"));
    for text in commands {
        let Some(command) = text.trim().strip_prefix("cargo poc ") else {
            continue;
        };
        let command = command.split('#').next().unwrap().trim_end_matches('\\');
        let words = shlex::split(command).unwrap();
        let parsed = Cli::try_parse_from(std::iter::once("cargo-poc".to_owned()).chain(words));
        let parsed = match parsed {
            // A mention may leave arguments out.
            Err(error)
                if ![ErrorKind::DisplayHelp, ErrorKind::MissingRequiredArgument]
                    .contains(&error.kind()) =>
            {
                Err(error.to_string())
            }
            _ => Ok(()),
        };
        said.insert(command, parsed);
    }
    assert!(said.len() > 30, "{said:?}");
    let wrong: Vec<_> = said.iter().filter(|(_, parsed)| parsed.is_err()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The pages of the book and the documents beside the README, by path from the repository's root.
fn documents() -> BTreeMap<String, String> {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = BTreeMap::new();
    for folder in ["", "docs"] {
        for entry in root.join(folder).read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.extension() == Some("md") {
                let text = fs::read_to_string(&path).unwrap();
                let relative = path.strip_prefix(root).unwrap();
                documents.insert(relative.to_string(), text);
            }
        }
    }
    documents
}

/// The targets of inline links and the files of pictures, outside code.
fn links(text: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Parser, Tag};
    let events = Parser::new_ext(text, pulldown_cmark::Options::ENABLE_TABLES);
    let links = events.flat_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => vec![dest_url.into_string()],
        Event::Html(html) | Event::InlineHtml(html) => {
            let files = html.split(" src").skip(1);
            let files = files.filter_map(|rest| rest.split('"').nth(1));
            files.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    });
    links.collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[test]
fn links_refer_to_existing_pages_and_headings() {
    let documents = documents();
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (path, text) in &documents {
        for link in links(text) {
            if link.contains("://") {
                continue;
            }
            checked += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => {
                    let folder = Utf8Path::new(path).parent().unwrap();
                    folder.join(file).to_string()
                }
            };
            let exists = root.join(&target).exists();
            let has_anchor = anchor.is_empty()
                || documents
                    .get(&target)
                    .is_some_and(|page| anchors(page).iter().any(|known| known == anchor));
            if !exists || !has_anchor {
                wrong.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(checked > 20, "{checked}");
}

#[test]
fn the_summary_lists_every_page_of_the_book() {
    let documents = documents();
    let listed = links(&documents["docs/SUMMARY.md"]);
    let pages: Vec<&str> = documents
        .keys()
        .filter_map(|path| path.strip_prefix("docs/"))
        .filter(|page| *page != "SUMMARY.md")
        .collect();
    for page in &pages {
        assert!(listed.iter().any(|link| link == page), "{page}");
    }
    assert_eq!(listed.len(), pages.len());
}

/// Features that only dev-dependencies enable would make `cargo test` build again what `cargo run` has built.
#[test]
fn the_second_command_reuses_what_the_first_builds() {
    let packages = |edges: &str| -> BTreeSet<String> {
        let mut cargo = Command::new(env!("CARGO"));
        let arguments = ["tree", "--offline", "--locked", "--prefix", "none"];
        cargo
            .args(arguments)
            .args(["--format", "{p} {f}", "--edges", edges]);
        let output = cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| line.trim_end_matches(" (*)").to_owned())
            .collect()
    };
    let (run, test) = (packages("normal"), packages("normal,dev"));
    assert!(run.len() > 1 && test.len() > run.len());
    let again: Vec<&String> = run.difference(&test).collect();
    assert!(
        again.is_empty(),
        "dev-dependencies add features to {again:#?}"
    );
}
