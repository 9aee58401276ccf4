//! The results of one shard as a file, and their combination.
//!
//! Input: the report of one run, or the files of all shards. Output: a file for `--merge`, or one record of evidence if the shards belong
//! together and ran every test of the selection once. The format is version 1, documented in `docs/json.md`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::binaries::Binaries;
use super::compare::{Ran, compare};
use super::partition::Partition;
use super::test_output::{Ending, TestCounts, Verdict};
use super::{RecordContext, Report};
use crate::evidence::{self, Names, Outcome, Record, Scope};
use crate::exit::{self, Exit, with_exit};
use crate::sys::files;
use crate::workspace::Workspace;

/// The version of the format.
const VERSION: u32 = 1;

/// The tests of one shard and their results. Unknown values are `null`, never missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// 1.
    pub version: u32,
    /// Its number and the number of shards.
    pub partition: Partition,
    /// The common values of all shards of a run.
    pub run: Identity,
    /// The shard that runs each target of `cargo test`, by binary id.
    pub assigned: BTreeMap<String, usize>,
    /// The tests that nextest runs in all shards together, by binary id; `null` if they could not be listed.
    pub listed: Option<Names>,
    /// The results of this shard, by binary id.
    pub binaries: BTreeMap<String, Binary>,
    /// Tests that filters excluded from the whole run.
    pub filtered: u64,
    /// The evidence of this shard.
    pub record: Record,
}

/// The identity of a run, equal in all its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The PoCs of the run.
    pub pocs: Vec<String>,
    /// `affected` or `full`.
    pub scope: Scope,
    /// `cargo` or `nextest`.
    pub runner: String,
    /// The user's arguments for the runner.
    pub arguments: Vec<String>,
    /// A digest of the selected tests.
    pub selection: String,
}

/// The results of one test binary, or of one library's doctests, in a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// Whether its output was complete, all its tests are known by name, and no filter of the user excluded any.
    pub whole: bool,
    /// Whether it has a custom harness, whose tests are unknown.
    pub unknown: bool,
    /// Its test counts.
    pub counts: TestCounts,
    /// The tests by name.
    pub tests: BTreeMap<String, Verdict>,
}

impl Report {
    /// The results of this run as a shard.
    ///
    /// # Errors
    /// As for [`Report::record`].
    pub fn shard(
        &self,
        workspace: &Workspace,
        partition: Partition,
        run: Identity,
        assigned: BTreeMap<String, usize>,
        basis: &RecordContext<'_>,
    ) -> Result<Shard> {
        let known = Binaries::of(workspace);
        let mut binaries: BTreeMap<String, Binary> = BTreeMap::new();
        let (mut filtered, mut listed) = (0, Some(Names::new()));
        for checked in &self.checked {
            let seen = &checked.observed;
            filtered += seen.counts().filtered;
            if let Some(listing) = &checked.listing {
                let elsewhere: usize = listing.elsewhere.values().map(Vec::len).sum();
                filtered = filtered.saturating_sub(elsewhere as u64);
                for (binary, tests) in listing.selected.iter().chain(&listing.elsewhere) {
                    let all = listed.get_or_insert_default();
                    let all = all.entry(binary.clone()).or_default();
                    all.extend(tests.iter().cloned());
                }
            } else if checked.check.is_nextest() {
                listed = None;
            }
            for one in seen.binaries() {
                let by_name = Verdict::counts_of(&one.tests);
                let by_name =
                    (by_name.passed, by_name.failed) == (one.counts.passed, one.counts.failed);
                let filtered = !checked.check.whole || one.counts.filtered > 0;
                let id = known.identify(&one.header);
                let binary = binaries.entry(id).or_insert_with(|| Binary {
                    whole: true,
                    ..Binary::default()
                });
                binary.whole &= one.ending == Ending::Whole && by_name && !filtered;
                binary.unknown |= one.ending == Ending::Unknown;
                binary.counts += one.counts;
                for (test, verdict) in &one.tests {
                    binary.tests.entry(test.clone()).or_insert(*verdict);
                }
            }
        }
        let mut record = self.record(workspace, basis)?;
        // One shard may run no test, but not all together.
        let worst = self
            .checked
            .iter()
            .map(super::InvocationResult::outcome)
            .max();
        record.outcome = worst.unwrap_or(Outcome::Passed);
        Ok(Shard {
            version: VERSION,
            partition,
            run,
            assigned,
            listed,
            binaries,
            filtered,
            record,
        })
    }
}

impl Shard {
    /// Writes the report to a file, and creates its folder.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn write(&self, file: &Utf8Path) -> Result<()> {
        let text =
            serde_json::to_string(self).context("failed to write a shard's report as JSON")?;
        files::write_report(file, (text + "\n").as_bytes())
    }

    /// Reads a report that [`Self::write`] wrote.
    ///
    /// # Errors
    /// A usage error if the file is not a report or has another version. Could not run if it does not exist.
    pub fn read(file: &Utf8Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let text = files::read(file)?;
        let version: Result<Version, _> = serde_json::from_slice(&text);
        match version {
            Ok(Version { version: VERSION }) => {}
            Ok(Version { version }) => {
                return Err(exit::usage(format!(
                    "{file} is a report of version {version}, and this program knows {VERSION}; use one version of cargo-poc for \
                     all shards"
                )));
            }
            Err(_) => return Err(exit::usage(not_ours(file, "it has no version"))),
        }
        serde_json::from_slice(&text)
            .map_err(|error| exit::usage(not_ours(file, &error.to_string())))
    }
}

fn not_ours(file: &Utf8Path, why: &str) -> String {
    format!(
        "{file} is not a report of `cargo poc verify --partition M/N --report shard=FILE`: {why}"
    )
}

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
            None => super::compare::Regressions::default(),
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
            failing: super::recording::listed(&ran, Verdict::Failed),
            ignored: super::recording::listed(&ran, Verdict::Ignored),
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
