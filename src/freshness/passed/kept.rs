//! The runs that are kept in the target folder, for each workspace, runner and configuration.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::state::TreeState;
use crate::affected::failed::TestNames;
use crate::freshness::inputs::Inputs;
use crate::sys::cache::{self, Cache, Key};
use crate::sys::cargo::own_folder;
use crate::sys::files;
use crate::sys::lock::lock;
use crate::workspace::Workspace;

/// The header of the file, with the version of the format.
const FORMAT: &str = "cargo-poc passed tests 3\n";
/// The number of runs to keep for the current conditions, and for all others. Each costs a selection when tests are looked up.
const RUNS: usize = 3;
/// The size limit for other configurations, as a multiple of the size of the current one.
const TIMES: usize = 4;

/// The tests that passed in a state of the work tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PassedRun {
    pub(super) state: TreeState,
    /// The conditions that the work tree does not contain.
    pub(super) conditions: Inputs,
    pub(super) passed: TestNames,
    /// Whether it ran on another machine.
    pub(super) is_imported: bool,
}

/// The results of the tests of a run, by binary id.
#[derive(Debug, Default)]
pub struct TestResults {
    /// Tests that passed at the first attempt.
    pub passed: TestNames,
    /// All other tests: those that failed, were ignored, or passed only on a retry.
    pub others: TestNames,
    /// The duration of binaries that ran all their tests, in milliseconds.
    pub durations_ms: BTreeMap<String, u64>,
}

/// The runs of a runner and a configuration.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct KeptRuns {
    /// The last first, those of another machine after all others.
    pub(super) runs: Vec<PassedRun>,
    /// Tests that failed in their last run, were ignored, or passed only on a retry.
    pub(super) unreliable: TestNames,
    /// The last known duration of each binary in milliseconds.
    pub(super) durations_ms: BTreeMap<String, u64>,
}

/// Identifies a runner and a build configuration on every machine.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunKind {
    pub(super) runner: String,
    /// The hash of the configuration.
    build: [u8; 32],
}

impl RunKind {
    pub(super) fn of(workspace: &Workspace, runner: &str) -> Self {
        let build = workspace.build_fingerprint().unwrap_or_default();
        Self {
            runner: runner.to_owned(),
            build: *blake3::hash(build.as_bytes()).as_bytes(),
        }
    }

    /// The key of its runs: several workspaces can share a target folder.
    fn key(&self, root: &Utf8Path) -> Key {
        let parts = [
            root.as_str().as_bytes(),
            self.runner.as_bytes(),
            &self.build,
        ];
        cache::key("passed", &parts.join(&0))
    }
}

impl PassedRun {
    fn is_same(&self, other: &Self) -> bool {
        self.state == other.state && self.conditions == other.conditions
    }
}

impl KeptRuns {
    /// None if the file is missing or damaged.
    pub(super) fn load(workspace: &Workspace, kind: &RunKind) -> Self {
        Self::find(&open(workspace), workspace, kind)
    }

    fn find(cache: &Cache, workspace: &Workspace, kind: &RunKind) -> Self {
        cache.get(&kind.key(&workspace.root)).unwrap_or_default()
    }

    /// Changes and saves the runs. Other processes wait.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn change(
        workspace: &Workspace,
        kind: &RunKind,
        change: impl FnOnce(&mut Self),
    ) -> Result<()> {
        let folder = own_folder(&workspace.target_directory);
        files::create_folder(&folder)?;
        let _lock = lock(&folder, &folder.join("passed.lock"), || Ok(()))?;
        let cache = open(workspace);
        let mut kept = Self::find(&cache, workspace, kind);
        change(&mut kept);
        cache.put(kind.key(&workspace.root), &kept);
        cache
            .save(TIMES)
            .context("failed to keep the tests that passed")
    }

    /// Adds the last run. `results` are those of the tests that it ran.
    pub(super) fn add(&mut self, mut new: PassedRun, results: &TestResults) {
        let runs = std::mem::take(&mut self.runs);
        let (same, runs): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.is_same(&new));
        for run in same {
            extend(&mut new.passed, &run.passed);
        }
        let (of_conditions, others): (Vec<_>, Vec<_>) = runs
            .into_iter()
            .partition(|run| run.conditions == new.conditions);
        let older = of_conditions.into_iter().take(RUNS - 1);
        let others = others.into_iter().take(RUNS);
        self.runs = [new].into_iter().chain(older).chain(others).collect();
        // A test that passed and failed in the same state is not reliable in any other.
        for run in &mut self.runs {
            remove(&mut run.passed, &results.others);
        }
        remove(&mut self.unreliable, &results.passed);
        extend(&mut self.unreliable, &results.others);
        self.durations_ms.extend(results.durations_ms.clone());
    }

    /// Replaces the runs of another machine.
    pub(super) fn import(&mut self, other: Self) {
        self.runs.retain(|run| !run.is_imported);
        for mut run in other.runs {
            if self.runs.iter().any(|own| own.is_same(&run)) {
                continue;
            }
            run.is_imported = true;
            remove(&mut run.passed, &self.unreliable);
            self.runs.push(run);
        }
        for (binary, duration) in other.durations_ms {
            self.durations_ms.entry(binary).or_insert(duration);
        }
    }

    /// The tests that passed in any of the runs.
    pub(super) fn passed(&self) -> TestNames {
        let mut passed = TestNames::new();
        for run in &self.runs {
            extend(&mut passed, &run.passed);
        }
        passed
    }
}

pub(super) fn extend(names: &mut TestNames, more: &TestNames) {
    for (binary, more) in more {
        let names = names.entry(binary.clone()).or_default();
        names.extend(more.iter().cloned());
    }
}

pub(super) fn remove(names: &mut TestNames, removed: &TestNames) {
    for (binary, removed) in removed {
        if let Some(names) = names.get_mut(binary) {
            names.retain(|name| !removed.contains(name));
        }
    }
}

fn open(workspace: &Workspace) -> Cache {
    Cache::open(
        own_folder(&workspace.target_directory).join("passed"),
        FORMAT,
    )
}
