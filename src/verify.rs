//! Runs checks and tells what they did: outcomes, counts, and what became worse.
//!
//! In: [`Check`]s, from a selection of tests ([`runner`]) or from the blocks of a plan. Out: a [`Report`], which
//! [`Report::record`] turns into evidence. What is run is shown as it runs; nothing is written but by the caller.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::document::{Block, Plan};
use crate::evidence::{Outcome, Scope};
use crate::sys::cargo::Cargo;
use crate::sys::exec::{self, Command, Ended};
use crate::terminal::Terminal;

pub mod binaries;
mod compare;
mod listing;
pub mod observe;
pub mod picks;
mod recording;
pub mod runner;
pub mod shell;
mod watch;

pub use recording::{Basis, exit};
pub use runner::{Runner, uses_nextest};

use binaries::Binaries;
use listing::Listing;
use observe::{Observed, Observer};
use picks::Picks;
use watch::Watch;

/// The exit status by which nextest tells that there was nothing to run.
const NEXTEST_NO_TESTS: i32 = 4;

/// One command to run as evidence, from the workspace root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What to run.
    pub program: Program,
    /// Whether the test binaries it starts run all of their tests: no filter of the user's is among its arguments.
    /// Of a block nothing is known.
    pub whole: bool,
}

/// What a check runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// cargo, with what follows its name.
    Cargo {
        /// The arguments.
        argv: Vec<String>,
        /// The arguments that list what there is to run, where that is asked first.
        listing: Option<Vec<String>>,
        /// What runs of binaries that do not run whole.
        picks: Picks,
        /// What follows the names of tests.
        flags: Vec<String>,
    },
    /// A shell block of a plan, as written.
    Block(String),
}

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
    /// What is being verified, for the progress line: `step 1`.
    pub title: String,
    /// How many tests are expected, where that is known before.
    pub expected: Option<u64>,
}

/// What a check did.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The check.
    pub check: Check,
    /// How its program ended.
    pub ended: Ended,
    /// How long it took.
    pub duration: Duration,
    /// What its output told about tests.
    pub observed: Observed,
    /// The end of its output.
    pub tail: String,
}

/// What a run of checks did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The checks that were run, in order.
    pub checked: Vec<Checked>,
    /// Those that were not, because one before them had failed.
    pub left: Vec<Check>,
    /// From the first to the last.
    pub duration: Duration,
}

/// Runs checks one after the other; after one that did not pass the rest is left, unless `keep_going`.
///
/// # Errors
/// When a program cannot be started (its name and what to do), or the output cannot be shown.
pub fn run(checks: &[Check], options: &Options<'_>, terminal: &mut Terminal) -> Result<Report> {
    let started = std::time::Instant::now();
    let mut report = Report::default();
    let mut watch = Watch::new(terminal, &options.title, options.expected);
    for (index, check) in checks.iter().enumerate() {
        let before = report.counts().ran();
        watch.begin(
            &check.command(),
            (checks.len() > 1).then_some((index + 1, checks.len())),
            before,
        )?;
        let checked = run_one(check, options, &mut watch)?;
        let outcome = checked.outcome();
        watch.end(&checked)?;
        report.checked.push(checked);
        let stop = matches!(outcome, Outcome::Interrupted | Outcome::CouldNotRun);
        if stop || outcome != Outcome::Passed && !options.keep_going {
            report.left = checks[index + 1..].to_vec();
            break;
        }
    }
    report.duration = started.elapsed();
    Ok(report)
}

fn run_one(check: &Check, options: &Options<'_>, watch: &mut Watch<'_>) -> Result<Checked> {
    let mut listed = None;
    let mut notes = Vec::new();
    let command = match &check.program {
        Program::Block(script) => options.settings.block(script, &options.root)?,
        Program::Cargo {
            argv,
            listing: None,
            ..
        } => options.cargo(argv),
        Program::Cargo {
            argv,
            listing: Some(listing),
            picks,
            flags,
        } => {
            let captured =
                exec::capture_output(&options.cargo(listing), &mut |part| watch.show(part))?;
            if !captured.ended.success() {
                return Ok(Checked::unlisted(check, &captured));
            }
            let argv = if listing.first().is_some_and(|word| word == "nextest") {
                let mut list = Listing::parse(&captured.stdout)?;
                let more = list.pick(picks);
                notes.extend(picks::note(more.len()));
                watch.expect(list.expected());
                listed = Some(list);
                let more = more
                    .into_iter()
                    .flat_map(|filter| ["-E".to_owned(), filter]);
                argv.iter().cloned().chain(more).collect()
            } else {
                let (argv, unknown) =
                    picks::resolve(argv, picks, flags, &captured, options.binaries);
                notes.extend(unknown);
                argv
            };
            options.cargo(&argv)
        }
    };
    let mut observer = Observer::default();
    let outcome = exec::stream(&command, &mut |part| {
        observer.push(part);
        watch.show(part)?;
        watch.count(observer.so_far());
        Ok(())
    })?;
    let mut seen = observer.finish();
    if let Some(listing) = listed {
        listing.complete(&mut seen);
    }
    seen.notes.extend(notes);
    Ok(Checked {
        check: check.clone(),
        ended: outcome.ended,
        duration: outcome.duration,
        observed: seen,
        tail: outcome.tail,
    })
}

impl Options<'_> {
    fn cargo(&self, argv: &[String]) -> Command {
        let command = Command::new(Cargo::program())
            .args(argv)
            .remedy("install Rust from https://rustup.rs, or set CARGO to the cargo to use");
        self.settings.prepare(command, &self.root)
    }
}

/// The checks that a plan itself sets for a scope: the shell blocks of its baseline, of the prerequisites after that,
/// of a step's verification, or of the done block; none for the scopes that follow from the change.
#[must_use]
pub fn planned(plan: &Plan, scope: &Scope) -> Vec<Check> {
    let blocks: Vec<&Block> = match scope {
        Scope::Baseline => plan.baseline.iter().collect(),
        Scope::Prerequisites => plan
            .prerequisites
            .iter()
            .skip(1)
            .flat_map(|need| &need.verification)
            .collect(),
        Scope::Step(id) => {
            let steps = plan.steps.iter().filter(|step| step.id.as_str() == id);
            steps.flat_map(|step| &step.verification).collect()
        }
        Scope::Done => plan.done.iter().collect(),
        Scope::Affected | Scope::Full => Vec::new(),
    };
    blocks
        .into_iter()
        .filter(|block| block.is_shell())
        .map(|block| Check::block(&block.code))
        .collect()
}

/// A hash of what checks run, the same for the same commands: a plan whose command has changed since a run has no
/// evidence from it.
#[must_use]
pub fn commands_hash<'c>(checks: impl IntoIterator<Item = &'c Check>) -> String {
    let mut hasher = blake3::Hasher::new();
    for check in checks {
        hasher.update(check.command().replace("\r\n", "\n").as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

impl Check {
    /// A shell block of a plan.
    #[must_use]
    pub fn block(script: impl Into<String>) -> Self {
        Self {
            program: Program::Block(script.into()),
            whole: false,
        }
    }

    /// The command as one would type it, or the block as written.
    #[must_use]
    pub fn command(&self) -> String {
        match &self.program {
            Program::Cargo { argv, .. } => {
                let words = argv.iter().map(String::as_str);
                shlex::try_join(std::iter::once("cargo").chain(words))
                    .unwrap_or_else(|_| argv.join(" "))
            }
            Program::Block(script) => script.trim_end().to_owned(),
        }
    }
}

impl Checked {
    /// nextest could not list its tests: it did not build, or a harness does not list.
    fn unlisted(check: &Check, captured: &exec::Captured) -> Self {
        let stderr = String::from_utf8_lossy(&captured.stderr).into_owned();
        let mut observer = Observer::default();
        observer.push_text(&stderr);
        let mut seen = observer.finish();
        if seen.compile_errors.is_empty() {
            let note = "nextest could not list the tests; where a harness of its own is the cause, use `--runner cargo`";
            seen.notes.push(note.to_owned());
        }
        Self {
            check: check.clone(),
            ended: captured.ended,
            duration: captured.duration,
            observed: seen,
            tail: stderr,
        }
    }

    fn is_ours(&self) -> bool {
        matches!(self.check.program, Program::Cargo { .. })
    }

    /// How it ended. An exit status of zero does not make failed tests good, nor no tests at all.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let failed = self.observed.counts().failed > 0 || !self.observed.compile_errors.is_empty();
        match self.ended {
            Ended::Interrupted => Outcome::Interrupted,
            Ended::TimedOut => Outcome::TimedOut,
            _ if failed => Outcome::Failed,
            // What a shell says of a command that is missing or cannot be executed.
            Ended::Exited(126 | 127) => Outcome::CouldNotRun,
            Ended::Exited(1..) if !self.observed.missing_commands.is_empty() => {
                Outcome::CouldNotRun
            }
            // Of several calls of ours one may have nothing to run (a library without doctests); all together must.
            Ended::Exited(0 | NEXTEST_NO_TESTS)
                if self.is_ours() && self.observed.nothing_matched() =>
            {
                Outcome::Passed
            }
            _ if self.observed.nothing_matched() => Outcome::NoTests,
            Ended::Exited(0) => Outcome::Passed,
            Ended::Exited(_) | Ended::Signalled(_) => Outcome::Failed,
        }
    }
}

impl Report {
    /// The worst of its checks; also when each passed, zero tests are never green.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let worst = self.checked.iter().map(Checked::outcome).max();
        let ours = || self.checked.iter().filter(|checked| checked.is_ours());
        let unknown = || ours().any(|checked| checked.observed.has_unknown());
        let nothing_ran = || ours().all(|checked| checked.observed.counts().ran() == 0);
        match worst {
            Some(Outcome::Passed) if ours().next().is_some() && nothing_ran() && !unknown() => {
                Outcome::NoTests
            }
            Some(worst) => worst,
            None => Outcome::NoTests,
        }
    }

    /// The sum over all checks.
    #[must_use]
    pub fn counts(&self) -> observe::Counts {
        let mut sum = observe::Counts::default();
        for checked in &self.checked {
            sum += checked.observed.counts();
        }
        sum
    }
}
