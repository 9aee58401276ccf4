//! Runs one program. Input: argv, environment, folder and timeout. Output: exit reason and output.
//!
//! Every program runs in its own process group (a job object on Windows). The whole group is ended on a timeout, on Ctrl-C, and when the
//! program has ended but other members have not. Standard input is empty, except for an interactive program.

use std::cell::Cell;
use std::io::{PipeReader, PipeWriter, Read, Write as _};
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

mod command;
mod group;
mod interrupt;
mod output;
#[cfg(target_os = "linux")]
mod supervisor;

pub use command::ProcessCommand;
pub use interrupt::{Running, Stop, install_interrupt_handler, interrupted};
pub use output::OutputChunk;
#[cfg(target_os = "linux")]
pub use supervisor::run_as_supervisor;

use command::{Streams, spawn};
use group::Group;
use output::{Lines, Tail};

/// The time between asking a group to end and killing it.
const GRACE: Duration = Duration::from_secs(2);
/// The time that a pipe may stay open after the program has ended and its output is read, before its group is ended.
const DRAIN: Duration = Duration::from_millis(500);
/// The time to wait for output of a process outside the group after the group has been killed.
const ABANDON: Duration = Duration::from_secs(2);
/// The interval for checking the program, the clock and Ctrl-C.
const POLL: Duration = Duration::from_millis(20);
/// The time of silence after which an incomplete line is forwarded: a prompt, or a row of dots.
const IDLE: Duration = Duration::from_millis(200);
/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// It exited with this status.
    Exited(i32),
    /// A signal that this program did not send (Unix).
    Signalled(i32),
    /// This program ended it because of its timeout.
    TimedOut,
    /// This program ended it because of Ctrl-C, a request to end, or its [`Stop`].
    Interrupted,
}

/// The result of [`stream`].
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How the program ended.
    pub ended: ExitReason,
    /// The duration from its start to the end of its group.
    pub duration: Duration,
    /// The end of its output, at most 64 KiB, with invalid UTF-8 replaced.
    pub tail: String,
}

/// The result of [`capture`].
#[derive(Debug, Clone)]
pub struct Captured {
    /// How the program ended.
    pub ended: ExitReason,
    /// The duration from its start to the end of its group.
    pub duration: Duration,
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: Vec<u8>,
}

/// Runs `command` with standard output and error merged into one pipe, in order, and passes each line to `on_output` while the program runs.
/// An error of `on_output` ends the group and is returned.
pub fn stream(
    command: &ProcessCommand,
    on_output: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
) -> Result<Outcome> {
    merged(command, Stdio::null(), on_output, |run, on_event| {
        run.finish(on_event)
    })
}

/// [`stream`] for an interactive program: `on_output` can write to its standard input, which is closed at the end. The timeout applies to one
/// exchange; [`Input::restart_clock`] starts the next.
pub fn run_interactive(
    command: &ProcessCommand,
    on_output: &mut dyn FnMut(OutputChunk<'_>, &mut Input) -> Result<()>,
) -> Result<Outcome> {
    let (reader, writer) = std::io::pipe().context("failed to open a pipe")?;
    let mut input = Input {
        pipe: Some(writer),
        limit: command.timeout,
        deadline: Rc::default(),
    };
    let deadline = Rc::clone(&input.deadline);
    let mut on_output = |part: OutputChunk<'_>| on_output(part, &mut input);
    merged(command, reader.into(), &mut on_output, |run, on_event| {
        deadline.set(run.deadline.get());
        run.deadline = deadline;
        run.finish(on_event)
    })
}

/// The standard input of an interactive program.
#[derive(Debug)]
pub struct Input {
    pipe: Option<PipeWriter>,
    limit: Option<Duration>,
    deadline: Deadline,
}

impl Input {
    /// Sends a line. Errors are ignored: if the program has ended or closed its input, its exit reason shows why.
    pub fn send(&mut self, line: &str) {
        if let Some(pipe) = &mut self.pipe
            && writeln!(pipe, "{line}").is_err()
        {
            self.pipe = None;
        }
    }

    /// Closes the input.
    pub fn close(&mut self) {
        self.pipe = None;
    }

    /// Restarts the timeout.
    pub fn restart_clock(&self) {
        self.deadline.set(deadline(self.limit));
    }
}

/// The time at which a program is ended, shared with code that may postpone it.
type Deadline = Rc<Cell<Option<Instant>>>;

fn deadline(limit: Option<Duration>) -> Option<Instant> {
    limit.and_then(|limit| Instant::now().checked_add(limit))
}

/// Runs a program with both outputs in one pipe.
fn merged(
    command: &ProcessCommand,
    stdin: Stdio,
    on_output: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
    finish: impl FnOnce(&mut Run, &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<ExitReason>,
) -> Result<Outcome> {
    let mut tail = Tail::default();
    let mut lines = Lines::default();
    let (reader, writer) = std::io::pipe().context("failed to open a pipe")?;
    let error_writer = writer.try_clone().context("failed to open a pipe")?;
    let streams = Streams {
        stdin,
        stdout: writer.into(),
        stderr: error_writer.into(),
    };
    let mut run = Run::start(command, streams, [reader])?;
    let ended = finish(&mut run, &mut |event| match event {
        Event::Output(_, bytes) => {
            tail.push(bytes);
            lines.push(bytes, on_output)
        }
        Event::Idle => lines.flush(on_output),
    })?;
    lines.flush(on_output)?;
    Ok(Outcome {
        ended,
        duration: run.started.elapsed(),
        tail: tail.into_text(),
    })
}

/// Runs `command` and captures its standard output and standard error separately.
pub fn capture(command: &ProcessCommand) -> Result<Captured> {
    capture_output(command, &mut |_| Ok(()))
}

/// [`capture`] that also forwards standard error line by line while the program runs.
pub fn capture_output(
    command: &ProcessCommand,
    on_error_output: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
) -> Result<Captured> {
    let mut lines = Lines::default();
    let (out_reader, out_writer) = std::io::pipe().context("failed to open a pipe")?;
    let (error_reader, error_writer) = std::io::pipe().context("failed to open a pipe")?;
    let streams = Streams {
        stdin: Stdio::null(),
        stdout: out_writer.into(),
        stderr: error_writer.into(),
    };
    let mut run = Run::start(command, streams, [out_reader, error_reader])?;
    let mut kept = [Vec::new(), Vec::new()];
    let ended = run.finish(&mut |event| match event {
        Event::Output(index, bytes) => {
            kept[index].extend_from_slice(bytes);
            if index == 1 {
                lines.push(bytes, on_error_output)?;
            }
            Ok(())
        }
        Event::Idle => lines.flush(on_error_output),
    })?;
    lines.flush(on_error_output)?;
    let [stdout, stderr] = kept;
    Ok(Captured {
        ended,
        duration: run.started.elapsed(),
        stdout,
        stderr,
    })
}

impl ExitReason {
    /// The exit status as in a shell: 124 for a timeout, 128 + n for signal n, 130 for Ctrl-C.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signalled(signal) => 128 + signal,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
        }
    }

    /// Whether the program exited with status 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }

    fn from_status(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(signal);
        }
        // Only a signal leaves no code, and that was checked before.
        Self::Exited(status.code().unwrap_or(-1))
    }
}

impl std::fmt::Display for ExitReason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(out, "exit {code}"),
            Self::Signalled(signal) => write!(out, "signal {signal}"),
            Self::TimedOut => write!(out, "timed out"),
            Self::Interrupted => write!(out, "interrupted"),
        }
    }
}

enum Event<'a> {
    /// Bytes from the pipe of this index.
    Output(usize, &'a [u8]),
    /// No output for [`IDLE`].
    Idle,
}

enum Received {
    Output(usize, Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// Every pipe has been closed and read to its end.
    End,
}

/// A started program and its output pipes.
struct Run {
    group: Group,
    started: Instant,
    deadline: Deadline,
    stop: Stop,
    output: Receiver<(usize, Vec<u8>)>,
    _guard: interrupt::Running,
}

impl Run {
    fn start<const N: usize>(
        command: &ProcessCommand,
        streams: Streams,
        readers: [PipeReader; N],
    ) -> Result<Self> {
        let guard = interrupt::Running::enter();
        let started = Instant::now();
        let group = spawn(command, streams)?;
        // A bounded channel: a program that prints too fast is blocked, and memory stays bounded.
        let (sender, output) = sync_channel(64);
        for (index, reader) in readers.into_iter().enumerate() {
            let sender = sender.clone();
            std::thread::spawn(move || pump(index, reader, &sender));
        }
        Ok(Self {
            group,
            started,
            deadline: Rc::new(Cell::new(deadline(command.timeout))),
            stop: command.stop.clone(),
            output,
            _guard: guard,
        })
    }

    /// Waits for the program, its output and its group; no member of the group is left when this returns.
    fn finish(&mut self, on_event: &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<ExitReason> {
        let watched = self.watch(on_event);
        if watched.is_err() {
            self.group.kill();
        }
        watched
    }

    fn watch(&mut self, on_event: &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<ExitReason> {
        let mut status = None;
        // The time since which all output of the ended program has been read.
        let mut caught_up: Option<Instant> = None;
        let mut last_output = Some(Instant::now());
        let mut pause = Duration::from_micros(200);
        loop {
            let open = match self.receive(&mut || {
                if status.is_some() {
                    caught_up.get_or_insert_with(Instant::now);
                }
            }) {
                Received::Output(index, bytes) => {
                    last_output = Some(Instant::now());
                    on_event(Event::Output(index, &bytes))?;
                    true
                }
                Received::Nothing => {
                    if last_output.is_some_and(|last| last.elapsed() >= IDLE) {
                        last_output = None;
                        on_event(Event::Idle)?;
                    }
                    true
                }
                Received::End => false,
            };
            if status.is_none() {
                status = self.group.try_wait()?.map(ExitReason::from_status);
            }
            // A daemon may keep the pipe open for ever.
            let abandoned = caught_up.is_some_and(|since| since.elapsed() >= DRAIN);
            if let Some(ended) = status
                && (!open || abandoned)
            {
                self.end_group(on_event)?;
                return Ok(ended);
            }
            if let Some(forced) = self.forced() {
                self.end_group(on_event)?;
                return Ok(forced);
            }
            if !open {
                // The pipe closes a moment before the program can be waited for.
                std::thread::sleep(pause);
                pause = (pause * 2).min(POLL);
            }
        }
    }

    /// Why the program must be ended now, if it must.
    fn forced(&self) -> Option<ExitReason> {
        if interrupted() || self.stop.is_requested() {
            return Some(ExitReason::Interrupted);
        }
        let late = |deadline| Instant::now() >= deadline;
        self.deadline
            .get()
            .is_some_and(late)
            .then_some(ExitReason::TimedOut)
    }

    /// The next output, waiting at most [`POLL`]; calls `on_empty` before it waits.
    fn receive(&self, on_empty: &mut dyn FnMut()) -> Received {
        match self.output.try_recv() {
            Ok((index, bytes)) => return Received::Output(index, bytes),
            Err(TryRecvError::Disconnected) => return Received::End,
            Err(TryRecvError::Empty) => on_empty(),
        }
        match self.output.recv_timeout(POLL) {
            Ok((index, bytes)) => Received::Output(index, bytes),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::End,
        }
    }

    /// Asks the rest of the group to end, kills it after the grace period, and reads the remaining output.
    fn end_group(&mut self, on_event: &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<()> {
        let presses = interrupt::count();
        let begun = Instant::now();
        let mut asked = 0;
        while self.group.is_alive()? {
            // Ask twice, because a runner with its own groups (nextest) lets its tests end on the first request and kills them on the second.
            if asked == 0 || (asked == 1 && begun.elapsed() >= GRACE) {
                self.group.ask_to_end();
                asked += 1;
            }
            if begun.elapsed() >= GRACE + DRAIN || interrupt::count() > presses {
                self.group.kill();
                break;
            }
            match self.receive(&mut || ()) {
                Received::Output(index, bytes) => on_event(Event::Output(index, &bytes))?,
                Received::Nothing => {}
                Received::End => std::thread::sleep(POLL),
            }
        }
        let begun = Instant::now();
        while begun.elapsed() < ABANDON {
            match self.receive(&mut || ()) {
                Received::Output(index, bytes) => on_event(Event::Output(index, &bytes))?,
                // A process outside the group still has the pipe open.
                Received::Nothing => {}
                Received::End => break,
            }
        }
        Ok(())
    }
}

/// Reads a pipe to its end, or until the receiver is gone.
fn pump(index: usize, mut reader: PipeReader, sender: &SyncSender<(usize, Vec<u8>)>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                if sender.send((index, buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // A pipe with an error has no further output.
            Err(_) => return,
        }
    }
}
