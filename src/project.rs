//! What a command works on: the workspace, its settings, and its PoCs.

mod load;
mod prefetch;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::change;
use crate::config::Config;
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

/// A workspace with the settings that hold for this run.
#[derive(Debug)]
pub struct Project {
    /// How to reach cargo.
    pub cargo: Cargo,
    /// Members and how they depend on each other.
    pub workspace: Workspace,
    /// Settings.
    pub config: Config,
    /// The current folder, absolute.
    pub folder: Utf8PathBuf,
    /// What went otherwise than it should when it was loaded, and changes nothing.
    pub notes: Vec<String>,
    prefetch: Prefetch,
}

/// The two documents of one PoC, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paths {
    /// The slug.
    pub name: String,
    /// `docs/NAME-plan.md`, or `docs/NAME-implementation.md` of the older generation; absolute.
    pub plan: Utf8PathBuf,
    /// `docs/NAME-results.md`, absolute; it may not be there.
    pub results: Utf8PathBuf,
}

/// One PoC as its documents tell it.
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

/// The longest name of a PoC: file systems take 255 bytes, and names are typed.
const LONGEST_NAME: usize = 100;

/// What plans are called; both generations of the template.
const PLAN_ENDINGS: [&str; 2] = ["-plan.md", "-implementation.md"];

impl Project {
    /// The repository of the workspace, with the files as they were at the start of this run.
    ///
    /// # Errors
    /// Why there is no repository: no git, or no work tree.
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

    /// Discards the listing of files, so that git is asked again after this run has written some.
    pub fn refresh_repository(&mut self) {
        self.prefetch = Prefetch::default();
    }

    /// The workspace's folder within its repository, which GitHub and SARIF take paths from.
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
    /// Bad usage when `name` is no slug.
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
            results: docs.join(format!("{name}-results.md")),
            name: name.to_owned(),
        })
    }

    /// Every plan in the docs folder, by name and content, sorted by name; none where there is no such folder.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn list(&self) -> Result<Vec<Paths>> {
        let docs = self.docs();
        let mut found: Vec<Paths> = files::list(&docs)?
            .into_iter()
            .filter_map(|file| {
                let name = PLAN_ENDINGS
                    .iter()
                    .find_map(|ending| file.strip_suffix(ending))?;
                Some(Paths {
                    name: name.to_owned(),
                    plan: docs.join(&file),
                    results: docs.join(format!("{name}-results.md")),
                })
            })
            .filter(Paths::are_of_a_poc)
            .collect();
        found.sort();
        found.dedup_by(|later, earlier| later.name == earlier.name);
        Ok(found)
    }

    /// The PoC called `name`, or the only one whose name begins so.
    ///
    /// # Errors
    /// Bad usage: none or several, with the names there are.
    pub fn find(&self, name: &str) -> Result<Paths> {
        let list = self.list()?;
        if let Some(exact) = list.iter().find(|paths| paths.name == name) {
            return Ok(exact.clone());
        }
        // Who names a document wants it read, whatever it holds.
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
            format!(
                "`{name}` could be {}; say more of the name",
                candidates.join(" or ")
            )
        } else if existing.is_empty() {
            format!(
                "no plan `{name}`: {docs} holds no *-plan.md; `cargo poc init {name}` writes one"
            )
        } else {
            format!(
                "no plan `{name}` in {docs}, which holds {}{}",
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

    /// The PoCs that their results do not call complete or withdrawn, and why others cannot be read.
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

    /// The one PoC meant when none is named.
    ///
    /// # Errors
    /// Bad usage when there is none, or more than one.
    pub fn only_open(&self) -> Result<Poc> {
        let (mut open, unreadable) = self.open()?;
        if let Some(error) = unreadable.into_iter().next() {
            return Err(error.context("failed to find the open PoC; name one"));
        }
        if let [_] = open[..] {
            return Ok(open.remove(0));
        }
        let names: Vec<&str> = open.iter().map(|poc| poc.paths.name.as_str()).collect();
        Err(exit::usage(if names.is_empty() {
            format!(
                "no open PoC in {}; name one, or begin with `cargo poc init NAME`",
                self.docs()
            )
        } else {
            format!("which PoC? {} are open; name one", names.join(", "))
        }))
    }

    /// The PoC of this name, else the only open one.
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
    /// Whether these are documents of a PoC: there are results, or the plan has the sections of one. A plan that cannot be
    /// read is one, so that reading it reports the reason.
    fn are_of_a_poc(&self) -> bool {
        if self.results.exists() || !self.plan.is_file() {
            return true;
        }
        match files::read_document(&self.plan) {
            Ok(Some(bytes)) => String::from_utf8(bytes).map_or(true, |text| is_plan(&text)),
            _ => true,
        }
    }

    /// The documents of a plan that is given as a file, absolute: the results stand beside it under the same name, or
    /// where the plan links to. A results document means the plan beside it.
    ///
    /// # Errors
    /// Bad usage: a results document without a plan beside it.
    pub fn of_file(file: Utf8PathBuf) -> Result<Self> {
        let folder = file.parent().unwrap_or(Utf8Path::new(""));
        let stem = file.file_name().unwrap_or_default();
        if let Some(name) = stem.strip_suffix("-results.md") {
            let plans = PLAN_ENDINGS.map(|ending| folder.join(format!("{name}{ending}")));
            let Some(plan) = plans.iter().find(|plan| plan.is_file()) else {
                return Err(exit::usage(format!(
                    "{file} is a results document, and there is no {name}-plan.md beside it; name the plan"
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
        let beside = folder.join(format!("{name}-results.md"));
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
    /// Bad usage: there is none; the message lists those there are.
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
        Err(exit::usage(format!(
            "{} has no step {id}; its steps are {}{}",
            self.paths.plan,
            ids.join(", "),
            nearest(id, &ids)
        )))
    }

    /// Reads the documents of one PoC.
    ///
    /// # Errors
    /// When the plan is missing, or a document is not UTF-8: bad usage, with the place.
    pub fn read(paths: Paths) -> Result<Self> {
        let plan_document = read_document(&paths.plan)?
            .with_context(|| format!("there is no {}", paths.plan))
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

    /// What its results record; none without the file.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let text = self.results.as_ref().map(|(document, _)| document.text());
        text.map_or_else(Evidence::default, evidence::read)
    }

    /// Whether its results leave it open.
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

/// The document at `path`; `None` where there is none.
///
/// # Errors
/// Bad input: it is not UTF-8, too large, no regular file, or a link that leads elsewhere; with the place.
pub(crate) fn read_document(path: &Utf8Path) -> Result<Option<Document>> {
    let bytes = files::read_document(path).or_exit(Exit::Usage)?;
    bytes
        .map(|bytes| Document::from_bytes(path, bytes))
        .transpose()
        .or_exit(Exit::Usage)
}
