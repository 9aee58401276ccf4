//! The command line of `cargo poc verify`.

use camino::Utf8PathBuf;
use clap::Args;

use super::common::{Build, StatusFormat};
use super::reports::{self, ReportFile, VerifyReport};
use crate::config::RunnerChoice;
use crate::verify::partition::Partition;

/// `cargo poc verify`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc verify cache --baseline     the plan's affected tests, before anything changes
  cargo poc verify cache                the next step: started, run, and closed when it is proven
  cargo poc verify cache --step 1       step 1, likewise
  cargo poc verify                      the affected tests of every open PoC, once
  cargo poc verify cache --affected     the affected tests of one PoC
  cargo poc verify --failed             the tests that failed in their last run
  cargo poc verify --watch              and on every save those that it can affect
  cargo poc verify cache --done         the commands under What \"Done\" Looks Like
  cargo poc verify cache --done --list  what would run, and what is expected of it
  cargo poc verify cache --confirm done.3         you have looked at what its third command did
  cargo poc verify cache --confirm criterion.2 --reason \"measured on the target\"
  cargo poc verify cache --confirm checklist --reason \"reviewed\"  the items that no program can check
  cargo poc verify cache --done --update --write  stale test counts in the plan, brought up to date
  cargo poc verify --full -- --test-threads=1
  cargo poc verify --format json        what the run came to, for a program
  cargo poc verify --format github --report junit=target/poc.xml --report sarif=target/poc.sarif     in CI
  cargo poc verify --partition 2/3 --report shard=target/shard-2.json     on each of three machines
  cargo poc verify --merge shard-1.json shard-2.json shard-3.json         one evidence of what they ran

All commands of a bash block run in one shell, and each is checked against its own `# Expected:`. Supported expectations, separated by commas: all pass · 12 passed · 12/12 · ~12 (within 5 %) · 12+ · 2 ignored · \"quoted text\" in the output · no output · exit code 2 · under 5 s. On a line of their own: glob: PATTERN (of a line) · regex: PATTERN. Comment lines below continue the expectation. Anything else needs --confirm and does not pass before. Without `# Expected:`, exit status 0 passes.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags, each of which says one thing"
)]
pub struct Verify {
    /// Which PoC [default: every open one]. With a name and no scope, the next step of its plan, then the done block; with
    /// arguments for the test runner, its affected tests
    pub name: Option<String>,
    /// What to run.
    #[command(flatten)]
    pub scope: Scope,
    /// Select the tests affected since this commit [default: the base of each open PoC, else the merge base with the
    /// default branch]
    #[arg(long, value_name = "REF", conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "full", "confirm"])]
    pub base: Option<String>,
    /// Show what would run, and run nothing
    #[arg(long)]
    pub list: bool,
    /// What runs the tests [default: nextest where .config/nextest.toml and cargo-nextest are there, else cargo]
    #[arg(long, value_enum, env = "CARGO_POC_RUNNER")]
    pub runner: Option<RunnerChoice>,
    /// Seconds one command may take [default: 1800]
    #[arg(long, value_name = "SECONDS", env = "CARGO_POC_TIMEOUT")]
    pub timeout: Option<u64>,
    /// Run every command, also after one has failed [default for tests and the baseline; the other commands of a plan stop]
    #[arg(long, visible_alias = "keep-going", overrides_with = "fail_fast")]
    pub no_fail_fast: bool,
    /// Stop after the first command that fails
    #[arg(long)]
    pub fail_fast: bool,
    /// Do not write evidence
    #[arg(long)]
    pub no_record: bool,
    /// With --baseline, then run the suite once more, instrumented, and keep what each test executes, as
    /// `cargo poc affected --collect` does
    #[arg(long, requires = "baseline", conflicts_with = "list")]
    pub collect: bool,
    /// Run the affected tests, and on every save those that it can affect, until Ctrl-C; nothing is recorded. A save during
    /// a run ends it and begins anew
    #[arg(
        long,
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "full", "list", "confirm", "update", "partition", "report", "merge"]
    )]
    pub watch: bool,
    /// Run only the M-th of N parts of the affected tests, or of all, and record nothing: nextest's own partition, or
    /// with `cargo test` a group of packages
    #[arg(
        long,
        value_name = "M/N",
        help_heading = "Several machines",
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "confirm", "update"]
    )]
    pub partition: Option<Partition>,
    /// How to report what the run came to; what it prints meanwhile then goes to standard error, but with github
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["list", "confirm", "watch"])]
    pub format: StatusFormat,
    /// Write a report to a file as well: json, junit, sarif, github, markdown, or with --partition shard, which is for --merge
    /// (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = reports::parse::<VerifyReport>)]
    pub report: Vec<ReportFile<VerifyReport>>,
    /// Run nothing; check that the shards that wrote these reports ran every test once, on this commit, and record it
    #[arg(
        long,
        value_name = "REPORT",
        num_args = 1..,
        help_heading = "Several machines",
        conflicts_with_all = ["Scope", "partition", "list", "confirm", "update", "arguments"]
    )]
    pub merge: Vec<Utf8PathBuf>,
    /// Run nothing; record that you have looked at what a command of the last run did, and found it as expected
    /// (repeatable). `verify` names the ID
    #[arg(long, value_name = "ID", conflicts_with_all = ["Scope", "list", "update", "no_record", "arguments"])]
    pub confirm: Vec<String>,
    /// With --confirm criterion.N or checklist, what the confirmation rests on
    #[arg(long, value_name = "TEXT", requires = "confirm")]
    pub reason: Option<String>,
    /// With --confirm, who confirms [default: git's user]
    #[arg(long, value_name = "NAME", requires = "confirm")]
    pub by: Option<String>,
    /// Do not close a step that the run has proven
    #[arg(long)]
    pub no_close: bool,
    /// Then show, as a diff, the test counts that the plan expects and the run did not see; asks before it writes them
    #[arg(long, conflicts_with_all = ["affected", "failed", "full", "list"])]
    pub update: bool,
    /// With --update, write them without asking
    #[arg(long, requires = "update")]
    pub write: bool,
    /// How the workspace is built.
    #[command(flatten)]
    pub build: Build,
    /// Arguments for the test runner
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
}

impl Verify {
    /// Whether the run becomes evidence.
    #[must_use]
    pub fn records(&self) -> bool {
        !self.no_record && !self.scope.failed
    }
}

/// What `verify` runs.
#[derive(Debug, Default, Clone, Args)]
#[group(multiple = false)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of which clap lets one through"
)]
pub struct Scope {
    /// The plan's baseline: the affected tests as they are before the work
    #[arg(long)]
    pub baseline: bool,
    /// The verification of every prerequisite
    #[arg(long)]
    pub prerequisites: bool,
    /// The verification of one step; it is started before, and closed in plan and results once it is proven
    #[arg(long, value_name = "ID")]
    pub step: Option<String>,
    /// The commands under What "Done" Looks Like; with everything else proven, the results then say Complete
    #[arg(long)]
    pub done: bool,
    /// The tests the change can affect (the default without a name)
    #[arg(long)]
    pub affected: bool,
    /// Only the tests that failed in their last run; nothing is recorded
    #[arg(long)]
    pub failed: bool,
    /// The workspace's whole suite
    #[arg(long)]
    pub full: bool,
}
