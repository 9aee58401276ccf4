//! Builds the copy, and lists its test binaries.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Message;
use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel, DiagnosticSpan};

use super::programs::{FOLDER, RECORD, Start, TestProgram, not_interrupted};
use crate::affected::arguments::package_arguments;
use crate::affected::coverage::run::{CAPS_LINTS, INNER_WRAPPER, WORKSPACE_WRAPPER};
use crate::affected::{TestTarget, TestTargetKind, all_targets};
use crate::exit::{self, Exit};
use crate::project::Project;
use crate::project::tree::Tree;
use crate::script::shell::Settings;
use crate::sys::cargo::Cargo;
use crate::sys::exec::{self, Captured, ExitReason, ProcessCommand};
use crate::sys::files;
use crate::workspace::PackageId;

/// Builds packages of the copy.
#[derive(Debug)]
pub(super) struct Builder<'p> {
    /// The project of the copy.
    pub(super) project: &'p Project,
    pub(super) tree: &'p Tree,
    pub(super) settings: &'p Settings,
    /// The output of `rustc -vV`.
    pub(super) toolchain: &'p str,
}

/// The result of a build.
pub(super) enum Built {
    /// The executables of tests, with their targets.
    Done(Vec<(TestTarget, Utf8PathBuf)>),
    Failed(FailedBuild),
}

/// A build that failed.
#[derive(Debug, Default)]
pub(super) struct FailedBuild {
    /// The spans of each error of the compiler.
    pub(super) errors: Vec<Vec<DiagnosticSpan>>,
    /// Whether the compiler found an error in the code. Otherwise it was killed, the linker failed, or the disk is full, for example.
    pub(super) is_compile_error: bool,
    /// The messages of the compiler and of cargo.
    pub(super) output: String,
}

impl Builder<'_> {
    /// Builds the tests of these packages.
    ///
    /// # Errors
    /// When cargo cannot be started, or it was interrupted or exceeded its time.
    pub(super) fn build(&self, packages: &BTreeSet<PackageId>) -> Result<Built> {
        self.build_all(packages, &[])
    }

    /// [`Self::build`] that goes on after an error, to find as many as possible.
    ///
    /// # Errors
    /// As for [`Self::build`].
    pub(super) fn build_despite_errors(&self, packages: &BTreeSet<PackageId>) -> Result<Built> {
        self.build_all(packages, &["--no-fail-fast"])
    }

    fn build_all(&self, packages: &BTreeSet<PackageId>, more: &[&str]) -> Result<Built> {
        let mut executables = Vec::new();
        for group in self.groups(packages) {
            let words = [&["test", "--no-run", "--message-format=json"], more].concat();
            let captured = self.cargo(&words, &group, &[])?;
            let mut failed = FailedBuild::default();
            for message in Message::parse_stream(captured.stdout.as_slice()) {
                match message.context("failed to read the output of cargo")? {
                    Message::CompilerMessage(message)
                        if message.message.level == DiagnosticLevel::Error =>
                    {
                        failed.add(message.message, &self.tree.root);
                    }
                    Message::CompilerArtifact(artifact) if artifact.profile.test => {
                        let executable = artifact.executable.clone();
                        if let (Some(target), Some(path)) = (self.target(&artifact), executable) {
                            executables.push((target, path));
                        }
                    }
                    _ => {}
                }
            }
            match captured.ended {
                ExitReason::TimedOut => bail!("the build did not end in time"),
                ended if ended.success() => {}
                _ => {
                    let said = String::from_utf8_lossy(&captured.stderr);
                    failed.output.push_str(&said);
                    return Ok(Built::Failed(failed));
                }
            }
        }
        Ok(Built::Done(executables))
    }

    /// The test binaries of these executables.
    ///
    /// # Errors
    /// When cargo does not start one of them, or it was interrupted.
    pub(super) fn programs(
        &self,
        packages: &BTreeSet<PackageId>,
        executables: Vec<(TestTarget, Utf8PathBuf)>,
    ) -> Result<Vec<TestProgram>> {
        let starts = self.starts(packages)?;
        let workspace = &self.project.workspace;
        let mut programs = Vec::new();
        for (target, executable) in executables {
            let start = starts.iter().find(|start| start.starts(&executable));
            let start = start.with_context(|| format!("cargo did not start {executable}"))?;
            let id = target.binary_id(workspace);
            programs.push(TestProgram::new(target, id, start.clone(), self.settings)?);
        }
        Ok(programs)
    }

    /// Runs the documentation tests of a package; false if one failed.
    ///
    /// # Errors
    /// When cargo cannot be started, or it was interrupted.
    pub(super) fn doctests(
        &self,
        package: PackageId,
        limit: Option<Duration>,
    ) -> Result<super::programs::Ended> {
        use super::programs::Ended;
        let settings = Settings {
            timeout: limit,
            ..self.settings.clone()
        };
        let builder = Builder {
            settings: &settings,
            ..*self
        };
        let captured = builder.cargo(&["test", "--doc"], &BTreeSet::from([package]), &[])?;
        Ok(match captured.ended {
            ExitReason::TimedOut => Ended::TimedOut,
            ended if ended.success() => Ended::Passed,
            _ => Ended::Failed(None),
        })
    }

    /// How cargo starts each test binary of these packages.
    fn starts(&self, packages: &BTreeSet<PackageId>) -> Result<Vec<Start>> {
        let folder = self.tree.folder.join("starts");
        files::remove_folder(&folder)?;
        files::create_folder(&folder)?;
        let workspace = &self.project.workspace;
        let own = self.settings.program.to_str();
        let own = own.context("the path of this program is not UTF-8")?;
        let runner = workspace.runner_setting(self.toolchain, &self.tree.root, &[own, RECORD])?;
        for group in self.groups(packages) {
            let words = [
                "test",
                "--tests",
                "--no-fail-fast",
                "--config",
                &runner.setting,
            ];
            let environment = [
                (FOLDER, Some(folder.as_str())),
                (runner.variable.as_str(), None),
            ];
            let captured = self.cargo(&words, &group, &environment)?;
            if !captured.ended.success() {
                let said = String::from_utf8_lossy(&captured.stderr);
                bail!(
                    "cargo could not start the tests ({}): {}",
                    captured.ended,
                    said.trim()
                );
            }
        }
        let names = files::list(&folder)?.into_iter();
        names.map(|name| Start::read(&folder.join(name))).collect()
    }

    /// Runs cargo in the copy.
    fn cargo(
        &self,
        words: &[&str],
        group: &BTreeSet<PackageId>,
        environment: &[(&str, Option<&str>)],
    ) -> Result<Captured> {
        let workspace = &self.project.workspace;
        let command = ProcessCommand::new(Cargo::program())
            .args(words)
            .args(["--target-dir", self.tree.target.as_str()])
            .args(&self.project.cargo.flags)
            .args(package_arguments(workspace, group));
        let mut command = self
            .settings
            .prepare(command, &self.tree.root)
            .env(CAPS_LINTS, "1")
            .env(WORKSPACE_WRAPPER, &self.settings.program);
        if let Some(user) = workspace.rustc_workspace_wrapper(&self.tree.root) {
            command = command.env(INNER_WRAPPER, user);
        }
        for (name, value) in environment {
            command = match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let captured = exec::capture(&command)?;
        not_interrupted(captured.ended)?;
        Ok(captured)
    }

    /// The packages in groups that build together.
    fn groups(&self, packages: &BTreeSet<PackageId>) -> Vec<BTreeSet<PackageId>> {
        let groups = self.project.workspace.groups().into_iter();
        let parts = groups.map(|group| group.intersection(packages).copied().collect());
        parts
            .filter(|part: &BTreeSet<PackageId>| !part.is_empty())
            .collect()
    }

    /// The test target of an executable.
    fn target(&self, artifact: &cargo_metadata::Artifact) -> Option<TestTarget> {
        let workspace = &self.project.workspace;
        all_targets(workspace).into_iter().find(|target| {
            let package = &workspace.packages[target.package];
            let described = target.described(workspace);
            target.kind != TestTargetKind::Doc
                && package.manifest_path == artifact.manifest_path
                && described.is_some_and(|described| {
                    described.name == artifact.target.name && described.kind == artifact.target.kind
                })
        })
    }
}

impl Built {
    /// The executables.
    ///
    /// # Errors
    /// The compiler's errors.
    pub(super) fn done(self) -> Result<Vec<(TestTarget, Utf8PathBuf)>> {
        match self {
            Self::Done(executables) => Ok(executables),
            Self::Failed(failed) => {
                Err(failed.error("the copy of the work tree does not build without a mutant"))
            }
        }
    }
}

impl FailedBuild {
    /// Adds an error of the compiler. An error that is not in the code has neither a code nor a span: the linker failed, for example.
    fn add(&mut self, error: Diagnostic, root: &Utf8Path) {
        let rendered = error.rendered.as_deref();
        self.output.push_str(rendered.unwrap_or_default());
        let mut files = error.spans.iter().map(|span| root.join(&span.file_name));
        self.is_compile_error |= error.code.is_some() || files.any(|file| file.starts_with(root));
        self.errors.push(error.spans);
    }

    /// Whether a build script failed.
    pub(super) fn is_of_build_script(&self) -> bool {
        self.output.contains("failed to run custom build command")
    }

    /// The messages as an error with exit code 4.
    pub(super) fn error(
        &self,
        context: impl fmt::Display + Send + Sync + 'static,
    ) -> anyhow::Error {
        let error = anyhow!("{}", self.output.trim()).context(context);
        exit::with_exit(Exit::CouldNotRun, error)
    }
}
