//! Parses the human-readable output of `cargo nextest`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::line::seconds;
use super::observed::{Binary, Ending, Header, Verdict};
use crate::evidence::TestCounts;

/// The column where status words end; output of tests has another indentation.
const STATUS: usize = 12;

/// An open run.
#[derive(Debug)]
pub(super) struct Nextest {
    total: u64,
    tests: BTreeMap<(String, String), Verdict>,
    /// Tests that passed only on a retry.
    flaky: BTreeSet<(String, String)>,
    /// By binary id.
    took: BTreeMap<String, Duration>,
    previous_rule: bool,
    summary: Option<TestCounts>,
}

/// `    Starting 7 tests across 2 binaries (1 test skipped)`.
pub(super) fn is_begin(line: &str) -> bool {
    Nextest::begin(line).is_some()
}

impl Nextest {
    /// The run that `line` starts.
    pub(super) fn begin(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("    Starting ")?;
        let (number, rest) = rest.split_once(' ')?;
        (rest.starts_with("tests across ") || rest.starts_with("test across ")).then_some(())?;
        Some(Self {
            total: number.parse().ok()?,
            tests: BTreeMap::new(),
            flaky: BTreeSet::new(),
            took: BTreeMap::new(),
            previous_rule: false,
            summary: None,
        })
    }

    /// Parses a line; returns false once the run is over.
    pub(super) fn take(&mut self, line: &str) -> bool {
        let after_rule = std::mem::replace(&mut self.previous_rule, is_rule(line));
        if self.summary.is_some() {
            // Failed tests are repeated here; some configurations name flaky tests only here.
            return self.take_test(line) || line.starts_with("warning: ");
        }
        if after_rule && let Some(counts) = summary(line) {
            self.summary = Some(counts);
        } else {
            self.take_test(line);
        }
        true
    }

    fn take_test(&mut self, line: &str) -> bool {
        let Some(TestLine {
            status,
            time,
            total,
            binary,
            test,
        }) = test_line(line)
        else {
            return false;
        };
        // Another number of tests: a nextest started by a test.
        if total.is_some_and(|total| total != self.total) {
            return false;
        }
        if is_flaky(status) {
            self.flaky.insert((binary.to_owned(), test.to_owned()));
        }
        if let Some(verdict) = verdict(status) {
            if let (Some(time), None) = (time, self.summary) {
                *self.took.entry(binary.to_owned()).or_default() += time;
            }
            self.tests
                .insert((binary.to_owned(), test.to_owned()), verdict);
        }
        true
    }

    pub(super) fn so_far(&self) -> TestCounts {
        let mut counts = TestCounts::default();
        for verdict in self.tests.values() {
            verdict.count(&mut counts);
        }
        counts
    }

    /// Ends the run and returns its binaries and totals.
    pub(super) fn close(self, notes: &mut Vec<String>) -> (Vec<Binary>, Option<TestCounts>) {
        let named = self.so_far();
        let summary = self.summary.unwrap_or_else(|| {
            notes.push(
                "nextest ended without its summary; counted from the lines of single tests"
                    .to_owned(),
            );
            TestCounts {
                failed: named.failed.max(1),
                ..named
            }
        });
        if named.failed != summary.failed {
            notes.push(format!(
                "nextest counts {} failed, but names {}",
                summary.failed, named.failed
            ));
        }
        if named.passed != summary.passed {
            notes.push(format!(
                "nextest counts {} passed, but names {}: run it with `--status-level pass`",
                summary.passed, named.passed
            ));
        }
        let ending = if self.summary.is_some() {
            Ending::Whole
        } else {
            Ending::Crashed
        };
        let mut binaries: BTreeMap<String, BTreeMap<String, Verdict>> = BTreeMap::new();
        for ((binary, test), verdict) in self.tests {
            binaries.entry(binary).or_default().insert(test, verdict);
        }
        let flaky = self.flaky;
        let binaries = binaries.into_iter().map(|(id, tests)| Binary {
            flaky: flaky
                .iter()
                .filter(|(binary, _)| *binary == id)
                .map(|(_, test)| test.clone())
                .collect(),
            disagreement: None,
            took: self.took.get(&id).copied(),
            header: Header::Nextest(id),
            counts: Verdict::counts_of(&tests),
            ending,
            tests,
        });
        (binaries.collect(), Some(summary))
    }
}

/// The line above the summary.
fn is_rule(line: &str) -> bool {
    !line.is_empty() && line.chars().all(|character| matches!(character, '─' | '-'))
}

/// `     Summary [   2.249s] 7 tests run: 3 passed (1 slow, 1 flaky), 3 failed, 1 timed out, 1 skipped`, or `3/7 tests run` if it was
/// cancelled.
fn summary(line: &str) -> Option<TestCounts> {
    let rest = line.strip_prefix("     Summary [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (run, rest) = rest.split_once(": ")?;
    let run = run
        .strip_suffix(" tests run")
        .or(run.strip_suffix(" test run"))?;
    let run: u64 = run.split('/').next()?.parse().ok()?;
    let mut counts = TestCounts::default();
    for field in outside_parentheses(rest).split(", ") {
        match field.trim().split_once(' ') {
            Some((number, "passed")) => counts.passed = number.parse().ok()?,
            Some((number, "skipped")) => counts.filtered = number.parse().ok()?,
            _ => {}
        }
    }
    // Failed, timed out, not executed, or ended by a signal: none of them passed.
    counts.failed = run.checked_sub(counts.passed)?;
    Some(counts)
}

fn outside_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let mut outside = String::new();
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => outside.push(other),
            _ => {}
        }
    }
    outside
}

/// `        PASS [   0.006s] (1/2) store::it reads`: status, time, optional number of the test, binary id, test.
struct TestLine<'l> {
    status: &'l str,
    time: Option<Duration>,
    total: Option<u64>,
    binary: &'l str,
    test: &'l str,
}

fn test_line(line: &str) -> Option<TestLine<'_>> {
    let (status, rest) = (line.get(..STATUS)?, line.get(STATUS..)?);
    let (time, rest) = rest.strip_prefix(" [")?.split_once("] ")?;
    let (total, rest) = match rest.strip_prefix('(') {
        Some(rest) => {
            let (progress, rest) = rest.split_once(") ")?;
            let total = progress
                .split_once('/')
                .map(|(_, total)| total.trim().parse());
            (total.transpose().ok()?, rest)
        }
        None => (None, rest),
    };
    let (binary, test) = rest.split_once(' ')?;
    let one_word = !binary.is_empty() && !test.is_empty();
    one_word.then_some(TestLine {
        status: status.trim_start(),
        // A running test has `> 60.000s`.
        time: time.strip_suffix('s').and_then(seconds),
        total,
        binary,
        test,
    })
}

/// Whether a status means that a test passed after a failure: `FLAKY 2/3`, `TRY 2 PASS`.
fn is_flaky(status: &str) -> bool {
    let attempt = status
        .strip_prefix("TRY ")
        .and_then(|rest| rest.split_once(' '));
    let again = attempt.is_some_and(|(number, word)| number != "1" && word == "PASS");
    again || status.starts_with("FLAKY ") || status.starts_with("FLKY")
}

/// The verdict of a status; `None` if the test is running, or did not run.
fn verdict(status: &str) -> Option<Verdict> {
    let attempt = status
        .strip_prefix("TRY ")
        .and_then(|rest| rest.split_once(' '))
        .map_or(status, |(_, status)| status);
    match attempt {
        "PASS" | "LEAK" | "TMPASS" | "TIMEOUT-PASS" => Some(Verdict::Passed),
        _ if attempt.starts_with("FLAKY ") || attempt.starts_with("FLKY") => Some(Verdict::Passed),
        "SLOW" | "TRMNTG" | "TERMINATING" | "START" | "SKIP" | "SETUP" | "" => None,
        _ if ["SETUP ", "RETRY ", "DELAY ", "PASS "]
            .iter()
            .any(|word| attempt.starts_with(word)) =>
        {
            None
        }
        // An unknown status does not count as passed.
        _ if attempt
            .chars()
            .next()
            .is_some_and(|first| first.is_ascii_uppercase()) =>
        {
            Some(Verdict::Failed)
        }
        _ => None,
    }
}
