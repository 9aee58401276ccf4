//! Runs invocations and reports outcomes, test counts and regressions.
//!
//! In: [`Invocation`]s, from a selection of tests ([`runner`]) or from the blocks of a plan. Out: a [`Report`], which
//! [`Report::record`] turns into evidence. Output is shown while it runs; only the caller writes files.

use std::time::Duration;

use crate::document::{Block, Plan};
use crate::evidence::{Outcome, Record, Scope};

mod accounts;
pub mod binaries;
mod compare;
mod invocation;
pub(crate) mod listing;
pub mod partition;
mod progress;
pub(crate) mod recording;
mod run;
pub mod runner;
mod session;
pub mod shard;
pub mod test_filter;
pub mod test_output;

pub use invocation::{Invocation, InvocationResult, Program};
pub use recording::{RecordContext, confirmation_id, exit};
pub use run::{Options, commands_of, run};
pub use runner::{Runner, uses_nextest};

use run::stops;

/// What a run of checks did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The checks that were to be run, in order, blocks whole.
    pub planned: Vec<Invocation>,
    /// The checks that were run, in order, the commands of a block one by one.
    pub checked: Vec<InvocationResult>,
    /// Those that were not, because one before them had failed.
    pub left: Vec<Invocation>,
    /// From the first to the last.
    pub duration: Duration,
}

/// The shell blocks that a plan itself sets for a scope: its baseline, the verification of the prerequisites after that,
/// or of a step, or the done block; none for the scopes that follow from the change.
#[must_use]
pub fn blocks<'p>(plan: &'p Plan, scope: &Scope) -> Vec<&'p Block> {
    let blocks: Vec<&Block> = match scope {
        Scope::Baseline => plan.baseline.iter().collect(),
        Scope::Prerequisites => plan
            .prerequisites
            .iter()
            .skip(1)
            .flat_map(|need| &need.verification)
            .collect(),
        Scope::Step(id) => {
            let steps = plan.steps.iter().filter(|step| step.id.as_str() == id);
            steps.flat_map(|step| &step.verification).collect()
        }
        Scope::Done => plan.done.iter().collect(),
        Scope::Affected | Scope::Full => Vec::new(),
    };
    blocks
        .into_iter()
        .filter(|block| block.is_shell())
        .collect()
}

/// The checks that run [`blocks`].
#[must_use]
pub fn planned(plan: &Plan, scope: &Scope) -> Vec<Invocation> {
    let blocks = blocks(plan, scope).into_iter();
    blocks.map(|block| Invocation::block(&block.code)).collect()
}

/// A hash of what checks run, the same for the same commands: a plan whose command has changed since a run has no
/// evidence from it.
#[must_use]
pub fn commands_hash<'c>(checks: impl IntoIterator<Item = &'c Invocation>) -> String {
    let mut hasher = blake3::Hasher::new();
    for check in checks {
        hasher.update(check.command().replace("\r\n", "\n").as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

impl Report {
    /// Takes over what a person has confirmed of an earlier run of the same commands on the same sources.
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

    /// The worst of its checks; also when each passed, zero tests are never green.
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
    pub fn counts(&self) -> test_output::TestCounts {
        let mut sum = test_output::TestCounts::default();
        for checked in &self.checked {
            sum += checked.observed.counts();
        }
        sum
    }
}
