//! The steps, criteria and checklist items that runs since an earlier commit prove, and those that are still open.

use std::collections::BTreeSet;

use super::assessment::{Assessment, CriterionStatus, State};
use crate::contract::Kind;
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
    let since = Since {
        evidence,
        known: known.collect(),
        earlier,
    };
    let mut review = Review {
        name: assessment.name.clone(),
        state: assessment.state,
        proven: Vec::new(),
        earlier: Vec::new(),
        open: Vec::new(),
        amended: amended(assessment, earlier),
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
        let confirmed = item.confirmation.as_ref();
        let is_new = || confirmed.is_some_and(|confirmed| !earlier.contains(&confirmed.time));
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
    earlier: &'e str,
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
            Proof::Person => {
                let confirmed = proof.confirmation.as_ref();
                confirmed.is_some_and(|confirmed| !self.earlier.contains(&confirmed.time))
            }
            Proof::Test(_) | Proof::Unknown(_) => any_run,
        })
    }
}

fn amended(assessment: &Assessment, earlier: &str) -> Vec<String> {
    let mut amended = Vec::new();
    for kind in [Kind::Amend, Kind::Override] {
        for entry in assessment
            .contract
            .of(kind)
            .filter(|entry| !earlier.contains(&entry.time))
        {
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
