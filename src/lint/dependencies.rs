//! Compares the Dependencies section with the manifests, in the work tree and at the base.

use std::collections::BTreeSet;

use super::context::{Check, LintContext};
use super::plan::{placed, toml_problem};
use crate::deps::{self, Declared, Intent, State as Stands};
use crate::finding::{Code, Finding, Gate, Rule, Severity};
use crate::status::State;
use crate::sys::files;
use crate::workspace::manifest::{Manifest, line_of};

pub(super) const CHECKS: &[Check] = &[
    (&[INCOMPARABLE_DEPENDENCIES], unknown),
    (&[MISSING_DEPENDENCY], missing),
    (&[CONFLICTING_DEPENDENCY], conflicting),
    (&[EXISTING_DEPENDENCY], superfluous),
    (&[UNDECLARED_DEPENDENCY], undeclared),
];

pub(crate) const INCOMPARABLE_DEPENDENCIES: Code = Code::new(&Rule {
    code: "POC030",
    name: "incomparable-dependencies",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the Dependencies section cannot be compared with the manifests",
    page: r"
A block names no manifest although the workspace has several packages, or the manifest does not exist or is outside the
workspace.

```markdown
Update `cache/Cargo.toml`:
```
",
});

/// A section that cannot be compared although its blocks can be parsed.
fn unknown(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let (Some(_), Err(error)) = (cx.context.workspace, &cx.context.dependencies) else {
        return;
    };
    let mut blocks = cx.plan.dependencies.iter();
    if blocks.any(|dependency| toml_problem(&dependency.block).is_some()) {
        return;
    }
    let (line, message) = placed(error);
    found.push(cx.in_plan_line(INCOMPARABLE_DEPENDENCIES, line.unwrap_or(1), message));
}

fn entries<'a>(cx: &'a LintContext<'_>) -> impl Iterator<Item = &'a (Declared, Stands)> {
    cx.context
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

pub(crate) const MISSING_DEPENDENCY: Code = Code::new(&Rule {
    code: "POC032",
    name: "missing-dependency",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a planned dependency is missing from the manifest",
    page: r#"
A step is done or claimed, but a dependency of the plan is in no manifest, or lacks a planned feature. `cargo poc deps NAME`
adds it.

```toml
[dependencies]
serde = "1" # Add for formats
```
"#,
});

/// Planned dependencies that are missing although a step after set-up is claimed or proven.
fn missing(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let done = |state: State| {
        matches!(
            state,
            State::Claimed | State::Proven | State::Stale | State::Failed
        )
    };
    if !cx.status.steps.iter().any(|step| done(step.state)) && !cx.claims_complete() {
        return;
    }
    for (declared, state) in entries(cx) {
        let message = match state {
            Stands::Missing => format!("{} is planned but missing", named(declared)),
            Stands::Incomplete(_) => format!("{} differs from the plan", named(declared)),
            Stands::Invalid(why) => format!("{} cannot be added: {why}", named(declared)),
            _ => continue,
        };
        let help = format!("run `cargo poc deps {}`", cx.status.name);
        let finding = cx.in_plan_line(MISSING_DEPENDENCY, declared.line, message);
        found.push(finding.about(&declared.name).help(help));
    }
}

pub(crate) const CONFLICTING_DEPENDENCY: Code = Code::new(&Rule {
    code: "POC033",
    name: "conflicting-dependency",
    severity: Severity::Error,
    gate: Gate::Independent,
    title: "the manifest contradicts a planned dependency",
    page: r#"
The plan and the manifest disagree about a dependency: incompatible versions, another source, or another flag. `cargo poc`
changes neither of them. Make them agree.

```toml
[dependencies]
store = "0.3" # Add for answers
```
"#,
});

/// Dependencies whose manifest entry contradicts the plan.
fn conflicting(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for (declared, state) in entries(cx) {
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
        let finding = cx.in_plan_line(CONFLICTING_DEPENDENCY, declared.line, message);
        found.push(
            finding
                .about(&declared.name)
                .help("correct the plan or the manifest"),
        );
    }
}

pub(crate) const EXISTING_DEPENDENCY: Code = Code::new(&Rule {
    code: "POC034",
    name: "existing-dependency",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "a dependency planned as new existed at the base",
    page: r#"
The plan marks a dependency as new, but the manifest already had it at the base. Mark it `# existing`.

```toml
[dependencies]
store = { version = "0.1", path = "../store" } # Add for answers
```
"#,
});

/// Dependencies marked as new that existed at the base.
fn superfluous(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    for (declared, state) in entries(cx) {
        if declared.intent != Intent::Apply || *state != Stands::Present {
            continue;
        }
        let Some(before) = manifest_before(cx, declared.manifest.as_str()) else {
            continue;
        };
        if deps::state(&before, declared, None) == Stands::Present {
            let message = format!(
                "{} is marked as new, but existed at the base",
                named(declared)
            );
            let finding = cx.in_plan_line(EXISTING_DEPENDENCY, declared.line, message);
            found.push(finding.about(&declared.name).help("mark it `# existing`"));
        }
    }
}

/// The text of a manifest at the base.
fn manifest_before(cx: &LintContext<'_>, path: &str) -> Option<Manifest> {
    let change = cx.context.change.as_ref().ok()?;
    let absolute = cx.context.root.join(path);
    let text = match change.file(&absolute) {
        Some(file) => change.before(file).ok()??,
        None => files::read(&absolute).ok()?,
    };
    Manifest::parse(&String::from_utf8(text).ok()?).ok()
}

pub(crate) const UNDECLARED_DEPENDENCY: Code = Code::new(&Rule {
    code: "POC035",
    name: "undeclared-dependency",
    severity: Severity::Warning,
    gate: Gate::Independent,
    title: "no plan declares a new dependency",
    page: r#"
A manifest has a dependency that it did not have at the base, and no plan of the folder declares it for that manifest.

```toml
[dependencies.free]
path = "../free"
```
"#,
});

/// Dependencies that were added since the base and that no plan declares.
fn undeclared(cx: &LintContext<'_>, found: &mut Vec<Finding>) {
    let (Some(workspace), Ok(change)) = (cx.context.workspace, cx.context.change.as_ref()) else {
        return;
    };
    let declared: BTreeSet<&str> = entries(cx)
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
        let path = cx.context.shown(&file.path);
        if cx.context.other_plans.declares(&cx.status.name, &path) {
            continue;
        }
        let now = files::read(&file.path)
            .ok()
            .and_then(|text| String::from_utf8(text).ok());
        let Some(Ok(now)) = now.map(|text| Manifest::parse(&text)) else {
            continue;
        };
        // All dependencies of a new package are part of it.
        let Some(before) = manifest_before(cx, &path) else {
            continue;
        };
        let old: BTreeSet<String> = dependencies(&before)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for (name, at) in dependencies(&now) {
            if !old.contains(&name) && !declared.contains(name.as_str()) {
                let message = format!(
                    "`{name}` was added, but {} does not declare it",
                    cx.status.plan
                );
                let line = line_of(now.text(), at);
                let help = "add it to the plan's Dependencies, or remove it";
                let finding = Finding::new(UNDECLARED_DEPENDENCY, &path, line, message);
                found.push(finding.about(&name).help(help));
            }
        }
    }
}

/// Names of all dependencies of a manifest, each with its first byte.
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
