//! The documented exit codes, and errors that carry one.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// The exit codes of `cargo poc`. The numbers are a public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// No error and no finding.
    Success = 0,
    /// A finding, or a test failed.
    Findings = 1,
    /// A usage error, or a document or manifest that cannot be read.
    Usage = 2,
    /// Evidence is stale: an input of a passed run has changed.
    Stale = 3,
    /// Could not run: a missing cargo, git or command, a timeout, no matching test, or a file that could not be written.
    CouldNotRun = 4,
}

impl Exit {
    /// The name in machine formats.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "fine",
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

/// An error and the exit code of the program.
///
/// Errors without an exit code result in [`Exit::CouldNotRun`], so an unclassified error is never a success.
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

/// An error caused by the input: [`Exit::Usage`].
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    with_exit(Exit::Usage, anyhow::anyhow!(message.into()))
}

/// Attaches an exit code to `error`, unless its chain already contains one.
#[must_use]
pub fn with_exit(exit: Exit, error: anyhow::Error) -> anyhow::Error {
    if error.downcast_ref::<Failure>().is_some() {
        return error;
    }
    anyhow::Error::new(Failure { exit, error })
}

/// The command that fixes an error, for JSON output. The message contains it as well.
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

/// Attaches the command that fixes `error`.
#[must_use]
pub fn with_next(command: impl Into<String>, error: anyhow::Error) -> anyhow::Error {
    let exit = code_of(&error);
    let command = command.into();
    with_exit(exit, anyhow::Error::new(Next { command, error }))
}

/// The command that fixes `error`, if known.
#[must_use]
pub fn next_of(error: &anyhow::Error) -> Option<&str> {
    let failure = error.downcast_ref::<Failure>()?;
    let next = failure.error.downcast_ref::<Next>()?;
    Some(&next.command)
}

/// The exit code of the program after `error`.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> Exit {
    error
        .downcast_ref::<Failure>()
        .map_or(Exit::CouldNotRun, |failure| failure.exit)
}

/// Attaches an exit code to the error of a result.
pub trait OrExit<T> {
    /// Like [`with_exit`], for the error of this result.
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
            .expect_err("an error");
        assert_eq!(code_of(&error), Exit::Usage);
        assert_eq!(
            format!("{error:#}"),
            "failed to write the plan: no such package"
        );
    }

    #[test]
    fn next_command_keeps_exit_code_and_message() {
        let error = with_next("cargo poc status", usage("no plan `x`"));
        let error = Err::<(), _>(error)
            .context("failed to read")
            .expect_err("an error");
        assert_eq!(code_of(&error), Exit::Usage);
        assert_eq!(next_of(&error), Some("cargo poc status"));
        assert_eq!(format!("{error:#}"), "failed to read: no plan `x`");
    }

    #[test]
    fn unclassified_error_is_not_a_success() {
        assert_eq!(code_of(&anyhow::anyhow!("disk full")), Exit::CouldNotRun);
    }

    #[test]
    fn innermost_exit_code_wins() {
        let error = with_exit(Exit::CouldNotRun, usage("bad"));
        assert_eq!(code_of(&error), Exit::Usage);
    }
}
