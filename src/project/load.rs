//! Loads a workspace. cargo and git run in parallel, and read-only commands start from cached metadata.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Metadata;

use super::Project;
use super::prefetch::{Ask, Prefetch, prefetch_git};
use crate::config::{Config, Options, current_folder};
use crate::sys::cargo::{self, Cargo, Members};
use crate::sys::files;
use crate::sys::terminal::relative;
use crate::workspace::Workspace;

/// The starting folders of a command, its options, and the repository that is being opened.
struct Start {
    options: Options,
    cargo: Cargo,
    /// The current folder, absolute.
    folder: Utf8PathBuf,
    /// The folder in which to search for the workspace.
    from: Utf8PathBuf,
    prefetch: Prefetch,
}

impl Project {
    /// Loads the workspace around the current folder, or that of `--manifest-path`.
    ///
    /// # Errors
    /// No workspace, a broken manifest or configuration (usage errors), or no cargo.
    pub fn load(options: impl Into<Options>) -> Result<Self> {
        Start::here(options.into(), Ask::Files)?.load()
    }

    /// [`Self::load`] for a command that usually needs no git: git runs only on demand.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_without_git(options: impl Into<Options>) -> Result<Self> {
        Start::here(options.into(), Ask::Nothing)?.load()
    }

    /// Loads the project and applies `work` to it. While cargo runs, `work` is applied to cached metadata; that result is discarded
    /// and `work` applied again if cargo's answer differs. So `work` must not print anything, and may write only caches that are
    /// keyed by content.
    ///
    /// # Errors
    /// As [`Self::load`], and those of `work`.
    pub fn with<T>(
        options: impl Into<Options>,
        ask: Ask,
        work: impl Fn(Self) -> Result<T>,
    ) -> Result<T> {
        let start = Start::here(options.into(), ask)?;
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| start.cargo.members());
            let cached = cached_members(&start.from);
            let speculative = cached
                .as_ref()
                .and_then(|cached| cached.read().ok())
                // Several workspaces may share one target folder.
                .filter(|metadata| start.from.starts_with(&metadata.workspace_root))
                .map(|metadata| start.project(metadata).and_then(&work));
            let members = asked.join();
            let members = members.map_err(|_| anyhow!("the thread that runs cargo panicked"))??;
            match speculative {
                Some(result) if cached.as_ref() == Some(&members) => result,
                _ => {
                    let mut project = start.project(members.read()?)?;
                    let not_cached =
                        cache_members(&project.workspace.target_directory, &members).err();
                    let slow = |error| format!("{error:#}; the next run will be slower");
                    project.notes.extend(not_cached.map(slow));
                    work(project)
                }
            }
        })
    }

    /// The workspace around a document, or that of `--manifest-path`; `None` if the document is outside a workspace.
    ///
    /// # Errors
    /// As [`Self::load`], except for a missing workspace.
    pub fn around(options: impl Into<Options>, document: &Utf8Path) -> Result<Option<Self>> {
        let options = options.into();
        if options.manifest_path.is_some() {
            return Self::load(options).map(Some);
        }
        let folder = options.folder()?;
        let beside = files::normalize(&folder.join(document));
        let beside = beside.parent().unwrap_or(&folder).to_owned();
        let in_a_package = beside
            .ancestors()
            .any(|folder| folder.join("Cargo.toml").is_file());
        if !in_a_package {
            return Ok(None);
        }
        Start::new(options, folder, beside, Ask::Files)
            .load()
            .map(Some)
    }
}

impl Start {
    fn here(options: Options, ask: Ask) -> Result<Self> {
        let from = options.folder()?;
        Ok(Self::new(options, current_folder()?, from, ask))
    }

    fn new(options: Options, folder: Utf8PathBuf, from: Utf8PathBuf, ask: Ask) -> Self {
        let mut cargo = options.cargo();
        if from != folder && cargo.manifest_path.is_none() {
            let manifest = from.ancestors().map(|folder| folder.join("Cargo.toml"));
            cargo.manifest_path = manifest.into_iter().find(|path| path.is_file());
        }
        Self {
            options,
            cargo,
            prefetch: prefetch_git(from.clone(), ask),
            folder,
            from,
        }
    }

    fn load(&self) -> Result<Project> {
        self.project(self.cargo.members()?.read()?)
    }

    fn project(&self, members: Metadata) -> Result<Project> {
        let mut workspace = Workspace::new(members);
        relative::set_root(&workspace.root);
        let config = Config::load(&workspace, &self.options)?;
        workspace.configuration = config.configuration.clone();
        Ok(Project {
            cargo: self.cargo.clone(),
            workspace,
            config,
            folder: self.folder.clone(),
            notes: Vec::new(),
            prefetch: Arc::clone(&self.prefetch),
        })
    }
}

/// The metadata that cargo last reported for the workspace around `folder`.
fn cached_members(folder: &Utf8Path) -> Option<Members> {
    let mut targets = cargo::target_folders(folder).into_iter();
    targets.find_map(|target| {
        let text = files::read_if_exists(&members_file(&target)).ok()??;
        Some(Members::printed(text))
    })
}

/// Caches the metadata if the target folder exists, and does not create it.
fn cache_members(target: &Utf8Path, members: &Members) -> Result<()> {
    if !target.is_dir() {
        return Ok(());
    }
    files::keep(&members_file(target), members.text())
}

fn members_file(target: &Utf8Path) -> Utf8PathBuf {
    cargo::own_folder(target).join("members")
}
