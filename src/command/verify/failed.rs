//! Keeps which tests failed, and selects tests that failed before.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8Path;

use crate::affected::failed::{FailedTests, TestNames};
use crate::affected::{self, Selection, TestSelector};
use crate::change::Change;
use crate::evidence::Outcome;
use crate::exit::{Exit, OrExit as _};
use crate::project::Project;
use crate::sys::files;
use crate::verify::Report;
use crate::verify::binaries::Binaries;
use crate::verify::failed_report;
use crate::verify::test_output::Verdict;
use crate::workspace::{Configuration, Workspace};

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

/// The failed tests of a report.
pub(super) fn in_report(project: &Project, file: &Utf8Path) -> Result<TestNames> {
    let text = files::read(file).or_exit(Exit::Usage)?;
    let failed = failed_report::failed_tests(&project.workspace, &String::from_utf8_lossy(&text))
        .with_context(|| format!("failed to use the report {file}"))?;
    if failed.is_empty() {
        return Err(anyhow!("{file} contains no failed test"));
    }
    Ok(failed)
}

/// Why tests of a report did not run: this build has none of their names.
pub(super) fn not_run(
    project: &Project,
    reported: &TestNames,
    ran: &BTreeMap<String, BTreeMap<String, Verdict>>,
) -> Option<String> {
    let mut missing = reported.iter().flat_map(|(binary, names)| {
        // An edit above a documentation test changes its name.
        let names = names.iter().filter(|_| !binary.ends_with("::doc"));
        names.map(move |name| (binary, name))
    });
    let (binary, name) = missing
        .find(|(binary, name)| !ran.get(*binary).is_some_and(|ran| ran.contains_key(*name)))?;
    let is_here = |other: &&Configuration| {
        let build = project.workspace.configured_as((*other).clone());
        let tests = affected::tests_of_build(&build).remove(binary);
        tests.is_some_and(|tests| tests.contains(&TestSelector::Exact(name.clone())))
    };
    let mut others = project.config.configurations.values();
    let other = others.find(is_here).and_then(|other| other.name.as_deref());
    let advice = other.map_or_else(
        || "select the build of the report, for example with `--all-features`".to_owned(),
        |other| format!("the configuration `{other}` has it: add `--config {other}`"),
    );
    Some(format!(
        "{binary} {name} failed in the report and did not run, because this build has no such test; {advice}"
    ))
}

/// The tests that `failed` names, and no others.
pub(super) fn only(project: &Project, failed: &TestNames) -> Result<Selection> {
    let nothing = Change::of_files(BTreeSet::new());
    let selection = affected::select_with_failed(project, &nothing, true, failed)?;
    if selection.is_empty() {
        return Err(anyhow!(
            "no test failed in its last run; `cargo poc verify` runs the affected tests"
        ));
    }
    Ok(selection)
}
