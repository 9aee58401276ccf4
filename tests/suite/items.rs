//! The item graph on a synthetic workspace: every edit selects the tests it affects and leaves those it cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::MetadataCommand;
use cargo_poc::internals::affected::items::{Changed, CrateGraph, Graph, TestPattern, Uncached};
use cargo_poc::internals::workspace::Workspace;

use crate::kit::Sandbox;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Edits {
    edit: Vec<Edit>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    name: String,
    file: String,
    #[serde(default)]
    from: String,
    to: Option<String>,
    fails: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    selects: Option<usize>,
    /// The result does not compile: every test of the unit is gone.
    #[serde(default)]
    breaks: bool,
}

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/items");

fn edits() -> Vec<Edit> {
    let text = std::fs::read_to_string(format!("{CASES}/edits.toml")).unwrap();
    toml_edit::de::from_str::<Edits>(&text).unwrap().edit
}

fn synthetic() -> Sandbox {
    let sandbox = Sandbox::empty();
    copy(Utf8Path::new(&format!("{CASES}/workspace")), &sandbox.root);
    sandbox
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Makes the edit; what there was before, to take it back.
fn apply(root: &Utf8Path, edit: &Edit) -> String {
    let path = root.join(&edit.file);
    let before = std::fs::read_to_string(&path).unwrap();
    match &edit.to {
        None => std::fs::remove_file(&path).unwrap(),
        Some(to) if edit.from.is_empty() => put(&path, &format!("{before}{to}")),
        Some(to) => {
            assert_eq!(
                before.matches(&edit.from).count(),
                1,
                "{}: `from` stands once in {path}",
                edit.name
            );
            put(&path, &before.replace(&edit.from, to));
        }
    }
    before
}

#[expect(clippy::disallowed_methods, reason = "a fixture in a temporary folder")]
fn put(path: &Utf8Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn crates(root: &Utf8Path) -> CrateGraph {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    CrateGraph::of(&Workspace::new(metadata))
}

/// Selected tests as `package target name`, each with its reason, and how many tests there are.
fn selected(
    crates: &CrateGraph,
    root: &Utf8Path,
    path: &Utf8Path,
    before: &str,
) -> (BTreeMap<String, String>, usize) {
    let mut changed = Changed::default();
    if path.extension() == Some("rs") {
        changed
            .rust
            .insert(path.to_owned(), Some(before.to_owned()));
    } else {
        changed.others.insert(path.to_owned());
        changed
            .texts
            .insert(path.to_owned(), Some(before.to_owned()));
    }
    let graph = Graph::build(crates.clone(), &changed, &Uncached);
    let selection = graph.select(&changed);
    let by_items = selection.tests.iter().map(|selected| {
        let chain: Vec<String> = selected
            .chain
            .iter()
            .map(|node| graph.describe(*node))
            .collect();
        (name(root, &graph, selected.test), chain.join(" → "))
    });
    let by_unit = (0..graph.tests.len()).filter_map(|test| {
        let why = selection.units.get(&graph.tests[test].unit)?;
        Some((
            name(root, &graph, test),
            selection.widened[*why].why.clone(),
        ))
    });
    (by_items.chain(by_unit).collect(), graph.tests.len())
}

fn name(root: &Utf8Path, graph: &Graph, test: usize) -> String {
    let test = &graph.tests[test];
    let unit = &graph.crates.units[test.unit];
    let package = Utf8PathBuf::from(&unit.root);
    let package = package
        .strip_prefix(root)
        .unwrap()
        .components()
        .next()
        .unwrap();
    match &test.name {
        TestPattern::Doc => format!(
            "{package} doc {}:{}",
            test.file.strip_prefix(root).unwrap(),
            test.line
        ),
        TestPattern::Exact(name) => format!("{package} {} {name}", unit.target().kind),
        TestPattern::Prefix(name) => format!("{package} {} {name}*", unit.target().kind),
        TestPattern::All | TestPattern::Unnamed => format!("{package} {} *", unit.target().kind),
    }
}

#[test]
fn every_edit_selects_exactly_the_expected_tests() {
    let sandbox = synthetic();
    let crates = crates(&sandbox.root);
    let mut wrong = Vec::new();
    for edit in edits() {
        let path = sandbox.root.join(&edit.file);
        let before = apply(&sandbox.root, &edit);
        let (found, total) = selected(&crates, &sandbox.root, &path, &before);
        put(&path, &before);
        for test in edit.fails.iter().filter(|test| !found.contains_key(*test)) {
            wrong.push(format!("{}: must select {test}", edit.name));
        }
        for test in &edit.not {
            if let Some(reason) = found.get(test) {
                wrong.push(format!("{}: must not select {test}: {reason}", edit.name));
            }
        }
        if edit.selects.is_some_and(|count| count != found.len()) {
            wrong.push(format!(
                "{}: selects {} of {total}: {found:#?}",
                edit.name,
                found.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Proves `fails` of every edit with cargo itself: tests whose outcome changes, or that vanish, are those and no others.
#[test]
#[ignore = "builds and runs the synthetic workspace once per edit"]
fn every_edit_changes_the_expected_outcomes() {
    let sandbox = synthetic();
    let crates = crates(&sandbox.root);
    let mut wrong = Vec::new();
    let passing = outcomes(&sandbox.root);
    assert!(passing.len() > 40, "{passing:?}");
    for edit in edits() {
        let path = sandbox.root.join(&edit.file);
        let before = apply(&sandbox.root, &edit);
        let after = outcomes(&sandbox.root);
        let (found, _) = selected(&crates, &sandbox.root, &path, &before);
        put(&path, &before);
        let changed: BTreeSet<&String> = if edit.breaks {
            assert!(after.is_empty(), "{}: must not compile", edit.name);
            continue;
        } else {
            passing.symmetric_difference(&after).collect()
        };
        // rustdoc tells documentation tests by another line than the one their code begins on.
        let named: BTreeSet<&String> = edit
            .fails
            .iter()
            .filter(|test| !test.contains(" doc "))
            .collect();
        if changed != named {
            wrong.push(format!(
                "{}: changed {changed:?}, said {named:?}",
                edit.name
            ));
        }
        for test in changed.iter().filter(|test| !found.contains_key(**test)) {
            wrong.push(format!("{}: {test} changed and is not selected", edit.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Passing tests of the workspace as `package target name`, documentation tests apart.
fn outcomes(root: &Utf8Path) -> BTreeSet<String> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args([
            "test",
            "--workspace",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
        ])
        .current_dir(root);
    command
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env_remove("RUSTFLAGS");
    let output = command.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let mut binaries = stderr
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Running "));
    let mut target = String::new();
    let mut passing = BTreeSet::new();
    for line in stdout.lines() {
        if line.starts_with("running ") {
            target = binary(root, binaries.next().unwrap());
        } else if let Some(test) = line
            .strip_prefix("test ")
            .and_then(|line| line.strip_suffix(" ... ok"))
        {
            passing.insert(format!("{target} {test}"));
        }
    }
    passing
}

/// `unittests src/lib.rs (target/debug/deps/engine-…)` → `engine lib`.
fn binary(root: &Utf8Path, line: &str) -> String {
    let path = line
        .trim_start_matches("unittests ")
        .split(' ')
        .next()
        .unwrap();
    let executable = line.rsplit('/').next().unwrap().rsplit_once('-').unwrap().0;
    match path {
        "src/lib.rs" => format!("{executable} lib"),
        "src/main.rs" => format!("{executable} bin {executable}"),
        test => {
            let mut packages = ["engine", "tool", "user", "unknown", "parts"].into_iter();
            let package = packages.find(|package| root.join(package).join(test).is_file());
            format!("{} test {executable}", package.unwrap())
        }
    }
}
