//! The states of the items of the Production-Grade Checklist: what a program can check is computed and needs no tick, the
//! rest a person confirms.

use super::assessment::{
    ChecklistClaim, ChecklistStatus, ConfirmedBy, Contradiction, EvidenceState, Runs, State,
    StepStatus,
};
use super::context::Context;
use super::criteria::{confirmed, is_blank};
use super::sources;
use crate::contract::Confirmed;
use crate::document::Item;
use crate::project::Poc;

/// Words that identify an item that a program can check.
const CLAIMS: &[(&[&str], ChecklistClaim)] = &[
    (
        &["stub", "todo!", "unimplemented!", "dbg!"],
        ChecklistClaim::NoStubs,
    ),
    (&["unwrap"], ChecklistClaim::NoUnwraps),
    (
        &[
            "#[ignore]",
            "switched off",
            "no ignored test",
            "no skipped test",
        ],
        ChecklistClaim::NoIgnoredTests,
    ),
    (
        &["documented:", "doc comment", "public item"],
        ChecklistClaim::Documented,
    ),
    (
        &["secret", "password", "credential"],
        ChecklistClaim::NoSecrets,
    ),
    (
        &[
            "tests exist",
            "covered by a test",
            "has tests",
            "have tests",
        ],
        ChecklistClaim::TestsExist,
    ),
];

/// What a program can check of an item; nothing where only a person can.
#[must_use]
pub fn claims_of(item: &Item) -> Vec<ChecklistClaim> {
    let text = item.text.to_lowercase();
    let is_named = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let claims = CLAIMS.iter().filter(|(words, _)| is_named(words));
    claims.map(|(_, claim)| *claim).collect()
}

pub(super) fn checklist(
    poc: &Poc,
    cx: &Context<'_>,
    steps: &[StepStatus],
    runs: &Runs,
) -> Vec<ChecklistStatus> {
    let mut live = steps.iter().filter(|step| step.state != State::Withdrawn);
    let is_done = live.all(|step| step.state == State::Proven)
        && matches!(runs.done, None | Some(EvidenceState::Proven));
    let items = &poc.plan.checklist;
    let claims: Vec<ChecklistClaim> = items.iter().flat_map(claims_of).collect();
    let mut contradictions = sources::contradictions(&poc.plan, cx, &claims).into_iter();
    let items = items.iter().enumerate().map(|(index, item)| {
        let claims = claims_of(item);
        let contradictions: Vec<Contradiction> = contradictions
            .by_ref()
            .take(claims.len())
            .flatten()
            .collect();
        let (state, why, confirmation) = if is_blank(item, &poc.plan.placeholders) {
            (
                State::Pending,
                Some("it contains a placeholder".to_owned()),
                None,
            )
        } else if !claims.is_empty() {
            let (state, why) = computed(cx, item, &contradictions);
            (state, why, None)
        } else {
            of_person(cx, item, is_done)
        };
        ChecklistStatus {
            text: item.text.clone(),
            number: index + 1,
            line: item.line,
            checked: item.checked,
            claims,
            state,
            why,
            confirmation,
            contradictions,
        }
    });
    items.collect()
}

/// The state of an item that the sources decide.
fn computed(
    cx: &Context<'_>,
    item: &Item,
    contradictions: &[Contradiction],
) -> (State, Option<String>) {
    let Some(first) = contradictions.first() else {
        return match &cx.change {
            Ok(_) if cx.workspace.is_some() => (State::Proven, None),
            _ => (State::Unknown, Some("what changed is not known".to_owned())),
        };
    };
    let more = match contradictions.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = format!("{}:{}: {}{more}", first.path, first.line, first.what);
    let state = if item.checked {
        State::Claimed
    } else {
        State::InProgress
    };
    (state, Some(why))
}

fn of_person(
    cx: &Context<'_>,
    item: &Item,
    is_done: bool,
) -> (State, Option<String>, Option<ConfirmedBy>) {
    let what = Confirmed::name_of_item(&item.text);
    let (state, why, by) = confirmed(cx, &what, "it");
    // It is confirmed when the work is done.
    let early = state == State::Unconfirmed && !is_done;
    (if early { State::Pending } else { state }, why, by)
}
