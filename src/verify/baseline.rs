//! Whether a baseline ran tests of every target that the plan affects.
//!
//! A target whose tests were all left out cannot show a regression later, however many tests of others passed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::binaries::Binaries;
use super::invocation::Program;
use super::report::Report;
use super::test_output::{Ending, Header};
use crate::affected::{TestTargetKind, all_targets};
use crate::evidence::TestCounts;
use crate::workspace::source::read_unit;
use crate::workspace::{PackageId, Workspace};

/// Rejects a baseline in which a target of these packages was started and ran no test, although its sources have some. A
/// target all of whose tests need a feature or flag is only noted: not every machine can build all of them.
///
/// # Errors
/// When sources cannot be read.
pub fn reject_idle_targets(
    report: &mut Report,
    workspace: &Workspace,
    packages: &BTreeSet<PackageId>,
) -> Result<()> {
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
    let (mut idle, mut notes) = (Vec::new(), Vec::new());
    for target in targets {
        let id = target.binary_id(workspace);
        let Some(counts) = started.get(&id).filter(|counts| counts.ran() == 0) else {
            continue;
        };
        let root = target.described(workspace).map(|target| &target.src_path);
        let unit = root
            .map(|root| read_unit(root))
            .transpose()?
            .unwrap_or_default();
        let runnable = unit.tests.iter().filter(|test| !test.ignored);
        let (conditional, certain): (Vec<_>, Vec<_>) = runnable.partition(|test| test.conditional);
        let of = |tests: usize| match tests {
            1 => "the one test".to_owned(),
            tests => format!("all {tests} tests"),
        };
        if counts.filtered > 0 && !certain.is_empty() {
            idle.push(format!(
                "{id} ran no test: the filter left out {} in its sources",
                of(certain.len())
            ));
        } else if !certain.is_empty() {
            idle.push(format!(
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
        last.empty.extend(idle);
        last.observed.notes.extend(notes);
    }
    Ok(())
}
