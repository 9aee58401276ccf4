//! The contract of a plan: its criteria, the commands that prove its steps, and the tests that must still pass.
//!
//! Work begins with a lock, which stores the contract in the results document beside the evidence. A later change of the plan is
//! a finding until an amendment records its author, time and reason. Input: a plan, the names of tests, the entries of the
//! results. Output: [`ContractState`].

use std::collections::BTreeSet;

use anyhow::Result;

use crate::document::Plan;
use crate::evidence::{self, EvidenceProblem, ProblemKind};

pub mod compare;
mod difference;
mod inventory;
mod journal;
mod locked;
pub mod tests;
mod wording;

pub use difference::{Difference, How};
pub use inventory::Tests;
pub use journal::{Confirmed, Entry, Kind, Located, append};
pub use locked::Contract;
pub use wording::with_units_joined;

/// The entries of a contract, and how the plan differs from it.
#[derive(Debug, Clone, Default)]
pub struct ContractState {
    /// The lock, amendments and overrides, in the order of the document.
    pub entries: Vec<Located>,
    /// Entries that cannot be used.
    pub problems: Vec<EvidenceProblem>,
    /// Differences that no amendment records.
    pub changes: Vec<Difference>,
}

impl ContractState {
    /// The contract of the last lock or amendment; `None` before the first lock.
    #[must_use]
    pub fn agreed(&self) -> Option<&Contract> {
        self.last_agreed()?.entry.contract.as_ref()
    }

    /// The last lock or amendment.
    #[must_use]
    pub fn last_agreed(&self) -> Option<&Located> {
        let mut entries = self.entries.iter().rev();
        entries.find(|located| located.entry.contract.is_some())
    }

    /// The entry of the first lock.
    #[must_use]
    pub fn lock(&self) -> Option<&Entry> {
        self.of(Kind::Lock).next()
    }

    /// The entries of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter().map(|located| &located.entry);
        entries.filter(move |entry| entry.kind == kind)
    }

    /// The confirmations, in the order of the document.
    #[must_use]
    pub fn confirmations(&self) -> impl DoubleEndedIterator<Item = (&Entry, &Confirmed)> {
        let entries = self.entries.iter().map(|located| &located.entry);
        entries.filter_map(|entry| Some((entry, entry.confirmed.as_ref()?)))
    }

    /// Reads the entries in the results of the PoC `name`; [`Self::compare`] adds the differences.
    #[must_use]
    pub fn read(text: &str, name: &str) -> Self {
        Self::read_beside(text, name, &evidence::read(text).records)
    }

    /// [`Self::read`] with the records of the same document, which name the entries that must exist.
    #[must_use]
    pub fn read_beside(text: &str, name: &str, records: &[evidence::Located]) -> Self {
        let (entries, problems) = journal::read(text);
        let mut state = Self {
            entries,
            problems,
            changes: Vec::new(),
        };
        state.exclude_foreign(name);
        let known: BTreeSet<&str> = state
            .entries
            .iter()
            .map(|entry| entry.checksum.as_str())
            .collect();
        let lost = records.iter().rev().find(|located| {
            let contract = located.record.contract.as_deref();
            contract.is_some_and(|contract| !known.contains(contract))
        });
        let lost = lost.map(|located| EvidenceProblem {
            kind: ProblemKind::Gap,
            line: located.line,
            message: "the contract at the time of this run is missing or cannot be read; restore it from git".to_owned(),
        });
        state.problems.extend(lost);
        state
    }

    /// Finds the differences between the plan and the contract; `tests` are the differences of its tests.
    ///
    /// # Errors
    /// Never in practice: names are packed in memory.
    pub fn compare(&mut self, plan: &Plan, tests: &[Difference]) -> Result<()> {
        if let Some(agreed) = self.agreed() {
            let mut changes = compare::between(agreed, &Contract::of(plan, None)?);
            changes.extend_from_slice(tests);
            self.changes = changes;
        }
        Ok(())
    }

    /// The differences between the current tests and the locked ones.
    ///
    /// # Errors
    /// When the locked tests cannot be unpacked.
    pub fn test_differences(&self, now: &Tests) -> Result<Vec<Difference>> {
        let agreed = self.agreed();
        let changes = agreed.and_then(|agreed| {
            let tests = agreed.tests.as_ref()?;
            Some(compare::of_tests(tests, agreed.idle.as_ref(), now))
        });
        changes.transpose().map(Option::unwrap_or_default)
    }

    fn exclude_foreign(&mut self, name: &str) {
        let (own, foreign) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition::<Vec<_>, _>(|located| located.entry.poc == name);
        self.entries = own;
        self.problems.extend(foreign.iter().map(journal::foreign));
    }
}
