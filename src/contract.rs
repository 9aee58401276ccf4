//! What a plan promises: its criteria, the commands that prove its steps, and the tests that are to go on passing.
//!
//! Work begins with a lock: the promise as it is then, kept in the results document beside the evidence. A later change is
//! a disagreement until an amendment says who made it, when and why, with what was and what is. In: a plan, the names of
//! tests, the entries of the results. Out: [`ContractState`].

use anyhow::Result;

use crate::document::Plan;
use crate::evidence::EvidenceProblem;

mod commands;
pub mod compare;
mod difference;
mod inventory;
mod journal;
mod locked;
pub mod tests;
mod wording;

pub use commands::LockedCommand;
pub use difference::{Difference, How};
pub use inventory::Tests;
pub use journal::{Confirmed, Entry, Kind, Located, append};
pub use locked::Contract;

/// How a plan stands to what was promised.
#[derive(Debug, Clone, Default)]
pub struct ContractState {
    /// The lock, amendments and overrides, in the order of the document.
    pub entries: Vec<Located>,
    /// Entries that cannot be relied on.
    pub problems: Vec<EvidenceProblem>,
    /// What changed since the last of them, and nobody has amended.
    pub changes: Vec<Difference>,
}

impl ContractState {
    /// The promise as it was last agreed on; `None` before the work has begun.
    #[must_use]
    pub fn agreed(&self) -> Option<&Contract> {
        let mut entries = self.entries.iter().rev();
        entries.find_map(|located| located.entry.contract.as_ref())
    }

    /// The entry the work began with.
    #[must_use]
    pub fn lock(&self) -> Option<&Entry> {
        self.of(Kind::Lock).next()
    }

    /// The entries of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter().map(|located| &located.entry);
        entries.filter(move |entry| entry.kind == kind)
    }

    /// What people have confirmed, in the order of the document.
    pub fn confirmations(&self) -> impl DoubleEndedIterator<Item = (&Entry, &Confirmed)> {
        let entries = self.entries.iter().map(|located| &located.entry);
        entries.filter_map(|entry| Some((entry, entry.confirmed.as_ref()?)))
    }

    /// What the results of the PoC called `name` tell; [`Self::compare`] looks at the plan.
    #[must_use]
    pub fn read(text: &str, name: &str) -> Self {
        let (entries, problems) = journal::read(text);
        let mut state = Self {
            entries,
            problems,
            changes: Vec::new(),
        };
        state.set_aside_foreign(name);
        state
    }

    /// Finds what the plan no longer says, or says differently; `tests` is what became of the tests.
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

    /// What became of the tests that were agreed on, when the present ones are these.
    ///
    /// # Errors
    /// When the locked tests cannot be unpacked.
    pub fn of_tests(&self, now: &Tests) -> Result<Vec<Difference>> {
        let packed = self.agreed().and_then(|agreed| agreed.tests.as_ref());
        let changes = packed.map(|packed| compare::of_tests(packed, now));
        changes.transpose().map(Option::unwrap_or_default)
    }

    fn set_aside_foreign(&mut self, name: &str) {
        let (own, foreign) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition::<Vec<_>, _>(|located| located.entry.poc == name);
        self.entries = own;
        self.problems.extend(foreign.iter().map(journal::foreign));
    }
}
