//! Parses and checks `# Expected:`.
//!
//! Input: the text after `# Expected:`. Output: an [`Expectation`]: assertions that [`Assertion::unmet`] checks, or a request for a
//! person. A text is understood completely or not at all: `all pass, and it feels quick` needs a person.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use globset::GlobMatcher;
use regex::Regex;

use super::measure::Limit;
use super::relative::RelativeLimit;
use crate::evidence::TestCounts;

mod words;

/// An expectation with its text and meaning.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The text after `# Expected:`, with lines joined by `\n`.
    pub text: String,
    /// Its lines in the block, from 0.
    pub lines: std::ops::Range<usize>,
    /// Its meaning.
    pub meaning: Expectation,
}

/// The meaning of an expectation.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// All of these assertions must hold.
    Understood(Vec<Assertion>),
    /// A person has to judge the result.
    Manual,
    /// An invalid pattern, with the error.
    Unreadable(String),
}

/// An assertion that the program can check.
#[derive(Debug, Clone)]
pub enum Assertion {
    /// Every test passed; a command without tests succeeded.
    AllPass,
    /// This many tests passed.
    Passed(Number),
    /// This many of this many tests passed, and no other ran.
    PassedOf(u64, u64),
    /// This many tests failed.
    Failed(u64),
    /// This many tests are marked `#[ignore]`, or were excluded.
    Ignored(u64),
    /// The output contains this text.
    Contains(String),
    /// The output is empty, except for cargo's progress.
    NoOutput,
    /// The exit status.
    Exit(i32),
    /// Any exit status except zero.
    NonZero,
    /// The command runs this many times, and the other assertions hold for each run.
    Times(u32),
    /// It took less than this time.
    Under(Duration),
    /// At least this percentage of the mutants of the change is killed.
    Killed(u64),
    /// A value in the output is below or above a limit.
    Measured(Box<Limit>),
    /// A value in the output, or the duration, does not differ more from that of the base commit.
    Relative(Box<RelativeLimit>),
    /// A whole line of the output matches this pattern.
    Glob(Box<GlobMatcher>),
    /// The output matches this pattern; `^` and `$` match at line ends.
    Regex(Regex),
}

/// A number of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// `12`
    Exactly(u64),
    /// `~12`: within 5 %, and at least one more or less
    About(u64),
    /// `12+`
    AtLeast(u64),
}

/// The result of a command, to check an expectation.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its exit status, as in a shell.
    pub exit: i32,
    /// The tests that it ran; `None` if its output contains none.
    pub tests: Option<TestCounts>,
    /// Its output without colours.
    pub output: &'a str,
    /// The duration.
    pub duration: Duration,
}

impl Expectation {
    /// The assertions; empty if a person must judge.
    #[must_use]
    pub fn assertions(&self) -> &[Assertion] {
        match self {
            Self::Understood(assertions) => assertions,
            Self::Manual | Self::Unreadable(_) => &[],
        }
    }
}

impl Number {
    /// Whether `count` meets the expectation.
    #[must_use]
    pub fn holds(self, count: u64) -> bool {
        match self {
            Self::Exactly(number) => count == number,
            Self::About(number) => count.abs_diff(number) <= (number / 20).max(1),
            Self::AtLeast(number) => count >= number,
        }
    }

    /// The written number.
    #[must_use]
    pub fn value(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::About(number) | Self::AtLeast(number) => number,
        }
    }
}

impl Assertion {
    /// Why it is not met; `None` if it is.
    #[must_use]
    pub fn unmet(&self, seen: &Seen<'_>) -> Option<String> {
        let tests = || seen.tests.ok_or("no test program reported its tests");
        let unless = |holds: bool, otherwise: String| (!holds).then_some(otherwise);
        let counted = |what: &str, wanted: String, of: &dyn Fn(TestCounts) -> Result<(), u64>| {
            let tests = match tests() {
                Ok(tests) => tests,
                Err(why) => return Some(format!("{wanted} {what} expected, but {why}")),
            };
            let count = of(tests).err()?;
            Some(format!("{wanted} {what} expected, but {count} {what}"))
        };
        match self {
            Self::AllPass => {
                let failed = seen.tests.map_or(0, |tests| tests.failed);
                unless(
                    failed == 0,
                    format!("all pass expected, but {failed} failed"),
                )
            }
            Self::Passed(number) => counted("passed", number.to_string(), &|tests| {
                or(number.holds(tests.passed), tests.passed)
            }),
            Self::PassedOf(passed, total) => {
                counted("passed", format!("{passed} of {total}"), &|tests| {
                    let ran = tests.passed + tests.failed;
                    or((tests.passed, ran) == (*passed, *total), tests.passed)
                })
            }
            Self::Failed(number) => counted("failed", number.to_string(), &|tests| {
                or(tests.failed == *number, tests.failed)
            }),
            Self::Ignored(number) => counted("ignored", number.to_string(), &|tests| {
                // nextest's summary calls both skipped.
                let either = [tests.ignored, tests.ignored + tests.filtered].contains(number);
                or(either, tests.ignored)
            }),
            Self::Contains(text) => unless(
                seen.output.contains(text.as_str()),
                format!("the output does not contain `{text}`"),
            ),
            Self::NoOutput => {
                let line = seen.output.lines().find(|line| is_output(line))?;
                Some(format!(
                    "no output expected, but it printed `{}`",
                    shortened(line.trim())
                ))
            }
            Self::Exit(code) => unless(
                seen.exit == *code,
                format!("exit code {code} expected, but it was {}", seen.exit),
            ),
            Self::NonZero => unless(
                seen.exit != 0,
                "an exit code other than 0 expected, but it was 0".to_owned(),
            ),
            // The number of runs is not checked here; the other assertions are checked for each run. Mutants run after the commands.
            Self::Times(_) | Self::Killed(_) => None,
            Self::Under(limit) => unless(
                seen.duration < *limit,
                format!(
                    "under {limit:?} expected, but it took {:.3?}",
                    seen.duration
                ),
            ),
            Self::Measured(limit) => limit.unmet(seen.output),
            // The comparison follows the commands.
            Self::Relative(limit) => {
                let why = limit.samples(seen.output).err()?;
                Some(format!("{limit} expected, but {why}"))
            }
            Self::Glob(matcher) => unless(
                seen.output
                    .lines()
                    .any(|line| matcher.is_match(line.trim())),
                format!(
                    "no line of the output matches the glob `{}`",
                    matcher.glob()
                ),
            ),
            Self::Regex(regex) => unless(
                regex.is_match(seen.output),
                format!("the output does not match the {self}"),
            ),
        }
    }

    /// Whether it can only be met by tests.
    #[must_use]
    pub(crate) fn is_about_tests(&self) -> bool {
        matches!(
            self,
            Self::AllPass
                | Self::Passed(_)
                | Self::PassedOf(..)
                | Self::Failed(_)
                | Self::Ignored(_)
        )
    }

    /// Whether it means that everything passes.
    #[must_use]
    pub(crate) fn is_all_pass(&self) -> bool {
        matches!(self, Self::AllPass)
    }

    /// Whether it expects failed tests, which are written before the code.
    #[must_use]
    pub(crate) fn expects_failure(&self) -> bool {
        matches!(self, Self::Failed(1..))
            || matches!(self, Self::PassedOf(passed, total) if passed < total)
    }

    /// Whether this exit status is expected. A search without a match exits with 1, which meets `no output`.
    #[must_use]
    pub fn allows(&self, exit: i32, searches: bool) -> bool {
        match self {
            Self::Exit(code) => exit == *code,
            Self::NonZero => exit != 0,
            Self::NoOutput => exit == 1 && searches,
            // The exit codes of cargo and nextest for failed tests.
            _ => self.expects_failure() && matches!(exit, 100 | 101),
        }
    }
}

fn or(holds: bool, count: u64) -> Result<(), u64> {
    if holds { Ok(()) } else { Err(count) }
}

/// Whether a line counts as output: not blank, and not cargo's progress, which depends on the build.
fn is_output(line: &str) -> bool {
    const PROGRESS: [&str; 12] = [
        "Blocking",
        "Updating",
        "Locking",
        "Adding",
        "Downloading",
        "Downloaded",
        "Compiling",
        "Checking",
        "Documenting",
        "Fresh",
        "Finished",
        "Running",
    ];
    let trimmed = line.trim();
    let indented = line.len() > line.trim_start().len();
    let word = trimmed.split(' ').next().unwrap_or_default();
    let progress = indented && PROGRESS.contains(&word);
    !trimmed.is_empty() && !progress
}

/// The start of a long text.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Whether a command searches for something and exits with 1 if it finds nothing.
#[must_use]
pub fn searches(command: &str) -> bool {
    static SEARCH: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:^|[|;&(\s])(?:(?:git )?grep|egrep|fgrep|rg|ag|ack)\s").ok()
    });
    SEARCH
        .as_ref()
        .is_some_and(|search| search.is_match(command))
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(number) => write!(out, "{number}"),
            Self::About(number) => write!(out, "about {number}"),
            Self::AtLeast(number) => write!(out, "at least {number}"),
        }
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllPass => out.write_str("all pass"),
            Self::Passed(number) => write!(out, "{number} passed"),
            Self::PassedOf(passed, total) => write!(out, "{passed} of {total} passed"),
            Self::Failed(number) => write!(out, "{number} failed"),
            Self::Ignored(number) => write!(out, "{number} ignored"),
            Self::Contains(text) => write!(out, "the output contains `{text}`"),
            Self::NoOutput => out.write_str("no output"),
            Self::Exit(code) => write!(out, "exit code {code}"),
            Self::NonZero => out.write_str("an exit code other than 0"),
            Self::Times(times) => write!(out, "{times} times"),
            Self::Under(limit) => write!(out, "under {limit:?}"),
            Self::Killed(percent) => write!(out, "at least {percent} % of mutants killed"),
            Self::Measured(limit) => limit.fmt(out),
            Self::Relative(limit) => limit.fmt(out),
            Self::Glob(matcher) => write!(out, "a line matches the glob `{}`", matcher.glob()),
            Self::Regex(regex) => {
                let pattern = regex.as_str();
                let pattern = pattern.strip_prefix("(?m:").unwrap_or(pattern);
                write!(
                    out,
                    "regex `{}`",
                    pattern.strip_suffix(')').unwrap_or(pattern)
                )
            }
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => out.write_str("to be confirmed by a person"),
            Self::Unreadable(why) => out.write_str(why),
            Self::Understood(assertions) => {
                for (index, clause) in assertions.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(out, "{comma}{clause}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(output: &str) -> Seen<'_> {
        Seen {
            exit: 0,
            tests: None,
            output,
            duration: Duration::from_millis(1500),
        }
    }

    fn unmet(expected: &str, seen: &Seen<'_>) -> Vec<String> {
        let Expectation::Understood(assertions) = Expectation::read(expected) else {
            panic!("{expected} is not understood");
        };
        assertions
            .iter()
            .filter_map(|assertion| assertion.unmet(seen))
            .collect()
    }

    #[test]
    fn approximate_counts_are_within_five_percent() {
        assert!(Number::About(61).holds(64) && Number::About(61).holds(58));
        assert!(!Number::About(61).holds(66));
        assert!(Number::About(5).holds(6) && !Number::About(5).holds(7));
    }

    #[test]
    fn counts_are_compared_with_the_run() {
        let ran = |passed, failed| Seen {
            tests: Some(TestCounts {
                passed,
                failed,
                ..TestCounts::default()
            }),
            ..seen("")
        };
        assert_eq!(
            unmet("553 passed", &ran(584, 0)),
            ["553 passed expected, but 584 passed"]
        );
        assert_eq!(unmet("824+ tests pass", &ran(824, 0)), [""; 0]);
        assert_eq!(unmet("34/34", &ran(34, 1)).len(), 1);
        assert_eq!(
            unmet("All pass", &ran(34, 1)),
            ["all pass expected, but 1 failed"]
        );
        let none = unmet("12 passed", &seen("all fine"));
        assert_eq!(
            none,
            ["12 passed expected, but no test program reported its tests"]
        );
    }

    #[test]
    fn no_output_ignores_the_progress_of_cargo() {
        let quiet = "   Compiling store v0.1.0\n    Finished `dev` profile\n\n";
        assert_eq!(unmet("No output (zero matches)", &seen(quiet)), [""; 0]);
        let loud = unmet("No output", &seen("src/lib.rs:3: todo!()\n"));
        assert_eq!(
            loud,
            ["no output expected, but it printed `src/lib.rs:3: todo!()`"]
        );
        assert_eq!(unmet("No output", &seen("Running late\n")).len(), 1);
        assert!(Assertion::NoOutput.allows(1, searches("! cd x | grep y z")));
        assert!(!Assertion::NoOutput.allows(1, searches("cargo grepper")));
        assert!(!Assertion::NoOutput.allows(2, searches("rg todo")));
    }

    #[test]
    fn patterns_text_and_time() {
        let output = seen("p99: 0.8 ms\nDependencies OK\n");
        for met in [
            "\"Dependencies OK\"",
            "regex: ^p99: 0\\.\\d ms$",
            "glob: p99: 0.? ms",
            "glob: *OK",
            "<2s",
            "exit code 0, under 2 seconds",
        ] {
            assert_eq!(unmet(met, &output), [""; 0], "{met}");
        }
        for missed in [
            "\"dependencies ok\"",
            "regex: ^OK",
            "glob: OK",
            "<1s",
            "exit code 2",
        ] {
            assert_eq!(unmet(missed, &output).len(), 1, "{missed}");
        }
        for broken in ["regex: (", "glob: [", "regex:"] {
            assert!(
                matches!(Expectation::read(broken), Expectation::Unreadable(_)),
                "{broken}"
            );
        }
    }
}
