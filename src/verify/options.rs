//! How invocations are run.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::binaries::Binaries;
use crate::evidence::Outcome;
use crate::script::shell;

/// How to run checks.
#[derive(Debug, Clone)]
pub struct Options<'w> {
    /// The test binaries of the workspace, where tests of theirs are picked.
    pub binaries: Option<&'w Binaries<'w>>,
    /// The workspace root.
    pub root: Utf8PathBuf,
    /// Environment and time limit of every program.
    pub settings: shell::Settings,
    /// Whether to go on after a check has failed.
    pub keep_going: bool,
    /// The scope for the progress line: `step 1`.
    pub title: String,
    /// How many tests are expected, where that is known before.
    pub expected: Option<u64>,
    /// How long it took when it was last run, where that is known.
    pub usual: Option<Duration>,
    /// Whether cargo prints build progress, for the progress line.
    pub progress: bool,
    /// The tests whose failures the plans excuse today, as the plans name them.
    pub quarantine: Vec<String>,
}

/// Whether nothing more is run after a check with this outcome.
pub(super) fn stops(outcome: Outcome, options: &Options<'_>) -> bool {
    let bad = !matches!(outcome, Outcome::Passed | Outcome::Unconfirmed);
    matches!(outcome, Outcome::Interrupted | Outcome::CouldNotRun) || bad && !options.keep_going
}
