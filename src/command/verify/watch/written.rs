//! What changes while tests run: saved by a person, or written by the tests.
//!
//! Nobody but the one who wrote it can tell. A file that tests write changes in every run, so one that has changed in
//! several runs on end is taken for theirs, until a run leaves it alone: two runs, or for what cargo builds from (Rust
//! sources, manifests, the lockfile) five, as a person may well save a source in one run after another. A file that cargo
//! does not build from and that was not there when the run began is theirs at once: logs, and snapshots to be reviewed.
//! To be taken for theirs means that nothing is run for it before the next save, which runs all that it can affect.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::files::Files;

/// Consecutive runs in which a file that cargo builds from changes until it is classified as written by tests.
const BUILT_FROM: usize = 5;
/// The same of another file.
const OTHER: usize = 2;

/// Files that changed while tests ran.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// In how many runs on end.
    runs: BTreeMap<Utf8PathBuf, usize>,
    /// Files that were once classified as written by tests.
    known: BTreeSet<Utf8PathBuf>,
}

/// A file that is classified as written by tests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Theirs {
    pub(super) path: Utf8PathBuf,
    /// Whether it is for the first time.
    pub(super) is_new: bool,
}

impl Written {
    /// Whether a file that has changed since a run began counts as saved while the run goes on.
    pub(super) fn is_save(&self, path: &Utf8Path, begun: &Files) -> bool {
        // cargo itself brings the lockfile in line.
        let is_lockfile = path.file_name() == Some("Cargo.lock");
        let before = self.runs.get(path).copied().unwrap_or(0);
        !is_lockfile && before + 1 < limit(path, begun)
    }

    /// Takes note of a run that has ended, with the files before and after it; `whole` when it came to its end. What is
    /// taken for what it wrote.
    pub(super) fn look_back(&mut self, begun: &Files, after: &Files, whole: bool) -> Vec<Theirs> {
        let changed = after.difference(begun);
        if whole {
            self.runs.retain(|path, _| changed.contains(path));
        }
        let mut theirs = Vec::new();
        for path in changed {
            let runs = self.runs.entry(path.clone()).or_default();
            *runs += 1;
            if *runs < limit(&path, begun) {
                continue;
            }
            theirs.push(Theirs {
                is_new: self.known.insert(path.clone()),
                path,
            });
        }
        theirs
    }
}

fn limit(path: &Utf8Path, begun: &Files) -> usize {
    if is_built_from(path) {
        BUILT_FROM
    } else if begun.has(path) {
        OTHER
    } else {
        1
    }
}

fn is_built_from(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("rs" | "toml" | "lock"))
}
