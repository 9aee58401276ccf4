//! Adds, splits and withdraws steps.

use anyhow::Result;

use super::target::{block, named, planned, report, target, with_block, words};
use crate::cli::{Global, StepContent, StepTarget};
use crate::contract::{self, ContractState, Entry, Kind};
use crate::document::edit::Edits;
use crate::document::step_edit::{self, NewStep};
use crate::document::{Document, Plan, Status, StepId, read_plan, read_results};
use crate::document_update::{self, Mode, Texts};
use crate::exit::{self, Exit};
use crate::project::{Paths, Poc, Project};
use crate::sys::terminal::Terminal;

/// The author of the change; unknown without git.
fn author(project: &Project) -> Option<String> {
    let repository = project.repository().ok()?;
    repository.author().ok()
}

pub(super) fn withdraw(
    global: &Global,
    arguments: &StepTarget,
    reason: &str,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let project = Project::load_without_git(global)?;
    let (paths, id) = target(&project, arguments)?;
    let reason = words(reason, "--reason")?;
    let by = author(&project);
    let mode = Mode::of(arguments.dry_run);
    let (changed, ()) = document_update::change(&project, &paths, mode, terminal, |poc| {
        let step = poc.step(id.as_str())?;
        let (document, results) = with_block(poc, step)?;
        let block = block(&results, &id)?;
        let (mut edits, mut in_plan) = (Edits::new(&document), Edits::new(&poc.plan_document));
        if !step.withdrawn {
            step_edit::strike(&mut in_plan, &step.heading, &id);
        }
        if !block.withdrawn {
            step_edit::strike(&mut edits, &block.heading, &id);
        }
        step_edit::set_status(
            &mut edits,
            block,
            Status::Withdrawn,
            &format!("Withdrawn: {reason}"),
        );
        let draft = Draft {
            poc,
            plan: in_plan.apply()?,
            results: edits.apply()?,
        };
        Ok((draft.texts(&id, &reason, by.as_deref())?, ()))
    })?;
    report(
        &project,
        &paths,
        changed,
        mode,
        "Withdrew",
        &format!("step {id}"),
        terminal,
    )?;
    Ok(Exit::Success)
}

pub(super) fn add(
    global: &Global,
    arguments: &[String],
    after: Option<&str>,
    tasks: &[String],
    given: &StepContent,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let project = Project::load_without_git(global)?;
    let (paths, rest) = named(&project, arguments, 1)?;
    let new = content(&rest[0], given, tasks)?;
    let after = after.map(StepId::new);
    place(&project, &paths, after.as_ref(), new, &[], given, terminal)
}

pub(super) fn split(
    global: &Global,
    arguments: &[String],
    tasks: &[usize],
    given: &StepContent,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let project = Project::load_without_git(global)?;
    let (paths, rest) = named(&project, arguments, 2)?;
    let new = content(&rest[1], given, &[])?;
    place(
        &project,
        &paths,
        Some(&StepId::new(&rest[0])),
        new,
        tasks,
        given,
        terminal,
    )
}

/// Adds a step to both documents. If a step with this title exists there already, only its missing block in the results is
/// added.
fn place(
    project: &Project,
    paths: &Paths,
    after: Option<&StepId>,
    new: NewStep,
    tasks: &[usize],
    given: &StepContent,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let by = author(project);
    let mode = Mode::of(given.dry_run);
    let title = new.title.clone();
    let (changed, id) = document_update::change(project, paths, mode, terminal, |poc| {
        crate::document_update::reliable(poc)?;
        if let Some(after) = after {
            planned(poc, after)?;
        }
        let known = poc.plan.steps.iter().find(|step| step.title == new.title);
        let (id, plan) = match known {
            Some(step) => (step.id.clone(), poc.plan_document.text().to_owned()),
            None => planned_with(poc, after, new, tasks)?,
        };
        let results = aligned(poc, &plan, &id)?;
        let reason = match &given.reason {
            Some(reason) => words(reason, "--reason")?,
            None => format!("step {id} added"),
        };
        let draft = Draft { poc, plan, results };
        let texts: Texts = draft.texts(&id, &reason, by.as_deref())?;
        Ok((texts, id))
    })?;
    report(
        project,
        paths,
        changed,
        mode,
        "Added",
        &format!("step {id}: {title}"),
        terminal,
    )?;
    Ok(Exit::Success)
}

/// Adds the new step to the plan.
fn planned_with(
    poc: &Poc,
    after: Option<&StepId>,
    mut new: NewStep,
    tasks: &[usize],
) -> Result<(StepId, String)> {
    let plan = &poc.plan;
    let id = step_edit::free_id(plan, after);
    let mut edits = Edits::new(&poc.plan_document);
    let place = match after {
        Some(after) => step_edit::last_of_number(plan, after),
        None => plan.steps.last(),
    };
    let Some(place) = place else {
        return Err(exit::usage(format!(
            "{} has no step to insert after",
            poc.paths.plan
        )));
    };
    if let Some(after) = after {
        let source = planned(poc, after)?;
        let count = source.tasks.iter().filter(|task| task.depth == 0).count();
        if let Some(wrong) = tasks
            .iter()
            .find(|number| **number == 0 || **number > count)
        {
            return Err(exit::usage(format!(
                "step {after} has no task {wrong}; it has {count}"
            )));
        }
        let mut wanted = tasks.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        new.moved = step_edit::take_tasks(&mut edits, source, &wanted);
    }
    step_edit::add_to_plan(&mut edits, plan, place, &id, &new);
    Ok((id, edits.apply()?))
}

/// Adds a block for the step to the results.
fn aligned(poc: &Poc, plan: &str, id: &StepId) -> Result<String> {
    let (document, results) = document_update::results(poc)?;
    let plan: Plan = read_plan(&Document::from_text(
        poc.plan_document.path(),
        plan.to_owned(),
    ));
    if results.steps.iter().any(|step| step.id == *id) {
        return Ok(document.text().to_owned());
    }
    let step = plan.steps.iter().find(|step| step.id == *id);
    let Some(step) = step else {
        return Err(exit::usage(format!(
            "failed to add step {id} to {}; check it for an unclosed fence",
            poc.paths.plan
        )));
    };
    let mut edits = Edits::new(document);
    step_edit::add_to_results(&mut edits, &plan, results, id, &step.title, "Pending");
    let text = edits.apply()?;
    let there = read_results(&Document::from_text(document.path(), text.clone()));
    if !there.steps.iter().any(|result| result.id == *id) {
        return Err(exit::usage(format!(
            "failed to add a block for step {id} to {}; check it for an unclosed fence",
            poc.paths.results
        )));
    }
    Ok(text)
}

/// New texts of both documents, with an amendment if the plan's change affects the contract.
struct Draft<'p> {
    poc: &'p Poc,
    plan: String,
    results: String,
}

impl Draft<'_> {
    /// Updates the contract for one step; other changes need `amend`.
    fn texts(self, id: &StepId, reason: &str, by: Option<&str>) -> Result<Texts> {
        let Self {
            poc,
            plan,
            mut results,
        } = self;
        let standing = ContractState::read(&results, &poc.paths.name);
        if let Some(agreed) = standing.agreed() {
            let document = Document::from_text(poc.plan_document.path(), plan.clone());
            let now = contract::Contract::of(&read_plan(&document), None)?;
            let mut next = agreed.clone();
            match now.steps.get(id.as_str()) {
                Some(promises) => next.steps.insert(id.to_string(), promises.clone()),
                None => next.steps.remove(id.as_str()),
            };
            let changes = contract::compare::between(agreed, &next);
            if next != *agreed {
                let entry = Entry {
                    reason: Some(reason.to_owned()),
                    changes,
                    contract: Some(next),
                    ..Entry::new(Kind::Amend, &poc.paths.name, by.map(ToOwned::to_owned))
                };
                results = contract::append(&results, &entry)?;
            }
        }
        Ok(Texts {
            plan: Some(plan),
            results: Some(results),
        })
    }
}

/// The content of a new step from the arguments.
fn content(title: &str, content: &StepContent, tasks: &[String]) -> Result<step_edit::NewStep> {
    let goal = content
        .goal
        .as_deref()
        .map(|goal| words(goal, "--goal"))
        .transpose()?;
    Ok(step_edit::NewStep {
        title: words(title, "the title")?,
        goal,
        tasks: tasks
            .iter()
            .map(|task| words(task, "--task"))
            .collect::<Result<_>>()?,
        moved: Vec::new(),
        verification: content.verify.clone(),
    })
}
