//! The tests that passed, with the state of the work tree in which they ran, so that `verify` need not run them again.
//!
//! The file in the target folder has the last few runs for each runner and configuration. A test is proven if one of these runs
//! passed it, the conditions outside of the work tree are the same, and the change since the state of the run does not select
//! it. Anything unknown proves nothing.

mod exported;
mod kept;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

pub use self::exported::{export, import};
pub use self::kept::TestResults;
use self::kept::{KeptRuns, PassedRun, RunKind, extend};
pub use self::state::TreeState;
use super::hasher::Hasher;
use super::inputs::{self, Inputs};
use crate::affected::failed::TestNames;
use crate::affected::{
    self, Reason, Selection, TargetSelection, TestSelector, TestTarget, TestTargetKind,
    all_targets, doctests,
};
use crate::change::snapshot::Snapshot;
use crate::change::{self, Change};
use crate::project::Project;
use crate::sys::cargo;
use crate::sys::git::Repository;
use crate::workspace::{PackageId, Workspace, variables};

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
        let head_moved = run.state.snapshot.commit != now.snapshot.commit;
        let permissions = run.state.changed_permissions(now, &repository.root);
        if head_moved || !permissions.is_empty() {
            // Coverage only knows edits.
            let change = Change::without_edits(repository, head_moved, permissions)?;
            selection.merge(affected::select_in(project, &change, true)?);
        }
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

/// The name of a condition of a run that is not met. `current` are the same conditions now, and `variables` all variables that the
/// sources may read now. Variables that describe the machine are not compared with those of another machine.
fn difference<'n>(
    run: &'n PassedRun,
    current: &Inputs,
    variables: &'n Inputs,
) -> Option<&'n String> {
    let recorded = &run.conditions;
    let counts = |name: &&String| {
        !run.is_imported || !inputs::variable(name).is_some_and(variables::is_place)
    };
    let mut names = recorded.keys().filter(counts);
    let changed = names.find(|name| current.get(*name) != recorded.get(*name));
    let mut variables = variables.keys().filter(counts);
    changed.or_else(|| variables.find(|name| !recorded.contains_key(*name)))
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
        let runs = KeptRuns::load(workspace, &RunKind::of(workspace, runner)).runs;
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
        let variables = hasher.variables()?;
        let mut seen = BTreeSet::new();
        for run in &runs {
            let current = hasher.current(run.conditions.keys())?;
            if let Some(name) = difference(run, &current, &variables) {
                let commit = &run.state.snapshot.commit;
                all.unknown = Some(format!("{name} differs from the run on {commit:.12}"));
                continue;
            }
            let Some(since) = SinceRun::of(project, &repository, run, &now, narrow)? else {
                let commit = &run.state.snapshot.commit;
                all.unknown = Some(format!("git does not have commit {commit:.12} of the run"));
                continue;
            };
            all.touched
                .get_or_insert_with(|| since.selection.touched.clone());
            for (binary, names) in &run.passed {
                let Some(target) = targets.get(binary) else {
                    continue;
                };
                // Another machine may know other tests than this one.
                let is_last = seen.insert((run.is_imported, binary));
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
        if all.touched.is_some() {
            all.unknown = None;
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
    let mut passed = results.passed.clone();
    // A file that was saved before the run began may affect proven tests.
    if proven.state.as_ref().is_some_and(|then| then == before) {
        extend(&mut passed, &proven.proven);
    }
    let new = PassedRun {
        state,
        conditions: hasher.conditions()?,
        passed,
        is_imported: false,
    };
    KeptRuns::change(workspace, &RunKind::of(workspace, runner), |kept| {
        kept.add(new, results);
    })
}

/// The tests that passed in any kept run, and the last known duration of each binary in milliseconds.
#[must_use]
pub fn earlier_runs(workspace: &Workspace, runner: &str) -> (TestNames, BTreeMap<String, u64>) {
    let kept = KeptRuns::load(workspace, &RunKind::of(workspace, runner));
    (kept.passed(), kept.durations_ms)
}
