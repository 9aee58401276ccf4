//! How a command comes by its workspace: cargo and git are asked side by side, and what was known the last time is worked
//! with meanwhile.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Metadata;

use super::Project;
use crate::change::normalize;
use crate::cli::Global;
use crate::config::Config;
use crate::exit::{Exit, OrExit as _};
use crate::sys::cargo::{self, Cargo, Members};
use crate::sys::files;
use crate::sys::git::Repository;
use crate::workspace::Workspace;

/// What a command will ask of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Nothing that is known beforehand.
    Nothing,
    /// The repository's files.
    Files,
    /// Also where this branch left the default branch.
    Base,
}

/// The repository around the folder that cargo started from; `None` where there is none.
pub(super) type Ahead = Arc<OnceLock<Option<Repository>>>;

/// Where a command starts from, and what it has asked for.
struct Start {
    cargo: Cargo,
    /// The current folder, absolute.
    folder: Utf8PathBuf,
    /// Where the workspace is looked for from.
    from: Utf8PathBuf,
    ahead: Ahead,
}

impl Project {
    /// Asks cargo for the workspace around the current folder, or that of `--manifest-path`.
    ///
    /// # Errors
    /// No workspace, a broken manifest or configuration (bad usage), or no cargo.
    pub fn load(global: &Global) -> Result<Self> {
        Start::here(global, Ask::Files)?.load(global)
    }

    /// [`Self::load`] for a command that needs no git: it is asked only where it turns out to be needed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_without_git(global: &Global) -> Result<Self> {
        Start::here(global, Ask::Nothing)?.load(global)
    }

    /// What `work` makes of the project that [`Self::load`] gives. While cargo is asked, it is done on what cargo said the
    /// last time; where cargo now says otherwise, that is dropped and `work` done again. So it must show nothing, and write
    /// nothing but what it keeps by content.
    ///
    /// # Errors
    /// As [`Self::load`], and those of `work`.
    pub fn with<T>(global: &Global, ask: Ask, work: impl Fn(Self) -> Result<T>) -> Result<T> {
        let start = Start::here(global, ask)?;
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| start.cargo.members());
            let kept = kept(&start.from);
            let meanwhile = kept
                .as_ref()
                .and_then(|kept| kept.read().ok())
                // Several workspaces may be built in one folder.
                .filter(|metadata| start.from.starts_with(&metadata.workspace_root))
                .map(|metadata| start.project(global, metadata).and_then(&work));
            let members = asked.join();
            let members = members.map_err(|_| anyhow!("asking cargo panicked"))??;
            match meanwhile {
                Some(worked) if kept.as_ref() == Some(&members) => worked,
                _ => {
                    let mut project = start.project(global, members.read()?)?;
                    let not_kept = keep(&project.workspace.target_directory, &members).err();
                    let slow =
                        |error| format!("{error:#}; the next run takes longer than it has to");
                    project.notes.extend(not_kept.map(slow));
                    work(project)
                }
            }
        })
    }

    /// The workspace around a document, or that of `--manifest-path`; `None` where the document lies in none.
    ///
    /// # Errors
    /// As [`Self::load`], but for there being no workspace.
    pub fn around(global: &Global, document: &Utf8Path) -> Result<Option<Self>> {
        if global.manifest_path.is_some() {
            return Self::load(global).map(Some);
        }
        let folder = global.folder()?;
        let beside = normalize(&folder.join(document));
        let beside = beside.parent().unwrap_or(&folder).to_owned();
        let in_a_package = beside
            .ancestors()
            .any(|folder| folder.join("Cargo.toml").is_file());
        if !in_a_package {
            return Ok(None);
        }
        let start = Start::new(global, folder, beside, Ask::Files);
        start.load(global).map(Some)
    }
}

impl Start {
    fn here(global: &Global, ask: Ask) -> Result<Self> {
        let folder = std::env::current_dir().context("failed to find the current folder")?;
        let folder = Utf8PathBuf::try_from(folder)
            .context("the current folder's path is not UTF-8")
            .or_exit(Exit::Usage)?;
        Ok(Self::new(global, folder, global.folder()?, ask))
    }

    fn new(global: &Global, folder: Utf8PathBuf, from: Utf8PathBuf, ask: Ask) -> Self {
        let mut cargo = global.cargo();
        if from != folder && cargo.manifest_path.is_none() {
            let manifest = from.ancestors().map(|folder| folder.join("Cargo.toml"));
            cargo.manifest_path = manifest.into_iter().find(|path| path.is_file());
        }
        Self {
            cargo,
            ahead: ask_git_ahead(from.clone(), ask),
            folder,
            from,
        }
    }

    fn load(&self, global: &Global) -> Result<Project> {
        self.project(global, self.cargo.members()?.read()?)
    }

    fn project(&self, global: &Global, members: Metadata) -> Result<Project> {
        let workspace = Workspace::new(members);
        let config = Config::load(&workspace, global)?;
        Ok(Project {
            cargo: self.cargo.clone(),
            workspace,
            config,
            folder: self.folder.clone(),
            notes: Vec::new(),
            ahead: Arc::clone(&self.ahead),
        })
    }
}

/// git and cargo are asked side by side: both walk the whole workspace, and neither needs the other's answer. What is
/// asked here is waited for only where it is used.
fn ask_git_ahead(folder: Utf8PathBuf, ask: Ask) -> Ahead {
    let ahead = Ahead::default();
    if ask == Ask::Nothing {
        return ahead;
    }
    let answer = Arc::clone(&ahead);
    std::thread::spawn(move || {
        let Some(repository) = answer.get_or_init(|| Repository::open(&folder).ok()) else {
            return;
        };
        // Whoever needs what fails here asks again, and gets the error.
        std::thread::scope(|scope| {
            scope.spawn(|| repository.listing().is_ok());
            if ask == Ask::Base {
                scope.spawn(|| repository.branched().is_ok());
            }
        });
    });
    ahead
}

/// What cargo said of the workspace around `folder` the last time.
fn kept(folder: &Utf8Path) -> Option<Members> {
    let mut targets = cargo::target_folders(folder).into_iter();
    targets.find_map(|target| {
        let text = files::read_if_exists(&members_file(&target)).ok()??;
        Some(Members::printed(text))
    })
}

/// Keeps what cargo says of a workspace, where cargo has built before: nobody wants such a folder from us.
fn keep(target: &Utf8Path, members: &Members) -> Result<()> {
    if !target.is_dir() {
        return Ok(());
    }
    files::keep(&members_file(target), members.text())
}

fn members_file(target: &Utf8Path) -> Utf8PathBuf {
    cargo::own_folder(target).join("members")
}
