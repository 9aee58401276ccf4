//! The states of success criteria, computed from their proofs. A tick is a claim to compare with.

use std::cmp::Reverse;

use super::assessment::{
    ConfirmedBy, CriterionStatus, EvidenceState, ProofStatus, Runs, State, StepStatus,
};
use super::context::Context;
use super::evidence_state::{evidence_state, listed};
use super::steps::measured;
use crate::contract::{Confirmed, with_units_joined};
use crate::document::proof::{Proof, is_test, proofs};
use crate::document::{Item, Placeholder};
use crate::evidence::{Located, Measured, Names, Scope};
use crate::freshness;
use crate::project::Poc;
use crate::script::measure::{limits_in, shown};

/// The evidence that proofs are compared with.
pub(super) struct Shown<'a> {
    pub(super) steps: &'a [StepStatus],
    pub(super) runs: &'a Runs,
}

pub(super) fn criteria(poc: &Poc, cx: &Context<'_>, shown: &Shown<'_>) -> Vec<CriterionStatus> {
    let results = poc
        .results
        .as_ref()
        .map(|(_, results)| &results.criteria[..]);
    let mut inherited = Vec::new();
    let criteria = poc.plan.criteria.iter().enumerate();
    let criteria = criteria.map(|(index, item)| {
        // A nested criterion inherits the proofs of its parent.
        if item.depth == 0 {
            inherited = proofs(item);
        }
        let in_results = ticked_in(item, results.unwrap_or_default());
        let checked = item.checked || in_results.is_some();
        let blank = is_blank(item, &poc.plan.placeholders);
        let proven_by = inherited.iter().map(|proof| {
            let (state, why, confirmation) = if blank {
                (
                    State::Pending,
                    Some("it contains a placeholder".to_owned()),
                    None,
                )
            } else {
                prove(poc, cx, shown, item, proof)
            };
            ProofStatus {
                proof: proof.clone(),
                state,
                why,
                confirmation,
            }
        });
        let proven_by: Vec<ProofStatus> = proven_by.collect();
        let (state, why) = together(&proven_by, checked);
        CriterionStatus {
            text: item.text.clone(),
            number: index + 1,
            checked,
            ticked_in_results: in_results.filter(|_| !item.checked),
            state,
            why,
            proven_by,
            line: item.line,
        }
    });
    criteria.collect()
}

/// Whether a criterion of the results is one of the plan, perhaps with a note after it.
#[must_use]
pub fn is_same_criterion(planned: &str, recorded: &str) -> bool {
    let (planned, recorded) = (plain_criterion(planned), plain_criterion(recorded));
    let planned = planned.trim_end_matches(['.', ';', ':', ',']);
    let note = recorded.strip_prefix(planned);
    let Some(note) = note.filter(|_| !planned.is_empty()) else {
        return false;
    };
    let note = note.trim_start_matches(['.', ';', ':', ',']).trim_start();
    let signs = ['(', '[', '—', '–', '-', '→', '✅', '✓', '✔', '❌', '⚠', '='];
    note.is_empty() || note.starts_with(signs)
}

/// The text of a criterion on one line, in lower case, with units joined to their numbers.
#[must_use]
pub fn plain_criterion(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    with_units_joined(&words.join(" "))
}

/// The line of the results that ticks the criterion.
fn ticked_in(criterion: &Item, results: &[Item]) -> Option<usize> {
    let mut ticked = results.iter().filter(|item| item.checked);
    let ticked = ticked.find(|item| is_same_criterion(&criterion.text, &item.text))?;
    Some(ticked.line)
}

pub(super) fn is_blank(item: &Item, placeholders: &[Placeholder]) -> bool {
    let mut placeholders = placeholders.iter();
    placeholders.any(|placeholder| item.span.contains(&placeholder.span.start))
}

/// The state of a criterion: the worst state of its proofs.
fn together(proofs: &[ProofStatus], checked: bool) -> (State, Option<String>) {
    let worst = proofs.iter().max_by_key(|proof| weight(proof.state));
    let Some(worst) = worst else {
        return (State::Pending, None);
    };
    let state = match worst.state {
        State::Pending | State::InProgress | State::Unconfirmed if checked => State::Claimed,
        state => state,
    };
    (state, worst.why.clone())
}

/// The precedence of a state over others of the same criterion.
fn weight(state: State) -> u8 {
    match state {
        State::Proven => 0,
        State::Unconfirmed => 1,
        State::InProgress => 2,
        State::Pending | State::Withdrawn => 3,
        State::Claimed => 4,
        State::Unknown => 5,
        State::Stale => 6,
        State::Failed => 7,
    }
}

type Proved = (State, Option<String>, Option<ConfirmedBy>);

fn prove(poc: &Poc, cx: &Context<'_>, shown: &Shown<'_>, item: &Item, proof: &Proof) -> Proved {
    let with_values = |scope: &Scope, number, (state, why): (State, Option<String>)| {
        let values = || measured(cx, scope, number).filter(|_| state == State::Proven);
        (state, why.or_else(values))
    };
    let (state, why) = match proof {
        Proof::Step(id) => {
            let scope = Scope::Step(id.to_string());
            with_values(&scope, None, of_step(shown.steps, id.as_str()))
        }
        Proof::Done(number) => {
            with_values(&Scope::Done, *number, of_done(poc, cx, shown.runs, *number))
        }
        Proof::Test(name) => of_test(poc, cx, name),
        Proof::Value(name) => of_value(poc, cx, name, &item.text),
        Proof::Person => return of_person(cx, shown, item),
        Proof::Unknown(text) => (
            State::Pending,
            Some(format!(
                "`{text}` is not a proof: write `step ID`, `done`, `done N`, `test NAME`, `value NAME` or `person`"
            )),
        ),
    };
    (state, why, None)
}

fn of_step(steps: &[StepStatus], id: &str) -> (State, Option<String>) {
    let Some(step) = steps.iter().find(|step| step.id == id) else {
        return (State::Pending, Some(format!("the plan has no step {id}")));
    };
    let why = match (step.state, &step.why) {
        (State::Proven, _) => return (State::Proven, None),
        (State::Withdrawn, _) => format!("step {id} was withdrawn"),
        (state, Some(why)) => format!("step {id} is {}: {why}", state.word()),
        (state, None) => format!("step {id} is {}", state.word()),
    };
    let state = match step.state {
        State::Withdrawn | State::Claimed => State::Pending,
        state => state,
    };
    (state, Some(why))
}

fn of_done(
    poc: &Poc,
    cx: &Context<'_>,
    runs: &Runs,
    number: Option<usize>,
) -> (State, Option<String>) {
    let Some(done) = &runs.done else {
        let why = "the plan has no commands under What \"Done\" Looks Like";
        return (State::Pending, Some(why.to_owned()));
    };
    let checks = cx
        .evidence
        .last(&Scope::Done)
        .map(|record| &record.checks[..]);
    let (state, why) = of_evidence(done, "the done block");
    let Some(number) = number else {
        return (state, why);
    };
    let check = checks.and_then(|checks| checks.get(number - 1));
    match (state, check) {
        (State::Proven, Some(_)) => (State::Proven, None),
        // Another command of the block needs the confirmation.
        (State::Unconfirmed, Some(check)) if !check.manual || check.confirmed.is_some() => {
            (State::Proven, None)
        }
        (State::Proven | State::Unconfirmed, None) => (
            State::Pending,
            Some(format!(
                "the done block of {} has no command {number}",
                poc.paths.name
            )),
        ),
        _ => (state, why),
    }
}

fn of_evidence(evidence: &EvidenceState, what: &str) -> (State, Option<String>) {
    match evidence {
        EvidenceState::Proven => (State::Proven, None),
        EvidenceState::Nothing => (State::Pending, Some(format!("{what} has not been run"))),
        EvidenceState::Unconfirmed(id) => (
            State::Unconfirmed,
            Some(format!(
                "the result of {id} needs a confirmation by a person"
            )),
        ),
        EvidenceState::Stale(why) => (State::Stale, Some(format!("{what}: {why}"))),
        EvidenceState::OtherCommands => (
            State::Stale,
            Some(format!(
                "the commands of {what} differ from those of its last run"
            )),
        ),
        EvidenceState::Failed(why) => (State::Failed, Some(format!("{what} failed: {why}"))),
        EvidenceState::Unknown => (State::Unknown, None),
    }
}

/// A test has passed if the last run of a scope passed it and is fresh, and no other last run failed it.
fn of_test(poc: &Poc, cx: &Context<'_>, name: &str) -> (State, Option<String>) {
    let mut best = (
        State::Pending,
        Some(format!("no recorded run passed the test `{name}`")),
    );
    for scope in scopes(poc).chain([Scope::Affected, Scope::Full]) {
        let Some(Located { record, .. }) = cx.evidence.last_located(&scope) else {
            continue;
        };
        let failing = record.failing.iter();
        let mut failing =
            failing.flat_map(|(binary, tests)| tests.iter().map(move |test| (binary, test)));
        if failing.any(|(binary, test)| is_test(name, binary, test)) {
            return (
                State::Failed,
                Some(format!("the test `{name}` fails in `{scope}`")),
            );
        }
        let passed = record
            .passed
            .as_ref()
            .and_then(|passed| passed.names().ok());
        if !passed.is_some_and(|passed| has_test(&passed, name)) {
            continue;
        }
        let (state, why) = of_evidence(&evidence_state(poc, cx, &scope), &format!("`{scope}`"));
        // Pending confirmations of other commands do not matter for the test.
        let state = if state == State::Unconfirmed {
            State::Proven
        } else {
            state
        };
        if state == State::Proven {
            best = (State::Proven, None);
        } else if best.0 == State::Pending {
            best = (state, why);
        }
    }
    best
}

/// A value has met its limit if the last run of a step or of the done block measured it, passed and is fresh. It must be so in every
/// scope that measures it. A limit in the text of the criterion must be met too, by all of the spread.
fn of_value(poc: &Poc, cx: &Context<'_>, name: &str, criterion: &str) -> (State, Option<String>) {
    let found = scopes(poc).filter_map(|scope| {
        let record = &cx.evidence.last_located(&scope)?.record;
        let mut measured = record.checks.iter().flat_map(|check| &check.measured);
        let value = measured.find(|measured| measured.name.eq_ignore_ascii_case(name))?;
        let evidence = evidence_state(poc, cx, &scope);
        Some(match of_evidence(&evidence, &format!("`{scope}`")) {
            // Pending confirmations of other commands do not matter for the value.
            (State::Proven | State::Unconfirmed, _) => match missed_limit(criterion, value) {
                Some(limit) => {
                    let why = format!("{limit} expected by the criterion, but {}", shown(value));
                    (State::Failed, Some(why))
                }
                None => (State::Proven, Some(shown(value))),
            },
            other => other,
        })
    });
    let worst = found.min_by_key(|(state, _)| Reverse(weight(*state)));
    worst.unwrap_or_else(|| {
        let why = format!("no recorded run measured the value `{name}`");
        (State::Pending, Some(why))
    })
}

/// The first limit in a text, in the unit of a value, that the value does not meet.
fn missed_limit(text: &str, measured: &Measured) -> Option<String> {
    let (low, high) = measured.spread.unwrap_or((measured.value, measured.value));
    let missed = limits_in(text).into_iter().find(|(relation, limit)| {
        let holds = |value| relation.holds(value, limit.value);
        limit.unit == measured.unit && !(holds(low) && holds(high))
    });
    missed.map(|(relation, limit)| format!("{relation} {limit}"))
}

/// The scopes with commands of the plan that prove it.
fn scopes(poc: &Poc) -> impl Iterator<Item = Scope> {
    let steps = poc.plan.steps.iter();
    let steps = steps.map(|step| Scope::Step(step.id.to_string()));
    steps.chain([Scope::Done])
}

fn has_test(names: &Names, wanted: &str) -> bool {
    let mut names = names.iter();
    names.any(|(binary, tests)| tests.iter().any(|test| is_test(wanted, binary, test)))
}

fn of_person(cx: &Context<'_>, shown: &Shown<'_>, item: &Item) -> Proved {
    let what = Confirmed::name_of_criterion(&item.text);
    let (state, why, by) = confirmed(cx, &what, "it");
    let mut live = shown
        .steps
        .iter()
        .filter(|step| step.state != State::Withdrawn);
    let state = if state == State::Unconfirmed && !live.all(|step| step.state == State::Proven) {
        // It is confirmed when the work is done.
        State::Pending
    } else {
        state
    };
    (state, why, by)
}

/// The state of a person's confirmation of `what`.
pub(super) fn confirmed(cx: &Context<'_>, what: &str, subject: &str) -> Proved {
    let mut confirmations = cx.contract.confirmations().rev();
    let Some((entry, confirmed)) = confirmations.find(|(_, confirmed)| confirmed.what == what)
    else {
        let why = format!("a person has to confirm {subject}");
        return (State::Unconfirmed, Some(why), None);
    };
    let by = ConfirmedBy {
        by: entry.by.clone().unwrap_or_default(),
        time: entry.time.clone(),
        commit: confirmed.commit.clone(),
    };
    if cx.workspace.is_none() {
        return (State::Unknown, None, Some(by));
    }
    let changed = changed(cx, confirmed);
    if changed.is_empty() {
        return (State::Proven, None, Some(by));
    }
    let why = format!(
        "changed since {} confirmed {subject}: {}",
        by.by,
        listed(&changed, 4)
    );
    (State::Stale, Some(why), Some(by))
}

fn changed(cx: &Context<'_>, confirmed: &Confirmed) -> Vec<String> {
    freshness::changed_of(&confirmed.inputs, cx.inputs)
}
