//! Prepares commands and shell blocks of a plan to run.
//!
//! Programs that run as evidence must neither change the sources nor accept any result, so variables that put snapshot tools into an
//! accepting mode are removed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Result, bail};
use camino::Utf8Path;

use crate::sys::exec::{ProcessCommand, Stop};

/// Tells a nested `verify` which runs it is part of, one per line.
const INSIDE: &str = "CARGO_POC_INSIDE";

/// The maximum length of a block: Linux limits an argument to 128 KiB, Windows a command line to 32 Ki characters. A longer block should
/// be a script.
const LONGEST: usize = if cfg!(windows) { 30 } else { 120 } * 1024;

/// Environment variables that make snapshot and compile-fail tests accept any output: insta, trybuild, expect-test, snapbox and trycmd,
/// goldenfile, `ui_test`.
const ACCEPTING: [&str; 9] = [
    "INSTA_UPDATE",
    "INSTA_FORCE_PASS",
    "INSTA_FORCE_UPDATE",
    "TRYBUILD",
    "UPDATE_EXPECT",
    "SNAPSHOTS",
    "TRYCMD",
    "UPDATE_GOLDENFILES",
    "BLESS",
];

/// A `verify` of one PoC, known to every program that it starts.
#[derive(Debug, Clone)]
pub struct RecursionGuard {
    value: OsString,
}

impl RecursionGuard {
    /// Records that `key` (a results document and a scope) is running.
    ///
    /// # Errors
    /// If it is already running, because a block of the plan calls `cargo poc verify` on itself.
    pub fn enter(key: &str) -> Result<Self> {
        Self::within(std::env::var(INSIDE).ok().as_deref(), key)
    }

    fn within(outer: Option<&str>, key: &str) -> Result<Self> {
        let outer = outer.unwrap_or_default();
        if outer.lines().any(|known| known == key) {
            bail!(
                "failed to verify {key}: a command of the plan runs this very verification again; take `cargo poc \
                 verify` out of its block"
            );
        }
        let value = format!("{outer}{}{key}", if outer.is_empty() { "" } else { "\n" });
        Ok(Self {
            value: value.into(),
        })
    }
}

/// Settings for the programs of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The run that they belong to.
    pub inside: RecursionGuard,
    /// The file of this program, which replaces `cargo` in shell blocks to log cargo's calls, and supervises programs.
    pub program: PathBuf,
    /// Whether their output may be colored.
    pub coloured: bool,
    /// The time limit of a program.
    pub timeout: Option<std::time::Duration>,
    /// Stops the programs early.
    pub stop: Stop,
    /// Variables of the build configuration.
    pub environment: BTreeMap<String, String>,
}

impl Settings {
    /// Adds the environment for evidence to `command`, and runs it in `root`.
    #[must_use]
    pub fn prepare(&self, command: ProcessCommand, root: &Utf8Path) -> ProcessCommand {
        let mut command = command
            .directory(root)
            .timeout(self.timeout)
            .supervised(&self.program)
            .stop(self.stop.clone());
        for (name, value) in &self.environment {
            command = command.env(name, value);
        }
        for variable in ACCEPTING {
            command = command.env_remove(variable);
        }
        command
            .env("INSTA_UPDATE", "no")
            .env("INSTA_FORCE_PASS", "0")
            // Output goes through a pipe, where a progress bar would be noise.
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            // A configuration may hide the names of binaries, which are parsed here.
            .env("CARGO_TERM_QUIET", "false")
            .env("CARGO_TERM_VERBOSE", "false")
            .env("NEXTEST_HIDE_PROGRESS_BAR", "1")
            .env(
                "CARGO_TERM_COLOR",
                if self.coloured { "always" } else { "never" },
            )
            .env(INSIDE, &self.inside.value)
            .env("PATH", search_path())
    }

    /// A shell block of a plan, run with `bash -euo pipefail`, so that the first failing command fails the block. bash gets the whole block,
    /// including here-documents and multi-line quotes.
    ///
    /// # Errors
    /// If it is too long, or contains a NUL character.
    pub fn block(&self, script: &str, root: &Utf8Path) -> Result<ProcessCommand> {
        if script.len() > LONGEST {
            bail!(
                "failed to run a block of {} KiB: put it into a script and call the script from the plan",
                script.len() / 1024
            );
        }
        if script.contains('\0') {
            bail!("failed to run a block that contains a NUL character");
        }
        // bash treats the carriage return of a CRLF document as part of the last word.
        let script = script.replace("\r\n", "\n");
        let command = bash().args(["-euo", "pipefail", "-c", &script]);
        Ok(self.prepare(command, root))
    }
}

/// bash in PATH, or on Windows the one that is installed with git. Windows searches its system folder first, where `bash` is the one of
/// its Linux subsystem, which has other paths and another cargo.
pub(super) fn bash() -> ProcessCommand {
    let path = std::env::var_os("PATH").filter(|_| cfg!(windows));
    let found = path.and_then(|path| beside_git(&path));
    ProcessCommand::new(found.as_deref().unwrap_or("bash".as_ref()))
        .remedy("the blocks of a plan need bash; install it (on Windows it comes with git)")
}

/// `bin/bash.exe` of the git installation whose `cmd`, `bin` or `mingw64/bin` is in `path`.
fn beside_git(path: &OsStr) -> Option<PathBuf> {
    let gits = std::env::split_paths(path).map(|folder| folder.join("git.exe"));
    gits.filter(|git| git.is_file()).find_map(|git| {
        let installations = git.ancestors().skip(2).take(2);
        let mut shells = installations.map(|folder| folder.join("bin").join("bash.exe"));
        shells.find(|shell| shell.is_file())
    })
}

/// PATH with this program's folder at the end, so that a plan can call `cargo poc`.
#[must_use]
pub fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe()
        .ok()
        .and_then(|program| program.parent().map(PathBuf::from));
    let folders = std::env::split_paths(&path).chain(own);
    // A folder whose name contains the separator cannot be in PATH.
    std::env::join_paths(folders).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_is_found_in_the_installation_of_git() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let file = |path: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::File::create(path).unwrap();
        };
        let found = |folders: &[&str]| {
            let folders = folders.iter().map(|folder| root.join(folder));
            beside_git(&std::env::join_paths(folders).unwrap())
        };
        for path in ["system32/bash.exe", "shims/git.exe", "Git/bin/bash.exe"] {
            file(path);
        }
        for path in ["Git/cmd", "Git/bin", "Git/mingw64/bin"] {
            assert_eq!(found(&["system32", "shims", path]), None, "{path}");
            file(&format!("{path}/git.exe"));
            let bash = root.join("Git/bin/bash.exe");
            assert_eq!(found(&["system32", "shims", path]), Some(bash), "{path}");
        }
    }

    #[test]
    fn recursive_verification_is_rejected() {
        let first = RecursionGuard::within(None, "docs/a-results.md step 1").unwrap();
        let value = first.value.to_str();
        let second = RecursionGuard::within(value, "docs/a-results.md step 2").unwrap();
        let error = RecursionGuard::within(second.value.to_str(), "docs/a-results.md step 1");
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("runs this very verification again")
        );
    }
}
