//! A record: the result of one `verify`. Its keys are version 1 of a public format.

mod cells;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use anyhow::bail;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::compact::{self, is_default};
use super::packed::Packed;
use super::region::RegionRecord;
use super::strength::Strength;

/// The result of one `verify`. Empty and unknown values are omitted; older versions wrote them as `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The checksums of its predecessors, several after a merge; set when the record is written.
    #[serde(
        rename = "after",
        default,
        with = "compact::previous",
        skip_serializing_if = "is_default"
    )]
    pub previous: Vec<String>,
    /// The checksum of the contract at that time, to detect that it was removed; `None` before the first lock.
    #[serde(default, skip_serializing_if = "is_default")]
    pub contract: Option<String>,
    /// The PoC's name, to detect evidence copied from another PoC's document.
    pub poc: String,
    /// The scope of the run.
    pub scope: Scope,
    /// The end of the run, RFC 3339 with the local offset.
    pub time: String,
    /// The outcome of all checks together.
    pub outcome: Outcome,
    /// The commands, in order.
    pub checks: Vec<Check>,
    /// Test counts; `None` when no test runner reported any.
    #[serde(
        default,
        serialize_with = "compact::without_zeros",
        skip_serializing_if = "is_default"
    )]
    pub tests: Option<TestCounts>,
    /// The number of selected tests; `None` if the run was not selected by a change.
    #[serde(default, skip_serializing_if = "is_default")]
    pub selection: Option<Selected>,
    /// The outcomes of the mutants of the change; `None` if none ran.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strength: Option<Strength>,
    /// Failed tests by binary id.
    #[serde(default, with = "compact::names", skip_serializing_if = "is_default")]
    pub failing: BTreeMap<String, Vec<String>>,
    /// Failed and flaky tests that the plan excused, since they were in quarantine, by binary id.
    #[serde(default, with = "compact::names", skip_serializing_if = "is_default")]
    pub quarantined: BTreeMap<String, Vec<String>>,
    /// Ignored tests by binary id.
    #[serde(default, with = "compact::names", skip_serializing_if = "is_default")]
    pub ignored: BTreeMap<String, Vec<String>>,
    /// Tests that passed in the baseline and failed now, by binary id.
    #[serde(default, with = "compact::names", skip_serializing_if = "is_default")]
    pub regressions: BTreeMap<String, Vec<String>>,
    /// Tests that passed in the baseline and no longer exist, by binary id.
    #[serde(
        rename = "vanished",
        default,
        with = "compact::names",
        skip_serializing_if = "is_default"
    )]
    pub missing: BTreeMap<String, Vec<String>>,
    /// Tests that failed in an earlier run and passed in this one, by binary id.
    #[serde(default, with = "compact::names", skip_serializing_if = "is_default")]
    pub recovered: BTreeMap<String, Vec<String>>,
    /// The passed tests of a baseline, for binaries whose tests are known by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub passed: Option<Packed>,
    /// Inconsistencies, and facts that could not be determined.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notes: Vec<String>,
    /// The state of the sources.
    pub source: Source,
    /// Content hashes of the inputs by name: packages, `Cargo.lock`, the toolchain, the environment.
    pub inputs: BTreeMap<String, String>,
    /// A hash of the commands. If the plan's commands change, the evidence is stale.
    pub commands: String,
    /// The duration, in milliseconds.
    pub milliseconds: u64,
    /// The durations of each binary's tests, in milliseconds, by binary id.
    #[serde(rename = "took", default, skip_serializing_if = "is_default")]
    pub durations_ms: BTreeMap<String, u64>,
    /// The version line of rustc.
    pub toolchain: String,
    /// The program that wrote the record: `cargo-poc 0.1.0`.
    pub tool: String,
}

/// The state of the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The commit at HEAD; `null` without git or before the first commit.
    pub commit: Option<String>,
    /// Whether the work tree differed from it; `null` if unknown.
    pub dirty: Option<bool>,
}

/// A command that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The command as typed, or the block as written.
    pub command: String,
    /// Its exit status as in a shell: 124 for a timeout, 128 + n for signal n.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exit: i32,
    /// Its outcome.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outcome: Outcome,
    /// Its test counts; `None` when no test runner reported any.
    #[serde(
        default,
        serialize_with = "compact::without_zeros",
        skip_serializing_if = "is_default"
    )]
    pub tests: Option<TestCounts>,
    /// The duration, in milliseconds.
    pub milliseconds: u64,
    /// The expectations of the plan, as written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expected: Vec<String>,
    /// Messages about unmet expectations.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unmet: Vec<String>,
    /// Whether a person must confirm its result.
    #[serde(default, skip_serializing_if = "is_default")]
    pub manual: bool,
    /// The number of runs and of passed runs; omitted for a single run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// The confirmation, if there is one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirmed: Option<Confirmation>,
    /// The values that the expectations limit, as far as the output has them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub measured: Vec<Measured>,
}

/// A value in the output of a command, over all of its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// `s`, `B`, `%`, a rate such as `req/s`, or nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unit: String,
    /// The median.
    pub value: f64,
    /// The lowest and the highest value; omitted if they are equal.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spread: Option<(f64, f64)>,
}

/// The number of runs of a command, and of passed runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// All runs.
    pub total: u32,
    /// Passed runs.
    pub passed: u32,
}

/// A person's confirmation of a command's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The person's name, from git.
    pub by: String,
    /// The time, RFC 3339 with the local offset.
    pub time: String,
}

/// Test counts of one run or several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestCounts {
    /// Passed tests, including measured benchmarks.
    pub passed: u64,
    /// Tests that failed, timed out or aborted.
    pub failed: u64,
    /// Tests marked `#[ignore]`. nextest reports them only in its list.
    pub ignored: u64,
    /// Tests excluded by filters of the run. For nextest, every skipped test.
    pub filtered: u64,
}

/// The number of tests that a change selected, and of all tests in the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// Selected tests.
    pub selected: u64,
    /// All tests.
    pub total: u64,
}

/// The outcome of a check or a run. That of a run is the worst of its checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything passed.
    #[default]
    Passed,
    /// All automatic checks passed; a person has to judge the rest.
    Unconfirmed,
    /// A test, or a repeated command, passed only in some runs.
    Flaky,
    /// A test runner ran no test, which never counts as passed.
    NoTests,
    /// A test or a command failed.
    Failed,
    /// A command is missing or could not be executed.
    CouldNotRun,
    /// It exceeded the time limit.
    TimedOut,
    /// It was interrupted.
    Interrupted,
}

impl Outcome {
    /// Whether everything completed, passed or not.
    #[must_use]
    pub fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Passed | Self::Unconfirmed | Self::Flaky | Self::Failed
        )
    }
}

/// The scope of a verification.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// The affected tests before the work.
    Baseline,
    /// The prerequisites.
    Prerequisites,
    /// One step, by its id.
    Step(String),
    /// The done block.
    Done,
    /// The tests the change can affect.
    Affected,
    /// The whole suite.
    Full,
}

impl Scope {
    /// Whether its commands are those of a plan; other scopes derive them from the sources and the configuration.
    #[must_use]
    pub fn is_of_plan(&self) -> bool {
        !matches!(self, Self::Affected | Self::Full)
    }

    /// Whether commands are independent, so that they run even after another has failed.
    #[must_use]
    pub fn has_independent_commands(&self) -> bool {
        matches!(self, Self::Affected | Self::Full | Self::Baseline)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => out.write_str("baseline"),
            Self::Prerequisites => out.write_str("prerequisites"),
            Self::Step(id) => write!(out, "step {id}"),
            Self::Done => out.write_str("done"),
            Self::Affected => out.write_str("affected"),
            Self::Full => out.write_str("full"),
        }
    }
}

impl FromStr for Scope {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "baseline" => Self::Baseline,
            "prerequisites" => Self::Prerequisites,
            "done" => Self::Done,
            "affected" => Self::Affected,
            "full" => Self::Full,
            other => match other.strip_prefix("step ") {
                Some(id) => Self::Step(id.to_owned()),
                None => bail!("`{other}` is not a scope of a verification"),
            },
        })
    }
}

impl TryFrom<String> for Scope {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Passed => "passed",
            Self::Unconfirmed => "to be confirmed",
            Self::Flaky => "flaky",
            Self::NoTests => "no tests ran",
            Self::Failed => "failed",
            Self::CouldNotRun => "could not run",
            Self::TimedOut => "timed out",
            Self::Interrupted => "interrupted",
        })
    }
}

impl TestCounts {
    /// Executed tests.
    #[must_use]
    pub fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for TestCounts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.filtered += other.filtered;
    }
}

impl fmt::Display for TestCounts {
    /// `12 passed, 1 failed, 3 ignored`: zeros are omitted except for passed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed", self.passed)?;
        for (number, what) in [
            (self.failed, "failed"),
            (self.ignored, "ignored"),
            (self.filtered, "filtered"),
        ] {
            if number > 0 {
                write!(out, ", {number} {what}")?;
            }
        }
        Ok(())
    }
}

/// The hash of an input that changed while the commands ran.
pub const CHANGED: &str = "changed";

/// The maximum number of notes in a document.
const NOTES: usize = 4;
/// The maximum length of a note, in characters.
const NOTE_LENGTH: usize = 120;

impl RegionRecord for Record {
    fn previous(&self) -> &[String] {
        &self.previous
    }

    fn following(&self, previous: Vec<String>) -> Self {
        Self {
            previous,
            ..self.clone()
        }
    }

    fn time(&self) -> Option<Timestamp> {
        self.moment()
    }

    fn rows(&self) -> Vec<String> {
        vec![self.row()]
    }
}

impl Record {
    /// The end of the run; `None` for an invalid time, which `evidence::read` rejects.
    #[must_use]
    pub fn moment(&self) -> Option<Timestamp> {
        self.time.parse().ok()
    }

    /// Whether it proves its scope: everything passed without a regression.
    #[must_use]
    pub fn proves(&self) -> bool {
        self.outcome == Outcome::Passed && self.regressions.is_empty() && self.missing.is_empty()
    }

    /// The record as written to documents: long notes are shortened, and durations of test binaries are kept only in the scopes
    /// that are used to balance shards.
    pub(crate) fn shortened(&self) -> Self {
        let mut record = self.clone();
        if !matches!(
            record.scope,
            Scope::Baseline | Scope::Affected | Scope::Full
        ) {
            record.durations_ms.clear();
        }
        let more = (record.notes.len() > NOTES).then(|| record.notes.len() + 1 - NOTES);
        if more.is_some() {
            record.notes.truncate(NOTES - 1);
        }
        for note in &mut record.notes {
            if let Some((end, _)) = note.char_indices().nth(NOTE_LENGTH) {
                note.truncate(end);
                note.push('…');
            }
        }
        if let Some(more) = more {
            record.notes.push(format!("and {more} more"));
        }
        record
    }
}

/// Formats a duration: `3.2 s`, `2 min 5 s`.
pub(crate) fn format_duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Escapes pipes, which end a table cell even in a code span.
pub(crate) fn escape(cell: &str) -> String {
    cell.replace('|', "\\|").replace(['\n', '\r', '\t'], " ")
}
