//! A command to run, and its result.

use std::collections::BTreeMap;
use std::time::Duration;

use super::accounts;
use super::listing::Listing;
use super::test_filter::TestFilters;
use super::test_output::{Observed, Observer};
use crate::evidence::{Confirmation, Outcome, Runs};
use crate::script::expectation::{Assertion, Expectation};
use crate::script::measure::Sample;
use crate::script::{commands, expectation};
use crate::sys::exec::{self, ExitReason};

/// nextest's exit status if no test matched.
const NEXTEST_NO_TESTS: i32 = 4;

/// What cargo and nextest end with if a test failed.
const TEST_FAILED: [i32; 2] = [100, 101];

/// Failed and flaky tests in quarantine, by binary id.
pub(super) type Excused = BTreeMap<String, Vec<String>>;

/// A command to run as evidence, in the workspace root.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program.
    pub program: Program,
    /// Whether the test binaries run all their tests: the arguments contain no filter of the user. Unknown for a block.
    pub whole: bool,
}

/// The program of an invocation.
#[derive(Debug, Clone)]
pub enum Program {
    /// cargo with its arguments.
    Cargo {
        /// The arguments.
        argv: Vec<String>,
        /// The arguments for listing the tests first, if needed.
        listing: Option<Vec<String>>,
        /// The selected tests of binaries that do not run completely.
        picks: TestFilters,
        /// Arguments after the names of tests.
        flags: Vec<String>,
    },
    /// A shell block of a plan; it runs as separate commands.
    Block(String),
    /// A command of such a block.
    Command(commands::ScriptCommand),
}

/// The result of an invocation.
#[derive(Debug, Clone)]
pub struct InvocationResult {
    /// The check.
    pub check: Invocation,
    /// How its process ended.
    pub ended: ExitReason,
    /// The duration.
    pub duration: Duration,
    /// The tests in its output.
    pub observed: Observed,
    /// The end of its output.
    pub tail: String,
    /// Unmet expectations and contradictions.
    pub unmet: Vec<String>,
    /// Whether it is unknown if an expectation is met.
    pub(super) undecided: bool,
    /// Test commands that ran no test, with the reason.
    pub empty: Vec<String>,
    /// The numbers of runs and of passed runs, if there were several.
    pub runs: Option<Runs>,
    /// The values that its expectations limit, in all runs, by name.
    pub(super) samples: Vec<(String, Sample)>,
    /// The confirmation by a person, if required.
    pub confirmed: Option<Confirmation>,
    /// Its failed and flaky tests that the plan has in quarantine, where these are all that failed.
    pub(super) excused: Excused,
    /// The tests that nextest listed before the run.
    pub(crate) listing: Option<Listing>,
}

impl Invocation {
    /// A shell block of a plan.
    #[must_use]
    pub fn block(script: impl Into<String>) -> Self {
        Self {
            program: Program::Block(script.into()),
            whole: false,
        }
    }

    /// A command of a block.
    pub(super) fn of_block(command: commands::ScriptCommand) -> Self {
        Self {
            program: Program::Command(command),
            whole: false,
        }
    }

    /// Whether nextest runs it.
    pub(super) fn is_nextest(&self) -> bool {
        matches!(&self.program, Program::Cargo { argv, .. } if argv.first().is_some_and(|word| word == "nextest"))
    }

    /// Its expectations.
    #[must_use]
    pub fn expected(&self) -> &[expectation::Expected] {
        match &self.program {
            Program::Command(command) => &command.expected,
            Program::Cargo { .. } | Program::Block(_) => &[],
        }
    }

    /// Its assertions, which the program can check.
    pub(super) fn assertions(&self) -> impl Iterator<Item = &Assertion> {
        let expected = self.expected().iter();
        expected.flat_map(|expected| expected.meaning.assertions())
    }

    /// Whether it is expected to fail: by tests that are written before the code, or by its exit status.
    pub(super) fn expects_failure(&self) -> bool {
        let fails =
            |assertion: &Assertion| assertion.expects_failure() || assertion.allows(101, false);
        self.assertions().any(fails)
    }

    /// The number of runs.
    pub(super) fn times(&self) -> u32 {
        let times = self.assertions().filter_map(|assertion| match assertion {
            Assertion::Times(times) => Some(*times),
            _ => None,
        });
        times.max().unwrap_or(1)
    }

    /// Whether a person has to judge the result.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        let mut expected = self.expected().iter();
        expected.any(|expected| matches!(expected.meaning, Expectation::Manual))
    }

    /// The command as one would type it, or the text of the block.
    #[must_use]
    pub fn command(&self) -> String {
        match &self.program {
            Program::Cargo { argv, .. } => {
                let words = argv.iter().map(String::as_str);
                shlex::try_join(std::iter::once("cargo").chain(words))
                    .unwrap_or_else(|_| argv.join(" "))
            }
            Program::Block(script) | Program::Command(commands::ScriptCommand { script, .. }) => {
                script.trim_end().to_owned()
            }
        }
    }
}

impl InvocationResult {
    /// The result if nextest could not list the tests: it did not build, or a harness does not list.
    pub(super) fn unlisted(check: &Invocation, captured: &exec::Captured) -> Self {
        let stderr = String::from_utf8_lossy(&captured.stderr).into_owned();
        let mut observer = Observer::default();
        observer.push_text(&stderr);
        let mut seen = observer.finish();
        if seen.compile_errors.is_empty() {
            let note = "nextest could not list the tests; if a custom harness is the cause, use `--runner cargo`";
            seen.notes.push(note.to_owned());
        }
        Self {
            check: check.clone(),
            ended: captured.ended,
            duration: captured.duration,
            observed: seen,
            tail: stderr,
            unmet: Vec::new(),
            undecided: false,
            empty: Vec::new(),
            runs: None,
            samples: Vec::new(),
            confirmed: None,
            excused: Excused::new(),
            listing: None,
        }
    }

    /// The result if nextest has nothing to run, because there are fewer tests than partitions.
    pub(super) fn left_to_others(
        check: &Invocation,
        captured: &exec::Captured,
        listing: Listing,
    ) -> Self {
        Self {
            check: check.clone(),
            ended: captured.ended,
            duration: captured.duration,
            observed: Observed::default(),
            tail: String::new(),
            unmet: Vec::new(),
            undecided: false,
            empty: Vec::new(),
            runs: None,
            samples: Vec::new(),
            confirmed: None,
            excused: Excused::new(),
            listing: Some(listing),
        }
    }

    pub(super) fn is_ours(&self) -> bool {
        matches!(self.check.program, Program::Cargo { .. })
    }

    /// Whether it is a command of a block with a program that runs tests.
    pub(super) fn is_for_tests(&self) -> bool {
        match &self.check.program {
            Program::Command(command) => {
                self.observed.ran_tests() || accounts::names_tests(command)
            }
            Program::Cargo { .. } | Program::Block(_) => false,
        }
    }

    /// Whether this exit status is expected.
    fn is_expected(&self, exit: i32) -> bool {
        let command = self.check.command();
        let searches = expectation::searches(&command);
        let mut assertions = self.check.assertions();
        exit != 0 && assertions.any(|assertion| assertion.allows(exit, searches))
    }

    /// Its outcome. Exit status zero does not override failed tests, missing tests or an unmet expectation.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if let Some(Runs { total, passed }) = self.runs
            && passed > 0
            && passed < total
        {
            return Outcome::Flaky;
        }
        let seen = &self.observed;
        let excused = !self.excused.is_empty();
        let allowed = self.is_expected(self.ended.code())
            || excused && TEST_FAILED.contains(&self.ended.code());
        let failed = seen.counts().failed > 0 && !self.check.expects_failure() && !excused
            || !seen.compile_errors.is_empty() && !allowed;
        let nothing_matched = match self.check.program {
            Program::Command(_) => !self.empty.is_empty(),
            Program::Cargo { .. } | Program::Block(_) => seen.nothing_matched(),
        };
        match self.ended {
            ExitReason::Interrupted => Outcome::Interrupted,
            ExitReason::TimedOut => Outcome::TimedOut,
            _ if failed => Outcome::Failed,
            ExitReason::Exited(_) if allowed && !nothing_matched => self.judged(),
            // The shell's exit status for a command that is missing or cannot be executed.
            ExitReason::Exited(126 | 127) => Outcome::CouldNotRun,
            ExitReason::Exited(1..) if !seen.missing_commands.is_empty() => Outcome::CouldNotRun,
            // One of several calls may have nothing to run (a library without doctests), but not all of them.
            ExitReason::Exited(0 | NEXTEST_NO_TESTS) if self.is_ours() && nothing_matched => {
                Outcome::Passed
            }
            ExitReason::Exited(0 | NEXTEST_NO_TESTS) if nothing_matched => Outcome::NoTests,
            ExitReason::Exited(_) if allowed => Outcome::NoTests,
            ExitReason::Exited(0) => self.judged(),
            ExitReason::Exited(_) | ExitReason::Signalled(_) => Outcome::Failed,
        }
    }

    /// Whether tests failed as the plan expects, because they are written before the code.
    pub(super) fn failed_as_expected(&self) -> bool {
        self.observed.counts().failed > 0
            && self.excused.is_empty()
            && self.outcome() == Outcome::Passed
    }

    /// Why its result is flaky.
    pub(super) fn instability(&self) -> Option<String> {
        let command = self.check.command();
        let line = command.lines().next().unwrap_or_default();
        if let Some(Runs { total, passed }) = self.runs
            && passed < total
        {
            return Some(format!("`{line}` passed {passed} of {total} runs"));
        }
        let flaky = self.observed.flaky();
        (!flaky.is_empty()).then(|| {
            let tests = flaky.join(", ");
            format!("`{line}`: passed only on a retry, which proves nothing: {tests}")
        })
    }

    /// The outcome of a command with the expected exit status.
    fn judged(&self) -> Outcome {
        if self.undecided {
            Outcome::CouldNotRun
        } else if !self.unmet.is_empty() {
            Outcome::Failed
        } else if !self.observed.flaky().is_empty() && self.excused.is_empty() {
            Outcome::Flaky
        } else if self.check.is_manual() && self.confirmed.is_none() {
            Outcome::Unconfirmed
        } else {
            Outcome::Passed
        }
    }
}
