//! Parses numbers of tests in prose. Ambiguous text is skipped.

use super::plan::Count;
use super::vocabulary;

/// Parses the first number of a text: `~12`, `12+`, `about 12`, `1,234`. `None` for `~X` and for text without a number.
pub(crate) fn count(text: &str) -> Option<Count> {
    let number = numbers(text).next()?;
    let before = text[..number.start].trim_end_matches(['*', '`']);
    let word = before
        .trim_end()
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let approximate = before.ends_with(['~', '≈', '≥', '>'])
        || text[number.end..].starts_with('+')
        || matches!(
            word.as_str(),
            "about" | "around" | "approx" | "approx." | "roughly" | "~" | "≈"
        );
    Some(Count {
        value: number.value,
        approximate,
    })
}

/// The numbers of a Test Results line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    pub(crate) not_applicable: bool,
    pub(crate) passed: Option<u64>,
    pub(crate) total: Option<u64>,
    pub(crate) failed: Option<u64>,
    pub(crate) full_suite: Option<(u64, u64)>,
}

/// Parses a Test Results line.
///
/// Fractions at the top level (`34/34 unit tests + 5/5 live tests`) are added. Those in parentheses break the number down, or refer
/// to the full suite. Without a fraction, `N passed` and `N failed` count. A number with `~` or `+` is not a count, and neither is
/// a fraction of something other than tests (`5/6 criteria`).
pub(crate) fn outcome(text: &str) -> Outcome {
    let text = head(text);
    let words = vocabulary::words(text);
    if words.is_empty()
        || words == "none"
        || words == "n a"
        || words.starts_with("n a ")
        || words.starts_with("not applicable")
        || words.starts_with("no new tests")
        || words.starts_with("no tests")
    {
        return Outcome {
            not_applicable: !words.is_empty(),
            ..Outcome::default()
        };
    }
    let fractions = fractions(text);
    let full_suite = fractions
        .iter()
        .find(|fraction| fraction.full)
        .map(|fraction| (fraction.passed, fraction.total));
    let failed = counted(text, &["failed", "failing", "failure", "failures", "fail"]);
    let own: Vec<_> = fractions
        .iter()
        .filter(|fraction| fraction.depth == 0 && !fraction.full && fraction.tests)
        .collect();
    if !own.is_empty() {
        let arrow = text.contains('→') || text.contains("->");
        let sum = |pick: fn(&Fraction) -> u64| {
            own.iter()
                .map(|fraction| pick(fraction))
                .try_fold(0_u64, u64::checked_add)
        };
        if arrow && own.len() > 1 {
            return Outcome {
                failed,
                full_suite,
                ..Outcome::default()
            };
        }
        return Outcome {
            passed: sum(|fraction| fraction.passed),
            total: sum(|fraction| fraction.total),
            failed,
            full_suite,
            not_applicable: false,
        };
    }
    let passed = counted(text, &["passed", "passing", "pass", "green", "succeeded"]);
    let total = passed.and_then(|passed| passed.checked_add(failed.unwrap_or(0)));
    Outcome {
        passed,
        total,
        failed,
        full_suite,
        not_applicable: false,
    }
}

/// The first fraction of a text: `10/10`, `5 of 6`.
pub(crate) fn fraction(text: &str) -> Option<(u64, u64)> {
    fractions(head(text))
        .first()
        .map(|fraction| (fraction.passed, fraction.total))
}

/// The number of tests in a total: the second number of a fraction (`294/294 passing`), the result of a sum
/// (`223 existing + ~51 new = ~274 tests`), or the first number.
pub(crate) fn total(text: &str) -> Option<Count> {
    let text = head(text);
    let result = text.rsplit_once('=').and_then(|(_, result)| count(result));
    let fraction = fractions(text).first().map(|fraction| Count {
        value: fraction.total,
        approximate: false,
    });
    result.or(fraction).or_else(|| count(text))
}

/// A result has a few lines; longer text is prose and is not searched.
fn head(text: &str) -> &str {
    let end = (0..=text.len().min(2_000))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    &text[..end]
}

/// Parses the output of a test runner: the sum of libtest's `test result:` lines, or the last line with a number of passed tests.
pub(crate) fn output(text: &str) -> Outcome {
    let mut lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with("test result:"))
        .map(outcome)
        .peekable();
    if lines.peek().is_some() {
        let add = |left: Option<u64>, right: Option<u64>| left?.checked_add(right?);
        let zero = Outcome {
            passed: Some(0),
            total: Some(0),
            failed: Some(0),
            ..Outcome::default()
        };
        return lines.fold(zero, |sum, line| Outcome {
            passed: add(sum.passed, line.passed),
            total: add(sum.total, line.total),
            failed: add(sum.failed, line.failed),
            ..sum
        });
    }
    text.lines()
        .rev()
        .find(|line| line.contains("passed"))
        .map(outcome)
        .unwrap_or_default()
}

/// The numbers of passed and failed tests in the output of any test runner; `None` if it contains none.
#[must_use]
pub fn printed_counts(output_of_runner: &str) -> Option<(u64, u64)> {
    let read = output(output_of_runner);
    let passed = read.passed?;
    let rest = read.total.map_or(0, |total| total.saturating_sub(passed));
    Some((passed, read.failed.unwrap_or(rest)))
}

struct Fraction {
    passed: u64,
    total: u64,
    /// the depth of parentheses around it
    depth: usize,
    /// whether adjacent words refer to the full suite
    full: bool,
    /// whether it can be a number of tests, by the words after it
    tests: bool,
}

/// `34/34`, `34 / 34`, `34 of 34`.
fn fractions(text: &str) -> Vec<Fraction> {
    let numbers: Vec<_> = numbers(text).collect();
    let mut fractions = Vec::new();
    let mut index = 0;
    while index + 1 < numbers.len() {
        let (first, second) = (&numbers[index], &numbers[index + 1]);
        let between = text[first.end..second.start].trim();
        let before = text[..first.start].chars().next_back();
        let after = text[second.end..].chars().next();
        let whole =
            !matches!(before, Some('/' | '~' | '-' | '.')) && !matches!(after, Some('/' | '+'));
        if matches!(between, "/" | "of" | "out of") && whole {
            let depth = depth_at(text, first.start);
            let clause = clause_around(text, first.start, second.end);
            let words = vocabulary::words(clause);
            let following = vocabulary::words(
                text[second.end..]
                    .split(['(', ')', ',', ';', '+', '\n'])
                    .next()
                    .unwrap_or(""),
            );
            fractions.push(Fraction {
                passed: first.value,
                total: second.value,
                depth,
                full: ["full", "entire", "whole", "overall", "regression"]
                    .iter()
                    .any(|word| words.split(' ').any(|part| part == *word)),
                tests: counts_tests(&following),
            });
            index += 2;
        } else {
            index += 1;
        }
    }
    fractions
}

fn counts_tests(following: &str) -> bool {
    following.is_empty()
        || following.split(' ').any(|word| {
            matches!(
                word,
                "test"
                    | "tests"
                    | "doctest"
                    | "doctests"
                    | "pass"
                    | "passed"
                    | "passing"
                    | "unit"
                    | "integration"
                    | "green"
                    | "ok"
                    | "cases"
            )
        })
}

/// The text between the separators around a position.
fn clause_around(text: &str, start: usize, end: usize) -> &str {
    const SEPARATORS: [char; 7] = ['(', ')', ',', ';', '+', '\n', '•'];
    let from = text[..start].rfind(SEPARATORS).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    let to = text[end..]
        .find(SEPARATORS)
        .map_or(text.len(), |at| end + at);
    &text[from..to]
}

fn depth_at(text: &str, at: usize) -> usize {
    text[..at]
        .chars()
        .fold(0, |depth, character| match character {
            '(' | '[' => depth + 1,
            ')' | ']' => usize::saturating_sub(depth, 1),
            _ => depth,
        })
}

/// The number at most two words before one of some words: `28 passed`, `34 unit tests pass`.
fn counted(text: &str, words: &[&str]) -> Option<u64> {
    let mut found = None;
    for number in numbers(text) {
        let before = text[..number.start].chars().next_back();
        let after = &text[number.end..];
        if matches!(before, Some('~' | '≈' | '/' | '.' | '-'))
            || after.starts_with(['+', '%', '/', '.', 's'])
        {
            continue;
        }
        let clause = after
            .split(['(', ')', ',', ';', '+', '/'])
            .next()
            .unwrap_or_default();
        let clause = clause
            .split(|character: char| character.is_ascii_digit())
            .next()
            .unwrap_or_default();
        let clause = vocabulary::words(clause);
        let hit = clause.split(' ').take(4).any(|word| words.contains(&word));
        if hit {
            if found.is_some() {
                return None;
            }
            found = Some(number.value);
        }
    }
    found
}

struct Number {
    value: u64,
    start: usize,
    end: usize,
}

/// The whole numbers of a text that are not part of a word (`v2`, `4b`); commas between thousands are allowed.
fn numbers(text: &str) -> impl Iterator<Item = Number> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            while at < bytes.len() && !bytes[at].is_ascii_digit() {
                at += 1;
            }
            if at >= bytes.len() {
                return None;
            }
            let start = at;
            while at < bytes.len() && (bytes[at].is_ascii_digit() || thousands(bytes, at)) {
                at += 1;
            }
            let before = text[..start].chars().next_back();
            let after = text[at..].chars().next();
            let in_word = before
                .is_some_and(|character| character.is_alphanumeric() || character == '_')
                || after.is_some_and(|character| character.is_alphabetic() || character == '_');
            let digits: String = text[start..at]
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            if !in_word && let Ok(value) = digits.parse() {
                return Some(Number {
                    value,
                    start,
                    end: at,
                });
            }
        }
    })
}

/// A comma between a digit and exactly three digits.
fn thousands(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b','
        && bytes.len() >= at + 4
        && bytes[at + 1..at + 4].iter().all(u8::is_ascii_digit)
        && !bytes.get(at + 4).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<u64>, Option<u64>) {
        let outcome = outcome(text);
        (outcome.passed, outcome.total)
    }

    #[test]
    fn fractions_are_added_without_the_full_suite() {
        let outcome = outcome("34/34 tests passing (61/61 full suite)");
        assert_eq!(
            (outcome.passed, outcome.total, outcome.full_suite),
            (Some(34), Some(34), Some((61, 61)))
        );
        assert_eq!(
            read("✅ 584/584 unit tests + 120/120 live integration tests passing"),
            (Some(704), Some(704))
        );
        assert_eq!(
            read("33/34 passing, 5/6 criteria met"),
            (Some(33), Some(34))
        );
        assert_eq!(
            read("12/12 tests passing (8/8 unit, 4/4 integration)"),
            (Some(12), Some(12))
        );
        assert_eq!(read("1,204/1,204 tests"), (Some(1204), Some(1204)));
        assert_eq!(read("7 of 9 tests pass"), (Some(7), Some(9)));
    }

    #[test]
    fn words_count_without_a_fraction() {
        assert_eq!(read("28 passed"), (Some(28), Some(28)));
        assert_eq!(read("28 passed, 2 failed, 1 skipped"), (Some(28), Some(30)));
        assert_eq!(read("All 34 unit tests pass"), (Some(34), Some(34)));
        assert_eq!(
            read(
                "test result: ok. 34 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.02s"
            ),
            (Some(34), Some(34))
        );
        assert_eq!(read("293 passed in 12.4s"), (Some(293), Some(293)));
    }

    #[test]
    fn ambiguous_text_is_skipped() {
        for text in [
            "(79 baseline - 1 removed + 6 new)",
            "~61 tests",
            "824+ tests pass",
            "All pass",
            "553/553 → 584/584 tests",
            "see 2026/01/03",
            "12 passed, then 14 passed",
            "5/6 criteria",
            "--",
        ] {
            assert_eq!(read(text), (None, None), "{text}");
        }
        assert!(outcome("N/A (documentation step)").not_applicable);
        assert!(outcome("N/A").not_applicable);
        assert!(outcome("No new tests for this step (documentation only)").not_applicable);
        assert!(!outcome("").not_applicable);
    }

    #[test]
    fn output_of_test_runners() {
        let libtest = "running 5 tests\n\ntest result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\n\
                       test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let read = output(libtest);
        assert_eq!(
            (read.passed, read.total, read.failed),
            (Some(7), Some(8), Some(1))
        );
        let nextest = "     Summary [   0.012s] 12 tests run: 12 passed, 3 skipped\n";
        assert_eq!(output(nextest).passed, Some(12));
    }

    #[test]
    fn counts_with_signs() {
        assert_eq!(
            count("~12"),
            Some(Count {
                value: 12,
                approximate: true
            })
        );
        assert_eq!(
            count("12+ tests"),
            Some(Count {
                value: 12,
                approximate: true
            })
        );
        assert_eq!(
            count("**12**"),
            Some(Count {
                value: 12,
                approximate: false
            })
        );
        assert_eq!(count("~X tests"), None);
        assert_eq!(count("utf8 only"), None);
        let total = total("223 existing + ~51 new = ~274 tests");
        assert_eq!(
            total,
            Some(Count {
                value: 274,
                approximate: true
            })
        );
    }
}
