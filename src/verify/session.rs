//! Runs the commands of a block in one bash, and judges each before the next starts.
//!
//! There is one bash, so that the folder, variables, functions and options persist as in one script. After each command it prints a mark
//! with the exit status into its output, and waits for an answer on a separate input. The mark contains a random number, so that no
//! output can contain it by accident.

use std::fmt::Write as _;
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result};

use super::invocation::{Invocation, InvocationResult};
use super::options::{Options, stops};
use super::progress::Progress;
use super::test_output::Observer;
use super::{accounts, quarantine};
use crate::evidence::{Outcome, Runs};
use crate::script::commands::ScriptCommand;
use crate::script::expectation::Seen;
use crate::script::measure::Sample;
use crate::script::shell;
use crate::sys::cargo_log::CargoLog;
use crate::sys::exec::{self, ExitReason, Input, OutputChunk};

/// The first byte of a mark; text does not contain it.
const MARK: u8 = 0x1e;

/// The maximum size of a command's output that expectations are checked against, in bytes.
const KEPT: usize = 8 * 1024 * 1024;

/// The size of the end of the output that is shown under `--quiet`, in bytes.
const TAIL: usize = 64 * 1024;

/// The result of a session.
pub(super) struct Ran {
    /// The commands that ran, in order.
    pub(super) checked: Vec<InvocationResult>,
    /// The commands that did not run.
    pub(super) left: Vec<Invocation>,
    /// When only cargo was at work; a time without length began when cargo did.
    pub(super) times: Vec<(SystemTime, SystemTime)>,
}

/// Runs the commands. After one that did not pass, the others are skipped unless `keep_going`. `before` and `total` are for the line with
/// the command's position.
pub(super) fn run(
    commands: &[ScriptCommand],
    options: &Options<'_>,
    watch: &mut Progress<'_>,
    place: (usize, usize),
) -> Result<Ran> {
    let key = nonce();
    let log = CargoLog::create(&options.settings.program)?;
    let path = shell::search_path();
    let definitions = log.as_ref().map(|log| log.definitions(&path));
    let script = definitions.unwrap_or_default()
        + &script(
            commands,
            &key,
            options.keep_going || !options.quarantine.is_empty(),
        );
    let command = options.settings.block(&script, &options.root)?;
    let command = match &log {
        Some(log) => log.attach(command, &path),
        None => command,
    };
    let mut session = Session {
        commands,
        options,
        watch,
        place,
        log,
        mark: [&[MARK], key.as_bytes(), b" "].concat(),
        held: Vec::new(),
        current: None,
        rounds: Vec::new(),
        checked: Vec::new(),
        stopped: false,
        ended: false,
        times: Vec::new(),
    };
    session.begin()?;
    let outcome = exec::run_interactive(&command, &mut |part, input| session.take(part, input))?;
    session.finish(outcome.ended)
}

/// A number that no command can know in advance.
fn nonce() -> String {
    let seed = std::collections::hash_map::RandomState::new();
    format!("{:016x}", std::hash::BuildHasher::hash_one(&seed, MARK))
}

/// The commands with a mark after each. A command that may end with another status than zero runs without `set -e`, which an ERR trap
/// replaces: the status is that of the first failing part.
fn script(commands: &[ScriptCommand], key: &str, keep_going: bool) -> String {
    let mut script = format!(
        "exec 198<&0 199>&1 </dev/null; __cargo_poc() {{ builtin printf '\\036%s %s\\n' {key} \"$1\" >&199; builtin read -r -u \
         198 __cargo_poc_next || builtin exit 0; }}\n"
    );
    for command in commands {
        let searches = crate::script::expectation::searches(&command.script);
        let may_fail = command.expected.iter().any(|expected| {
            let assertions = expected.meaning.assertions();
            assertions
                .iter()
                .any(|assertion| (1..256).any(|exit| assertion.allows(exit, searches)))
        });
        let text = &command.script;
        let times = Invocation::of_block(command.clone()).times();
        for _ in 0..times {
            let _ = if keep_going || may_fail || times > 1 {
                writeln!(
                    script,
                    "__cargo_poc_options=$-; __cargo_poc_status=; __cargo_poc_trap=$(trap -p ERR); set +e -E; trap \
                 '__cargo_poc_status=${{__cargo_poc_status:-$?}}' ERR\n{text}\n__cargo_poc_last=$?; trap - ERR; eval \
                 \"$__cargo_poc_trap\"; case $__cargo_poc_options in *E*) ;; *) set +E ;; esac; case $__cargo_poc_options in *e*) set -e ;; \
                 esac; __cargo_poc \"${{__cargo_poc_status:-$__cargo_poc_last}}\""
                )
            } else {
                writeln!(script, "{text}\n__cargo_poc $?")
            };
        }
    }
    script
}

/// The running command.
struct Current {
    observer: Observer,
    output: Vec<u8>,
    begun: Instant,
}

struct Session<'s, 't> {
    commands: &'s [ScriptCommand],
    options: &'s Options<'s>,
    watch: &'s mut Progress<'t>,
    place: (usize, usize),
    /// The log of cargo's calls; `None` if the platform has none.
    log: Option<CargoLog>,
    mark: Vec<u8>,
    /// Output that may be the start of a mark.
    held: Vec<u8>,
    current: Option<Current>,
    /// The earlier runs of the current command.
    rounds: Vec<InvocationResult>,
    checked: Vec<InvocationResult>,
    stopped: bool,
    /// bash has ended.
    ended: bool,
    /// When cargo was at work.
    times: Vec<(SystemTime, SystemTime)>,
}

impl Session<'_, '_> {
    /// Starts the next command.
    fn begin(&mut self) -> Result<()> {
        let index = self.checked.len();
        let Some(command) = self.commands.get(index) else {
            return Ok(());
        };
        let before = self
            .checked
            .iter()
            .map(|one| one.observed.counts().ran())
            .sum();
        let (first, total) = self.place;
        let place = (total > 1).then_some((first + index, total));
        self.watch.begin(&command.script, place, before)?;
        self.current = Some(Current {
            observer: Observer::default(),
            output: Vec::new(),
            begun: Instant::now(),
        });
        Ok(())
    }

    fn take(&mut self, part: OutputChunk<'_>, input: &mut Input) -> Result<()> {
        self.held.extend_from_slice(part.bytes);
        loop {
            let found = memchr::memmem::find(&self.held, &self.mark);
            let Some(at) = found else { break };
            let rest = &self.held[at + self.mark.len()..];
            let Some(end) = memchr::memchr(b'\n', rest) else {
                return Ok(());
            };
            let status = String::from_utf8_lossy(&rest[..end])
                .trim()
                .parse()
                .unwrap_or(-1);
            let after = self.held.split_off(at + self.mark.len() + end + 1);
            self.held.truncate(at);
            let output = std::mem::replace(&mut self.held, after);
            self.show(&output)?;
            self.end(ExitReason::Exited(status))?;
            if self.stopped {
                input.close();
            } else {
                self.begin()?;
                input.restart_clock();
                input.send("");
            }
        }
        // A mark is written in one piece; only its possible start waits.
        let held = match memchr::memrchr(MARK, &self.held) {
            Some(at) if self.mark.starts_with(&self.held[at..]) => self.held.split_off(at),
            _ => Vec::new(),
        };
        let output = std::mem::replace(&mut self.held, held);
        self.show(&output)
    }

    fn show(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let part = OutputChunk {
            bytes,
            ends_line: bytes.ends_with(b"\n"),
        };
        if let Some(current) = &mut self.current {
            current.observer.push(part);
            let room = KEPT.saturating_sub(current.output.len());
            current
                .output
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.watch.see(&current.observer);
        }
        self.watch.show(part)
    }

    /// The times of calls of cargo. If other commands of the block can run beside cargo, a call ends when it begins, so that no file that
    /// is written during it counts as written by cargo or a test.
    fn times_alone(&self, times: Vec<(SystemTime, SystemTime)>) -> Vec<(SystemTime, SystemTime)> {
        let begun = &self.commands[..=self.checked.len()];
        let is_alone = !begun.iter().any(ScriptCommand::runs_beside_others);
        let times = times.into_iter();
        times
            .map(|(begun, ended)| (begun, if is_alone { ended } else { begun }))
            .collect()
    }

    /// Evaluates the current command, which has ended.
    fn end(&mut self, ended: ExitReason) -> Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let index = self.checked.len();
        let duration = current.begun.elapsed();
        let output = String::from_utf8_lossy(&current.output);
        let plain = anstream::adapter::strip_str(&output).to_string();
        let tail = output.len().saturating_sub(TAIL);
        let tail = (tail..=output.len()).find(|at| output.is_char_boundary(*at));
        let command = &self.commands[index];
        let check = Invocation::of_block(command.clone());
        let account = match &self.log {
            Some(log) => accounts::of_calls(
                command,
                &log.take()?,
                ended,
                check.expects_failure(),
                self.options.binaries,
            ),
            None => accounts::of_output(command, current.observer.finish(), self.options.binaries),
        };
        self.times.extend(self.times_alone(account.times));
        let excused = quarantine::excused(
            &self.options.quarantine,
            &account.observed,
            &check,
            self.options.binaries,
        );
        let mut checked = InvocationResult {
            check,
            excused,
            ended,
            duration,
            observed: account.observed,
            tail: output[tail.unwrap_or_default()..].to_owned(),
            unmet: account.disagreements,
            undecided: false,
            empty: account.empty,
            runs: None,
            samples: samples(command, &plain),
            confirmed: None,
            listing: None,
        };
        let missed = unmet(command, &checked, &plain);
        checked.unmet.extend(missed);
        self.watch.end(&checked)?;
        let times = checked.check.times() as usize;
        self.rounds.push(checked);
        if self.rounds.len() < times && matches!(ended, ExitReason::Exited(_)) && !self.ended {
            return Ok(());
        }
        let checked = together(std::mem::take(&mut self.rounds), times)?;
        let outcome = checked.outcome();
        self.stopped = stops(outcome, self.options);
        self.checked.push(checked);
        Ok(())
    }

    /// bash has ended: by `set -e`, by an `exit` of the block, by this program, or at the end of the script.
    fn finish(mut self, ended: ExitReason) -> Result<Ran> {
        self.ended = true;
        let output = std::mem::take(&mut self.held);
        self.show(&output)?;
        let after_last = self.current.is_none();
        self.end(ended)?;
        let left: Vec<Invocation> = self.commands[self.checked.len()..]
            .iter()
            .map(|command| Invocation::of_block(command.clone()))
            .collect();
        if after_last && !self.stopped {
            self.end_of_block(ended)?;
        }
        if !left.is_empty()
            && !self.stopped
            && let Some(last) = self.checked.last_mut()
        {
            last.unmet
                .push("the block ended here, although commands follow".to_owned());
        }
        Ok(Ran {
            checked: self.checked,
            left,
            times: self.times,
        })
    }

    /// Considers what happens after the last command: a trap, or a background job.
    fn end_of_block(&mut self, ended: ExitReason) -> Result<()> {
        let late = match &self.log {
            Some(log) => accounts::of_late_calls(&log.take()?, self.options.binaries),
            None => Vec::new(),
        };
        let Some(last) = self.checked.last_mut() else {
            return Ok(());
        };
        if !ended.success() {
            last.unmet
                .push(format!("bash ended with {ended} after the last command"));
        }
        last.unmet.extend(late);
        Ok(())
    }
}

/// Combines the runs of one command: the first that did not pass, or the last.
fn together(rounds: Vec<InvocationResult>, times: usize) -> Result<InvocationResult> {
    let count = |rounds: usize| u32::try_from(rounds).unwrap_or(u32::MAX);
    let passed = |round: &InvocationResult| {
        matches!(round.outcome(), Outcome::Passed | Outcome::Unconfirmed)
    };
    let runs = Runs {
        total: count(times),
        passed: count(rounds.iter().filter(|round| passed(round)).count()),
    };
    let duration = rounds.iter().map(|round| round.duration).sum();
    let samples = rounds
        .iter()
        .flat_map(|round| round.samples.clone())
        .collect();
    let index = rounds.iter().position(|round| !passed(round));
    let index = index.unwrap_or(rounds.len().saturating_sub(1));
    let mut result = rounds
        .into_iter()
        .nth(index)
        .context("a command has no run")?;
    if times > 1 {
        result.runs = Some(runs);
        result.duration = duration;
        result.samples = samples;
    }
    Ok(result)
}

/// The values in the output that the expectations of a command limit.
fn samples(command: &ScriptCommand, output: &str) -> Vec<(String, Sample)> {
    let limits = command.limits();
    let named = limits.flat_map(|limit| {
        // A missing value is reported as an unmet expectation.
        let samples = limit.samples(output).unwrap_or_default();
        samples
            .into_iter()
            .map(|sample| (limit.name.clone(), sample))
    });
    named.collect()
}

/// The unmet expectations of a command.
fn unmet(command: &ScriptCommand, checked: &InvocationResult, output: &str) -> Vec<String> {
    let mut tests = accounts::counts(command, &checked.observed, output);
    if let Some(tests) = &mut tests
        && !checked.excused.is_empty()
    {
        tests.failed = 0;
    }
    let seen = Seen {
        exit: checked.ended.code(),
        tests,
        output,
        duration: checked.duration,
    };
    let assertions = command
        .expected
        .iter()
        .flat_map(|expected| expected.meaning.assertions());
    assertions
        .filter_map(|assertion| assertion.unmet(&seen))
        .collect()
}
