//! Tests of an earlier collection that no change since can affect, so that `--update` does not run them again.

use std::collections::BTreeSet;

use anyhow::Result;
use rustc_hash::{FxHashMap, FxHashSet};

use super::environment::AllVariables;
use super::recorded::{RecordFolder, RecordedTest};
use super::store::Store;
use crate::affected::items::extract::Digest;
use crate::affected::nextest_list::NextestList;

/// The number of each item, by file, key and hash.
type ItemNumbers = FxHashMap<(String, Digest, Digest), u32>;

/// Tests that do not run again.
#[derive(Debug)]
pub(super) struct KeptTests {
    store: Store,
    /// Their indexes in the store, by binary and name.
    tests: FxHashMap<(String, String), usize>,
}

/// The numbers of the items of a store.
pub(super) fn numbers_of(store: &Store) -> ItemNumbers {
    let items = (0..).zip(&store.items);
    items
        .map(|(number, item)| {
            let file = store.files[item.file as usize].clone();
            ((file, item.key, item.hash), number)
        })
        .collect()
}

impl KeptTests {
    pub(super) fn new(store: Store, tests: &FxHashSet<usize>) -> Self {
        let tests = tests.iter().map(|index| {
            let test = &store.tests[*index];
            ((test.binary.clone(), test.name.clone()), *index)
        });
        let tests = tests.collect();
        Self { store, tests }
    }

    /// The variables with which they ran.
    pub(super) fn all_variables(&self) -> &AllVariables {
        &self.store.all_variables
    }

    /// Records these tests as done, so that they do not run; the number of tests.
    pub(super) fn record(&self, listing: &NextestList, records: &RecordFolder) -> Result<usize> {
        let mut count = 0;
        for (binary, suite) in &listing.rust_suites {
            for name in suite.testcases.keys() {
                let test = (binary.clone(), name.clone());
                if self.tests.contains_key(&test) {
                    let (binary, name) = test;
                    records.put(&RecordedTest {
                        binary,
                        name,
                        parts: Vec::new(),
                        bytes: 0,
                        touched: None,
                        kept: true,
                        why_not: None,
                    })?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// The items that a test executed, as numbers of the new store, and the files that it touched; `None` if it executed an item that the
    /// new store does not have.
    pub(super) fn get(
        &self,
        test: &RecordedTest,
        items: &ItemNumbers,
    ) -> Option<(Vec<u32>, Option<BTreeSet<String>>)> {
        let index = self.tests.get(&(test.binary.clone(), test.name.clone()))?;
        let test = &self.store.tests[*index];
        let ran = test.ran.as_ref().ok()?.iter();
        let ran = ran.map(|item| {
            let item = &self.store.items[*item as usize];
            let file = self.store.files[item.file as usize].clone();
            items.get(&(file, item.key, item.hash)).copied()
        });
        let mut ran = ran.collect::<Option<Vec<u32>>>()?;
        ran.sort_unstable();
        let touched = test.touched.as_ref().map(|touched| {
            let paths = self.store.paths_of(touched).into_iter();
            paths.map(str::to_owned).collect()
        });
        Some((ran, touched))
    }
}
