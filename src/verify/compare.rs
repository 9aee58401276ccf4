//! Regressions since the baseline.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::Names;

use super::test_output::Verdict;

/// The tests of a binary of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ran {
    /// Its tests by name.
    pub tests: BTreeMap<String, Verdict>,
    /// Whether the names of all its tests are known: its output was complete, and nothing was filtered.
    pub whole: bool,
}

/// Tests by binary id.
pub(super) type Tests = BTreeMap<String, Vec<String>>;

/// Tests that passed in the baseline and are worse now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Regressions {
    /// Failed tests.
    pub regressions: Tests,
    /// Missing or ignored tests.
    pub vanished: Tests,
}

/// Compares a run with the tests that passed in the baseline. `exists` returns whether a binary id is still a target of the workspace:
/// nothing is known about a binary that did not run, unless it no longer exists.
pub(super) fn compare(
    baseline: &Names,
    ran: &BTreeMap<String, Ran>,
    exists: impl Fn(&str) -> bool,
) -> Regressions {
    let mut worse = Regressions::default();
    for (binary, passed) in baseline {
        match ran.get(binary) {
            Some(now) => {
                worse.note(binary, passed, now);
            }
            // An id that starts with a question mark never was a target's.
            None if !binary.starts_with('?') && !exists(binary) && !passed.is_empty() => {
                let gone = passed.iter().cloned().collect();
                worse.vanished.insert(binary.clone(), gone);
            }
            None => {}
        }
    }
    worse
}

impl Regressions {
    fn note(&mut self, binary: &str, passed: &BTreeSet<String>, now: &Ran) {
        let before = count(passed.iter());
        let with = |verdict: Verdict| {
            let tests = now.tests.iter().filter(move |(_, own)| **own == verdict);
            count(tests.map(|(name, _)| name))
        };
        let (passing, failing) = (with(Verdict::Passed), with(Verdict::Failed));
        for (name, count) in before {
            let still = passing.get(name).copied().unwrap_or_default();
            let failed = failing.get(name).copied().unwrap_or_default();
            if still >= count {
                continue;
            }
            let worse = if failed > 0 {
                &mut self.regressions
            } else if now.whole {
                &mut self.vanished
            } else {
                continue;
            };
            worse
                .entry(binary.to_owned())
                .or_default()
                .push(name.to_owned());
        }
    }
}

/// Counts names. Doctests are named by their line, which any edit above changes, so those of one item share a name.
fn count<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        let name = match name.rsplit_once(" (line ") {
            Some((item, line)) if line.ends_with(')') => item,
            _ => name,
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tests: &[&str]) -> BTreeSet<String> {
        tests.iter().map(ToString::to_string).collect()
    }

    fn ran(tests: &[(&str, Verdict)], whole: bool) -> BTreeMap<String, Ran> {
        let tests = tests
            .iter()
            .map(|(name, verdict)| ((*name).to_owned(), *verdict));
        let tests = tests.collect();
        BTreeMap::from([("store".to_owned(), Ran { tests, whole })])
    }

    fn compared(
        passed: &[&str],
        now: &[(&str, Verdict)],
        whole: bool,
    ) -> (Vec<String>, Vec<String>) {
        let baseline = Names::from([("store".to_owned(), names(passed))]);
        let worse = compare(&baseline, &ran(now, whole), |_| true);
        let of = |tests: &Tests| tests.get("store").cloned().unwrap_or_default();
        (of(&worse.regressions), of(&worse.vanished))
    }

    #[test]
    fn only_tests_that_passed_before_can_regress() {
        let now = [
            ("a", Verdict::Failed),
            ("b", Verdict::Failed),
            ("c", Verdict::Passed),
        ];
        assert_eq!(
            compared(&["a", "c"], &now, true),
            (vec!["a".to_owned()], vec![])
        );
    }

    #[test]
    fn missing_and_ignored_tests_need_complete_names() {
        let now = [("b", Verdict::Ignored), ("new", Verdict::Passed)];
        let both = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(compared(&["a", "b"], &now, true), (vec![], both));
        assert_eq!(
            compared(&["a", "b"], &now, false),
            (vec![], vec![]),
            "filtered"
        );
    }

    #[test]
    fn moved_doctest_is_the_same() {
        let before = ["src/lib.rs - two (line 2)", "src/lib.rs - two (line 5)"];
        let moved = [
            ("src/lib.rs - two (line 3)", Verdict::Passed),
            ("src/lib.rs - two (line 6)", Verdict::Passed),
        ];
        assert_eq!(compared(&before, &moved, true), (vec![], vec![]));
        let broken = [moved[0], ("src/lib.rs - two (line 6)", Verdict::Failed)];
        assert_eq!(compared(&before, &broken, true).0, ["src/lib.rs - two"]);
        assert_eq!(compared(&before, &moved[..1], true).1, ["src/lib.rs - two"]);
    }

    #[test]
    fn tests_of_a_removed_binary_are_missing() {
        let baseline = Names::from([
            ("store::gone".to_owned(), names(&["a"])),
            ("store::there".to_owned(), names(&["a"])),
            ("?script".to_owned(), names(&["a"])),
        ]);
        let worse = compare(&baseline, &BTreeMap::new(), |id| id == "store::there");
        assert_eq!(worse.vanished.keys().collect::<Vec<_>>(), ["store::gone"]);
    }
}
