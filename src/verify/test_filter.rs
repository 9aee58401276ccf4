//! Selects single tests: compares the names that a run lists with those that source analysis found.
//!
//! A name that source analysis did not find, for example from a macro, always runs.

use std::collections::{BTreeMap, BTreeSet};

use super::binaries::Binaries;
use super::test_output::{Header, header};
use crate::affected::arguments::name_arguments;
use crate::affected::{TargetSelection, TestSelector, TestTarget, TestTargetKind, doctests};
use crate::sys::exec::Captured;

/// The tests to run of each binary, by its id. Other binaries run completely.
pub type TestFilters = BTreeMap<String, TargetSelection>;

/// The selected names of a binary, and the number of names that source analysis did not find.
pub(super) fn chosen<'l>(part: &TargetSelection, listed: &'l [String]) -> (Vec<&'l String>, usize) {
    let run: Vec<&String> = listed.iter().filter(|name| part.runs(name)).collect();
    let is_told = |name: &str| part.known.iter().any(|known| known.matches(name));
    let unknown = run.iter().filter(|name| !is_told(name)).count();
    (run, unknown)
}

/// Adds the names of the selected tests, from its listing, to the arguments of a `cargo test` call. If the listing cannot be parsed, no
/// names are added and all tests run. Also returns a note about names that source analysis did not find.
pub(super) fn resolve(
    argv: &[String],
    picks: &TestFilters,
    flags: &[String],
    listing: &Captured,
    binaries: Option<&Binaries<'_>>,
) -> (Vec<String>, Option<String>) {
    let end = argv.iter().position(|word| word == "--");
    let whole = argv[..end.unwrap_or(argv.len())].to_vec();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        anstream::adapter::strip_str(&text).to_string()
    };
    let lists = listed(&text(&listing.stdout), &text(&listing.stderr));
    let parts: Option<Vec<ListedTarget<'_>>> = lists.zip(binaries).and_then(|(lists, binaries)| {
        // A call can name a member only for its features.
        let is_other = |header: &Header| {
            let id = binaries.identify(header);
            binaries.target(&id).is_some() && !picks.contains_key(&id)
        };
        let lists = lists.into_iter().filter(|(header, _)| !is_other(header));
        lists
            .map(|(header, names)| ListedTarget::of(&header, names, picks, binaries))
            .collect()
    });
    let Some(parts) = parts else {
        let note = "the tests could not be listed by binary, so all of them were run";
        return (with_names(whole, Vec::new(), flags), Some(note.to_owned()));
    };
    if let Some(binaries) = binaries
        && !parts.is_empty()
        && parts
            .iter()
            .all(|part| part.target.kind == TestTargetKind::Doc)
    {
        let filters = documentation(&parts, binaries);
        let note = filters.is_none().then(|| {
            "a selected documentation test was not listed, so all of them were run".to_owned()
        });
        return (with_names(whole, filters.unwrap_or_default(), flags), note);
    }
    let mut names = BTreeSet::new();
    let mut unknown = 0;
    for ListedTarget { part, listed, .. } in &parts {
        let (run, more) = chosen(part, listed);
        names.extend(run.into_iter().cloned().map(TestSelector::Exact));
        unknown += more;
    }
    if names.is_empty() {
        // No selected test exists. An empty filter would run all tests, so use a name that no test has.
        let gone = parts.iter().flat_map(|listed| listed.part.tests.keys());
        names.extend(gone.filter(|name| **name != TestSelector::Unnamed).cloned());
        if names.is_empty() {
            names.insert(TestSelector::Exact("no generated test".to_owned()));
        }
    }
    (
        with_names(whole, name_arguments(&names), flags),
        note(unknown),
    )
}

/// The tests of a target that the harness lists.
struct ListedTarget<'p> {
    target: &'p TestTarget,
    part: &'p TargetSelection,
    listed: Vec<String>,
}

impl<'p> ListedTarget<'p> {
    fn of(
        header: &Header,
        listed: Vec<String>,
        picks: &'p TestFilters,
        binaries: &'p Binaries<'_>,
    ) -> Option<Self> {
        let id = binaries.identify(header);
        Some(Self {
            target: binaries.target(&id)?,
            part: picks.get(&id)?,
            listed,
        })
    }
}

/// Adds names with their options, and flags for the test binaries, to a call.
fn with_names(mut call: Vec<String>, names: Vec<String>, flags: &[String]) -> Vec<String> {
    let is_separated = names.first().is_some_and(|name| name == "--");
    let adds_nothing = names.is_empty() && flags.is_empty();
    if !is_separated && !adds_nothing {
        call.push("--".to_owned());
    }
    call.extend(names);
    call.extend_from_slice(flags);
    call
}

/// Filters for the selected documentation tests of targets; `None` if one is not listed.
fn documentation(targets: &[ListedTarget<'_>], binaries: &Binaries<'_>) -> Option<Vec<String>> {
    let all: Vec<String> = targets
        .iter()
        .flat_map(|target| target.listed.clone())
        .collect();
    let mut wanted = Vec::new();
    for ListedTarget {
        target,
        part,
        listed,
    } in targets
    {
        wanted.extend(doctests::to_run(
            binaries.workspace(),
            target,
            part,
            listed,
        )?);
    }
    Some(doctests::filters(&wanted, &all))
}

/// The note about tests that source analysis did not find.
pub(super) fn note(unknown: usize) -> Option<String> {
    (unknown > 0).then(|| {
        format!("{unknown} tests ran that source analysis did not find, so their dependencies are unknown")
    })
}

/// The tests of each binary in the output of `cargo test … -- --list`: cargo announces binaries on standard error, and each lists its
/// tests on standard output, with a count at the end. `None` if the two do not match, as for a harness with another listing format.
pub(super) fn listed(stdout: &str, stderr: &str) -> Option<Vec<(Header, Vec<String>)>> {
    let headers: Vec<Header> = stderr.lines().filter_map(header).collect();
    let mut lists = vec![Vec::new()];
    for line in stdout.lines() {
        // A whole target also runs its benchmarks, once.
        let name = line.strip_suffix(": test");
        if let Some(name) = name.or_else(|| line.strip_suffix(": benchmark")) {
            lists.last_mut()?.push(name.to_owned());
        } else if is_count(line) {
            lists.push(Vec::new());
        } else if !line.is_empty() && !line.starts_with("all doctests ran in ") {
            return None;
        }
    }
    let rest = lists.pop()?;
    (rest.is_empty() && lists.len() == headers.len())
        .then(|| headers.into_iter().zip(lists).collect())
}

/// `3 tests, 0 benchmarks`, the end of a list of libtest.
fn is_count(line: &str) -> bool {
    let Some((tests, benches)) = line.split_once(", ") else {
        return false;
    };
    let counts = |text: &str, one: &str| {
        text.split_once(' ').is_some_and(|(number, what)| {
            number.bytes().all(|byte| byte.is_ascii_digit()) && what.trim_end_matches('s') == one
        })
    };
    counts(tests, "test") && counts(benches, "benchmark")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STDERR: &str = "   Compiling a v0.1.0\n     Running unittests src/lib.rs (target/debug/deps/a-0123456789abcdef)\n     \
                          Running tests/it.rs (target/debug/deps/it-0123456789abcdef)\n";

    #[test]
    fn tests_belong_to_binaries_up_to_the_count() {
        let stdout =
            "m::one: test\nm::fast: benchmark\n\n1 test, 1 benchmark\n0 tests, 0 benchmarks\n";
        let found = listed(stdout, STDERR).unwrap();
        let names: Vec<&[String]> = found.iter().map(|(_, names)| names.as_slice()).collect();
        assert_eq!(
            names,
            [&["m::one".to_owned(), "m::fast".to_owned()][..], &[]]
        );
    }

    #[test]
    fn list_that_does_not_match_is_none() {
        assert!(listed("m::one: test\n\n1 test, 0 benchmarks\n", STDERR).is_none());
        assert!(
            listed(
                "hello\n0 tests, 0 benchmarks\n0 tests, 0 benchmarks\n",
                STDERR
            )
            .is_none()
        );
        assert!(listed("m::one: test\n", "").is_none());
    }
}
