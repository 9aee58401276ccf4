//! The steps: set-up, one per touched package from the leaves up, and a final integration.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::draft::{Affected, Snippet, Step};
use super::request::{PlannedFile, Request, TestPlace};
use crate::affected::arguments::{self, quoted};
use crate::cli::Size;
use crate::project::Project;
use crate::workspace::graph::is_library;
use crate::workspace::{PackageId, Workspace};

/// The title of the last step.
pub(super) const INTEGRATION: &str = "Integration";

/// Step 0, the middle steps, and the last. A tiny plan has one middle step and none after it.
#[must_use]
pub fn steps(project: &Project, request: &Request, affected: &Affected) -> Vec<Step> {
    let mut steps = vec![set_up(project, request)];
    if request.size == Size::Tiny {
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
        let parts = assign(&project.workspace, request);
        for (title, (package, files)) in request.steps.iter().zip(parts) {
            steps.push(step(project, request, steps.len(), title, package, &files));
        }
    }
    steps.push(integration(project, request, steps.len(), affected));
    steps
}

/// Assigns a package and files to each named step, from the leaves up. Steps beyond the packages belong to the last one, which links
/// all others; the last step gets the files of packages without a step. Within a package, a file goes to the step whose title shares
/// most words with its path and purpose, or files are distributed in their order.
fn assign<'a>(
    workspace: &Workspace,
    request: &'a Request,
) -> Vec<(PackageId, Vec<&'a PlannedFile>)> {
    let last = request.packages.len() - 1;
    let mut parts: Vec<(PackageId, Vec<&PlannedFile>)> = (0..request.steps.len())
        .map(|index| (request.packages[index.min(last)], Vec::new()))
        .collect();
    for &package in &request.packages {
        let mut steps: Vec<usize> = { parts.iter().enumerate() }
            .filter(|(_, (of, _))| *of == package)
            .map(|(index, _)| index)
            .collect();
        if steps.is_empty() {
            steps.push(parts.len() - 1);
        }
        let (named, unnamed): (Vec<_>, Vec<_>) = files_of(workspace, request, package)
            .into_iter()
            .map(|file| (file, best_step(request, &steps, file)))
            .partition(|(_, step)| step.is_some());
        for (file, step) in named {
            parts[step.unwrap_or_default()].1.push(file);
        }
        let count = unnamed.len().max(steps.len());
        for (at, (file, _)) in unnamed.into_iter().enumerate() {
            parts[steps[at * steps.len() / count]].1.push(file);
        }
    }
    parts
}

/// The step whose title shares most words with a file; `None` without a common word.
fn best_step(request: &Request, steps: &[usize], file: &PlannedFile) -> Option<usize> {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|sign: char| !sign.is_alphanumeric());
        words
            .filter(|word| word.len() > 3)
            .map(|word| word.to_lowercase().trim_end_matches('s').to_owned())
            .collect()
    };
    let stem = file.path.file_stem().unwrap_or_default();
    let own = words(&format!(
        "{stem} {}",
        file.purpose.as_deref().unwrap_or_default()
    ));
    let shared = |step: &usize| words(&request.steps[*step]).intersection(&own).count();
    let best = steps.iter().copied().rev().max_by_key(shared)?;
    (shared(&best) > 0).then_some(best)
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
    let mut tasks = vec![format!(
        "Record the baseline before the first change: `cargo poc verify {name} --baseline`"
    )];
    let mut commands = vec![format!("cargo poc verify {name} --baseline")];
    let mut verification = vec![check];
    if !request.dependencies.is_empty() {
        tasks.push(format!("Apply the dependencies: `cargo poc deps {name}`"));
        commands.push(format!("cargo poc deps {name}"));
        verification.insert(0, format!("cargo poc deps {name} --check"));
    }
    Step {
        id: 0,
        title: "Set-up".to_owned(),
        goal: Some("The baseline is recorded, and the touched packages build.".to_owned()),
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

/// The only step of a tiny plan, proven by the affected tests, or by a new test if there are none.
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
    // The affected tests run in the done block; only a full plan repeats them here.
    let full = request.size == Size::Full;
    let mut verification = if full {
        affected.commands.clone()
    } else {
        Vec::new()
    };
    let mut tasks = Vec::new();
    let snippet = written.map(|(snippet, command)| {
        tasks.push(format!("Write the end-to-end test in `{}`", snippet.path));
        // New tests may be in a target that the selection does not know.
        if !full || !workspace.root.join(&snippet.path).exists() {
            verification.insert(0, command);
        }
        snippet
    });
    if full {
        tasks.push("Run every affected test".to_owned());
    }
    Step {
        id,
        title: INTEGRATION.to_owned(),
        goal: Some("The parts work together, and existing behaviour is unchanged.".to_owned()),
        tasks,
        code: None,
        test: snippet.filter(|_| full),
        verification,
        output: "All affected tests pass".to_owned(),
    }
}

/// A planned module, and the file that has to declare it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NewModule {
    /// The absolute path.
    pub(super) parent: Utf8PathBuf,
    pub(super) name: String,
}

/// The modules among the files to create whose parent is clear: the root of a target beside them, `name.rs` beside their folder, or
/// `mod.rs` in it.
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
            // Files in tests/, benches/ and src/bin/ are targets, not modules.
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

/// The declarations of new modules, for the first parent.
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

/// The prefix of a step's test names; its final `_` distinguishes step 1 from step 10.
fn lead(request: &Request, id: usize) -> String {
    let name = request.paths.name.replace('-', "_");
    let digit = name.starts_with(|first: char| first.is_ascii_digit());
    format!("{}{name}_step_{id}_", if digit { "poc_" } else { "" })
}

/// The name of a step's first test: the prefix of the step and the first words of its title.
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

/// A test that compiles but fails until it is written, and the command that runs the step's tests.
fn test(
    workspace: &Workspace,
    request: &Request,
    place: &TestPlace,
    id: usize,
    title: &str,
) -> (Snippet, String) {
    let function = function(request, id, title);
    let what = title.replace('`', "").replace(" + Tests", "");
    let (doc, body) = if request.size == Size::Full {
        (
            format!("/// [fill in: the behaviour of {what} that this test checks]\n"),
            "    // Arrange\n    // Act\n    // Assert\n",
        )
    } else {
        (String::new(), "")
    };
    let code = format!(
        "{doc}#[test]\nfn {function}() {{\n{body}    panic!(\"this test is not written yet\");\n}}"
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
