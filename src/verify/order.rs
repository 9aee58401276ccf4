//! The order in which selected tests run: failed tests, new tests, quick test binaries, slow ones, and documentation tests, which
//! are compiled one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Runner;
use crate::affected::failed::TestNames;
use crate::affected::{
    Reason, Selection, TargetSelection, TestSelector, TestTarget, TestTargetKind,
};
use crate::workspace::Workspace;

/// The duration from which a binary is slow, in milliseconds. Quicker tests are not worth another call of the runner, whose builds
/// do not run at the same time.
const SLOW: u64 = 5_000;

/// What is known of tests from earlier runs.
#[derive(Debug, Default)]
pub struct EarlierRuns {
    /// Tests that passed, by binary id.
    pub passed: TestNames,
    /// The duration of binaries that ran all their tests, in milliseconds.
    pub durations_ms: BTreeMap<String, u64>,
}

/// Splits a selection into parts that run one after the other.
#[must_use]
pub fn parts(
    workspace: &Workspace,
    runner: Runner,
    earlier: &EarlierRuns,
    selection: Selection,
) -> Vec<Selection> {
    let id = |target: &_| TestTarget::binary_id(target, workspace);
    let duration = |binary: &str| {
        earlier
            .durations_ms
            .get(binary)
            .copied()
            .unwrap_or_default()
    };
    let whole: u64 = selection
        .targets
        .keys()
        .map(|target| duration(&id(target)))
        .sum();
    if whole < SLOW {
        return vec![selection];
    }
    let mut rest = selection;
    let failed = take(&mut rest, &|_, _, reason| *reason == Reason::Failed);
    let is_new = |binary: &str, selector: &TestSelector| {
        let passed = earlier.passed.get(binary);
        passed.is_some_and(|passed| !selector.is_among(passed))
    };
    let new = take(&mut rest, &|target, selector, _| {
        is_new(&id(target), selector)
    });
    let mut parts = vec![failed, new];
    // nextest runs the tests of all binaries at the same time.
    if runner == Runner::Cargo {
        let is_quick = |target: &TestTarget| {
            target.kind != TestTargetKind::Doc && duration(&id(target)) < SLOW
        };
        parts.push(rest.only(is_quick));
        rest.targets.retain(|target, _| !is_quick(target));
    }
    parts.push(rest);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Moves single tests to a selection of their own; documentation tests stay.
fn take(
    rest: &mut Selection,
    wanted: &dyn Fn(&TestTarget, &TestSelector, &Reason) -> bool,
) -> Selection {
    let mut taken = Selection::default();
    rest.targets.retain(|target, part| {
        if target.kind == TestTargetKind::Doc || !part.whole.is_empty() {
            return true;
        }
        let own = std::mem::take(&mut part.tests).into_iter();
        let (tests, left): (BTreeMap<_, _>, BTreeMap<_, _>) =
            own.partition(|(selector, reason)| wanted(target, selector, reason));
        part.tests = left;
        if tests.is_empty() {
            return true;
        }
        let mut known = Arc::clone(&part.known);
        if !part.tests.is_empty() {
            // Tests that only the harness lists run with the rest.
            Arc::make_mut(&mut known).insert(TestSelector::Prefix(String::new()));
        }
        let own = TargetSelection {
            whole: BTreeSet::new(),
            tests,
            known,
        };
        taken.targets.insert(target.clone(), own);
        !part.tests.is_empty()
    });
    taken
}
