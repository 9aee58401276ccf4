//! Parses the tests, the review, the issues and the lessons in a step's results.

use super::super::counts::{self, Outcome};
use super::super::parts::{Field, Label};
use super::super::results::{Review, TestResults, Verdict};
use super::super::text::Document;
use super::super::{tables, vocabulary};

/// The Test Results, also under the labels Tests and Verification Results.
pub(super) fn test_results(fields: &[Field]) -> Option<TestResults> {
    let labels = [Label::TestResults, Label::Tests, Label::VerificationResults];
    let mut candidates = labels
        .iter()
        .flat_map(|label| fields.iter().filter(move |field| field.label == *label));
    let field = candidates.find(|field| !field.text().is_empty() || !field.blocks.is_empty())?;
    let outcome = outcome(field);
    Some(TestResults {
        text: field.text().replace('\n', " "),
        not_applicable: outcome.not_applicable,
        passed: outcome.passed,
        total: outcome.total,
        failed: outcome.failed,
        full_suite: outcome.full_suite,
        span: field.value_span.clone(),
        line: field.line,
    })
}

/// The line after the label counts; later lines only add the full suite. Without such a line the entries count, and without
/// entries the output of a runner.
fn outcome(field: &Field) -> Outcome {
    let entries: Vec<_> = field
        .entries
        .iter()
        .map(|entry| (entry, counts::outcome(entry)))
        .collect();
    let full_suite = entries.iter().find_map(|(_, outcome)| outcome.full_suite);
    let mut outcome = if !field.value.is_empty() {
        counts::outcome(&field.value)
    } else if !entries.is_empty() {
        of_entries(&entries)
    } else {
        field
            .blocks
            .first()
            .map(|block| counts::output(&block.code))
            .unwrap_or_default()
    };
    outcome.full_suite = outcome.full_suite.or(full_suite);
    if let (None, Some((passed, total))) = (outcome.passed, outcome.full_suite) {
        (outcome.passed, outcome.total) = (Some(passed), Some(total));
    }
    outcome
}

/// A single entry that counts tests is the result. Several are added only if each names its part (`Unit: 12/12 tests`), because one may
/// include another. An entry with the total takes precedence.
fn of_entries(entries: &[(&String, Outcome)]) -> Outcome {
    let counted: Vec<_> = entries
        .iter()
        .filter(|(_, outcome)| outcome.passed.is_some())
        .collect();
    let name = |entry: &str| entry.split_once(':').map(|(name, _)| name.to_owned());
    if let Some((_, outcome)) = counted
        .iter()
        .find(|(entry, _)| name(entry).is_some_and(|name| tables::is_total(&name)))
    {
        return *outcome;
    }
    match counted.as_slice() {
        [] => Outcome::default(),
        [(_, outcome)] => *outcome,
        [(_, first), rest @ ..] => {
            let named = |entry: &str| {
                let parts = [
                    "unit",
                    "integration",
                    "live",
                    "doc",
                    "doctest",
                    "doctests",
                    "e2e",
                    "library",
                    "binary",
                ];
                name(entry).is_some_and(|name| {
                    vocabulary::words(&name)
                        .split(' ')
                        .any(|word| parts.contains(&word))
                })
            };
            if !counted.iter().all(|(entry, _)| named(entry)) {
                return Outcome::default();
            }
            let add = |left: Option<u64>, right: Option<u64>| left?.checked_add(right?);
            rest.iter().fold(*first, |sum, (_, part)| Outcome {
                passed: add(sum.passed, part.passed),
                total: add(sum.total, part.total),
                failed: add(sum.failed, part.failed),
                ..sum
            })
        }
    }
}

/// The entries of Issues or Lessons Learned. `None`, `None.`, `- None`, `None -- all fine`, `N/A` and dashes mean none.
pub(super) fn notes(fields: &[Field], label: Label) -> Vec<String> {
    let fields = fields.iter().filter(|field| field.label == label);
    let texts = fields.flat_map(|field| {
        let boxes = field.items.iter().map(|item| &item.text);
        std::iter::once(&field.value)
            .chain(&field.entries)
            .chain(boxes)
    });
    texts.filter(|text| !is_none(text)).cloned().collect()
}

fn is_none(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '–', '—', ' ', '✅']);
    let (first, rest) = text.split_at(
        text.find(|character: char| !character.is_alphabetic() && character != '/')
            .unwrap_or(text.len()),
    );
    let rest = rest.trim_start();
    match first.to_lowercase().as_str() {
        "" => rest.is_empty(),
        "none" | "n/a" => {
            rest.is_empty() || rest.starts_with(['.', '-', '–', '—', ',', ';', ':', '('])
        }
        "no" => vocabulary::words(text) == "no issues",
        "nothing" => rest.is_empty() || rest == ".",
        _ => false,
    }
}

/// The verdict directly after the label, or the last PASS or FLAG in capitals in the block.
pub(super) fn review(document: &Document, fields: &[Field]) -> Option<Review> {
    let mut reviews = fields.iter().filter(|field| field.label == Label::Review);
    let first = reviews.next()?;
    let last = reviews.next_back().unwrap_or(first);
    let span = first.span.start..last.span.end;
    let text = &document.text()[span.clone()];
    let verdict = words(&first.value)
        .next()
        .and_then(word)
        .or_else(|| words(text).rev().find_map(word));
    Some(Review {
        verdict,
        span,
        line: first.line,
    })
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn word(word: &str) -> Option<Verdict> {
    match word {
        "PASS" | "PASSED" => Some(Verdict::Pass),
        "FLAG" | "FLAGGED" | "FAIL" => Some(Verdict::Flag),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_none() {
        for text in [
            "None",
            "None.",
            "- None",
            "none",
            "N/A",
            "--",
            "—",
            "",
            "None. All pass.",
            "None -- as planned",
            "No issues",
        ] {
            assert!(is_none(text), "{text}");
        }
        for text in [
            "None of the tests ran",
            "No clock on the machine",
            "Nonetheless slow",
            "nothing worked at first",
        ] {
            assert!(!is_none(text), "{text}");
        }
    }
}
