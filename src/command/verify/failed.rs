//! Keeps which tests failed, for the next selection.

use anyhow::Result;

use crate::affected::failed::FailedTests;
use crate::evidence::Outcome;
use crate::verify::Report;
use crate::verify::binaries::Binaries;
use crate::verify::test_output::Verdict;
use crate::workspace::Workspace;

/// Updates the failed tests of the workspace by a run. A run that passed and was not `filtered` by the user also removes
/// tests that no longer exist from the binaries that ran.
///
/// # Errors
/// When the list cannot be read or written.
pub(super) fn keep(
    workspace: &Workspace,
    report: &Report,
    binaries: &Binaries<'_>,
    filtered: bool,
) -> Result<()> {
    let all_passed = report.outcome() == Outcome::Passed && !filtered;
    let mut verdicts = report.verdicts(binaries);
    verdicts.retain(|binary, _| binaries.has(binary));
    FailedTests::update(workspace, |failed| {
        for (binary, verdicts) in verdicts {
            let names = failed.entry(binary).or_default();
            if all_passed {
                names.clear();
            }
            for (name, verdict) in verdicts {
                match verdict {
                    Verdict::Passed => names.remove(&name),
                    Verdict::Failed => names.insert(name),
                    Verdict::Ignored => false,
                };
            }
        }
    })
}
