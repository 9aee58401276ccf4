//! The command line: what can be said, no logic.

mod affected;
pub mod complete;
pub mod dependencies;
mod page;
pub mod reports;
mod step;
mod tools;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

pub use self::affected::{Affected, AffectedFormat};
use self::dependencies::Dependencies;
pub use self::page::Report;
use self::reports::{ReportFile, StatusReport, VerifyReport};
pub use self::step::{Step, StepAction, StepContent, StepTarget};
pub use self::tools::{Completions, Demo, Man};
use crate::exit::{Exit, OrExit as _};
use crate::sys::cargo::Cargo;
use crate::verify::partition::Partition;

const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  findings, or a test failed
  2  bad usage, or a document or manifest that cannot be read
  3  evidence is stale
  4  could not run (cargo, git or a command missing, a timeout, no test matched, a file not written)";

/// Plans, evidence and affected tests for proof-of-concept work in a Rust workspace.
///
/// The loop: `init` writes a plan that knows your crates, `deps` applies its dependencies, `verify` runs what proves a
/// step and records it, `status` says where the work stands, from that evidence and never from a ticked box.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-poc",
    version,
    styles = clap_cargo::style::CLAP_STYLING,
    after_help = EXIT_CODES,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags as cargo has them")]
pub struct Global {
    /// Path to a Cargo.toml of the workspace
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        help_heading = "Manifest options"
    )]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Assert that Cargo.lock stays as it is
    #[arg(long, global = true, help_heading = "Manifest options")]
    pub locked: bool,
    /// Run without the network
    #[arg(long, global = true, help_heading = "Manifest options")]
    pub offline: bool,
    /// --locked and --offline together
    #[arg(long, global = true, help_heading = "Manifest options")]
    pub frozen: bool,
    /// The folder of plans and results, below the workspace root [default: docs]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CARGO_POC_DOCS",
        help_heading = "Common options"
    )]
    pub docs: Option<Utf8PathBuf>,
    /// Colours: auto, always, never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "CARGO_TERM_COLOR",
        help_heading = "Common options"
    )]
    pub color: Option<clap::ColorChoice>,
    /// Say only what was asked for
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Common options"
    )]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub verbose: bool,
}

impl Global {
    /// The folder that cargo starts from: the current one, or that of `--manifest-path`.
    ///
    /// # Errors
    /// When the current folder is gone or its path is not UTF-8.
    pub fn folder(&self) -> Result<Utf8PathBuf> {
        let current = std::env::current_dir().context("failed to find the current folder")?;
        let current = Utf8PathBuf::try_from(current)
            .context("the current folder's path is not UTF-8")
            .or_exit(Exit::Usage)?;
        let manifest = self.manifest_path.as_deref().and_then(Utf8Path::parent);
        Ok(manifest.map_or_else(|| current.clone(), |folder| current.join(folder)))
    }

    /// How these options reach cargo.
    #[must_use]
    pub fn cargo(&self) -> Cargo {
        let flags = [
            ("--locked", self.locked),
            ("--offline", self.offline),
            ("--frozen", self.frozen),
        ];
        Cargo {
            manifest_path: self.manifest_path.clone(),
            flags: flags
                .into_iter()
                .filter(|(_, given)| *given)
                .map(|(flag, _)| flag.to_owned())
                .collect(),
        }
    }
}

impl Cli {
    /// Whether what is printed is JSON, errors too.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        match &self.command {
            Command::Status(status) => status.format == StatusFormat::Json,
            Command::Check(check) => check.format == StatusFormat::Json,
            Command::Affected(affected) => affected.format == AffectedFormat::Json,
            Command::Verify(verify) => verify.format == StatusFormat::Json,
            _ => false,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a plan and its results document, prefilled from the crate graph
    Init(Init),
    /// Where the work stands: every PoC, or one
    Status(Status),
    /// Find what is wrong: plan against results, workspace and evidence
    Check(Check),
    /// Write one HTML page about every PoC, or one, for people who would rather look
    Report(Report),
    /// Run what proves a step, or the affected tests, and record what was seen
    Verify(Verify),
    /// Begin, complete, add, split, withdraw or annotate a step, in plan and results together
    Step(Step),
    /// Refresh the generated parts of the documents: tree, graph, tests, counts, the Status of files
    Update(Update),
    /// Record a deliberate change of what the plan promises
    Amend(Amend),
    /// Which tests a change can affect, and why
    Affected(Affected),
    /// Bring Cargo.toml in line with a plan's Dependencies
    Deps(Deps),
    /// Watch the whole loop on a sample workspace in a temporary folder
    Demo(Demo),
    /// Print a script with which a shell completes commands, PoCs, packages and steps
    Completions(Completions),
    /// Print the man page, or write all of them into a folder
    Man(Man),
    /// Run a test for nextest and keep what it executes: `affected --collect` calls this
    #[command(hide = true)]
    RunObservedTest(RunObservedTest),
}

/// `cargo poc init`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc init cache -p store --file src/cache.rs --dep 'moka@0.12[sync]' \\
      --proves \"reads stay under 1 ms at 10k rps\" --criterion \"p99 read latency < 1 ms\"
  cargo poc init tidy --size tiny --from-diff
  cargo poc init --agents >> AGENTS.md
  cargo poc init --dry-run parser -p core --file src/parser.rs='the new parser'

A --file path is taken from the current folder; with one -p, also from that package's folder. An existing file is
planned as Modify, an absent one as Create, and -PATH (written --file=-PATH) as Delete.")]
pub struct Init {
    /// Name of the work: a-z, 0-9 and `-`; the documents are docs/NAME-plan.md and docs/NAME-results.md. On a terminal
    /// it is asked for when it is left out
    pub name: Option<String>,
    /// A package the work touches; the first gets the dependencies (repeatable)
    #[arg(short, long, value_name = "SPEC")]
    pub package: Vec<String>,
    /// A file the work creates, modifies or, as -PATH, deletes (repeatable)
    #[arg(long, value_name = "[-]PATH[=PURPOSE]", allow_hyphen_values = true)]
    pub file: Vec<String>,
    /// Take the files from what differs between the base and the work tree
    #[arg(long)]
    pub from_diff: bool,
    /// What the work depends on.
    #[command(flatten)]
    pub dependencies: Dependencies,
    /// What the work proves
    #[arg(long, value_name = "TEXT")]
    pub proves: Option<String>,
    /// Why it is production-grade and no toy
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
    /// A success criterion (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub criterion: Vec<String>,
    /// Take the success criteria from a document's checklist; FILE#HEADING takes one section's
    #[arg(long, value_name = "FILE[#HEADING]")]
    pub criteria_from: Option<String>,
    /// An implementation step between set-up and integration, in place of one per package (repeatable)
    #[arg(long, value_name = "TITLE")]
    pub step: Vec<String>,
    /// What kind of work it is
    #[arg(long = "type", value_enum, default_value_t)]
    pub kind: Kind,
    /// How much of a plan: `tiny` fits a screen
    #[arg(long, value_enum, default_value_t)]
    pub size: Size,
    /// Where the work starts [default: merge base with the default branch, else HEAD]
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// A folder whose plan.md and results.md replace the built-in templates
    #[arg(long, value_name = "DIR")]
    pub template: Option<Utf8PathBuf>,
    /// Print the plan instead of writing it
    #[arg(long)]
    pub dry_run: bool,
    /// Print a section for AGENTS.md that tells an assistant how to work with plans here, and do nothing else
    #[arg(long, conflicts_with_all = ["name", "package", "file", "from_diff", "dry_run"])]
    pub agents: bool,
}

/// The kind of work a plan is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A proof of concept.
    #[default]
    Poc,
    /// A feature.
    Feature,
    /// An issue to mend.
    Issue,
    /// A refactoring.
    Refactor,
}

/// How much of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// A screenful.
    Tiny,
    /// Every section.
    #[default]
    Full,
}

/// `cargo poc status`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc status              every PoC of the workspace
  cargo poc status cache        one; an unambiguous beginning of its name will do
  cargo poc status --check      in CI: exit 1 while anything claimed is not proven, 3 when evidence is stale
  cargo poc status --format json --plan ~/old/cache-plan.md    a document that lies in no workspace")]
pub struct Status {
    /// Which PoCs.
    #[command(flatten)]
    pub which: Which,
    /// Gate: end with a documented exit code unless all that is claimed is proven
    #[arg(long)]
    pub check: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
    /// Write a report to a file as well: json, junit or sarif (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = reports::parse::<StatusReport>)]
    pub report: Vec<ReportFile<StatusReport>>,
}

/// Which PoCs a report is about.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// Which PoC [default: all]
    pub name: Option<String>,
    /// Read this plan, wherever it lies; outside of a workspace, what needs one is unknown
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub plan: Option<Utf8PathBuf>,
}

/// `cargo poc check`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc check                     every PoC: exit 1 when anything is an error
  cargo poc check cache --fix         mend what can do no harm, show the rest
  cargo poc check --explain POC045    what a code means, with an example
  cargo poc check -D warnings         in CI: warnings are errors too
  cargo poc check --baseline docs/known.json --write-baseline    take what is there as known

Levels can be set in Cargo.toml, under [workspace.metadata.poc.lints]: POC012 = \"allow\", \"warn\" or \"deny\".")]
pub struct Check {
    /// Which PoCs.
    #[command(flatten)]
    pub which: Which,
    /// Mend what can be mended without a person
    #[arg(long)]
    pub fix: bool,
    /// With --fix: show the diff, write nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Findings that this file knows do not fail
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<Utf8PathBuf>,
    /// Write every finding to the baseline
    #[arg(long, requires = "baseline", conflicts_with = "dry_run")]
    pub write_baseline: bool,
    /// Do not show findings of this code, or any `warnings` (repeatable)
    #[arg(short = 'A', long, value_name = "CODE")]
    pub allow: Vec<String>,
    /// Show findings of this code as warnings (repeatable)
    #[arg(short = 'W', long, value_name = "CODE")]
    pub warn: Vec<String>,
    /// Take findings of this code, or all `warnings`, for errors (repeatable)
    #[arg(short = 'D', long, value_name = "CODE")]
    pub deny: Vec<String>,
    /// Explain a code; without one, list them all
    #[arg(
        long,
        value_name = "CODE",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["fix", "baseline", "plan"]
    )]
    pub explain: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}

/// How `status`, `check` and `verify` report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people.
    #[default]
    Human,
    /// Version 1 of the documented format.
    Json,
    /// Annotations for GitHub Actions, and a summary in $GITHUB_STEP_SUMMARY.
    Github,
    /// JUnit XML: of `status` and `check`, a suite for the steps and one for the findings of each PoC; of `verify`, one
    /// for the commands and one for the tests of each binary.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// `cargo poc verify`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc verify cache --baseline     the plan's affected tests, before anything changes
  cargo poc verify cache --step 1       step 1's own verification
  cargo poc verify                      the affected tests of every open PoC, once
  cargo poc verify --watch              and on every save those that it can affect
  cargo poc verify cache --done         the commands under What \"Done\" Looks Like
  cargo poc verify cache --done --list  what would run, and what is expected of it
  cargo poc verify cache --confirm done.3         you have looked at what its third command did
  cargo poc verify cache --done --update --write  stale test counts in the plan, brought up to date
  cargo poc verify --full -- --test-threads=1
  cargo poc verify --format json        what the run came to, for a program
  cargo poc verify --format github --report junit=target/poc.xml --report sarif=target/poc.sarif     in CI
  cargo poc verify --partition 2/3 --report shard=target/shard-2.json     on each of three machines
  cargo poc verify --merge shard-1.json shard-2.json shard-3.json         one evidence of what they ran

Each command of a bash block is run and judged by its own `# Expected:`, in one shell. Understood are, alone or joined by
commas: all pass · 12 passed · 12/12 · ~12 (a twentieth more or less) · 12+ · 2 ignored · \"quoted text\" in the output · no
output · exit code 2 · under 5 s · and, one a line, glob: PATTERN (of a line) · regex: PATTERN. Comment lines below go on
with it. Anything else is for a person to confirm, and is not green before. Without `# Expected:` exit status 0 is.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags, each of which says one thing"
)]
pub struct Verify {
    /// Which PoC [default: every open one]
    pub name: Option<String>,
    /// What to run.
    #[command(flatten)]
    pub scope: Scope,
    /// Show what would run, and run nothing
    #[arg(long)]
    pub list: bool,
    /// What runs the tests [default: nextest where .config/nextest.toml and cargo-nextest are there, else cargo]
    #[arg(long, value_enum, env = "CARGO_POC_RUNNER")]
    pub runner: Option<Runner>,
    /// Seconds one command may take [default: 1800]
    #[arg(long, value_name = "SECONDS", env = "CARGO_POC_TIMEOUT")]
    pub timeout: Option<u64>,
    /// Go on after a command has failed
    #[arg(long)]
    pub keep_going: bool,
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
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "full", "list", "confirm", "update", "partition", "report", "merge"]
    )]
    pub watch: bool,
    /// Run only the M-th of N parts of the affected tests, or of all, and record nothing: nextest's own partition, or
    /// with `cargo test` a group of packages
    #[arg(
        long,
        value_name = "M/N",
        help_heading = "Several machines",
        conflicts_with_all = ["baseline", "prerequisites", "step", "done", "confirm", "update"]
    )]
    pub partition: Option<Partition>,
    /// How to report what the run came to; what it prints meanwhile then goes to standard error, but with github
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["list", "confirm", "watch"])]
    pub format: StatusFormat,
    /// Write a report to a file as well: json, junit, sarif, github, or with --partition shard, which is for --merge
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
    /// Then show, as a diff, the test counts that the plan expects and the run did not see; asks before it writes them
    #[arg(long, conflicts_with_all = ["affected", "full", "list"])]
    pub update: bool,
    /// With --update, write them without asking
    #[arg(long, requires = "update")]
    pub write: bool,
    /// Arguments for the test runner
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<String>,
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
    /// The verification of one step
    #[arg(long, value_name = "ID")]
    pub step: Option<String>,
    /// The commands under What "Done" Looks Like; with all else proven, ticked and closed, the results then say Complete
    #[arg(long)]
    pub done: bool,
    /// The tests the change can affect (the default)
    #[arg(long)]
    pub affected: bool,
    /// The workspace's whole suite
    #[arg(long)]
    pub full: bool,
}

/// What runs tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runner {
    /// nextest where the workspace configures it and it is installed, else cargo test.
    #[default]
    Auto,
    /// cargo test.
    Cargo,
    /// cargo-nextest, and cargo test for doctests.
    Nextest,
}

/// `cargo poc update`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc update cache --dry-run    the diff, nothing written
  cargo poc update                    every open PoC

Refreshed is what stands between `<!-- cargo-poc:begin X -->` and `<!-- cargo-poc:end X -->`, and nothing else. In a plan X is
graph, targets, tree, tests, or files (of whose table only the first word of Status is set: Pending or Done); in results it is
counts, the tests of the last run of the done block or of all tests. `cargo poc init` writes the markers; in older documents
put them around what is to be refreshed.")]
pub struct Update {
    /// Which PoC [default: every open one]
    pub name: Option<String>,
    /// Show the diff, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `cargo poc amend`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc amend cache --reason \"the disk of the CI machine is slower\"
  cargo poc amend cache --dry-run --reason x      what would be recorded

What a plan promises is locked when its work begins, by `cargo poc step start` or the first `cargo poc verify` of a step or of
the done block: its criteria, its verification commands with what is expected of them, and the tests of the packages it
affects. A later change is a finding until it is amended. What promises less (a criterion gone, a number relaxed, a test
deleted or ignored, a command that runs less) is named as such, and stays in sight.")]
pub struct Amend {
    /// Which PoC [default: the open one]
    pub name: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Show the diff, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `cargo poc deps`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc deps cache --dry-run      the diff, nothing written
  cargo poc deps cache
  cargo poc deps --check              in CI: exit 1 when a planned dependency is missing

An entry is added when a comment marks it new (`# Add for …`), or when nothing in its block is marked and the manifest
lacks it; entries marked `# existing`, or below prose that only describes, are left alone.")]
pub struct Deps {
    /// Which PoC [default: the open one]
    pub name: Option<String>,
    /// Show the diff, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Exit 1 when something is missing, write nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Only this manifest (repeatable)
    #[arg(long, value_name = "PATH")]
    pub manifest: Vec<Utf8PathBuf>,
}

/// `cargo-poc run-observed-test`, which `affected --collect` has nextest put in front of each test.
#[derive(Debug, Args)]
pub struct RunObservedTest {
    /// The test binary and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub words: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_holds_together() {
        super::Cli::command().debug_assert();
    }
}
