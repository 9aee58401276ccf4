//! The steps: set-up, one per touched package with leaves first, and a final integration.

use super::request::{PlannedFile, Request, TestPlace};
use super::{Snippet, Step};
use crate::affected::arguments::spec;
use crate::project::Project;
use crate::workspace::PackageId;

/// Step 0, the steps between, and the last.
#[must_use]
pub fn steps(project: &Project, request: &Request, affected: &[String]) -> Vec<Step> {
    let mut steps = vec![set_up(project, request)];
    if request.steps.is_empty() {
        for &package in &request.packages {
            steps.push(of_package(project, request, steps.len(), package));
        }
    } else {
        for (index, title) in request.steps.iter().enumerate() {
            // Leaves first; steps beyond the packages build on the last, which sees all others.
            let package = request.packages[index.min(request.packages.len() - 1)];
            steps.push(titled(project, request, steps.len(), title, package));
        }
    }
    if !request.tiny {
        steps.push(integration(project, request, steps.len(), affected));
    }
    steps
}

fn set_up(project: &Project, request: &Request) -> Step {
    let name = &request.paths.name;
    let packages: Vec<String> = request
        .packages
        .iter()
        .map(|&package| format!("-p {}", spec(&project.workspace, package)))
        .collect();
    let check = format!("cargo check {}", packages.join(" "));
    let mut tasks = vec!["Record the baseline before anything changes".to_owned()];
    let mut commands = vec![format!("cargo poc verify {name} --baseline")];
    let mut verification = vec![check];
    if !request.dependencies.is_empty() {
        tasks.push("Apply the dependencies below".to_owned());
        commands.push(format!("cargo poc deps {name}"));
        verification.insert(0, format!("cargo poc deps {name} --check"));
    }
    Step {
        id: 0,
        title: "Set-up".to_owned(),
        goal: Some("The baseline is recorded and everything the steps need builds.".to_owned()),
        tasks,
        code: Some(Snippet {
            lang: "bash",
            path: String::new(),
            code: commands.join("\n"),
        }),
        test: None,
        verification,
        output: "A baseline in the results document; the touched packages build".to_owned(),
    }
}

fn of_package(project: &Project, request: &Request, id: usize, package: PackageId) -> Step {
    let workspace = &project.workspace;
    let name = &workspace.packages[package].name;
    let files: Vec<&PlannedFile> = request
        .files
        .iter()
        .filter(|file| workspace.owner(&file.path) == Some(package))
        .collect();
    let purposes: Vec<&str> = files
        .iter()
        .filter_map(|file| file.purpose.as_deref())
        .collect();
    let mut step = titled(project, request, id, &format!("`{name}` + Tests"), package);
    if !purposes.is_empty() {
        step.goal = Some(format!("In `{name}`: {}.", purposes.join("; ")));
    }
    let tasks = files.iter().map(|file| {
        let purpose = file
            .purpose
            .as_deref()
            .map_or(String::new(), |purpose| format!(": {purpose}"));
        format!(
            "{} `{}`{purpose}",
            file.action,
            workspace.slashed(&file.path)
        )
    });
    step.tasks.splice(0..0, tasks);
    step.code = module_declaration(project, package, &files);
    step
}

fn titled(
    project: &Project,
    request: &Request,
    id: usize,
    title: &str,
    package: PackageId,
) -> Step {
    let test = request
        .test_place(package)
        .map(|place| test(project, request, place, &format!("step_{id}"), title));
    let (tasks, test, verification) = match test {
        Some((snippet, command)) => (
            vec![format!("Write the tests in `{}`", snippet.path)],
            Some(snippet),
            vec![command],
        ),
        None => (Vec::new(), None, Vec::new()),
    };
    Step {
        id,
        title: title.to_owned(),
        goal: None,
        tasks,
        code: None,
        test: test.filter(|_| !request.tiny),
        verification,
        output: "Its tests pass".to_owned(),
    }
}

fn integration(project: &Project, request: &Request, id: usize, affected: &[String]) -> Step {
    let top = request
        .packages
        .last()
        .and_then(|&package| request.test_place(package));
    let test = top.map(|place| {
        test(
            project,
            request,
            place,
            &format!("step_{id}_end_to_end"),
            "the whole",
        )
        .0
    });
    let path = test
        .as_ref()
        .map_or(String::new(), |snippet| format!(" in `{}`", snippet.path));
    Step {
        id,
        title: "Integration".to_owned(),
        goal: Some(
            "The parts work together, and everything that worked before still does.".to_owned(),
        ),
        tasks: vec![
            format!("Write the end-to-end test{path}"),
            "Run every affected test".to_owned(),
        ],
        code: None,
        test,
        verification: affected.to_vec(),
        output: "All affected tests pass".to_owned(),
    }
}

/// How the crate root takes up new modules, where the plan creates any beside it.
fn module_declaration(
    project: &Project,
    package: PackageId,
    files: &[&PlannedFile],
) -> Option<Snippet> {
    let workspace = &project.workspace;
    let member = &workspace.packages[package];
    let root = member.targets.first()?;
    let modules: Vec<String> = files
        .iter()
        .filter(|file| {
            file.action == "Create"
                && file.path.extension() == Some("rs")
                && file.path.parent() == root.src_path.parent()
        })
        .filter_map(|file| file.path.file_stem())
        .map(|module| format!("mod {module};"))
        .collect();
    (!modules.is_empty()).then(|| Snippet {
        lang: "rust",
        path: workspace.slashed(&root.src_path),
        code: modules.join("\n"),
    })
}

/// A test that compiles, fails until it is written, and the command that runs it.
fn test(
    project: &Project,
    request: &Request,
    place: &TestPlace,
    function: &str,
    title: &str,
) -> (Snippet, String) {
    let workspace = &project.workspace;
    let what = title.replace('`', "").replace(" + Tests", "");
    let function = format!("{}_{function}", request.paths.name.replace('-', "_"));
    let code = format!(
        "/// [fill in: what this shows of {what}]\n#[test]\nfn {function}() {{\n    // Arrange\n    // Act\n    // Assert\n    \
         panic!(\"this test is not written yet\");\n}}"
    );
    let command = format!(
        "cargo test -p {} {} {function}",
        spec(workspace, place.package),
        place.target
    );
    (
        Snippet {
            lang: "rust",
            path: workspace.slashed(&place.path),
            code,
        },
        command,
    )
}
