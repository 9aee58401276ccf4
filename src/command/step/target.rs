//! The step that a command names: its words, its place in the plan and its block in the results.

use anyhow::Result;

use crate::cli::StepTarget;
use crate::document::edit::Edits;
use crate::document::plan::Step;
use crate::document::results::ResultStep;
use crate::document::{Document, Results, StepId, step_edit};
use crate::document_update::{self, Mode};
use crate::exit;
use crate::project::{Paths, Poc, Project};
use crate::sys::terminal::Terminal;

/// Joins the lines of an argument.
pub(super) fn words(text: &str, what: &str) -> Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(exit::usage(format!("{what} is empty; write a text")));
    }
    Ok(text)
}

/// The PoC, and the arguments after its name, which is optional if one PoC is open.
pub(super) fn named<'w>(
    project: &Project,
    words: &'w [String],
    rest: usize,
) -> Result<(Paths, &'w [String])> {
    let (name, rest) = words.split_at(words.len().saturating_sub(rest));
    let poc = match name {
        [] => project.only_open()?.paths,
        [name, ..] => project.find(name)?,
    };
    poc.can_change()?;
    Ok((poc, rest))
}

/// The PoC and the step of a command.
pub(super) fn target(project: &Project, target: &StepTarget) -> Result<(Paths, StepId)> {
    if let [word] = &target.words[..]
        && !word.starts_with(|first: char| first.is_ascii_digit())
        && project.list()?.iter().any(|paths| paths.name == *word)
    {
        return Err(exit::usage(format!(
            "the step is missing: `{word}` is a PoC; add the step, as in `{word} 1`"
        )));
    }
    let (paths, rest) = named(project, &target.words, 1)?;
    Ok((paths, StepId::new(&rest[0])))
}

/// A step of the plan that is not withdrawn.
pub(super) fn planned<'p>(poc: &'p Poc, id: &StepId) -> Result<&'p Step> {
    let step = poc.step(id.as_str())?;
    if step.withdrawn {
        return Err(exit::usage(format!(
            "{} has withdrawn step {id}",
            poc.paths.plan
        )));
    }
    Ok(step)
}

/// The results with a block for the step, added if it is missing.
pub(super) fn with_block(poc: &Poc, step: &Step) -> Result<(Document, Results)> {
    crate::document_update::reliable(poc)?;
    let (document, results) = document_update::results(poc)?;
    if results.steps.iter().any(|result| result.id == step.id) {
        return Ok((document.clone(), results.clone()));
    }
    let mut edits = Edits::new(document);
    step_edit::add_to_results(
        &mut edits,
        &poc.plan,
        results,
        &step.id,
        &step.title,
        "Pending",
    );
    let document = Document::from_text(document.path(), edits.apply()?);
    let results = crate::document::read_results(&document);
    Ok((document, results))
}

pub(super) fn block<'r>(results: &'r Results, id: &StepId) -> Result<&'r ResultStep> {
    let block = results.steps.iter().find(|result| result.id == *id);
    block.ok_or_else(|| {
        exit::usage(format!(
            "failed to add a block for step {id} to the results; check them for an unclosed fence"
        ))
    })
}

/// Prints one line about the change.
pub(super) fn report(
    project: &Project,
    paths: &Paths,
    changed: bool,
    mode: Mode,
    verb: &str,
    what: &str,
    terminal: &mut Terminal,
) -> Result<()> {
    let results = project.workspace.slashed(&paths.results);
    match (changed, mode) {
        (false, _) => terminal.status(
            "Unchanged",
            format!("{what}: {results} contains it already"),
        ),
        (true, Mode::DryRun) => Ok(()),
        (true, Mode::Write) => terminal.status(verb, format!("{what} of {}", paths.name)),
    }
}
