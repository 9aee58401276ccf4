//! The only place that touches processes and files: [`cargo`], [`git`] and [`files`].

pub mod cache;
pub mod cargo;
pub mod cargo_log;
pub mod exec;
pub mod files;
pub mod git;
pub(crate) mod glob;
pub mod inherit;
pub mod terminal;
pub mod text;
pub mod watch;

use std::ffi::OsString;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result};
use camino::Utf8Path;

/// Runs a short-lived tool to its end with its output captured and no standard input.
///
/// # Errors
/// When the program cannot be started: the message names it. Its exit status is the caller's to judge.
fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| {
        let program = command.get_program().to_string_lossy().into_owned();
        format!("failed to run `{program}`: is it installed and on PATH?")
    })
}

/// Shows a file in the browser that `BROWSER` names, as `cargo doc --open` does, or else in the system's.
///
/// # Errors
/// When nothing takes it.
pub fn browse(file: &Utf8Path) -> Result<()> {
    let named = std::env::var_os("BROWSER").filter(|browser| !browser.is_empty());
    let mut command = match named {
        Some(browser) => Command::new(browser),
        None if cfg!(target_os = "macos") => Command::new("open"),
        // `start` takes its first quoted argument as a window title.
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
        .with_context(|| format!("failed to show {file}; set BROWSER to a program that can"))
}

/// What tells this program's file from another build of it: its size and when it was written; `None` where the file is not to
/// be found any more.
#[must_use]
pub fn own_build() -> Option<String> {
    let about = std::env::current_exe().and_then(std::fs::metadata).ok()?;
    Some(format!("{} {:?}", about.len(), about.modified().ok()?))
}

/// The program that `variable` names, else `fallback` from PATH.
fn program(variable: &str, fallback: impl Into<OsString>) -> OsString {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| fallback.into())
}
