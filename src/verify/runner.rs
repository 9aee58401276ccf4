//! Which program runs the tests, and the commands for a selection of them. Pure, but for looking whether
//! nextest is there.

use std::ffi::OsStr;

use anyhow::{Result, bail};
use camino::Utf8Path;

use super::{Check, Program};
use crate::affected::arguments::{self, Invocation};
use crate::affected::{Selection, TestKind, all_targets};
use crate::cli;
use crate::workspace::Workspace;

/// What runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// `cargo test`.
    Cargo,
    /// `cargo nextest run`, and `cargo test --doc`, which nextest does not do.
    Nextest,
}

/// How to install what is missing.
const INSTALL: &str =
    "install it with `cargo install cargo-nextest --locked`, or choose `--runner cargo`";

impl Runner {
    /// nextest where it is asked for, or installed and configured by the workspace; else `cargo test`.
    ///
    /// # Errors
    /// When nextest is asked for and not installed.
    pub fn choose(wanted: cli::Runner, root: &Utf8Path) -> Result<Self> {
        match wanted {
            cli::Runner::Cargo => Ok(Self::Cargo),
            cli::Runner::Nextest if is_installed() => Ok(Self::Nextest),
            cli::Runner::Nextest => bail!("cargo-nextest is not installed; {INSTALL}"),
            cli::Runner::Auto => {
                let configured = root.join(".config/nextest.toml").is_file();
                Ok(if configured && is_installed() {
                    Self::Nextest
                } else {
                    Self::Cargo
                })
            }
        }
    }

    /// The checks that run a selection. `flags` are options for cargo itself (`--locked`), `extra` those the user
    /// gave for the runner: nextest takes them among its own, `cargo test` hands them to the test binaries.
    #[must_use]
    pub fn selected(
        self,
        workspace: &Workspace,
        selection: &Selection,
        flags: &[String],
        extra: &[String],
    ) -> Vec<Check> {
        let words = Words { flags, extra };
        if self == Self::Cargo {
            let calls = arguments::cargo_test(workspace, selection);
            return calls.iter().map(|call| words.cargo_test(call)).collect();
        }
        let is_doc = |kind: &TestKind| *kind == TestKind::Doc;
        let part = |doc: bool| {
            let mut part = Selection {
                total: selection.total,
                ..Selection::default()
            };
            for (target, reasons) in &selection.targets {
                if is_doc(&target.kind) == doc {
                    part.targets.insert(target.clone(), reasons.clone());
                }
            }
            part
        };
        let (binaries, doctests) = (part(false), part(true));
        let mut checks = Vec::new();
        if !binaries.is_empty() {
            checks.push(words.nextest(&arguments::nextest(workspace, &binaries)));
        }
        let calls = arguments::cargo_test(workspace, &doctests);
        checks.extend(calls.iter().map(|call| words.cargo_test(call)));
        checks
    }

    /// The checks that run the whole suite, and what is expected of them.
    #[must_use]
    pub fn full(self, workspace: &Workspace, flags: &[String], extra: &[String]) -> Vec<Check> {
        let words = Words { flags, extra };
        let call = |arguments: &[&str]| Invocation {
            arguments: arguments.iter().map(ToString::to_string).collect(),
            targets: 0,
        };
        if self == Self::Cargo {
            return vec![words.cargo_test(&call(&["--workspace"]))];
        }
        let mut checks = vec![words.nextest(&["--workspace".to_owned()])];
        let has_doctests = all_targets(workspace)
            .iter()
            .any(|target| target.kind == TestKind::Doc);
        if has_doctests {
            checks.push(words.cargo_test(&call(&["--workspace", "--doc"])));
        }
        checks
    }
}

/// What every command of a run has in common.
struct Words<'a> {
    flags: &'a [String],
    extra: &'a [String],
}

impl Words<'_> {
    fn cargo_test(&self, call: &Invocation) -> Check {
        let mut argv = self.argv(&["test", "--no-fail-fast"], &call.arguments);
        if !self.extra.is_empty() {
            argv.push("--".to_owned());
            argv.extend_from_slice(self.extra);
        }
        Check {
            program: Program::Cargo {
                argv,
                listing: None,
            },
            whole: self.extra.is_empty(),
        }
    }

    fn nextest(&self, arguments: &[String]) -> Check {
        let mut listing = self.argv(&["nextest", "list", "--message-format", "json"], arguments);
        // Named tests are the evidence; a profile may show less.
        let shown = [
            "nextest",
            "run",
            "--no-fail-fast",
            "--status-level",
            "pass",
            "--final-status-level",
            "fail",
        ];
        let mut argv = self.argv(&shown, arguments);
        argv.extend_from_slice(self.extra);
        listing.extend(
            self.extra
                .iter()
                .filter(|word| is_for_listing(word))
                .cloned(),
        );
        Check {
            program: Program::Cargo {
                argv,
                listing: Some(listing),
            },
            whole: self.extra.is_empty(),
        }
    }

    fn argv(&self, start: &[&str], arguments: &[String]) -> Vec<String> {
        let start = start.iter().map(ToString::to_string);
        start
            .chain(self.flags.iter().cloned())
            .chain(arguments.iter().cloned())
            .collect()
    }
}

/// Options of a run that a listing knows too; any other one would make it fail.
fn is_for_listing(word: &str) -> bool {
    let known = [
        "--profile=",
        "--cargo-profile=",
        "--partition=",
        "--run-ignored=",
        "--features=",
    ];
    matches!(
        word,
        "--release" | "--all-features" | "--no-default-features"
    ) || known.iter().any(|option| word.starts_with(option))
}

/// Whether cargo finds a `nextest` command on PATH, as cargo itself looks for one.
fn is_installed() -> bool {
    let name = format!("cargo-nextest{}", std::env::consts::EXE_SUFFIX);
    let cargo_home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let own = cargo_home.or(home).map(|home| home.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: &OsStr = &path;
    own.into_iter()
        .chain(std::env::split_paths(path))
        .any(|folder| folder.join(&name).is_file())
}

/// Whether a plan's commands for this workspace are nextest's.
#[must_use]
pub fn uses_nextest(wanted: cli::Runner, root: &Utf8Path) -> bool {
    matches!(Runner::choose(wanted, root), Ok(Runner::Nextest))
}
