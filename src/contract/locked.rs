//! The contract of a plan, from its text and the sources of its tests.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::inventory::Tests;
use super::wording::is_placeholder;
use crate::document::proof::{self, Proof};
use crate::document::{Block, Plan};
use crate::evidence::Packed;
use crate::freshness::Inputs;
use crate::script::lines::command_lines;
use crate::sys::text::counted;

/// The locked parts of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The success criteria of the plan, as written.
    pub criteria: Vec<String>,
    /// The verification commands of each step, by id; a step without commands has none.
    pub steps: BTreeMap<String, Vec<LockedCommand>>,
    /// The commands of the done block.
    pub done: Vec<LockedCommand>,
    /// The tests of the affected packages, by binary id, except those marked `#[ignore]`; `null` if they are unknown.
    pub tests: Option<Packed>,
    /// Those of the tests whose bodies cannot fail; `null` in locks of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Packed>,
    /// Hashes of the packages that contain the tests. While they are unchanged, so are the tests.
    pub inputs: Inputs,
    /// The proofs of criteria, by the criterion's text, without proofs that have no notation.
    #[serde(default)]
    pub proofs: BTreeMap<String, String>,
    /// The configurations that every step has to be proven in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<String>,
    /// The tests in quarantine, each with the last day as written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quarantine: BTreeMap<String, String>,
}

/// A command and its expectations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedCommand {
    /// The command on one line.
    pub command: String,
    /// The texts after `# Expected:`.
    pub expected: Vec<String>,
}

impl Contract {
    /// The current contract of a plan, with `tests` if they are known.
    ///
    /// # Errors
    /// Never in practice: names are packed in memory.
    pub fn of(plan: &Plan, tests: Option<&Tests>) -> Result<Self> {
        // Collect blocks by id once: a search for each step would be quadratic.
        let mut of_steps: BTreeMap<&str, Vec<&Block>> = BTreeMap::new();
        for step in &plan.steps {
            let blocks = step.verification.iter().filter(|block| block.is_shell());
            of_steps.entry(step.id.as_str()).or_default().extend(blocks);
        }
        let live = plan.steps.iter().filter(|step| !step.withdrawn);
        let done: Vec<&Block> = plan.done.iter().filter(|block| block.is_shell()).collect();
        Ok(Self {
            criteria: plan.criteria.iter().map(|one| one.text.clone()).collect(),
            steps: live
                .map(|step| step.id.as_str())
                .map(|id| (id.to_owned(), promises(&of_steps[id])))
                .collect(),
            done: promises(&done),
            tests: tests.map(|tests| Packed::new(&tests.active)).transpose()?,
            idle: tests.map(|tests| Packed::new(&tests.idle)).transpose()?,
            inputs: tests.map_or_else(Inputs::new, |tests| tests.inputs.clone()),
            proofs: proofs(plan),
            configurations: plan.configurations.clone(),
            quarantine: quarantine(plan),
        })
    }

    /// A hash of all parts. Line ends and prose do not count.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(text.as_bytes()).update(&[0]);
        };
        self.criteria.iter().for_each(|text| add(text));
        for (criterion, proof) in &self.proofs {
            add(&format!("{criterion}: {proof}"));
        }
        self.configurations
            .iter()
            .for_each(|name| add(&format!("configuration {name}")));
        for (test, until) in &self.quarantine {
            add(&format!("quarantine: {test} {until}"));
        }
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
        let tests = self.tests.as_ref().and_then(|tests| tests.names().ok());
        let tests = tests.map_or_else(
            || "tests unknown".to_owned(),
            |names| counted(names.values().map(BTreeSet::len).sum(), "test"),
        );
        let criteria = match self.criteria.len() {
            1 => "1 criterion".to_owned(),
            many => format!("{many} criteria"),
        };
        format!("{criteria}, {}, {tests}", counted(self.steps.len(), "step"))
    }
}

/// The tests in quarantine, with their last days.
fn quarantine(plan: &Plan) -> BTreeMap<String, String> {
    let rows = plan.quarantine.iter().map(|row| {
        let until = row.last_day().map(|day| day.to_string());
        (row.test.clone(), until.unwrap_or_default())
    });
    rows.collect()
}

/// The proofs of criteria that have a notation.
fn proofs(plan: &Plan) -> BTreeMap<String, String> {
    let written = plan.criteria.iter().filter_map(|criterion| {
        let proofs = proof::proofs(criterion);
        let text: Vec<String> = proofs.iter().map(ToString::to_string).collect();
        (proofs != [Proof::Person]).then(|| (criterion.text.clone(), text.join(", ")))
    });
    written.collect()
}

/// The commands of some blocks.
fn promises(blocks: &[&Block]) -> Vec<LockedCommand> {
    blocks
        .iter()
        .flat_map(|block| locked(&block.code))
        .collect()
}

/// The commands of a block, line by line. A placeholder counts as a command: filling it in later is not an added command.
pub(super) fn locked(code: &str) -> Vec<LockedCommand> {
    let commands = command_lines(code, is_placeholder).list.into_iter();
    let locked = commands.map(|line| LockedCommand {
        command: line.command,
        expected: line.expected.into_iter().map(|(_, text)| text).collect(),
    });
    locked.collect()
}
