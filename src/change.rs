//! The files of the workspace that differ from a base.

pub mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::change::snapshot::Snapshot;
use crate::sys::files;
use crate::sys::git::{ChangeKind, FileChange, Repository};
use crate::workspace::Workspace;

/// The difference between a base commit and the work tree, or a given list of files.
#[derive(Debug, Clone)]
pub struct Change {
    /// The full id of the base commit; `None` if the files were given.
    pub base: Option<String>,
    /// Changed files, absolute, sorted.
    pub files: Vec<FileChange>,
    repository: Option<Repository>,
    /// A cache of [`Self::before`], because several plans need the same files.
    read: Arc<Mutex<BTreeMap<Utf8PathBuf, Content>>>,
    /// The earlier content of files by absolute path, if it differs from the base.
    held: BTreeMap<Utf8PathBuf, Content>,
    /// Paths to changed files through a symbolic link, with the file's real path.
    linked: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    /// Whether HEAD is another commit than before, so that git prints something else.
    pub(crate) head_moved: bool,
}

/// The maximum number of symbolic links to follow in a row, because links may form cycles.
const LINK_DEPTH: usize = 3;

/// The target of a symbolic link, relative to the workspace's spelling of the root.
fn target_of(link: &Utf8Path, repository: &Repository) -> Option<Utf8PathBuf> {
    if let (Ok(target), Ok(root)) = (files::resolved(link), files::resolved(&repository.root)) {
        return Some(repository.root.join(target.strip_prefix(root).ok()?));
    }
    // A dangling link may have had a target before.
    let written = Utf8PathBuf::try_from(std::fs::read_link(link).ok()?).ok()?;
    Some(files::normalize(&link.parent()?.join(written)))
}

/// The content of a file at the base; `None` if it did not exist.
type Content = Option<Vec<u8>>;

impl Change {
    /// Base commit → work tree: committed since, staged, unstaged, untracked but not ignored. Build outputs are excluded, even if git
    /// does not ignore them.
    ///
    /// # Errors
    /// When `base` is not a commit, or git fails.
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
            head_moved: false,
        };
        change.follow_links(repository)?;
        Ok(change)
    }

    /// Adds the paths through symbolic links to changed files, because cargo and tests read the files by these paths.
    fn follow_links(&mut self, repository: &Repository) -> Result<()> {
        let mut links = Vec::new();
        for link in &repository.listing()?.links {
            let link = repository.root.join(link);
            if let Some(target) = target_of(&link, repository) {
                links.push((link, target));
            }
        }
        // A link may lead to a folder that contains links.
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

    /// These files compared with their earlier content in a state called `state`. Files without earlier content did not exist then, or
    /// cannot be read.
    #[must_use]
    pub fn from_earlier_content(
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
            head_moved: false,
        }
    }

    /// A change without edits: HEAD is another commit, or the permissions of these files, absolute, differ.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn without_edits(
        repository: &Repository,
        head_moved: bool,
        paths: Vec<Utf8PathBuf>,
    ) -> Result<Self> {
        let mut held = BTreeMap::new();
        let mut files = Vec::new();
        for path in paths {
            // A file that was added or deleted is an edit.
            if let Some(content) = files::read_if_exists(&path)? {
                held.insert(path.clone(), content);
                let kind = ChangeKind::Modified;
                files.push(FileChange { path, kind });
            }
        }
        let state = "without edits".to_owned();
        let change = Self {
            head_moved,
            ..Self::from_earlier_content(state, files, held)
        };
        change.with_links(repository)
    }

    /// Adds the paths through symbolic links of the work tree to its files.
    ///
    /// # Errors
    /// When git cannot list the work tree.
    pub fn with_links(mut self, repository: &Repository) -> Result<Self> {
        self.follow_links(repository)?;
        Ok(self)
    }

    /// These files, each as a whole: `paths` from [`Workspace::locate`].
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
            head_moved: false,
        }
    }

    /// The files of the workspace other than Rust sources and build outputs, absolute.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn data_files(&self, workspace: &Workspace) -> Result<Vec<Utf8PathBuf>> {
        let opened = match &self.repository {
            Some(repository) => Some(repository.clone()),
            None => repository_of(workspace).ok(),
        };
        let mut paths: Vec<Utf8PathBuf> = match &opened {
            Some(repository) => {
                let listed = repository.listing()?.files.keys();
                listed.map(|path| repository.root.join(path)).collect()
            }
            None => files::walk(&workspace.root)?,
        };
        paths.retain(|path| {
            let is_inside = path.starts_with(&workspace.root) && !workspace.is_built(path);
            is_inside && !matches!(path.extension(), Some("rs" | "lock"))
        });
        Ok(paths)
    }

    /// The real path of a changed file, if `path` leads to it through a symbolic link.
    fn own_path<'p>(&'p self, path: &'p Utf8Path) -> &'p Utf8Path {
        self.linked.get(path).map_or(path, Utf8PathBuf::as_path)
    }

    /// The change of the file at an absolute path, if it has changed.
    #[must_use]
    pub fn file(&self, path: &Utf8Path) -> Option<&FileChange> {
        let found = self
            .files
            .binary_search_by(|file| file.path.as_path().cmp(path));
        found.ok().map(|index| &self.files[index])
    }

    /// The content of a changed file at the base; `None` if it did not exist, or the change has no base.
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

    /// Whether the absolute path `path` existed in the base commit; `None` if unknown, as for files that git ignores.
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
        // An existing file that is not listed is ignored, so no commit contains it.
        (tracked || !path.exists()).then_some(tracked)
    }

    /// The texts of changed files at the base, in the same order, from one call of git; `None` for files that did not exist or are not
    /// text, and for a change without base.
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

/// Whether a base names another commit after each commit, and so hides committed changes.
#[must_use]
pub fn base_moves(base: &str) -> bool {
    base.starts_with("HEAD") || base.starts_with('@')
}

/// The repository of a workspace, without cached answers.
///
/// # Errors
/// When there is no git or no work tree.
pub fn repository_of(workspace: &Workspace) -> Result<Repository> {
    let repository = Repository::open(&workspace.root)?;
    with_paths_of(workspace, repository)
}

/// Returns `repository` if it contains the workspace's root.
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

/// Adapts paths to those of the workspace: git resolves symbolic links, cargo does not.
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
