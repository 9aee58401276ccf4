//! The command line of `cargo poc step`.

use clap::{Args, Subcommand};

/// `cargo poc step`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo poc step start cache 1
  cargo poc step note cache 1 --issue \"the lock is held over an await\" --lesson \"hold it shorter\"
  cargo poc step done cache 1             once `cargo poc verify cache --step 1` has passed
  cargo poc step done cache 1 --force --reason \"proven by hand on the target\"
  cargo poc step add cache \"Warm up\" --after 2 --verify 'cargo test -p store warm'
  cargo poc step split cache 3 \"Evict by age\" --task 2 --task 4
  cargo poc step withdraw cache 6 --reason \"moved to the next PoC\"

With the last step done, the done block proven, every criterion ticked and nothing open, the Summary says Complete.

NAME is optional if one PoC is open. Repeating a command changes nothing. All other text stays byte for byte; --dry-run shows the diff.")]
pub struct Step {
    /// What to do.
    #[command(subcommand)]
    pub action: StepAction,
}

/// What to do with a step.
#[derive(Debug, Subcommand)]
pub enum StepAction {
    /// Say that the work on a step begins; the first one locks what the plan promises
    Start(StepTarget),
    /// Say that a step is done, and with the last one, where all is proven and ticked, that the work is; refused without
    /// fresh passing evidence
    Done {
        /// Which step.
        #[command(flatten)]
        target: StepTarget,
        /// Even so; recorded as yours, and status goes on showing it
        #[arg(long, requires = "reason")]
        force: bool,
        /// Why it is forced
        #[arg(long, value_name = "TEXT", requires = "force")]
        reason: Option<String>,
    },
    /// Put a step behind another, and move some of its tasks there
    Split {
        /// The step, and the title of the new one behind it
        #[arg(value_name = "[NAME] STEP TITLE", num_args = 2..=3, required = true)]
        words: Vec<String>,
        /// A task to move, counted from 1 (repeatable)
        #[arg(long, value_name = "NUMBER")]
        task: Vec<usize>,
        /// What the new step holds.
        #[command(flatten)]
        content: StepContent,
    },
    /// Take a step out of the plan, in sight and with a reason
    Withdraw {
        /// Which step.
        #[command(flatten)]
        target: StepTarget,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Add a step
    Add {
        /// Its title
        #[arg(value_name = "[NAME] TITLE", num_args = 1..=2, required = true)]
        words: Vec<String>,
        /// The step it stands behind [default: the last]
        #[arg(long, value_name = "STEP")]
        after: Option<String>,
        /// A task (repeatable)
        #[arg(long, value_name = "TEXT")]
        task: Vec<String>,
        /// What it holds.
        #[command(flatten)]
        content: StepContent,
    },
    /// Write down an issue, a lesson, a decision or a deviation
    #[command(group = clap::ArgGroup::new("notes").required(true).multiple(true))]
    Note {
        /// Which step.
        #[command(flatten)]
        target: StepTarget,
        /// Something that went wrong (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        issue: Vec<String>,
        /// Something learned (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        lesson: Vec<String>,
        /// A choice made (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        decision: Vec<String>,
        /// Something done otherwise than planned (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        deviation: Vec<String>,
    },
}

/// Which step.
#[derive(Debug, Clone, Args)]
pub struct StepTarget {
    /// The step's id, and before it the PoC's name [default: the open one]
    #[arg(value_name = "[NAME] STEP", num_args = 1..=2, required = true)]
    pub words: Vec<String>,
    /// Show the diff, write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What a new step holds.
#[derive(Debug, Clone, Args)]
pub struct StepContent {
    /// What works after it that did not before
    #[arg(long, value_name = "TEXT")]
    pub goal: Option<String>,
    /// A line of its verification, `# Expected: …` too (repeatable)
    #[arg(long, value_name = "LINE")]
    pub verify: Vec<String>,
    /// Why, for the record, where the work has begun
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Show the diff, write nothing
    #[arg(long)]
    pub dry_run: bool,
}
