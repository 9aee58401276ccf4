//! Failures that a plan excuses for a while: tests in quarantine.
//!
//! A failure is excused only if every test of the command ran and every failure is excused: cargo leaves out the
//! binaries after the first that fails, unless it has `--no-fail-fast`.

use super::binaries::Binaries;
use super::invocation::{Excused, Invocation, Program};
use super::test_output::{Binary, Observed, Verdict};
use crate::document::proof::is_test;

/// The excused tests of a command; none where a failure is not in quarantine, or tests may have been left out.
pub(super) fn excused(
    quarantine: &[String],
    seen: &Observed,
    invocation: &Invocation,
    binaries: Option<&Binaries<'_>>,
) -> Excused {
    let mut all = Excused::new();
    if quarantine.is_empty() {
        return all;
    }
    for binary in seen.binaries() {
        let id = id(binary, binaries);
        let failed = binary
            .tests
            .iter()
            .filter(|(_, verdict)| **verdict == Verdict::Failed);
        let failed: Vec<&String> = failed.map(|(test, _)| test).collect();
        let in_quarantine = |test: &str| quarantine.iter().any(|wanted| is_test(wanted, &id, test));
        // A failure without a name, such as a crash, is never excused.
        if failed.len() as u64 != binary.counts.failed
            || !failed.iter().all(|test| in_quarantine(test))
            || !binary.flaky.iter().all(|test| in_quarantine(test))
        {
            return Excused::new();
        }
        let tests: Vec<String> = failed.into_iter().chain(&binary.flaky).cloned().collect();
        if !tests.is_empty() {
            all.entry(id).or_default().extend(tests);
        }
    }
    if seen.counts().failed > 0 && !runs_all(invocation) {
        return Excused::new();
    }
    all
}

/// Whether tests run after a failed one.
fn runs_all(invocation: &Invocation) -> bool {
    match &invocation.program {
        Program::Cargo { argv, .. } => argv.iter().any(|word| word == "--no-fail-fast"),
        Program::Command(command) => command.script.contains("--no-fail-fast"),
        Program::Block(_) => false,
    }
}

fn id(binary: &Binary, binaries: Option<&Binaries<'_>>) -> String {
    let header = &binary.header;
    binaries.map_or_else(|| header.short_id(), |binaries| binaries.identify(header))
}
