//! Calls of `cargo test` and `cargo nextest run`, and the tests that their arguments select.

use super::simple_commands::Command;

/// The parsed arguments of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Call<'c> {
    /// The packages of `-p`, as written.
    pub(crate) packages: Vec<&'c str>,
    /// Options that select kinds of targets, and targets by name: `--lib`, `--test` with its value.
    pub(crate) targets: Vec<(&'c str, Option<&'c str>)>,
    /// The name filters; without filters, every test runs.
    pub(crate) filters: Vec<&'c str>,
    /// Options that select the build, with their values: features, a target, a profile.
    pub(crate) builds: Vec<(&'c str, Option<&'c str>)>,
}

/// Options with a value in the next word.
const VALUED: &[&str] = &[
    "-p",
    "--package",
    "--exclude",
    "--test",
    "--bin",
    "--example",
    "--bench",
    "-F",
    "--features",
    "-j",
    "--jobs",
    "--profile",
    "--target",
    "--target-dir",
    "--color",
    "--message-format",
    "--config",
    "-Z",
    "--cargo-profile",
    "-P",
    "--build-jobs",
    "--test-threads",
    "--retries",
    "--status-level",
    "--final-status-level",
    "--partition",
    "--run-ignored",
    "--no-tests",
    "-E",
    "--filterset",
    "--filter-expr",
];
/// Those that select a target.
const TARGETS: &[&str] = &["--test", "--bin", "--example", "--bench"];
/// Those that do not affect the build. A filterset only excludes tests.
const IDLE: &[&str] = &[
    "-j",
    "--jobs",
    "--color",
    "--message-format",
    "--build-jobs",
    "--test-threads",
    "--retries",
    "--status-level",
    "--final-status-level",
    "--no-tests",
    "-E",
    "--filterset",
    "--filter-expr",
];
/// Options without a value that select kinds of targets.
const KINDS: &[&str] = &[
    "--lib",
    "--bins",
    "--tests",
    "--examples",
    "--benches",
    "--all-targets",
    "--doc",
];
/// Options without a value that select the build.
const BUILDS: &[&str] = &["--all-features", "--no-default-features", "--release", "-r"];
/// Options without a value that do not affect which tests run.
const PLAIN: &[&str] = &[
    "--workspace",
    "--all",
    "--locked",
    "--offline",
    "--frozen",
    "--no-fail-fast",
    "--keep-going",
    "-v",
    "-vv",
    "--verbose",
    "-q",
    "--quiet",
    "--no-capture",
    "--fail-fast",
];
/// The same for options of the harness, after `--`.
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
    /// Parses a command; `None` if it runs no tests or has an unknown option.
    pub(crate) fn of(command: &'c Command) -> Option<Self> {
        let known = matches!(command.cargo(), Some(("nextest" | "test" | "t", _)));
        let arguments = command.test_arguments().filter(|_| known)?;
        let elsewhere = |word: &String| word == "--manifest-path" || word == "-C";
        if command.words.iter().any(elsewhere) {
            return None;
        }
        let mut call = Self::default();
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            } else if let Some((option, value)) = valued(word) {
                call.option(option, value.or_else(|| words.next())?);
            } else if KINDS.contains(&word) {
                call.targets.push((word, None));
            } else if BUILDS.contains(&word) {
                call.builds.push((word, None));
            } else if !word.starts_with('-') {
                call.filters.push(word);
            } else if !PLAIN.contains(&word) {
                return None;
            }
        }
        for word in words {
            if !word.starts_with('-') {
                call.filters.push(word);
            } else if !OF_HARNESS.contains(&word) {
                return None;
            }
        }
        Some(call)
    }

    fn option(&mut self, option: &'c str, value: &'c str) {
        match option {
            "-p" | "--package" => self.packages.push(value),
            option if TARGETS.contains(&option) => self.targets.push((option, Some(value))),
            option if !IDLE.contains(&option) => self.builds.push((option, Some(value))),
            _ => {}
        }
    }
}

/// An option that has a value, and the value if it is in the same word: `--features=x`, `-pstore`.
fn valued(word: &str) -> Option<(&str, Option<&str>)> {
    if VALUED.contains(&word) {
        return Some((word, None));
    }
    let (long, short) = (word.split_once('='), word.split_at_checked(2));
    let long = long.filter(|(option, _)| option.starts_with("--"));
    let short = short.filter(|(option, _)| !option.starts_with("--"));
    let (option, value) = long.or(short)?;
    VALUED.contains(&option).then_some((option, Some(value)))
}
