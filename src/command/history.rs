//! A copy of the repository in the target folder, in which this program runs on earlier commits.

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::config::configurations::WrittenConfiguration;
use crate::config::{Options, RunnerChoice};
use crate::exit::{Exit, OrExit as _};
use crate::project::Project;
use crate::sys::cargo::own_folder;
use crate::sys::exec::{self, ExitReason, ProcessCommand};
use crate::sys::files;
use crate::sys::git::Repository;
use crate::sys::git::copy::Copy;
use crate::sys::terminal::Terminal;
use crate::verify::Runner;

/// The copy, and a target folder for all of its commits.
pub(super) struct History<'p> {
    project: &'p Project,
    runner: Runner,
    pub(super) copy: Copy,
    folder: Utf8PathBuf,
}

/// The output of `verify --format json`, without unused fields.
#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) outcome: Option<String>,
    pub(super) selection: Option<Selection>,
    pub(super) shadow: Option<Shadow>,
    pub(super) failing: Vec<Test>,
    commands: Vec<CommandRun>,
}

#[derive(Deserialize)]
pub(super) struct Selection {
    pub(super) selected: u32,
    pub(super) total: u32,
}

#[derive(Deserialize)]
pub(super) struct Shadow {
    pub(super) escapes: Vec<Test>,
}

#[derive(Deserialize)]
struct CommandRun {
    exit: Option<i32>,
    tests: Option<serde_json::Value>,
}

/// A test by the id of its binary and its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(super) struct Test {
    pub(super) binary: String,
    pub(super) test: String,
}

impl<'p> History<'p> {
    /// Creates the copy in a folder of this name, without checked out files.
    ///
    /// # Errors
    /// When the folder cannot be replaced, git fails, or the runner is not installed.
    pub(super) fn open(
        project: &'p Project,
        repository: &Repository,
        name: &str,
        wanted: Option<RunnerChoice>,
    ) -> Result<Self> {
        exec::install_interrupt_handler()?;
        let folder = own_folder(&project.workspace.target_directory).join(name);
        files::create_folder(&folder)?;
        let wanted = wanted.unwrap_or(project.config.runner);
        Ok(Self {
            project,
            runner: Runner::choose(wanted, &project.workspace.root)?,
            copy: repository.copy(&folder.join("tree"))?,
            folder,
        })
    }

    /// The workspace root in the copy.
    pub(super) fn root(&self) -> Utf8PathBuf {
        self.copy.root.join(self.project.prefix())
    }

    /// The project of the checked out files.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub(super) fn project(&self, options: Options) -> Result<Project> {
        let manifest_path = Some(self.root().join("Cargo.toml"));
        Project::load(Options {
            manifest_path,
            configuration: Some(self.configuration()),
            ..options
        })
    }

    /// The configuration of this run, which an earlier commit may not have.
    fn configuration(&self) -> WrittenConfiguration {
        WrittenConfiguration::of(&self.project.workspace)
    }

    /// A file beside the copy.
    pub(super) fn file(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(name)
    }

    /// Checks out a commit.
    ///
    /// # Errors
    /// When git fails, the lockfile cannot be copied, or Ctrl-C was pressed.
    pub(super) fn check_out(&self, commit: &str) -> Result<()> {
        if exec::interrupted() {
            return Err(anyhow!("interrupted")).or_exit(Exit::CouldNotRun);
        }
        self.copy.check_out(commit)?;
        // A lockfile that git ignores has no earlier version.
        let lockfile = Utf8Path::new("Cargo.lock");
        let copied = self.root().join(lockfile);
        if let Some(locked) = files::read_if_exists(&self.project.workspace.root.join(lockfile))?
            && !copied.exists()
        {
            files::write_atomic(&copied, &locked)?;
        }
        Ok(())
    }

    /// Runs `verify` on the checked out files; the reason if it reports nothing.
    ///
    /// # Errors
    /// When this program cannot be started, or the run was interrupted.
    pub(super) fn verify(
        &self,
        arguments: &[&str],
        terminal: &mut Terminal,
    ) -> Result<Result<Run, String>> {
        let target = self.folder.join("target");
        // Failed tests of another state must not be selected.
        files::remove_folder(&own_folder(&target))?;
        let program = std::env::current_exe().context("failed to find the path of this program")?;
        let configuration = serde_json::to_string(&self.configuration())?;
        let command = ProcessCommand::new(program)
            .args(["verify", "--no-reuse", "--format", "json"])
            .args(["--runner", self.runner.name()])
            .args(["--configuration", &configuration])
            .args(arguments)
            .args(&self.project.cargo.flags)
            .directory(self.root())
            .env("CARGO_TARGET_DIR", &target);
        let ran = exec::capture_output(&command, &mut |part| {
            if terminal.verbose() {
                terminal.relay(part.bytes)?;
            }
            Ok(())
        })?;
        if ran.ended == ExitReason::Interrupted {
            return Err(anyhow!("interrupted")).or_exit(Exit::CouldNotRun);
        }
        Ok(serde_json::from_slice(&ran.stdout).map_err(|_| {
            let errors = String::from_utf8_lossy(&ran.stderr);
            let mut lines = errors.lines().filter(|line| !line.trim().is_empty());
            let last = lines.next_back().unwrap_or_default();
            format!("`verify` failed: {last}")
        }))
    }
}

impl Drop for History<'_> {
    fn drop(&mut self) {
        // What cannot be removed stays in the target folder, and the next run replaces it.
        let _ = files::remove_folder(&self.folder);
    }
}

impl Run {
    /// Whether every test that should run did.
    pub(super) fn is_complete(&self) -> bool {
        let is_complete = |command: &CommandRun| command.tests.is_some() || command.exit == Some(0);
        let failed = self.outcome.as_deref() == Some("failed") && !self.failing.is_empty();
        let passed = self.outcome.as_deref() == Some("passed");
        self.commands.iter().all(is_complete) && (failed || passed)
    }
}
