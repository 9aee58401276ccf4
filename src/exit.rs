//! How a run ends: the documented exit codes, and errors that carry one.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// What the exit status of `cargo poc` says. The numbers are a public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to object to.
    Fine = 0,
    /// A finding, or a test failed.
    Findings = 1,
    /// Bad usage, or a document or manifest that cannot be read.
    Usage = 2,
    /// Evidence is stale: an input of a passed run has changed.
    Stale = 3,
    /// Could not run: cargo, git or a command is missing, a timeout, no test matched, a file could not be written.
    CouldNotRun = 4,
}

impl Exit {
    /// Its name in machine formats.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Findings => "findings",
            Self::Usage => "usage",
            Self::Stale => "stale",
            Self::CouldNotRun => "could-not-run",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error together with the exit code it ends the program with.
///
/// Errors without one end with [`Exit::CouldNotRun`]: an unclassified error is never green.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// An error that says the input is at fault: [`Exit::Usage`].
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    with_exit(Exit::Usage, anyhow::anyhow!(message.into()))
}

/// Gives `error` an exit code, unless something inside it has chosen one already.
#[must_use]
pub fn with_exit(exit: Exit, error: anyhow::Error) -> anyhow::Error {
    if error.downcast_ref::<Failure>().is_some() {
        return error;
    }
    anyhow::Error::new(Failure { exit, error })
}

/// A command to go on with after an error, for programs; people read it in the message.
#[derive(Debug)]
struct Next {
    command: String,
    error: anyhow::Error,
}

impl fmt::Display for Next {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for Next {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Gives `error` the command to go on with.
#[must_use]
pub fn with_next(command: impl Into<String>, error: anyhow::Error) -> anyhow::Error {
    let exit = code_of(&error);
    let command = command.into();
    with_exit(exit, anyhow::Error::new(Next { command, error }))
}

/// The command to go on with after `error`, where one was given.
#[must_use]
pub fn next_of(error: &anyhow::Error) -> Option<&str> {
    let failure = error.downcast_ref::<Failure>()?;
    let next = failure.error.downcast_ref::<Next>()?;
    Some(&next.command)
}

/// The exit code that `error` ends the program with.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> Exit {
    error
        .downcast_ref::<Failure>()
        .map_or(Exit::CouldNotRun, |failure| failure.exit)
}

/// Attaches an exit code to the error of a result.
pub trait OrExit<T> {
    /// Like [`with_exit`], on the error side.
    fn or_exit(self, exit: Exit) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> anyhow::Result<T> {
        self.map_err(|error| with_exit(exit, error.into()))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn context_keeps_the_exit_code_and_the_chain() {
        let error = Err::<(), _>(usage("no such package"))
            .context("failed to write the plan")
            .expect_err("it is an error");
        assert_eq!(code_of(&error), Exit::Usage);
        assert_eq!(
            format!("{error:#}"),
            "failed to write the plan: no such package"
        );
    }

    #[test]
    fn a_next_command_is_kept_with_the_exit_code_and_said_once() {
        let error = with_next("cargo poc status", usage("no plan `x`"));
        let error = Err::<(), _>(error)
            .context("failed to read")
            .expect_err("it is an error");
        assert_eq!(code_of(&error), Exit::Usage);
        assert_eq!(next_of(&error), Some("cargo poc status"));
        assert_eq!(format!("{error:#}"), "failed to read: no plan `x`");
    }

    #[test]
    fn an_error_nobody_classified_is_never_green() {
        assert_eq!(code_of(&anyhow::anyhow!("disk full")), Exit::CouldNotRun);
    }

    #[test]
    fn the_innermost_choice_stands() {
        let error = with_exit(Exit::CouldNotRun, usage("bad"));
        assert_eq!(code_of(&error), Exit::Usage);
    }
}
