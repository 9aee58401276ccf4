//! What a person sees while checks run: their output, and on a terminal a line below it that tells how far they are.

use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Checked;
use super::observe::Counts;
use crate::evidence::Outcome;
use crate::sys::exec::Part;
use crate::terminal::Terminal;

/// Shows checks as they run. Under `--quiet` only the output of those that did not pass is shown, and after it.
pub(super) struct Watch<'t> {
    terminal: &'t mut Terminal,
    bar: Option<ProgressBar>,
    title: String,
    expected: Option<u64>,
    /// Tests of the checks before this one.
    before: u64,
    shown: Counts,
    /// A line that has not ended: the progress line would overwrite it.
    partial: Vec<u8>,
}

impl<'t> Watch<'t> {
    pub(super) fn new(terminal: &'t mut Terminal, title: &str, expected: Option<u64>) -> Self {
        let bar = terminal.shows_progress().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is ours and a test of it runs with every verification; a plain bar is no loss.
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {prefix} {wide_msg} {elapsed}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            terminal,
            bar,
            title: title.to_owned(),
            expected,
            before: 0,
            shown: Counts::default(),
            partial: Vec::new(),
        }
    }

    /// A check begins: `place` tells which of how many, `before` how many tests have run already.
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
        let message = format!("{}{place}: {}{more}", self.title, first.unwrap_or(command));
        self.before = before;
        self.shown = Counts::default();
        let terminal = &mut *self.terminal;
        suspended(self.bar.as_ref(), || terminal.status("Verifying", message))?;
        self.refresh();
        Ok(())
    }

    /// This many tests will run in all.
    pub(super) fn expect(&mut self, count: u64) {
        self.expected = Some(self.before + count);
    }

    /// Shows a piece of output.
    pub(super) fn show(&mut self, part: Part<'_>) -> Result<()> {
        if self.terminal.quiet() {
            return Ok(());
        }
        if self.bar.is_none() {
            return self.print(part.bytes);
        }
        self.partial.extend_from_slice(part.bytes);
        if !part.ends_line {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.partial);
        self.print(&bytes)
    }

    fn print(&mut self, bytes: &[u8]) -> Result<()> {
        let terminal = &mut *self.terminal;
        suspended(self.bar.as_ref(), || {
            terminal.out().write_all(bytes)?;
            terminal.flush()
        })
    }

    /// This many tests of the check have ended.
    pub(super) fn count(&mut self, counts: Counts) {
        if counts != self.shown {
            self.shown = counts;
            self.refresh();
        }
    }

    /// A check has ended.
    pub(super) fn end(&mut self, checked: &Checked) -> Result<()> {
        let mut rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() {
            rest.push(b'\n');
            self.print(&rest)?;
        }
        if self.terminal.quiet() && checked.outcome() != Outcome::Passed {
            self.print(checked.tail.as_bytes())?;
        }
        Ok(())
    }

    fn refresh(&self) {
        let Some(bar) = &self.bar else { return };
        let done = self.before + self.shown.ran();
        let mut message = match self.expected {
            Some(expected) => format!("{done}/{expected} tests"),
            None => format!("{done} tests"),
        };
        if self.shown.failed > 0 {
            message = format!("{message}, {} failed", self.shown.failed);
        }
        bar.set_message(message);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Runs `show` with the progress line taken away.
fn suspended(bar: Option<&ProgressBar>, show: impl FnOnce() -> Result<()>) -> Result<()> {
    match bar {
        Some(bar) => bar.suspend(show),
        None => show(),
    }
}
