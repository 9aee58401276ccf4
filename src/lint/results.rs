//! Compares the plan with the results: steps, marks, reviews and sums.

use std::collections::HashSet;

use super::context::{Check, LintContext};
use crate::document::plan::Step;
use crate::document::results::{ResultStep, Verdict};
use crate::document::{HeadingMark, Item, SectionKind, Status};
use crate::finding::{Code, Finding, Fix, Gate, Rule, Severity};
use crate::status::State;

pub(super) const CHECKS: &[Check] = &[
    (&[MISSING_STEP], missing_step),
    (&[EXTRA_STEP], extra_step),
    (&[HALF_WITHDRAWN_STEP], withdrawn_step),
    (&[RETITLED_STEP], retitled_step),
    (&[CONTRADICTING_MARK], mark),
    (&[OPEN_STEP], open_step),
    (&[OPEN_FLAG], open_flag),
    (&[CONTRADICTING_TICK], ticks),
];

pub(crate) const MISSING_STEP: Code = Code::new(&Rule {
    code: "POC040",
    name: "missing-step",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a step is missing from the results",
    page: r"
The results have no block for a step of the plan, so its progress cannot be recorded. `--fix` adds an empty block.

```markdown
### Step 2: Forget them
```
",
});

/// Steps without a block in the results.
fn missing_step(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if cx.results.is_none() {
        return;
    }
    let mut before = None;
    for (index, step) in cx.plan.steps.iter().enumerate() {
        let live = cx.status.steps[index].state != State::Withdrawn;
        if live && cx.recorded(&step.id).is_none() {
            let message = format!("step {} has no block in {}", step.id, cx.results_path);
            let finding = cx.in_plan(MISSING_STEP, &step.heading, message);
            found.push(finding.fix(block_for(cx, step, before)));
        }
        before = cx.recorded(&step.id).or(before);
    }
}

/// Inserts a block for a step after the block of the preceding step, in the form of `init`.
fn block_for(cx: &LintContext<'_>, step: &Step, before: Option<&ResultStep>) -> Option<Fix> {
    let (document, results) = cx.poc.results.as_ref()?;
    let section = || {
        results
            .sections
            .iter()
            .find(|section| section.kind == SectionKind::Steps)
    };
    let (at, level) = if let Some(block) = before {
        (
            block.body.end,
            marks(&document.text()[block.heading.clone()]),
        )
    } else {
        let section = section()?;
        let first = results.steps.first();
        let first = first.filter(|step| section.span.contains(&step.heading.start));
        (first.map_or(section.span.end, |step| step.heading.start), 3)
    };
    let text = document.text();
    // Above the thematic break or the blank lines that end the section.
    let end = text[..at]
        .trim_end_matches(['\n', '\r', ' ', '\t', '-'])
        .len();
    let heading = "#".repeat(level.clamp(2, 6));
    let block = format!(
        "\n\n{heading} Step {}: {}\n\n**Status**: Pending\n\n**Expected**: {}\n\n**Implementation**: --\n\n\
         **Test Results**: --\n\n**Issues**: None\n\n**Lessons Learned**: None\n\n**Result**: --",
        step.id,
        step.title,
        if step.output.is_empty() {
            "--"
        } else {
            &step.output
        },
    );
    let lead = if at > end || at == text.len() {
        ""
    } else {
        "\n\n"
    };
    cx.fix_results(
        "add a block for it to the results",
        vec![(end..end, format!("{block}{lead}"))],
        |new| {
            new.steps.len() == results.steps.len() + 1
                && new.steps.iter().any(|recorded| recorded.id == step.id)
        },
    )
}

fn marks(heading: &str) -> usize {
    heading.chars().take_while(|sign| *sign == '#').count()
}

pub(crate) const EXTRA_STEP: Code = Code::new(&Rule {
    code: "POC041",
    name: "extra-step",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a step is missing from the plan",
    page: r"
The results record a step that the plan does not have. Add it to the plan, or remove the block.

```markdown
### Step 2: Forget them
```
",
});

/// Blocks of steps that the plan does not have.
fn extra_step(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let planned: HashSet<&str> = cx.plan.steps.iter().map(|step| step.id.as_str()).collect();
    for step in cx.results.iter().flat_map(|results| &results.steps) {
        if !planned.contains(step.id.as_str()) && !step.withdrawn {
            let message = format!("the plan has no step {}", step.id);
            let help = format!("add it to {}, or remove the block", cx.status.plan);
            found.push(cx.in_results(EXTRA_STEP, &step.heading, message).help(help));
        }
    }
}

pub(super) fn claimed_status(step: &ResultStep) -> Option<Status> {
    step.status.as_ref()?.status
}

pub(crate) const HALF_WITHDRAWN_STEP: Code = Code::new(&Rule {
    code: "POC042",
    name: "half-withdrawn-step",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a step is withdrawn in only one document",
    page: r"
One document strikes the step out, or has `Withdrawn` or `Skipped` as its status, and the other does not. Only the plan decides: a
step that is withdrawn in the results alone is still open.

```markdown
### ~~Step 2~~: Forget them
```
",
});

/// Steps that only one document has withdrawn.
fn withdrawn_step(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for (step, recorded) in &cx.pairs {
        let out = matches!(
            claimed_status(recorded),
            Some(Status::Withdrawn | Status::Skipped)
        );
        if step.withdrawn && !recorded.withdrawn && !out {
            let message = format!(
                "step {} is withdrawn in the plan, but not in the results",
                step.id
            );
            found.push(cx.in_results(HALF_WITHDRAWN_STEP, &recorded.heading, message));
        } else if !step.withdrawn && (recorded.withdrawn || out) {
            let message = format!(
                "step {0} is withdrawn in the results, but not in the plan, so it counts as open; run `cargo poc step withdraw {1} {0}`",
                step.id, cx.poc.paths.name
            );
            found.push(cx.in_plan(HALF_WITHDRAWN_STEP, &step.heading, message));
        }
    }
}

pub(crate) const RETITLED_STEP: Code = Code::new(&Rule {
    code: "POC043",
    name: "retitled-step",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a step has different titles in plan and results",
    page: r"
Steps are matched by id, so nothing is lost, but a reader may think that these are different steps. Omitting a part such as
`+ Tests` is allowed. `--fix` copies the plan's title.

```markdown
### Step 1: Keep questions
```
",
});

/// Titles that differ; an omitted part is no difference.
fn retitled_step(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for (step, recorded) in &cx.pairs {
        if step.withdrawn || recorded.withdrawn || same_title(&step.title, &recorded.title) {
            continue;
        }
        let message = format!(
            "the title of step {} is `{}`, but `{}` in the plan",
            step.id, recorded.title, step.title
        );
        found.push(
            cx.in_results(RETITLED_STEP, &recorded.heading, message)
                .fix(retitle(cx, step, recorded)),
        );
    }
}

/// Whether one title contains all words of the other in the same order.
fn same_title(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let words = |title: &str| -> Vec<String> {
        let words = title.split(|sign: char| !sign.is_alphanumeric());
        words
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (one, other) = (words(one), words(other));
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let mut rest = long.iter();
    !short.is_empty() && short.iter().all(|word| rest.any(|other| other == word)) || long.is_empty()
}

fn retitle(cx: &LintContext<'_>, step: &Step, recorded: &ResultStep) -> Option<Fix> {
    let (document, _) = cx.poc.results.as_ref()?;
    let heading = document.text().get(recorded.heading.clone())?;
    // With markup, the heading differs from its title: left to a person.
    let mut places = heading.match_indices(&recorded.title);
    let (at, title) = places.next().filter(|(_, title)| !title.is_empty())?;
    let at = recorded.heading.start + at;
    if places.next().is_some() {
        return None;
    }
    cx.fix_results(
        "copy the title of the plan",
        vec![(at..at + title.len(), step.title.clone())],
        |new| {
            let mut steps = new.steps.iter();
            steps.any(|other| other.id == step.id && same_title(&step.title, &other.title))
        },
    )
}

pub(crate) const CONTRADICTING_MARK: Code = Code::new(&Rule {
    code: "POC053",
    name: "contradicting-mark",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a mark in a heading contradicts the status below it",
    page: r"
The mark in a heading of the results differs from the `**Status**` line below it. The status line counts. `--fix` updates the
heading.

```markdown
### Step 1: Keep answers - Complete

**Status**: In Progress
```
",
});

/// Marks in headings that contradict the status below them.
fn mark(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for step in cx.results.iter().flat_map(|results| &results.steps) {
        let (Some(mark), Some(status)) = (&step.mark, &step.status) else {
            continue;
        };
        if status.status.is_none_or(|status| status == mark.status) {
            continue;
        }
        let message = format!(
            "the mark in the heading contradicts `**Status**: {}`",
            status.text
        );
        found.push(
            cx.in_results(CONTRADICTING_MARK, &mark.span, message)
                .help("correct one of them; the status counts")
                .fix(remark(cx, step.heading.start, mark, &status.text)),
        );
    }
}

/// Replaces the mark by the status; a symbol is only replaced if the status begins with one.
fn remark(cx: &LintContext<'_>, heading: usize, mark: &HeadingMark, status: &str) -> Option<Fix> {
    let (document, results) = cx.poc.results.as_ref()?;
    let old = document.text().get(mark.span.clone())?;
    let word = |text: &str| text.starts_with(char::is_alphabetic);
    let status = status.split('(').next().unwrap_or_default().trim();
    if status.is_empty() || status.contains(['`', '*', '\n']) || !word(old) && word(status) {
        return None;
    }
    let agrees = |step: &ResultStep| {
        let mark = step.mark.as_ref().map(|mark| mark.status);
        mark.is_some() && mark == claimed_status(step)
    };
    cx.fix_results(
        "copy the status to the heading",
        vec![(mark.span.clone(), status.to_owned())],
        |new| {
            let mut steps = new.steps.iter();
            new.steps.len() == results.steps.len()
                && steps.any(|other| other.heading.start == heading && agrees(other))
        },
    )
}

pub(crate) const OPEN_STEP: Code = Code::new(&Rule {
    code: "POC054",
    name: "open-step",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the work is called complete, but a step is not",
    page: r"
The Summary says Complete, but a step of the results is pending, in progress, blocked or failed, and no run proves it.

```markdown
**Status**: Pending
```
",
});

/// Open steps of work that is marked as complete.
fn open_step(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    if !cx.claims_complete() {
        return;
    }
    let by_evidence: HashSet<&str> = { cx.status.steps.iter() }
        .filter(|step| matches!(step.state, State::Proven | State::Stale | State::Unknown))
        .map(|step| step.id.as_str())
        .collect();
    for step in cx.results.iter().flat_map(|results| &results.steps) {
        let open = matches!(
            claimed_status(step),
            Some(Status::Pending | Status::InProgress | Status::Blocked | Status::Failed)
        );
        // A proven step counts as done, whatever its Status line says.
        let shown = by_evidence.contains(step.id.as_str());
        if let (true, Some(status)) = (open && !step.withdrawn && !shown, &step.status) {
            let message = format!(
                "the Summary says complete, but step {} is `{}`",
                step.id, status.text
            );
            found.push(cx.in_results(OPEN_STEP, &status.span, message));
        }
    }
}

pub(crate) const OPEN_FLAG: Code = Code::new(&Rule {
    code: "POC049",
    name: "open-flag",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the work is called complete, but a review ended with FLAG",
    page: r"
A step or the whole work is called complete, but the review of the step ended with FLAG, so a point is open.

```markdown
**Review**: FLAG, the lock is held too long
```
",
});

/// Reviews that ended with FLAG although the step or the work is marked as complete.
fn open_flag(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for step in cx.results.iter().flat_map(|results| &results.steps) {
        let flagged = step
            .review
            .as_ref()
            .filter(|review| review.verdict == Some(Verdict::Flag));
        let complete = claimed_status(step) == Some(Status::Complete) || cx.claims_complete();
        if let (Some(review), true) = (flagged, complete) {
            let message = format!(
                "step {} is marked as complete, but its review ended with FLAG",
                step.id
            );
            let help = "fix what the review flags, then let it end with PASS";
            found.push(cx.in_results(OPEN_FLAG, &review.span, message).help(help));
        }
    }
}

pub(crate) const CONTRADICTING_TICK: Code = Code::new(&Rule {
    code: "POC047",
    name: "contradicting-tick",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a tick contradicts the status above it",
    page: r"
A box is ticked under Pending, or open under Complete.

```markdown
| **Status** | Pending |
```

```markdown
- [x] p99 read latency < 1 ms
```
",
});

/// Boxes that contradict the status above them.
fn ticks(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(results) = cx.results else { return };
    if let Some(status) = &results.status
        && status.status == Some(Status::Pending)
        && let Some(item) = results.criteria.iter().find(|item| item.checked)
    {
        let message = format!(
            "a criterion is ticked, but the Summary says `{}`",
            status.text
        );
        found.push(cx.in_results(CONTRADICTING_TICK, &first_line(item), message));
    }
    for step in &results.steps {
        let (Some(status), false) = (&step.status, step.withdrawn) else {
            continue;
        };
        let wrong = match status.status {
            Some(Status::Pending) => step.tasks.iter().find(|item| item.checked),
            Some(Status::Complete) => step.tasks.iter().find(|item| !item.checked),
            _ => None,
        };
        if let Some(item) = wrong {
            let what = if item.checked { "ticked" } else { "open" };
            let message = format!(
                "a task is {what}, but step {} is `{}`",
                step.id, status.text
            );
            found.push(cx.in_results(CONTRADICTING_TICK, &first_line(item), message));
        }
    }
}

/// The first line of a list entry, which a finding shows.
fn first_line(item: &Item) -> crate::document::Span {
    item.span.clone()
}
