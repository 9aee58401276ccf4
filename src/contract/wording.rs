//! Compares two forms of a criterion, command or expectation, and determines whether one requires less.

use std::sync::LazyLock;

use regex::Regex;

use super::difference::How;
use crate::script::cargo_arguments::cargo_arguments;
use crate::script::expectation::{Assertion, Expectation, Number};
use crate::script::measure::Relation;
use crate::script::simple_commands::of_text;

/// A criterion in normal form: without its note, emphasis and letter case, and with units joined to their numbers, so
/// that `80 %` equals `80%`.
pub(super) fn normal(text: &str) -> String {
    let plain = without_note(text).replace(['`', '*'], "").to_lowercase();
    with_units_joined(&plain)
}

/// A command in normal form: multiple blanks outside quotes are joined.
pub(super) fn normal_command(text: &str) -> String {
    let mut normal = String::new();
    let (mut quote, mut escaped) = (None, false);
    for character in text.trim().chars() {
        if quote.is_none() && !escaped && character.is_whitespace() {
            if !normal.ends_with(' ') {
                normal.push(' ');
            }
            continue;
        }
        match quote {
            _ if escaped => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ => {}
        }
        escaped = character == '\\' && !escaped && quote != Some('\'');
        normal.push(character);
    }
    normal
}

/// The text with units joined to their numbers: `5 ms` → `5ms`.
pub fn with_units_joined(text: &str) -> String {
    static UNIT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(\d) +(%|[kmgt]i?b\b|(?:n|µ|u|m)?s\b|min\b|h\b)").ok());
    match UNIT.as_ref() {
        Some(unit) => unit.replace_all(text, "$1$2").into_owned(),
        None => text.to_owned(),
    }
}

/// A criterion without the note that may follow it: `(measured on 4 cores)`.
fn without_note(text: &str) -> String {
    let text = text.trim().trim_end_matches(['✅', '.', ' ']);
    let text = match text.rfind(" (") {
        Some(at) if text.ends_with(')') && at > 0 => &text[..at],
        _ => text,
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the text is a placeholder. Filling one in does not weaken the plan.
pub(super) fn is_placeholder(text: &str) -> bool {
    text.contains("[fill in:")
}

/// Compares two forms of a criterion.
pub(super) fn criterion(old: &str, new: &str) -> How {
    let (skeleton, before) = numbers(old);
    let (other, after) = numbers(new);
    if !skeleton.eq_ignore_ascii_case(&other) || before.len() != after.len() {
        return How::Changed;
    }
    let mut how = How::Tightened;
    for (old, new) in before.iter().zip(&after) {
        if (old.value - new.value).abs() < f64::EPSILON {
            continue;
        }
        how = match old.bound {
            Bound::Most if new.value > old.value => return How::Relaxed,
            Bound::Least if new.value < old.value => return How::Relaxed,
            Bound::None => How::Changed,
            Bound::Most | Bound::Least => how,
        };
    }
    how
}

/// Whether a number is an upper or a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// `under 5 ms`
    Most,
    /// `at least 80 %`
    Least,
    None,
}

struct Found {
    value: f64,
    bound: Bound,
}

/// Replaces the numbers of a text with `0`, and returns each number with its bound.
fn numbers(text: &str) -> (String, Vec<Found>) {
    static NUMBER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\d[\d_,]*(?:\.\d+)?").ok());
    let Some(pattern) = NUMBER.as_ref() else {
        return (text.to_owned(), Vec::new());
    };
    let found = pattern.find_iter(text).filter_map(|found| {
        let value = found.as_str().replace(['_', ','], "").parse().ok()?;
        let after = text[found.end()..].trim_start().to_lowercase();
        let least = ["+", "passed", "tests pass", "of coverage", "% coverage"];
        let bound = match Relation::at_end(&text[..found.start()]) {
            Some(relation) if relation.is_upper() => Bound::Most,
            Some(_) => Bound::Least,
            None if least.iter().any(|word| after.starts_with(word)) => Bound::Least,
            None => Bound::None,
        };
        Some(Found { value, bound })
    });
    let found = found.collect();
    let skeleton = pattern.replace_all(text, "0").into_owned();
    (skeleton, found)
}

/// One expectation in normal form: an assertion for the program, or text for a person.
enum Part {
    Checked(Assertion),
    Text(String),
}

impl Part {
    fn all(expected: &[String]) -> Vec<Self> {
        let mut parts = Vec::new();
        for text in expected {
            match Expectation::read(text) {
                Expectation::Understood(assertions) => {
                    parts.extend(assertions.into_iter().map(Self::Checked));
                }
                Expectation::Manual | Expectation::Unreadable(_) => {
                    parts.push(Self::Text(normal(text)));
                }
            }
        }
        parts
    }

    /// How `new` differs; `None` if both are equivalent.
    fn against(&self, new: &Self) -> Option<How> {
        match (self, new) {
            (Self::Text(old), Self::Text(new)) if old == new => None,
            (Self::Checked(old), Self::Checked(new)) if is_same(old, new) => None,
            (Self::Checked(old), Self::Checked(new)) => Some(clause(old, new)),
            (Self::Text(_), Self::Checked(_)) => Some(How::Tightened),
            (Self::Checked(_), Self::Text(_)) => Some(How::Relaxed),
            (Self::Text(_), Self::Text(_)) => Some(How::Changed),
        }
    }
}

/// Compares debug forms, because patterns do not implement equality.
fn is_same(old: &Assertion, new: &Assertion) -> bool {
    format!("{old:?}") == format!("{new:?}")
}

/// Compares the expectations of a command; `None` if both are equivalent.
pub(super) fn expectation(old: &[String], new: &[String]) -> Option<How> {
    let (old, new) = (Part::all(old), Part::all(new));
    let mut unmatched: Vec<Option<&Part>> = new.iter().map(Some).collect();
    let mut open = Vec::new();
    for part in &old {
        let same = |other: Option<&Part>| other.is_some_and(|other| part.against(other).is_none());
        match unmatched.iter().position(|other| same(*other)) {
            Some(at) => unmatched[at] = None,
            None => open.push(part),
        }
    }
    let mut hows = Vec::new();
    for part in open {
        let how_of = |other: Option<&Part>| other.and_then(|other| part.against(other));
        // Prefer an expectation of the same kind; otherwise use any other one.
        let order = [How::Tightened, How::Relaxed, How::Changed];
        let mut found = None;
        for how in order {
            if let Some(at) = unmatched
                .iter()
                .position(|other| how_of(*other) == Some(how))
            {
                unmatched[at] = None;
                found = Some(how);
                break;
            }
        }
        hows.push(found.unwrap_or(How::Relaxed));
    }
    let more = unmatched.iter().any(Option::is_some);
    let any = |how: How| hows.contains(&how);
    match (hows.is_empty(), more) {
        (true, false) => None,
        (true, true) => Some(How::Tightened),
        _ if new.is_empty() => Some(How::Removed),
        _ if any(How::Relaxed) => Some(How::Relaxed),
        _ if any(How::Changed) => Some(How::Changed),
        _ => Some(How::Tightened),
    }
}

fn clause(old: &Assertion, new: &Assertion) -> How {
    let by = |relaxed: bool, tightened: bool| match (relaxed, tightened) {
        (true, _) => How::Relaxed,
        (_, true) => How::Tightened,
        _ => How::Changed,
    };
    match (old, new) {
        (Assertion::Passed(old), Assertion::Passed(new)) => {
            let looser = |number: &Number| match number {
                Number::Exactly(_) => 0,
                Number::About(_) => 1,
                Number::AtLeast(_) => 2,
            };
            if looser(new) > looser(old) {
                return How::Relaxed;
            }
            by(new.value() < old.value(), new.value() > old.value())
        }
        (Assertion::PassedOf(old, _), Assertion::PassedOf(new, _)) => by(new < old, new > old),
        (Assertion::Passed(_) | Assertion::PassedOf(..), Assertion::AllPass)
        | (Assertion::Exit(0), Assertion::Exit(_) | Assertion::NonZero) => How::Relaxed,
        (Assertion::AllPass, Assertion::Passed(_) | Assertion::PassedOf(..)) => How::Tightened,
        (
            Assertion::Ignored(old) | Assertion::Failed(old),
            Assertion::Ignored(new) | Assertion::Failed(new),
        ) => by(new > old, new < old),
        (Assertion::Under(old), Assertion::Under(new)) => by(new > old, new < old),
        (Assertion::Killed(old), Assertion::Killed(new)) => by(new < old, new > old),
        (Assertion::Measured(old), Assertion::Measured(new))
            if (&old.name, old.relation, &old.quantity.unit)
                == (&new.name, new.relation, &new.quantity.unit) =>
        {
            let higher = new.quantity.value - old.quantity.value;
            let looser = if old.relation.is_upper() {
                higher
            } else {
                -higher
            };
            by(looser > 0.0, looser < 0.0)
        }
        (Assertion::Relative(old), Assertion::Relative(new))
            if (&old.name, old.worse) == (&new.name, new.worse) =>
        {
            by(new.percent > old.percent, new.percent < old.percent)
        }
        _ => How::Changed,
    }
}

/// Options of cargo commands that run or check more.
const WIDE: [&str; 13] = [
    "--workspace",
    "--all",
    "--all-features",
    "--all-targets",
    "--features",
    "--tests",
    "--benches",
    "--examples",
    "--include-ignored",
    "--package",
    "--check",
    "--deny",
    "--no-fail-fast",
];

/// Options that run less.
const NARROW: [&str; 13] = [
    "--skip",
    "--exact",
    "--lib",
    "--bins",
    "--bin",
    "--doc",
    "--test",
    "--no-run",
    "--ignored",
    "--filter-expr",
    "--filterset",
    "--exclude",
    "--partition",
];

/// Compares two forms of a command; `Narrowed` if the new one runs less.
pub(super) fn command(old: &str, new: &str) -> How {
    let swallows = |text: &str| {
        ["|| true", "|| :", "; true", "||true"]
            .iter()
            .any(|end| text.contains(end))
    };
    if swallows(new) && !swallows(old) {
        return How::Narrowed;
    }
    let (old, new) = (words(old), words(new));
    if !(is_cargo(&old) && is_cargo(&new)) {
        return How::Changed;
    }
    let less = |left: &[String], right: &[String]| -> Vec<String> {
        let mut rest = right.to_vec();
        let mut only = Vec::new();
        for word in left {
            match rest.iter().position(|other| other == word) {
                Some(at) => drop(rest.remove(at)),
                None => only.push(word.clone()),
            }
        }
        only
    };
    let (gone, added) = (less(&old, &new), less(&new, &old));
    let any = |words: &[String], list: &[&str]| {
        words.iter().any(|word| {
            let name = word.split('=').next().unwrap_or(word);
            list.contains(&name)
        })
    };
    let filter = |words: &[String]| words.iter().any(|word| !word.starts_with('-'));
    let narrower = any(&gone, &WIDE) || any(&added, &NARROW) || filter(&added) && !filter(&gone);
    let wider = any(&added, &WIDE) || any(&gone, &NARROW) || filter(&gone) && !filter(&added);
    match (narrower, wider) {
        // `-p a` instead of `--workspace` adds an option but runs less.
        (true, false) => How::Narrowed,
        (true, true) if any(&gone, &WIDE[..4]) => How::Narrowed,
        (false, true) => How::Tightened,
        _ => How::Changed,
    }
}

/// The words of all commands of a text, with an option's value joined to its long name: `--package=a`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for command in of_text(text, 1) {
        let mut rest = command.words.as_slice();
        loop {
            let (arguments, after) = cargo_arguments(rest);
            words.extend(arguments.into_iter().map(|argument| match argument.value {
                Some(value) => format!("{}={value}", argument.name),
                None => argument.name.to_owned(),
            }));
            match after {
                [_, more @ ..] => rest = more,
                [] => break,
            }
        }
    }
    words
}

fn is_cargo(words: &[String]) -> bool {
    words.first().is_some_and(|program| program == "cargo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_does_not_change_a_criterion() {
        assert_eq!(
            without_note("p99 < 1 ms (measured on 4 cores)"),
            "p99 < 1 ms"
        );
        assert_eq!(without_note("p99  < 1 ms. ✅"), "p99 < 1 ms");
    }

    #[test]
    fn spelling_does_not_change_the_meaning() {
        for (old, new) in [
            ("p99 < 5 ms", "p99 < 5ms"),
            ("at least 80 % hits", "At least  80% hits."),
            ("**Reads** stay under `1 s`", "reads stay under 1s"),
        ] {
            assert_eq!(normal(old), normal(new));
        }
        assert_ne!(normal("under 5 ms"), normal("under 5 s"));
        for (old, new) in [
            ("All pass", "all pass."),
            ("<5 ms", "< 5ms"),
            ("looks  fine", "Looks fine"),
            ("2 passed, 0 ignored", "0 ignored, 2 passed"),
        ] {
            let text = |text: &str| vec![text.to_owned()];
            assert_eq!(expectation(&text(old), &text(new)), None, "{old} → {new}");
        }
        let same = |old, new| normal_command(old) == normal_command(new);
        assert!(same("cargo test  -p a", "cargo test -p a "));
        assert!(!same("grep 'a  b' f", "grep 'a b' f"));
        assert!(!same("cargo test -p A", "cargo test -p a"));
    }

    #[test]
    fn bounds_are_detected_from_adjacent_words() {
        for (old, new, how) in [
            ("p99 < 1 ms", "p99 < 5 ms", How::Relaxed),
            ("p99 under 5 ms", "p99 under 1 ms", How::Tightened),
            ("at least 80 % hits", "at least 60 % hits", How::Relaxed),
            ("no less than 80 %", "no less than 60 %", How::Relaxed),
            ("not more than 5 ms", "not more than 1 ms", How::Tightened),
            ("turnover 5", "turnover 6", How::Changed),
            ("824+ tests", "828+ tests", How::Tightened),
            ("reads 824 rows", "reads 828 rows", How::Changed),
            ("p99 < 1 ms", "p99 < 1 s", How::Changed),
            ("p99 < 1 ms at 10 rps", "p99 < 1 ms at 5 rps", How::Changed),
        ] {
            assert_eq!(criterion(&normal(old), &normal(new)), how, "{old} → {new}");
        }
    }

    #[test]
    fn weaker_expectations_are_detected() {
        for (old, new, how) in [
            ("584 passed", "553 passed", How::Relaxed),
            ("553 passed", "584 passed", How::Tightened),
            ("12 passed", "~12 tests", How::Relaxed),
            ("12 passed, 0 ignored", "12 passed, 2 ignored", How::Relaxed),
            ("12 passed", "All pass", How::Relaxed),
            ("All pass", "looks fine", How::Relaxed),
            ("<1s", "<5s", How::Relaxed),
            ("\"a\"", "\"b\"", How::Changed),
            ("looks fine", "All pass", How::Tightened),
            ("All pass", "All pass, 2 passed", How::Tightened),
            ("12 passed", "12 passed, 0 ignored", How::Tightened),
            ("12 passed, 0 ignored", "12 passed", How::Relaxed),
        ] {
            let text = |text: &str| vec![text.to_owned()];
            assert_eq!(
                expectation(&text(old), &text(new)),
                Some(how),
                "{old} → {new}"
            );
        }
    }

    #[test]
    fn narrower_commands_are_detected() {
        for (old, new, how) in [
            ("cargo test --workspace", "cargo test -p a", How::Narrowed),
            ("cargo test -p a -p b", "cargo test -p a", How::Narrowed),
            ("cargo test -p a", "cargo test -p a reads", How::Narrowed),
            (
                "cargo test -p a",
                "cargo test -p a -- --skip slow",
                How::Narrowed,
            ),
            ("cargo test -p a", "cargo test -p a || true", How::Narrowed),
            ("./ci.sh", "./ci.sh || true", How::Narrowed),
            ("cargo test --all-features", "cargo test", How::Narrowed),
            ("cargo test -p a reads", "cargo test -p a", How::Tightened),
            (
                "cargo test -p a",
                "cargo test -p a --all-features",
                How::Tightened,
            ),
            (
                "cargo test -p a reads",
                "cargo test -p a writes",
                How::Changed,
            ),
            ("./ci.sh", "./ci.sh --fast", How::Changed),
        ] {
            assert_eq!(command(old, new), how, "{old} → {new}");
        }
    }
}
