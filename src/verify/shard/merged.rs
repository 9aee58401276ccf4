//! The combination of all shards of one run: they belong together, and ran every test of the selection once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use super::super::binaries::Binaries;
use super::super::compare::{Ran, Regressions, compare};
use super::super::recording::listed;
use super::super::test_output::{TestCounts, Verdict};
use super::{Binary, Shard};
use crate::evidence::{self, Outcome, Record};
use crate::exit::{self, Exit, with_exit};
use crate::workspace::Workspace;

/// All shards of one run.
#[derive(Debug)]
pub struct Merged {
    /// The shards sorted by number, each with its file.
    shards: Vec<(Utf8PathBuf, Shard)>,
}

impl Merged {
    /// Checks that the shards belong together, and that each occurs once.
    ///
    /// # Errors
    /// A usage error if a shard occurs twice, or belongs to another run. Could not run if one is missing, or if a selected test ran in no
    /// shard, or in two.
    pub fn of(mut shards: Vec<(Utf8PathBuf, Shard)>) -> Result<Self> {
        shards.sort_by_key(|(_, shard)| shard.partition);
        let Some(((first_file, first), others)) = shards.split_first() else {
            return Err(exit::usage("no report is given; pass those of all shards"));
        };
        for (file, shard) in others {
            if let Some(difference) = difference(first, shard) {
                return Err(exit::usage(format!(
                    "{first_file} and {file} belong to different runs: {difference}"
                )));
            }
        }
        for pair in shards.windows(2) {
            if pair[0].1.partition == pair[1].1.partition {
                return Err(exit::usage(format!(
                    "{} and {} are both shard {}; pass each shard's report once",
                    pair[0].0, pair[1].0, pair[0].1.partition
                )));
            }
        }
        let count = first.partition.count;
        let given: BTreeSet<usize> = shards
            .iter()
            .map(|(_, shard)| shard.partition.index)
            .collect();
        let missing: Vec<String> = (1..=count)
            .filter(|index| !given.contains(index))
            .map(|index| format!("{index}/{count}"))
            .collect();
        if !missing.is_empty() {
            let error = anyhow::anyhow!(
                "the report of shard {} is missing; run `cargo poc verify --partition {} --report shard=FILE` on the same \
                 commit, and merge all {count}",
                missing.join(", "),
                missing[0]
            );
            return Err(with_exit(Exit::CouldNotRun, error));
        }
        let merged = Self { shards };
        merged.each_test_once()?;
        Ok(merged)
    }

    /// The first shard, for the common values.
    #[must_use]
    pub fn first(&self) -> &Shard {
        &self.shards[0].1
    }

    /// Whether there was anything to run.
    #[must_use]
    pub fn selects_anything(&self) -> bool {
        let first = self.first();
        !first.assigned.is_empty()
            || self
                .shards
                .iter()
                .any(|(_, shard)| shard.listed.as_ref().is_none_or(|names| !names.is_empty()))
    }

    /// Whether each shard passed.
    #[must_use]
    pub fn shards_passed(&self) -> bool {
        let mut shards = self.shards.iter();
        shards.all(|(_, shard)| shard.record.outcome == Outcome::Passed)
    }

    /// The worst outcome of the shards. A run without tests never passes.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.shards.iter().map(|(_, shard)| shard.record.outcome);
        let worst = outcomes.max().unwrap_or(Outcome::NoTests);
        let unknown = self.binaries().any(|(_, _, binary)| binary.unknown);
        if worst == Outcome::Passed && !unknown && self.counts().ran() == 0 {
            return Outcome::NoTests;
        }
        worst
    }

    /// The evidence of all shards together.
    ///
    /// # Errors
    /// When the baseline's tests cannot be unpacked.
    pub fn record(
        &self,
        workspace: &Workspace,
        poc: &str,
        baseline: Option<&Record>,
    ) -> Result<Record> {
        let targets = Binaries::of(workspace);
        let ran = self.ran();
        let quarantined = self.excused();
        let mut worse = match baseline.and_then(|baseline| baseline.passed.as_ref()) {
            Some(passed) => {
                let passed = passed.names().context("failed to read the baseline")?;
                compare(&passed, &ran, |id| targets.has(id))
            }
            None => Regressions::default(),
        };
        for (binary, tests) in &quarantined {
            if let Some(worse) = worse.regressions.get_mut(binary) {
                worse.retain(|test| !tests.contains(test));
            }
        }
        worse.regressions.retain(|_, tests| !tests.is_empty());
        let records = || self.shards.iter().map(|(_, shard)| &shard.record);
        let mut notes = vec![format!("{} shards, merged", self.shards.len())];
        notes.extend(records().flat_map(|record| record.notes.clone()));
        let mut took: BTreeMap<String, u64> = BTreeMap::new();
        for (binary, milliseconds) in records().flat_map(|record| &record.durations_ms) {
            *took.entry(binary.clone()).or_default() += milliseconds;
        }
        let mut commands = blake3::Hasher::new();
        for record in records() {
            commands.update(record.commands.as_bytes());
        }
        let spoke = records().any(|record| record.tests.is_some());
        Ok(Record {
            previous: Vec::new(),
            poc: poc.to_owned(),
            time: evidence::now(),
            outcome: self.outcome(),
            checks: records().flat_map(|record| record.checks.clone()).collect(),
            tests: spoke.then(|| self.counts()),
            failing: listed(&ran, Verdict::Failed),
            ignored: listed(&ran, Verdict::Ignored),
            regressions: worse.regressions,
            missing: worse.vanished,
            recovered: BTreeMap::new(),
            quarantined,
            passed: None,
            notes,
            commands: commands.finalize().to_hex()[..16].to_owned(),
            // The shards ran in parallel, so the duration is that of the slowest.
            milliseconds: records()
                .map(|record| record.milliseconds)
                .max()
                .unwrap_or(0),
            durations_ms: took,
            ..self.first().record.clone()
        })
    }

    /// The tests whose failures the plans excused, by binary id.
    fn excused(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let records = self.shards.iter().map(|(_, shard)| &shard.record);
        for (binary, tests) in records.flat_map(|record| &record.quarantined) {
            all.entry(binary.clone())
                .or_default()
                .extend(tests.iter().cloned());
        }
        all
    }

    fn binaries(&self) -> impl Iterator<Item = (usize, &String, &Binary)> {
        self.shards.iter().flat_map(|(_, shard)| {
            let binaries = shard.binaries.iter();
            binaries.map(|(id, binary)| (shard.partition.index, id, binary))
        })
    }

    /// The results of each binary in all shards.
    fn ran(&self) -> BTreeMap<String, Ran> {
        let mut all: BTreeMap<String, Ran> = BTreeMap::new();
        for (_, id, binary) in self.binaries() {
            let ran = all.entry(id.clone()).or_insert_with(|| Ran {
                whole: true,
                ..Ran::default()
            });
            ran.whole &= binary.whole;
            for (test, verdict) in &binary.tests {
                let known = ran.tests.entry(test.clone()).or_insert(*verdict);
                if *verdict == Verdict::Failed || *known == Verdict::Ignored {
                    *known = *verdict;
                }
            }
        }
        all
    }

    /// Every nextest shard reports the same ignored and excluded tests.
    fn counts(&self) -> TestCounts {
        let mut counts = TestCounts::default();
        let mut ignored: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (_, id, binary) in self.binaries() {
            let tests = binary.tests.iter();
            let named = tests.filter(|(_, verdict)| **verdict == Verdict::Ignored);
            let before = ignored.len();
            let named: Vec<(&str, &str)> = named
                .map(|(test, _)| (id.as_str(), test.as_str()))
                .collect();
            let unnamed = binary.counts.ignored.saturating_sub(named.len() as u64);
            ignored.extend(named);
            counts.passed += binary.counts.passed;
            counts.failed += binary.counts.failed;
            counts.ignored += unnamed + (ignored.len() - before) as u64;
        }
        let filtered = self.shards.iter().map(|(_, shard)| shard.filtered);
        counts.filtered = if self.first().run.runner == "nextest" {
            filtered.max().unwrap_or(0)
        } else {
            filtered.sum()
        };
        counts
    }

    /// Checks that each selected test ran once, if every shard completed.
    fn each_test_once(&self) -> Result<()> {
        let not_once = |what: String| Err(with_exit(Exit::CouldNotRun, anyhow::anyhow!(what)));
        let assigned = &self.first().assigned;
        let mut ran: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (index, id, binary) in self.binaries() {
            if let Some(own) = assigned.get(id).filter(|own| **own != index) {
                return not_once(format!(
                    "{id} ran in shard {index}, but belongs to shard {own}"
                ));
            }
            if assigned.contains_key(id) || id.starts_with('?') {
                continue;
            }
            for test in binary
                .tests
                .iter()
                .filter(|(_, verdict)| **verdict != Verdict::Ignored)
            {
                if let Some(other) = ran.insert((id, test.0), index) {
                    return not_once(format!(
                        "{id} {} ran in shard {other} and in shard {index}",
                        test.0
                    ));
                }
            }
        }
        for (_, shard) in &self.shards {
            // The name of an unidentified binary starts with a question mark.
            let named = |id: &str| {
                let mut ids = shard.binaries.keys();
                ids.any(|known| known == id || known.starts_with('?'))
            };
            let own = assigned
                .iter()
                .filter(|(_, own)| **own == shard.partition.index);
            let missing: Vec<&str> = own
                .map(|(id, _)| id)
                .filter(|id| !named(id))
                .map(String::as_str)
                .collect();
            if !missing.is_empty() && shard.record.outcome == Outcome::Passed {
                return not_once(format!(
                    "shard {} did not run {}",
                    shard.partition,
                    missing.join(", ")
                ));
            }
        }
        let mut listed = self
            .shards
            .iter()
            .filter_map(|(_, shard)| shard.listed.as_ref());
        let Some(tests) = listed.next().filter(|_| self.shards_passed()) else {
            return Ok(());
        };
        let tests = tests
            .iter()
            .flat_map(|(id, tests)| tests.iter().map(move |test| (id.as_str(), test.as_str())));
        let missing: Vec<String> = tests
            .filter(|test| !ran.contains_key(test))
            .map(|(id, test)| format!("{id} {test}"))
            .collect();
        if let [first, more @ ..] = &missing[..] {
            let more = if more.is_empty() {
                String::new()
            } else {
                format!(" and {} more", more.len())
            };
            return not_once(format!("no shard ran {first}{more}, which nextest lists"));
        }
        Ok(())
    }
}

/// The difference between two reports of different runs.
fn difference(one: &Shard, other: &Shard) -> Option<String> {
    let differ = |what: &str, one: &str, other: &str| {
        (one != other).then(|| format!("{what} is {one} in the first, but {other} in the second"))
    };
    let (a, b) = (&one.run, &other.run);
    let commit = |shard: &Shard| {
        shard
            .record
            .source
            .commit
            .clone()
            .unwrap_or_else(|| "none".to_owned())
    };
    let count = |shard: &Shard| shard.partition.count.to_string();
    differ("the number of shards", &count(one), &count(other))
        .or_else(|| differ("the commit", &commit(one), &commit(other)))
        .or_else(|| differ("the scope", &a.scope.to_string(), &b.scope.to_string()))
        .or_else(|| differ("the PoC", &a.pocs.join(", "), &b.pocs.join(", ")))
        .or_else(|| differ("the test runner", &a.runner, &b.runner))
        .or_else(|| {
            differ(
                "the arguments of the runner",
                &a.arguments.join(" "),
                &b.arguments.join(" "),
            )
        })
        .or_else(|| {
            differ(
                "the toolchain",
                &one.record.toolchain,
                &other.record.toolchain,
            )
        })
        .or_else(|| differ("the program", &one.record.tool, &other.record.tool))
        .or_else(|| {
            let changed = crate::freshness::changed(&one.record.inputs, &other.record.inputs);
            (!changed.is_empty()).then(|| format!("they ran on different {}", changed.join(", ")))
        })
        .or_else(|| {
            differ(
                "the digest of the selected tests",
                &a.selection,
                &b.selection,
            )
        })
        .or_else(|| {
            (one.assigned != other.assigned)
                .then(|| "they distribute the targets differently".to_owned())
        })
        .or_else(|| {
            let both = one.listed.as_ref().zip(other.listed.as_ref());
            both.filter(|(one, other)| one != other)
                .map(|_| "nextest lists other tests".to_owned())
        })
}
