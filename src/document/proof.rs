//! The proofs of a success criterion: bullets under it, such as `- Proof: step 1`.
//!
//! Input: the criterion's nested lines. Output: its [`Proof`]s, all of which are required. A criterion without proofs needs a
//! person's confirmation.

use std::fmt;

use super::{Item, StepId};

/// A proof of a criterion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The step with this id is proven.
    Step(StepId),
    /// The done block, or its command with this number (from 1), has passed.
    Done(Option<usize>),
    /// The test with this name has passed.
    Test(String),
    /// The measured value with this name has met its limit.
    Value(String),
    /// A person has confirmed it.
    Person,
    /// Text that is not a known proof.
    Unknown(String),
}

impl fmt::Display for Proof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(id) => write!(out, "step {id}"),
            Self::Done(None) => out.write_str("done"),
            Self::Done(Some(number)) => write!(out, "done {number}"),
            Self::Test(name) => write!(out, "test {name}"),
            Self::Value(name) => write!(out, "value {name}"),
            Self::Person => out.write_str("person"),
            Self::Unknown(text) => out.write_str(text),
        }
    }
}

/// The proofs in the lines under a criterion; only [`Proof::Person`] if there are none.
#[must_use]
pub fn proofs(criterion: &Item) -> Vec<Proof> {
    let mut proofs = Vec::new();
    for line in criterion.detail.lines() {
        if let Some(text) = proof_text(line) {
            read(text, &mut proofs);
        }
    }
    proofs.dedup();
    if proofs.is_empty() {
        proofs.push(Proof::Person);
    }
    proofs
}

/// The text after `Proof:`, with or without a bullet and markup.
fn proof_text(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(|sign: char| {
        sign.is_whitespace() || matches!(sign, '-' | '*' | '+' | '_' | '>')
    });
    let label = line.get(.."proof".len())?;
    if !label.eq_ignore_ascii_case("proof") {
        return None;
    }
    let rest = line["proof".len()..].trim_start_matches(['s', 'S', '*', '_', ' ']);
    let text = rest.strip_prefix(':')?;
    Some(text.trim_start_matches(['*', '_']).trim())
}

fn read(text: &str, proofs: &mut Vec<Proof>) {
    let before = proofs.len();
    for part in parts(text) {
        let part = part.trim().trim_end_matches(['.', ';']);
        if part.is_empty() {
            continue;
        }
        proofs.push(one(part, proofs.get(before..).and_then(<[_]>::last)));
    }
    if proofs.len() == before {
        proofs.push(Proof::Unknown(text.to_owned()));
    }
}

/// Splits a text at commas, semicolons and `and`, but not inside code spans.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for (index, piece) in text.split('`').enumerate() {
        if index % 2 == 1 {
            if let Some(last) = parts.last_mut() {
                last.push_str(piece);
            }
            continue;
        }
        let piece = piece.replace(" and ", ",").replace(" & ", ",");
        for (index, part) in piece.split([',', ';']).enumerate() {
            if index > 0 {
                parts.push(String::new());
            }
            if let Some(last) = parts.last_mut() {
                last.push_str(part);
            }
        }
    }
    parts
}

/// Parses one proof. An id or name alone has the kind of the preceding proof: `steps 1, 2`.
fn one(part: &str, before: Option<&Proof>) -> Proof {
    let (word, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
    let rest = rest.trim();
    match word.to_lowercase().trim_end_matches(':') {
        "step" | "steps" if is_id(rest) => Proof::Step(StepId::new(rest)),
        "done" if rest.is_empty() || rest.eq_ignore_ascii_case("block") => Proof::Done(None),
        "done" => match number(rest) {
            Some(number) => Proof::Done(Some(number)),
            None => Proof::Unknown(part.to_owned()),
        },
        "test" | "tests" if is_name(rest) => Proof::Test(rest.to_owned()),
        "value" | "values" if !rest.is_empty() => Proof::Value(rest.to_owned()),
        "person" | "manual" | "people" => Proof::Person,
        _ => match before {
            Some(Proof::Step(_)) if is_id(part) => Proof::Step(StepId::new(part)),
            Some(Proof::Test(_)) if is_name(part) => Proof::Test(part.to_owned()),
            Some(Proof::Done(_)) if number(part).is_some() => Proof::Done(number(part)),
            _ => Proof::Unknown(part.to_owned()),
        },
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// The number of a command: `2`, `.2`, `command 2`.
fn number(text: &str) -> Option<usize> {
    let text = text
        .trim_start_matches("command ")
        .trim_start_matches(['.', '#']);
    text.trim().parse().ok().filter(|number| *number > 0)
}

/// Whether `wanted` is the test `test` of the binary `binary` (`store`, `store::answers`): its name in the binary, optionally
/// prefixed with the crate or the binary.
#[must_use]
pub fn is_test(wanted: &str, binary: &str, test: &str) -> bool {
    let krate = binary.split("::").next().unwrap_or_default();
    let krate = krate.split('@').next().unwrap_or_default();
    let before = |prefix: &str| {
        let rest = wanted.strip_prefix(prefix);
        rest.and_then(|rest| rest.strip_prefix("::")) == Some(test)
    };
    wanted == test || before(binary) || before(krate) || before(&krate.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::{Proof, is_test, proofs};
    use crate::document::{Document, StepId, read_plan};

    fn read(lines: &str) -> Vec<Proof> {
        let text = format!("# A\n\n## Success Criteria\n\n- [ ] fast\n{lines}\n- [ ] other\n");
        let plan = read_plan(&Document::from_text("plan.md", text));
        assert_eq!(plan.criteria.len(), 2, "{lines}");
        assert_eq!(plan.criteria[0].text, "fast", "{lines}");
        proofs(&plan.criteria[0])
    }

    fn step(id: &str) -> Proof {
        Proof::Step(StepId::new(id))
    }

    #[test]
    fn notation_has_several_spellings() {
        for (lines, expected) in [
            ("", vec![Proof::Person]),
            ("  - Proof: step 1", vec![step("1")]),
            ("  - proof: Step 4b", vec![step("4b")]),
            ("  - **Proof**: step 1.", vec![step("1")]),
            ("  - **Proof:** step 1", vec![step("1")]),
            ("  - Proof: steps 1 and 2", vec![step("1"), step("2")]),
            (
                "  - Proof: steps 1, 2, done",
                vec![step("1"), step("2"), Proof::Done(None)],
            ),
            ("  - Proof: done", vec![Proof::Done(None)]),
            ("  - Proof: done 2", vec![Proof::Done(Some(2))]),
            ("  - Proof: done block", vec![Proof::Done(None)]),
            (
                "  - Proof: test `store::cache::tests::hit`",
                vec![Proof::Test("store::cache::tests::hit".to_owned())],
            ),
            (
                "  - Proof: test a::b\n  - Proof: person",
                vec![Proof::Test("a::b".to_owned()), Proof::Person],
            ),
            (
                "  - Proof: value `p99 latency`, step 1",
                vec![Proof::Value("p99 latency".to_owned()), step("1")],
            ),
            ("  - Proof: person", vec![Proof::Person]),
            ("  * proofs: `step 1`", vec![step("1")]),
            ("  - a note", vec![Proof::Person]),
            ("  - Proofreading: done", vec![Proof::Person]),
        ] {
            assert_eq!(read(lines), expected, "{lines}");
        }
    }

    #[test]
    fn unknown_notation_proves_nothing() {
        for lines in [
            "  - Proof: trust me",
            "  - Proof:",
            "  - Proof: step",
            "  - Proof: done x",
            "  - Proof: value",
        ] {
            let found = read(lines);
            assert!(
                matches!(found[..], [Proof::Unknown(_)]),
                "{lines}: {found:?}"
            );
        }
    }

    #[test]
    fn test_names_may_have_a_crate_prefix() {
        for (wanted, binary, test, same) in [
            ("cache::tests::hit", "store", "cache::tests::hit", true),
            (
                "store::cache::tests::hit",
                "store",
                "cache::tests::hit",
                true,
            ),
            ("my_store::hit", "my-store", "hit", true),
            ("store::answers::hit", "store::answers", "hit", true),
            ("hit", "store", "cache::tests::hit", false),
            (
                "other::cache::tests::hit",
                "store",
                "cache::tests::hit",
                false,
            ),
            ("cache::tests::hi", "store", "cache::tests::hit", false),
        ] {
            assert_eq!(
                is_test(wanted, binary, test),
                same,
                "{wanted} {binary} {test}"
            );
        }
    }
}
