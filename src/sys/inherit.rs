//! Runs a program with this program's streams and process group, and a changed environment.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A program with its arguments, and variables to set or remove.
#[derive(Debug, Default)]
pub struct Program {
    /// The program, then its arguments.
    pub words: Vec<OsString>,
    /// Variables with their values; `None` to remove one.
    pub environment: Vec<(OsString, Option<OsString>)>,
}

/// Runs the program. Whatever ends this process group (Ctrl-C, a test runner's time limit) ends it too.
///
/// # Errors
/// When there is no program, or it cannot be started; the message names it.
pub fn run(program: &Program) -> Result<ExitStatus> {
    let (name, mut command) = command(program)?;
    command.status().with_context(|| failed(name))
}

/// Like [`run`], but kills the program when `is_over`, which is called with its process id while it runs, returns true. Returns `None` then.
///
/// # Errors
/// As [`run`].
pub fn run_until(
    program: &Program,
    is_over: &mut dyn FnMut(u32) -> bool,
) -> Result<Option<ExitStatus>> {
    let (name, mut command) = command(program)?;
    let mut child = command.spawn().with_context(|| failed(name))?;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().with_context(|| failed(name))? {
            return Ok(Some(status));
        }
        if is_over(child.id()) {
            child.kill().with_context(|| failed(name))?;
            child.wait().with_context(|| failed(name))?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Like [`run`], but returns the program's standard output.
///
/// # Errors
/// As [`run`].
pub fn output(program: &Program) -> Result<(ExitStatus, Vec<u8>)> {
    let (name, mut command) = command(program)?;
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| failed(name))?;
    Ok((output.status, output.stdout))
}

fn failed(name: &OsStr) -> String {
    format!("failed to start `{}`", name.to_string_lossy())
}

fn command(program: &Program) -> Result<(&OsStr, Command)> {
    let (name, arguments) = program.words.split_first().context("no program is given")?;
    let mut command = Command::new(name);
    command.args(arguments);
    for (variable, value) in &program.environment {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    Ok((name, command))
}
