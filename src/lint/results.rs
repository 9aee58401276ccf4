//! The plan against the results: steps, marks, reviews, and sums.

use std::collections::HashSet;

use super::plan::agree;
use super::{Rule, Subject};
use crate::document::plan::Step;
use crate::document::results::{ResultStep, Verdict};
use crate::document::{HeadingMark, Item, SectionKind, Status};
use crate::finding::{Code, Finding, Fix};
use crate::status::State;

pub(super) const RULES: &[Rule] = &[
    missing_step,
    extra_step,
    withdrawn_step,
    retitled_step,
    mark,
    open_step,
    open_flag,
    ticks,
    step_totals,
    final_total,
    falling_count,
    stale_expectation,
];

/// Steps that have no block in the results.
fn missing_step(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if on.results.is_none() {
        return;
    }
    for (index, step) in on.plan.steps.iter().enumerate() {
        let live = on.status.steps[index].state != State::Withdrawn;
        if live && on.recorded(&step.id).is_none() {
            let message = format!("step {} has no block in {}", step.id, on.results_path);
            let finding = on.in_plan(Code::MissingStep, &step.heading, message);
            found.push(finding.fix(block_for(on, index)));
        }
    }
}

/// A block for a step, put behind that of the step before it, as `init` writes one.
fn block_for(on: &Subject<'_>, index: usize) -> Option<Fix> {
    let (document, results) = on.poc.results.as_ref()?;
    let step = on.plan.steps.get(index)?;
    let mut before = on.plan.steps[..index].iter().rev();
    let before = before.find_map(|step| on.recorded(&step.id));
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
    // Above the rule or the blank lines that divide it from what follows.
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
    on.fix_results(
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

/// Blocks of steps that the plan does not have.
fn extra_step(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let planned: HashSet<&str> = on.plan.steps.iter().map(|step| step.id.as_str()).collect();
    for step in on.results.iter().flat_map(|results| &results.steps) {
        if !planned.contains(step.id.as_str()) && !step.withdrawn {
            let message = format!("the plan has no step {}", step.id);
            let help = format!("add it to {}, or take the block out", on.status.plan);
            found.push(
                on.in_results(Code::ExtraStep, &step.heading, message)
                    .help(help),
            );
        }
    }
}

fn said(step: &ResultStep) -> Option<Status> {
    step.status.as_ref()?.status
}

/// Withdrawn here, alive there.
fn withdrawn_step(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for (step, recorded) in &on.pairs {
        let out = matches!(said(recorded), Some(Status::Withdrawn | Status::Skipped));
        if step.withdrawn && !recorded.withdrawn && !out {
            let message = format!(
                "the plan has withdrawn step {}, the results have not",
                step.id
            );
            found.push(on.in_results(Code::WithdrawnStep, &recorded.heading, message));
        } else if !step.withdrawn && recorded.withdrawn {
            let message = format!(
                "the results have withdrawn step {}, the plan has not",
                step.id
            );
            found.push(on.in_plan(Code::WithdrawnStep, &step.heading, message));
        }
    }
}

/// Titles that say something else; a part left out is none.
fn retitled_step(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for (step, recorded) in &on.pairs {
        if step.withdrawn || recorded.withdrawn || same_title(&step.title, &recorded.title) {
            continue;
        }
        let message = format!(
            "step {} is called `{}` here and `{}` in the plan",
            step.id, recorded.title, step.title
        );
        found.push(
            on.in_results(Code::RetitledStep, &recorded.heading, message)
                .fix(retitle(on, step, recorded)),
        );
    }
}

/// Whether one title has all the words of the other, in their order.
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

fn retitle(on: &Subject<'_>, step: &Step, recorded: &ResultStep) -> Option<Fix> {
    let (document, _) = on.poc.results.as_ref()?;
    let heading = document.text().get(recorded.heading.clone())?;
    // Markup makes the text of a heading another one than its title: that is left to a person.
    let mut places = heading.match_indices(&recorded.title);
    let (at, title) = places.next().filter(|(_, title)| !title.is_empty())?;
    let at = recorded.heading.start + at;
    if places.next().is_some() {
        return None;
    }
    on.fix_results(
        "give the heading the plan's title",
        vec![(at..at + title.len(), step.title.clone())],
        |new| {
            let mut steps = new.steps.iter();
            steps.any(|other| other.id == step.id && same_title(&step.title, &other.title))
        },
    )
}

/// Marks in headings that contradict the status below them.
fn mark(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for step in on.results.iter().flat_map(|results| &results.steps) {
        let (Some(mark), Some(status)) = (&step.mark, &step.status) else {
            continue;
        };
        if status.status.is_none_or(|status| status == mark.status) {
            continue;
        }
        let message = format!(
            "the heading's mark and `**Status**: {}` contradict",
            status.text
        );
        found.push(
            on.in_results(Code::Mark, &mark.span, message)
                .help("the status counts")
                .fix(remark(on, step.heading.start, mark, &status.text)),
        );
    }
}

/// The status in place of the mark; a sign is only replaced where the status begins with one.
fn remark(on: &Subject<'_>, heading: usize, mark: &HeadingMark, status: &str) -> Option<Fix> {
    let (document, results) = on.poc.results.as_ref()?;
    let old = document.text().get(mark.span.clone())?;
    let word = |text: &str| text.starts_with(char::is_alphabetic);
    let status = status.split('(').next().unwrap_or_default().trim();
    if status.is_empty() || status.contains(['`', '*', '\n']) || !word(old) && word(status) {
        return None;
    }
    let agrees = |step: &ResultStep| {
        let mark = step.mark.as_ref().map(|mark| mark.status);
        mark.is_some() && mark == said(step)
    };
    on.fix_results(
        "let the heading say what the status says",
        vec![(mark.span.clone(), status.to_owned())],
        |new| {
            let mut steps = new.steps.iter();
            new.steps.len() == results.steps.len()
                && steps.any(|other| other.heading.start == heading && agrees(other))
        },
    )
}

/// Complete as a whole, and a step is not.
fn open_step(on: &Subject<'_>, found: &mut Vec<Finding>) {
    if !on.is_said_complete() {
        return;
    }
    for step in on.results.iter().flat_map(|results| &results.steps) {
        let open = matches!(
            said(step),
            Some(Status::Pending | Status::InProgress | Status::Blocked | Status::Failed)
        );
        // What a run has shown is so, whatever the line says.
        let shown = on.status.steps.iter().any(|shown| {
            shown.id == step.id.as_str()
                && matches!(shown.state, State::Proven | State::Stale | State::Unknown)
        });
        if let (true, Some(status)) = (open && !step.withdrawn && !shown, &step.status) {
            let message = format!(
                "the Summary says complete, and step {} is `{}`",
                step.id, status.text
            );
            found.push(on.in_results(Code::OpenStep, &status.span, message));
        }
    }
}

/// Reviews that ended with FLAG under a step, or a whole, that is called complete.
fn open_flag(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for step in on.results.iter().flat_map(|results| &results.steps) {
        let flagged = step
            .review
            .as_ref()
            .filter(|review| review.verdict == Some(Verdict::Flag));
        let complete = said(step) == Some(Status::Complete) || on.is_said_complete();
        if let (Some(review), true) = (flagged, complete) {
            let message = format!(
                "step {} is called complete, and its review ended with FLAG",
                step.id
            );
            let help = "mend what it flags, then let the review end with PASS";
            found.push(
                on.in_results(Code::OpenFlag, &review.span, message)
                    .help(help),
            );
        }
    }
}

/// Boxes that say something else than the status above them.
fn ticks(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(results) = on.results else { return };
    if let Some(status) = &results.status
        && status.status == Some(Status::Pending)
        && let Some(item) = results.criteria.iter().find(|item| item.checked)
    {
        let message = format!(
            "a criterion is ticked, and the Summary says `{}`",
            status.text
        );
        found.push(on.in_results(Code::ContradictingTick, &first_line(item), message));
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
                "a task is {what}, and step {} is `{}`",
                step.id, status.text
            );
            found.push(on.in_results(Code::ContradictingTick, &first_line(item), message));
        }
    }
}

/// An entry of a list; a finding shows its first line.
fn first_line(item: &Item) -> crate::document::Span {
    item.span.clone()
}

/// Test Results that do not add up, or that a status contradicts.
fn step_totals(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for step in on.results.iter().flat_map(|results| &results.steps) {
        let Some(tests) = &step.test_results else {
            continue;
        };
        let complete = said(step) == Some(Status::Complete);
        let message = match (tests.passed, tests.total, tests.full_suite) {
            (Some(passed), Some(total), _) if passed > total => {
                format!("{passed} tests cannot pass of {total}")
            }
            (Some(passed), Some(total), _) if passed < total && complete => {
                format!(
                    "step {} is called complete with {passed} of {total} tests passing",
                    step.id
                )
            }
            (_, Some(total), Some((_, full))) if total > full => {
                format!("{total} tests are more than the {full} of the full suite")
            }
            (_, _, Some((passed, full))) if passed < full && complete => {
                format!(
                    "step {} is called complete with {passed} of {full} tests of the full suite passing",
                    step.id
                )
            }
            _ => continue,
        };
        found.push(on.in_results(Code::Totals, &tests.span, message));
    }
}

/// A Final Validation whose parts are not its total.
fn final_total(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(validation) = on.results.map(|results| &results.validation) else {
        return;
    };
    let Some(total) = validation.total.filter(|_| validation.parts.len() > 1) else {
        return;
    };
    let parts = validation.parts.iter().map(|(_, count)| count);
    let sum = parts
        .clone()
        .try_fold(0_u64, |sum, count| sum.checked_add(count.value));
    let guess = total.approximate || parts.clone().any(|count| count.approximate);
    let Some(sum) = sum.filter(|sum| !agree(*sum, total.value, guess)) else {
        return;
    };
    let parts: Vec<String> = parts.map(|count| count.value.to_string()).collect();
    let message = format!(
        "the total is {}, and its parts come to {sum} ({})",
        total.value,
        parts.join(" + ")
    );
    let line = validation
        .fields
        .iter()
        .find(|field| field.name.to_lowercase().starts_with("total"));
    let line = line.map_or(validation.line, |field| field.line);
    found.push(on.in_results_line(Code::Totals, line, message));
}

/// Fewer tests after a step than after the one before it. A step's own tests are not the suite's: only counts of one
/// kind are compared, and those of a step alone only where they look like a suite's, half of the count before or more.
fn falling_count(on: &Subject<'_>, found: &mut Vec<Finding>) {
    const EXCUSES: &[&str] = &[
        "removed", "deleted", "merged", "dropped", "replaced", "obsolete", "- ",
    ];
    let mut last: [Option<(u64, &ResultStep)>; 2] = [None, None];
    for step in on.results.iter().flat_map(|results| &results.steps) {
        let Some(tests) = &step.test_results else {
            continue;
        };
        let full = tests.full_suite.map(|(_, total)| total);
        let (kind, count) = match (full, tests.total) {
            (Some(full), _) => (0, full),
            (None, Some(total)) => (1, total),
            (None, None) => continue,
        };
        if let Some((before, at)) = last[kind]
            && count < before
            && (kind == 0 || count * 2 >= before)
            && !EXCUSES
                .iter()
                .any(|excuse| tests.text.to_lowercase().contains(excuse))
        {
            let message = format!(
                "{count} tests after step {}, and {before} after step {}",
                step.id, at.id
            );
            let help = "say in the line which were removed, or restore them";
            found.push(
                on.in_results(Code::FallingCount, &tests.span, message)
                    .help(help),
            );
        }
        last[kind] = Some((count, step));
    }
}

/// Counts expected by the done block that the results' total has left behind.
fn stale_expectation(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let total = on.results.and_then(|results| results.validation.total);
    let Some(total) = total.filter(|total| !total.approximate) else {
        return;
    };
    let expected = on.plan.done.iter().flat_map(expectations);
    // The full suite's is the largest; the others are of parts of it.
    let Some((line, count)) = expected.max_by_key(|(_, count)| count.value) else {
        return;
    };
    let met = match count {
        _ if count.lower_bound => total.value >= count.value,
        _ => agree(count.value, total.value, count.approximate),
    };
    if !met {
        let sign = if count.approximate { "~" } else { "" };
        let message = format!(
            "{sign}{} tests are expected here, and the results have {}",
            count.value, total.value
        );
        found.push(on.in_plan_line(Code::StaleExpectation, line, message));
    }
}

struct Expected {
    value: u64,
    approximate: bool,
    lower_bound: bool,
}

/// `# Expected: ~61 tests` and its like, with their lines.
fn expectations(block: &crate::document::Block) -> Vec<(usize, Expected)> {
    let lines = block.code.lines().enumerate();
    let expected = lines.filter_map(|(index, line)| {
        let text = line.trim().strip_prefix('#')?.trim();
        let text = text.to_lowercase();
        let text = text
            .strip_prefix("expected")?
            .trim_start_matches([':', ' ']);
        let tests = ["test", "pass", "green"]
            .iter()
            .any(|word| text.contains(word));
        let count = crate::document::count(text).filter(|_| tests)?;
        let after = text
            .split(&count.value.to_string())
            .nth(1)
            .unwrap_or_default();
        Some((
            block.line + 1 + index,
            Expected {
                value: count.value,
                lower_bound: after.starts_with('+'),
                approximate: count.approximate,
            },
        ))
    });
    expected.collect()
}
