//! What the output of a run shows: its test binaries, their tests, and how they ended.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::TestCounts;

/// The runner's name for a test binary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Header {
    /// `Running unittests src/lib.rs (target/debug/deps/store-0123456789abcdef)`.
    Cargo {
        /// The target's root file, relative to its package.
        source: String,
        /// Whether cargo printed `unittests`: a library, a binary or an example, not `tests/` or `benches/`.
        unit_tests: bool,
        /// The executable, as cargo prints it.
        executable: String,
    },
    /// `Doc-tests store`: the name of the library crate.
    Doctests(String),
    /// nextest's binary id: `store`, `store::it`, `store::bin/store`.
    Nextest(String),
    /// A binary without an announcement: a quiet run.
    Unnamed,
}

impl Header {
    /// The name of the binary in messages.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Cargo { source, .. } if !source.is_empty() => source.clone(),
            Self::Cargo { executable, .. } => executable.clone(),
            Self::Doctests(name) => format!("doctests of {name}"),
            Self::Nextest(id) => id.clone(),
            Self::Unnamed => "a test binary".to_owned(),
        }
    }

    /// The id that the runner printed, or the name of the binary's crate; empty for an unnamed binary.
    pub(crate) fn short_id(&self) -> String {
        match self {
            Self::Nextest(id) => id.clone(),
            header => header.crate_name().unwrap_or_default().to_owned(),
        }
    }

    /// The name of the binary's crate: the executable's name without cargo's hash.
    #[must_use]
    pub fn crate_name(&self) -> Option<&str> {
        match self {
            Self::Cargo { executable, .. } => {
                let file = executable.rsplit(['/', '\\']).next()?;
                let stem = file.strip_suffix(".exe").unwrap_or(file);
                Some(without_hash(stem))
            }
            Self::Doctests(name) => Some(name),
            Self::Nextest(_) | Self::Unnamed => None,
        }
    }
}

/// `store-0123456789abcdef` → `store`.
pub(super) fn without_hash(stem: &str) -> &str {
    let is_hash =
        |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match stem.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => name,
        _ => stem,
    }
}

/// The result of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It failed, timed out or crashed.
    Failed,
    /// It is marked `#[ignore]` and did not run.
    Ignored,
}

impl Verdict {
    pub(super) fn count(self, counts: &mut TestCounts) {
        match self {
            Self::Passed => counts.passed += 1,
            Self::Failed => counts.failed += 1,
            Self::Ignored => counts.ignored += 1,
        }
    }

    /// The counts of `tests`.
    pub(crate) fn counts_of(tests: &BTreeMap<String, Self>) -> TestCounts {
        let mut counts = TestCounts::default();
        for verdict in tests.values() {
            verdict.count(&mut counts);
        }
        counts
    }
}

/// How the output of a test binary ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It printed its summary.
    Whole,
    /// It started but printed no summary: a crash, an abort, a kill.
    Crashed,
    /// Its output is not libtest's: a custom harness. Its counts are unknown.
    Unknown,
}

/// One test binary, or one package's doctests, in the output of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The runner's name for it.
    pub header: Header,
    /// Its test counts.
    pub counts: TestCounts,
    /// How its output ended.
    pub ending: Ending,
    /// The named tests: all of them, unless [`Observed::notes`] says otherwise or the run was quiet.
    pub tests: BTreeMap<String, Verdict>,
    /// Tests that passed only on a retry.
    pub flaky: Vec<String>,
    /// A contradiction between its summary and the lines of its tests.
    pub disagreement: Option<String>,
    /// The duration of its tests: libtest's time of the binary, or the sum over its tests under nextest. `None` if it is unknown.
    pub took: Option<Duration>,
}

/// One run of one runner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The binaries, in order of appearance.
    pub binaries: Vec<Binary>,
    /// The totals that nextest prints for the run.
    pub summary: Option<TestCounts>,
}

/// The tests in a command's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The runs, in order: a script may start several.
    pub runs: Vec<Run>,
    /// Compile errors, in cargo's words.
    pub compile_errors: Vec<String>,
    /// Unknown commands of cargo, such as `nextest`.
    pub missing_commands: Vec<String>,
    /// Inconsistencies and unknowns.
    pub notes: Vec<String>,
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

    /// Whether a test runner reported anything.
    #[must_use]
    pub fn ran_tests(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Whether a run, or all runs together, executed no test although they should have. A binary with a custom harness may have run any
    /// test.
    #[must_use]
    pub fn nothing_matched(&self) -> bool {
        let empty = |run: &Run| run.counts().ran() == 0 && !run.has_unknown();
        let emptied = |run: &Run| empty(run) && run.counts().filtered > 0;
        self.ran_tests() && (self.runs.iter().any(emptied) || self.runs.iter().all(empty))
    }

    /// Whether a binary with a custom harness ran, which may have run any number of tests.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.runs.iter().any(Run::has_unknown)
    }

    /// Tests that passed only on a retry, each with its binary's name.
    pub(crate) fn flaky(&self) -> Vec<String> {
        let of = |binary: &Binary| {
            let id = binary.header.short_id();
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
    /// nextest's totals, or the sum over the binaries.
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
