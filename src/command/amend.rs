//! `cargo poc amend`: records a deliberate change of the contract.

use anyhow::Result;

use crate::cli;
use crate::contract::{self, Contract, ContractState, Entry, Kind, Tests};
use crate::document_update::{self, Mode, Texts};
use crate::exit::{self, Exit};
use crate::freshness::Hasher;
use crate::project::{Poc, Project};
use crate::report::human::contract as report;
use crate::sys::terminal::Terminal;

/// Records how the plan differs from the contract, with author and reason, and locks the current plan.
///
/// # Errors
/// A usage error: no lock, edited entries, no reason. Also if git does not know the user's name.
pub fn run(project: &Project, arguments: &cli::Amend, terminal: &mut Terminal) -> Result<Exit> {
    let poc = project.named_or_only(arguments.name.as_deref())?;
    let reason = reason(&arguments.reason)?;
    let by = project.repository()?.author()?;
    let mode = Mode::of(arguments.dry_run);
    let (changed, differences) = document_update::change(
        project,
        &poc.paths,
        mode,
        terminal,
        |poc| {
            let (document, _) = document_update::results(poc)?;
            let name = &poc.paths.name;
            let mut standing = ContractState::read(document.text(), name);
            if let Some(problem) = standing.problems.first() {
                let path = project.workspace.slashed(&poc.paths.results);
                return Err(exit::usage(format!(
                    "{path}:{}: {}",
                    problem.line, problem.message
                )));
            }
            let present = tests(project, poc)?;
            standing.compare(&poc.plan, &standing.test_differences(&present)?)?;
            if standing.agreed().is_none() {
                return Err(exit::usage(format!(
                    "the contract of {name} is not locked, so its plan can be edited freely; `cargo poc step start {name} ID` starts the work"
                )));
            }
            let mut texts = Texts::default();
            if !standing.changes.is_empty() {
                let entry = Entry {
                    reason: Some(reason.clone()),
                    changes: standing.changes.clone(),
                    contract: Some(Contract::of(&poc.plan, Some(&present))?),
                    ..Entry::new(Kind::Amend, name, Some(by.clone()))
                };
                texts.results = Some(contract::append(document.text(), &entry)?);
            }
            Ok((texts, standing.changes))
        },
    )?;
    if !changed {
        terminal.status("Unchanged", "the plan matches its contract")?;
        return Ok(Exit::Success);
    }
    if !arguments.dry_run {
        report::differences(terminal, &differences)?;
        let results = project.workspace.slashed(&poc.paths.results);
        terminal.status("Amended", format!("{results} by {by}"))?;
    }
    Ok(Exit::Success)
}

/// Checks that a reason is not empty.
///
/// # Errors
/// A usage error if it is empty.
pub(super) fn reason(text: &str) -> Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(exit::usage("--reason is empty; write a reason"));
    }
    Ok(text)
}

/// Adds a lock of the current plan to the results, unless they have one. The task list of another tool is not locked, because that tool
/// changes it.
///
/// # Errors
/// When sources cannot be read.
pub(super) fn locked(project: &Project, poc: &Poc, text: &str) -> Result<String> {
    let known = ContractState::read(text, &poc.paths.name);
    if poc.paths.is_foreign() || known.agreed().is_some() {
        return Ok(text.to_owned());
    }
    // Without packages, the tests of the plan are unknown, not empty.
    let tests = Some(tests(project, poc)?).filter(|_| !names_no_package(project, poc));
    let repository = project.repository().ok();
    let by = repository.and_then(|repository| repository.author().ok());
    let entry = Entry {
        contract: Some(Contract::of(&poc.plan, tests.as_ref())?),
        ..Entry::new(Kind::Lock, &poc.paths.name, by)
    };
    contract::append(text, &entry)
}

/// Warns before the first lock of a plan without packages that no test is locked.
pub(super) fn warn_of_unknown_tests(
    project: &Project,
    poc: &Poc,
    terminal: &mut Terminal,
) -> Result<()> {
    let text = poc
        .results
        .as_ref()
        .map_or("", |(document, _)| document.text());
    let locked = ContractState::read(text, &poc.paths.name);
    let locks = !poc.paths.is_foreign() && locked.agreed().is_none();
    if locks && names_no_package(project, poc) {
        terminal.warn(format!(
            "{} names no package, so no test is locked; add a Packages row to its Overview",
            project.workspace.slashed(&poc.paths.plan)
        ))?;
    }
    Ok(())
}

fn names_no_package(project: &Project, poc: &Poc) -> bool {
    contract::tests::packages(&project.workspace, &poc.plan).is_empty()
}

/// The tests that the plan affects now.
fn tests(project: &Project, poc: &Poc) -> Result<Tests> {
    // Tests do not depend on the toolchain, so rustc is not called.
    let mut hasher = Hasher::new(
        &project.workspace,
        &project.config,
        project.repository().ok(),
        "",
    )?;
    contract::tests::of_plan(project, &poc.plan, &mut hasher)
}
