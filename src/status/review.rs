//! The steps, criteria and checklist items that runs since an earlier commit prove, and those that are still open.

use std::collections::BTreeSet;

use super::assessment::{Assessment, CriterionStatus, State};
use crate::contract::{Confirmed, ContractState, Entry, Kind};
use crate::document::proof::Proof;
use crate::evidence::{self, Evidence, Scope};

/// One PoC for a review.
#[derive(Debug)]
pub struct Review {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// What is proven by runs and confirmations since the commit.
    pub proven: Vec<String>,
    /// What was proven before.
    pub earlier: Vec<String>,
    /// What is not proven, with the state and the reason.
    pub open: Vec<String>,
    /// Amendments of the contract since the commit, and steps that were closed without evidence.
    pub amended: Vec<String>,
}

/// Compares a PoC with `earlier`, the text of its results at the commit; empty without results.
#[must_use]
pub fn review(assessment: &Assessment, evidence: &Evidence, earlier: &str) -> Review {
    let before = evidence::read(earlier);
    let known = before
        .records
        .iter()
        .map(|located| located.checksum.as_str());
    let contract = ContractState::read_beside(earlier, &assessment.name, &before.records);
    let old = contract.entries.iter();
    let old: BTreeSet<&str> = old.map(|entry| entry.checksum.as_str()).collect();
    let entries = assessment.contract.entries.iter();
    let entries = entries.filter(|located| !old.contains(located.checksum.as_str()));
    let since = Since {
        evidence,
        known: known.collect(),
        entries: entries.map(|located| &located.entry).collect(),
    };
    let mut review = Review {
        name: assessment.name.clone(),
        state: assessment.state,
        proven: Vec::new(),
        earlier: Vec::new(),
        open: Vec::new(),
        amended: since.amended(),
    };
    for step in assessment
        .steps
        .iter()
        .filter(|step| step.state != State::Withdrawn)
    {
        let what = format!("step {}: {}", step.id, step.title);
        let is_new = || since.has_run(&Scope::Step(step.id.clone()));
        review.add(what, step.state, step.why.as_deref(), &is_new);
    }
    for criterion in &assessment.criteria {
        let what = format!("criterion {}: {}", criterion.number, criterion.text);
        let is_new = || since.has_proof(criterion);
        review.add(what, criterion.state, criterion.why.as_deref(), &is_new);
    }
    for item in &assessment.checklist {
        let what = format!("checklist {}: {}", item.number, item.text);
        let is_new = || since.has_confirmation(&Confirmed::name_of_item(&item.text));
        review.add(what, item.state, item.why.as_deref(), &is_new);
    }
    review
}

impl Review {
    fn add(&mut self, what: String, state: State, why: Option<&str>, is_new: &dyn Fn() -> bool) {
        match state {
            State::Proven if is_new() => self.proven.push(what),
            State::Proven => self.earlier.push(what),
            _ => {
                let why = why.map_or(String::new(), |why| format!(", {why}"));
                self.open.push(format!("{what} ({}{why})", state.word()));
            }
        }
    }
}

/// The evidence since a commit.
struct Since<'e> {
    evidence: &'e Evidence,
    /// The checksums of the records at the commit.
    known: BTreeSet<&'e str>,
    /// The entries of the contract that the commit does not have.
    entries: Vec<&'e Entry>,
}

impl Since<'_> {
    /// Whether the last run of a scope is not in the earlier results.
    fn has_run(&self, scope: &Scope) -> bool {
        let last = self.evidence.last_located(scope);
        last.is_some_and(|last| !self.known.contains(last.checksum.as_str()))
    }

    /// Whether a proof of a criterion is not in the earlier results.
    fn has_proof(&self, criterion: &CriterionStatus) -> bool {
        let mut records = self.evidence.records.iter();
        let any_run = records.any(|located| !self.known.contains(located.checksum.as_str()));
        criterion.proven_by.iter().any(|proof| match &proof.proof {
            Proof::Step(id) => self.has_run(&Scope::Step(id.to_string())),
            Proof::Done(_) => self.has_run(&Scope::Done),
            Proof::Person => self.has_confirmation(&Confirmed::name_of_criterion(&criterion.text)),
            Proof::Test(_) | Proof::Value(_) | Proof::Unknown(_) => any_run,
        })
    }

    /// Whether a person has confirmed this.
    fn has_confirmation(&self, what: &str) -> bool {
        let mut confirmed = self
            .entries
            .iter()
            .filter_map(|entry| entry.confirmed.as_ref());
        confirmed.any(|confirmed| confirmed.what == what)
    }

    /// Amendments, and steps that were closed without evidence.
    fn amended(&self) -> Vec<String> {
        let mut amended = Vec::new();
        for kind in [Kind::Amend, Kind::Override] {
            for entry in self.entries.iter().filter(|entry| entry.kind == kind) {
                let weakens = entry.changes.iter().any(|change| change.how.weakens());
                let what = match (kind, weakens) {
                    (Kind::Override, _) => format!(
                        "step {} closed without evidence",
                        entry.step.as_deref().unwrap_or_default()
                    ),
                    (_, true) => "the contract was weakened".to_owned(),
                    (_, false) => "the contract was amended".to_owned(),
                };
                let reason = entry.reason.as_deref().unwrap_or("without a reason");
                amended.push(format!("{what}: {reason}"));
            }
        }
        amended
    }
}
