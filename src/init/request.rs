//! The arguments of `init`, resolved against the workspace.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Edition, Package};
use toml_edit::DocumentMut;

use crate::change::Change;
use crate::cli::dependencies::Dependency;
use crate::cli::{Init, Kind, Size};
use crate::document::plan::{Action, FileRow};
use crate::document::{self, Document};
use crate::exit::{self, Exit, OrExit as _};
use crate::project::{Paths, Poc, Project};
use crate::sys::files;
use crate::sys::git::ChangeKind;
use crate::workspace::PackageId;
use crate::workspace::graph::is_library;

/// The resolved arguments of `init`.
#[derive(Debug)]
pub struct Request {
    /// The documents to write.
    pub paths: Paths,
    /// The touched packages, each after those it depends on.
    pub packages: Vec<PackageId>,
    /// The package that gets the dependencies: the first named one.
    pub dependent: PackageId,
    /// The planned files.
    pub files: Vec<PlannedFile>,
    /// The dependencies to add.
    pub dependencies: Vec<Dependency>,
    /// The base's commit id; `None` without git.
    pub base: Option<String>,
    /// The statement that it proves.
    pub proves: Option<String>,
    /// Why it is production-grade.
    pub because: Option<String>,
    /// Success criteria.
    pub criteria: Vec<String>,
    /// The document that contains them, as given.
    pub criteria_source: Option<String>,
    /// Titles of the steps between set-up and integration.
    pub steps: Vec<String>,
    /// The type as in the plan.
    pub kind: &'static str,
    /// The size of the plan.
    pub size: Size,
    /// The file for each touched package's tests, in the order of `packages`.
    pub test_places: Vec<TestPlace>,
    /// Warnings, for example about missing data without git.
    pub warnings: Vec<String>,
}

/// A planned file.
#[derive(Debug, Clone)]
pub struct PlannedFile {
    /// The absolute path.
    pub path: Utf8PathBuf,
    /// `Create`, `Modify` or `Delete`.
    pub action: &'static str,
    /// Its purpose.
    pub purpose: Option<String>,
}

/// The file for a package's new tests.
#[derive(Debug, Clone)]
pub struct TestPlace {
    /// The package.
    pub package: PackageId,
    /// The absolute path of the file.
    pub path: Utf8PathBuf,
    /// The flags that select its target: `--test cache` or `--lib`.
    pub target: Vec<String>,
}

impl Request {
    /// Resolves the arguments. Writes nothing.
    ///
    /// # Errors
    /// A usage error: a name that is not a slug, an unknown package, a file outside the workspace, a base that does not exist.
    pub fn resolve(project: &Project, name: &str, init: &Init) -> Result<Self> {
        let workspace = &project.workspace;
        let mut warnings = Vec::new();
        let paths = project.paths(name)?;
        let named: Vec<PackageId> = init
            .package
            .iter()
            .map(|spec| workspace.find(spec))
            .collect::<Result<_>>()?;
        let mut files: Vec<PlannedFile> = init
            .file
            .iter()
            .map(|file| planned(project, &named, file))
            .collect::<Result<_>>()?;
        let mut seen = BTreeSet::new();
        files.retain(|file| seen.insert(file.path.clone()));
        let base = base(project, init, &mut warnings)?;
        if init.from_diff {
            files.extend(from_diff(project, base.as_deref(), &files)?);
        }
        let mut touched: BTreeSet<PackageId> = named.iter().copied().collect();
        touched.extend(files.iter().filter_map(|file| workspace.owner(&file.path)));
        if touched.is_empty() {
            let only = (workspace.packages.len() == 1).then_some(0);
            touched.extend(workspace.owner(&project.folder).or(only));
        }
        let packages = workspace.dependency_order(&touched);
        let Some(dependent) = named.first().copied().or_else(|| packages.last().copied()) else {
            return Err(exit::usage(format!(
                "which packages does `{name}` touch? Name them with -p, or files with --file, or run from a package's \
                 folder; the workspace has {}",
                listed(project)
            )));
        };
        let (criteria, criteria_source) = criteria(project, init)?;
        let test_places = packages
            .iter()
            .map(|&package| test_place(project, package, name))
            .collect();
        Ok(Self {
            paths,
            packages,
            dependent,
            files,
            dependencies: init.dependencies.0.clone(),
            base,
            proves: init.proves.clone(),
            because: init.because.clone(),
            criteria,
            criteria_source,
            steps: init.step.clone(),
            kind: match init.kind {
                Kind::Poc => "PoC",
                Kind::Feature => "Feature",
                Kind::Issue => "Issue",
                Kind::Refactor => "Refactor",
            },
            size: init.size,
            test_places,
            warnings,
        })
    }

    /// The request that corresponds to an existing plan and its current files.
    ///
    /// # Errors
    /// A usage error if neither its packages nor its files belong to the workspace.
    pub fn of_plan(project: &Project, poc: &Poc) -> Result<Self> {
        let workspace = &project.workspace;
        let plan = &poc.plan;
        // Use the raw text, because a purpose may contain code.
        let text = poc.plan_document.text();
        let raw = |row: &FileRow| text[row.note_span.clone()].replace("\\|", "|");
        let rows = plan
            .files
            .iter()
            .filter(|row| !row.path.contains(['*', '?', '[']));
        let files: Vec<PlannedFile> = rows
            .filter_map(|row| {
                let action = match row.action {
                    Action::Create => "Create",
                    Action::Modify => "Modify",
                    Action::Delete => "Delete",
                    _ => return None,
                };
                Some(PlannedFile {
                    path: workspace.root.join(&row.path),
                    action,
                    purpose: purpose(&raw(row)),
                })
            })
            .collect();
        let named = plan
            .packages
            .iter()
            .filter_map(|name| workspace.find(name).ok());
        let owners = files.iter().filter_map(|file| workspace.owner(&file.path));
        let touched: BTreeSet<PackageId> = named.chain(owners).collect();
        let packages = workspace.dependency_order(&touched);
        let Some(dependent) = packages.last().copied() else {
            return Err(exit::usage(format!(
                "{} refers to no package of this workspace, neither in its Overview nor by its files",
                poc.paths.plan
            )));
        };
        Ok(Self {
            paths: poc.paths.clone(),
            packages,
            dependent,
            files,
            dependencies: Vec::new(),
            base: plan.base.clone(),
            proves: plan.proves.clone(),
            because: None,
            criteria: Vec::new(),
            criteria_source: None,
            steps: Vec::new(),
            kind: "PoC",
            size: Size::Full,
            test_places: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// The file for the tests of one touched package.
    #[must_use]
    pub fn test_place(&self, package: PackageId) -> Option<&TestPlace> {
        self.test_places
            .iter()
            .find(|place| place.package == package)
    }
}

/// The purpose of a file, without the state before it: `Pending: keeps them`.
fn purpose(note: &str) -> Option<String> {
    let states = ["Pending", "Done", "Missing", "Complete", "In Progress"];
    let state = states.iter().find_map(|state| note.strip_prefix(state));
    let rest = state.map_or(note, |rest| rest.trim_start_matches([':', ' ']));
    (!rest.is_empty() && !rest.starts_with("[fill in")).then(|| rest.to_owned())
}

fn listed(project: &Project) -> String {
    let names: Vec<&str> = project
        .workspace
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .take(12)
        .collect();
    let more = project.workspace.packages.len() - names.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", names.join(", "))
}

/// `[-]PATH[=PURPOSE]`.
fn planned(project: &Project, named: &[PackageId], argument: &str) -> Result<PlannedFile> {
    let (deleted, rest) = match argument.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, argument),
    };
    let (path, purpose) = match rest.split_once('=') {
        Some((path, purpose)) => (path, Some(purpose.trim().to_owned())),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(exit::usage(format!(
            "`--file {argument}` contains no path; write PATH, PATH=PURPOSE or -PATH"
        )));
    }
    let path = locate(project, named, Utf8Path::new(path))?;
    if path.is_dir() {
        return Err(exit::usage(format!(
            "{path} is a folder; pass the files in it"
        )));
    }
    let action = match (deleted, path.exists()) {
        (true, true) => "Delete",
        (true, false) => {
            return Err(exit::usage(format!(
                "{path} is planned as Delete, but does not exist; correct the path, or omit it"
            )));
        }
        (false, true) => "Modify",
        (false, false) => "Create",
    };
    Ok(PlannedFile {
        path,
        action,
        purpose,
    })
}

/// Resolves a path relative to the current folder; with one package named, relative to that package's folder, unless the file is in the
/// current folder or that package. A path with `..` is always relative to the current folder.
fn locate(project: &Project, named: &[PackageId], path: &Utf8Path) -> Result<Utf8PathBuf> {
    let workspace = &project.workspace;
    let here = workspace.locate(&project.folder, path);
    let [package] = named else {
        return here;
    };
    if path.is_absolute() || path.as_str().contains("..") {
        return here;
    }
    let folder = workspace.folder(*package);
    let there = workspace.locate(folder, path);
    match (here, there) {
        (Ok(here), Ok(there)) if here.exists() || (!there.exists() && here.starts_with(folder)) => {
            Ok(here)
        }
        (Ok(here), Err(_)) => Ok(here),
        (_, there) => there,
    }
}

fn base(project: &Project, init: &Init, warnings: &mut Vec<String>) -> Result<Option<String>> {
    let repository = match project.repository() {
        Ok(repository) => repository,
        Err(error) if init.base.is_none() && !init.from_diff => {
            warnings.push(format!(
                "no git repository ({error:#}): the plan has no base, so `affected` needs --files and evidence \
                 names no commit"
            ));
            return Ok(None);
        }
        Err(error) => return Err(error.context("--base and --from-diff need git")),
    };
    let base = match &init.base {
        Some(base) => repository.commit(base)?,
        None => match repository.default_base() {
            Ok(base) => base,
            Err(error) if !init.from_diff => {
                warnings.push(format!("{error:#}: the plan has no base"));
                return Ok(None);
            }
            Err(error) => return Err(error),
        },
    };
    Ok(Some(base))
}

/// The files of the change, except those given as arguments, plans and results.
fn from_diff(
    project: &Project,
    base: Option<&str>,
    named: &[PlannedFile],
) -> Result<Vec<PlannedFile>> {
    let repository = project.repository()?;
    let base = base.context("--from-diff needs a base")?;
    let change = Change::since(&repository, base)?;
    let files = change.files.into_iter().filter(|file| {
        file.path.starts_with(&project.workspace.root)
            && !project
                .config
                .is_document(project.workspace.relative(&file.path))
            && named.iter().all(|planned| planned.path != file.path)
    });
    let planned = files.map(|file| PlannedFile {
        action: match file.kind {
            ChangeKind::Added => "Create",
            ChangeKind::Modified => "Modify",
            ChangeKind::Deleted => "Delete",
        },
        path: file.path,
        purpose: None,
    });
    Ok(planned.collect())
}

fn criteria(project: &Project, init: &Init) -> Result<(Vec<String>, Option<String>)> {
    let mut criteria = init.criterion.clone();
    let Some(argument) = &init.criteria_from else {
        return Ok((criteria, None));
    };
    let (file, heading) = match argument.split_once('#') {
        Some((file, heading)) => (file, Some(heading)),
        None => (argument.as_str(), None),
    };
    let path = project.folder.join(file);
    let bytes = files::read(&path).or_exit(Exit::Usage)?;
    let document = Document::from_bytes(&path, bytes).or_exit(Exit::Usage)?;
    let found = document::checklist(&document, heading);
    if found.is_empty() {
        let place = heading.map_or(String::new(), |heading| {
            format!(" under a heading `{heading}`")
        });
        return Err(exit::usage(format!(
            "{path} has no checklist (`- [ ] …`){place} with criteria"
        )));
    }
    criteria.extend(found);
    Ok((criteria, Some(project.workspace.slashed(&path))))
}

/// `tests/<name>.rs`, or the existing test target with this name; if cargo does not discover tests, unit tests in the package's library
/// or first binary.
fn test_place(project: &Project, package: PackageId, name: &str) -> TestPlace {
    let member = &project.workspace.packages[package];
    let target = name.replace('-', "_");
    let existing = member
        .targets
        .iter()
        .find(|other| other.is_test() && other.name.replace('-', "_") == target);
    if let Some(existing) = existing {
        return TestPlace {
            package,
            path: existing.src_path.clone(),
            target: vec!["--test".to_owned(), existing.name.clone()],
        };
    }
    if finds_tests(member) {
        let folder = project.workspace.folder(package);
        return TestPlace {
            package,
            path: folder.join("tests").join(format!("{target}.rs")),
            target: vec!["--test".to_owned(), target],
        };
    }
    let linked = member
        .targets
        .iter()
        .find(|target| is_library(target))
        .or_else(|| member.targets.iter().find(|target| target.is_bin()));
    let (path, target) = match linked {
        Some(target) if is_library(target) => (target.src_path.clone(), vec!["--lib".to_owned()]),
        Some(target) => (
            target.src_path.clone(),
            vec!["--bin".to_owned(), target.name.clone()],
        ),
        None => (member.manifest_path.clone(), Vec::new()),
    };
    TestPlace {
        package,
        path,
        target,
    }
}

/// Whether cargo discovers `tests/*.rs`: unless `autotests` is false, or a package of edition 2015 lists targets (the Cargo Book,
/// "Target auto-discovery"). Errors in the manifest are left to cargo.
fn finds_tests(member: &Package) -> bool {
    let text = files::read(&member.manifest_path).unwrap_or_default();
    let document = String::from_utf8_lossy(&text);
    let Ok(document) = document
        .trim_start_matches('\u{feff}')
        .parse::<DocumentMut>()
    else {
        return true;
    };
    let said = document
        .get("package")
        .and_then(|package| package.get("autotests")?.as_bool());
    said.unwrap_or_else(|| {
        let listed = ["bin", "example", "test", "bench"]
            .iter()
            .any(|table| document.contains_key(table));
        member.edition != Edition::E2015 || !listed
    })
}
