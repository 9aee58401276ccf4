//! Success criteria: equal in plan and results, and met when the work is marked as complete.

use std::collections::BTreeSet;

use super::context::{Check, LintContext};
use crate::diff::likeness_by_words;
use crate::document::{Item, Placeholder, SectionKind};
use crate::finding::{Code, Finding, Fix, Gate, Rule, Severity};
use crate::status::{is_same_criterion, plain_criterion};

pub(super) const CHECKS: &[Check] = &[
    (
        &[
            DROPPED_CRITERION,
            REWORDED_CRITERION,
            EXTRA_CRITERION,
            OPEN_CRITERIA,
            CONTRADICTING_FOOTER,
        ],
        drift,
    ),
    (&[OPEN_CRITERIA], open),
    (&[CONTRADICTING_FOOTER], footer),
];

/// The minimum similarity of a reworded criterion.
const ALIKE: f64 = 0.5;

/// The counterpart of a criterion in the results.
enum Match<'a> {
    /// The same text, perhaps with a note after it.
    Same,
    /// A similar text.
    Reworded(&'a Item),
    /// No match.
    Dropped,
}

pub(crate) const DROPPED_CRITERION: Code = Code::new(&Rule {
    code: "POC044",
    name: "dropped-criterion",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a criterion is missing from the results",
    page: r"
The results lack a criterion of the plan, so it could be forgotten without notice. `--fix` adds it, unticked.

```markdown
- [ ] nothing is written twice
```
",
});

pub(crate) const EXTRA_CRITERION: Code = Code::new(&Rule {
    code: "POC046",
    name: "extra-criterion",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a criterion is missing from the plan",
    page: r"
The results have a criterion that the plan lacks. The plan is the contract: add the criterion there.

```markdown
- [ ] it looks good
```
",
});

/// Criteria that were dropped, reworded or added in the results.
fn drift(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(results) = cx.results else { return };
    let planned = written(&cx.plan.criteria, &cx.plan.placeholders);
    let mut left = written(&results.criteria, &results.placeholders);
    // Identical texts are matched first, so that a similar criterion does not take their place.
    let mut open = Vec::new();
    for criterion in planned {
        match left
            .iter()
            .position(|item| is_same_criterion(&criterion.text, &item.text))
        {
            Some(at) => drop(left.remove(at)),
            None => open.push(criterion),
        }
    }
    for criterion in open {
        match closest(criterion, &mut left) {
            Match::Same => {}
            Match::Reworded(item) => found.push(reworded(cx, criterion, item)),
            Match::Dropped => {
                let message = format!("the results lack this criterion: {}", criterion.text);
                let finding = cx.in_plan(DROPPED_CRITERION, &criterion.span, message);
                found.push(finding.about(&criterion.text).fix(restore(cx, criterion)));
            }
        }
    }
    // A duplicate criterion in the results is reported by another rule.
    let known = |item: &&Item| {
        let mut planned = cx.plan.criteria.iter();
        planned.any(|criterion| is_same_criterion(&criterion.text, &item.text))
    };
    for item in left.into_iter().filter(|item| !known(item)) {
        let message = format!("the plan has no such criterion: {}", item.text);
        found.push(
            cx.in_results(EXTRA_CRITERION, &item.span, message)
                .about(&item.text),
        );
    }
}

/// The criteria without placeholders.
fn written<'a>(items: &'a [Item], placeholders: &[Placeholder]) -> Vec<&'a Item> {
    let blank = |item: &Item| {
        let mut inside = placeholders.iter();
        inside.any(|placeholder| item.span.contains(&placeholder.span.start))
    };
    items.iter().filter(|item| !blank(item)).collect()
}

/// Removes the item that is most similar to the criterion from `left`.
fn closest<'a>(criterion: &Item, left: &mut Vec<&'a Item>) -> Match<'a> {
    let likeness = |item: &Item| {
        let (one, other) = (
            plain_criterion(&criterion.text),
            plain_criterion(&item.text),
        );
        likeness_by_words(&one, &other)
    };
    let best = left
        .iter()
        .enumerate()
        .map(|(at, item)| (at, likeness(item)))
        .max_by(|one, other| one.1.total_cmp(&other.1));
    match best {
        Some((at, ratio)) if ratio >= ALIKE => {
            let item = left.remove(at);
            if is_same_criterion(&criterion.text, &item.text) {
                Match::Same
            } else {
                Match::Reworded(item)
            }
        }
        _ => Match::Dropped,
    }
}

pub(crate) const REWORDED_CRITERION: Code = Code::new(&Rule {
    code: "POC045",
    name: "reworded-criterion",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "a criterion differs between plan and results",
    page: r"
The text of a criterion differs between the documents, often by a number. A note after it, in parentheses or after a dash, is
allowed: use it for the measured value.

```markdown
- [ ] p99 read latency < 10 ms
```
",
});

fn reworded(cx: &LintContext<'_>, criterion: &Item, item: &Item) -> Finding {
    let (old, new) = (numbers(&criterion.text), numbers(&item.text));
    let gone: Vec<&str> = old.difference(&new).map(String::as_str).collect();
    let come: Vec<&str> = new.difference(&old).map(String::as_str).collect();
    let message = if gone.is_empty() {
        format!("the wording of the plan is: {}", criterion.text)
    } else {
        let come = if come.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{}`", come.join(" "))
        };
        format!(
            "`{}` in the plan became {come}: {}",
            gone.join(" "),
            criterion.text
        )
    };
    cx.in_results(REWORDED_CRITERION, &item.span, message)
        .about(&criterion.text)
        .help("use the plan's wording, and put the result in parentheses after it")
}

/// Adds the plan's criterion, unticked, to the end of the list in the results.
fn restore(cx: &LintContext<'_>, criterion: &Item) -> Option<Fix> {
    let (document, results) = cx.poc.results.as_ref()?;
    let last = results.criteria.last().filter(|item| item.depth == 0)?;
    let text = document.text().get(last.span.clone())?;
    let end = last.span.start + text.trim_end().len();
    // A footer directly under the list belongs to its last entry.
    let footer = results
        .footer
        .as_ref()
        .filter(|footer| last.span.contains(&footer.span.start));
    if footer.is_some() || criterion.text.contains(['\n', '`', '*', '_', '<', '[']) {
        return None;
    }
    let bullet = text
        .chars()
        .next()
        .filter(|sign| matches!(sign, '-' | '*' | '+'))?;
    cx.fix_results(
        "add it to the results, unticked",
        vec![(end..end, format!("\n{bullet} [ ] {}", criterion.text))],
        |new| {
            let mut items = new.criteria.iter();
            new.criteria.len() == results.criteria.len() + 1
                && items.any(|item| !item.checked && is_same_criterion(&criterion.text, &item.text))
        },
    )
}

/// The numbers of a text, each with the sign before it and the unit after it.
fn numbers(text: &str) -> BTreeSet<String> {
    let bare = text.split(['(', '[']).next().unwrap_or_default();
    let bare = plain_criterion(bare);
    bare.split(' ')
        .filter(|word| word.chars().any(|each| each.is_ascii_digit()))
        .map(|word| word.trim_matches(['.', ',', ';', ':']).to_owned())
        .collect()
}

pub(crate) const OPEN_CRITERIA: Code = Code::new(&Rule {
    code: "POC048",
    name: "open-criteria",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the work is called complete, but criteria are open",
    page: r"
The Summary says Complete, but a criterion of the results is not ticked.

```markdown
| **Status** | ✅ Complete |
```

```markdown
- [ ] c6 holds
```
",
});

/// Open criteria of work that is marked as complete.
fn open(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(results) = cx.results.filter(|_| cx.claims_complete()) else {
        return;
    };
    let open: Vec<&Item> = results
        .criteria
        .iter()
        .filter(|item| !item.checked)
        .collect();
    if let Some(first) = open.first() {
        let all = results.criteria.len();
        let message = format!(
            "the Summary says complete, but only {} of {all} criteria are met",
            all - open.len()
        );
        found.push(cx.in_results(OPEN_CRITERIA, &first.span, message));
    } else if results.criteria.is_empty() && !cx.plan.criteria.is_empty() {
        let message = "the Summary says complete, but the results list no criteria";
        let section = results
            .sections
            .iter()
            .find(|section| section.kind == SectionKind::SuccessCriteria);
        let line = section.map_or(1, |section| section.line);
        found.push(cx.in_results_line(OPEN_CRITERIA, line, message));
    }
}

pub(crate) const CONTRADICTING_FOOTER: Code = Code::new(&Rule {
    code: "POC055",
    name: "contradicting-footer",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the line under the criteria contradicts them",
    page: r"
The summary line under the criteria does not match the boxes above it.

```markdown
**ALL SUCCESS CRITERIA MET**: YES ✅
```
",
});

/// The summary line under the criteria.
fn footer(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let Some(results) = cx.results else { return };
    let Some(footer) = &results.footer else {
        return;
    };
    let outer = || results.criteria.iter().filter(|item| item.depth == 0);
    let (ticked, all) = (outer().filter(|item| item.checked).count(), outer().count());
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let every = (
        count(results.criteria.iter().filter(|item| item.checked).count()),
        count(results.criteria.len()),
    );
    let message = match (footer.counts, footer.met) {
        (Some(told), _) if told != (count(ticked), count(all)) && told != every => {
            format!(
                "the line says {} of {}, but {ticked} of {all} are ticked",
                told.0, told.1
            )
        }
        (_, Some(true)) if ticked < all => {
            format!("the line says all are met, but {ticked} of {all} are ticked")
        }
        (_, Some(false)) if all > 0 && every.0 == every.1 => {
            "the line says not all are met, but all are ticked".to_owned()
        }
        _ => return,
    };
    found.push(cx.in_results(CONTRADICTING_FOOTER, &footer.span, message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criterion_with_a_note_is_the_same() {
        for (planned, told, same) in [
            ("p99 < 1 ms", "p99 < 1 ms (0.8 ms measured)", true),
            ("p99 < 1 ms.", "P99  < 1 ms", true),
            ("All tests pass", "All tests pass -- 34 of 34", true),
            ("All tests pass", "All tests pass ✅", true),
            ("returns 10 rows", "returns 10 rows or fewer", false),
            ("824 tests pass", "828 tests pass", false),
            ("p99 < 1 ms", "p99 < 10 ms", false),
            ("p99 < 1 ms", "p99 > 1 ms", false),
        ] {
            assert_eq!(is_same_criterion(planned, told), same, "{planned} / {told}");
        }
    }
}
