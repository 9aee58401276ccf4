//! What `cargo test` and `cargo nextest run` print, read line by line.
//!
//! Input: the bytes of a run as they come, from one runner or from a script that starts several. Output:
//! [`Observed`]. Counts come from the runners' summary lines, names from the lines of single tests; where
//! the two disagree, the binary says so. Output of the tests themselves may look like a runner's (a test may run
//! cargo): a summary counts only where its sums match what its own runner announced.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::evidence::TestCounts;
use crate::sys::exec::OutputChunk;

mod libtest;
mod line;
mod nextest;

use libtest::Libtest;
use nextest::Nextest;

pub use line::Header;
pub(super) use line::{header, is_summary};

/// The longest line that is looked at, in bytes; the rest of a longer one is passed over.
const LONGEST: usize = 64 * 1024;

/// How one test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It failed, timed out or crashed.
    Failed,
    /// It is marked `#[ignore]` and was not run.
    Ignored,
}

/// Whether a test binary told how its run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It printed its summary.
    Whole,
    /// It began and printed no summary: a crash, an abort, a kill.
    Crashed,
    /// Its output is not libtest's: a custom harness. Its counts are unknown.
    Unknown,
}

/// One test binary, or one package's doctests, as a run showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// What the runner calls it.
    pub header: Header,
    /// How many tests ended how.
    pub counts: TestCounts,
    /// Whether it told how it ended.
    pub ending: Ending,
    /// The tests that were named. All of them, unless [`Observed::notes`] says otherwise or the run was quiet.
    pub tests: BTreeMap<String, Verdict>,
    /// Tests that passed only when they were run again.
    pub flaky: Vec<String>,
    /// Why its summary and the lines of its tests cannot both be right.
    pub disagreement: Option<String>,
    /// How long its tests took: libtest's own time of the binary, the sum over its tests under nextest. None where it
    /// was not told.
    pub took: Option<Duration>,
}

/// One run of one runner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The binaries in the order they were first seen.
    pub binaries: Vec<Binary>,
    /// nextest's own totals, which it prints for the run and not for a binary.
    pub summary: Option<TestCounts>,
}

/// Everything a command's output told about tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The runs, in order: a script may start several.
    pub runs: Vec<Run>,
    /// What could not be compiled, in cargo's words.
    pub compile_errors: Vec<String>,
    /// Commands that cargo does not have: `nextest`.
    pub missing_commands: Vec<String>,
    /// Inconsistencies and unknowns.
    pub notes: Vec<String>,
}

/// Reads a run's output as it comes.
#[derive(Debug, Default)]
pub struct Observer {
    observed: Observed,
    line: Vec<u8>,
    reader: Reader,
}

#[derive(Debug, Default)]
enum Reader {
    /// No test binary is at work.
    #[default]
    Between,
    Libtest(Box<Libtest>),
    Nextest(Nextest),
}

impl Observer {
    /// Reads a piece of output.
    pub fn push(&mut self, part: OutputChunk<'_>) {
        let room = LONGEST.saturating_sub(self.line.len());
        let bytes = &part.bytes[..part.bytes.len().min(room)];
        self.line.extend_from_slice(bytes);
        if part.ends_line {
            self.end_line();
        }
    }

    /// Reads whole lines.
    pub fn push_text(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            let ends_line = line.ends_with('\n');
            self.push(OutputChunk {
                bytes: line.as_bytes(),
                ends_line,
            });
        }
    }

    /// How many tests have passed and failed so far, for a progress display.
    #[must_use]
    pub fn so_far(&self) -> TestCounts {
        let mut counts = self.observed.counts();
        match &self.reader {
            Reader::Between => {}
            Reader::Libtest(libtest) => counts += libtest.so_far(),
            Reader::Nextest(nextest) => counts += nextest.so_far(),
        }
        counts
    }

    /// Whether a test runner is at work.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.reader, Reader::Between)
    }

    /// Ends the output and closes open binaries.
    #[must_use]
    pub fn finish(mut self) -> Observed {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.close();
        // A build that no test followed is no run of a test runner.
        self.observed
            .runs
            .retain(|run| run.summary.is_some() || !run.binaries.is_empty());
        self.observed
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let plain = anstream::adapter::strip_str(&text).to_string();
        // A progress bar overwrites its line: only the last text counts.
        let plain = plain.trim_end_matches(['\n', '\r']);
        self.take(plain.rsplit('\r').next().unwrap_or(plain));
    }

    fn take(&mut self, line: &str) {
        let consumed = match &mut self.reader {
            Reader::Between => false,
            Reader::Libtest(libtest) => libtest.take(line),
            Reader::Nextest(nextest) => nextest.take(line),
        };
        if !consumed {
            self.close();
            self.open(line);
        }
    }

    /// A line that belongs to no open binary: it may start a build, a binary or a run.
    fn open(&mut self, line: &str) {
        if line::is_finished(line) {
            self.observed.runs.push(Run::default());
        } else if let Some(error) = line::compile_error(line) {
            self.observed.compile_errors.push(error.to_owned());
        } else if let Some(command) = line::missing_command(line) {
            self.observed.missing_commands.push(command.to_owned());
        } else if let Some(nextest) = Nextest::begin(line) {
            self.reader = Reader::Nextest(nextest);
        } else if let Some(libtest) = Libtest::begin(line) {
            self.reader = Reader::Libtest(Box::new(libtest));
        }
    }

    fn close(&mut self) {
        let (binaries, summary) = match std::mem::take(&mut self.reader) {
            Reader::Between => return,
            Reader::Libtest(libtest) => (vec![libtest.close(&mut self.observed.notes)], None),
            Reader::Nextest(nextest) => nextest.close(&mut self.observed.notes),
        };
        if self
            .observed
            .runs
            .last()
            .is_none_or(|run| run.summary.is_some())
        {
            self.observed.runs.push(Run::default());
        }
        if let Some(run) = self.observed.runs.last_mut() {
            run.binaries.extend(binaries);
            run.summary = summary;
        }
    }
}

/// Whether a whole line only says that a test passed.
pub(super) fn is_pass(line: &[u8]) -> bool {
    let plain = anstream::adapter::strip_bytes(line).into_vec();
    let plain = String::from_utf8_lossy(&plain);
    let plain = plain.trim_end();
    plain.starts_with("        PASS [")
        || plain.starts_with("test ")
            && matches!(line::test(plain), Some((_, Some(Verdict::Passed))))
}

impl Observed {
    /// The sum over all runs.
    #[must_use]
    pub fn counts(&self) -> TestCounts {
        self.runs
            .iter()
            .map(Run::counts)
            .fold(TestCounts::default(), |mut sum, counts| {
                sum += counts;
                sum
            })
    }

    /// Whether a test runner spoke at all.
    #[must_use]
    pub fn ran_tests(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Whether a run executed no test although it should have: one whose filters left all out, or all of them
    /// together. A binary with a custom harness may have run any test.
    #[must_use]
    pub fn nothing_matched(&self) -> bool {
        let empty = |run: &Run| run.counts().ran() == 0 && !run.has_unknown();
        let emptied = |run: &Run| empty(run) && run.counts().filtered > 0;
        self.ran_tests() && (self.runs.iter().any(emptied) || self.runs.iter().all(empty))
    }

    /// Whether the filters of a run left out every test there was.
    #[must_use]
    pub fn emptied(&self) -> bool {
        let emptied =
            |run: &Run| run.counts().ran() == 0 && !run.has_unknown() && run.counts().filtered > 0;
        self.runs.iter().any(emptied)
    }

    /// Whether a binary with a custom harness ran: it may have run any number of tests.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.runs.iter().any(Run::has_unknown)
    }

    /// Tests that passed only when they were run again, each with its binary's name.
    pub(super) fn flaky(&self) -> Vec<String> {
        let of = |binary: &Binary| {
            let id = match &binary.header {
                Header::Nextest(id) => id.clone(),
                header => header.crate_name().unwrap_or_default().to_owned(),
            };
            let tests = binary.flaky.iter();
            tests
                .map(move |test| format!("{id} {test}"))
                .collect::<Vec<_>>()
        };
        self.binaries().flat_map(of).collect()
    }

    /// Every binary of every run.
    pub fn binaries(&self) -> impl Iterator<Item = &Binary> {
        self.runs.iter().flat_map(|run| &run.binaries)
    }
}

impl Run {
    /// nextest's totals, else the sum over the binaries.
    #[must_use]
    pub fn counts(&self) -> TestCounts {
        self.summary.unwrap_or_else(|| {
            let mut sum = TestCounts::default();
            for binary in &self.binaries {
                sum += binary.counts;
            }
            sum
        })
    }

    fn has_unknown(&self) -> bool {
        let unknown = |binary: &Binary| binary.ending == Ending::Unknown;
        self.binaries.iter().any(unknown)
    }
}

impl Verdict {
    fn count(self, counts: &mut TestCounts) {
        match self {
            Self::Passed => counts.passed += 1,
            Self::Failed => counts.failed += 1,
            Self::Ignored => counts.ignored += 1,
        }
    }

    /// How many of `tests` ended how.
    pub(super) fn counts_of(tests: &BTreeMap<String, Self>) -> TestCounts {
        let mut counts = TestCounts::default();
        for verdict in tests.values() {
            verdict.count(&mut counts);
        }
        counts
    }
}
