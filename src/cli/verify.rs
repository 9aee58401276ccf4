//! The command line of `cargo poc verify`.

use camino::Utf8PathBuf;
use clap::Args;

use super::common::{Build, StatusFormat};
use super::reports::{self, ReportFile, VerifyReport};
use crate::config::RunnerChoice;
use crate::config::configurations::WrittenConfiguration;
use crate::verify::partition::Partition;

/// `cargo poc verify`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc verify cache --baseline     the plan's affected tests, before anything changes
  cargo poc verify cache                the next step: started, run, and closed when it is proven
  cargo poc verify cache --step 1       step 1: started, run, and closed when it is proven
  cargo poc verify --plan specs/001-cache/tasks.md --step 1    a phase of a task list of spec-kit
  cargo poc verify                      the affected tests of every open PoC, once
  cargo poc verify cache --affected     the affected tests of one PoC
  cargo poc verify --failed             the tests that failed in their last run
  cargo poc verify --from-report junit.xml        the tests that failed in a report of CI
  cargo poc verify --watch              the affected tests, and after each save the tests that it can affect
  cargo poc verify cache --done         the commands under What \"Done\" Looks Like
  cargo poc verify cache --done --list  the commands that would run, with their expectations
  cargo poc verify cache --confirm done.3         confirm that the third command had the expected result
  cargo poc verify cache --confirm criterion.2 --reason \"measured on the target\"
  cargo poc verify cache --confirm checklist --reason \"reviewed\"  the items that no program can check
  cargo poc verify cache --done --update --write  also correct the test counts in the plan
  cargo poc verify --full -- --test-threads=1
  cargo poc verify --shadow             the affected tests, then all others, to find missed failures
  cargo poc verify cache --step 1 --strength    step 1, then mutants of its code, which its tests should detect
  cargo poc verify --format json        the result of the run as JSON
  cargo poc verify --format github --report junit=target/poc.xml --report sarif=target/poc.sarif     in CI
  cargo poc verify --no-record --import passed --export passed     in CI, with a file that the jobs share
  cargo poc verify --partition 2/3 --report shard=target/shard-2.json     on each of three machines
  cargo poc verify --merge shard-1.json shard-2.json shard-3.json         one record for all shards

All commands of a bash block run in one shell, and each is checked against its own `# Expected:`. Supported expectations, separated by commas: all pass · 12 passed · 12/12 · ~12 (within 5 %) · 12+ · 2 ignored · \"quoted text\" in the output · no output · exit code 2 · under 5 s · p99 < 1 ms, size <= 12 MB or $.path >= 10 (a value in the output, or in JSON output) · p99 within 5 % of baseline (of the same value in the base commit of the plan; without a name, of the duration) · 90 % of mutants killed (in a step; see --strength). On a separate line: glob: PATTERN (matches a line) · regex: PATTERN. Following comment lines continue the expectation. Any other expectation needs --confirm before it passes. Without `# Expected:`, exit status 0 passes.")]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each option")]
pub struct Verify {
    /// Name of the PoC [default: every open one]. With a name and no scope, run the next step of its plan, then the done block. With a name and arguments for the test runner, run its affected tests
    pub name: Option<String>,
    /// Verify the plan in this file, also tasks.md of spec-kit or OpenSpec, or a task of Backlog.md. The file of another tool is not changed; the results are written beside it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "merge", "partition", "watch", "shadow"])]
    pub plan: Option<Utf8PathBuf>,
    /// The scope to run.
    #[command(flatten)]
    pub scope: Scope,
    /// Select the tests affected since this commit [default: the base of each open PoC, else the merge base with the
    /// default branch]
    #[arg(long, value_name = "REF", conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "from_report", "full", "confirm"])]
    pub base: Option<String>,
    /// List the commands and run nothing
    #[arg(long)]
    pub list: bool,
    /// Test runner [default: nextest if .config/nextest.toml exists and cargo-nextest is installed, else cargo]
    #[arg(long, value_enum, env = "CARGO_POC_RUNNER")]
    pub runner: Option<RunnerChoice>,
    /// Time limit of one command, in seconds [default: 1800]
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
    /// Run all selected tests, also those that passed before and can reach nothing that has changed since. Runs that are recorded, runs of the whole suite and runs with arguments for the test runner reuse no result
    #[arg(long)]
    pub no_reuse: bool,
    /// First use the results in FILE, from --export on another machine: tests that passed there are reused like those that passed here
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Several machines",
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "from_report", "full", "confirm", "no_reuse", "watch", "partition", "merge"]
    )]
    pub import: Option<Utf8PathBuf>,
    /// Then write the results of this runner and configuration to FILE
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Several machines",
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "from_report", "confirm", "list", "watch", "partition", "merge"]
    )]
    pub export: Option<Utf8PathBuf>,
    /// With --baseline: then run the suite again with coverage and store which functions each test executes, like `cargo poc affected --collect`
    #[arg(long, requires = "baseline", conflicts_with = "list")]
    pub collect: bool,
    /// Run the affected tests, and on every save the tests that it can affect, until Ctrl-C. Record nothing. A save during a run restarts it
    #[arg(
        long,
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "from_report", "full", "list", "confirm", "update", "partition", "report", "merge"]
    )]
    pub watch: bool,
    /// Then also run all tests that are not selected. Report those that fail as escapes, print how long they took, add the result to a ledger in the target folder, and record no evidence
    #[arg(
        long,
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "from_report", "full", "list", "confirm", "update", "watch", "partition", "merge", "fail_fast"]
    )]
    pub shadow: bool,
    /// Judge the tests of the changed code with mutants from cargo-mutants, which must be installed: change the code again in many ways, and run for each mutant the tests that can reach it. With --step, run the step first and record the result with it. Otherwise record nothing. Needs the files of the change in git, or untracked
    #[arg(
        long,
        conflicts_with_all = ["baseline", "prerequisites", "done", "failed", "from_report", "full", "list", "confirm", "update", "watch", "shadow", "partition", "merge", "arguments"]
    )]
    pub strength: bool,
    /// With --strength: build each mutant separately. By default, mutants that can be enabled at run time share one build
    #[arg(long, requires = "strength")]
    pub separate_builds: bool,
    /// Run only part M of N of the affected tests, or of all tests, and record nothing. A part is a partition of nextest or, with `cargo test`, a group of packages
    #[arg(
        long,
        value_name = "M/N",
        help_heading = "Several machines",
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "failed", "from_report", "confirm", "update"]
    )]
    pub partition: Option<Partition>,
    /// Output format. Except with github, the output of commands then goes to standard error
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["list", "confirm", "watch"])]
    pub format: StatusFormat,
    /// Also write a report to a file: json, junit, sarif, github, markdown, or with --partition shard, the input of --merge (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = reports::parse::<VerifyReport>)]
    pub report: Vec<ReportFile<VerifyReport>>,
    /// Run nothing; check that the shards of these reports ran every test once, on this commit, and record the result
    #[arg(
        long,
        value_name = "REPORT",
        num_args = 1..,
        help_heading = "Several machines",
        conflicts_with_all = ["Scope", "partition", "list", "confirm", "update", "arguments"]
    )]
    pub merge: Vec<Utf8PathBuf>,
    /// Run nothing; record that you judged the result of a command of the last run to be as expected (repeatable). `verify` prints the ID
    #[arg(long, value_name = "ID", conflicts_with_all = ["Scope", "list", "update", "no_record", "arguments"])]
    pub confirm: Vec<String>,
    /// With --confirm criterion.N or checklist: the reason for the confirmation
    #[arg(long, value_name = "TEXT", requires = "confirm")]
    pub reason: Option<String>,
    /// With --confirm: name of the person who confirms [default: git's user]
    #[arg(long, value_name = "NAME", requires = "confirm")]
    pub by: Option<String>,
    /// Do not close a step that the run has proven
    #[arg(long)]
    pub no_close: bool,
    /// Then show outdated test counts of the plan as a diff, and ask before writing the new counts
    #[arg(long, conflicts_with_all = ["affected", "failed", "from_report", "full", "list"])]
    pub update: bool,
    /// With --update: write without asking
    #[arg(long, requires = "update")]
    pub write: bool,
    /// The build options.
    #[command(flatten)]
    pub build: Build,
    /// The configuration as JSON, in place of those of the workspace; for earlier commits, which may have others
    #[arg(long, value_name = "JSON", hide = true, value_parser = configuration)]
    pub configuration: Option<WrittenConfiguration>,
    /// Arguments for the test runner
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
}

fn configuration(text: &str) -> Result<WrittenConfiguration, serde_json::Error> {
    serde_json::from_str(text)
}

impl Verify {
    /// Whether the run becomes evidence.
    #[must_use]
    pub fn records(&self) -> bool {
        !self.no_record && !self.shadow && !self.scope.runs_failed_tests()
    }
}

impl Scope {
    /// Whether it has only tests that failed before.
    #[must_use]
    pub fn runs_failed_tests(&self) -> bool {
        self.failed || self.from_report.is_some()
    }
}

/// The scope of `verify`.
#[derive(Debug, Default, Clone, Args)]
#[group(multiple = false)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags; clap accepts at most one"
)]
pub struct Scope {
    /// The baseline of the plan: the affected tests before the work
    #[arg(long)]
    pub baseline: bool,
    /// The verification of every prerequisite
    #[arg(long)]
    pub prerequisites: bool,
    /// The verification of one step. It is started before the run, and closed in plan and results once it is proven
    #[arg(long, value_name = "ID")]
    pub step: Option<String>,
    /// The commands under What "Done" Looks Like. With everything else proven, the results then become Complete
    #[arg(long)]
    pub done: bool,
    /// The tests that the change can affect (the default without a name)
    #[arg(long)]
    pub affected: bool,
    /// Only the tests that failed in their last run; nothing is recorded
    #[arg(long)]
    pub failed: bool,
    /// Only the tests that failed in this report, JUnit XML or the output of `verify --format json`, for example of CI; nothing is recorded
    #[arg(long, value_name = "FILE")]
    pub from_report: Option<Utf8PathBuf>,
    /// The whole suite of the workspace
    #[arg(long)]
    pub full: bool,
}
