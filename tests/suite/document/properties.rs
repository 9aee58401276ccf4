//! Properties that hold for any document.

use cargo_poc::internals::document::edit::Edits;
use cargo_poc::internals::document::plan::Plan;
use cargo_poc::internals::document::{Document, Item, Span, read_foreign, read_plan, read_results};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::property::{cases, text};

/// Lines that matter to some reader, and the characters that break careless ones.
const LINES: &[&str] = &[
    "# Plan",
    "## Overview",
    "## Summary",
    "## Success Criteria",
    "## Prerequisites",
    "### 1. Identify Affected Tests",
    "## Implementation Steps",
    "### Step 1: One -- two: three",
    "### Step 4b: Half ✅",
    "### ~~Step 6~~: Moved",
    "### Step 2 - Complete",
    "#### Review",
    "## Test Summary",
    "## Files to Create/Modify",
    "## Dependencies",
    "## What \"Done\" Looks Like",
    "## Final Validation",
    "| Attribute | Value |",
    "| File | Action | Status |",
    "| Test File | Tests | What It Covers |",
    "|---|---|",
    "|---|---|---|",
    "| **Name** | a \\| b |",
    "| **Status** |  |",
    "| `src/a.rs` | Create | Pending |",
    "| `src/[name].rs` | Rename to `b` | x | y |",
    "| a |",
    "**Goal**: to be",
    "**Tasks** (in order):",
    "**Status:** ✅ Complete",
    "**Test Results**: 34/34 tests passing (61/61 full suite)",
    "**Issues**:",
    "**Update** `f`:",
    "**Affected tests: ~12 tests**",
    "**",
    "- [ ] open",
    "- [x] ticked שלום",
    "  - [X] nested 🦀",
    "- []",
    "1. [ ] **numbered**",
    "\t- [ ] tab  ",
    "- plain",
    "> - [ ] quoted",
    "```bash",
    "```",
    "````markdown",
    "~~~",
    "cargo test 2>&1 | tail",
    "# Expected: ~61 tests",
    "<!-- cargo-poc:begin a -->",
    "<!-- cargo-poc:end a -->",
    "<!--",
    "-->",
    "---",
    "===",
    "[fill in: a `b` [c]]",
    "[What this validates] [N] [x](y)",
    "2026-01-03T10:20:30-0800",
    "&amp; \\* \\[ <b>",
    "é\u{301}\u{feff}\u{202e}\0",
    "",
    "",
    "  ",
];

pub(crate) fn document() -> impl Strategy<Value = Document> {
    let line = prop_oneof![8 => select(LINES).prop_map(ToOwned::to_owned), 1 => text("\\PC{0,12}")];
    let ending = select(&["\n", "\r\n", "  \n", "\r"][..]);
    let mixed = vec((line.clone(), ending), 0..24).prop_map(|lines| {
        lines
            .into_iter()
            .map(|(line, ending)| line + ending)
            .collect::<String>()
    });
    let uniform = (vec(line, 0..24), select(&["\n", "\r\n"][..]))
        .prop_map(|(lines, ending)| lines.join(ending));
    (any::<bool>(), prop_oneof![mixed, uniform]).prop_map(|(mark, text)| {
        let mark = if mark { "\u{feff}" } else { "" };
        Document::from_text("docs/a-plan.md", format!("{mark}{text}"))
    })
}

/// Every span that a reader hands out.
fn spans(document: &Document) -> Vec<Span> {
    let plan = read_plan(document);
    let results = read_results(document);
    let fields = plan.steps.iter().flat_map(|step| &step.fields);
    let fields = fields.chain(results.steps.iter().flat_map(|step| &step.fields));
    let mut spans: Vec<Span> = fields
        .flat_map(|field| [field.span.clone(), field.value_span.clone()])
        .collect();
    spans.extend(
        plan.criteria
            .iter()
            .flat_map(|item| [item.span.clone(), item.mark.clone()]),
    );
    spans.extend(
        plan.steps
            .iter()
            .flat_map(|step| &step.tasks)
            .flat_map(|item| [item.span.clone(), item.mark.clone()]),
    );
    spans.extend(
        plan.steps
            .iter()
            .flat_map(|step| [step.heading.clone(), step.body.clone()]),
    );
    spans.extend(
        plan.steps
            .iter()
            .filter_map(|step| step.mark.as_ref())
            .map(|mark| mark.span.clone()),
    );
    spans.extend(
        plan.overview
            .iter()
            .chain(&results.summary)
            .flat_map(|row| [row.key_span.clone(), row.value_span.clone()]),
    );
    spans.extend(plan.files.iter().flat_map(|row| {
        [
            row.span.clone(),
            row.path_span.clone(),
            row.note_span.clone(),
        ]
    }));
    spans.extend(plan.tests.iter().map(|row| row.count_span.clone()));
    spans.extend(
        plan.done
            .iter()
            .chain(&plan.baseline)
            .flat_map(|block| [block.span.clone(), block.code_span.clone()]),
    );
    spans.extend(
        plan.regions
            .iter()
            .flat_map(|region| [region.inner.clone(), region.outer.clone()]),
    );
    spans.extend(
        plan.sections
            .iter()
            .flat_map(|section| [section.heading.clone(), section.span.clone()]),
    );
    spans.extend(
        plan.placeholders
            .iter()
            .map(|placeholder| placeholder.span.clone()),
    );
    spans.extend(
        plan.problems
            .iter()
            .chain(&results.problems)
            .map(|problem| problem.span.clone()),
    );
    spans.extend(results.footer.iter().map(|footer| footer.span.clone()));
    spans
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn any_text_is_read_without_panic(text in text("(\\PC|[\\r\\n\\t`*_#|\\[\\]<>~!:-])*")) {
        let document = Document::from_text("a.md", text.clone());
        let _ = (read_plan(&document), read_results(&document), read_foreign(&document));
        prop_assert_eq!(Edits::new(&document).apply().unwrap(), text);
    }

    #[test]
    fn every_span_is_in_the_document_on_character_boundaries(document in document()) {
        for span in spans(&document) {
            prop_assert!(document.text().get(span.clone()).is_some(), "{:?} of {:?}", span, document.text());
        }
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn bytes_outside_the_edited_spans_are_kept(
        document in document(),
        chosen in vec((any::<Index>(), text("[a|\\n é🦀]{0,6}")), 1..5),
    ) {
        let text = document.text();
        let mut all = spans(&document);
        all.push(0..0);
        let mut edits = Edits::new(&document);
        let mut changes: Vec<(Span, String)> = Vec::new();
        for (index, replacement) in chosen {
            let span = index.get(&all).clone();
            // two changes of one place are a mistake that `apply` refuses
            if changes.iter().all(|(other, _)| span.end < other.start || other.end < span.start) {
                edits.replace(span.clone(), &replacement);
                changes.push((span, replacement.replace('\n', document.line_ending().as_str())));
            }
        }
        let changed = edits.apply().unwrap();
        changes.sort_by_key(|(span, _)| span.start);
        let (mut before, mut after) = (0, 0);
        for (span, replacement) in changes {
            let kept = span.start - before;
            prop_assert_eq!(&changed[after..after + kept], &text[before..span.start]);
            after += kept;
            prop_assert_eq!(&changed[after..after + replacement.len()], replacement.as_str());
            (before, after) = (span.end, after + replacement.len());
        }
        prop_assert_eq!(&changed[after..], &text[before..]);
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn a_tick_changes_one_box_and_nothing_else(document in document(), index in any::<Index>()) {
        let text = format!("{}\n\n### Step 99: Last\n\n- [ ] open\n* [X] ticked\n", document.text());
        let document = Document::from_text("a.md", text);
        let plan = read_plan(&document);
        let items: Vec<_> = ticks(&plan);
        if items.is_empty() {
            // an open fence or comment swallowed them all
            return Ok(());
        }
        let chosen = index.index(items.len());
        let item = &items[chosen];
        let mut edits = Edits::new(&document);
        edits.tick(item, !item.checked);
        let changed = Document::from_text("a.md", edits.apply().unwrap());
        let (text, new) = (document.text(), changed.text());
        prop_assert_eq!(&new[..item.mark.start], &text[..item.mark.start]);
        prop_assert_eq!(&new[new.len() - (text.len() - item.mark.end)..], &text[item.mark.end..]);
        let mut expected: Vec<_> = items.iter().map(|item| item.checked).collect();
        expected[chosen] = !expected[chosen];
        let read: Vec<_> = ticks(&read_plan(&changed)).iter().map(|item| item.checked).collect();
        prop_assert_eq!(read, expected);
    }
}

fn ticks(plan: &Plan) -> Vec<Item> {
    plan.criteria
        .iter()
        .chain(plan.steps.iter().flat_map(|step| &step.tasks))
        .cloned()
        .collect()
}
