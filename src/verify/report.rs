//! What a run of invocations did.

use std::time::{Duration, SystemTime};

use super::invocation::{Invocation, InvocationResult};
use crate::evidence::{Outcome, Record, TestCounts};

/// The results of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The planned invocations, in order; a block is one invocation.
    pub planned: Vec<Invocation>,
    /// The results, in order; each command of a block has one.
    pub checked: Vec<InvocationResult>,
    /// The invocations that were skipped after a failure.
    pub left: Vec<Invocation>,
    /// The duration from the first to the last.
    pub duration: Duration,
    /// When the cargo commands of blocks were at work, in order.
    pub times: Vec<(SystemTime, SystemTime)>,
}

impl Report {
    /// Copies confirmations of an earlier run of the same commands on the same sources.
    pub fn confirmed_by(&mut self, earlier: &Record) {
        for checked in &mut self.checked {
            let command = checked.check.command();
            let expected: Vec<&str> = checked
                .check
                .expected()
                .iter()
                .map(|one| one.text.as_str())
                .collect();
            let same = earlier.checks.iter().find(|check| {
                check.command == command && check.expected == expected && check.manual
            });
            if checked.check.is_manual() {
                checked.confirmed = same.and_then(|check| check.confirmed.clone());
            }
        }
    }

    /// The worst outcome. A run without tests never passes.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let worst = self.checked.iter().map(InvocationResult::outcome).max();
        let ours = || self.checked.iter().filter(|checked| checked.is_ours());
        let unknown = || ours().any(|checked| checked.observed.has_unknown());
        let nothing_ran = || ours().all(|checked| checked.observed.counts().ran() == 0);
        // A build without its tests, or a list of them, proves nothing about a step that names tests.
        let for_tests = self.checked.iter().any(InvocationResult::is_for_tests);
        let unknown_harness = |checked: &InvocationResult| checked.observed.has_unknown();
        let testing_nothing =
            for_tests && self.counts().ran() == 0 && !self.checked.iter().any(unknown_harness);
        match worst {
            Some(Outcome::Passed | Outcome::Unconfirmed) if testing_nothing => Outcome::NoTests,
            Some(Outcome::Passed) if ours().next().is_some() && nothing_ran() && !unknown() => {
                Outcome::NoTests
            }
            Some(worst) => worst,
            None => Outcome::NoTests,
        }
    }

    /// The sum over all checks.
    #[must_use]
    pub fn counts(&self) -> TestCounts {
        let mut sum = TestCounts::default();
        for checked in &self.checked {
            sum += checked.observed.counts();
        }
        sum
    }
}
