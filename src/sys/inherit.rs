//! Runs a program in our own place: same streams, same process group, its environment changed.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result};

/// A program with its arguments, and what to change in the environment it inherits: set, or taken away.
#[derive(Debug, Default)]
pub struct Program {
    /// The program, then its arguments.
    pub words: Vec<OsString>,
    /// Variables and their values, none where it is taken away.
    pub environment: Vec<(OsString, Option<OsString>)>,
}

/// Runs the program to its end. What ends our group (Ctrl-C, a test runner's time limit) ends it too.
///
/// # Errors
/// When there is no program, or it cannot be started: the message names it.
pub fn run(program: &Program) -> Result<ExitStatus> {
    let (name, mut command) = command(program)?;
    command.status().with_context(|| failed(name))
}

/// Like [`run`], and gives what the program prints to its standard output in place of passing it on.
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
