//! Calls of `cargo test` and `cargo nextest run`: the tests and the build that their arguments select.

use super::cargo_arguments::{Argument, Effect, cargo_arguments};
use super::simple_commands::Command;
use crate::workspace::Configuration;

/// The parsed arguments of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Call<'c> {
    /// The packages of `-p`, as written.
    pub(crate) packages: Vec<&'c str>,
    /// Options that select kinds of targets, and targets by name: `--lib`, `--test` with its value.
    pub(crate) targets: Vec<(&'c str, Option<&'c str>)>,
    /// The name filters; without filters, every test runs.
    pub(crate) filters: Vec<&'c str>,
    /// Features, target and profile.
    pub(crate) configuration: Configuration,
    /// Options that affect the build or the selection in another way.
    pub(crate) others: Vec<Argument<'c>>,
    /// Whether all options are known, and have their values.
    pub(crate) is_known: bool,
}

/// Options of the harness, after `--`, that do not affect which tests run.
const OF_HARNESS: &[&str] = &[
    "--exact",
    "--ignored",
    "--include-ignored",
    "--nocapture",
    "--no-capture",
    "--show-output",
    "-q",
    "--quiet",
    "--test-threads=1",
];

impl<'c> Call<'c> {
    /// Parses a command; `None` if it runs no tests, has an unknown option, or may belong to another workspace.
    pub(crate) fn of(command: &'c Command) -> Option<Self> {
        let (runner, _) = command.cargo()?;
        let is_nextest = runner == "nextest";
        if !is_nextest && !matches!(runner, "test" | "t") {
            return None;
        }
        let elsewhere = |word: &String| word == "--manifest-path" || word == "-C";
        if command.words.iter().any(elsewhere) {
            return None;
        }
        Some(Self::parse(command.test_arguments()?, is_nextest)).filter(|call| call.is_known)
    }

    /// Parses the arguments of a test runner.
    pub(crate) fn parse(words: &'c [String], is_nextest: bool) -> Self {
        let (before, after) = cargo_arguments(words);
        let mut call = Self {
            is_known: true,
            ..Self::default()
        };
        for argument in before {
            call.is_known &= !argument.lacks_value();
            match argument.effect {
                Effect::Package => call.packages.extend(argument.value),
                Effect::Target => call.targets.push((argument.name, argument.value)),
                Effect::Word => call.filters.push(argument.name),
                Effect::Build => call.build(argument, is_nextest),
                Effect::Other => call.others.push(argument),
                Effect::Unknown => call.is_known = false,
                Effect::Nothing => {}
            }
        }
        for word in after.iter().skip(1) {
            if !word.starts_with('-') {
                call.filters.push(word);
            } else if !OF_HARNESS.contains(&word.as_str()) {
                call.is_known = false;
            }
        }
        call
    }

    /// Whether the shell expands a word that selects the build or the tests, so that its value is unknown.
    pub(crate) fn has_expansion(&self) -> bool {
        let build = &self.configuration;
        let options = build.features.iter().chain(&build.target);
        let options = options.chain(&build.profile).map(String::as_str);
        let targets = self.targets.iter().filter_map(|(_, name)| *name);
        let mut words = options.chain(targets).chain(self.filters.iter().copied());
        words.any(|word| word.contains(['$', '`']))
    }

    fn build(&mut self, argument: Argument<'c>, is_nextest: bool) {
        let build = &mut self.configuration;
        let value = argument.value.map(str::to_owned);
        match argument.name {
            "--all-features" => build.all_features = true,
            "--no-default-features" => build.no_default_features = true,
            "--release" => build.profile = Some("release".to_owned()),
            "--features" => {
                let list = argument.value.unwrap_or_default().split([',', ' ']);
                let features = list.filter(|name| !name.is_empty());
                build.features.extend(features.map(str::to_owned));
            }
            "--target" => build.target = value,
            // This profile of nextest does not select that of the build.
            "--profile" if is_nextest => self.others.push(argument),
            _ => build.profile = value,
        }
    }
}
