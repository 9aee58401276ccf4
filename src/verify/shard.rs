//! The results of one shard as a file, and their combination.
//!
//! Input: the report of one run, or the files of all shards. Output: a file for `--merge`, or one record of evidence if the shards belong
//! together and ran every test of the selection once. The format is version 1, documented in `docs/json.md`.

pub(crate) mod merged;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::binaries::Binaries;
use super::partition::Partition;
use super::test_output::{Ending, TestCounts, Verdict};
use super::{RecordContext, Report};
use crate::evidence::{Names, Outcome, Record, Scope};
use crate::exit;
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
