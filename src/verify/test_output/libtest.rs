//! Parses the output of a libtest binary, including the output of its tests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::line::{self, Summary};
use super::nextest;
use super::observed::{Binary, Ending, Header, Verdict};
use crate::evidence::TestCounts;

/// The note about a binary without a summary.
pub(crate) fn is_not_counted(title: &str) -> String {
    format!("{title}: has a custom harness; its tests are not counted")
}

/// An open test binary. Its tests may run other test binaries, whose output is inside its own: those are further frames on the stack,
/// and are discarded when they end.
#[derive(Debug)]
pub(super) struct Libtest {
    own: Frame,
    nested: Vec<Frame>,
    /// Whether the previous line can precede a report: an empty one, or a row of dots.
    report_may_follow: bool,
    /// cargo reported that it failed; the next lines are cargo's.
    failed: bool,
    /// cargo reported how its process ended, other than libtest ends one.
    died: bool,
    /// Binaries inside of it that ended with failed tests; the cargo that ran them may report each.
    nested_failures: usize,
}

#[derive(Debug)]
struct Frame {
    header: Header,
    phase: Phase,
    /// The sum of the ended groups: rustdoc prints several.
    counts: TestCounts,
    whole_groups: usize,
    tests: BTreeMap<String, Verdict>,
    /// A test whose line has started, and its possible verdict.
    pending: Option<(String, Option<Verdict>)>,
    /// Verdicts in the open group.
    group: TestCounts,
    /// The duration of the ended groups.
    took: Option<Duration>,
    /// It listed its tests and ran none.
    listed: bool,
    /// A contradiction between its summary and the lines of its tests.
    disagreement: Option<String>,
}

#[derive(Debug)]
enum Phase {
    /// No group is open.
    Waiting,
    /// This many tests are running.
    Running(u64),
    /// The output of failed tests, which can be any text. It ends with a list of their names and a matching summary.
    Report {
        announced: u64,
        names: Vec<String>,
        in_list: bool,
        /// A summary with the right sum but without the list, used if no better one follows.
        fallback: Option<Summary>,
    },
}

impl Libtest {
    /// The binary that `line` announces.
    pub(super) fn begin(line: &str) -> Option<Self> {
        let own = match (line::header(line), line::announced(line)) {
            (Some(header), _) => Frame::new(header, Phase::Waiting),
            (None, Some(count)) => Frame::new(Header::Unnamed, Phase::Running(count)),
            (None, None) => return None,
        };
        Some(Self {
            own,
            nested: Vec::new(),
            report_may_follow: false,
            failed: false,
            died: false,
            nested_failures: 0,
        })
    }

    /// Parses a line; returns false if it belongs to the text after this binary.
    pub(super) fn take(&mut self, line: &str) -> bool {
        let may_follow = line.is_empty() || line::is_dots(line);
        let report_may_follow = std::mem::replace(&mut self.report_may_follow, may_follow);
        if self.failed {
            return self.take_aftermath(line);
        }
        let depth = self.nested.len();
        match self.nested.last().unwrap_or(&self.own).phase {
            Phase::Report { .. } => self.top().take_report(line),
            Phase::Waiting if depth == 0 => return self.take_waiting(line),
            Phase::Waiting | Phase::Running(_) => self.take_running(line, report_may_follow),
        }
        if depth > 0 && self.top().is_done() {
            self.pop_nested();
        }
        true
    }

    /// The innermost binary inside of this one has ended.
    fn pop_nested(&mut self) {
        let ended = self.nested.pop();
        if ended.is_some_and(|frame| frame.counts.failed > 0) {
            self.nested_failures += 1;
        }
    }

    /// More tests than the innermost binary announced: the announcement was text that a test printed.
    fn drop_overfull(&mut self) {
        while let Some(frame) = self.nested.last()
            && let Phase::Running(announced) = frame.phase
            && frame.group.ran() + frame.group.ignored > announced
            && let Some(frame) = self.nested.pop()
        {
            for (name, verdict) in frame.tests {
                self.top().record(name, verdict);
            }
        }
    }

    /// Between groups, or before the first: the next binary may start, or the run may end.
    fn take_waiting(&mut self, line: &str) -> bool {
        if let Some(count) = line::announced(line) {
            self.own.start_group(count);
        } else if line::is_list_end(line) {
            self.own.listed = true;
        } else if line::is_binary_failed(line) {
            self.failed = true;
        } else if line::header(line).is_some()
            || line::is_finished(line)
            || line::is_run_failed(line)
            || line::compile_error(line).is_some()
            || nextest::is_begin(line)
        {
            return false;
        }
        true
    }

    fn take_running(&mut self, line: &str, report_may_follow: bool) {
        if let Some(header) = line::header(line) {
            self.nested.push(Frame::new(header, Phase::Waiting));
        } else if let Some(count) = line::announced(line) {
            let top = self.top();
            if matches!(top.phase, Phase::Waiting) {
                top.start_group(count);
            } else {
                self.nested
                    .push(Frame::new(Header::Unnamed, Phase::Running(count)));
            }
        } else if line::is_binary_failed(line) {
            // One inside of ours failed, or has ended without a summary, or ours has.
            if self.nested_failures > 0 {
                self.nested_failures -= 1;
            } else if self.nested.pop().is_none() {
                self.failed = true;
            }
        } else if let Some(summary) = line::summary(line) {
            self.take_summary(summary);
        } else if report_may_follow && matches!(line, "failures:" | "successes:") {
            self.top().start_report(line);
        } else {
            self.top().take_test(line);
            self.drop_overfull();
        }
    }

    /// A summary ends the innermost binary whose announcement it matches.
    fn take_summary(&mut self, summary: Summary) {
        let counts = summary.counts;
        let total = counts.ran() + counts.ignored;
        let fits = |frame: &Frame| matches!(frame.phase, Phase::Running(count) if count == total);
        if let Some(index) = self.nested.iter().rposition(fits) {
            self.nested.truncate(index);
            self.nested_failures += usize::from(counts.failed > 0);
        } else if fits(&self.own) {
            self.nested.clear();
            self.own.end_group(summary);
        }
    }

    /// After cargo reported that the binary failed: the exit status of its process may follow.
    fn take_aftermath(&mut self, line: &str) -> bool {
        if line
            .trim_start()
            .starts_with("process didn't exit successfully:")
        {
            self.died = true;
        }
        line.is_empty()
            || line == "Caused by:"
            || line.starts_with("  ") && line::header(line).is_none() && !line::is_finished(line)
    }

    fn top(&mut self) -> &mut Frame {
        self.nested.last_mut().unwrap_or(&mut self.own)
    }

    /// The counts so far.
    pub(super) fn so_far(&self) -> TestCounts {
        let mut counts = self.own.counts;
        counts += self.own.group;
        counts
    }

    /// Ends the binary.
    pub(super) fn close(mut self, notes: &mut Vec<String>) -> Binary {
        let own = &mut self.own;
        let ending = match &own.phase {
            Phase::Waiting if own.whole_groups == 0 && !own.listed => Ending::Unknown,
            Phase::Waiting => Ending::Whole,
            Phase::Report {
                fallback: Some(summary),
                ..
            } => {
                let summary = *summary;
                notes.push(format!(
                    "{}: the list of failed tests was not found",
                    own.title()
                ));
                own.end_group(summary);
                Ending::Whole
            }
            Phase::Running(_) | Phase::Report { .. } => {
                own.counts += own.group;
                Ending::Crashed
            }
        };
        // A crashed process fails at least one test; after a summary, only its counts matter.
        let died = ending == Ending::Crashed || self.died;
        let died = died || self.failed && ending == Ending::Unknown;
        if died && (ending != Ending::Whole || own.counts.failed == 0) {
            own.counts.failed += 1;
            notes.push(match ending {
                Ending::Whole => format!("{}: its process failed after its last test", own.title()),
                Ending::Crashed => format!(
                    "{}: its process ended without a summary; counted as one failure",
                    own.title()
                ),
                Ending::Unknown => format!(
                    "{}: failed without naming a test; counted as one failure",
                    own.title()
                ),
            });
        }
        if let Some((name, _)) = own.pending.take()
            && ending == Ending::Crashed
        {
            own.tests.insert(name, Verdict::Failed);
        }
        if ending == Ending::Unknown && !died {
            notes.push(is_not_counted(&own.title()));
        }
        Binary {
            header: self.own.header,
            counts: self.own.counts,
            ending: if died && ending == Ending::Whole {
                Ending::Crashed
            } else {
                ending
            },
            tests: self.own.tests,
            flaky: Vec::new(),
            disagreement: self.own.disagreement,
            took: self.own.took,
        }
    }
}

impl Frame {
    fn new(header: Header, phase: Phase) -> Self {
        Self {
            header,
            phase,
            counts: TestCounts::default(),
            whole_groups: 0,
            tests: BTreeMap::new(),
            pending: None,
            group: TestCounts::default(),
            took: None,
            listed: false,
            disagreement: None,
        }
    }

    fn title(&self) -> String {
        self.header.title()
    }

    fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Waiting) && self.whole_groups > 0
    }

    fn start_group(&mut self, announced: u64) {
        self.phase = Phase::Running(announced);
        self.group = TestCounts::default();
        self.pending = None;
    }

    fn start_report(&mut self, heading: &str) {
        self.settle_pending();
        if let Phase::Running(announced) = self.phase {
            let names = Vec::new();
            let in_list = heading == "failures:";
            self.phase = Phase::Report {
                announced,
                names,
                in_list,
                fallback: None,
            };
        }
    }

    fn take_test(&mut self, line: &str) {
        match line::test(line) {
            Some((name, Some(verdict))) => {
                self.settle_pending();
                self.record(name, verdict);
            }
            Some((name, None)) => {
                self.settle_pending();
                self.pending = Some((name, line::trailing_verdict(line)));
            }
            None => {
                if let Some((name, guess)) = &mut self.pending {
                    if let Some(verdict) = line::verdict(line) {
                        let name = std::mem::take(name);
                        self.pending = None;
                        self.record(name, verdict);
                    } else if let Some(verdict) = line::trailing_verdict(line) {
                        *guess = Some(verdict);
                    }
                }
            }
        }
    }

    /// If other output split the line of a test, its verdict is the last one at the end of a line.
    fn settle_pending(&mut self) {
        if let Some((name, Some(verdict))) = self.pending.take() {
            self.record(name, verdict);
        }
    }

    fn record(&mut self, name: String, verdict: Verdict) {
        verdict.count(&mut self.group);
        // The same name twice in a binary (a doctest's two groups): the worse result counts.
        self.tests
            .entry(name)
            .and_modify(|known| {
                if verdict == Verdict::Failed {
                    *known = verdict;
                }
            })
            .or_insert(verdict);
    }

    fn take_report(&mut self, line: &str) {
        let Phase::Report {
            announced,
            names,
            in_list,
            fallback,
        } = &mut self.phase
        else {
            return;
        };
        if matches!(line, "failures:" | "successes:") {
            names.clear();
            *in_list = true;
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| *in_list) {
            names.push(name.to_owned());
        } else if let Some(summary) = line::summary(line) {
            let counts = summary.counts;
            if counts.ran() + counts.ignored != *announced {
                return;
            }
            let listed = if counts.failed > 0 {
                counts.failed
            } else {
                counts.passed
            };
            let known_failed = self
                .tests
                .iter()
                .filter(|(_, verdict)| **verdict == Verdict::Failed);
            let all_listed = counts.failed == 0
                || self.group.failed == 0
                || known_failed.clone().count() as u64 != self.group.failed
                || known_failed
                    .into_iter()
                    .all(|(name, _)| names.contains(name));
            if names.len() as u64 == listed && all_listed {
                let names = std::mem::take(names);
                if counts.failed > 0 {
                    for name in names {
                        self.tests.insert(name, Verdict::Failed);
                    }
                }
                self.end_group(summary);
            } else {
                *fallback = Some(summary);
            }
        } else if !line.is_empty() {
            *in_list = false;
        }
    }

    fn end_group(&mut self, summary: Summary) {
        let counts = summary.counts;
        self.settle_pending();
        if let Some(took) = summary.took {
            *self.took.get_or_insert_default() += took;
        }
        let named = self.group;
        let quiet = named.ran() + named.ignored == 0;
        if !quiet
            && (named.passed, named.failed, named.ignored)
                != (counts.passed, counts.failed, counts.ignored)
        {
            self.disagreement = Some(format!(
                "{}: the summary counts {} passed, {} failed, {} ignored, but the lines of single tests show {}, {}, {}",
                self.title(),
                counts.passed,
                counts.failed,
                counts.ignored,
                named.passed,
                named.failed,
                named.ignored
            ));
        }
        self.counts += counts;
        self.group = TestCounts::default();
        self.whole_groups += 1;
        self.phase = Phase::Waiting;
    }
}
