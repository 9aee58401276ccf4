//! Parses the output of `cargo test` and `cargo nextest run`, line by line.
//!
//! Input: the bytes of a run as they arrive, from one runner or from a script that starts several. Output: [`Observed`]. Counts come
//! from the runners' summary lines, names from the lines of single tests; a difference between the two is recorded for the binary.
//! Output of the tests themselves may look like a runner's (a test may run cargo): a summary counts only if its sums match the
//! announcement of its runner.

pub use crate::evidence::TestCounts;
use crate::sys::exec::OutputChunk;

mod libtest;
mod line;
mod nextest;
mod observed;

use libtest::Libtest;
use nextest::Nextest;

pub(super) use libtest::is_not_counted;
pub(super) use line::{header, is_summary};
pub use observed::{Binary, Ending, Header, Observed, Run, Verdict};

/// The maximum number of bytes of a line to parse; the rest is ignored.
const LONGEST: usize = 64 * 1024;

/// Parses a run's output as it arrives.
#[derive(Debug, Default)]
pub struct Observer {
    observed: Observed,
    line: Vec<u8>,
    reader: Reader,
}

#[derive(Debug, Default)]
enum Reader {
    /// No test binary is running.
    #[default]
    Between,
    Libtest(Box<Libtest>),
    Nextest(Nextest),
}

impl Observer {
    /// Parses a piece of output.
    pub fn push(&mut self, part: OutputChunk<'_>) {
        let room = LONGEST.saturating_sub(self.line.len());
        let bytes = &part.bytes[..part.bytes.len().min(room)];
        self.line.extend_from_slice(bytes);
        if part.ends_line {
            self.end_line();
        }
    }

    /// Parses whole lines.
    pub fn push_text(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            let ends_line = line.ends_with('\n');
            self.push(OutputChunk {
                bytes: line.as_bytes(),
                ends_line,
            });
        }
    }

    /// The numbers of passed and failed tests so far, for a progress display.
    #[must_use]
    pub fn so_far(&self) -> TestCounts {
        let mut counts = self.observed.counts();
        match &self.reader {
            Reader::Between => {}
            Reader::Libtest(libtest) => counts += libtest.so_far(),
            Reader::Nextest(nextest) => counts += nextest.so_far(),
        }
        counts
    }

    /// Whether a test runner is running.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.reader, Reader::Between)
    }

    /// Ends the output and closes open binaries.
    #[must_use]
    pub fn finish(mut self) -> Observed {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.close();
        // A build without tests is not a run of a test runner.
        self.observed
            .runs
            .retain(|run| run.summary.is_some() || !run.binaries.is_empty());
        self.observed
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let plain = anstream::adapter::strip_str(&text).to_string();
        // A progress bar overwrites its line: only the last text counts.
        let plain = plain.trim_end_matches(['\n', '\r']);
        self.take(plain.rsplit('\r').next().unwrap_or(plain));
    }

    fn take(&mut self, line: &str) {
        let consumed = match &mut self.reader {
            Reader::Between => false,
            Reader::Libtest(libtest) => libtest.take(line),
            Reader::Nextest(nextest) => nextest.take(line),
        };
        if !consumed {
            self.close();
            self.open(line);
        }
    }

    /// Parses a line outside open binaries: it may start a build, a binary or a run.
    fn open(&mut self, line: &str) {
        if line::is_finished(line) {
            self.observed.runs.push(Run::default());
        } else if let Some(error) = line::compile_error(line) {
            self.observed.compile_errors.push(error.to_owned());
        } else if let Some(command) = line::missing_command(line) {
            self.observed.missing_commands.push(command.to_owned());
        } else if let Some(nextest) = Nextest::begin(line) {
            self.reader = Reader::Nextest(nextest);
        } else if let Some(libtest) = Libtest::begin(line) {
            self.reader = Reader::Libtest(Box::new(libtest));
        }
    }

    fn close(&mut self) {
        let (binaries, summary) = match std::mem::take(&mut self.reader) {
            Reader::Between => return,
            Reader::Libtest(libtest) => (vec![libtest.close(&mut self.observed.notes)], None),
            Reader::Nextest(nextest) => nextest.close(&mut self.observed.notes),
        };
        if self
            .observed
            .runs
            .last()
            .is_none_or(|run| run.summary.is_some())
        {
            self.observed.runs.push(Run::default());
        }
        if let Some(run) = self.observed.runs.last_mut() {
            run.binaries.extend(binaries);
            run.summary = summary;
        }
    }
}

/// Whether a whole line only reports a passed test.
pub(super) fn is_pass(line: &[u8]) -> bool {
    let plain = anstream::adapter::strip_bytes(line).into_vec();
    let plain = String::from_utf8_lossy(&plain);
    let plain = plain.trim_end();
    plain.starts_with("        PASS [")
        || plain.starts_with("test ")
            && matches!(line::test(plain), Some((_, Some(Verdict::Passed))))
}
