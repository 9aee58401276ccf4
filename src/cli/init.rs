//! The command line of `cargo poc init`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::common::Build;
use super::dependencies::Dependencies;

/// `cargo poc init`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  cargo poc init cache -p store --file src/cache.rs --dep 'moka@0.12[sync]' \\
      --proves \"reads stay under 1 ms at 10k rps\" --criterion \"p99 read latency < 1 ms\"
  cargo poc init tidy --size tiny --from-diff
  cargo poc init --agents >> AGENTS.md
  cargo poc init --dry-run parser -p core --file src/parser.rs='the new parser'

A --file path is relative to the current folder; with one -p, also to that package's folder. An existing file is planned as Modify, a missing one as Create, and -PATH (written --file=-PATH) as Delete.")]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub struct Init {
    /// Name of the work: a-z, 0-9 and `-`. The documents are docs/NAME-plan.md and docs/NAME-results.md. Without it, `init` asks on a terminal
    pub name: Option<String>,
    /// A package that the work changes; the first one gets the dependencies (repeatable)
    #[arg(short, long, value_name = "SPEC")]
    pub package: Vec<String>,
    /// A file that the work creates, modifies or, as -PATH, deletes (repeatable)
    #[arg(long, value_name = "[-]PATH[=PURPOSE]", allow_hyphen_values = true)]
    pub file: Vec<String>,
    /// Plan the files that differ between the base and the work tree
    #[arg(long)]
    pub from_diff: bool,
    /// The new dependencies.
    #[command(flatten)]
    pub dependencies: Dependencies,
    /// The statement that the work proves
    #[arg(long, value_name = "TEXT")]
    pub proves: Option<String>,
    /// Why the work is production-grade
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
    /// A success criterion (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub criterion: Vec<String>,
    /// Copy the success criteria from the checklist of a document; FILE#HEADING copies those of one section
    #[arg(long, value_name = "FILE[#HEADING]")]
    pub criteria_from: Option<String>,
    /// An implementation step between set-up and integration, instead of one step per package (repeatable)
    #[arg(long, value_name = "TITLE")]
    pub step: Vec<String>,
    /// Kind of work
    #[arg(long = "type", value_enum, default_value_t)]
    pub kind: Kind,
    /// Size of the plan
    #[arg(long, value_enum, default_value_t)]
    pub size: Size,
    /// Write the missing results document of an existing plan; the plan is not changed
    #[arg(long, conflicts_with_all = ["package", "file", "from_diff", "dry_run"])]
    pub adopt: bool,
    /// Require proof in this configuration: a name in [workspace.metadata.poc.configurations], or `default` for a build
    /// without options (repeatable)
    #[arg(long, value_name = "NAME")]
    pub require: Vec<String>,
    /// Base commit [default: merge base with the default branch, else HEAD]
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// Folder with templates plan.md and results.md that replace the built-in ones
    #[arg(long, value_name = "DIR")]
    pub template: Option<Utf8PathBuf>,
    /// Print the plan instead of writing it
    #[arg(long)]
    pub dry_run: bool,
    /// Print a section for AGENTS.md about working with plans, and do nothing else
    #[arg(long, conflicts_with_all = ["name", "package", "file", "from_diff", "dry_run"])]
    pub agents: bool,
    /// The build options.
    #[command(flatten)]
    pub build: Build,
}

/// The kind of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A proof of concept.
    #[default]
    Poc,
    /// A feature.
    Feature,
    /// A bug fix.
    Issue,
    /// A refactoring.
    Refactor,
}

/// The size of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// One screen: the change, its tests and its files
    Tiny,
    /// What a reviewer reads: criteria with proofs, steps, files, risks
    #[default]
    Standard,
    /// Every section of the template
    Full,
}
