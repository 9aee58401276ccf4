//! `cargo poc verify --confirm`: a person's word for what a program cannot judge, recorded as theirs.

use anyhow::Result;

use crate::document_update::{self, Mode, Texts};
use crate::evidence::{self, Confirmation, Evidence, Outcome, Record, Scope};
use crate::exit::{self, Exit, with_exit};
use crate::freshness::{self, Hasher};
use crate::project::{Poc, Project};
use crate::report::human::verify as report;
use crate::sys::cargo;
use crate::sys::terminal::Terminal;
use crate::verify::{self, confirmation_id};

/// Records that the user has looked at these commands of the last runs.
///
/// # Errors
/// Bad usage: an id that names no command for a person to look at; git does not know who the user is. The run failed, or
/// its inputs have changed since: it must be run again first.
pub(super) fn run(
    project: &Project,
    poc: &Poc,
    ids: &[String],
    terminal: &mut Terminal,
) -> Result<Exit> {
    let by = project.repository()?.author()?;
    let toolchain = cargo::toolchain(&project.workspace.root)?;
    let mut hasher = Hasher::new(
        &project.workspace,
        &project.config,
        project.repository().ok(),
        &toolchain,
    )?;
    let mut fresh = |record: &Record| {
        let now = hasher.current(record.inputs.keys())?;
        let known = |name: &String| Some((name.clone(), now.get(name)?.clone()));
        let now = record.inputs.keys().filter_map(known).collect();
        Ok(freshness::changed(&record.inputs, &now))
    };
    let (_, records) =
        document_update::change(project, &poc.paths, Mode::Write, terminal, |poc| {
            let (document, _) = document_update::results(poc)?;
            let mut text = document.text().to_owned();
            let mut records: Vec<Record> = Vec::new();
            for id in ids {
                let evidence = evidence::read(&text);
                let (mut record, index) = find(poc, &evidence, id, &mut fresh)?;
                if record.checks[index].confirmed.is_some() {
                    continue;
                }
                let time = evidence::now();
                record.checks[index].confirmed = Some(Confirmation {
                    by: by.clone(),
                    time: time.clone(),
                });
                record.time = time;
                let open = |check: &evidence::Check| check.manual && check.confirmed.is_none();
                record.outcome = if record.checks.iter().any(open) {
                    Outcome::Unconfirmed
                } else {
                    Outcome::Passed
                };
                text = evidence::append(&text, &record)?;
                records.retain(|earlier| earlier.scope != record.scope);
                records.push(record);
            }
            let results = Some(text);
            Ok((
                Texts {
                    results,
                    plan: None,
                },
                records,
            ))
        })?;
    if records.is_empty() {
        terminal.status("Unchanged", "that was confirmed already")?;
        return Ok(Exit::Fine);
    }
    let mut worst = Exit::Fine;
    for record in &records {
        report::outcome(terminal, record)?;
        terminal.status("Confirmed", format!("{} by {by}", record.scope))?;
        worst = worst.max(verify::exit(record));
    }
    Ok(worst)
}

/// The last record of the id's scope, and which of its commands the id names.
fn find(
    poc: &Poc,
    evidence: &Evidence,
    id: &str,
    fresh: &mut dyn FnMut(&Record) -> Result<Vec<String>>,
) -> Result<(Record, usize)> {
    let name = &poc.paths.name;
    let unknown = |known: &[String]| {
        let known = match known {
            [] => "nothing waits for a person".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        exit::usage(format!("`{id}` is nothing to confirm in {name}; {known}"))
    };
    let all: Vec<String> = poc
        .plan
        .steps
        .iter()
        .map(|step| Scope::Step(step.id.to_string()))
        .chain([Scope::Baseline, Scope::Prerequisites, Scope::Done])
        .filter_map(|scope| evidence.last(&scope))
        .flat_map(|record| {
            let manual = |(index, check): (usize, &evidence::Check)| {
                check.manual.then(|| confirmation_id(&record.scope, index))
            };
            record
                .checks
                .iter()
                .enumerate()
                .filter_map(manual)
                .collect::<Vec<_>>()
        })
        .collect();
    let found = id.rsplit_once('.').and_then(|(scope, number)| {
        let scope = match scope {
            "baseline" => Scope::Baseline,
            "prerequisites" => Scope::Prerequisites,
            "done" => Scope::Done,
            step => Scope::Step(crate::document::StepId::new(step).to_string()),
        };
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        let record = evidence.last(&scope)?.clone();
        record
            .checks
            .get(index)
            .is_some_and(|check| check.manual)
            .then_some((record, index))
    });
    let Some((record, index)) = found else {
        return Err(unknown(&all));
    };
    let again = |why: &str, exit: Exit| {
        let scope = super::flag(&record.scope);
        let error = anyhow::anyhow!("{why}; run `cargo poc verify {name} {scope}` and look again");
        Err(with_exit(exit, error))
    };
    if record.poc != *name {
        return again("that run was of another PoC", Exit::Findings);
    }
    if !matches!(record.outcome, Outcome::Passed | Outcome::Unconfirmed) {
        let why = format!(
            "the last run of `{}` did not pass ({})",
            record.scope, record.outcome
        );
        return again(&why, Exit::Findings);
    }
    if verify::commands_hash(&verify::planned(&poc.plan, &record.scope)) != record.commands {
        return again(
            "the plan's commands have changed since that run",
            Exit::Stale,
        );
    }
    let changed = fresh(&record)?;
    if !changed.is_empty() {
        return again(
            &format!("changed since that run: {}", changed.join(", ")),
            Exit::Stale,
        );
    }
    Ok((record, index))
}
