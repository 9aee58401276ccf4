//! The command line, without logic.

mod affected;
mod common;
pub mod dependencies;
mod init;
mod page;
pub mod reports;
mod step;
mod tools;
mod verify;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};

pub use self::affected::{Affected, AffectedFormat};
pub use self::common::{Build, StatusFormat, Which};
pub use self::init::{Init, Kind, Size};
pub use self::page::Report;
use self::reports::{ReportFile, StatusReport};
pub use self::step::{Step, StepAction, StepContent, StepTarget};
pub use self::tools::{Completions, Demo, Man};
pub use self::verify::Verify;
use crate::config::Options;
use crate::config::configurations::WrittenConfiguration;
use crate::sys::terminal::Verbosity;

const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  findings, or a test failed
  2  bad usage, or a document or manifest that cannot be read
  3  evidence is stale
  4  could not run (cargo, git or a command missing, a timeout, no test matched, a file not written)";

/// Plans, evidence and affected tests for proof-of-concept work in a Rust workspace.
///
/// `init` writes a plan prefilled from the crate graph. `deps` adds its dependencies to the manifests. `verify` runs the verification of a step and records the outcome. `status` computes the progress from these records, never from ticked boxes.
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
    /// The subcommand.
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
    /// Assert that Cargo.lock does not change
    #[arg(long, global = true, help_heading = "Manifest options")]
    pub locked: bool,
    /// Run without the network
    #[arg(long, global = true, help_heading = "Manifest options")]
    pub offline: bool,
    /// Equivalent to --locked and --offline
    #[arg(long, global = true, help_heading = "Manifest options")]
    pub frozen: bool,
    /// Folder of plans and results, relative to the workspace root [default: docs]
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
    /// Print only results
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Common options"
    )]
    pub quiet: bool,
    /// Print additional messages
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub verbose: bool,
    /// The build options of the command, if it has any.
    #[arg(skip)]
    pub build: Build,
    /// The configuration that another run of this program gives.
    #[arg(skip)]
    pub configuration: Option<WrittenConfiguration>,
}

impl Global {
    /// Returns the options that select the workspace.
    #[must_use]
    pub fn options(&self) -> Options {
        let flags = [
            ("--locked", self.locked),
            ("--offline", self.offline),
            ("--frozen", self.frozen),
        ];
        let flags = flags.into_iter().filter(|(_, given)| *given);
        Options {
            manifest_path: self.manifest_path.clone(),
            cargo_flags: flags.map(|(flag, _)| flag.to_owned()).collect(),
            docs: self.docs.clone(),
            build: self.build.choice(),
            configuration: self.configuration.clone(),
        }
    }

    /// Returns the options of the output streams.
    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        Verbosity {
            color: self.color.unwrap_or(clap::ColorChoice::Auto),
            quiet: self.quiet,
            verbose: self.verbose,
        }
    }
}

impl From<&Global> for Options {
    fn from(global: &Global) -> Self {
        global.options()
    }
}

impl Command {
    /// Returns the build options of this command; `None` if the command does not depend on a build.
    #[must_use]
    pub fn build(&self) -> Option<&Build> {
        match self {
            Self::Init(init) => Some(&init.build),
            Self::Status(status) => Some(&status.build),
            Self::Check(check) => Some(&check.build),
            Self::Report(report) => Some(&report.build),
            Self::Verify(verify) => Some(&verify.build),
            Self::Affected(affected) => Some(&affected.build),
            _ => None,
        }
    }

    /// Returns the configuration that replaces those of the workspace, if any.
    #[must_use]
    pub fn configuration(&self) -> Option<&WrittenConfiguration> {
        match self {
            Self::Verify(verify) => verify.configuration.as_ref(),
            _ => None,
        }
    }
}

impl Cli {
    /// Whether the output, including errors, is JSON.
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

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a plan and its results document, prefilled from the crate graph
    Init(Init),
    /// Show the state of every PoC, or one, and the next command
    Status(Status),
    /// Report contradictions between plan, results, workspace and evidence
    Check(Check),
    /// Write one HTML page about every PoC, or one
    Report(Report),
    /// Run the verification of a step, or the affected tests, and record the outcome
    Verify(Box<Verify>),
    /// Start, close, add, split, withdraw or annotate a step, in plan and results together
    Step(Step),
    /// Refresh the generated parts of the documents: tree, graph, tests, counts, Status of files
    Update(Update),
    /// Record a deliberate change of the contract of a plan
    Amend(Amend),
    /// List the tests that a change can affect, with reasons
    Affected(Affected),
    /// Add the planned dependencies to Cargo.toml
    Deps(Deps),
    /// Demonstrate every step on a sample workspace in a temporary folder
    Demo(Demo),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the man page, or write all man pages to a folder
    Man(Man),
    /// Run a test for nextest with coverage; `affected --collect` calls this
    #[command(name = "run-observed-test", hide = true)]
    RunCoveredTest(RunCoveredTest),
}

/// `cargo poc status`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc status              every PoC of the workspace
  cargo poc status cache        one PoC; a unique prefix of its name is enough
  cargo poc status --check      in CI: exit 1 while anything claimed is not proven, 3 when evidence is stale
  cargo poc status --since origin/main    list what this branch proves and what is unproven
  cargo poc status --format json --plan ~/old/cache-plan.md    a plan outside any workspace")]
pub struct Status {
    /// The PoCs to report.
    #[command(flatten)]
    pub which: Which,
    /// Exit with 1 or 3 unless every claim is proven
    #[arg(long)]
    pub check: bool,
    /// Show which steps and criteria have been proven since this commit, and which are not proven
    #[arg(long, value_name = "REF", conflicts_with_all = ["plan", "report"])]
    pub since: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
    /// Write a report to a file as well: json, junit, sarif or markdown (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = reports::parse::<StatusReport>)]
    pub report: Vec<ReportFile<StatusReport>>,
    /// The build options.
    #[command(flatten)]
    pub build: Build,
}

/// `cargo poc check`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc check                     every PoC: exit 1 when anything is an error
  cargo poc check cache --fix         apply safe fixes, show the rest
  cargo poc check --explain POC045    the page of a rule, with an example
  cargo poc check -D warnings         in CI: warnings are errors too
  cargo poc check --baseline docs/known.json --write-baseline    suppress the current findings

Levels can be set in Cargo.toml, under [workspace.metadata.poc.lints]: POC012 = \"allow\", \"warn\" or \"deny\". Codes and names are accepted.")]
pub struct Check {
    /// The PoCs to check.
    #[command(flatten)]
    pub which: Which,
    /// Apply safe fixes
    #[arg(long)]
    pub fix: bool,
    /// With --fix: show the diff and write nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Suppress the findings listed in this file
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<Utf8PathBuf>,
    /// Write all current findings to the baseline
    #[arg(long, requires = "baseline", conflicts_with = "dry_run")]
    pub write_baseline: bool,
    /// Do not report this rule, by code or name, or all `warnings` (repeatable)
    #[arg(short = 'A', long, value_name = "CODE")]
    pub allow: Vec<String>,
    /// Report this rule as a warning (repeatable)
    #[arg(short = 'W', long, value_name = "CODE")]
    pub warn: Vec<String>,
    /// Report this rule, or all `warnings`, as an error (repeatable)
    #[arg(short = 'D', long, value_name = "CODE")]
    pub deny: Vec<String>,
    /// Explain this rule, or list all rules
    #[arg(
        long,
        value_name = "CODE",
        num_args = 0..=1,
        default_missing_value = "",
        conflicts_with_all = ["fix", "baseline", "plan"]
    )]
    pub explain: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
    /// The build options.
    #[command(flatten)]
    pub build: Build,
}

/// `cargo poc update`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc update cache --dry-run    show the diff and write nothing
  cargo poc update                    every open PoC

Only text between `<!-- cargo-poc:begin X -->` and `<!-- cargo-poc:end X -->` is replaced. In a plan, X is graph, targets, tree, tests or files; of the Files table, only the first word of Status changes. In results, X is counts: the tests of the last run of the done block or of the full suite. `cargo poc init` writes the markers; add them to older documents by hand.")]
pub struct Update {
    /// Name of the PoC [default: every open one]
    pub name: Option<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `cargo poc amend`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc amend cache --reason \"the disk of the CI machine is slower\"
  cargo poc amend cache --dry-run --reason x      show the record and write nothing

The contract of a plan is locked when the work begins, by `cargo poc step start` or the first `cargo poc verify` of a step or the done block: the criteria, the verification commands with their expectations, and the tests of the affected packages. A later change is a finding until it is amended. A change that weakens the contract (a removed criterion, a relaxed number, a deleted or ignored test, a command that runs less) is named as such and remains visible.")]
pub struct Amend {
    /// Name of the PoC [default: the open one]
    pub name: Option<String>,
    /// Reason for the change
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `cargo poc deps`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc deps cache --dry-run      show the diff and write nothing
  cargo poc deps cache
  cargo poc deps --check              in CI: exit 1 when a planned dependency is missing

An entry is added if a comment marks it as new (`# Add for …`), or if no entry of its block is marked and the manifest lacks it. Entries marked `# existing`, and blocks below descriptive text, are not applied.")]
pub struct Deps {
    /// Name of the PoC [default: the open one]
    pub name: Option<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Exit with 1 if something is missing; write nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Only this manifest (repeatable)
    #[arg(long, value_name = "PATH")]
    pub manifest: Vec<Utf8PathBuf>,
}

/// `cargo-poc run-observed-test`. `affected --collect` makes nextest run each test through it.
#[derive(Debug, Args)]
pub struct RunCoveredTest {
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
