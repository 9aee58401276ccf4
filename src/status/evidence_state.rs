//! What the last run of a scope shows now.

use std::collections::BTreeMap;

use super::assessment::EvidenceState;
use super::context::Context;
use crate::document::proof::is_test;
use crate::document::quarantine;
use crate::evidence::{self, Outcome, Record, Scope};
use crate::freshness;
use crate::freshness::since::Aspect;
use crate::project::Poc;
use crate::script::expectation::{Assertion, Expectation};
use crate::verify;

/// The evidence of a scope from its last record and the current commands of the plan.
pub(crate) fn evidence_state(poc: &Poc, cx: &Context<'_>, scope: &Scope) -> EvidenceState {
    let Some(located) = cx.evidence.last_located(scope) else {
        return EvidenceState::Nothing;
    };
    let record = &located.record;
    let unconfirmed = record.outcome == Outcome::Unconfirmed
        && record.regressions.is_empty()
        && record.missing.is_empty();
    if !record.proves() && !unconfirmed {
        return EvidenceState::Failed(failure(record));
    }
    if let Some(test) = counts_again(poc, record) {
        return EvidenceState::Failed(format!(
            "the test {test} did not pass, and no quarantine excuses it any more"
        ));
    }
    let planned = verify::planned(&poc.plan, scope);
    if !matches!(scope, Scope::Affected | Scope::Full)
        && verify::commands_hash(&planned) != record.commands
    {
        return EvidenceState::OtherCommands;
    }
    if cx.workspace.is_none() {
        return EvidenceState::Unknown;
    }
    let changed = freshness::changed_of(&record.inputs, cx.inputs);
    let is_unaffected = || {
        cx.is_unaffected(located, Aspect::Tests)
            && (!expects_strength(record) || cx.is_unaffected(located, Aspect::Strength))
    };
    if changed.is_empty() || is_unaffected() {
        let manual = |check: &evidence::Check| check.manual && check.confirmed.is_none();
        return match record.checks.iter().position(manual) {
            Some(index) => EvidenceState::Unconfirmed(verify::confirmation_id(scope, index)),
            None => EvidenceState::Proven,
        };
    }
    EvidenceState::Stale(format!(
        "changed since it was verified: {}",
        listed(&changed, 4)
    ))
}

/// Whether a command of a run was expected to kill mutants.
fn expects_strength(record: &Record) -> bool {
    let expected = record.checks.iter().flat_map(|check| &check.expected);
    let mut assertions = expected.flat_map(|text| Expectation::read(text).assertions().to_vec());
    assertions.any(|assertion| matches!(assertion, Assertion::Killed(_)))
}

/// A test that a run excused and that the plan does not excuse today.
fn counts_again(poc: &Poc, record: &Record) -> Option<String> {
    if record.quarantined.is_empty() {
        return None;
    }
    let today = quarantine::today();
    let excuses = |binary: &str, test: &str| {
        let mut rows = poc.plan.quarantine.iter();
        rows.any(|row| is_test(&row.test, binary, test) && row.objection(today).is_none())
    };
    let mut tests = record
        .quarantined
        .iter()
        .flat_map(|(binary, tests)| tests.iter().map(move |test| (binary, test)));
    let (_, test) = tests.find(|(binary, test)| !excuses(binary, test))?;
    Some(test.clone())
}

pub(super) fn failure(record: &Record) -> String {
    let named = |names: &BTreeMap<String, Vec<String>>| -> Vec<String> {
        names.values().flatten().cloned().collect()
    };
    let regressions = named(&record.regressions);
    let vanished = named(&record.missing);
    let failing = named(&record.failing);
    if !regressions.is_empty() {
        format!(
            "tests that passed in the baseline failed: {}",
            listed(&regressions, 3)
        )
    } else if !vanished.is_empty() {
        format!(
            "tests that passed in the baseline are missing: {}",
            listed(&vanished, 3)
        )
    } else if !failing.is_empty() {
        format!("failing: {}", listed(&failing, 3))
    } else {
        failed_command(record).unwrap_or_else(|| match record.outcome {
            Outcome::NoTests => "no test matched its command".to_owned(),
            outcome => outcome.to_string(),
        })
    }
}

/// The first command that did not pass, and the reason.
fn failed_command(record: &Record) -> Option<String> {
    let mut checks = record.checks.iter();
    let check = checks.find(|check| {
        !check.unmet.is_empty() || !matches!(check.outcome, Outcome::Passed | Outcome::Unconfirmed)
    })?;
    let command = check.command.lines().next().unwrap_or_default();
    let why = match (check.unmet.first(), check.outcome) {
        (_, Outcome::NoTests) => "no test matched".to_owned(),
        (Some(unmet), _) => unmet.clone(),
        (None, Outcome::Failed) => format!("exit code {}", check.exit),
        (None, outcome) => outcome.to_string(),
    };
    Some(format!("`{command}`: {why}"))
}

/// The first entries of a list, and the number of the others.
pub(super) fn listed(names: &[String], few: usize) -> String {
    let shown = names[..names.len().min(few)].join(", ");
    match names.len().saturating_sub(few) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
