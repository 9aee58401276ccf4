//! Drafts a plan from the arguments and the crate graph.
//!
//! Input: [`Request`], the arguments resolved against the workspace. Output: [`Draft`], the variables of the templates. Anything
//! the tool cannot infer becomes a placeholder.

pub mod adopt;
mod builds;
pub mod context;
pub mod dependencies;
mod draft;
pub mod prerequisites;
pub mod request;
pub mod risks;
pub mod steps;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

pub(crate) use self::builds::draft_in;
use self::context::Context;
pub use self::draft::{Affected, Criterion, Draft, File, Package, Step, TestTarget};
use self::request::Request;
use crate::affected::arguments::{self, quoted};
use crate::affected::{self, Selection, TestTargetKind, nextest_filters};
use crate::cli::Size;
use crate::exit;
use crate::project::Project;
use crate::workspace::PackageId;

/// Computes the draft: reads sources and manifests, and runs only `cargo info` for missing versions.
///
/// # Errors
/// When a manifest or source cannot be read.
pub fn draft(project: &Project, request: &Request) -> Result<Draft> {
    let workspace = &project.workspace;
    let broken = affected::broken_in(project, workspace);
    if let Some((name, place)) = request.packages.iter().find_map(|package| {
        let place = broken.get(package)?;
        Some((&workspace.packages[*package].name, place))
    }) {
        return Err(exit::usage(format!(
            "`{name}` does not compile in the configuration {}: {place} is a `compile_error!` for its features; choose other features, or another `--config`",
            workspace.configuration
        )));
    }
    let mut context = Context::gather(project, request)?;
    let targets = &mut context.selection.targets;
    let is_left_out = |package: &PackageId| targets.keys().any(|target| target.package == *package);
    let left_out: Vec<String> = broken
        .iter()
        .filter(|(package, _)| is_left_out(package))
        .map(|(package, place)| {
            let name = &workspace.packages[*package].name;
            format!(
                "the tests of `{name}` are left out, because it does not compile in the configuration {}: {place} is a `compile_error!` for its features",
                workspace.configuration
            )
        })
        .collect();
    targets.retain(|target, _| !broken.contains_key(&target.package));
    let dependencies = dependencies::blocks(project, request)?;
    let tests = affected(project, &context, &request.packages, &broken);
    let files = files(project, request, &dependencies, &tests);
    let steps = steps::steps(project, request, &tests);
    let carried = |package| workspace.linked_by(&BTreeSet::from([package])).len() - 1;
    let packages = request.packages.iter().map(|&package| Package {
        name: workspace.packages[package].name.to_string(),
        folder: workspace.slashed(workspace.folder(package)),
        dependents: carried(package),
    });
    let relative = |path| workspace.slashed(path);
    Ok(Draft {
        name: request.paths.name.clone(),
        title: title(&request.paths.name),
        kind: request.kind,
        created: jiff::Zoned::now().date().to_string(),
        base: request.base.clone(),
        plan_path: relative(&request.paths.plan),
        results_path: relative(&request.paths.results),
        proves: request.proves.clone(),
        because: request.because.clone(),
        criteria: criteria(request, &steps),
        criteria_source: request.criteria_source.clone(),
        packages: packages.collect(),
        graph: context::mermaid(workspace, &context.selection, &request.packages),
        tree: tree::draw(project, request, &files)?,
        prerequisites: prerequisites::prerequisites(project, request, &dependencies),
        steps,
        risks: risks::risks(project, request, &context, &dependencies),
        configurations: Vec::new(),
        left_out,
        affected: tests,
        dependencies,
        files,
    })
}

/// The given criteria, each proven by the last step that writes code, and the criterion that no test regresses.
fn criteria(request: &Request, steps: &[Step]) -> Vec<Criterion> {
    let code = steps
        .iter()
        .rev()
        .find(|step| step.title != steps::INTEGRATION);
    let proof = code.map_or_else(|| "person".to_owned(), |step| format!("step {}", step.id));
    let mut texts = request.criteria.clone();
    if texts.is_empty() && request.size != Size::Tiny {
        texts.push("[fill in: a specific, measurable criterion]".to_owned());
    }
    let mut criteria: Vec<Criterion> = texts
        .into_iter()
        .map(|text| Criterion {
            text,
            proof: proof.clone(),
        })
        .collect();
    criteria.push(Criterion {
        text: "Every test that passed in the baseline still passes".to_owned(),
        proof: "done".to_owned(),
    });
    criteria
}

fn title(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The planned files, the files that declare new modules, the test file of each step, and each manifest with a new dependency.
fn files(
    project: &Project,
    request: &Request,
    dependencies: &[dependencies::Block],
    affected: &Affected,
) -> Vec<File> {
    let workspace = &project.workspace;
    let mut files: Vec<File> = request
        .files
        .iter()
        .map(|file| File {
            path: workspace.slashed(&file.path),
            action: file.action,
            purpose: file.purpose.clone(),
        })
        .collect();
    let mut add = |path: String, action, purpose: String| match files
        .iter_mut()
        .find(|file| file.path == path)
    {
        Some(file) => file.purpose = file.purpose.take().or(Some(purpose)),
        None => files.push(File {
            path,
            action,
            purpose: Some(purpose),
        }),
    };
    let planned: Vec<&request::PlannedFile> = request.files.iter().collect();
    for module in steps::new_modules(workspace, &planned) {
        add(
            workspace.slashed(&module.parent),
            "Modify",
            format!("declares `mod {}`", module.name),
        );
    }
    // A tiny plan requires a test, but not a specific file.
    let places = request
        .test_places
        .iter()
        .filter(|_| request.size != Size::Tiny || affected.total == 0);
    for place in places {
        let action = if place.path.exists() {
            "Modify"
        } else {
            "Create"
        };
        add(
            workspace.slashed(&place.path),
            action,
            "tests of this work".to_owned(),
        );
    }
    for block in dependencies.iter().filter(|block| block.is_new()) {
        add(
            block.manifest.clone(),
            "Modify",
            format!("dependencies: {}", block.new_names.join(", ")),
        );
    }
    files
}

fn affected(
    project: &Project,
    context: &Context,
    packages: &[PackageId],
    broken: &BTreeMap<PackageId, String>,
) -> Affected {
    let workspace = &project.workspace;
    let packages = packages.iter().copied().collect();
    let rows: Vec<TestTarget> = context
        .selection
        .targets
        .keys()
        .filter_map(|target| context.row(workspace, target))
        .collect();
    let groups = workspace.groups().into_iter();
    let listed = if context.nextest {
        affected::tests_of_build(workspace)
    } else {
        BTreeMap::new()
    };
    let full = |mut group: BTreeSet<PackageId>| {
        group.retain(|package| !broken.contains_key(package));
        if group.is_empty() {
            return Vec::new();
        }
        let every = quoted(&arguments::package_arguments(workspace, &group));
        if !context.nextest {
            return vec![format!("cargo test {every}")];
        }
        let all = quoted(&arguments::nextest_packages(workspace, &group));
        let has_doctests = listed.iter().any(|(id, tests)| {
            let package = id.strip_suffix("::doc").filter(|_| !tests.is_empty());
            package.is_some_and(|name| {
                let mut packages = group.iter();
                packages.any(|package| workspace.packages[*package].name.as_str() == name)
            })
        });
        let doc = has_doctests.then(|| format!("cargo test {every} --doc"));
        let run = format!("cargo nextest run {all}");
        std::iter::once(run).chain(doc).collect()
    };
    Affected {
        total: rows.iter().map(|row| row.tests).sum(),
        targets: rows.into_iter().filter(|row| row.tests > 0).collect(),
        full_suite: context.selection.total.tests,
        commands: commands(project, context.nextest, &context.selection),
        arguments: quoted(&arguments::named_packages(workspace, &packages)),
        full_commands: groups.flat_map(full).collect(),
    }
}

/// The commands that run a selection with the workspace's runner. None of them stops at the first failure, because a baseline
/// needs the result of every test.
fn commands(project: &Project, nextest: bool, selection: &Selection) -> Vec<String> {
    let workspace = &project.workspace;
    if !nextest {
        let calls = arguments::cargo_test(workspace, selection);
        return calls
            .iter()
            .map(|call| format!("cargo test --no-fail-fast {}", quoted(&call.arguments)))
            .collect();
    }
    let groups = workspace.groups().into_iter();
    let parts = groups.map(|group| selection.only(|target| group.contains(&target.package)));
    let parts = parts.filter(|part| !part.is_empty());
    let of_part = |part: Selection| {
        let tests = part.only(|target| target.kind != TestTargetKind::Doc);
        let mut documented = part.only(|target| target.kind == TestTargetKind::Doc);
        // A command without a test fails.
        documented.targets.retain(|_, part| !part.known.is_empty());
        let run = (!tests.is_empty()).then(|| {
            let arguments = nextest_filters::nextest(workspace, &tests);
            format!("cargo nextest run --no-fail-fast {}", quoted(&arguments))
        });
        let doc = (!documented.is_empty()).then(|| {
            let arguments = arguments::package_arguments(workspace, &documented.packages());
            format!("cargo test --no-fail-fast --doc {}", quoted(&arguments))
        });
        run.into_iter().chain(doc)
    };
    parts.flat_map(of_part).collect()
}
