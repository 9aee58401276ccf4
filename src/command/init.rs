//! `cargo poc init`.

#[cfg(feature = "interview")]
mod ask;
#[cfg(feature = "interview")]
mod suggest;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::affected;
use crate::cli::{Build, Global, Init, Size};
use crate::config::detect::{self, Detected, Detection};
use crate::document::render::render;
use crate::document::{Document, read_plan};
use crate::document_update;
use crate::exit::{self, Exit, OrExit as _};
use crate::init::{self, Draft, request::Request};
use crate::project::{Ask, Project, read_document};
use crate::sys::files;
use crate::sys::terminal::Terminal;
use crate::sys::text::counted;
use crate::workspace::{Configuration, Workspace};

/// A section about this tool for the instructions of coding assistants.
const AGENTS: &str = include_str!("../../template/agents.md");

/// Prints the section for assistants. Needs no workspace.
///
/// # Errors
/// When the output cannot be written.
pub fn agents(terminal: &mut Terminal) -> Result<Exit> {
    terminal.out().write_all(AGENTS.as_bytes())?;
    Ok(Exit::Success)
}

/// Writes a plan and its results document, or prints them.
///
/// # Errors
/// A usage error (see [`Request::resolve`]), an existing document, an invalid template, or a folder that cannot be written.
/// Then no document is written.
pub fn run(global: &Global, arguments: &Init, terminal: &mut Terminal) -> Result<Exit> {
    if arguments.adopt {
        return adopt(global, arguments, terminal);
    }
    let interview = interview(global, arguments, terminal)?;
    let mut same_as = None;
    let composed = if let Some(Interview {
        project,
        arguments,
        command_line,
    }) = interview
    {
        same_as = Some(command_line);
        compose(project, &arguments)?
    } else {
        let ask = if arguments.base.is_some() {
            Ask::Files
        } else {
            Ask::Base
        };
        Project::with(global, ask, |project| compose(project, arguments))?
    };
    let notes = &composed.project.notes;
    for warning in notes.iter().chain(&composed.request.warnings) {
        terminal.warn(warning)?;
    }
    for warning in unrun(&composed) {
        terminal.warn(warning)?;
    }
    if arguments.dry_run {
        terminal.out().write_all(composed.plan.as_bytes())?;
    } else {
        write(&composed, terminal)?;
        report(&composed, terminal)?;
        for why in &composed.draft.left_out {
            terminal.warn(why)?;
        }
        if let Some(configuration) = &composed.assumed {
            terminal.status(
                "Assumed",
                format!("the configuration {configuration}, since the planned files are not compiled without it"),
            )?;
        }
        configure(&composed, terminal)?;
    }
    if let Some(command_line) = same_as {
        terminal.status("Same as", command_line)?;
    }
    if !arguments.dry_run {
        show_next(&composed.request, terminal)?;
    }
    Ok(Exit::Success)
}

/// The arguments that a person completed on a terminal.
struct Interview {
    project: Project,
    arguments: Init,
    /// The command line that needs no questions.
    command_line: String,
}

/// Asks for missing arguments if no name is given; `None` if one is, or without a terminal.
#[cfg(feature = "interview")]
fn interview(global: &Global, arguments: &Init, terminal: &Terminal) -> Result<Option<Interview>> {
    if arguments.name.is_some() || !terminal.can_ask() {
        return Ok(None);
    }
    let project = Project::load(global)?;
    let arguments = ask::ask(&project, arguments, terminal.coloured())?;
    Ok(Some(Interview {
        command_line: ask::command_line(&arguments),
        project,
        arguments,
    }))
}

/// A build without the feature `interview` never asks.
#[cfg(not(feature = "interview"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the other build")]
fn interview(_: &Global, _: &Init, _: &Terminal) -> Result<Option<Interview>> {
    Ok(None)
}

/// Writes the missing results document of an existing plan.
fn adopt(global: &Global, arguments: &Init, terminal: &mut Terminal) -> Result<Exit> {
    let Some(name) = &arguments.name else {
        return Err(exit::usage(
            "the name of the plan is missing: `cargo poc init NAME --adopt`",
        ));
    };
    let project = Project::load(global)?;
    let poc = project.read(project.find(name)?)?;
    let results = project.workspace.slashed(&poc.paths.results);
    if poc.results.is_some() {
        terminal.status("Unchanged", format!("{results} exists"))?;
        return Ok(Exit::Success);
    }
    let folder = arguments.template.as_ref();
    let folder = folder.map(|folder| project.folder.join(folder));
    let folder = folder.as_deref().or(project.config.template.as_deref());
    init::adopt::write(&project, &poc, folder)?;
    merge_by_union(&poc.paths.results)?;
    terminal.status("Created", results)?;
    let name = &poc.paths.name;
    if poc.plan.base.is_none() {
        terminal.warn(format!(
            "{} has no base, so its change is unknown; add `| **Base** | `COMMIT` |` to the table of its Overview",
            project.workspace.slashed(&poc.paths.plan)
        ))?;
    }
    terminal.status("Next", format!("cargo poc status {name}"))?;
    Ok(Exit::Success)
}

/// The documents of a new PoC, with their request and draft.
struct Composed {
    project: Project,
    request: Request,
    draft: Draft,
    plan: String,
    results: String,
    /// Configurations found in the project's files, if the workspace has no named one.
    detected: Detection,
    /// The configuration that compiles the planned files, if it is not that of the workspace.
    assumed: Option<Configuration>,
}

fn compose(mut project: Project, arguments: &Init) -> Result<Composed> {
    let Some(name) = &arguments.name else {
        return Err(exit::usage(
            "the name is missing: `cargo poc init NAME`; on a terminal, `init` asks for it",
        ));
    };
    let detected = if project.config.configurations.is_empty() {
        detect::detect(&project.workspace, None)
    } else {
        Detection::default()
    };
    if arguments.build == Build::default()
        && let Some(default) = detect::default_of(&detected.found)
    {
        project.workspace.configuration = default.configuration.clone();
    }
    let request = Request::resolve(&project, name, arguments)?;
    let there = [&request.paths.plan, &request.paths.results].map(|path| path.exists());
    let refuse = |path: &Utf8Path| {
        let adopt = if there[1] {
            String::new()
        } else {
            format!("; `cargo poc init {name} --adopt` writes the missing results of a plan")
        };
        Err(exit::usage(format!(
            "{path} already exists; choose another name, or edit it{adopt}"
        )))
    };
    match there {
        _ if arguments.dry_run => {}
        [_, true] => return refuse(&request.paths.results),
        // An interrupted `init` leaves only a plan; a second one completes it.
        [_, false] => {}
    }
    let mut assumed = None;
    if arguments.build == Build::default() && arguments.require.is_empty() {
        assumed = compiling(&project, &request, &detected);
        if let Some(configuration) = &assumed {
            project.workspace.configuration = configuration.clone();
        }
    }
    let draft = draft(&mut project, &request, arguments, &detected)?;
    let folder = arguments
        .template
        .as_ref()
        .map(|folder| project.folder.join(folder));
    let folder = folder.as_deref().or(project.config.template.as_deref());
    let template = match request.size {
        Size::Tiny => "plan-tiny.md",
        Size::Standard => "plan.md",
        Size::Full => "plan-full.md",
    };
    let plan = render(template, folder, &draft)?;
    let results = render("results.md", folder, &draft)?;
    if there[0] && !arguments.dry_run && !has_same_steps(&request.paths.plan, &plan)? {
        return refuse(&request.paths.plan);
    }
    Ok(Composed {
        project,
        request,
        draft,
        plan,
        results,
        detected,
        assumed,
    })
}

/// The configuration with the fewest features that compiles the planned sources, if the one of the workspace does not.
fn compiling(project: &Project, request: &Request, detected: &Detection) -> Option<Configuration> {
    let planned = request.files.iter().map(|file| file.path.as_path());
    let sources: Vec<&Utf8Path> = planned
        .filter(|path| path.extension() == Some("rs") && path.is_file())
        .collect();
    let found = detected.found.iter();
    let found = found.filter(|one| one.runs_tests && one.is_for_here(&detected.found));
    let found = found.map(|found| found.configuration.clone());
    let named = project.config.configurations.values().cloned();
    let mut others: Vec<Configuration> = found.chain(named).collect();
    others.sort_by_key(|other| (other.all_features, other.features.len()));
    let compiles = |workspace: &Workspace| {
        let broken = affected::broken_in(project, workspace);
        let builds = !request
            .packages
            .iter()
            .any(|package| broken.contains_key(package));
        builds && (sources.is_empty() || affected::compiles(project, workspace, &sources))
    };
    if others.is_empty() || compiles(&project.workspace) {
        return None;
    }
    others
        .into_iter()
        .find(|other| compiles(&project.workspace.configured_as(other.clone())))
}

/// The draft with a command for each build that the work needs: the configurations that have to prove it, or groups of packages
/// whose features exclude each other.
fn draft(
    project: &mut Project,
    request: &Request,
    arguments: &Init,
    detected: &Detection,
) -> Result<Draft> {
    let required = arguments.require.iter().map(|name| {
        let mut found = detected.found.iter().map(|found| &found.configuration);
        let found = found.find(|found| found.name.as_ref() == Some(name));
        let named = project.config.named(name).or_else(|| found.cloned());
        named.ok_or_else(|| {
            exit::usage(format!(
                "no configuration `{name}`; write [workspace.metadata.poc.configurations.{name}]"
            ))
        })
    });
    let builds: Vec<Configuration> = required.collect::<Result<_>>()?;
    let mut draft = init::draft_in(project, request, builds)?;
    draft.configurations.clone_from(&arguments.require);
    Ok(draft)
}

/// Writes the detected configurations to the root manifest and prints the reasons.
fn configure(composed: &Composed, terminal: &mut Terminal) -> Result<()> {
    let workspace = &composed.project.workspace;
    let wanted: Vec<&Detected> = composed
        .detected
        .found
        .iter()
        .filter(|found| found.is_for_here(&composed.detected.found))
        .collect();
    for unknown in &composed.detected.unknown {
        let advice = "if it tests in another configuration, name that in [workspace.metadata.poc.configurations]";
        terminal.status(
            "Unknown",
            format!("{unknown}, whose options have no known value; {advice}"),
        )?;
    }
    for filter in &composed.detected.default_filters {
        terminal.status("Assumed", filter)?;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let default = detect::default_of(&composed.detected.found);
    let default = default.and_then(|found| found.configuration.name.as_deref());
    let path = workspace.root.join("Cargo.toml");
    let bytes = files::read(&path)?;
    let text = String::from_utf8(bytes).context("the root manifest is not UTF-8")?;
    let text = match detect::written(&text, workspace, &wanted, default) {
        Ok(text) => text,
        Err(error) => {
            return terminal.warn(format!(
                "{error:#}; add the configurations to {} manually",
                workspace.slashed(&path)
            ));
        }
    };
    files::write_atomic(&path, text.as_bytes())?;
    for found in wanted {
        let is_default = found.configuration.name.as_deref() == default;
        let role = if is_default { ", the default" } else { "" };
        terminal.status(
            "Configured",
            format!(
                "{}{role}, in {}: {}",
                found.configuration,
                workspace.slashed(&path),
                found.reason()
            ),
        )?;
    }
    Ok(())
}

/// Warnings about tests that no configuration compiles, one per file.
fn unrun(composed: &Composed) -> Vec<String> {
    /// The maximum number of warnings.
    const SHOWN: usize = 5;
    let project = &composed.project;
    let named = project.config.configurations.values().cloned();
    let detected = composed.detected.found.iter();
    let configurations: Vec<Configuration> = named
        .chain(detected.map(|found| found.configuration.clone()))
        .chain([
            Configuration::default(),
            project.workspace.configuration.clone(),
        ])
        .collect();
    let tests = affected::unrun_in(project, &configurations);
    let mut by_file: BTreeMap<&str, (u32, usize)> = BTreeMap::new();
    for test in &tests {
        by_file.entry(&test.file).or_insert((test.line, 0)).1 += 1;
    }
    let more = by_file.len().saturating_sub(SHOWN);
    let files = by_file.iter().take(SHOWN).map(|(file, (line, count))| {
        let tests = counted(*count, "test");
        format!("{file}:{line}: {tests} from this line on that no configuration compiles; add one with their features to [workspace.metadata.poc.configurations]")
    });
    let more = (more > 0).then(|| {
        format!(
            "tests in {} that no configuration compiles",
            counted(more, "more file")
        )
    });
    files.chain(more).collect()
}

/// Whether the existing plan has the steps and criteria of `plan`, so that an interrupted `init` wrote it and results can be
/// added. Numbers in it may have changed since.
fn has_same_steps(path: &Utf8Path, plan: &str) -> Result<bool> {
    let Some(there) = read_document(path)? else {
        return Ok(false);
    };
    let parts = |document: &Document| {
        let plan = read_plan(document);
        let steps = plan.steps.into_iter().map(|step| (step.id, step.title));
        let criteria = plan.criteria.into_iter().map(|criterion| criterion.text);
        (steps.collect::<Vec<_>>(), criteria.collect::<Vec<_>>())
    };
    Ok(parts(&there) == parts(&Document::from_text(path, plan.to_owned())))
}

/// Writes both documents or neither, and the merge attribute for git.
fn write(composed: &Composed, terminal: &mut Terminal) -> Result<()> {
    let Composed {
        project,
        request,
        plan,
        results,
        ..
    } = composed;
    if let Some(folder) = request.paths.plan.parent()
        && folder.exists()
        && !folder.is_dir()
    {
        return Err(exit::usage(format!(
            "{folder} is a file, not a folder; move it, or choose another folder with --docs"
        )));
    }
    if let Some(folder) = request.paths.plan.parent() {
        files::create_folder(folder)
            .with_context(|| format!("failed to create {}", request.paths.plan))?;
    }
    let _lock = document_update::lock(project, &request.paths.results, terminal)?;
    let created = !request.paths.plan.exists();
    if created {
        files::create(&request.paths.plan, plan.as_bytes())?;
    }
    if let Err(error) = files::create(&request.paths.results, results.as_bytes()) {
        if created {
            files::remove(&request.paths.plan).context("failed to remove the incomplete plan")?;
        }
        return Err(error).or_exit(Exit::CouldNotRun);
    }
    merge_by_union(&request.paths.results)
}

/// Makes git keep the records of both sides of a merge.
fn merge_by_union(results: &Utf8Path) -> Result<()> {
    const ATTRIBUTE: &str = "*-results.md merge=union\n";
    let path = results.with_file_name(".gitattributes");
    let written = files::read_if_exists(&path)?.unwrap_or_default();
    let written = String::from_utf8_lossy(&written);
    if written.contains("merge=") {
        return Ok(());
    }
    let gap = if written.is_empty() || written.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    files::append(&path, format!("{gap}{ATTRIBUTE}").as_bytes())
}

fn report(composed: &Composed, terminal: &mut Terminal) -> Result<()> {
    let Composed {
        project,
        request,
        draft,
        ..
    } = composed;
    let workspace = &project.workspace;
    terminal.status("Created", workspace.slashed(&request.paths.plan))?;
    terminal.status("Created", workspace.slashed(&request.paths.results))?;
    terminal.status(
        "Affected",
        format!(
            "~{} of ~{} tests, in {} targets",
            draft.affected.total,
            draft.affected.full_suite,
            draft.affected.targets.len()
        ),
    )
}

/// Prints the next command, after everything else.
fn show_next(request: &Request, terminal: &mut Terminal) -> Result<()> {
    let name = &request.paths.name;
    let next = if request.dependencies.is_empty() {
        format!("cargo poc verify {name} --baseline")
    } else {
        format!("cargo poc verify {name} --baseline && cargo poc deps {name}")
    };
    terminal.status("Next", next)
}
