//! `cargo poc verify --confirm`: records a person's judgement of results that a program cannot check.

use anyhow::Result;

use super::super::amend;
use super::request::flag;
use crate::contract::{self, Confirmed, Entry, Kind};
use crate::document::proof::{self, Proof};
use crate::document::{Item, StepId};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::{self, Confirmation, Evidence, Outcome, Record, Scope};
use crate::exit::{self, Exit, with_exit};
use crate::freshness::{self, Hasher, Inputs, TOOLCHAIN, WORKSPACE};
use crate::project::{Poc, Project};
use crate::report::human::verify as report;
use crate::status::claims_of;
use crate::sys::cargo::{self, LOCKFILE};
use crate::sys::git::Repository;
use crate::sys::terminal::Terminal;
use crate::verify::{self, confirmation_id};

/// The person who confirms, and the reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Confirming<'a> {
    /// The given name, or git's user.
    pub(super) by: Option<&'a str>,
    /// The reason; required for criteria.
    pub(super) reason: Option<&'a str>,
}

/// Records what a person confirms: commands of the last runs (`done.3`), criteria (`criterion.2`) and items of the checklist
/// (`checklist.4`, or `checklist` for all that no program can check). Returns the steps that commands belong to.
///
/// # Errors
/// A usage error: an id that needs no confirmation, a criterion without a reason, or git does not know the user's name. Also
/// if the run failed, or its inputs have changed since: it has to be run again first.
pub(super) fn run(
    project: &Project,
    poc: &Poc,
    ids: &[String],
    confirming: &Confirming<'_>,
    terminal: &mut Terminal,
) -> Result<(Exit, Vec<StepId>)> {
    let by = match confirming.by.map(str::trim).filter(|by| !by.is_empty()) {
        Some(by) => by.to_owned(),
        None => project.repository()?.author()?,
    };
    let is_promise = |id: &&String| {
        criterion_number(id).is_some() || *id == CHECKLIST || item_number(id).is_some()
    };
    let (promises, commands): (Vec<&String>, Vec<&String>) = ids.iter().partition(is_promise);
    if !promises.is_empty() {
        confirm_promises(project, poc, &promises, &by, confirming.reason, terminal)?;
    }
    let mut steps = Vec::new();
    for id in &commands {
        if let Some((scope, _)) = id.rsplit_once('.')
            && !matches!(scope, "baseline" | "prerequisites" | "done")
        {
            steps.push(StepId::new(scope));
        }
    }
    let exit = if commands.is_empty() {
        Exit::Success
    } else {
        confirm_commands(project, poc, &commands, &by, terminal)?
    };
    Ok((exit, steps))
}

/// The id of every item of the checklist that no program can check.
const CHECKLIST: &str = "checklist";

/// The number in `checklist.2`.
fn item_number(id: &str) -> Option<&str> {
    id.strip_prefix("checklist.")
}

/// The number in `criterion.2`.
fn criterion_number(id: &str) -> Option<&str> {
    id.strip_prefix("criterion.")
}

/// Records that a person finds criteria and items of the checklist met, on the sources as they are now.
fn confirm_promises(
    project: &Project,
    poc: &Poc,
    ids: &[&String],
    by: &str,
    reason: Option<&str>,
    terminal: &mut Terminal,
) -> Result<()> {
    let Some(reason) = reason.map(amend::reason).transpose()? else {
        return Err(exit::usage(
            "criteria and the checklist are confirmed with --reason: write what shows that they are met",
        ));
    };
    let repository = project.repository().ok();
    let commit = repository
        .as_ref()
        .and_then(|repository| repository.head().ok().flatten());
    let inputs = confirmation_inputs(project, poc, repository)?;
    let (changed, texts) =
        document_update::change(project, &poc.paths, Mode::Write, terminal, |poc| {
            let (document, _) = document_update::results(poc)?;
            let mut text = amend::locked(project, poc, document.text())?;
            let mut confirmed = Vec::new();
            let named: Vec<Vec<(String, String)>> = ids
                .iter()
                .map(|id| promises(poc, id))
                .collect::<Result<_>>()?;
            for (what, promise) in named.into_iter().flatten() {
                let entry = Entry {
                    reason: Some(reason.clone()),
                    confirmed: Some(Confirmed {
                        what,
                        commit: commit.clone(),
                        inputs: inputs.clone(),
                    }),
                    ..Entry::new(Kind::Confirm, &poc.paths.name, Some(by.to_owned()))
                };
                text = contract::append(&text, &entry)?;
                confirmed.push(promise);
            }
            let results = Some(text);
            Ok((
                Texts {
                    results,
                    plan: None,
                },
                confirmed,
            ))
        })?;
    for text in texts.iter().filter(|_| changed) {
        terminal.status("Confirmed", format!("{text}, by {by}"))?;
    }
    Ok(())
}

/// The promises that an id names: the name under which each is confirmed, and its text.
fn promises(poc: &Poc, id: &str) -> Result<Vec<(String, String)>> {
    let of_item = |item: &Item| (Confirmed::name_of_item(&item.text), item.text.clone());
    let items = &poc.plan.checklist;
    if id == CHECKLIST {
        let by_people: Vec<_> = items
            .iter()
            .filter(|item| claims_of(item).is_empty())
            .map(of_item)
            .collect();
        if by_people.is_empty() {
            return Err(exit::usage(format!(
                "the checklist of {} has no item for a person to confirm",
                poc.paths.name
            )));
        }
        return Ok(by_people);
    }
    let Some(number) = item_number(id) else {
        let criterion = criterion(poc, id)?;
        let name = Confirmed::name_of_criterion(&criterion.text);
        return Ok(vec![(name, criterion.text.clone())]);
    };
    let index = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1));
    match index.and_then(|index| items.get(index)) {
        Some(item) if claims_of(item).is_empty() => Ok(vec![of_item(item)]),
        Some(_) => Err(exit::usage(format!(
            "{id} is checked by the program, not confirmed by a person"
        ))),
        None => Err(exit::usage(format!(
            "`{id}` is no item of the checklist of {}; it has {}",
            poc.paths.name,
            items.len()
        ))),
    }
}

/// The criterion with an id such as `criterion.2`.
///
/// # Errors
/// A usage error if there is none, or if it is not proven by a person.
fn criterion<'p>(poc: &'p Poc, id: &str) -> Result<&'p Item> {
    let criteria = &poc.plan.criteria;
    let number: Option<usize> = criterion_number(id).and_then(|number| number.parse().ok());
    let index = number.and_then(|number| number.checked_sub(1));
    let Some((index, item)) = index.and_then(|index| Some((index, criteria.get(index)?))) else {
        return Err(exit::usage(format!(
            "`{id}` is not a criterion of {}; it has {}",
            poc.paths.name,
            criteria.len()
        )));
    };
    // A nested criterion inherits the proofs of its parent.
    let outer = criteria[..=index].iter().rev().find(|item| item.depth == 0);
    let proofs = proof::proofs(outer.unwrap_or(item));
    if !proofs.contains(&Proof::Person) {
        let proofs: Vec<String> = proofs.iter().map(ToString::to_string).collect();
        return Err(exit::usage(format!(
            "{id} is proven by {}, not by a person; to change that, write `- Proof: person` under it in {}",
            proofs.join(", "),
            poc.paths.plan
        )));
    }
    Ok(item)
}

/// The inputs of a confirmation: the sources of the plan's packages and of the packages they link, or of the whole workspace
/// if the plan has no packages.
fn confirmation_inputs(
    project: &Project,
    poc: &Poc,
    repository: Option<Repository>,
) -> Result<Inputs> {
    let workspace = &project.workspace;
    let mut packages = contract::tests::packages(workspace, &poc.plan);
    if packages.is_empty() {
        packages = (0..workspace.packages.len()).collect();
    }
    // Sources do not depend on the toolchain, so rustc is not called.
    let mut hasher = Hasher::new(workspace, &project.config, repository, "")?;
    let mut inputs = hasher.inputs(&packages)?;
    inputs.retain(|name, _| ![LOCKFILE, TOOLCHAIN, WORKSPACE].contains(&name.as_str()));
    Ok(inputs)
}

/// Records confirmations of commands of the last runs.
fn confirm_commands(
    project: &Project,
    poc: &Poc,
    ids: &[&String],
    by: &str,
    terminal: &mut Terminal,
) -> Result<Exit> {
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
                    by: by.to_owned(),
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
        terminal.status("Unchanged", "it is already confirmed")?;
        return Ok(Exit::Success);
    }
    let mut worst = Exit::Success;
    for record in &records {
        report::outcome(terminal, record)?;
        terminal.status("Confirmed", format!("{} by {by}", record.scope))?;
        worst = worst.max(verify::exit(record));
    }
    Ok(worst)
}

/// The last record of the id's scope, and the commands that the id selects.
fn find(
    poc: &Poc,
    evidence: &Evidence,
    id: &str,
    fresh: &mut dyn FnMut(&Record) -> Result<Vec<String>>,
) -> Result<(Record, usize)> {
    let name = &poc.paths.name;
    let unknown = |known: &[String]| {
        let known = match known {
            [] => "no command needs a confirmation".to_owned(),
            known => format!("the ids are {}", known.join(", ")),
        };
        exit::usage(format!("`{id}` needs no confirmation in {name}; {known}"))
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
        let scope = flag(&record.scope);
        let error = anyhow::anyhow!(
            "{why}; run `cargo poc verify {name} {scope}` and check the result again"
        );
        Err(with_exit(exit, error))
    };
    if record.poc != *name {
        return again("that run belongs to another PoC", Exit::Findings);
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
