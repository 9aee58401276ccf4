//! The workspace of a command, its settings, and its PoCs.

mod load;
mod prefetch;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::change;
use crate::config::{Config, detect};
use crate::document::plan::Step;
use crate::document::results::Results;
use crate::document::{Document, Plan, Status, is_plan, read_plan, read_results};
use crate::evidence::{self, Evidence};
use crate::exit::{self, Exit, OrExit as _};
use crate::sys::cargo::Cargo;
use crate::sys::files;
use crate::sys::git::Repository;
use crate::workspace::Workspace;
use crate::workspace::graph::nearest;

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

/// The two documents of one PoC, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paths {
    /// The slug.
    pub name: String,
    /// `docs/NAME-plan.md`, or the older `docs/NAME-implementation.md`; absolute.
    pub plan: Utf8PathBuf,
    /// `docs/NAME-results.md`, absolute; it may not exist.
    pub results: Utf8PathBuf,
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

/// File name endings of plans, of both generations of the template.
const PLAN_ENDINGS: [&str; 2] = ["-plan.md", "-implementation.md"];
/// The file name ending of results.
const RESULTS_ENDING: &str = "-results.md";
/// The start of the comments that this program writes.
const MARKER: &str = "<!-- cargo-poc:";

impl Project {
    /// A warning if no build is chosen or named, and the project's files test another one than the plain one.
    #[must_use]
    pub fn other_build(&self) -> Option<String> {
        let is_named = !self.config.configurations.is_empty();
        (!is_named).then(|| detect::other_build(&self.workspace))?
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

impl Paths {
    /// Whether the results have parts that this program has written.
    fn have_records(&self) -> bool {
        let text = files::read_document(&self.results).ok().flatten();
        text.is_some_and(|text| String::from_utf8_lossy(&text).contains(MARKER))
    }

    /// What to do about results whose plan is missing; empty without results.
    fn left_results(&self) -> String {
        if !self.results.exists() {
            return String::new();
        }
        let results = &self.results;
        format!(", but {results} has its records; restore the plan, or remove the results as well")
    }

    /// Whether these are documents of a PoC: there are results, or the plan has the sections of one. An unreadable plan counts, so that
    /// reading it reports the error.
    fn are_of_a_poc(&self) -> bool {
        if self.results.exists() || !self.plan.is_file() {
            return true;
        }
        match files::read_document(&self.plan) {
            Ok(Some(bytes)) => String::from_utf8(bytes).map_or(true, |text| is_plan(&text)),
            _ => true,
        }
    }

    /// The documents of a plan at an absolute path. The results are the file of the same name beside it, or the file that the plan
    /// links to. For a results document, the plan is the file beside it.
    ///
    /// # Errors
    /// A usage error for a results document without a plan beside it.
    pub fn of_file(file: Utf8PathBuf) -> Result<Self> {
        let folder = file.parent().unwrap_or(Utf8Path::new(""));
        let stem = file.file_name().unwrap_or_default();
        if let Some(name) = stem.strip_suffix(RESULTS_ENDING) {
            let plans = PLAN_ENDINGS.map(|ending| folder.join(format!("{name}{ending}")));
            let Some(plan) = plans.iter().find(|plan| plan.is_file()) else {
                return Err(exit::usage(format!(
                    "{file} is a results document without a {name}-plan.md beside it; pass the plan"
                )));
            };
            return Ok(Self {
                name: name.to_owned(),
                plan: plan.clone(),
                results: file,
            });
        }
        let by_name = PLAN_ENDINGS
            .iter()
            .find_map(|ending| stem.strip_suffix(ending));
        let name = by_name.or(file.file_stem()).unwrap_or_default().to_owned();
        let beside = folder.join(format!("{name}{RESULTS_ENDING}"));
        let linked = || {
            let text = String::from_utf8(files::read(&file).ok()?).ok()?;
            let plan = read_plan(&Document::from_text(&file, text));
            let link = folder.join(Utf8Path::new(plan.results_link.as_deref()?).file_name()?);
            (link.is_file() && link != file).then_some(link)
        };
        let results = if beside.is_file() {
            beside
        } else {
            linked().unwrap_or(beside)
        };
        Ok(Self {
            name,
            plan: file,
            results,
        })
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
        let plan = read_plan(&plan_document);
        let results = read_document(&paths.results)?.map(|document| {
            let results = read_results(&document);
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

/// Reads the document at `path`; `None` if it does not exist.
///
/// # Errors
/// A usage error with the position: not UTF-8, too large, not a regular file, or a link that leaves the folder.
pub(crate) fn read_document(path: &Utf8Path) -> Result<Option<Document>> {
    let bytes = files::read_document(path).or_exit(Exit::Usage)?;
    bytes
        .map(|bytes| Document::from_bytes(path, bytes))
        .transpose()
        .or_exit(Exit::Usage)
}
