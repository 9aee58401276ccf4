//! What the templates are given.

use serde::Serialize;

use super::dependencies::Block;

/// What the templates are given: every name here is a variable there.
#[derive(Debug, Serialize)]
pub struct Draft {
    /// The slug.
    pub name: String,
    /// The slug as words: `lru-cache` → `Lru cache`.
    pub title: String,
    /// `PoC`, `Feature`, `Issue` or `Refactor`.
    pub kind: &'static str,
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
    /// Success criteria; a placeholder where none were given.
    pub criteria: Vec<Criterion>,
    /// The document they come from.
    pub criteria_source: Option<String>,
    /// The touched packages, leaves first.
    pub packages: Vec<Package>,
    /// Mermaid: the packages whose tests are affected.
    pub graph: String,
    /// The file structure, drawn.
    pub tree: String,
    /// The configurations that every step has to be proven in.
    pub configurations: Vec<String>,
    /// The tests that the plan's files can affect.
    pub affected: Affected,
    /// Prerequisites after the first, which is the affected tests.
    pub prerequisites: Vec<Prerequisite>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The Files table.
    pub files: Vec<File>,
    /// A toml block for each manifest.
    pub dependencies: Vec<Block>,
    /// What the graph shows could go wrong.
    pub risks: Vec<Risk>,
}

/// A success criterion.
#[derive(Debug, Serialize)]
pub struct Criterion {
    /// Its text.
    pub text: String,
    /// What proves it: `step 2`, `done` or `person`.
    pub proof: String,
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
    /// What cargo takes for the packages that the work touches.
    pub arguments: String,
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
    /// The first sentence of its module documentation; empty without one.
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

/// A row of the Risks table.
#[derive(Debug, Serialize)]
pub struct Risk {
    /// The risk.
    pub risk: String,
    /// `H`, `M` or `L`.
    pub likelihood: &'static str,
    /// The mitigation.
    pub mitigation: String,
}

impl Risk {
    pub(super) fn new(
        risk: String,
        likelihood: &'static str,
        mitigation: impl Into<String>,
    ) -> Self {
        Self {
            risk,
            likelihood,
            mitigation: mitigation.into(),
        }
    }
}
