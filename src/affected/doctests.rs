//! The names of documentation tests in the output of rustdoc, and arguments that select them.

use std::collections::BTreeSet;

use super::selection::{TargetSelection, TestSelector};
use super::targets::{TestTarget, TestTargetKind};
use crate::workspace::Workspace;

/// A name from the harness as selectors of the target name it: a documentation test by its file and line.
#[must_use]
pub fn as_selected(workspace: &Workspace, target: &TestTarget, name: &str) -> String {
    let place = (target.kind == TestTargetKind::Doc).then(|| place(workspace, target, name));
    match place.flatten() {
        Some((file, line)) => format!("{file}:{line}"),
        None => name.to_owned(),
    }
}

/// The file, relative to the workspace root, and the line in rustdoc's name of a test: `store/src/lib.rs - answer (line 5)`, perhaps
/// followed by ` - compile`.
pub(crate) fn place(
    workspace: &Workspace,
    target: &TestTarget,
    name: &str,
) -> Option<(String, String)> {
    let (file, rest) = name.split_once(" - ")?;
    let (line, _) = rest.rsplit_once("(line ")?.1.split_once(')')?;
    let folders = [&*workspace.root, workspace.folder(target.package)];
    let mut paths = folders.iter().map(|folder| folder.join(file));
    let path = paths.find(|path| path.is_file())?;
    Some((workspace.slashed(&path), line.to_owned()))
}

/// Whether a run lists the documentation tests of a target and filters them. Since edition 2024 rustdoc compiles all of them at
/// once, also to list them, so that a filter does not save what the list costs.
#[must_use]
pub fn are_filtered(workspace: &Workspace, target: &TestTarget, part: &TargetSelection) -> bool {
    let edition = workspace.packages[target.package].edition;
    edition < cargo_metadata::Edition::E2024
        && part.whole.is_empty()
        && part.tests.len() * 2 <= part.known.len()
}

/// The listed tests to run: those that are selected, and those that are in no source. `None` if a selected test is not listed.
#[must_use]
pub fn to_run<'l>(
    workspace: &Workspace,
    target: &TestTarget,
    part: &TargetSelection,
    listed: &'l [String],
) -> Option<Vec<&'l str>> {
    let places: Vec<BTreeSet<String>> = listed
        .iter()
        .map(|name| BTreeSet::from([as_selected(workspace, target, name)]))
        .collect();
    let is_listed = |selector: &TestSelector| places.iter().any(|place| selector.is_among(place));
    if !part.tests.keys().all(is_listed) {
        return None;
    }
    let runs = |place: &BTreeSet<String>| {
        part.tests.keys().any(|selector| selector.is_among(place))
            || !part.known.iter().any(|known| known.is_among(place))
    };
    let all = listed.iter().zip(&places);
    Some(
        all.filter(|(_, place)| runs(place))
            .map(|(name, _)| name.as_str())
            .collect(),
    )
}

/// Filters that together run at least the `wanted` of the listed tests. rustdoc splits its arguments at blanks, so each filter is a word of
/// a name: the file, the item or the line, whichever fewest names contain.
#[must_use]
pub fn filters(wanted: &[&str], listed: &[String]) -> Vec<String> {
    let mut filters: Vec<&str> = Vec::new();
    for name in wanted {
        if filters.iter().any(|filter| name.contains(filter)) {
            continue;
        }
        let count = |word: &&str| listed.iter().filter(|name| name.contains(word)).count();
        filters.extend(name.split_whitespace().min_by_key(count));
    }
    filters.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_words_that_few_names_contain() {
        let listed = [
            "src/a.rs - a (line 3)",
            "src/a.rs - a::Type<T>::get (line 13)",
            "src/a.rs - a::Type<T>::set (line 23)",
            "src/b.rs - b (line 13)",
            "src/b.rs - b::call (line 20) - compile",
        ]
        .map(str::to_owned);
        let of = |wanted: &[&str]| filters(wanted, &listed);
        assert_eq!(of(&[&listed[1]]), ["a::Type<T>::get"]);
        assert_eq!(of(&[&listed[4]]), ["b::call"]);
        assert_eq!(of(&[&listed[3]]), ["src/b.rs"]);
        assert_eq!(of(&[&listed[3], &listed[4]]), ["src/b.rs"]);
        assert!(of(&[]).is_empty());
    }
}
