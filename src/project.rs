//! The workspace of a command, its settings, and its PoCs.

mod load;
mod paths;
mod prefetch;
pub(crate) mod tree;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;

use crate::change;
use crate::config::{Config, detect};
use crate::document::plan::Step;
use crate::document::results::Results;
use crate::document::{Document, Plan, ProblemKind, Status, read_foreign, read_plan, read_results};
use crate::evidence::{self, Evidence};
use crate::exit::{self, Exit, OrExit as _};
use crate::sys::cargo::Cargo;
use crate::sys::files;
use crate::sys::git::Repository;
use crate::workspace::Workspace;
use crate::workspace::graph::nearest;

pub use paths::Paths;
pub(crate) use paths::read_document;
use paths::{PLAN_ENDINGS, RESULTS_ENDING};
pub use prefetch::Ask;
use prefetch::Prefetch;

/// A workspace with the settings of this run.
#[derive(Debug)]
pub struct Project {
    /// The interface to cargo.
    pub cargo: Cargo,
    /// Members and their dependencies.
    pub workspace: Workspace,
    /// Settings.
    pub config: Config,
    /// The current folder, absolute.
    pub folder: Utf8PathBuf,
    /// Warnings from loading that do not change the result.
    pub notes: Vec<String>,
    prefetch: Prefetch,
}

/// A PoC with its documents.
#[derive(Debug)]
pub struct Poc {
    /// Its name and files.
    pub paths: Paths,
    /// The plan's text.
    pub plan_document: Document,
    /// The plan.
    pub plan: Plan,
    /// The results document and its parsed form; `None` without the file.
    pub results: Option<(Document, Results)>,
}

/// The maximum length of a PoC's name: file systems allow 255 bytes, and people type names.
const LONGEST_NAME: usize = 100;

impl Project {
    /// A warning if no build is chosen or named, and the project's files test another one than the plain one.
    #[must_use]
    pub fn other_build(&self, use_cache: bool) -> Option<String> {
        let is_named = !self.config.configurations.is_empty();
        (!is_named).then(|| detect::other_build(&self.workspace, use_cache))?
    }

    /// The repository of the workspace, with the files at the start of this run.
    ///
    /// # Errors
    /// When there is no git or no work tree.
    pub fn repository(&self) -> Result<Repository> {
        let opened = self
            .prefetch
            .get_or_init(|| Repository::open(&self.workspace.root).ok())
            .clone();
        match opened.and_then(|opened| change::fitted(opened, &self.workspace)) {
            Some(repository) => Ok(repository),
            None => change::repository_of(&self.workspace),
        }
    }

    /// Discards the listing of files after this run has written some.
    pub fn refresh_repository(&mut self) {
        self.prefetch = Prefetch::default();
    }

    /// The workspace's folder within its repository, for the paths of GitHub and SARIF.
    #[must_use]
    pub fn prefix(&self) -> Utf8PathBuf {
        let root = &self.workspace.root;
        let repository = self.repository().ok();
        repository
            .and_then(|repository| Some(root.strip_prefix(&repository.root).ok()?.to_owned()))
            .unwrap_or_default()
    }

    /// The folder of plans and results, absolute.
    #[must_use]
    pub fn docs(&self) -> Utf8PathBuf {
        self.workspace.root.join(&self.config.docs)
    }

    /// The documents of a PoC that may not exist yet.
    ///
    /// # Errors
    /// A usage error when `name` is not a slug.
    pub fn paths(&self, name: &str) -> Result<Paths> {
        if !is_slug(name) {
            return Err(exit::usage(format!(
                "`{name}` cannot name a PoC: use a-z, 0-9 and `-`, beginning with a letter or digit, at most \
                 {LONGEST_NAME} characters"
            )));
        }
        let docs = self.docs();
        Ok(Paths {
            plan: docs.join(format!("{name}-plan.md")),
            results: docs.join(format!("{name}{RESULTS_ENDING}")),
            name: name.to_owned(),
        })
    }

    /// Every PoC in the docs folder, sorted by name; empty without the folder. Plans are recognized by name and content, and records in
    /// a results document show that its plan is missing.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn list(&self) -> Result<Vec<Paths>> {
        let docs = self.docs();
        let files = files::list(&docs)?;
        let plans = files.iter().filter_map(|file| {
            let ending = |ending: &&str| file.strip_suffix(*ending);
            let name = PLAN_ENDINGS.iter().find_map(ending)?;
            Some(Paths {
                name: name.to_owned(),
                plan: docs.join(file),
                results: docs.join(format!("{name}{RESULTS_ENDING}")),
            })
        });
        let mut found: Vec<Paths> = plans.filter(Paths::are_of_a_poc).collect();
        found.sort();
        found.dedup_by(|later, earlier| later.name == earlier.name);
        let named: BTreeSet<String> = found.iter().map(|paths| paths.name.clone()).collect();
        let results = files.iter().filter_map(|file| {
            let name = file.strip_suffix(RESULTS_ENDING)?;
            (!named.contains(name)).then(|| Paths {
                name: name.to_owned(),
                plan: docs.join(format!("{name}{}", PLAN_ENDINGS[0])),
                results: docs.join(file),
            })
        });
        found.extend(results.filter(Paths::have_records));
        found.sort();
        Ok(found)
    }

    /// The PoC called `name`, or the only one whose name starts with it.
    ///
    /// # Errors
    /// A usage error for none or several; the message lists the names.
    pub fn find(&self, name: &str) -> Result<Paths> {
        if let Some(paths) = self.foreign(name)? {
            return Ok(paths);
        }
        let list = self.list()?;
        if let Some(exact) = list.iter().find(|paths| paths.name == name) {
            return Ok(exact.clone());
        }
        // A named document is read whatever its content.
        let named = PLAN_ENDINGS.map(|ending| self.docs().join(format!("{name}{ending}")));
        if is_slug(name)
            && let Some(plan) = named.into_iter().find(|plan| plan.is_file())
        {
            return Ok(Paths {
                plan,
                ..self.paths(name)?
            });
        }
        let matching: Vec<&Paths> = list
            .iter()
            .filter(|paths| paths.name.starts_with(name))
            .collect();
        if let [only] = matching[..] {
            return Ok(only.clone());
        }
        let existing: Vec<&str> = list.iter().map(|paths| paths.name.as_str()).collect();
        let docs = self.docs();
        let next = if existing.is_empty() {
            format!("cargo poc init {name}")
        } else {
            "cargo poc status".to_owned()
        };
        let error = exit::usage(if matching.len() > 1 {
            let candidates: Vec<&str> = matching.iter().map(|paths| paths.name.as_str()).collect();
            format!("`{name}` is ambiguous: {}", candidates.join(" or "))
        } else if existing.is_empty() {
            format!(
                "no plan `{name}`: {docs} contains no *-plan.md; `cargo poc init {name}` writes one"
            )
        } else {
            format!(
                "no plan `{name}` in {docs}, which contains {}{}",
                existing.join(", "),
                nearest(name, &existing)
            )
        });
        Err(exit::with_next(next, error))
    }

    /// [`Paths::of_file`], where a task list of another tool is named after its path below the workspace root, without the title in
    /// the file name of a task of Backlog.md.
    ///
    /// # Errors
    /// As for [`Paths::of_file`].
    pub fn of_file(&self, file: Utf8PathBuf) -> Result<Paths> {
        let mut paths = Paths::of_file(file)?;
        if paths.is_foreign() {
            let path = self.workspace.slashed(&paths.plan);
            let name = path
                .split_once(" - ")
                .map_or(path.as_str(), |(name, _)| name);
            name.clone_into(&mut paths.name);
        }
        Ok(paths)
    }

    /// The task list of another tool with this name; see [`Self::of_file`].
    fn foreign(&self, name: &str) -> Result<Option<Paths>> {
        let root = &self.workspace.root;
        let mut path = files::normalize(&root.join(name));
        if !path.starts_with(root) || !(name.contains('/') || path.extension() == Some("md")) {
            return Ok(None);
        }
        if !path.is_file() {
            let folder = path.parent().unwrap_or(root).to_owned();
            let start = format!("{} - ", path.file_name().unwrap_or_default());
            let mut titled = files::list(&folder)?.into_iter();
            match titled.find(|file| file.starts_with(&start)) {
                Some(file) => path = folder.join(file),
                None => return Ok(None),
            }
        }
        Ok(Some(self.of_file(path)?).filter(Paths::is_foreign))
    }

    /// Reads the documents of one PoC.
    ///
    /// # Errors
    /// As for [`Poc::read`].
    pub fn read(&self, paths: Paths) -> Result<Poc> {
        Poc::read(paths)
    }

    /// The PoCs whose results are neither complete nor withdrawn, and errors of unreadable ones.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn open(&self) -> Result<(Vec<Poc>, Vec<anyhow::Error>)> {
        let (mut open, mut unreadable) = (Vec::new(), Vec::new());
        for paths in self.list()? {
            match self.read(paths) {
                Ok(poc) if poc.is_open() => open.push(poc),
                Ok(_) => {}
                Err(error) => unreadable.push(error),
            }
        }
        Ok((open, unreadable))
    }

    /// The only open PoC, if none is named.
    ///
    /// # Errors
    /// A usage error when there is none, or more than one.
    pub fn only_open(&self) -> Result<Poc> {
        let (mut open, unreadable) = self.open()?;
        if let Some(error) = unreadable.into_iter().next() {
            return Err(error.context("failed to find the open PoC; pass its name"));
        }
        if let [_] = open[..] {
            return Ok(open.remove(0));
        }
        let names: Vec<&str> = open.iter().map(|poc| poc.paths.name.as_str()).collect();
        Err(exit::usage(if names.is_empty() {
            format!(
                "no open PoC in {}; pass a name, or start with `cargo poc init NAME`",
                self.docs()
            )
        } else {
            format!("several PoCs are open: {}; pass a name", names.join(", "))
        }))
    }

    /// The PoC of this name, or the only open one.
    ///
    /// # Errors
    /// As for [`Self::find`], [`Self::read`] and [`Self::only_open`].
    pub fn named_or_only(&self, name: Option<&str>) -> Result<Poc> {
        match name {
            Some(name) => self.read(self.find(name)?),
            None => self.only_open(),
        }
    }
}

impl Poc {
    /// The step of the plan with this id.
    ///
    /// # Errors
    /// A usage error if there is none; the message lists the steps.
    pub fn step(&self, id: &str) -> Result<&Step> {
        let mut steps = self.plan.steps.iter();
        if let Some(step) = steps.find(|step| step.id.as_str() == id) {
            return Ok(step);
        }
        let ids: Vec<&str> = self
            .plan
            .steps
            .iter()
            .map(|step| step.id.as_str())
            .collect();
        let plan = &self.paths.plan;
        if ids.is_empty() {
            return Err(exit::usage(format!("{plan} has no steps")));
        }
        Err(exit::usage(format!(
            "{plan} has no step {id}; its steps are {}{}",
            ids.join(", "),
            nearest(id, &ids)
        )))
    }

    /// Reads the documents of one PoC.
    ///
    /// # Errors
    /// A usage error when the plan is missing, or a document is not UTF-8, with the position.
    pub fn read(paths: Paths) -> Result<Self> {
        let plan_document = read_document(&paths.plan)?
            .with_context(|| format!("{} does not exist{}", paths.plan, paths.left_results()))
            .or_exit(Exit::Usage)?;
        let foreign = paths.is_foreign();
        let plan = if foreign {
            read_foreign(&plan_document)
        } else {
            read_plan(&plan_document)
        };
        let mut document = read_document(&paths.results)?;
        if foreign && document.is_none() {
            let file = paths.plan.file_name().unwrap_or_default();
            let text = format!("# Results of {file}\n\nWritten by `cargo poc verify --plan`.\n");
            document = Some(Document::from_text(&paths.results, text));
        }
        let results = document.map(|document| {
            let mut results = read_results(&document);
            // They have no step, only evidence.
            let problems = &mut results.problems;
            problems.retain(|problem| !foreign || problem.kind != ProblemKind::NoSteps);
            (document, results)
        });
        Ok(Self {
            paths,
            plan_document,
            plan,
            results,
        })
    }

    /// The evidence in its results; empty without the file.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let text = self.results.as_ref().map(|(document, _)| document.text());
        text.map_or_else(Evidence::default, evidence::read)
    }

    /// Whether its results are neither complete nor withdrawn.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let status = self
            .results
            .as_ref()
            .and_then(|(_, results)| results.status.as_ref()?.status);
        !matches!(
            status,
            Some(Status::Complete | Status::Withdrawn | Status::Skipped)
        )
    }
}

/// Whether `name` can name a PoC: `[a-z0-9][a-z0-9-]*`, short enough for a file name with `-results.md` after it.
#[must_use]
pub fn is_slug(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.starts_with(plain)
        && name.chars().all(|letter| plain(letter) || letter == '-')
        && name.len() <= LONGEST_NAME
}
