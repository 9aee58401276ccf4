//! Creates the results document of an existing plan.

use anyhow::Result;
use camino::Utf8Path;
use serde::Serialize;

use super::draft::Criterion;
use crate::document::plan::Plan;
use crate::document::render::render;
use crate::project::{Poc, Project};
use crate::sys::files;

/// The variables of the results template that a plan contains.
#[derive(Serialize)]
struct Adopted<'p> {
    name: &'p str,
    title: String,
    kind: &'p str,
    plan_path: String,
    results_path: String,
    proves: Option<&'p str>,
    criteria: Vec<Criterion>,
    prerequisites: Vec<Prerequisite<'p>>,
    steps: Vec<Step<'p>>,
}

#[derive(Serialize)]
struct Prerequisite<'p> {
    number: u64,
    title: &'p str,
}

#[derive(Serialize)]
struct Step<'p> {
    id: &'p str,
    title: &'p str,
    output: &'p str,
}

/// Writes the missing results of a PoC from its plan; `folder` may contain a template.
///
/// # Errors
/// An invalid template, or a file that exists or cannot be written.
pub fn write(project: &Project, poc: &Poc, folder: Option<&Utf8Path>) -> Result<()> {
    let text = text(project, poc, folder)?;
    files::create(&poc.paths.results, text.as_bytes())
}

/// The text of the results document.
///
/// # Errors
/// An invalid template.
pub fn text(project: &Project, poc: &Poc, folder: Option<&Utf8Path>) -> Result<String> {
    let plan = &poc.plan;
    let adopted = Adopted {
        name: &poc.paths.name,
        title: title(plan, &poc.paths.name),
        kind: plan.kind.as_deref().unwrap_or("PoC"),
        plan_path: project.workspace.slashed(&poc.paths.plan),
        results_path: project.workspace.slashed(&poc.paths.results),
        proves: plan.proves.as_deref(),
        criteria: criteria(plan),
        prerequisites: plan
            .prerequisites
            .iter()
            .filter(|one| one.number != 1)
            .map(|one| Prerequisite {
                number: one.number,
                title: &one.title,
            })
            .collect(),
        steps: plan
            .steps
            .iter()
            .filter(|step| !step.withdrawn)
            .map(|step| Step {
                id: step.id.as_str(),
                title: &step.title,
                output: if step.output.is_empty() {
                    "--"
                } else {
                    &step.output
                },
            })
            .collect(),
    };
    render("results.md", folder, &adopted)
}

/// The plan's title without words such as "Implementation Plan".
fn title(plan: &Plan, name: &str) -> String {
    let title = plan.title.as_str();
    let title = ["PoC Implementation Plan", "Implementation Plan", "Plan"]
        .iter()
        .find_map(|ending| title.strip_suffix(ending))
        .unwrap_or(title)
        .trim_end_matches([' ', '-', '–', '—', ':']);
    if title.is_empty() {
        name.to_owned()
    } else {
        title.to_owned()
    }
}

fn criteria(plan: &Plan) -> Vec<Criterion> {
    let items = plan.criteria.iter();
    items
        .map(|item| Criterion {
            text: item.text.clone(),
            proof: String::new(),
        })
        .collect()
}
