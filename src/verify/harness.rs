//! What a run shows of test binaries, compared with the binaries themselves and with the manifests.
//!
//! In: the [`Observed`] tests of a command. The names of tests are compared with those that their binary lists, and a
//! binary without a summary is an error unless its manifest says `harness = false`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::binaries::Binaries;
use super::test_output::{Binary, Ending, Header, Observed, Verdict, is_not_counted};
use crate::sys::exec::{self, ProcessCommand};

/// The time limit for listing the tests of a binary.
const LISTING_LIMIT: Duration = Duration::from_secs(10);

/// The tests that a binary lists; empty if it cannot run.
pub(super) fn list(header: &Header, folder: &Path) -> Option<BTreeSet<String>> {
    let Header::Cargo { executable, .. } = header else {
        return None;
    };
    let folder = camino::Utf8Path::from_path(folder)?;
    let command = ProcessCommand::new(folder.join(executable))
        .args(["--list", "--format", "terse"])
        .directory(folder)
        .timeout(Some(LISTING_LIMIT));
    let listed = exec::capture(&command).ok()?;
    let text = String::from_utf8(listed.stdout).ok()?;
    let names = text.lines().filter_map(|line| {
        let name = line
            .strip_suffix(": test")
            .or(line.strip_suffix(": benchmark"))?;
        Some(name.to_owned())
    });
    listed.ended.success().then(|| names.collect())
}

impl Observed {
    /// Compares the names in a run with those that its binaries list, if they differ from the summary: output of a test or its child
    /// process can look like the line of a test. `captured` is whether the output of tests was captured, so that it cannot split the
    /// lines of the harness.
    pub(super) fn reconcile(
        &mut self,
        captured: bool,
        list: &mut dyn FnMut(&Header) -> Option<BTreeSet<String>>,
    ) {
        for run in &mut self.runs {
            for binary in &mut run.binaries {
                if binary.disagreement.is_some() {
                    binary.keep_listed(captured, list(&binary.header));
                }
            }
        }
    }

    /// Counts a binary without a summary as a failure, unless it has a custom harness: libtest always prints one, but not
    /// if a runner replaced the binary, or if the process ended before the tests.
    pub(super) fn settle_silent(&mut self, binaries: Option<&Binaries<'_>>) {
        let custom =
            |header: &Header| binaries.is_none_or(|binaries| binaries.has_custom_harness(header));
        for binary in self.runs.iter_mut().flat_map(|run| &mut run.binaries) {
            if binary.ending != Ending::Unknown
                || binary.counts.failed > 0
                || custom(&binary.header)
            {
                continue;
            }
            let title = binary.header.title();
            self.notes.retain(|note| *note != is_not_counted(&title));
            self.notes.push(format!(
                "{title}: it printed no test and no summary, and its manifest does not have `harness = false`; counted as one failure"
            ));
            binary.ending = Ending::Crashed;
            binary.counts.failed = 1;
        }
    }

    /// Removes what only looks like tests: of a command that is not known to run any, a binary counts if it exists and lists
    /// the names that were printed. Returns whether anything was removed.
    pub(super) fn keep_existing(
        &mut self,
        binaries: Option<&Binaries<'_>>,
        list: &mut dyn FnMut(&Header) -> Option<BTreeSet<String>>,
    ) -> bool {
        let mut exists = |binary: &Binary| match &binary.header {
            Header::Cargo { .. } => list(&binary.header).is_some_and(|listed| {
                !listed.is_empty() && binary.tests.keys().all(|name| listed.contains(name))
            }),
            Header::Nextest(id) => binaries.is_some_and(|binaries| binaries.has(id)),
            Header::Doctests(_) => binaries.is_some_and(|binaries| binaries.knows(&binary.header)),
            Header::Unnamed => false,
        };
        let mut removed = false;
        for run in &mut self.runs {
            let before = run.binaries.len();
            run.binaries.retain(&mut exists);
            if run.binaries.len() < before || run.binaries.is_empty() {
                run.summary = None;
                removed = true;
            }
        }
        self.runs.retain(|run| !run.binaries.is_empty());
        if removed {
            self.notes.clear();
        }
        removed
    }
}

impl Binary {
    fn keep_listed(&mut self, captured: bool, listed: Option<BTreeSet<String>>) {
        let Some(listed) = listed else {
            return;
        };
        self.tests.retain(|name, _| listed.contains(name));
        let named = Verdict::counts_of(&self.tests);
        let counts = self.counts;
        let agree = (named.passed, named.failed, named.ignored)
            == (counts.passed, counts.failed, counts.ignored);
        // A quiet run names only failed tests.
        let quiet = named.passed + named.ignored == 0 && named.failed <= counts.failed;
        let fewer = named.passed <= counts.passed && named.failed <= counts.failed;
        if agree || quiet || !captured && fewer {
            self.disagreement = None;
        }
    }
}
