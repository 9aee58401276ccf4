//! The tests that passed, with the state of the work tree in which they ran, so that `verify` need not run them again.
//!
//! The file in the target folder has the last few runs for each runner and configuration. A test is proven if one of these runs
//! passed it, the conditions outside of the work tree are the same, and the change since the state of the run does not select
//! it. Anything unknown proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::hasher::Hasher;
use super::inputs::Inputs;
use crate::affected::failed::TestNames;
use crate::affected::{
    self, Reason, Selection, TargetSelection, TestSelector, TestTarget, TestTargetKind,
    all_targets, doctests,
};
use crate::change::snapshot::Snapshot;
use crate::change::{self, Change};
use crate::project::Project;
use crate::sys::cache::{self, Cache, Key};
use crate::sys::cargo::{self, own_folder};
use crate::sys::files;
use crate::sys::git::Repository;
use crate::sys::lock::lock;
use crate::sys::stamps::{self, Stamp};
use crate::workspace::{PackageId, Workspace};

/// The header of the file, with the version of the format.
const FORMAT: &str = "cargo-poc passed tests 1\n";
/// The number of runs to keep for the current conditions, and for all others. Each costs a selection when tests are looked up.
const RUNS: usize = 3;
/// The size limit for other configurations, as a multiple of the size of the current one.
const TIMES: usize = 4;
/// The maximum number of files to compare that git ignores.
const MOST_IGNORED: usize = 20_000;

/// The files that git ignores, outside of build folders, with their size and the time of their last change.
type Ignored = BTreeMap<String, Stamp>;

/// The files of a work tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeState {
    snapshot: Snapshot,
    ignored: Ignored,
}

/// The tests that passed in a state of the work tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PassedRun {
    state: TreeState,
    /// The conditions that the work tree does not contain.
    conditions: Inputs,
    passed: TestNames,
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

/// The tests that need not run.
#[derive(Debug, Default)]
pub struct ProvenTests {
    proven: TestNames,
    /// Tests that passed in the last kept run of their target and that a change since then can affect.
    unproven: TestNames,
    /// The members with a change since the last kept run, which may no longer compile.
    pub touched: Option<BTreeSet<PackageId>>,
    /// The state that changes lead to.
    state: Option<TreeState>,
    /// Why nothing is proven.
    pub unknown: Option<String>,
}

impl TreeState {
    /// The current state; the reason if it cannot be compared later.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn of(workspace: &Workspace, repository: &Repository) -> Result<Result<Self, String>> {
        if repository.listing()?.submodules {
            return Ok(Err("the files of submodules are not compared".to_owned()));
        }
        let ignored = match ignored(workspace, repository)? {
            Ok(ignored) => ignored,
            Err(why) => return Ok(Err(why)),
        };
        let snapshot = Snapshot::of(repository)?;
        let state = snapshot.map(|snapshot| Self { snapshot, ignored });
        Ok(state.ok_or_else(|| "there is no commit yet".to_owned()))
    }

    /// The files that git ignores and that differ between two states, absolute.
    fn changed_ignored(&self, now: &Self, root: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
        let paths = self.ignored.keys().chain(now.ignored.keys());
        let changed = paths.filter(|path| self.ignored.get(*path) != now.ignored.get(*path));
        changed.map(|path| root.join(path)).collect()
    }
}

/// The state of the files that git ignores; the reason if it cannot be compared.
fn ignored(workspace: &Workspace, repository: &Repository) -> Result<Result<Ignored, String>> {
    let is_source = |path: &Utf8Path| {
        let is_built = workspace.is_built(path) || path.join("CACHEDIR.TAG").is_file();
        !is_built && path.file_name() != Some(".git")
    };
    let mut found = Ignored::new();
    for path in repository.ignored()? {
        let most = MOST_IGNORED.saturating_sub(found.len());
        let stamps = match stamps::of(&repository.root.join(path), most, &is_source) {
            Ok(Some(stamps)) => stamps,
            Ok(None) => {
                return Ok(Err(format!(
                    "git ignores more than {MOST_IGNORED} files outside of the target folder"
                )));
            }
            Err(error) => return Ok(Err(format!("{error:#}"))),
        };
        found.extend(stamps.into_iter().map(|(path, stamp)| {
            let path = path.strip_prefix(&repository.root).unwrap_or(&path);
            (path.to_string(), stamp)
        }));
    }
    Ok(Ok(found))
}

/// The changes since a kept run, as selections.
struct SinceRun {
    selection: Selection,
    /// The selection by files that git ignores.
    by_ignored: Selection,
}

impl SinceRun {
    /// `None` if git no longer has the commit of the run. `narrow` applies collected coverage.
    fn of(
        project: &Project,
        repository: &Repository,
        run: &PassedRun,
        now: &TreeState,
        narrow: &dyn Fn(&mut Selection) -> Result<()>,
    ) -> Result<Option<Self>> {
        let Ok(change) = Change::since_snapshot(repository, &run.state.snapshot) else {
            return Ok(None);
        };
        let mut selection = affected::select_in(project, &change, true)?;
        narrow(&mut selection)?;
        let ignored = run.state.changed_ignored(now, &repository.root);
        let mut by_ignored = Selection::default();
        if !ignored.is_empty() {
            by_ignored = affected::select_in(project, &Change::of_files(ignored), true)?;
        }
        for part in by_ignored.targets.values_mut() {
            // Only code that may read the file, not every test of the package around it.
            part.whole
                .retain(|reason| !matches!(reason, Reason::File { .. }));
        }
        by_ignored
            .targets
            .retain(|_, part| !part.whole.is_empty() || !part.tests.is_empty());
        Ok(Some(Self {
            selection,
            by_ignored,
        }))
    }

    /// Whether the change can affect this test.
    fn affects(&self, workspace: &Workspace, target: &TestTarget, test: &str) -> bool {
        if target.kind == TestTargetKind::Doc {
            let Some((file, line)) = doctests::place(workspace, target, test) else {
                return true;
            };
            let name = BTreeSet::from([format!("{file}:{line}")]);
            // A change above a documentation test changes its name.
            return self.selection.files.contains(&file)
                || self.parts(target).any(|part| {
                    let mut selected = part.tests.keys();
                    !part.whole.is_empty() || selected.any(|selector| selector.is_among(&name))
                });
        }
        self.parts(target).any(|part| part.runs(test))
    }

    fn parts(&self, target: &TestTarget) -> impl Iterator<Item = &TargetSelection> {
        let both = [&self.selection, &self.by_ignored];
        both.into_iter()
            .filter_map(|selection| selection.targets.get(target))
    }
}

impl ProvenTests {
    /// Looks up the tests that passed in earlier runs and that no change since then can affect. `refused` are tests that always run.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn find(
        project: &Project,
        runner: &str,
        refused: &dyn Fn(&str, &str) -> bool,
        narrow: &dyn Fn(&mut Selection) -> Result<()>,
    ) -> Result<Self> {
        let workspace = &project.workspace;
        let mut all = Self::default();
        let runs = stored(&open(workspace), workspace, runner);
        if runs.is_empty() {
            return Ok(all);
        }
        let repository = project.repository()?;
        let now = match TreeState::of(workspace, &repository)? {
            Ok(now) => now,
            Err(why) => {
                all.unknown = Some(why);
                return Ok(all);
            }
        };
        let toolchain = cargo::toolchain(&workspace.root)?;
        let listed = Some(repository.clone());
        let mut hasher = Hasher::new(workspace, &project.config, listed, &toolchain)?;
        let targets: BTreeMap<String, TestTarget> = all_targets(workspace)
            .into_iter()
            .map(|target| (target.binary_id(workspace), target))
            .collect();
        let mut seen = BTreeSet::new();
        for run in &runs {
            let current = hasher.current(run.conditions.keys())?;
            if run
                .conditions
                .iter()
                .any(|(name, hash)| current.get(name) != Some(hash))
            {
                continue;
            }
            let Some(since) = SinceRun::of(project, &repository, run, &now, narrow)? else {
                continue;
            };
            all.touched
                .get_or_insert_with(|| since.selection.touched.clone());
            for (binary, names) in &run.passed {
                let Some(target) = targets.get(binary) else {
                    continue;
                };
                let is_last = seen.insert(binary.clone());
                for name in names {
                    let refused = refused(binary, name);
                    let into = if !refused && !since.affects(workspace, target, name) {
                        &mut all.proven
                    } else if refused || is_last {
                        &mut all.unproven
                    } else {
                        continue;
                    };
                    into.entry(binary.clone()).or_default().insert(name.clone());
                }
            }
        }
        for (binary, names) in &mut all.unproven {
            if let Some(proven) = all.proven.get(binary) {
                names.retain(|name| !proven.contains(name));
            }
        }
        all.state = Some(now);
        Ok(all)
    }

    /// Removes the proven tests from a selection. Returns their number.
    pub fn remove_from(&self, workspace: &Workspace, selection: &mut Selection) -> usize {
        let before = selection.count();
        selection.targets.retain(|target, part| {
            let binary = target.binary_id(workspace);
            let Some(proven) = self.proven.get(&binary) else {
                return true;
            };
            if part.whole.contains(&Reason::Failed) {
                return true;
            }
            let as_selected = |names: &BTreeSet<String>| {
                let names = names.iter();
                names
                    .map(|name| doctests::as_selected(workspace, target, name))
                    .collect()
            };
            let of_target = ProvenOfTarget {
                proven: as_selected(proven),
                unproven: self
                    .unproven
                    .get(&binary)
                    .map(as_selected)
                    .unwrap_or_default(),
            };
            of_target.remove_from(workspace, target, part)
        });
        before - selection.count()
    }
}

/// The tests of a target that passed in a kept run, named as selectors name them.
struct ProvenOfTarget {
    proven: BTreeSet<String>,
    unproven: BTreeSet<String>,
}

impl ProvenOfTarget {
    /// Removes the tests from the target's selection. Returns whether any test is left to run.
    fn remove_from(
        &self,
        workspace: &Workspace,
        target: &TestTarget,
        part: &mut TargetSelection,
    ) -> bool {
        let selected: BTreeMap<TestSelector, Reason> = match part.whole.first() {
            Some(reason) => {
                let known = part.known.iter().cloned();
                known.map(|selector| (selector, reason.clone())).collect()
            }
            None => part.tests.clone(),
        };
        let mut left = selected.clone();
        left.retain(|selector, reason| *reason == Reason::Failed || !self.proves(selector));
        if left.len() == selected.len() {
            return true;
        }
        if left.is_empty() {
            // A test that only the harness lists runs with the target.
            return self.unproven.iter().any(|name| !is_known(part, name));
        }
        let left = TargetSelection {
            whole: BTreeSet::new(),
            tests: left,
            known: Arc::clone(&part.known),
        };
        if target.kind != TestTargetKind::Doc || doctests::are_filtered(workspace, target, &left) {
            *part = left;
        }
        true
    }

    fn proves(&self, selector: &TestSelector) -> bool {
        selector.is_among(&self.proven) && !selector.is_among(&self.unproven)
    }
}

/// Whether sources name the test.
fn is_known(part: &TargetSelection, name: &str) -> bool {
    let name = BTreeSet::from([name.to_owned()]);
    part.known.iter().any(|known| known.is_among(&name))
}

/// Keeps the tests that passed in a run which began in the state `before`, and those that were proven for it.
///
/// # Errors
/// When git fails, a file cannot be read, or the results cannot be written.
pub fn keep(
    project: &Project,
    runner: &str,
    toolchain: &str,
    before: &TreeState,
    proven: &ProvenTests,
    results: &TestResults,
) -> Result<()> {
    let workspace = &project.workspace;
    let repository = change::repository_of(workspace)?;
    let mut state = before.clone();
    state
        .snapshot
        .refresh_lockfile(&repository, &workspace.root)?;
    // Tests may have read a file before or after it changed.
    if Snapshot::of(&repository)? != Some(state.snapshot.clone()) {
        return Ok(());
    }
    let hasher = Hasher::new(workspace, &project.config, Some(repository), toolchain)?;
    let mut passed = TestNames::new();
    // A file that was saved before the run began may affect proven tests.
    if proven.state.as_ref().is_some_and(|then| then == before) {
        passed.clone_from(&proven.proven);
    }
    for (binary, names) in &results.passed {
        passed
            .entry(binary.clone())
            .or_default()
            .extend(names.iter().cloned());
    }
    let mut new = PassedRun {
        state,
        conditions: hasher.conditions()?,
        passed,
    };
    let folder = own_folder(&workspace.target_directory);
    files::create_folder(&folder)?;
    let _lock = lock(&folder, &folder.join("passed.lock"), || Ok(()))?;
    let cache = open(workspace);
    let runs: Vec<PassedRun> = stored(&cache, workspace, runner);
    let is_same = |run: &PassedRun| run.state == new.state && run.conditions == new.conditions;
    let (same, runs): (Vec<_>, Vec<_>) = runs.into_iter().partition(is_same);
    for (binary, names) in same.into_iter().flat_map(|run| run.passed) {
        new.passed.entry(binary).or_default().extend(names);
    }
    let (of_conditions, others): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .partition(|run| run.conditions == new.conditions);
    let older = of_conditions.into_iter().take(RUNS - 1);
    let others = others.into_iter().take(RUNS);
    let mut runs: Vec<PassedRun> = [new].into_iter().chain(older).chain(others).collect();
    // A test that passed and failed in the same state is not reliable in any other.
    for run in &mut runs {
        for (binary, names) in &results.others {
            if let Some(passed) = run.passed.get_mut(binary) {
                passed.retain(|name| !names.contains(name));
            }
        }
    }
    cache.put(key(workspace, runner), &runs);
    let mut durations = durations_in(&cache, workspace, runner);
    durations.extend(results.durations_ms.clone());
    cache.put(durations_key(workspace, runner), &durations);
    cache
        .save(TIMES)
        .context("failed to keep the tests that passed")
}

/// The tests that passed in any kept run, and the last known duration of each binary in milliseconds.
#[must_use]
pub fn earlier_runs(workspace: &Workspace, runner: &str) -> (TestNames, BTreeMap<String, u64>) {
    let mut passed = TestNames::new();
    let cache = open(workspace);
    for (binary, names) in stored(&cache, workspace, runner)
        .into_iter()
        .flat_map(|run| run.passed)
    {
        passed.entry(binary).or_default().extend(names);
    }
    (passed, durations_in(&cache, workspace, runner))
}

fn durations_in(cache: &Cache, workspace: &Workspace, runner: &str) -> BTreeMap<String, u64> {
    cache
        .get(&durations_key(workspace, runner))
        .unwrap_or_default()
}

fn durations_key(workspace: &Workspace, runner: &str) -> Key {
    cache::key("durations", &key(workspace, runner))
}

/// The kept runs, the last first; none if the file is missing or damaged.
fn stored(cache: &Cache, workspace: &Workspace, runner: &str) -> Vec<PassedRun> {
    cache.get(&key(workspace, runner)).unwrap_or_default()
}

fn open(workspace: &Workspace) -> Cache {
    Cache::open(
        own_folder(&workspace.target_directory).join("passed"),
        FORMAT,
    )
}

/// The workspace, because several can share a target folder, with its configuration and the runner.
fn key(workspace: &Workspace, runner: &str) -> Key {
    let build = workspace.build_fingerprint().unwrap_or_default();
    cache::key(
        "passed",
        [workspace.root.as_str(), runner, &build]
            .join("\0")
            .as_bytes(),
    )
}
