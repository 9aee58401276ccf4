//! Shows the output of invocations while they run, and on a terminal a progress line below it.
//!
//! On a terminal, the progress line counts passed tests, whose lines are shown only with `--verbose`. Otherwise the output is shown
//! unchanged.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::invocation::InvocationResult;
use super::test_output::{self, Observer, TestCounts};
use crate::evidence::Outcome;
use crate::sys::exec::OutputChunk;
use crate::sys::terminal::Terminal;
use crate::sys::terminal::ci_commands::{self, CiCommands};
use crate::sys::terminal::sanitize::{Sanitizer, sanitize};

/// Templates with and without a known number of tests.
const MEASURED: &str = "{spinner} {prefix} {bar:20.cyan} {wide_msg} {elapsed}{left}";
const PLAIN: &str = "{spinner} {prefix} {wide_msg} {elapsed}{left}";

/// The width for output that is not a terminal.
const LOG_COLUMNS: usize = 140;

/// Shows invocations while they run. Under `--quiet`, only the output of failed ones is shown, after they end.
pub(super) struct Progress<'t> {
    terminal: &'t mut Terminal,
    bar: Option<ProgressBar>,
    title: String,
    expected: Option<u64>,
    /// The duration of its last run.
    usual: Option<Duration>,
    /// The number of tests of earlier invocations.
    before: u64,
    shown: TestCounts,
    phase: Phase,
    /// A line that has not ended, which the progress line would overwrite.
    partial: Vec<u8>,
    sanitizer: Sanitizer,
    /// Whether a CI service reads the output.
    ci: Option<CiCommands>,
}

/// The phase of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    /// Numbers of built units and of all units; the latter only if cargo prints it.
    Building {
        done: u64,
        all: Option<u64>,
    },
    Running,
}

impl<'t> Progress<'t> {
    pub(super) fn new(
        terminal: &'t mut Terminal,
        title: &str,
        expected: Option<u64>,
        usual: Option<Duration>,
    ) -> Self {
        let bar = terminal.shows_progress().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_prefix(sanitize(title));
            bar
        });
        let mut watch = Self {
            terminal,
            bar,
            title: title.to_owned(),
            expected,
            usual,
            before: 0,
            shown: TestCounts::default(),
            phase: Phase::Starting,
            partial: Vec::new(),
            sanitizer: Sanitizer::default(),
            ci: ci_commands::is_read_by_ci().then(CiCommands::default),
        };
        watch.refresh();
        if let Some(bar) = &mut watch.bar {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        watch
    }

    /// Starts an invocation: `place` is its position, `before` the number of tests that have run.
    pub(super) fn begin(
        &mut self,
        command: &str,
        place: Option<(usize, usize)>,
        before: u64,
    ) -> Result<()> {
        let first = command
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'));
        let more = if command.trim().lines().count() > 1 {
            " …"
        } else {
            ""
        };
        let place = place.map_or_else(String::new, |(index, count)| format!(" ({index}/{count})"));
        let command = sanitize(first.unwrap_or(command));
        let columns = self.terminal.columns().unwrap_or(LOG_COLUMNS);
        let (first, cut) = if self.terminal.verbose() {
            (command.as_str(), None)
        } else {
            shortened(&command, columns)
        };
        let more = cut.unwrap_or(more);
        let message = format!("{}{place}: {first}{more}", self.title);
        self.before = before;
        self.shown = TestCounts::default();
        self.phase = Phase::Starting;
        let terminal = &mut *self.terminal;
        suspended(self.bar.as_ref(), || terminal.status("Verifying", message))?;
        self.refresh();
        Ok(())
    }

    /// Sets the number of tests to run.
    pub(super) fn expect(&mut self, count: u64) {
        self.expected = Some(self.before + count);
    }

    /// Shows a piece of output.
    pub(super) fn show(&mut self, part: OutputChunk<'_>) -> Result<()> {
        if self.terminal.quiet() {
            return Ok(());
        }
        if self.bar.is_none() {
            return self.print(part.bytes);
        }
        self.partial.extend_from_slice(part.bytes);
        self.building();
        if !part.ends_line {
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.partial);
        if let Some(start) = after_progress(&bytes) {
            bytes.drain(..start);
        }
        let passed = !self.terminal.verbose() && test_output::is_pass(&bytes);
        if passed {
            return Ok(());
        }
        self.print(&bytes)
    }

    fn print(&mut self, bytes: &[u8]) -> Result<()> {
        let mut shown = self.sanitizer.take(bytes);
        if let Some(ci) = &mut self.ci {
            shown = ci.take(&shown);
        }
        let terminal = &mut *self.terminal;
        suspended(self.bar.as_ref(), || {
            terminal.out().write_all(&shown)?;
            terminal.flush()
        })
    }

    /// Updates the phase from cargo's build progress.
    fn building(&mut self) {
        if self.phase == Phase::Running {
            return;
        }
        let done = match (progress(&self.partial), self.phase) {
            (Some((done, all)), _) => Phase::Building {
                done,
                all: Some(all),
            },
            // Without cargo's count, each unit has a line.
            (None, Phase::Building { done, all: None }) if is_compiling(&self.partial) => {
                Phase::Building {
                    done: done + 1,
                    all: None,
                }
            }
            (None, Phase::Starting) if is_compiling(&self.partial) => {
                Phase::Building { done: 1, all: None }
            }
            _ => return,
        };
        if done != self.phase {
            self.phase = done;
            self.refresh();
        }
    }

    /// Updates the counts from the observed tests.
    pub(super) fn see(&mut self, observer: &Observer) {
        let counts = observer.so_far();
        let running = observer.is_open();
        let phase = match self.phase {
            Phase::Building { .. } | Phase::Starting if running => Phase::Running,
            phase => phase,
        };
        if counts != self.shown || phase != self.phase {
            self.shown = counts;
            self.phase = phase;
            self.refresh();
        }
    }

    /// Ends an invocation.
    pub(super) fn end(&mut self, checked: &InvocationResult) -> Result<()> {
        let mut rest = std::mem::take(&mut self.partial);
        if let Some(start) = after_progress(&rest) {
            rest.drain(..start);
        }
        if !rest.is_empty() {
            rest.push(b'\n');
            self.print(&rest)?;
        }
        if self.terminal.quiet() && checked.outcome() != Outcome::Passed {
            self.print(checked.tail.as_bytes())?;
        }
        self.sanitizer = Sanitizer::default();
        Ok(())
    }

    fn refresh(&self) {
        let Some(bar) = &self.bar else { return };
        let done = self.before + self.shown.ran();
        let measured = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let (template, mut message) = match (self.phase, self.expected) {
            (
                Phase::Building {
                    done,
                    all: Some(all),
                },
                _,
            ) => {
                measured(done, all);
                (MEASURED, format!("building {done}/{all}"))
            }
            (Phase::Building { done, all: None }, _) => {
                (PLAIN, format!("building, {done} compiled"))
            }
            (Phase::Running, Some(expected)) if expected > 0 => {
                measured(done, expected.max(done));
                (MEASURED, format!("{done}/{expected} tests"))
            }
            (Phase::Running, _) => {
                let tests = if done == 1 { "test" } else { "tests" };
                (PLAIN, format!("{done} {tests}"))
            }
            (Phase::Starting, _) => (PLAIN, String::new()),
        };
        if self.shown.failed > 0 {
            let _ = write!(message, ", {} failed", self.shown.failed);
        }
        let usual = self.usual;
        // The templates are valid; otherwise use a plain bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─").with_key(
                "left",
                move |state: &ProgressState, line: &mut dyn std::fmt::Write| {
                    let left = usual.and_then(|usual| usual.checked_sub(state.elapsed()));
                    if let Some(left) = left.map(|left| left.as_secs()).filter(|left| *left > 0) {
                        let _ = write!(line, ", about {} left", spoken(left));
                    }
                },
            ));
        }
        bar.set_message(message);
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Runs `show` while the progress line is hidden.
fn suspended(bar: Option<&ProgressBar>, show: impl FnOnce() -> Result<()>) -> Result<()> {
    match bar {
        Some(bar) => bar.suspend(show),
        None => show(),
    }
}

fn spoken(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) if minutes < 10 => format!("{minutes} min {seconds} s"),
        (minutes, _) => format!("{minutes} min"),
    }
}

/// The start of cargo's progress line, without colours. It is requested if this program shows a progress line.
const PROGRESS: &str = "    Building [";

fn plain(line: &[u8]) -> String {
    let plain = anstream::adapter::strip_bytes(line).into_vec();
    String::from_utf8_lossy(&plain).into_owned()
}

/// The start of the actual line, after progress that cargo has overwritten.
fn after_progress(line: &[u8]) -> Option<usize> {
    if !plain(line).contains(PROGRESS) {
        return None;
    }
    let end = line.len() - if line.ends_with(b"\r\n") { 2 } else { 0 };
    let start = memchr::memrchr(b'\r', &line[..end]).map_or(0, |drawn| drawn + 1);
    let is_drawn = plain(&line[start..]).starts_with(PROGRESS);
    Some(if is_drawn { line.len() } else { start })
}

/// `    Building [=====>      ] 12/40: serde, syn` → 12 of 40.
fn progress(line: &[u8]) -> Option<(u64, u64)> {
    let text = plain(line);
    let (_, drawn) = text.rsplit_once(PROGRESS)?;
    let (_, rest) = drawn.split_once("] ")?;
    let (done, rest) = rest.split_once('/')?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit());
    let all = &rest[..digits.unwrap_or(rest.len())];
    Some((done.parse().ok()?, all.parse().ok()?))
}

fn is_compiling(line: &[u8]) -> bool {
    line.ends_with(b"\n") && plain(line).starts_with("   Compiling ")
}

/// A command in at most two lines, because the names of many tests hide the results; `--list` prints all.
fn shortened(command: &str, columns: usize) -> (&str, Option<&'static str>) {
    let Some((end, _)) = command.char_indices().nth((columns * 2).saturating_sub(40)) else {
        return (command, None);
    };
    let end = command[..end].rfind(' ').unwrap_or(end);
    (&command[..end], Some(" … (`--list` prints all)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_are_cut() {
        let long = "cargo test --exact ".to_owned() + &"name ".repeat(40);
        assert_eq!(shortened(&long, LOG_COLUMNS), (long.as_str(), None));
        assert_eq!(shortened("cargo test", 40), ("cargo test", None));
        let (cut, hint) = shortened(&long, 40);
        assert_eq!(cut, "cargo test --exact name name name name");
        assert!(hint.is_some());
    }

    #[test]
    fn progress_of_cargo_is_parsed_and_removed() {
        let line = b"\x1b[1m    Building\x1b[0m [====>    ] 0/3: a(test)\r    Building [======>  ] 2/3: b \r\x1b[1m    Finished\x1b[0m\n";
        assert_eq!(progress(line), Some((2, 3)));
        let start = after_progress(line).unwrap();
        assert_eq!(&line[start..], b"\x1b[1m    Finished\x1b[0m\n");
        let drawing = b"    Building [======>  ] 2/3: b";
        assert_eq!(after_progress(drawing), Some(drawing.len()));
        assert_eq!(after_progress(b"    Finished\n"), None);
    }
}
