//! The steps: set-up, one per touched package with leaves first, and a final integration.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::draft::{Affected, Snippet, Step};
use super::request::{PlannedFile, Request, TestPlace};
use crate::affected::arguments::{self, quoted};
use crate::project::Project;
use crate::workspace::graph::is_library;
use crate::workspace::{PackageId, Workspace};

/// Step 0, the steps between, and the last. A tiny plan has one step between and none after it.
#[must_use]
pub fn steps(project: &Project, request: &Request, affected: &Affected) -> Vec<Step> {
    let mut steps = vec![set_up(project, request)];
    if request.tiny {
        let named = || request.steps.iter().map(String::as_str);
        let titles = named().chain(request.steps.is_empty().then_some("The change + Tests"));
        for title in titles {
            steps.push(tiny(project, request, affected, steps.len(), title));
        }
        return steps;
    }
    if request.steps.is_empty() {
        for &package in &request.packages {
            let name = &project.workspace.packages[package].name;
            let title = format!("`{name}` + Tests");
            let files = files_of(&project.workspace, request, package);
            steps.push(step(project, request, steps.len(), &title, package, &files));
        }
    } else {
        for (index, title) in request.steps.iter().enumerate() {
            // Leaves first; steps beyond the packages build on the last, which sees all others. The last step takes
            // the files of packages that no step was left for.
            let last = request.packages.len() - 1;
            let package = request.packages[index.min(last)];
            let mut files = Vec::new();
            if index <= last {
                files = files_of(&project.workspace, request, package);
            }
            if index + 1 == request.steps.len() {
                for &left in request.packages.iter().skip(index + 1) {
                    files.extend(files_of(&project.workspace, request, left));
                }
            }
            steps.push(step(project, request, steps.len(), title, package, &files));
        }
    }
    steps.push(integration(project, request, steps.len(), affected));
    steps
}

fn files_of<'a>(
    workspace: &Workspace,
    request: &'a Request,
    package: PackageId,
) -> Vec<&'a PlannedFile> {
    let files = request.files.iter();
    files
        .filter(|file| workspace.owner(&file.path) == Some(package))
        .collect()
}

fn set_up(project: &Project, request: &Request) -> Step {
    let name = &request.paths.name;
    let packages: BTreeSet<_> = request.packages.iter().copied().collect();
    let check = arguments::named_packages(&project.workspace, &packages);
    let check = format!("cargo check --tests {}", quoted(&check));
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

/// The only step of a tiny plan, proven by the tests that can be affected; by a test of its own where there are none.
fn tiny(project: &Project, request: &Request, affected: &Affected, id: usize, title: &str) -> Step {
    let workspace = &project.workspace;
    let mut tasks = tasks(workspace, request.files.iter());
    let verification = if affected.total > 0 {
        tasks.push("Add a test that fails without the change".to_owned());
        affected.commands.clone()
    } else {
        let place = request.packages.last();
        let place = place.and_then(|&package| request.test_place(package));
        let written = place.map(|place| test(workspace, request, place, id, title));
        let written = written.map(|(snippet, command)| {
            tasks.push(format!("Write the test in `{}`", snippet.path));
            command
        });
        written.into_iter().collect()
    };
    Step {
        id,
        title: title.to_owned(),
        goal: request.proves.clone(),
        tasks,
        code: None,
        test: None,
        verification,
        output: "Its tests pass".to_owned(),
    }
}

fn step(
    project: &Project,
    request: &Request,
    id: usize,
    title: &str,
    package: PackageId,
    files: &[&PlannedFile],
) -> Step {
    let workspace = &project.workspace;
    let purposes: Vec<&str> = files
        .iter()
        .filter_map(|file| file.purpose.as_deref())
        .collect();
    let goal = (!purposes.is_empty()).then(|| {
        let name = &workspace.packages[package].name;
        format!("In `{name}`: {}.", purposes.join("; "))
    });
    let mut tasks = tasks(workspace, files.iter().copied());
    let modules = new_modules(workspace, files);
    tasks.extend(modules.iter().map(|module| {
        let parent = workspace.slashed(&module.parent);
        format!("Declare `mod {};` in `{parent}`", module.name)
    }));
    let place = request.test_place(package);
    let written = place.map(|place| test(workspace, request, place, id, title));
    let (test, verification) = match written {
        Some((snippet, command)) => {
            tasks.push(format!("Write the tests in `{}`", snippet.path));
            (Some(snippet), vec![command])
        }
        None => (None, Vec::new()),
    };
    Step {
        id,
        title: title.to_owned(),
        goal,
        tasks,
        code: declarations(workspace, &modules),
        test,
        verification,
        output: "Its tests pass".to_owned(),
    }
}

fn tasks<'a>(workspace: &Workspace, files: impl Iterator<Item = &'a PlannedFile>) -> Vec<String> {
    files
        .map(|file| {
            let purpose = file
                .purpose
                .as_deref()
                .map_or(String::new(), |purpose| format!(": {purpose}"));
            let path = workspace.slashed(&file.path);
            format!("{} `{path}`{purpose}", file.action)
        })
        .collect()
}

fn integration(project: &Project, request: &Request, id: usize, affected: &Affected) -> Step {
    let workspace = &project.workspace;
    let top = request
        .packages
        .last()
        .and_then(|&package| request.test_place(package));
    let written = top.map(|place| test(workspace, request, place, id, "the whole"));
    let mut verification = affected.commands.clone();
    let mut tasks = Vec::new();
    let snippet = written.map(|(snippet, command)| {
        tasks.push(format!("Write the end-to-end test in `{}`", snippet.path));
        // Tests that are yet to be written may be in a target that the selection does not know.
        if !workspace.root.join(&snippet.path).exists() {
            verification.insert(0, command);
        }
        snippet
    });
    tasks.push("Run every affected test".to_owned());
    Step {
        id,
        title: "Integration".to_owned(),
        goal: Some(
            "The parts work together, and everything that worked before still does.".to_owned(),
        ),
        tasks,
        code: None,
        test: snippet,
        verification,
        output: "All affected tests pass".to_owned(),
    }
}

/// A module that the plan creates, and the file that has to declare it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NewModule {
    /// Absolute.
    pub(super) parent: Utf8PathBuf,
    pub(super) name: String,
}

/// The modules among the files to create whose parent can be told: the root of a target beside them, `name.rs` beside
/// their folder, or `mod.rs` in it.
pub(super) fn new_modules(workspace: &Workspace, files: &[&PlannedFile]) -> Vec<NewModule> {
    let created = files
        .iter()
        .filter(|file| file.action == "Create" && file.path.extension() == Some("rs"));
    created
        .filter_map(|file| {
            let package = &workspace.packages[workspace.owner(&file.path)?];
            let roots: Vec<&Utf8Path> = package
                .targets
                .iter()
                .filter(|target| is_library(target) || target.is_bin())
                .map(|target| target.src_path.as_path())
                .collect();
            let (folder, name) = match file.path.file_name()? {
                "mod.rs" => (
                    file.path.parent()?.parent()?,
                    file.path.parent()?.file_name()?,
                ),
                _ => (file.path.parent()?, file.path.file_stem()?),
            };
            if ["lib", "main"].contains(&name) || roots.contains(&file.path.as_path()) {
                return None;
            }
            let beside = roots.iter().find(|root| root.parent() == Some(folder));
            let parent = match beside {
                Some(root) => (*root).to_owned(),
                None => [folder.with_extension("rs"), folder.join("mod.rs")]
                    .into_iter()
                    .find(|parent| {
                        *parent != file.path
                            && (parent.exists() || files.iter().any(|file| file.path == *parent))
                    })?,
            };
            // What lies in tests/, benches/ or src/bin/ is a target of its own, not a module.
            parent
                .ancestors()
                .any(|folder| roots.iter().any(|root| root.parent() == Some(folder)))
                .then(|| NewModule {
                    parent,
                    name: name.to_owned(),
                })
        })
        .collect()
}

/// How the parents take up the new modules.
fn declarations(workspace: &Workspace, modules: &[NewModule]) -> Option<Snippet> {
    let first = &modules.first()?.parent;
    let lines: Vec<String> = modules
        .iter()
        .filter(|module| module.parent == *first)
        .map(|module| format!("mod {};", module.name))
        .collect();
    Some(Snippet {
        lang: "rust",
        path: workspace.slashed(first),
        code: lines.join("\n"),
    })
}

/// What the names of a step's tests begin with; the last letter keeps step 1's apart from step 10's.
fn lead(request: &Request, id: usize) -> String {
    let name = request.paths.name.replace('-', "_");
    let digit = name.starts_with(|first: char| first.is_ascii_digit());
    format!("{}{name}_step_{id}_", if digit { "poc_" } else { "" })
}

/// The name of a step's first test: the step's lead and the first words of its title.
fn function(request: &Request, id: usize, title: &str) -> String {
    let plain = title.replace(" + Tests", "").to_lowercase();
    let words: Vec<&str> = plain
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(4)
        .collect();
    let words = if words.is_empty() {
        "works".to_owned()
    } else {
        words.join("_")
    };
    format!("{}{words}", lead(request, id))
}

/// A test that compiles, fails until it is written, and the command that runs it and its like.
fn test(
    workspace: &Workspace,
    request: &Request,
    place: &TestPlace,
    id: usize,
    title: &str,
) -> (Snippet, String) {
    let function = function(request, id, title);
    let what = title.replace('`', "").replace(" + Tests", "");
    let code = format!(
        "/// [fill in: what this shows of {what}]\n#[test]\nfn {function}() {{\n    // Arrange\n    // Act\n    // Assert\n    \
         panic!(\"this test is not written yet\");\n}}"
    );
    let package = BTreeSet::from([place.package]);
    let mut arguments = arguments::named_packages(workspace, &package);
    arguments.extend(place.target.iter().cloned());
    arguments.push(lead(request, id));
    let snippet = Snippet {
        lang: "rust",
        path: workspace.slashed(&place.path),
        code,
    };
    (snippet, format!("cargo test {}", quoted(&arguments)))
}
