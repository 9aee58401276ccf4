//! Classifies files that change while tests run: saved by a person, or written by the tests.
//!
//! The two cases can only be guessed. A file that tests write changes in every run, so a file that changed in several consecutive
//! runs is classified as written by tests until a run leaves it unchanged: after two runs, or after five for files that cargo
//! builds from (Rust sources, manifests, the lockfile), because a person may save a source during several runs. A file that cargo
//! does not build from and that did not exist when the run started is classified at once: logs, and snapshots to be reviewed. A
//! classified file triggers no run; the next save runs all tests that it can affect.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::files::Files;

/// The number of consecutive runs after which a file that cargo builds from is classified as written by tests.
const BUILT_FROM: usize = 5;
/// The same number for other files.
const OTHER: usize = 2;

/// Files that changed while tests ran.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The number of consecutive runs in which each file changed.
    runs: BTreeMap<Utf8PathBuf, usize>,
    /// Files that were once classified as written by tests.
    known: BTreeSet<Utf8PathBuf>,
}

/// A file that is classified as written by tests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrittenFile {
    pub(super) path: Utf8PathBuf,
    /// Whether this is the first time.
    pub(super) is_new: bool,
}

impl Written {
    /// Whether a file that changed since the start of a run counts as saved during it.
    pub(super) fn is_save(&self, path: &Utf8Path, begun: &Files) -> bool {
        // cargo itself updates the lockfile.
        let is_lockfile = path.file_name() == Some("Cargo.lock");
        let before = self.runs.get(path).copied().unwrap_or(0);
        !is_lockfile && before + 1 < limit(path, begun)
    }

    /// Classifies the files that changed during a run. `whole` is whether the run completed. Returns files that seem to be written
    /// by the tests.
    pub(super) fn classify(
        &mut self,
        begun: &Files,
        after: &Files,
        whole: bool,
    ) -> Vec<WrittenFile> {
        let changed = after.difference(begun);
        if whole {
            self.runs.retain(|path, _| changed.contains(path));
        }
        let mut written = Vec::new();
        for path in changed {
            let runs = self.runs.entry(path.clone()).or_default();
            *runs += 1;
            if *runs < limit(&path, begun) {
                continue;
            }
            written.push(WrittenFile {
                is_new: self.known.insert(path.clone()),
                path,
            });
        }
        written
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
