//! Whether a baseline ran tests of every target that the plan affects.
//!
//! A target whose tests were all left out cannot show a regression later, however many tests of others passed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::binaries::Binaries;
use super::invocation::Program;
use super::report::Report;
use super::test_output::{Ending, Header};
use crate::affected::{TestTarget, TestTargetKind, all_targets, source_tests_in};
use crate::evidence::TestCounts;
use crate::project::Project;
use crate::workspace::PackageId;

/// Rejects a baseline in which a target of these packages was started and ran no test, although its sources have some. A
/// target all of whose tests need a feature or flag is only noted: not every machine can build all of them.
///
/// # Errors
/// When sources cannot be read.
pub fn reject_idle_targets(
    report: &mut Report,
    project: &Project,
    packages: &BTreeSet<PackageId>,
) -> Result<()> {
    let workspace = &project.workspace;
    let binaries = Binaries::of(workspace);
    let mut started: BTreeMap<String, TestCounts> = BTreeMap::new();
    for binary in report
        .checked
        .iter()
        .flat_map(|checked| checked.observed.binaries())
    {
        let counts = started
            .entry(binaries.identify(&binary.header))
            .or_default();
        *counts += binary.counts;
        if binary.ending != Ending::Whole || matches!(binary.header, Header::Nextest(_)) {
            // Of a harness of its own nothing is known, and nextest names only binaries that ran a test.
            counts.passed += 1;
        }
    }
    let targets = all_targets(workspace)
        .into_iter()
        .filter(|target| packages.contains(&target.package) && target.kind != TestTargetKind::Doc);
    let idle: BTreeMap<TestTarget, TestCounts> = targets
        .filter_map(|target| {
            let counts = started.get(&target.binary_id(workspace))?;
            (counts.ran() == 0).then_some((target, *counts))
        })
        .collect();
    if idle.is_empty() {
        return Ok(());
    }
    let tests = source_tests_in(project, &|target| idle.contains_key(target))?;
    let (mut empty, mut notes) = (Vec::new(), Vec::new());
    for (target, counts) in idle {
        let id = target.binary_id(workspace);
        let known = tests.get(&target).into_iter().flatten();
        let runnable = known.filter(|test| !test.ignored && test.listed_name().is_some());
        let (conditional, certain): (Vec<_>, Vec<_>) = runnable.partition(|test| test.conditional);
        let of = |tests: usize| match tests {
            1 => "the one test".to_owned(),
            tests => format!("all {tests} tests"),
        };
        if counts.filtered > 0 && !certain.is_empty() {
            empty.push(format!(
                "{id} ran no test: the filter left out {} in its sources",
                of(certain.len())
            ));
        } else if !certain.is_empty() {
            empty.push(format!(
                "{id} ran no test, and its sources have {}",
                certain.len()
            ));
        } else if !conditional.is_empty() {
            notes.push(format!(
                "{id} ran no test: a feature or flag that the command does not set excludes {} in its sources",
                of(conditional.len())
            ));
        }
    }
    let mut checked = report.checked.iter_mut().rev();
    if let Some(last) = checked.find(|checked| matches!(checked.check.program, Program::Command(_)))
    {
        last.empty.extend(empty);
        last.observed.notes.extend(notes);
    }
    Ok(())
}
