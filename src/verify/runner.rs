//! Test runners, and the commands for a selection of tests.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use camino::Utf8Path;

use super::invocation::{Invocation, Program};
use super::nextest_arguments::{filters_apart, for_listing, not_only_nextest, words_of};
use super::partition::Partition;
use super::test_filter::TestFilters;
use crate::affected::arguments;
use crate::affected::{Selection, TargetSelection, TestTargetKind, all_targets, nextest_filters};
use crate::config::RunnerChoice;
use crate::exit;
use crate::script::cargo_arguments::{Effect, cargo_arguments};
use crate::sys::cargo::is_nextest_installed;
use crate::workspace::{PackageId, Workspace};

/// The test runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// `cargo test`.
    Cargo,
    /// `cargo nextest run`, and `cargo test --doc`, which nextest does not support.
    Nextest,
}

/// How to install nextest.
const INSTALL: &str =
    "install it with `cargo install cargo-nextest --locked`, or choose `--runner cargo`";

impl Runner {
    /// nextest if it is requested, or installed and configured by the workspace; otherwise `cargo test`.
    ///
    /// # Errors
    /// When nextest is requested but not installed.
    pub fn choose(wanted: RunnerChoice, root: &Utf8Path) -> Result<Self> {
        match wanted {
            RunnerChoice::Cargo => Ok(Self::Cargo),
            RunnerChoice::Nextest if is_nextest_installed() => Ok(Self::Nextest),
            RunnerChoice::Nextest => bail!("cargo-nextest is not installed; {INSTALL}"),
            RunnerChoice::Auto => {
                let configured = root.join(".config/nextest.toml").is_file();
                Ok(if configured && is_nextest_installed() {
                    Self::Nextest
                } else {
                    Self::Cargo
                })
            }
        }
    }

    /// Its name in options and stored results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Nextest => "nextest",
        }
    }

    /// The invocations that run a selection. With `together`, as few as possible; otherwise whole targets run without names of tests, so
    /// that evidence can compare them.
    #[must_use]
    pub fn selected(
        self,
        workspace: &Workspace,
        selection: &Selection,
        words: Words<'_>,
        together: bool,
    ) -> Vec<Invocation> {
        let is_doc = |kind: &TestTargetKind| *kind == TestTargetKind::Doc;
        let part = |doc: bool| selection.only(|target| is_doc(&target.kind) == doc);
        let (binaries, doctests) = (part(false), part(true));
        if self == Self::Cargo {
            let mut calls = arguments::cargo_test(workspace, selection);
            if calls.len() > 1 {
                // Documentation tests are compiled one by one, so the faster tests come first.
                calls = if together {
                    arguments::cargo_test_together(workspace, &binaries)
                } else {
                    arguments::cargo_test(workspace, &binaries)
                };
                calls.extend(arguments::cargo_test(workspace, &doctests));
            }
            return calls.iter().map(|call| words.cargo_test(call)).collect();
        }
        let mut checks = Vec::new();
        if !binaries.is_empty() {
            if archive(words.extra).is_some() {
                // An archive is already built, and nextest rejects `-p` with it.
                let filtersets = nextest_filters::filtersets(workspace, &binaries).into_iter();
                let filters = filtersets.flat_map(|filterset| ["-E".to_owned(), filterset]);
                let filters: Vec<String> = filters.collect();
                checks.push(words.nextest(&filters, picks_of(workspace, &binaries)));
            } else {
                for group in workspace.groups() {
                    let part = binaries.only(|target| group.contains(&target.package));
                    if !part.is_empty() {
                        let arguments = nextest_filters::nextest(workspace, &part);
                        checks.push(words.nextest(&arguments, picks_of(workspace, &part)));
                    }
                }
            }
        }
        let calls = arguments::cargo_test(workspace, &doctests);
        checks.extend(calls.iter().map(|call| words.doctests(call)));
        checks
    }

    /// The invocations that run the whole suite.
    #[must_use]
    pub fn full(self, workspace: &Workspace, words: Words<'_>) -> Vec<Invocation> {
        if self == Self::Nextest && archive(words.extra).is_some() {
            // An archive may lack targets, which is an error only where they are selected.
            return self.selected(workspace, &Selection::everything(workspace), words, false);
        }
        let groups = workspace.groups().into_iter();
        groups
            .flat_map(|group| self.full_group(workspace, &group, words))
            .collect()
    }

    /// The invocations that run all tests of packages that build together.
    fn full_group(
        self,
        workspace: &Workspace,
        group: &BTreeSet<PackageId>,
        words: Words<'_>,
    ) -> Vec<Invocation> {
        let packages = arguments::package_arguments(workspace, group);
        let call = |more: &[&str]| arguments::Invocation {
            arguments: packages
                .iter()
                .cloned()
                .chain(more.iter().map(ToString::to_string))
                .collect(),
            ..arguments::Invocation::default()
        };
        if self == Self::Cargo {
            return vec![words.cargo_test(&call(&[]))];
        }
        let arguments = arguments::nextest_packages(workspace, group);
        let mut checks = vec![words.nextest(&arguments, TestFilters::new())];
        let has_doctests = all_targets(workspace)
            .iter()
            .any(|target| target.kind == TestTargetKind::Doc && group.contains(&target.package));
        if has_doctests {
            checks.push(words.doctests(&call(&["--doc"])));
        }
        checks
    }
}

fn picks_of(workspace: &Workspace, selection: &Selection) -> TestFilters {
    let targets = selection.targets.iter();
    targets
        .map(|(target, part)| (target.binary_id(workspace), part.clone()))
        .collect()
}

/// Makes cargo print its build progress into a pipe as well. The setting is on the command line, so that programs started by tests do not
/// inherit it.
#[must_use]
pub fn telling(argv: &[String]) -> Vec<String> {
    let telling = [
        "--config",
        "term.progress.when='always'",
        "--config",
        "term.progress.width=80",
    ]
    .map(str::to_owned);
    let at = match argv.first().map(String::as_str) {
        _ if archive(argv).is_some() => return argv.to_vec(),
        Some("nextest") => 2,
        _ => 0,
    };
    let (start, rest) = argv.split_at(at.min(argv.len()));
    [start, &telling, rest].concat()
}

/// The invocations that check that these members compile, with their tests, and with their examples if the change can break one.
#[must_use]
pub fn compiles(
    workspace: &Workspace,
    selection: &Selection,
    packages: &BTreeSet<PackageId>,
    flags: &[String],
) -> Vec<Invocation> {
    let groups = workspace.groups().into_iter();
    let parts = groups.map(|group| group.intersection(packages).copied().collect());
    let parts = parts.filter(|part: &BTreeSet<PackageId>| !part.is_empty());
    parts
        .map(|part| {
            let examples = selection.has_example_of(&part).then_some("--examples");
            let start = ["check", "--tests"].into_iter().chain(examples);
            let start = start.map(str::to_owned);
            let packages = arguments::package_arguments(workspace, &part);
            Invocation {
                program: Program::Cargo {
                    argv: start.chain(flags.iter().cloned()).chain(packages).collect(),
                    listing: None,
                    picks: TestFilters::new(),
                    flags: Vec::new(),
                },
                whole: true,
            }
        })
        .collect()
}

/// The invocations that check the packages that the change can stop from compiling and that no selected test builds.
#[must_use]
pub fn compiles_besides(
    workspace: &Workspace,
    selection: &Selection,
    flags: &[String],
) -> Vec<Invocation> {
    compiles(workspace, selection, &selection.not_built(workspace), flags)
}

/// The common arguments of all commands of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'a> {
    /// Options for cargo itself: `--locked`.
    pub flags: &'a [String],
    /// The user's arguments for the runner: nextest accepts them among its options, `cargo test` passes them to the test binaries.
    pub extra: &'a [String],
    /// The partition of tests that nextest runs.
    pub slice: Option<Partition>,
}

impl Words<'_> {
    fn cargo_test(&self, call: &arguments::Invocation) -> Invocation {
        let mut argv = self.argv(&["test", "--no-fail-fast"], &call.arguments);
        let (flags, filters) = apart(self.extra);
        let listing = (!call.picks.is_empty()).then(|| {
            let list = ["--", "--list"].map(str::to_owned);
            argv.iter().chain(&list).chain(&filters).cloned().collect()
        });
        let names = if listing.is_some() && filters.is_empty() {
            call.name_arguments()
        } else {
            Vec::new()
        };
        if names.is_empty() && !self.extra.is_empty() {
            argv.push("--".to_owned());
            argv.extend(filters);
        }
        argv.extend(names);
        argv.extend_from_slice(&flags);
        Invocation {
            program: Program::Cargo {
                argv,
                listing,
                picks: call.picks.clone(),
                flags,
            },
            whole: self.extra.is_empty() && call.picks.is_empty(),
        }
    }

    /// Documentation tests in addition to nextest, whose options rustdoc does not have.
    fn doctests(&self, call: &arguments::Invocation) -> Invocation {
        let (build, extra) = not_only_nextest(self.extra);
        let mut call = call.clone();
        call.arguments.extend(build);
        let words = Words {
            flags: self.flags,
            extra: &extra,
            slice: None,
        };
        words.cargo_test(&call)
    }

    fn nextest(&self, arguments: &[String], picks: TestFilters) -> Invocation {
        let mut listing = self.argv(&["nextest", "list", "--message-format", "json"], arguments);
        // The evidence needs the names of all tests, which a profile may hide.
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
        let (options, filters) = filters_apart(self.extra);
        argv.extend_from_slice(&options);
        let whole = self.extra.is_empty() && picks.values().all(TargetSelection::is_whole);
        listing.extend(for_listing(self.extra));
        listing.extend(words_of(&options));
        if let Some(slice) = self.slice {
            // A slice distributes tests one by one, because slow tests are often adjacent.
            let partition = ["--partition".to_owned(), format!("slice:{slice}")];
            listing.extend(partition.clone());
            argv.extend(partition);
        }
        if !filters.is_empty() {
            for command in [&mut argv, &mut listing] {
                command.push("--".to_owned());
                command.extend_from_slice(&filters);
            }
        }
        Invocation {
            program: Program::Cargo {
                argv,
                listing: Some(listing),
                picks,
                flags: Vec::new(),
            },
            whole,
        }
    }

    fn argv(&self, start: &[&str], arguments: &[String]) -> Vec<String> {
        let start = start.iter().map(ToString::to_string);
        // An archive is already built, and nextest rejects cargo options with it.
        let built =
            archive(self.extra).is_some() && start.clone().next().as_deref() == Some("nextest");
        let flags = if built { &[] } else { self.flags };
        start
            .chain(flags.iter().cloned())
            .chain(arguments.iter().cloned())
            .collect()
    }
}

/// Splits arguments for test binaries into options and test filters, according to libtest's `--help`.
fn apart(extra: &[String]) -> (Vec<String>, Vec<String>) {
    const TAKE_A_VALUE: [&str; 6] = [
        "--test-threads",
        "--logfile",
        "--format",
        "--color",
        "--shuffle-seed",
        "-Z",
    ];
    let (mut flags, mut filters) = (Vec::new(), Vec::new());
    let mut words = extra.iter();
    while let Some(word) = words.next() {
        let is_filter = !word.starts_with('-')
            || word == "--exact"
            || word == "--skip"
            || word.starts_with("--skip=");
        let into = if is_filter { &mut filters } else { &mut flags };
        into.push(word.clone());
        if word == "--skip" || TAKE_A_VALUE.contains(&word.as_str()) {
            into.extend(words.next().cloned());
        }
    }
    (flags, filters)
}

/// Rejects build options among the arguments for the test runner: `cargo test` would pass them to the tests, and the selected tests would
/// not be those of that build.
///
/// # Errors
/// A usage error with the correct position of the option.
pub fn refuse_build_options(extra: &[String], runner: Runner) -> Result<()> {
    let (arguments, _) = cargo_arguments(extra);
    for argument in arguments {
        let selects_build = match (runner, argument.name) {
            // The profile of the run.
            (Runner::Nextest, "--profile") => false,
            (Runner::Cargo, "--cargo-profile") => false,
            (Runner::Cargo, "--workspace" | "--all-targets") => true,
            _ => argument.effect == Effect::Build,
        };
        if !selects_build {
            continue;
        }
        let instead = match argument.name {
            "--workspace" | "--all-targets" => "omit it",
            _ => "write it before the `--`",
        };
        let word = argument
            .words
            .first()
            .map_or(argument.name, |word| word.split('=').next().unwrap_or(word));
        return Err(exit::usage(format!(
            "`{word}` is a build option, but arguments after `--` are passed to the test runner; {instead}"
        )));
    }
    Ok(())
}

/// The archive of built tests in the user's arguments for nextest, if any.
#[must_use]
pub fn archive(extra: &[String]) -> Option<&str> {
    let (arguments, _) = cargo_arguments(extra);
    let mut arguments = arguments.iter();
    arguments
        .find(|argument| argument.name == "--archive-file")?
        .value
}

/// Whether a plan's commands for this workspace use nextest.
#[must_use]
pub fn uses_nextest(wanted: RunnerChoice, root: &Utf8Path) -> bool {
    matches!(Runner::choose(wanted, root), Ok(Runner::Nextest))
}
