//! `cargo poc update`: refreshes the generated parts of plans and results from the workspace and the evidence.

use std::collections::BTreeSet;

use anyhow::Result;

use super::workset;
use crate::cli::{self, Global, Which};
use crate::document::edit::Edits;
use crate::document::plan::{FileRow, Plan};
use crate::document::render::render;
use crate::document::{Document, Region, read_plan};
use crate::document_update::{self, Mode, Texts};
use crate::evidence::{Evidence, Record, Scope};
use crate::exit::{self, Exit};
use crate::freshness::build;
use crate::init::{self, request::Request};
use crate::project::{Poc, Project};
use crate::script::simple_commands;
use crate::status::{Assessment, FileState, FileStatus};
use crate::sys::terminal::Terminal;
use crate::verify;
use crate::workspace::Configuration;

/// Regions of a plan that its template generates.
const FROM_TEMPLATE: [&str; 4] = ["graph", "targets", "tree", "tests"];

/// Refreshes the named PoC, or every open one.
///
/// # Errors
/// A document or source that cannot be read, or a document that is ambiguous.
pub fn run(global: &Global, arguments: &cli::Update, terminal: &mut Terminal) -> Result<Exit> {
    let which = Which {
        name: arguments.name.clone(),
        plan: None,
    };
    let mut workset = workset::load(global, &which, |_| Ok(()))?;
    let Some(mut project) = workset.project.take() else {
        return Err(exit::usage("this folder is not in a workspace"));
    };
    let mode = Mode::of(arguments.dry_run);
    let wanted = |poc: &Poc| arguments.name.is_some() || poc.is_open();
    for (poc, status) in workset.pocs.iter().zip(&workset.statuses) {
        if wanted(poc) {
            one(&mut project, poc, &status.assessment, mode, terminal)?;
        }
    }
    workset.report_unreadable(terminal)
}

fn one(
    project: &mut Project,
    poc: &Poc,
    status: &Assessment,
    mode: Mode,
    terminal: &mut Terminal,
) -> Result<()> {
    crate::document_update::reliable(poc)?;
    let generated = generated(project, poc)?;
    let (changed, regions) = document_update::change(project, &poc.paths, mode, terminal, |now| {
        let mut texts = Texts::default();
        let mut edits = Edits::new(&now.plan_document);
        for region in &now.plan.regions {
            if let Some((_, text)) = generated.iter().find(|(name, _)| *name == region.name) {
                edits.set_region(region, text);
            }
        }
        files(&mut edits, now, status);
        texts.plan = Some(edits.apply()?);
        if let Some((document, results)) = &now.results {
            let mut edits = Edits::new(document);
            for region in results
                .regions
                .iter()
                .filter(|region| region.name == "counts")
            {
                counts(&mut edits, region, &now.evidence());
            }
            texts.results = Some(edits.apply()?);
        }
        let results = now.results.iter().flat_map(|(_, results)| &results.regions);
        let all = now.plan.regions.iter().chain(results);
        let ours = all.filter(|region| {
            let name = region.name.as_str();
            FROM_TEMPLATE.contains(&name) || matches!(name, "files" | "counts")
        });
        Ok((texts, ours.count()))
    })?;
    let name = &poc.paths.name;
    if regions == 0 {
        return terminal.warn(format!(
            "{name} has no markers, so it has no generated part; `cargo poc update --help` lists the markers"
        ));
    }
    match (changed, mode) {
        (false, _) => terminal.status("Unchanged", name),
        (true, Mode::DryRun) => Ok(()),
        (true, Mode::Write) => terminal.status("Updated", name),
    }
}

/// The content of each region that the template would generate for the current files, in the builds of the plan.
fn generated(project: &mut Project, poc: &Poc) -> Result<Vec<(String, String)>> {
    let wanted: BTreeSet<&str> = poc
        .plan
        .regions
        .iter()
        .map(|region| region.name.as_str())
        .collect();
    if !FROM_TEMPLATE.iter().any(|name| wanted.contains(name)) {
        return Ok(Vec::new());
    }
    let request = Request::of_plan(project, poc)?;
    let builds = builds(project, &poc.plan);
    let draft = init::draft_in(project, &request, builds)?;
    let mut found: Vec<(String, String)> = Vec::new();
    // Use the full template: the plan may have all sections.
    for template in ["plan.md", "plan-full.md"] {
        let text = render(template, project.config.template.as_deref(), &draft)?;
        let document = Document::from_text(&poc.paths.plan, text);
        for region in read_plan(&document).regions {
            let known = found.iter().any(|(name, _)| *name == region.name);
            if FROM_TEMPLATE.contains(&region.name.as_str()) && !known {
                found.push((region.name, document.text()[region.inner].to_owned()));
            }
        }
    }
    Ok(found)
}

/// The configurations that a plan requires, or else the builds of its baseline.
fn builds(project: &Project, plan: &Plan) -> Vec<Configuration> {
    let named = plan.configurations.iter();
    let mut builds: Vec<Configuration> = named
        .filter_map(|name| project.config.named(name))
        .collect();
    if builds.is_empty() {
        let workspace = &project.workspace;
        let blocks = verify::blocks(plan, &Scope::Baseline).into_iter();
        for command in blocks.flat_map(simple_commands::commands) {
            let call = build::of(workspace, &workspace.configuration.environment, &command);
            let build = call.map(|call| call.configuration);
            builds.extend(build.filter(|build| !builds.contains(build)));
        }
    }
    builds
}

/// Sets the first word of each row's Status, for rows between markers.
fn files(edits: &mut Edits<'_>, poc: &Poc, status: &Assessment) {
    let regions: Vec<&Region> = poc
        .plan
        .regions
        .iter()
        .filter(|region| region.name == "files")
        .collect();
    let rows: Vec<_> = poc.plan.files.iter().zip(&status.files).collect();
    for (index, (row, now)) in rows.iter().enumerate() {
        // The status of a cell with several paths is the least advanced.
        let same_cell = |(other, _): &&(&FileRow, &FileStatus)| other.note_span == row.note_span;
        if rows[..index].iter().any(|other| same_cell(&other)) {
            continue;
        }
        let in_cell = rows[index..]
            .iter()
            .take_while(same_cell)
            .map(|(_, now)| now.state);
        let rank = |state: &Option<FileState>| match state {
            Some(FileState::Missing) => 0,
            None | Some(FileState::Unplanned) => 1,
            Some(FileState::Pending) => 2,
            Some(FileState::Done) => 3,
        };
        let state = in_cell.min_by_key(rank).flatten();
        let inside = regions
            .iter()
            .any(|region| region.inner.start <= row.span.start && row.span.end <= region.inner.end);
        let word = match state {
            Some(FileState::Pending) => "Pending",
            Some(FileState::Done) => "Done",
            Some(FileState::Missing) => "Missing",
            Some(FileState::Unplanned) | None => continue,
        };
        // A list entry has no status.
        let is_row = poc.plan_document.text()[row.span.clone()].contains('|');
        if inside && is_row && row.path == now.path {
            set_word(edits, row, word);
        }
    }
}

fn set_word(edits: &mut Edits<'_>, row: &FileRow, word: &str) {
    let raw = &edits.document().text()[row.note_span.clone()];
    let known = ["Pending", "Done", "Missing", "Complete", "In Progress"];
    let before = known.iter().find(|known| {
        let rest = raw.strip_prefix(**known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' ']))
    });
    match before {
        Some(before) => {
            let start = row.note_span.start;
            edits.replace(start..start + before.len(), word);
        }
        None if raw.is_empty() => edits.set_cell(&row.note_span, word),
        None => {
            let start = row.note_span.start;
            edits.replace(start..start, &format!("{word}: "));
        }
    }
}

/// Sets the tests of the last run of the done block, of all tests, or of the affected tests, in this order.
fn counts(edits: &mut Edits<'_>, region: &Region, evidence: &Evidence) {
    let last = |scope: &Scope| {
        evidence
            .last(scope)
            .and_then(|record| Some((record, record.tests?)))
    };
    let scopes = [Scope::Done, Scope::Full, Scope::Affected];
    let Some((record, tests)) = scopes.iter().find_map(last) else {
        return;
    };
    let Record { scope, time, .. } = record;
    let day = time.split('T').next().unwrap_or_default();
    let total = tests.passed + tests.failed;
    edits.set_region(
        region,
        &format!("**All Tests**: {tests} ({scope}, {day})\n\n**Total**: {total}\n"),
    );
}
