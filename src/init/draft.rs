//! The variables of the templates.

use serde::Serialize;

use super::dependencies::Block;

/// The variables of the templates; field names are variable names.
#[derive(Debug, Serialize)]
pub struct Draft {
    /// The slug.
    pub name: String,
    /// The slug as a title: `lru-cache` → `Lru cache`.
    pub title: String,
    /// `PoC`, `Feature`, `Issue` or `Refactor`.
    pub kind: &'static str,
    /// The date, `2026-01-31`.
    pub created: String,
    /// The base's full commit id; `None` without git.
    pub base: Option<String>,
    /// The plan's path relative to the workspace root.
    pub plan_path: String,
    /// The results' path relative to the workspace root.
    pub results_path: String,
    /// The statement that the work proves, if given.
    pub proves: Option<String>,
    /// Why it is production-grade, if given.
    pub because: Option<String>,
    /// Success criteria; a placeholder if none were given.
    pub criteria: Vec<Criterion>,
    /// The document that contains them.
    pub criteria_source: Option<String>,
    /// The touched packages, leaves first.
    pub packages: Vec<Package>,
    /// A Mermaid graph of the packages whose tests are affected.
    pub graph: String,
    /// The file structure as a tree.
    pub tree: String,
    /// The configurations that every step has to be proven in.
    pub configurations: Vec<String>,
    /// Why tests of packages are left out.
    pub left_out: Vec<String>,
    /// The tests that the plan's files can affect.
    pub affected: Affected,
    /// Prerequisites after the first, which runs the affected tests.
    pub prerequisites: Vec<Prerequisite>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The Files table.
    pub files: Vec<File>,
    /// A TOML block for each manifest.
    pub dependencies: Vec<Block>,
    /// Risks from the crate graph.
    pub risks: Vec<Risk>,
}

/// A success criterion.
#[derive(Debug, Serialize)]
pub struct Criterion {
    /// Its text.
    pub text: String,
    /// Its proof: `step 2`, `done` or `person`.
    pub proof: String,
}

/// A touched package.
#[derive(Debug, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder relative to the workspace root; empty for the root.
    pub folder: String,
    /// The number of members that depend on it, directly or not.
    pub dependents: usize,
}

/// The tests that the plan's files can affect.
#[derive(Debug, Serialize)]
pub struct Affected {
    /// Test targets with at least one test.
    pub targets: Vec<TestTarget>,
    /// The number of their tests in the sources.
    pub total: usize,
    /// The number of all tests in the sources of the workspace.
    pub full_suite: usize,
    /// The cargo arguments that select the touched packages.
    pub arguments: String,
    /// The commands that run the affected tests.
    pub commands: Vec<String>,
    /// The commands that run all tests.
    pub full_commands: Vec<String>,
}

/// One row of the Test Summary.
#[derive(Debug, Serialize)]
pub struct TestTarget {
    /// Its root file relative to the workspace root, for example `src/lib.rs`.
    pub path: String,
    /// `doctests`, or empty.
    pub note: &'static str,
    /// The number of tests in the source.
    pub tests: usize,
    /// The first sentence of its module documentation; empty without one.
    pub covers: String,
}

/// A condition for the first step.
#[derive(Debug, Serialize)]
pub struct Prerequisite {
    /// Its number, from 2.
    pub number: usize,
    /// Its heading.
    pub title: String,
    /// The reason.
    pub why: String,
    /// The commands that establish it.
    pub commands: Vec<String>,
    /// The commands that verify it.
    pub verification: Vec<String>,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Step {
    /// `0`, `1`, …
    pub id: usize,
    /// Its heading.
    pub title: String,
    /// Its goal; `None` for a placeholder.
    pub goal: Option<String>,
    /// Its checkboxes.
    pub tasks: Vec<String>,
    /// The code to write or the commands to run.
    pub code: Option<Snippet>,
    /// Its first test.
    pub test: Option<Snippet>,
    /// Its verification commands.
    pub verification: Vec<String>,
    /// Its output.
    pub output: String,
}

/// A code block and its file.
#[derive(Debug, Serialize)]
pub struct Snippet {
    /// The language of its fence.
    pub lang: &'static str,
    /// Its file relative to the workspace root; empty for commands.
    pub path: String,
    /// The code.
    pub code: String,
}

/// A row of the Files table.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// The path relative to the workspace root.
    pub path: String,
    /// `Create`, `Modify` or `Delete`.
    pub action: &'static str,
    /// Its purpose.
    pub purpose: Option<String>,
}

/// A row of the Risks table.
#[derive(Debug, Serialize)]
pub struct Risk {
    /// The risk.
    pub description: String,
    /// `H`, `M` or `L`.
    pub likelihood: &'static str,
    /// The mitigation.
    pub mitigation: String,
}

impl Risk {
    pub(super) fn new(
        description: String,
        likelihood: &'static str,
        mitigation: impl Into<String>,
    ) -> Self {
        Self {
            description,
            likelihood,
            mitigation: mitigation.into(),
        }
    }
}
