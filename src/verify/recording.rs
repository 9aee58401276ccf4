//! Converts results to a record of evidence.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::binaries::Binaries;
use super::blocks::commands_hash;
use super::compare::{Ran, compare};
use super::hidden::retain_gone;
use super::invocation::InvocationResult;
use super::report::Report;
use super::test_output::{Ending, Verdict};
use crate::evidence::{
    Check, Measured, Names, Outcome, Packed, Record, Scope, Selected, Source, now,
};
use crate::exit::Exit;
use crate::freshness::passed::TestResults;
use crate::freshness::{self, Inputs};
use crate::script::measure::Sample;
use crate::workspace::Workspace;

/// The context of a record, besides the run.
#[derive(Debug, Clone)]
pub struct RecordContext<'a> {
    /// The PoC's name.
    pub poc: &'a str,
    /// The verified scope.
    pub scope: Scope,
    /// The state of the sources before the run.
    pub source: Source,
    /// The hashes of the inputs before the run.
    pub inputs: Inputs,
    /// The output of `rustc -vV`.
    pub toolchain: &'a str,
    /// The baseline for regressions.
    pub baseline: Option<&'a Record>,
    /// Tests that failed in earlier runs, by binary id.
    pub failed_before: Names,
    /// The number of selected tests, if the run depends on a change.
    pub selection: Option<Selected>,
}

impl Report {
    /// The record of this run, with the current time.
    ///
    /// # Errors
    /// When the baseline's tests cannot be unpacked.
    pub fn record(&self, workspace: &Workspace, basis: &RecordContext<'_>) -> Result<Record> {
        let binaries = Binaries::of(workspace);
        let ran = self.ran(&binaries, |_| true);
        let unexpected = self.ran(&binaries, |checked| !checked.failed_as_expected());
        let mut notes: Vec<String> = self
            .checked
            .iter()
            .flat_map(|checked| checked.observed.notes.clone())
            .collect();
        notes.extend(
            self.checked
                .iter()
                .flat_map(|checked| checked.observed.compile_errors.clone()),
        );
        let unmet = self.checked.iter().flat_map(|checked| {
            let command = checked.check.command();
            let unmet = checked.unmet.iter();
            unmet.map(move |unmet| format!("`{}`: {unmet}", first_line(&command)))
        });
        notes.extend(unmet);
        notes.extend(
            self.checked
                .iter()
                .flat_map(|checked| checked.empty.clone()),
        );
        notes.extend(
            self.checked
                .iter()
                .filter_map(InvocationResult::instability),
        );
        let expected = self
            .checked
            .iter()
            .filter(|checked| checked.failed_as_expected());
        notes.extend(expected.map(|checked| {
            let command = checked.check.command();
            let counts = checked.observed.counts();
            format!(
                "`{}` failed as the plan expects: {counts}",
                first_line(&command)
            )
        }));
        let left = self.left.iter();
        notes.extend(left.map(|check| format!("not run: {}", first_line(&check.command()))));
        let worse = match basis.baseline.and_then(|baseline| baseline.passed.as_ref()) {
            Some(passed) => {
                let passed = passed.names().context("failed to read the baseline")?;
                let mut worse =
                    compare(&passed, &self.without_excused(&ran), |id| binaries.has(id));
                let earlier = basis.baseline.iter().flat_map(|baseline| &baseline.checks);
                let earlier: Vec<String> = earlier.map(|check| check.command.clone()).collect();
                let checked = self.checked.iter();
                let run: Vec<String> = checked.map(|checked| checked.check.command()).collect();
                retain_gone(workspace, &earlier, &run, &mut worse.vanished);
                worse
            }
            None => super::compare::Regressions::default(),
        };
        let quarantined = self.excused();
        notes.extend(quarantined.iter().map(|(binary, tests)| {
            format!(
                "in quarantine, so its failure is excused: {binary} {}",
                tests.join(", ")
            )
        }));
        let is_baseline = basis.scope == Scope::Baseline;
        let passed = is_baseline
            .then(|| Packed::new(&names(&ran, Verdict::Passed)))
            .transpose()?;
        Ok(Record {
            previous: Vec::new(),
            contract: None,
            poc: basis.poc.to_owned(),
            scope: basis.scope.clone(),
            time: now(),
            outcome: self.outcome(),
            checks: self.checks(),
            tests: self.ran_tests().then(|| self.counts()),
            selection: basis.selection,
            strength: None,
            failing: listed(&unexpected, Verdict::Failed),
            quarantined,
            ignored: listed(&ran, Verdict::Ignored),
            regressions: worse.regressions,
            missing: worse.vanished,
            recovered: recovered(&ran, &basis.failed_before),
            passed,
            notes,
            source: basis.source.clone(),
            inputs: basis.inputs.clone(),
            commands: self.commands(),
            milliseconds: milliseconds(self.duration),
            durations_ms: self.durations_ms(&binaries),
            toolchain: basis
                .toolchain
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            tool: concat!("cargo-poc ", env!("CARGO_PKG_VERSION")).to_owned(),
        })
    }

    /// The results in order, in the format of evidence.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        self.checked.iter().map(written).collect()
    }

    /// The tests whose failures the plan excuses, by binary id.
    fn excused(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (binary, tests) in self.checked.iter().flat_map(|checked| &checked.excused) {
            all.entry(binary.clone())
                .or_default()
                .extend(tests.iter().cloned());
        }
        for tests in all.values_mut() {
            tests.sort();
            tests.dedup();
        }
        all
    }

    /// The same tests, with those that passed whose failures are excused.
    fn without_excused(&self, ran: &BTreeMap<String, Ran>) -> BTreeMap<String, Ran> {
        let mut ran = ran.clone();
        for (binary, tests) in self.excused() {
            let Some(own) = ran.get_mut(&binary) else {
                continue;
            };
            for test in tests {
                own.tests.insert(test, Verdict::Passed);
            }
        }
        ran
    }

    fn ran_tests(&self) -> bool {
        self.checked
            .iter()
            .any(|checked| checked.observed.ran_tests())
    }

    /// The tests of each binary of the workspace. If a binary ran twice, the worse result of a test counts.
    fn ran(
        &self,
        binaries: &Binaries<'_>,
        counts: impl Fn(&InvocationResult) -> bool,
    ) -> BTreeMap<String, Ran> {
        let mut all: BTreeMap<String, Ran> = BTreeMap::new();
        for checked in self.checked.iter().filter(|checked| counts(checked)) {
            for run in &checked.observed.runs {
                let nextest = run.summary.is_some();
                for binary in &run.binaries {
                    let named = Verdict::counts_of(&binary.tests);
                    let by_name = (named.passed, named.failed)
                        == (binary.counts.passed, binary.counts.failed);
                    // nextest does not report how many tests of a binary a filter excluded; for calls of this program it is known.
                    let filtered = if nextest {
                        !checked.check.whole
                    } else {
                        binary.counts.filtered > 0
                    };
                    let whole = binary.ending == Ending::Whole && by_name && !filtered;
                    let ran = all.entry(binaries.identify(&binary.header)).or_default();
                    // Two filtered runs of a binary may or may not be complete together.
                    ran.whole |= whole;
                    for (test, verdict) in &binary.tests {
                        let known = ran.tests.entry(test.clone()).or_insert(*verdict);
                        if *verdict == Verdict::Failed || *known == Verdict::Ignored {
                            *known = *verdict;
                        }
                    }
                }
            }
        }
        all
    }

    /// The result of each test by the id of its binary and its name; the worse one for a test that ran twice.
    #[must_use]
    pub fn verdicts(&self, binaries: &Binaries<'_>) -> BTreeMap<String, BTreeMap<String, Verdict>> {
        let ran = self.ran(binaries, |_| true).into_iter();
        ran.map(|(binary, ran)| (binary, ran.tests)).collect()
    }

    /// The tests that passed at the first attempt in a binary that ended and named them all, and every other test.
    #[must_use]
    pub fn results(&self, binaries: &Binaries<'_>) -> TestResults {
        let mut results = TestResults::default();
        for checked in &self.checked {
            for binary in checked.observed.binaries() {
                let id = binaries.identify(&binary.header);
                if !binaries.has(&id) {
                    continue;
                }
                let named = Verdict::counts_of(&binary.tests);
                let is_reliable = binary.ending == Ending::Whole
                    && (named.passed, named.failed) == (binary.counts.passed, binary.counts.failed);
                for (test, verdict) in &binary.tests {
                    let passed = *verdict == Verdict::Passed && !binary.flaky.contains(test);
                    let into = match passed {
                        true if is_reliable => &mut results.passed,
                        true => continue,
                        false => &mut results.others,
                    };
                    into.entry(id.clone()).or_default().insert(test.clone());
                }
                if let Some(took) = binary.took.filter(|_| checked.check.whole) {
                    results.durations_ms.insert(id, milliseconds(took));
                }
            }
        }
        results
    }

    /// The duration of each binary's tests, in milliseconds.
    fn durations_ms(&self, binaries: &Binaries<'_>) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for checked in &self.checked {
            for binary in checked.observed.binaries() {
                let id = binaries.identify(&binary.header);
                if let Some(took) = binary.took.filter(|_| !id.starts_with('?')) {
                    *all.entry(id).or_insert(0) += milliseconds(took);
                }
            }
        }
        all
    }

    /// A hash of the planned commands. If the plan's commands change, evidence is stale.
    #[must_use]
    pub fn commands(&self) -> String {
        commands_hash(&self.planned)
    }
}

/// The id for `--confirm` of the command with this index, from 0, in a run of a scope: `done.3`, `4b.1`.
#[must_use]
pub fn confirmation_id(scope: &Scope, index: usize) -> String {
    let scope = match scope {
        Scope::Step(id) => id.clone(),
        scope => scope.to_string(),
    };
    format!("{scope}.{}", index + 1)
}

/// The exit code of a record.
#[must_use]
pub fn exit(record: &Record) -> Exit {
    match record.outcome {
        Outcome::Passed | Outcome::Unconfirmed
            if freshness::changed_while_it_ran(&record.inputs) =>
        {
            Exit::CouldNotRun
        }
        Outcome::Passed if record.proves() => Exit::Success,
        Outcome::Passed | Outcome::Unconfirmed | Outcome::Flaky | Outcome::Failed => Exit::Findings,
        Outcome::NoTests | Outcome::CouldNotRun | Outcome::TimedOut | Outcome::Interrupted => {
            Exit::CouldNotRun
        }
    }
}

fn written(checked: &InvocationResult) -> Check {
    Check {
        command: checked.check.command(),
        exit: checked.ended.code(),
        outcome: checked.outcome(),
        tests: checked
            .observed
            .ran_tests()
            .then(|| checked.observed.counts()),
        milliseconds: milliseconds(checked.duration),
        expected: checked
            .check
            .expected()
            .iter()
            .map(|one| one.text.clone())
            .collect(),
        unmet: checked.unmet.clone(),
        manual: checked.check.is_manual(),
        runs: checked.runs,
        confirmed: checked.confirmed.clone(),
        measured: measured(&checked.samples),
    }
}

/// The median and the spread of the values of each name, in the order of the first ones.
fn measured(samples: &[(String, Sample)]) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    for (name, first) in samples {
        if all.iter().any(|measured| measured.name == *name) {
            continue;
        }
        let same = || {
            samples
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, sample)| sample)
        };
        let mut values: Vec<f64> = same().map(|sample| sample.value.value).collect();
        values.sort_by(f64::total_cmp);
        let low = same()
            .map(|sample| sample.low)
            .fold(f64::INFINITY, f64::min);
        let high = same()
            .map(|sample| sample.high)
            .fold(f64::NEG_INFINITY, f64::max);
        all.push(Measured {
            name: name.clone(),
            unit: first.value.unit.clone(),
            value: values[values.len() / 2],
            spread: (low < high).then_some((low, high)),
        });
    }
    all
}

/// Tests that failed before and passed in this run.
fn recovered(ran: &BTreeMap<String, Ran>, failed_before: &Names) -> BTreeMap<String, Vec<String>> {
    let mut passed = listed(ran, Verdict::Passed);
    passed.retain(|binary, tests| {
        let failed = failed_before.get(binary);
        tests.retain(|test| failed.is_some_and(|failed| failed.contains(test)));
        !tests.is_empty()
    });
    passed
}

fn names(ran: &BTreeMap<String, Ran>, wanted: Verdict) -> Names {
    let of = |ran: &Ran| {
        let tests = ran.tests.iter().filter(|(_, verdict)| **verdict == wanted);
        tests.map(|(name, _)| name.clone()).collect()
    };
    ran.iter()
        .map(|(binary, ran)| (binary.clone(), of(ran)))
        .collect()
}

/// Removes binaries without tests.
pub(super) fn listed(
    ran: &BTreeMap<String, Ran>,
    wanted: Verdict,
) -> BTreeMap<String, Vec<String>> {
    let names = names(ran, wanted)
        .into_iter()
        .filter(|(_, tests)| !tests.is_empty());
    names
        .map(|(binary, tests)| (binary, tests.into_iter().collect()))
        .collect()
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn first_line(command: &str) -> &str {
    command.lines().next().unwrap_or_default()
}
