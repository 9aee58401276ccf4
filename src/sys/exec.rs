//! Runs one program. In: argv, environment, folder and timeout. Out: exit reason and output.
//!
//! Every program gets its own process group (a job object on Windows), and the whole group is
//! ended with it: on a timeout, on Ctrl-C, and when the program has gone but left members behind.
//! Standard input is empty, except for an interactive program.

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

/// How long a group is given between being asked to end and being killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long a pipe may stay open, once the program itself has ended and all it printed is read, before
/// its group is ended.
const DRAIN: Duration = Duration::from_millis(500);
/// How long, after the group has been killed, output of a process that left the group is waited for.
const ABANDON: Duration = Duration::from_secs(2);
/// How often the state of the program, the clock and Ctrl-C are looked at.
const POLL: Duration = Duration::from_millis(20);
/// A line that has not ended is handed on after this much silence: a prompt, or a row of dots.
const IDLE: Duration = Duration::from_millis(200);
/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// By itself, with this exit status.
    Exited(i32),
    /// By a signal that was not ours (Unix).
    Signalled(i32),
    /// By us: it ran longer than its timeout.
    TimedOut,
    /// By us: the user pressed Ctrl-C, we were asked to end, or its [`Stop`] was.
    Interrupted,
}

/// What [`stream`] saw.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How the program ended.
    pub ended: ExitReason,
    /// From its start to the end of its group.
    pub duration: Duration,
    /// The end of its output, at most 64 KiB, invalid UTF-8 replaced.
    pub tail: String,
}

/// What [`capture`] saw.
#[derive(Debug, Clone)]
pub struct Captured {
    /// How the program ended.
    pub ended: ExitReason,
    /// From its start to the end of its group.
    pub duration: Duration,
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: Vec<u8>,
}

/// Runs `command` with standard output and error merged, in order, into one pipe, and hands each line
/// to `on_output` while the program runs. An error from `on_output` ends the group and is returned.
pub fn stream(
    command: &ProcessCommand,
    on_output: &mut dyn FnMut(OutputChunk<'_>) -> Result<()>,
) -> Result<Outcome> {
    merged(command, Stdio::null(), on_output, |run, on_event| {
        run.finish(on_event)
    })
}

/// [`stream`] for an interactive program: `on_output` can answer on its standard input, which is closed when this
/// returns. The timeout then is that of one exchange, where [`Input::restart_clock`] begins the next.
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
    /// Sends a line. A program that has gone, or closed its input, does not hear it; how it ended tells why.
    pub fn send(&mut self, line: &str) {
        if let Some(pipe) = &mut self.pipe
            && writeln!(pipe, "{line}").is_err()
        {
            self.pipe = None;
        }
    }

    /// Nothing more will be sent.
    pub fn close(&mut self) {
        self.pipe = None;
    }

    /// The timeout counts from now.
    pub fn restart_clock(&self) {
        self.deadline.set(deadline(self.limit));
    }
}

/// When a program is to be ended; shared with who may put it off.
type Deadline = Rc<Cell<Option<Instant>>>;

fn deadline(limit: Option<Duration>) -> Option<Instant> {
    limit.and_then(|limit| Instant::now().checked_add(limit))
}

/// Runs a program with both its outputs in one pipe.
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

/// Runs `command` and keeps all of its standard output and standard error, apart.
pub fn capture(command: &ProcessCommand) -> Result<Captured> {
    capture_output(command, &mut |_| Ok(()))
}

/// [`capture`], and hands standard error on, line by line, while the program runs.
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
    /// The exit status a shell would give: 124 for a timeout, 128 + n for a signal, 130 for Ctrl-C.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signalled(signal) => 128 + signal,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
        }
    }

    /// Whether the program ended by itself with status 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }

    fn from_status(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(signal);
        }
        // Only a signal leaves no code, and that was asked first.
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
    /// No output for a while.
    Idle,
}

enum Received {
    Output(usize, Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// Every pipe has been closed and read to its end.
    End,
}

/// A started program and the pipes it writes to.
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
        // A bounded channel: a program that prints faster than we read is held up, memory is not.
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

    /// Waits for the program, its output and its group; the group is gone when this returns.
    fn finish(&mut self, on_event: &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<ExitReason> {
        let watched = self.watch(on_event);
        if watched.is_err() {
            self.group.kill();
        }
        watched
    }

    fn watch(&mut self, on_event: &mut dyn FnMut(Event<'_>) -> Result<()>) -> Result<ExitReason> {
        let mut status = None;
        // Since when, after its end, everything the program itself had printed has been read.
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
            // A daemon may hold the pipe for ever, silent or not.
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

    /// Why the program is to be ended now, if it is.
    fn forced(&self) -> Option<ExitReason> {
        if interrupted() || self.stop.is_asked() {
            return Some(ExitReason::Interrupted);
        }
        let late = |deadline| Instant::now() >= deadline;
        self.deadline
            .get()
            .is_some_and(late)
            .then_some(ExitReason::TimedOut)
    }

    /// The next output, waiting [`POLL`] for it at most; calls `on_empty` before it waits.
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
            // Asked twice because a runner with its own groups (nextest) lets its tests
            // end on the first request and kills them on the second.
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
                // Still held: by a process that has left both group and family.
                Received::Nothing => {}
                Received::End => break,
            }
        }
        Ok(())
    }
}

/// Reads a pipe to its end. Ends early only if the receiver is gone.
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
            // A pipe that cannot be read any more has nothing further to give.
            Err(_) => return,
        }
    }
}
