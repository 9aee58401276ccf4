//! The command line of `cargo poc affected`.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::common::Build;
use crate::config::RunnerChoice;

/// `cargo poc affected`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc affected                                  since the open PoC's base
  cargo poc affected --base origin/main --explain
  cargo test $(cargo poc affected --format args)      just those
  cargo nextest run -E \"$(cargo poc affected --format nextest)\"
  cargo poc affected --format packages | sed 's/^/--package=/' | xargs -r cargo clippy --all-targets
  cargo bench $(cargo poc affected --benches --format args)   the benches that the change can reach
  cargo poc affected --since-evidence                 since the last recorded run
  cargo poc affected --files src/lib.rs               as if that file had changed
  cargo poc affected --collect --all-features         run the suite once and store what each test executes
  cargo poc affected --collect --update               run only what changes since can affect
  cargo poc affected --audit                          check the selection against the stored functions
  cargo poc affected --replay 50                      find failing tests that 50 changes did not select
  cargo poc affected --culprit cache::evicts --good v0.3 --run    find the commit that broke a test
  cargo poc affected --format matrix --shards 4       jobs for `verify --partition`, in CI")]
#[expect(clippy::struct_excessive_bools, reason = "flags")]
pub struct Affected {
    /// Name of the PoC whose base to compare with
    pub name: Option<String>,
    /// Compare with this commit [default: the base of the only open PoC, else the merge base with the default branch]
    #[arg(long, value_name = "REF", conflicts_with = "files")]
    pub base: Option<String>,
    /// Compare with the state at the last recorded run of the PoC, or at its last run of SCOPE: baseline, done, affected, full or a step id
    #[arg(long, value_name = "SCOPE", num_args = 0..=1, require_equals = true, default_missing_value = "",
        conflicts_with_all = ["base", "files"])]
    pub since_evidence: Option<String>,
    /// Assume that these files changed
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub files: Vec<Utf8PathBuf>,
    /// Show reasons; with TEXT, only for targets, tests, files and items whose names contain it
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    pub explain: Option<String>,
    /// Select benches instead of tests: the [[bench]] targets that the change can reach, with or without libtest
    #[arg(long, conflicts_with_all = ["since_evidence", "collect", "audit", "import", "export", "replay", "culprit", "shards", "full"])]
    pub benches: bool,
    /// Run the whole suite once with coverage and store which functions each test executes and, with strace on Linux, which files it reads (needs cargo-nextest)
    #[arg(long, conflicts_with_all = ["name", "base", "since_evidence", "files", "explain"], help_heading = "Observed coverage")]
    pub collect: bool,
    /// With --collect: run only new tests, tests without coverage, and tests that a change since the last collection can affect
    #[arg(long, requires = "collect", help_heading = "Observed coverage")]
    pub update: bool,
    /// First use the coverage in FILE, from --export on another machine
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "base", "since_evidence", "files", "explain", "replay"], help_heading = "Observed coverage")]
    pub import: Option<Utf8PathBuf>,
    /// Write the collected coverage of this configuration to FILE
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "base", "since_evidence", "files", "explain", "replay"], help_heading = "Observed coverage")]
    pub export: Option<Utf8PathBuf>,
    /// Check with the collected coverage that each test is selected for every function it executes; exit with 1 if not
    #[arg(long, conflicts_with_all = ["name", "base", "since_evidence", "files", "explain"], help_heading = "Observed coverage")]
    pub audit: bool,
    /// Run all tests of the last N commits in a copy of the repository: each commit, and each commit with the sources of its parent. Exit with 1 if a test fails that the selection of the change does not contain
    #[arg(long, value_name = "N", conflicts_with_all = ["name", "base", "since_evidence", "files", "explain", "collect", "audit", "no_cache", "no_coverage"], help_heading = "Observed coverage")]
    pub replay: Option<NonZeroUsize>,
    /// List the commits since --good that can have broken this test, as NAME or as "BINARY NAME"; nothing is built
    #[arg(long, value_name = "TEST", requires = "good", conflicts_with_all = ["name", "base", "since_evidence", "files", "explain", "collect", "audit", "replay", "no_coverage"], help_heading = "Culprit of a failure")]
    pub culprit: Option<String>,
    /// With --culprit: a commit of the first-parent history of HEAD in which the test passes
    #[arg(
        long,
        value_name = "REF",
        requires = "culprit",
        help_heading = "Culprit of a failure"
    )]
    pub good: Option<String>,
    /// With --culprit: run the test on some of these commits, in a copy of the repository, until the first one in which it fails is known
    #[arg(long, requires = "culprit", help_heading = "Culprit of a failure")]
    pub run: bool,
    /// Read all sources again, without the cache
    #[arg(long)]
    pub no_cache: bool,
    /// With --format matrix: the maximum number of jobs
    #[arg(long, value_name = "N", help_heading = "Several machines")]
    pub shards: Option<NonZeroUsize>,
    /// With --format matrix: jobs for the whole suite, for `verify --full --partition`
    #[arg(long, conflicts_with_all = ["name", "base", "since_evidence", "files", "explain", "collect", "audit"],
        help_heading = "Several machines")]
    pub full: bool,
    /// With --format matrix, --replay or --culprit: the test runner
    #[arg(
        long,
        value_enum,
        env = "CARGO_POC_RUNNER",
        help_heading = "Several machines"
    )]
    pub runner: Option<RunnerChoice>,
    /// Select from the sources alone and ignore the collected coverage
    #[arg(long = "no-observed", conflicts_with_all = ["collect", "audit"], help_heading = "Observed coverage")]
    pub no_coverage: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub format: AffectedFormat,
    /// The build options.
    #[command(flatten)]
    pub build: Build,
    /// With --collect: arguments for nextest, such as --test-threads=1
    #[arg(last = true, value_name = "ARGS", requires = "collect")]
    pub arguments: Vec<String>,
}

/// Output formats of `affected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AffectedFormat {
    /// For people.
    #[default]
    Human,
    /// Arguments for `cargo test`; with --benches, for `cargo bench`.
    Args,
    /// A filterset for `cargo nextest run -E`.
    Nextest,
    /// One line per test: package, binary id, test; tab-separated.
    Names,
    /// One line per package that the change can affect, with or without tests, for `cargo clippy` and `cargo doc`.
    Packages,
    /// Version 1 of the documented format.
    Json,
    /// JSON on one line: the jobs of a CI matrix, for `verify --partition`.
    Matrix,
}

impl Affected {
    /// Whether the base is the merge base with the default branch, according to the arguments.
    #[must_use]
    pub fn asks_for_base(&self) -> bool {
        self.base.is_none()
            && self.since_evidence.is_none()
            && self.name.is_none()
            && self.files.is_empty()
    }

    /// Whether the command is about collected coverage, not about a change.
    #[must_use]
    pub fn uses_coverage(&self) -> bool {
        self.collect || self.audit || self.import.is_some() || self.export.is_some()
    }

    /// Whether the selection is the one that `verify` runs: of all changes since a base.
    #[must_use]
    pub fn selects_like_verify(&self) -> bool {
        self.since_evidence.is_none() && self.files.is_empty() && !self.benches
    }
}
