//! Checks after the judgement: tests that detected mutants pass without one, and no other test fails with a missed one.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::{Failure, Function, Judge, Kills, Way};
use crate::affected::{TestTargetKind, all_targets};
use crate::evidence::Escape;
use crate::exit::{self, Exit};
use crate::strength::list::Mutant;
use crate::strength::reach::Tests;
use crate::sys::terminal::Terminal;
use crate::workspace::PackageId;

/// The maximum number of runs in which a test that detected mutants must pass again without one.
const AGAIN: usize = 5;

impl Judge<'_> {
    /// Runs the tests that detected mutants again without one, since a flaky test, or one that a file of an earlier run makes fail,
    /// detects nothing.
    pub(super) fn confirm(&mut self, kills: &Kills, functions: &[Function]) -> Result<()> {
        if kills.is_empty() {
            return Ok(());
        }
        if matches!(self.way, Way::Build) {
            self.build(&self.all_packages(functions))?;
        }
        let mut all = Tests::default();
        for function in functions {
            all.extend(&function.tests);
        }
        for ((target, test), count) in kills {
            let tests = all.of_target(target, test.as_deref());
            // Without a name, all tests of the binary run.
            let times = if test.is_some() { *count } else { 1 };
            for _ in 0..times.min(AGAIN) {
                if let Some((_, failure)) = self.run(&tests, true)? {
                    return Err(fails_after(&failure));
                }
            }
        }
        Ok(())
    }

    /// Runs other tests with the mutants that the selected tests missed.
    pub(super) fn escapes(
        &mut self,
        missed: &BTreeSet<usize>,
        functions: &[Function],
        escapes: &mut [Vec<Escape>],
        terminal: &mut Terminal,
    ) -> Result<()> {
        let workspace = &self.copy.workspace;
        let all = workspace.configured_packages();
        let docs = all_targets(workspace).into_iter();
        let docs = docs.filter(|target| target.kind == TestTargetKind::Doc);
        let docs: BTreeSet<PackageId> = docs.map(|target| target.package).collect();
        self.build(&all)?;
        for function in functions {
            let own = function.mutants.iter().copied();
            let own: Vec<usize> = own.filter(|index| missed.contains(index)).collect();
            if own.is_empty() {
                continue;
            }
            let mut others = Tests::others(&function.selected, &self.programs, &docs);
            // Tests may leave files that others read. Documentation tests rarely do, and are slow.
            let before = Tests {
                docs: BTreeSet::new(),
                ..function.selected.clone()
            };
            self.run_unmutated(&before, |_, _| Ok(()))?;
            let mut executing = Tests::default();
            let failures = self.run_unmutated(&others, |part, executed| {
                if function.is_executed(executed) {
                    executing.extend(part);
                }
                Ok(())
            })?;
            others = executing;
            for failure in failures {
                let name = failure.name();
                let so = "so it is not known whether the selection lacks tests of its binary";
                terminal.warn(format!("{name} fails without a mutant, {so}"))?;
                others.remove(&failure.target);
            }
            if others.is_empty() {
                continue;
            }
            for index in own {
                let found = self.with(index, &all, || {
                    self.run(&before, true)?;
                    self.failing(&others, &self.mutants[index])
                })?;
                escapes[index] = found.unwrap_or_default();
            }
        }
        Ok(())
    }

    /// The first failed test of each target.
    fn failing(&self, tests: &Tests, mutant: &Mutant) -> Result<Vec<Escape>> {
        let mut escapes = Vec::new();
        for part in tests.parts() {
            if let Some((_, failure)) = self.run(&part, true)? {
                escapes.push(Escape {
                    test: failure
                        .test
                        .clone()
                        .unwrap_or_else(|| failure.binary.clone()),
                    binary: failure.binary,
                    place: mutant.place(),
                });
            }
        }
        Ok(escapes)
    }
}

fn fails_after(failure: &Failure) -> anyhow::Error {
    let name = failure.name();
    let message = format!(
        "a test that detected a mutant fails without one as well, so the strength is not known: {name} is flaky, or depends on what \
         earlier tests left"
    );
    exit::with_exit(Exit::CouldNotRun, anyhow!(message))
}
