//! Edits of a step in arbitrary documents: every byte outside the edit is kept.

use cargo_poc::internals::document::edit::Edits;
use cargo_poc::internals::document::plan::Plan;
use cargo_poc::internals::document::results::Results;
use cargo_poc::internals::document::step_edit::{self, NewStep, Note};
use cargo_poc::internals::document::{
    Document, Label, Span, Status, StepId, read_plan, read_results,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::properties::document;
use crate::property::cases;

/// Steps with content that careless editors lose: tabs, trailing blanks, emoji, right-to-left text.
const PLANNED: &str = "\n\n### Step 98: First \u{1f980} \t\n\n**Goal**: \u{5e9}\u{5dc}\u{5d5}\u{5dd}  \n\n**Tasks**:\n- [ ] one\t\n  - detail \n\
     - [x] two \u{202e}owt\n\n**Verification**:\n```bash\ncargo test\t\n```\n\n---\n\n### Step 99: Last\n\n**Tasks**:\n-\t[ ] end  \n";
const RECORDED: &str = "\n\n### Step 98: First \u{1f980} ✅\t\n\n**Status**: Pending \t\n\n**Test Results**: 1/1 \u{5d1}\n\n**Issues**: None  \n\n\
     **Lessons Learned**:\n- it is\tslow \n\n**Result**: --\n\n---\n\n### Step 99: Last\n\n**Status**:\n\n**Issues**:\n- \u{645}\u{631}\u{62d}\u{628}\u{627}\t\n";

#[derive(Debug, Clone, Copy)]
enum Change {
    Begin,
    Complete,
    Strike,
    AddToPlan,
    AddToResults,
    Take,
    Note(Note),
    Fill,
}

const CHANGES: &[Change] = &[
    Change::Begin,
    Change::Complete,
    Change::Strike,
    Change::AddToPlan,
    Change::AddToResults,
    Change::Take,
    Change::Note(Note::Issue),
    Change::Note(Note::Lesson),
    Change::Note(Note::Decision),
    Change::Note(Note::Deviation),
    Change::Fill,
];

/// A document with the steps behind it, in its own line ends.
fn with_steps(document: &Document, steps: &str) -> Document {
    let steps = steps.replace('\n', document.line_ending().as_str());
    Document::from_text("a.md", format!("{}{steps}", document.text()))
}

/// The text with the change made, and the bytes it was to be made in; `None` where the step cannot be seen, because a
/// fence or a comment before it is open.
fn changed(
    change: Change,
    id: &StepId,
    planned: (&Document, &Plan),
    recorded: (&Document, &Results),
) -> Option<(Document, String, Span)> {
    let ((plan_document, plan), (results_document, results)) = (planned, recorded);
    let step = plan.steps.iter().rfind(|step| step.id == *id)?;
    let block = results.steps.iter().rfind(|step| step.id == *id)?;
    let of_plan = matches!(change, Change::Strike | Change::AddToPlan | Change::Take);
    let document = if of_plan {
        plan_document
    } else {
        results_document
    };
    let mut edits = Edits::new(document);
    let mut within = if of_plan {
        step.heading.start..step.body.end
    } else {
        block.heading.start..block.body.end
    };
    match change {
        Change::Begin => {
            step_edit::set_status(&mut edits, block, Status::InProgress, "In Progress (now)");
        }
        Change::Complete => {
            step_edit::set_status(&mut edits, block, Status::Complete, "Complete (now)");
        }
        Change::Strike => step_edit::strike(&mut edits, &step.heading, id),
        Change::AddToPlan => {
            let new = NewStep {
                title: "New".to_owned(),
                ..NewStep::default()
            };
            step_edit::add_to_plan(&mut edits, plan, step, &StepId::new("98b"), &new);
            within = step.body.end..step.body.end;
        }
        Change::AddToResults => {
            let before = results.steps.len();
            step_edit::add_to_results(
                &mut edits,
                plan,
                results,
                &StepId::new("100"),
                "New",
                "Pending",
            );
            assert_eq!(before, results.steps.len());
            within = 0..document.text().len();
        }
        Change::Take => {
            let taken = step_edit::take_tasks(&mut edits, step, &[1]);
            assert_eq!(taken.len(), 1);
        }
        Change::Note(note) => {
            step_edit::add_note(&mut edits, results, block, note, "noted \u{1f600}");
            if matches!(note, Note::Decision) {
                within = 0..document.text().len();
            }
        }
        Change::Fill => step_edit::fill(&mut edits, block, Label::Result, "it works"),
    }
    Some((document.clone(), edits.apply().unwrap(), within))
}

/// How many lines of `old` stand, in their order and byte for byte, in `new`.
fn kept(old: &str, new: &str) -> usize {
    let mut rest = new.split_inclusive('\n');
    let mut kept = 0;
    let mut ahead = rest.clone();
    for line in old.split_inclusive('\n') {
        if ahead.any(|other| other == line) {
            kept += 1;
            rest = ahead.clone();
        } else {
            ahead = rest.clone();
        }
    }
    kept
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn every_byte_outside_a_step_edit_is_kept(
        plan in document(),
        results in document(),
        change in select(CHANGES),
        id in select(&["98", "99"][..]),
    ) {
        let (plan_document, results_document) = (with_steps(&plan, PLANNED), with_steps(&results, RECORDED));
        let (plan, results) = (read_plan(&plan_document), read_results(&results_document));
        let id = StepId::new(id);
        let Some((document, new, within)) = changed(change, &id, (&plan_document, &plan), (&results_document, &results)) else {
            return Ok(());
        };
        let old = document.text();
        let behind = old.len() - within.end;
        prop_assert!(new.len() >= within.start + behind, "{change:?}: {new:?}");
        prop_assert_eq!(&new[..within.start], &old[..within.start], "{:?}", change);
        prop_assert_eq!(&new[new.len() - behind..], &old[within.end..], "{:?}", change);
        // Inside, an edit touches two lines at most: the heading's mark and a value, or a task with its detail. The last line
        // may get the line end that it lacked.
        let (was, is) = (&old[within.clone()], &new[within.start..new.len() - behind]);
        let lines = was.split_inclusive('\n').count();
        prop_assert!(kept(was, is) + 3 >= lines, "{change:?}: {was:?} became {is:?}");
        if !matches!(change, Change::Take | Change::Begin | Change::Complete | Change::Fill | Change::Note(_)) {
            prop_assert!(kept(was, is) + 1 >= lines, "{change:?}: {was:?} became {is:?}");
        }
    }
}
