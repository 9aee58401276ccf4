//! The description of a program to run, which can be displayed and started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use process_wrap::std::CommandWrap;

use super::group::Group;
use super::interrupt::Stop;

/// A program to run.
#[derive(Debug, Clone)]
pub struct ProcessCommand {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    directory: Option<Utf8PathBuf>,
    pub(super) timeout: Option<Duration>,
    pub(super) stop: Stop,
    remedy: String,
    /// The file of this program, which supervises the program on Linux.
    supervisor: Option<PathBuf>,
}

impl ProcessCommand {
    /// A program by name (searched in `PATH`) or by path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            timeout: None,
            stop: Stop::default(),
            remedy: String::new(),
            supervisor: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_owned();
        self.environment
            .push((name.as_ref().to_owned(), Some(value)));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// Sets the folder to run in; the default is the current one.
    #[must_use]
    pub fn directory(mut self, directory: impl AsRef<Utf8Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Ends the program's group after this time; the default is never.
    #[must_use]
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Ends the program's group when `stop` requests it.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// On Linux, ends all processes that the program starts when it ends, or when this program ends or is killed; `program` is the file of this
    /// program.
    #[must_use]
    pub fn supervised(mut self, program: &Path) -> Self {
        self.supervisor = Some(program.to_owned());
        self
    }

    /// Sets the remedy in the error message if the program cannot be started: `install it with …`.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// The program with its arguments, or its supervisor with both.
    #[cfg(target_os = "linux")]
    fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        // A missing program is started directly, so that the error names it.
        if let Some(supervisor) = self.supervisor.as_ref().filter(|_| self.is_found()) {
            words.push(supervisor.clone().into_os_string());
            words.push(super::supervisor::SUPERVISE.into());
            words.push(std::process::id().to_string().into());
        }
        words.push(self.program.clone());
        words.extend(self.arguments.iter().cloned());
        words
    }

    #[cfg(not(target_os = "linux"))]
    fn words(&self) -> Vec<OsString> {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .cloned()
            .collect()
    }

    /// Whether the program exists, in its folder or in PATH.
    #[cfg(target_os = "linux")]
    fn is_found(&self) -> bool {
        if self.program.as_encoded_bytes().contains(&b'/') {
            return Path::new(&self.program).is_file();
        }
        let set = self
            .environment
            .iter()
            .rev()
            .find(|(name, _)| name == "PATH");
        let path = match set {
            Some((_, value)) => value.clone(),
            None => std::env::var_os("PATH"),
        };
        let path = path.unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(&self.program).is_file())
    }

    /// The command as one would type it, quoted for a shell.
    #[must_use]
    pub fn display(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        let words: Vec<_> = words.map(|word| quote(&word.to_string_lossy())).collect();
        words.join(" ")
    }
}

/// A word quoted for a POSIX shell; a word with a NUL character is not quoted.
fn quote(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

/// The streams of a program.
pub(super) struct Streams {
    pub(super) stdin: Stdio,
    pub(super) stdout: Stdio,
    pub(super) stderr: Stdio,
}

/// Starts `command` as the leader of a new process group.
pub(super) fn spawn(command: &ProcessCommand, streams: Streams) -> Result<Group> {
    let directory = command.directory.as_deref();
    if let Some(directory) = directory
        && !directory.is_dir()
    {
        bail!(
            "failed to run `{}`: {directory} is not a folder",
            command.display()
        );
    }
    let words = command.words();
    let mut wrapped = CommandWrap::with_new(&words[0], |inner| {
        inner.args(&words[1..]);
        inner.stdin(streams.stdin).stdout(streams.stdout);
        inner.stderr(streams.stderr);
        if let Some(directory) = directory {
            inner.current_dir(directory);
        }
        for (name, value) in &command.environment {
            match value {
                Some(value) => inner.env(name, value),
                None => inner.env_remove(name),
            };
        }
    });
    // The command contains the writing ends of the pipes and is dropped here, so that they close with the program's copies.
    Group::spawn(&mut wrapped).with_context(|| {
        let program = command.program.to_string_lossy();
        match command.remedy.as_str() {
            "" => format!("failed to start `{program}`; is it installed and in PATH?"),
            remedy => format!("failed to start `{program}`; {remedy}"),
        }
    })
}
