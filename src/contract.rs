//! What a plan promises: its criteria, the commands that prove its steps, and the tests that are to go on passing.
//!
//! Work begins with a lock: the promise as it is then, kept in the results document beside the evidence. A later change is
//! a disagreement until an amendment says who made it, when and why, with what was and what is. In: a plan, the names of
//! tests, the entries of the results. Out: [`Standing`].

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::document::{Block, Plan};
use crate::evidence::{Names, Packed, Problem, Scope};
use crate::freshness::Inputs;
use crate::verify;

mod commands;
pub mod difference;
mod journal;
pub mod tests;
mod wording;

pub use difference::{Difference, How};
pub use journal::{Entry, Kind, Located, append, read};

/// What was promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The success criteria of the plan, as written.
    pub criteria: Vec<String>,
    /// The verification commands of each step, by id; a step without commands has none.
    pub steps: BTreeMap<String, Vec<Promise>>,
    /// The commands of the done block.
    pub done: Vec<Promise>,
    /// The tests of the packages that the work affects, by binary id, those marked `#[ignore]` aside; `null` where they
    /// are not known.
    pub tests: Option<Packed>,
    /// Hashes of the packages they were read from: as long as these stay, so do the tests.
    pub inputs: Inputs,
}

/// A command and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The command on one line.
    pub command: String,
    /// What stands behind `# Expected:`.
    pub expected: Vec<String>,
}

/// The tests a plan's packages have now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tests {
    /// Those that run, by binary id.
    pub active: Names,
    /// Those marked `#[ignore]`.
    pub ignored: Names,
    /// Hashes of the packages they were read from.
    pub inputs: Inputs,
}

/// How a plan stands to what was promised.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The lock, amendments and overrides, in the order of the document.
    pub entries: Vec<Located>,
    /// Entries that cannot be relied on.
    pub problems: Vec<Problem>,
    /// What changed since the last of them, and nobody has amended.
    pub changes: Vec<Difference>,
}

impl Contract {
    /// What a plan promises now; `tests` where they are known.
    ///
    /// # Errors
    /// Never in practice: names are packed in memory.
    pub fn of(plan: &Plan, tests: Option<&Tests>) -> Result<Self> {
        // What belongs to an id, once for all steps: `verify::blocks` would look through all of them for each.
        let mut of_steps: BTreeMap<&str, Vec<&Block>> = BTreeMap::new();
        for step in &plan.steps {
            let blocks = step.verification.iter().filter(|block| block.is_shell());
            of_steps.entry(step.id.as_str()).or_default().extend(blocks);
        }
        let live = plan.steps.iter().filter(|step| !step.withdrawn);
        Ok(Self {
            criteria: plan.criteria.iter().map(|one| one.text.clone()).collect(),
            steps: live
                .map(|step| step.id.as_str())
                .map(|id| (id.to_owned(), promises(&of_steps[id])))
                .collect(),
            done: promises(&verify::blocks(plan, &Scope::Done)),
            tests: tests.map(|tests| Packed::new(&tests.active)).transpose()?,
            inputs: tests.map_or_else(Inputs::new, |tests| tests.inputs.clone()),
        })
    }

    /// A hash of all that is promised, line ends and prose aside.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(text.as_bytes()).update(&[0]);
        };
        self.criteria.iter().for_each(|text| add(text));
        for (id, promises) in self.steps.iter().chain([(&"done".to_owned(), &self.done)]) {
            add(id);
            for promise in promises {
                add(&promise.command);
                promise.expected.iter().for_each(|text| add(text));
            }
        }
        add(&self
            .tests
            .as_ref()
            .map_or_else(String::new, Packed::to_string));
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// `3 criteria, 4 steps, 31 tests`.
    #[must_use]
    pub fn summary(&self) -> String {
        let counted = crate::sys::text::counted;
        let tests = self.tests.as_ref().and_then(|tests| tests.names().ok());
        let tests = tests.map_or_else(
            || "tests unknown".to_owned(),
            |names| {
                counted(
                    names.values().map(std::collections::BTreeSet::len).sum(),
                    "test",
                )
            },
        );
        let criteria = match self.criteria.len() {
            1 => "1 criterion".to_owned(),
            many => format!("{many} criteria"),
        };
        format!("{criteria}, {}, {tests}", counted(self.steps.len(), "step"))
    }
}

/// The commands of some blocks, line by line: bash is not asked, since this is only compared, never run. Comments that
/// expect nothing are prose.
fn promises(blocks: &[&Block]) -> Vec<Promise> {
    let mut promises: Vec<Promise> = Vec::new();
    for block in blocks {
        promises.extend(commands::read(&block.code));
    }
    promises
}

impl Standing {
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

    /// What the results of the PoC called `name` tell; [`Self::compare`] looks at the plan.
    #[must_use]
    pub fn read(text: &str, name: &str) -> Self {
        let mut standing = read(text);
        standing.set_aside_foreign(name);
        standing
    }

    /// Finds what the plan no longer says, or says differently; `tests` is what became of the tests.
    ///
    /// # Errors
    /// Never in practice: names are packed in memory.
    pub fn compare(&mut self, plan: &Plan, tests: &[Difference]) -> Result<()> {
        if let Some(agreed) = self.agreed() {
            let mut changes = difference::between(agreed, &Contract::of(plan, None)?);
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
        let changes = packed.map(|packed| difference::of_tests(packed, now));
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
