//! The first draft of a plan, from what the user says and what the crate graph knows.
//!
//! In: [`Request`], the arguments resolved against the workspace. Out: [`Draft`], what the templates
//! are given; what only a person can know is left to them as a placeholder.

pub mod dependencies;
pub mod facts;
pub mod prerequisites;
pub mod request;
pub mod risks;
pub mod steps;
pub mod tree;

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use self::facts::Facts;
use self::request::Request;
use crate::affected::arguments::{self, quoted};
use crate::affected::{Selection, TestKind};
use crate::project::Project;

/// What the templates are given: every name here is a variable there.
#[derive(Debug, Serialize)]
pub struct Draft {
    /// The slug.
    pub name: String,
    /// The slug as words: `lru-cache` → `Lru cache`.
    pub title: String,
    /// `PoC`, `Feature`, `Issue` or `Refactor`.
    pub kind: &'static str,
    /// Whether a plan of a screenful is wanted.
    pub tiny: bool,
    /// The date, `2026-01-31`.
    pub created: String,
    /// The base's full commit id; `None` without git.
    pub base: Option<String>,
    /// The plan's path below the workspace root.
    pub plan_path: String,
    /// The results' path below the workspace root.
    pub results_path: String,
    /// What the work proves, if it was said.
    pub proves: Option<String>,
    /// Why it is no toy, if it was said.
    pub because: Option<String>,
    /// Success criteria, if any were given.
    pub criteria: Vec<String>,
    /// The document they come from.
    pub criteria_source: Option<String>,
    /// The touched packages, leaves first.
    pub packages: Vec<Package>,
    /// Mermaid: the packages whose tests are affected.
    pub graph: String,
    /// The file structure, drawn.
    pub tree: String,
    /// The tests that the plan's files can affect.
    pub affected: Affected,
    /// Prerequisites after the first, which is the affected tests.
    pub prerequisites: Vec<Prerequisite>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The Files table.
    pub files: Vec<File>,
    /// A toml block for each manifest.
    pub dependencies: Vec<dependencies::Block>,
    /// What the graph shows could go wrong.
    pub risks: Vec<risks::Risk>,
}

/// A touched package.
#[derive(Debug, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder below the workspace root; empty for the root itself.
    pub folder: String,
    /// How many members depend on it, through others too.
    pub dependents: usize,
}

/// The tests that the plan's files can affect.
#[derive(Debug, Serialize)]
pub struct Affected {
    /// Test targets with at least one test.
    pub targets: Vec<TestTarget>,
    /// Their tests, counted in the source.
    pub total: usize,
    /// All tests of the workspace, counted in the source.
    pub full_suite: usize,
    /// The commands that run the affected tests.
    pub commands: Vec<String>,
    /// The commands that run all tests.
    pub full_commands: Vec<String>,
}

/// One row of the Test Summary.
#[derive(Debug, Serialize)]
pub struct TestTarget {
    /// Its root file below the workspace root, and what of it: `src/lib.rs` (doctests).
    pub path: String,
    /// `doctests` for those, else empty.
    pub note: &'static str,
    /// Tests counted in the source.
    pub tests: usize,
    /// The first sentence of its module documentation, else its name.
    pub covers: String,
}

/// A need that must be met before the first step.
#[derive(Debug, Serialize)]
pub struct Prerequisite {
    /// Its number, from 2.
    pub number: usize,
    /// Its heading.
    pub title: String,
    /// Why it is needed.
    pub why: String,
    /// The commands that bring it about.
    pub commands: Vec<String>,
    /// The commands that show it is met.
    pub verification: Vec<String>,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Step {
    /// `0`, `1`, …
    pub id: usize,
    /// Its heading.
    pub title: String,
    /// What it accomplishes; `None` leaves a placeholder.
    pub goal: Option<String>,
    /// Its checkboxes.
    pub tasks: Vec<String>,
    /// What to write or run.
    pub code: Option<Snippet>,
    /// The test to begin with.
    pub test: Option<Snippet>,
    /// The commands that prove it.
    pub verification: Vec<String>,
    /// What it leaves behind.
    pub output: String,
}

/// A code block and where it goes.
#[derive(Debug, Serialize)]
pub struct Snippet {
    /// The language of its fence.
    pub lang: &'static str,
    /// The file it is for, below the workspace root; empty for commands.
    pub path: String,
    /// The code.
    pub code: String,
}

/// A row of the Files table.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// Below the workspace root.
    pub path: String,
    /// `Create`, `Modify` or `Delete`.
    pub action: &'static str,
    /// What for.
    pub purpose: Option<String>,
}

/// Works out the draft: reads sources and manifests, runs nothing but `cargo info` for a version nobody gave.
///
/// # Errors
/// When a manifest or source cannot be read.
pub fn draft(project: &Project, request: &Request) -> Result<Draft> {
    let workspace = &project.workspace;
    let facts = Facts::gather(project, request)?;
    let dependencies = dependencies::blocks(project, request)?;
    let tests = affected(project, &facts);
    let files = files(project, request, &dependencies, &tests);
    let carried = |package| workspace.linked_by(&BTreeSet::from([package])).len() - 1;
    let packages = request.packages.iter().map(|&package| Package {
        name: workspace.packages[package].name.to_string(),
        folder: workspace.slashed(workspace.folder(package)),
        dependents: carried(package),
    });
    let relative = |path| workspace.slashed(path);
    Ok(Draft {
        name: request.paths.name.clone(),
        title: title(&request.paths.name),
        kind: request.kind,
        tiny: request.tiny,
        created: jiff::Zoned::now().date().to_string(),
        base: request.base.clone(),
        plan_path: relative(&request.paths.plan),
        results_path: relative(&request.paths.results),
        proves: request.proves.clone(),
        because: request.because.clone(),
        criteria: request.criteria.clone(),
        criteria_source: request.criteria_source.clone(),
        packages: packages.collect(),
        graph: facts::mermaid(workspace, &facts.selection, &request.packages),
        tree: tree::draw(project, request, &files)?,
        prerequisites: prerequisites::prerequisites(project, request, &dependencies),
        steps: steps::steps(project, request, &tests),
        risks: risks::risks(project, request, &facts, &dependencies),
        affected: tests,
        dependencies,
        files,
    })
}

fn title(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The declared files, the files that declare new modules, the test file of each step, and each manifest that gets a
/// dependency.
fn files(
    project: &Project,
    request: &Request,
    dependencies: &[dependencies::Block],
    affected: &Affected,
) -> Vec<File> {
    let workspace = &project.workspace;
    let mut files: Vec<File> = request
        .files
        .iter()
        .map(|file| File {
            path: workspace.slashed(&file.path),
            action: file.action,
            purpose: file.purpose.clone(),
        })
        .collect();
    let mut add = |path: String, action, purpose: String| match files
        .iter_mut()
        .find(|file| file.path == path)
    {
        Some(file) => file.purpose = file.purpose.take().or(Some(purpose)),
        None => files.push(File {
            path,
            action,
            purpose: Some(purpose),
        }),
    };
    let planned: Vec<&request::PlannedFile> = request.files.iter().collect();
    for module in steps::new_modules(workspace, &planned) {
        add(
            workspace.slashed(&module.parent),
            "Modify",
            format!("takes up `mod {}`", module.name),
        );
    }
    // A tiny plan asks for a test, and leaves where to its writer.
    let places = request
        .test_places
        .iter()
        .filter(|_| !request.tiny || affected.total == 0);
    for place in places {
        let action = if place.path.exists() {
            "Modify"
        } else {
            "Create"
        };
        add(
            workspace.slashed(&place.path),
            action,
            "tests of this work".to_owned(),
        );
    }
    for block in dependencies.iter().filter(|block| block.is_new()) {
        add(
            block.manifest.clone(),
            "Modify",
            format!("dependencies: {}", block.new_names.join(", ")),
        );
    }
    files
}

fn affected(project: &Project, facts: &Facts) -> Affected {
    let workspace = &project.workspace;
    let rows: Vec<TestTarget> = facts
        .selection
        .targets
        .keys()
        .filter_map(|target| facts.row(workspace, target))
        .collect();
    Affected {
        total: rows.iter().map(|row| row.tests).sum(),
        targets: rows.into_iter().filter(|row| row.tests > 0).collect(),
        full_suite: facts.selection.total.tests,
        commands: commands(project, facts.nextest, &facts.selection),
        full_commands: if facts.nextest {
            vec![
                "cargo nextest run --workspace".into(),
                "cargo test --workspace --doc".into(),
            ]
        } else {
            vec!["cargo test --workspace".into()]
        },
    }
}

/// The commands that run a selection, as the workspace's runner takes them; none stops at the first failure, since a
/// baseline has to know every test.
fn commands(project: &Project, nextest: bool, selection: &Selection) -> Vec<String> {
    let workspace = &project.workspace;
    if !nextest {
        let calls = arguments::cargo_test(workspace, selection);
        return calls
            .iter()
            .map(|call| format!("cargo test --no-fail-fast {}", quoted(&call.arguments)))
            .collect();
    }
    let mut commands = vec![format!(
        "cargo nextest run --no-fail-fast {}",
        quoted(&arguments::nextest(workspace, selection))
    )];
    let documented: BTreeSet<_> = selection
        .targets
        .keys()
        .filter(|target| target.kind == TestKind::Doc)
        .map(|target| target.package)
        .collect();
    if !documented.is_empty() {
        let packages = arguments::package_arguments(workspace, &documented);
        commands.push(format!(
            "cargo test --no-fail-fast --doc {}",
            quoted(&packages)
        ));
    }
    commands
}
