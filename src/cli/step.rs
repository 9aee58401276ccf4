//! The command line of `cargo poc step`.

use clap::{Args, Subcommand};

/// `cargo poc step`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo poc step start cache 1
  cargo poc step note cache 1 --issue \"the lock is held across an await\" --lesson \"drop the guard first\"
  cargo poc step done cache 1             once `cargo poc verify cache --step 1` has passed
  cargo poc step done cache 1 --force --reason \"proven by hand on the target\"
  cargo poc step add cache \"Warm up\" --after 2 --verify 'cargo test -p store warm'
  cargo poc step split cache 3 \"Evict by age\" --task 2 --task 4
  cargo poc step withdraw cache 6 --reason \"moved to the next PoC\"

With the last step done, the done block proven, every criterion ticked and nothing open, the Summary says Complete.

NAME is optional if one PoC is open. Repeating a command changes nothing. All other text is kept byte for byte. --dry-run shows the diff.")]
pub struct Step {
    /// The action.
    #[command(subcommand)]
    pub action: StepAction,
}

/// An action on a step.
#[derive(Debug, Subcommand)]
pub enum StepAction {
    /// Start a step; the first start locks the contract of the plan
    Start(StepTarget),
    /// Close a step, which needs fresh passing evidence; the last one completes the work if everything is proven and ticked
    Done {
        /// The step to close.
        #[command(flatten)]
        target: StepTarget,
        /// Close it without evidence; status keeps showing who did so
        #[arg(long, requires = "reason")]
        force: bool,
        /// Reason for --force
        #[arg(long, value_name = "TEXT", requires = "force")]
        reason: Option<String>,
    },
    /// Insert a step after another and move some of its tasks there
    Split {
        /// The step to split, and the title of the new step
        #[arg(value_name = "[NAME] STEP TITLE", num_args = 2..=3, required = true)]
        words: Vec<String>,
        /// Number of a task to move, from 1 (repeatable)
        #[arg(long, value_name = "NUMBER")]
        task: Vec<usize>,
        /// The content of the new step.
        #[command(flatten)]
        content: StepContent,
    },
    /// Withdraw a step; the plan keeps it with the reason
    Withdraw {
        /// The step to withdraw.
        #[command(flatten)]
        target: StepTarget,
        /// Reason for the withdrawal
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Add a step
    Add {
        /// Title of the step
        #[arg(value_name = "[NAME] TITLE", num_args = 1..=2, required = true)]
        words: Vec<String>,
        /// Insert after this step [default: the last]
        #[arg(long, value_name = "STEP")]
        after: Option<String>,
        /// A task (repeatable)
        #[arg(long, value_name = "TEXT")]
        task: Vec<String>,
        /// The content of the new step.
        #[command(flatten)]
        content: StepContent,
    },
    /// Record an issue, a lesson, a decision or a deviation
    #[command(group = clap::ArgGroup::new("notes").required(true).multiple(true))]
    Note {
        /// The step of the note.
        #[command(flatten)]
        target: StepTarget,
        /// A problem (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        issue: Vec<String>,
        /// A lesson (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        lesson: Vec<String>,
        /// A decision (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        decision: Vec<String>,
        /// A deviation from the plan (repeatable)
        #[arg(long, value_name = "TEXT", group = "notes")]
        deviation: Vec<String>,
    },
}

/// The step to act on.
#[derive(Debug, Clone, Args)]
pub struct StepTarget {
    /// Name of the PoC [default: the open one], and id of the step
    #[arg(value_name = "[NAME] STEP", num_args = 1..=2, required = true)]
    pub words: Vec<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The content of a new step.
#[derive(Debug, Clone, Args)]
pub struct StepContent {
    /// The behaviour that the step adds
    #[arg(long, value_name = "TEXT")]
    pub goal: Option<String>,
    /// A line of its verification, including `# Expected: …` (repeatable)
    #[arg(long, value_name = "LINE")]
    pub verify: Vec<String>,
    /// Reason for the change, recorded if the work has begun
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}
