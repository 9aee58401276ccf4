//! Starts processes and accesses files, through [`cargo`], [`git`] and [`files`]. No other module does.

pub mod cache;
pub mod cargo;
pub(crate) mod cargo_alias;
pub mod cargo_log;
pub mod exec;
pub mod files;
pub mod git;
pub(crate) mod glob;
pub mod inherit;
pub mod lock;
pub mod packed;
#[cfg(feature = "interview")]
pub(crate) mod raw_mode;
pub mod stamps;
pub mod terminal;
pub mod text;
pub mod together;
pub mod watch;

use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

/// The time limit of git, cargo metadata, and rustc.
const TOOL_LIMIT: Duration = Duration::from_secs(600);
/// An environment variable with another time limit, in seconds.
const TOOL_LIMIT_VARIABLE: &str = "CARGO_POC_TOOL_TIMEOUT";

/// Runs a short-lived tool, captures its output, and gives it no standard input.
///
/// # Errors
/// When the program cannot be started, or exceeds the time limit; the message names it. The caller checks the exit status.
fn output(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = || format!("failed to read the output of `{program}`");
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("failed to run `{program}`: is it installed and in PATH?"))?;
    let (sender, receiver) = channel();
    read_to_end(child.stdout.take(), 0, sender.clone());
    read_to_end(child.stderr.take(), 1, sender);
    let limit = tool_limit();
    let begun = Instant::now();
    let mut printed = [Vec::new(), Vec::new()];
    let mut open = printed.len();
    let status = loop {
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            // It may have ended just now; either way, wait for it.
            let _ended = child.kill();
            child.wait().with_context(failed)?;
            bail!("`{program}` did not end within {} s", limit.as_secs());
        }
        if open > 0 {
            match receiver.recv_timeout(left) {
                Ok((index, bytes)) => {
                    printed[index] = bytes.with_context(failed)?;
                    open -= 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => open = 0,
            }
        } else if let Some(status) = child.try_wait().with_context(failed)? {
            break status;
        } else {
            // Its streams are closed, so it is about to end.
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    let [stdout, stderr] = printed;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

fn tool_limit() -> Duration {
    let seconds = std::env::var(TOOL_LIMIT_VARIABLE).ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    seconds.map_or(TOOL_LIMIT, Duration::from_secs)
}

/// Reads a stream on a separate thread, and sends its content at its end.
fn read_to_end(
    stream: Option<impl Read + Send + 'static>,
    index: usize,
    sender: Sender<(usize, io::Result<Vec<u8>>)>,
) {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = match stream {
            Some(mut stream) => stream.read_to_end(&mut bytes),
            None => Ok(0),
        };
        // After the time limit there is no receiver.
        let _gone = sender.send((index, read.map(|_| bytes)));
    });
}

/// Opens a file in the browser of `BROWSER`, like `cargo doc --open`, or in the default browser.
///
/// # Errors
/// When no browser can open it.
pub fn browse(file: &Utf8Path) -> Result<()> {
    let named = std::env::var_os("BROWSER").filter(|browser| !browser.is_empty());
    let mut command = match named {
        Some(browser) => Command::new(browser),
        None if cfg!(target_os = "macos") => Command::new("open"),
        // `start` treats its first quoted argument as a window title.
        None if cfg!(windows) => {
            let mut command = Command::new("cmd");
            command.args(["/c", "start", ""]);
            command
        }
        None => Command::new("xdg-open"),
    };
    command
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .with_context(|| format!("failed to open {file}; set BROWSER to a browser"))
}

/// Distinguishes builds of this program: the size and modification time of its file; `None` if the file no longer exists.
#[must_use]
pub fn own_build() -> Option<String> {
    let about = std::env::current_exe().and_then(std::fs::metadata).ok()?;
    Some(format!("{} {:?}", about.len(), about.modified().ok()?))
}

/// The program in `variable`, or `fallback` from PATH.
fn program(variable: &str, fallback: impl Into<OsString>) -> OsString {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| fallback.into())
}
