//! How invocations are run.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::binaries::Binaries;
use crate::evidence::Outcome;
use crate::script::shell;

/// Options for running invocations.
#[derive(Debug, Clone)]
pub struct Options<'w> {
    /// The test binaries of the workspace, to select single tests.
    pub binaries: Option<&'w Binaries<'w>>,
    /// The workspace root.
    pub root: Utf8PathBuf,
    /// Environment and time limit of every program.
    pub settings: shell::Settings,
    /// Whether to continue after an invocation has failed.
    pub keep_going: bool,
    /// The scope for the progress line: `step 1`.
    pub title: String,
    /// The expected number of tests, if known.
    pub expected: Option<u64>,
    /// The duration of the last run, if known.
    pub usual: Option<Duration>,
    /// Whether cargo prints build progress, for the progress line.
    pub progress: bool,
    /// The tests whose failures the plans excuse today, as the plans name them.
    pub quarantine: Vec<String>,
}

/// Whether this outcome stops the run.
pub(super) fn stops(outcome: Outcome, options: &Options<'_>) -> bool {
    let bad = !matches!(outcome, Outcome::Passed | Outcome::Unconfirmed);
    matches!(outcome, Outcome::Interrupted | Outcome::CouldNotRun) || bad && !options.keep_going
}
