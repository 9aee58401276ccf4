//! The Dependencies section against the manifests, now and at the base.

use std::collections::BTreeSet;

use super::plan::{placed, toml_problem};
use super::{Rule, Subject};
use crate::deps::{self, Declared, Intent, State as Stands};
use crate::finding::{Code, Finding};
use crate::status::State;
use crate::sys::files;
use crate::workspace::manifest::{Manifest, line_of};

pub(super) const RULES: &[Rule] = &[unknown, missing, conflicting, superfluous, undeclared];

/// A section that cannot be compared, for another reason than a block that cannot be read.
fn unknown(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let (Some(_), Err(error)) = (on.facts.workspace, &on.facts.dependencies) else {
        return;
    };
    let mut blocks = on.plan.dependencies.iter();
    if blocks.any(|dependency| toml_problem(&dependency.block).is_some()) {
        return;
    }
    let (line, message) = placed(error);
    found.push(on.in_plan_line(Code::Dependencies, line.unwrap_or(1), message));
}

fn entries<'a>(on: &'a Subject<'_>) -> impl Iterator<Item = &'a (Declared, Stands)> {
    on.facts
        .dependencies
        .iter()
        .flat_map(|outcome| &outcome.entries)
}

fn named(declared: &Declared) -> String {
    format!(
        "`{}` in {} of {}",
        declared.name, declared.table, declared.manifest
    )
}

/// Planned, and in no manifest although a step that comes after set-up is said or shown to be done.
fn missing(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let done = |state: State| {
        matches!(
            state,
            State::Claimed | State::Proven | State::Stale | State::Failed
        )
    };
    if !on.status.steps.iter().any(|step| done(step.state)) && !on.is_said_complete() {
        return;
    }
    for (declared, state) in entries(on) {
        let message = match state {
            Stands::Missing => format!("{} is planned, and not there", named(declared)),
            Stands::Incomplete(_) => format!("{} is there, and not as planned", named(declared)),
            Stands::Invalid(why) => format!("{} cannot be added: {why}", named(declared)),
            _ => continue,
        };
        let help = format!("run `cargo poc deps {}`", on.status.name);
        let finding = on.in_plan_line(Code::MissingDependency, declared.line, message);
        found.push(finding.about(&declared.name).help(help));
    }
}

/// Planned one way, and in a manifest another.
fn conflicting(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for (declared, state) in entries(on) {
        let Stands::Conflict(conflict) = state else {
            continue;
        };
        let message = format!(
            "{}: {} ({}:{})",
            named(declared),
            conflict.why,
            declared.manifest,
            conflict.manifest_line
        );
        let finding = on.in_plan_line(Code::ConflictingDependency, declared.line, message);
        found.push(finding.about(&declared.name).help("make the two agree"));
    }
}

/// Marked as new, and as planned at the base already.
fn superfluous(on: &Subject<'_>, found: &mut Vec<Finding>) {
    for (declared, state) in entries(on) {
        if declared.intent != Intent::Apply || *state != Stands::Present {
            continue;
        }
        let Some(before) = manifest_before(on, declared.manifest.as_str()) else {
            continue;
        };
        if deps::state(&before, declared, None) == Stands::Present {
            let message = format!(
                "{}: marked as new, and it was there at the base",
                named(declared)
            );
            let finding = on.in_plan_line(Code::SuperfluousDependency, declared.line, message);
            found.push(finding.about(&declared.name).help("mark it `# existing`"));
        }
    }
}

/// A manifest as it was at the base.
fn manifest_before(on: &Subject<'_>, path: &str) -> Option<Manifest> {
    let change = on.facts.change.as_ref().ok()?;
    let absolute = on.facts.root.join(path);
    let text = match change.file(&absolute) {
        Some(file) => change.before(file).ok()??,
        None => files::read(&absolute).ok()?,
    };
    Manifest::parse(&String::from_utf8(text).ok()?).ok()
}

/// Added to a manifest since the base, and declared nowhere in the plan.
fn undeclared(on: &Subject<'_>, found: &mut Vec<Finding>) {
    let (Some(workspace), Ok(change)) = (on.facts.workspace, on.facts.change.as_ref()) else {
        return;
    };
    let declared: BTreeSet<&str> = entries(on)
        .map(|(declared, _)| declared.name.as_str())
        .collect();
    let manifests = change.files.iter().filter(|file| {
        let path = &file.path;
        path.file_name() == Some("Cargo.toml")
            && (workspace
                .packages
                .iter()
                .any(|package| package.manifest_path == *path)
                || *path == workspace.root.join("Cargo.toml"))
    });
    for file in manifests {
        let path = on.facts.shown(&file.path);
        if on.facts.other_plans.declares(&on.status.name, &path) {
            continue;
        }
        let now = files::read(&file.path)
            .ok()
            .and_then(|text| String::from_utf8(text).ok());
        let Some(Ok(now)) = now.map(|text| Manifest::parse(&text)) else {
            continue;
        };
        // A package that is new has all of its manifest for a plan.
        let Some(before) = manifest_before(on, &path) else {
            continue;
        };
        let old: BTreeSet<String> = dependencies(&before)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for (name, at) in dependencies(&now) {
            if !old.contains(&name) && !declared.contains(name.as_str()) {
                let message = format!(
                    "`{name}` was added, and {} does not declare it",
                    on.status.plan
                );
                let line = line_of(now.text(), at);
                let help = "add it to the plan's Dependencies, or take it out";
                let finding = Finding::new(Code::UndeclaredDependency, &path, line, message);
                found.push(finding.about(&name).help(help));
            }
        }
    }
}

/// Names of all dependencies of a manifest, with the byte each begins at.
fn dependencies(manifest: &Manifest) -> Vec<(String, usize)> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut tables: Vec<Vec<String>> = kinds.iter().map(|kind| vec![(*kind).to_owned()]).collect();
    tables.push(vec!["workspace".to_owned(), "dependencies".to_owned()]);
    let targets = manifest
        .get(&["target"])
        .and_then(toml_edit::Item::as_table_like);
    for (target, _) in targets.into_iter().flat_map(|targets| targets.iter()) {
        for kind in kinds {
            tables.push(vec![
                "target".to_owned(),
                target.to_owned(),
                kind.to_owned(),
            ]);
        }
    }
    let mut found = Vec::new();
    for table in tables {
        let mut path: Vec<&str> = table.iter().map(String::as_str).collect();
        let entries = manifest.get(&path).and_then(toml_edit::Item::as_table_like);
        for (name, _) in entries.into_iter().flat_map(|entries| entries.iter()) {
            path.push(name);
            let start = manifest.entry(&path).map_or(0, |entry| entry.span.start);
            path.pop();
            found.push((name.to_owned(), start));
        }
    }
    found
}
