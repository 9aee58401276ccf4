//! Test counts in the results: totals, counts of consecutive steps, and expected counts.

use super::context::{Check, LintContext};
use super::plan::agree;
use super::results::claimed_status;
use crate::document::Status;
use crate::document::results::ResultStep;
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::script::calls::Call;
use crate::script::lines::command_lines;
use crate::script::simple_commands;

pub(super) const CHECKS: &[Check] = &[
    (&[WRONG_TOTAL], step_totals),
    (&[WRONG_TOTAL], final_total),
    (&[FALLING_COUNT], falling_count),
    (&[OUTDATED_EXPECTATION], stale_expectation),
];

pub(crate) const WRONG_TOTAL: Code = Code::new(&Rule {
    code: "POC050",
    name: "wrong-total",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "test counts do not add up",
    page: r"
The parts do not add up to the total, more tests passed than ran, or a step is called complete although fewer tests passed than
ran.

```markdown
| Suite | Tests |
|-------|-------|
| unit | 280 |
| integration | 14 |
| doc | 5 |

**Total**: 294 tests
```
",
});

/// Test Results that do not add up, or contradict the status.
fn step_totals(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for step in cx.results.iter().flat_map(|results| &results.steps) {
        let Some(tests) = &step.test_results else {
            continue;
        };
        let complete = claimed_status(step) == Some(Status::Complete);
        let message = match (tests.passed, tests.total, tests.full_suite) {
            (Some(passed), Some(total), _) if passed > total => {
                format!("{passed} of {total} tests cannot pass")
            }
            (Some(passed), Some(total), _) if passed < total && complete => {
                format!(
                    "step {} is marked as complete with {passed} of {total} tests passing",
                    step.id
                )
            }
            (_, Some(total), Some((_, full))) if total > full => {
                format!("{total} tests exceed the {full} tests of the full suite")
            }
            (_, _, Some((passed, full))) if passed < full && complete => {
                format!(
                    "step {} is marked as complete with {passed} of {full} tests of the full suite passing",
                    step.id
                )
            }
            _ => continue,
        };
        found.push(cx.in_results(WRONG_TOTAL, &tests.span, message));
    }
}

/// A Final Validation whose parts do not add up to its total.
fn final_total(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(validation) = cx.results.map(|results| &results.validation) else {
        return;
    };
    if validation.parts.len() < 2 {
        return;
    }
    let parts = validation.parts.iter().map(|(_, count)| count);
    let sum = parts
        .clone()
        .try_fold(0_u64, |sum, count| sum.checked_add(count.value));
    let Some(sum) = sum else {
        return;
    };
    let guess = parts.clone().any(|count| count.approximate);
    let parts: Vec<String> = parts.map(|count| count.value.to_string()).collect();
    for (total, line) in &validation.totals {
        if !agree(sum, total.value, guess || total.approximate) {
            let message = format!(
                "the total is {}, but its parts add up to {sum} ({})",
                total.value,
                parts.join(" + ")
            );
            found.push(cx.in_results_line(WRONG_TOTAL, *line, message));
        }
    }
}

pub(crate) const FALLING_COUNT: Code = Code::new(&Rule {
    code: "POC051",
    name: "falling-count",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "the test count falls from one step to the next",
    page: r"
A step has fewer tests than the step before it. State which tests were removed in the line, or restore them. The few tests of
one step are not compared with a whole suite, and a count with filtered tests is not compared.

```markdown
**Test Results**: 553/553 tests passing
```

```markdown
**Test Results**: 527/527 tests passing
```
",
});

/// Steps with fewer tests than the step before. Only counts of the same kind are compared. Counts of a single step are
/// compared only if they are at least half of the preceding count and no test was filtered out, so that they can be those of the suite.
fn falling_count(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    const EXCUSES: &[&str] = &[
        "removed", "deleted", "merged", "dropped", "replaced", "obsolete", "- ",
    ];
    let mut last: [Option<(u64, &ResultStep)>; 2] = [None, None];
    for step in cx.results.iter().flat_map(|results| &results.steps) {
        let Some(tests) = &step.test_results else {
            continue;
        };
        let full = tests.full_suite.map(|(_, total)| total);
        let (kind, count) = match (full, tests.total) {
            (Some(full), _) => (0, full),
            (None, Some(total)) if !tests.text.contains("filtered") => (1, total),
            (None, _) => continue,
        };
        if let Some((before, at)) = last[kind]
            && count < before
            && (kind == 0 || count * 2 >= before)
            && !EXCUSES
                .iter()
                .any(|excuse| tests.text.to_lowercase().contains(excuse))
        {
            let message = format!(
                "{count} tests after step {}, but {before} after step {}",
                step.id, at.id
            );
            let help = "name the removed tests in this line, or restore them";
            found.push(
                cx.in_results(FALLING_COUNT, &tests.span, message)
                    .help(help),
            );
        }
        last[kind] = Some((count, step));
    }
}

pub(crate) const OUTDATED_EXPECTATION: Code = Code::new(&Rule {
    code: "POC056",
    name: "outdated-expectation",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "an expected count contradicts the results",
    page: r"
The done block expects a test count that differs from the results' total. The largest count of the block is compared; smaller
ones are for parts of the suite. `~61` may differ by 5 %; `61+` is a lower bound.

```bash
# Expected: 553 tests pass
```
",
});

/// Counts expected by the done block that differ from the total of the results.
fn stale_expectation(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let total = cx.results.and_then(|results| results.validation.total());
    let Some(total) = total.filter(|total| !total.approximate) else {
        return;
    };
    let expected = cx.plan.done.iter().flat_map(expectations);
    let expected = expected.filter(|(_, count)| !count.of_some_tests);
    // The largest count is that of the full suite; the others are of parts.
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
            "{sign}{} tests are expected here, but the results have {}",
            count.value, total.value
        );
        found.push(cx.in_plan_line(OUTDATED_EXPECTATION, line, message));
    }
}

struct Expected {
    value: u64,
    approximate: bool,
    lower_bound: bool,
    /// Whether the command selects tests by target or name, so that the total of the results is not comparable.
    of_some_tests: bool,
}

/// Whether a command selects tests by target or name.
fn selects_tests(command: &str) -> bool {
    let commands = simple_commands::of_text(command, 1);
    let mut calls = commands.iter().filter_map(Call::of);
    calls.any(|call| !call.filters.is_empty() || !call.targets.is_empty())
}

/// Expectations such as `# Expected: ~61 tests`, with their numbers.
fn expectations(block: &crate::document::Block) -> Vec<(usize, Expected)> {
    let lines = command_lines(&block.code, |_| false);
    let above = (String::new(), lines.above);
    let commands = lines.list.into_iter();
    let commands = commands.map(|line| (line.command, line.expected));
    let expected = std::iter::once(above).chain(commands);
    let counts = expected.flat_map(|(command, expected)| {
        let of_some_tests = selects_tests(&command);
        let counts = expected.into_iter().filter_map(move |(index, text)| {
            let text = text.lines().next()?.to_lowercase();
            let tests = ["test", "pass", "green"]
                .iter()
                .any(|word| text.contains(word));
            let count = crate::document::count(&text).filter(|_| tests)?;
            let after = text
                .split(&count.value.to_string())
                .nth(1)
                .unwrap_or_default();
            let expected = Expected {
                value: count.value,
                lower_bound: after.starts_with('+'),
                approximate: count.approximate,
                of_some_tests,
            };
            Some((block.line + 1 + index, expected))
        });
        counts.collect::<Vec<_>>()
    });
    counts.collect()
}
