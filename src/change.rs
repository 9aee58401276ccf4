//! The change under study: which files of the workspace differ from the base.

pub mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::change::snapshot::Snapshot;
use crate::sys::files;
use crate::sys::git::{ChangeKind, FileChange, Repository};
use crate::workspace::Workspace;

/// What differs between a base commit and the work tree, or a list of files given by hand.
#[derive(Debug, Clone)]
pub struct Change {
    /// The base's full commit id; `None` when the files were given.
    pub base: Option<String>,
    /// Changed files, absolute, sorted.
    pub files: Vec<FileChange>,
    repository: Option<Repository>,
    /// What [`Self::before`] has read: several plans ask for the same files.
    read: Arc<Mutex<BTreeMap<Utf8PathBuf, Content>>>,
    /// What files held before, by absolute path, where the base does not tell it.
    held: BTreeMap<Utf8PathBuf, Content>,
    /// Paths that lead to a changed file through a symbolic link, with the file's own path.
    linked: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
}

/// How many symbolic links are followed one after the other; folders may link to each other in circles.
const LINK_DEPTH: usize = 3;

/// Where a symbolic link leads, below the root as the workspace names it.
fn target_of(link: &Utf8Path, repository: &Repository) -> Option<Utf8PathBuf> {
    if let (Ok(target), Ok(root)) = (files::resolved(link), files::resolved(&repository.root)) {
        return Some(repository.root.join(target.strip_prefix(root).ok()?));
    }
    // A dangling link may have had a target before.
    let written = Utf8PathBuf::try_from(std::fs::read_link(link).ok()?).ok()?;
    Some(files::normalize(&link.parent()?.join(written)))
}

/// A file at the base; `None` where it was not there.
type Content = Option<Vec<u8>>;

impl Change {
    /// Base commit → work tree: committed since, staged, unstaged, untracked but not ignored. What cargo builds is no
    /// change, even where git does not ignore it.
    ///
    /// # Errors
    /// When `base` names no commit, or git fails.
    pub fn since(repository: &Repository, base: &str) -> Result<Self> {
        let commit = repository.commit(base)?;
        let mut files = repository.changes_since(&commit)?;
        for file in &mut files {
            file.path = repository.root.join(&file.path);
        }
        files.retain(|file| {
            let built = repository.built.as_ref();
            built.is_none_or(|folder| !file.path.starts_with(folder))
        });
        let held = repository.submodule_sources(&commit)?.into_iter();
        let mut change = Self {
            base: Some(commit),
            files,
            repository: Some(repository.clone()),
            read: Arc::default(),
            held: held
                .map(|(path, text)| (repository.root.join(path), Some(text)))
                .collect(),
            linked: BTreeMap::new(),
        };
        change.follow_links(repository)?;
        Ok(change)
    }

    /// Adds the paths by which symbolic links of the work tree lead to changed files: cargo and tests read the files
    /// by these.
    fn follow_links(&mut self, repository: &Repository) -> Result<()> {
        let mut links = Vec::new();
        for link in &repository.listing()?.links {
            let link = repository.root.join(link);
            if let Some(target) = target_of(&link, repository) {
                links.push((link, target));
            }
        }
        // A link may lead to a folder that holds links.
        let mut from = 0;
        for _ in 0..LINK_DEPTH {
            let known = self.files.len();
            for at in from..known {
                let FileChange { path, kind } = self.files[at].clone();
                for (link, target) in &links {
                    let Ok(rest) = path.strip_prefix(target) else {
                        continue;
                    };
                    let alias = if rest == "" {
                        link.clone()
                    } else {
                        link.join(rest)
                    };
                    let own = self.linked.get(&path).unwrap_or(&path).clone();
                    if alias != own && self.linked.insert(alias.clone(), own).is_none() {
                        self.files.push(FileChange { path: alias, kind });
                    }
                }
            }
            from = known;
        }
        self.files.sort();
        self.files
            .dedup_by(|later, earlier| later.path == earlier.path);
        Ok(())
    }

    /// A snapshot → work tree, like [`Self::since`].
    ///
    /// # Errors
    /// When git no longer has the snapshot's commit, or fails.
    pub fn since_snapshot(repository: &Repository, snapshot: &Snapshot) -> Result<Self> {
        let mut change = Self::since(repository, &snapshot.commit)?;
        let differed = |file: &FileChange| {
            let path = file.path.strip_prefix(&repository.root);
            path.is_ok_and(|path| snapshot.files.contains_key(path.as_str()))
        };
        change.files.retain(|file| !differed(file));
        for (file, held) in snapshot.moved(repository)? {
            change.held.insert(file.path.clone(), held);
            change.files.push(file);
        }
        let linked = std::mem::take(&mut change.linked);
        change.files.retain(|file| !linked.contains_key(&file.path));
        change.follow_links(repository)?;
        Ok(change)
    }

    /// These files against what they held at some other time, which `state` names; what is not held then was not there,
    /// or is nobody's to read.
    #[must_use]
    pub fn from_held(
        state: String,
        mut files: Vec<FileChange>,
        held: BTreeMap<Utf8PathBuf, Vec<u8>>,
    ) -> Self {
        files.sort();
        Self {
            base: Some(state),
            files,
            repository: None,
            read: Arc::default(),
            held: held
                .into_iter()
                .map(|(path, text)| (path, Some(text)))
                .collect(),
            linked: BTreeMap::new(),
        }
    }

    /// The same with the paths by which symbolic links of the work tree lead to its files.
    ///
    /// # Errors
    /// When git cannot list the work tree.
    pub fn with_links(mut self, repository: &Repository) -> Result<Self> {
        self.follow_links(repository)?;
        Ok(self)
    }

    /// These files, each as a whole: `paths` as [`Workspace::locate`] gives them.
    #[must_use]
    pub fn of_files(paths: BTreeSet<Utf8PathBuf>) -> Self {
        let files = paths.into_iter().map(|path| FileChange {
            kind: if path.exists() {
                ChangeKind::Modified
            } else {
                ChangeKind::Added
            },
            path,
        });
        Self {
            base: None,
            files: files.collect(),
            repository: None,
            read: Arc::default(),
            held: BTreeMap::new(),
            linked: BTreeMap::new(),
        }
    }

    /// The path of a changed file itself, where `path` leads to it through a symbolic link.
    fn own_path<'p>(&'p self, path: &'p Utf8Path) -> &'p Utf8Path {
        self.linked.get(path).map_or(path, Utf8PathBuf::as_path)
    }

    /// The change of the file at an absolute path, if it is among the changed.
    #[must_use]
    pub fn file(&self, path: &Utf8Path) -> Option<&FileChange> {
        let found = self
            .files
            .binary_search_by(|file| file.path.as_path().cmp(path));
        found.ok().map(|index| &self.files[index])
    }

    /// The content of a changed file at the base; `None` where it was not there, or the change has no base.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn before(&self, file: &FileChange) -> Result<Option<Vec<u8>>> {
        let own = self.own_path(&file.path);
        if let Some(held) = self.held.get(own) {
            return Ok(held.clone());
        }
        let (Some(repository), Some(base)) = (&self.repository, &self.base) else {
            return Ok(None);
        };
        let Ok(path) = own.strip_prefix(&repository.root) else {
            return Ok(None);
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(path) {
            return Ok(content.clone());
        }
        let content = repository.show(base, path)?;
        read.insert(path.to_owned(), content.clone());
        Ok(content)
    }

    /// Whether `path`, absolute, was in the base commit; `None` where that cannot be told, as of files that git ignores.
    #[must_use]
    pub fn was_there(&self, path: &Utf8Path) -> Option<bool> {
        let repository = self.repository.as_ref()?;
        let at = self
            .files
            .binary_search_by(|file| file.path.as_path().cmp(path));
        if let Ok(at) = at {
            return Some(self.files[at].kind != ChangeKind::Added);
        }
        let relative = path.strip_prefix(&repository.root).ok()?;
        let tracked = repository.listing().ok()?.files.contains_key(relative);
        // What is on the disk and not listed is ignored, and no commit tells whether it was there.
        (tracked || !path.exists()).then_some(tracked)
    }

    /// The texts of changed files at the base, in their order, asked of git at once; none where a file was not there, is
    /// no text, or the change has no base.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn texts_before(&self, files: &[&FileChange]) -> Result<Vec<Option<String>>> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let held = |file: &FileChange| {
            let own = self.own_path(&file.path);
            self.held.get(own).cloned().flatten()
        };
        let (Some(repository), Some(base)) = (&self.repository, &self.base) else {
            return Ok(files.iter().map(|file| held(file).map(text)).collect());
        };
        let paths: Vec<Option<&Utf8Path>> = files
            .iter()
            .map(|file| {
                let own = self.own_path(&file.path);
                if file.kind == ChangeKind::Added || self.held.contains_key(own) {
                    return None;
                }
                own.strip_prefix(&repository.root).ok()
            })
            .collect();
        let asked: Vec<&Utf8Path> = paths.iter().flatten().copied().collect();
        let mut contents = repository.contents(base, &asked)?.into_iter();
        let texts = paths.iter().zip(files).map(|(path, file)| {
            let content = match path {
                Some(_) => contents.next().flatten(),
                None => held(file),
            };
            content.map(text)
        });
        Ok(texts.collect())
    }
}

/// The repository of a workspace, without cached answers.
///
/// # Errors
/// Why there is no repository: no git, or no work tree.
pub fn repository_of(workspace: &Workspace) -> Result<Repository> {
    let repository = Repository::open(&workspace.root)?;
    with_paths_of(workspace, repository)
}

/// `repository`, if it is the one that the workspace's root lies in.
#[must_use]
pub fn fitted(repository: Repository, workspace: &Workspace) -> Option<Repository> {
    let real = files::resolved(&workspace.root).ok()?;
    let top = real.ancestors().find(|folder| folder.join(".git").exists());
    if top == Some(&*repository.root) {
        with_paths_of(workspace, repository).ok()
    } else {
        None
    }
}

/// With paths that match the workspace's: git resolves symbolic links, cargo does not.
fn with_paths_of(workspace: &Workspace, mut repository: Repository) -> Result<Repository> {
    repository.built = workspace.built().map(Utf8Path::to_owned);
    let real = files::resolved(&workspace.root)
        .with_context(|| format!("failed to resolve {}", workspace.root))?;
    if let Ok(below) = real.strip_prefix(&repository.root) {
        let depth = below.components().count();
        if let Some(root) = workspace.root.ancestors().nth(depth) {
            repository.root = root.to_owned();
        }
    }
    Ok(repository)
}
