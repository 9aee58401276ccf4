//! nextest's list of tests, which distinguishes ignored tests from excluded ones; its run does not.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::test_filter::TestFilters;
use super::test_output::{Binary, Ending, Header, Observed, TestCounts, Verdict};
use crate::affected::nextest_filters::one_test;
use crate::affected::nextest_list::NextestList;

/// The tests that nextest will run, and the ignored ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Tests that will run, by binary id.
    pub selected: BTreeMap<String, Vec<String>>,
    /// Ignored tests that the filters would select, by binary id.
    pub ignored: BTreeMap<String, Vec<String>>,
    /// Tests of other partitions, by binary id.
    pub elsewhere: BTreeMap<String, Vec<String>>,
    /// Every existing binary, by id.
    binaries: BTreeSet<String>,
    /// Tests that the filtersets exclude, by binary id.
    left_out: BTreeMap<String, Vec<String>>,
}

impl Listing {
    /// Parses the output of nextest.
    ///
    /// # Errors
    /// If it does not have the format of nextest 0.9.
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        let mut listing = Self::default();
        for (binary, suite) in NextestList::parse(json)?.rust_suites {
            listing.binaries.insert(binary.clone());
            for (test, case) in suite.testcases {
                let left_out = case.filter_match.reason.as_deref();
                let list = if case.filter_match.is_selected() {
                    &mut listing.selected
                } else if case.ignored && left_out == Some("ignored") {
                    &mut listing.ignored
                } else if left_out == Some("partition") {
                    &mut listing.elsewhere
                } else if left_out == Some("expression") {
                    &mut listing.left_out
                } else {
                    continue;
                };
                list.entry(binary.clone()).or_default().push(test);
            }
        }
        Ok(listing)
    }

    /// Adds tests the filter excluded but source analysis did not find. Returns filtersets that run them.
    pub(super) fn pick(&mut self, picks: &TestFilters) -> Vec<String> {
        let mut filters = Vec::new();
        for (binary, tests) in &self.left_out {
            let Some(part) = picks.get(binary) else {
                continue;
            };
            for test in tests.iter().filter(|test| part.runs(test)) {
                filters.push(one_test(binary, test));
                let selected = self.selected.entry(binary.clone()).or_default();
                selected.push(test.clone());
            }
        }
        filters
    }

    /// Selected binaries that do not exist: an archive may lack them.
    pub(super) fn lacks<'p>(&self, picks: &'p TestFilters) -> Vec<&'p str> {
        let ids = picks.keys().map(String::as_str);
        ids.filter(|id| !self.binaries.contains(*id)).collect()
    }

    /// The number of tests that will run.
    #[must_use]
    pub(super) fn expected(&self) -> u64 {
        self.selected.values().map(|tests| tests.len() as u64).sum()
    }

    /// Adds data that only the list contains to a run: names of ignored tests, and tests that did not run.
    pub(super) fn complete(&self, observed: &mut Observed) {
        let Some(run) = observed.runs.iter_mut().find(|run| run.summary.is_some()) else {
            return;
        };
        let mut missing = 0;
        for (binary, tests) in self.selected.iter().chain(&self.ignored) {
            let header = Header::Nextest(binary.clone());
            let position = run.binaries.iter().position(|known| known.header == header);
            let index = position.unwrap_or_else(|| {
                run.binaries.push(Binary {
                    header,
                    counts: TestCounts::default(),
                    ending: Ending::Whole,
                    tests: BTreeMap::new(),
                    flaky: Vec::new(),
                    disagreement: None,
                    took: None,
                });
                run.binaries.len() - 1
            });
            let known = &mut run.binaries[index];
            let ignored = self
                .ignored
                .get(binary)
                .is_some_and(|own| std::ptr::eq(own, tests));
            for test in tests {
                if ignored {
                    known.tests.entry(test.clone()).or_insert_with(|| {
                        known.counts.ignored += 1;
                        Verdict::Ignored
                    });
                } else if !known.tests.contains_key(test) {
                    // Cancelled, or hidden by a profile.
                    known.ending = Ending::Crashed;
                    missing += 1;
                }
            }
        }
        let ignored = run
            .binaries
            .iter()
            .map(|binary| binary.counts.ignored)
            .sum();
        if let Some(summary) = &mut run.summary {
            summary.ignored = ignored;
            summary.filtered = summary.filtered.saturating_sub(ignored);
        }
        if missing > 0 {
            observed.notes.push(format!(
                "nextest listed {missing} tests that its run does not name"
            ));
        }
    }
}
