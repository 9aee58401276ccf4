//! Runs checks and tells what they did: outcomes, counts, and what became worse.
//!
//! In: [`Check`]s, from a selection of tests ([`runner`]) or from the blocks of a plan. Out: a [`Report`], which
//! [`Report::record`] turns into evidence. What is run is shown as it runs; nothing is written but by the caller.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::document::{Block, Plan};
use crate::evidence::{Confirmation, Outcome, Record, Scope};
use crate::exit;
use crate::sys::cargo::Cargo;
use crate::sys::exec::{self, Command, Ended};
use crate::terminal::Terminal;

pub mod binaries;
pub mod commands;
mod compare;
pub mod expected;
pub mod failures;
pub(crate) mod listing;
pub mod observe;
pub mod partition;
pub mod picks;
mod recording;
pub mod runner;
mod session;
pub mod shard;
pub mod shell;
mod watch;

pub use recording::{Basis, confirmation_id, exit};
pub use runner::{Runner, uses_nextest};

use binaries::Binaries;
use commands::Commands;
use expected::Meaning;
use listing::Listing;
use observe::{Observed, Observer};
use picks::Picks;
use watch::Watch;

/// The exit status by which nextest tells that there was nothing to run.
const NEXTEST_NO_TESTS: i32 = 4;

/// One command to run as evidence, from the workspace root.
#[derive(Debug, Clone)]
pub struct Check {
    /// What to run.
    pub program: Program,
    /// Whether the test binaries it starts run all of their tests: no filter of the user's is among its arguments.
    /// Of a block nothing is known.
    pub whole: bool,
}

/// What a check runs.
#[derive(Debug, Clone)]
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
    /// A shell block of a plan, as written; it is run as its commands.
    Block(String),
    /// A command of such a block.
    Command(commands::Command),
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
    /// How long it took when it was last run, where that is known.
    pub usual: Option<Duration>,
    /// Whether cargo is to tell how far a build is, for the progress line.
    pub progress: bool,
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
    /// What was expected of it and did not come.
    pub unmet: Vec<String>,
    /// Who has looked at what only a person can judge.
    pub confirmed: Option<Confirmation>,
    /// What nextest listed before it ran.
    pub(crate) listing: Option<Listing>,
}

/// What a run of checks did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The checks that were to be run, in order, blocks whole.
    pub planned: Vec<Check>,
    /// The checks that were run, in order, the commands of a block one by one.
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
    let parts = checks.iter().enumerate();
    let parts: Vec<Part> = parts
        .map(|(index, check)| Part::of(index, check))
        .collect::<Result<_>>()?;
    let total: usize = parts.iter().map(Part::len).sum();
    let mut report = Report {
        planned: checks.to_vec(),
        ..Report::default()
    };
    let mut watch = Watch::new(terminal, &options.title, options.expected, options.usual);
    let mut parts = parts.into_iter();
    for part in parts.by_ref() {
        let place = (report.checked.len() + 1, total);
        let stop = match part {
            Part::Whole(check) => {
                let before = report.counts().ran();
                watch.begin(&check.command(), (total > 1).then_some(place), before)?;
                let checked = run_one(&check, options, &mut watch)?;
                watch.end(&checked)?;
                let outcome = checked.outcome();
                report.checked.push(checked);
                stops(outcome, options)
            }
            Part::Commands(commands) => {
                let ran = session::run(&commands.list, options, &mut watch, place)?;
                let outcome = ran.checked.iter().map(Checked::outcome).max();
                report.checked.extend(ran.checked);
                report.left.extend(ran.left);
                outcome.is_some_and(|outcome| stops(outcome, options))
            }
        };
        if stop {
            break;
        }
    }
    report.left.extend(parts.flat_map(Part::into_checks));
    report.duration = started.elapsed();
    Ok(report)
}

/// Whether nothing more is run after a check with this outcome.
fn stops(outcome: Outcome, options: &Options<'_>) -> bool {
    let bad = !matches!(outcome, Outcome::Passed | Outcome::Unconfirmed);
    matches!(outcome, Outcome::Interrupted | Outcome::CouldNotRun) || bad && !options.keep_going
}

/// A check made ready: a block is known by its commands.
enum Part {
    Whole(Check),
    Commands(Commands),
}

impl Part {
    fn of(index: usize, check: &Check) -> Result<Self> {
        Ok(match &check.program {
            Program::Block(script) => Self::Commands(Commands::of(index, script)?),
            Program::Cargo { .. } | Program::Command(_) => Self::Whole(check.clone()),
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Commands(commands) => commands.list.len(),
        }
    }

    fn into_checks(self) -> Vec<Check> {
        match self {
            Self::Whole(check) => vec![check],
            Self::Commands(commands) => commands.list.into_iter().map(Check::of_block).collect(),
        }
    }
}

/// Checks with their blocks as commands, and the expectations that belong to none, for those who only want to look.
///
/// # Errors
/// When bash cannot be started.
pub fn commands_of(checks: &[Check]) -> Result<(Vec<Check>, Vec<expected::Expected>)> {
    let (mut all, mut optional) = (Vec::new(), Vec::new());
    for (index, check) in checks.iter().enumerate() {
        let mut part = Part::of(index, check)?;
        if let Part::Commands(commands) = &mut part {
            optional.append(&mut commands.optional);
        }
        all.extend(part.into_checks());
    }
    Ok((all, optional))
}

fn run_one(check: &Check, options: &Options<'_>, watch: &mut Watch<'_>) -> Result<Checked> {
    let mut listed = None;
    let mut notes = Vec::new();
    let command = match &check.program {
        Program::Block(script) | Program::Command(commands::Command { script, .. }) => {
            options.settings.block(script, &options.root)?
        }
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
                let (list, more) = options.listed(check, listing, &captured, &mut notes)?;
                watch.expect(list.expected());
                if list.expected() == 0 && !list.elsewhere.is_empty() {
                    return Ok(Checked::left_to_others(check, &captured, list));
                }
                listed = Some(list);
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
        watch.see(&observer);
        Ok(())
    })?;
    let mut seen = observer.finish();
    if let Some(listing) = &listed {
        listing.complete(&mut seen);
    }
    seen.notes.extend(notes);
    Ok(Checked {
        check: check.clone(),
        ended: outcome.ended,
        duration: outcome.duration,
        observed: seen,
        tail: outcome.tail,
        unmet: Vec::new(),
        confirmed: None,
        listing: listed,
    })
}

impl Options<'_> {
    /// What nextest lists, with tests of binaries that only `picks` lets run, and the arguments that run those too.
    fn listed(
        &self,
        check: &Check,
        listing: &[String],
        captured: &exec::Captured,
        notes: &mut Vec<String>,
    ) -> Result<(Listing, Vec<String>)> {
        let Program::Cargo { picks, .. } = &check.program else {
            return Ok((Listing::default(), Vec::new()));
        };
        let mut list = Listing::parse(&captured.stdout)?;
        let lacks = list.lacks(picks);
        if let (Some(archive), [_, ..]) = (runner::archive(listing), &lacks[..]) {
            return Err(exit::usage(format!(
                "{archive} lacks {}, whose tests are to run; make it with `cargo nextest archive --workspace --archive-file {archive}`",
                lacks.join(", ")
            )));
        }
        let more = list.pick(picks);
        notes.extend(picks::note(more.len()));
        let more: Vec<String> = more
            .into_iter()
            .flat_map(|filter| ["-E".to_owned(), filter])
            .collect();
        let parted = listing.iter().any(|word| word.starts_with("--partition"));
        if parted && !more.is_empty() {
            // Which part has which test follows from all tests that run.
            let again = listing.iter().chain(&more).cloned().collect::<Vec<_>>();
            let captured = exec::capture(&self.cargo(&again))?;
            list = Listing::parse(&captured.stdout)?;
        }
        Ok((list, more))
    }

    fn cargo(&self, argv: &[String]) -> Command {
        let command = Command::new(Cargo::program())
            .args(if self.progress {
                runner::telling(argv)
            } else {
                argv.to_vec()
            })
            .remedy("install Rust from https://rustup.rs, or set CARGO to the cargo to use");
        self.settings.prepare(command, &self.root)
    }
}

/// The shell blocks that a plan itself sets for a scope: its baseline, the verification of the prerequisites after that,
/// or of a step, or the done block; none for the scopes that follow from the change.
#[must_use]
pub fn blocks<'p>(plan: &'p Plan, scope: &Scope) -> Vec<&'p Block> {
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
        .collect()
}

/// The checks that run [`blocks`].
#[must_use]
pub fn planned(plan: &Plan, scope: &Scope) -> Vec<Check> {
    let blocks = blocks(plan, scope).into_iter();
    blocks.map(|block| Check::block(&block.code)).collect()
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

    /// A command of a block.
    fn of_block(command: commands::Command) -> Self {
        Self {
            program: Program::Command(command),
            whole: false,
        }
    }

    /// Whether nextest runs it.
    fn is_nextest(&self) -> bool {
        matches!(&self.program, Program::Cargo { argv, .. } if argv.first().is_some_and(|word| word == "nextest"))
    }

    /// What is expected of it.
    #[must_use]
    pub fn expected(&self) -> &[expected::Expected] {
        match &self.program {
            Program::Command(command) => &command.expected,
            Program::Cargo { .. } | Program::Block(_) => &[],
        }
    }

    /// Whether a person has to look at what it does.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        let mut expected = self.expected().iter();
        expected.any(|expected| matches!(expected.meaning, Meaning::Manual))
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
            Program::Block(script) | Program::Command(commands::Command { script, .. }) => {
                script.trim_end().to_owned()
            }
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
            unmet: Vec::new(),
            confirmed: None,
            listing: None,
        }
    }

    /// nextest has nothing to run: there are fewer tests than parts.
    fn left_to_others(check: &Check, captured: &exec::Captured, listing: Listing) -> Self {
        Self {
            check: check.clone(),
            ended: captured.ended,
            duration: captured.duration,
            observed: Observed::default(),
            tail: String::new(),
            unmet: Vec::new(),
            confirmed: None,
            listing: Some(listing),
        }
    }

    fn is_ours(&self) -> bool {
        matches!(self.check.program, Program::Cargo { .. })
    }

    /// Whether this exit status is the one that was expected.
    fn is_expected(&self, exit: i32) -> bool {
        let command = self.check.command();
        let searches = expected::searches(&command);
        let clauses = self.check.expected().iter();
        let mut clauses = clauses.flat_map(|expected| expected.meaning.clauses());
        exit != 0 && clauses.any(|clause| clause.allows(exit, searches))
    }

    /// How it ended. An exit status of zero does not make failed tests good, nor no tests at all, nor what was not
    /// expected.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let seen = &self.observed;
        let allowed = self.is_expected(self.ended.code());
        let failed = seen.counts().failed > 0 || !seen.compile_errors.is_empty() && !allowed;
        let nothing_matched = match self.check.program {
            // Of several commands of a block one may have no tests; all together must.
            Program::Command(_) => seen.emptied(),
            Program::Cargo { .. } | Program::Block(_) => seen.nothing_matched(),
        };
        match self.ended {
            Ended::Interrupted => Outcome::Interrupted,
            Ended::TimedOut => Outcome::TimedOut,
            _ if failed => Outcome::Failed,
            Ended::Exited(_) if allowed => self.judged(),
            // What a shell says of a command that is missing or cannot be executed.
            Ended::Exited(126 | 127) => Outcome::CouldNotRun,
            Ended::Exited(1..) if !seen.missing_commands.is_empty() => Outcome::CouldNotRun,
            // Of several calls of ours one may have nothing to run (a library without doctests); all together must.
            Ended::Exited(0 | NEXTEST_NO_TESTS) if self.is_ours() && nothing_matched => {
                Outcome::Passed
            }
            _ if nothing_matched => Outcome::NoTests,
            Ended::Exited(0) => self.judged(),
            Ended::Exited(_) | Ended::Signalled(_) => Outcome::Failed,
        }
    }

    /// What is left to say of a command that went well.
    fn judged(&self) -> Outcome {
        if !self.unmet.is_empty() {
            Outcome::Failed
        } else if self.check.is_manual() && self.confirmed.is_none() {
            Outcome::Unconfirmed
        } else {
            Outcome::Passed
        }
    }
}

impl Report {
    /// Takes over what a person has confirmed of an earlier run of the same commands on the same sources.
    pub fn confirmed_by(&mut self, earlier: &Record) {
        for checked in &mut self.checked {
            let command = checked.check.command();
            let expected: Vec<&str> = checked
                .check
                .expected()
                .iter()
                .map(|one| one.text.as_str())
                .collect();
            let same = earlier.checks.iter().find(|check| {
                check.command == command && check.expected == expected && check.manual
            });
            if checked.check.is_manual() {
                checked.confirmed = same.and_then(|check| check.confirmed.clone());
            }
        }
    }

    /// The worst of its checks; also when each passed, zero tests are never green.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let worst = self.checked.iter().map(Checked::outcome).max();
        let ours = || self.checked.iter().filter(|checked| checked.is_ours());
        let unknown = || ours().any(|checked| checked.observed.has_unknown());
        let nothing_ran = || ours().all(|checked| checked.observed.counts().ran() == 0);
        let is_command = |checked: &&Checked| matches!(checked.check.program, Program::Command(_));
        let mut testing = self.checked.iter().filter(is_command);
        let testing_nothing = testing.any(|checked| checked.observed.ran_tests())
            && self.counts().ran() == 0
            && !self
                .checked
                .iter()
                .any(|checked| checked.observed.has_unknown());
        match worst {
            Some(Outcome::Passed | Outcome::Unconfirmed) if testing_nothing => Outcome::NoTests,
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
