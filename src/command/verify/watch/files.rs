//! A snapshot of the files of a workspace.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use crate::change::{self, Change};
use crate::project::Project;
use crate::sys::files;
use crate::sys::git::{ChangeKind, FileChange, Repository};

/// Files that tests can depend on: all that git does not ignore, except plans and results.
#[derive(Debug, Clone, Default)]
pub(super) struct Files(BTreeMap<Utf8PathBuf, FileState>);

/// The state of a file.
#[derive(Debug, Clone)]
struct FileState {
    hash: blake3::Hash,
    /// The content of sources and manifests, which are compared by content.
    content: Option<Vec<u8>>,
}

impl Files {
    /// The current state of the files that existed when `project` was loaded.
    ///
    /// # Errors
    /// When they cannot be listed or read.
    pub(super) fn of(project: &Project) -> Result<Self> {
        Self::listed(project, project.repository())
    }

    /// The current state of all files.
    ///
    /// # Errors
    /// As for [`Self::of`].
    pub(super) fn current(project: &Project) -> Result<Self> {
        Self::listed(project, change::repository_of(&project.workspace))
    }

    fn listed(project: &Project, repository: Result<Repository>) -> Result<Self> {
        let workspace = &project.workspace;
        let listed: Vec<Utf8PathBuf> = match repository {
            Ok(repository) => {
                let listing = repository.listing()?;
                let paths = listing.files.keys();
                paths.map(|path| repository.root.join(path)).collect()
            }
            Err(_) => files::walk(&workspace.root)?,
        };
        let ours = |path: &Utf8PathBuf| {
            !workspace.is_built(path) && !project.config.is_document(workspace.relative(path))
        };
        let held = listed
            .into_par_iter()
            .filter(ours)
            .filter(|path| path.is_file())
            .filter_map(|path| match files::read_if_exists(&path) {
                Ok(content) => content.map(|content| Ok((path, FileState::of(content)))),
                Err(error) => Some(Err(error)),
            })
            .map(|read| {
                let (path, held): (Utf8PathBuf, FileState) = read?;
                let compared = matches!(path.extension(), Some("rs" | "toml" | "lock"));
                let content = held.content.filter(|_| compared);
                Ok((path, FileState { content, ..held }))
            });
        Ok(Self(held.collect::<Result<_>>()?))
    }

    /// Whether it contains no file.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        self.0.contains_key(path)
    }

    /// Copies the state of one file from `others`.
    pub(super) fn take(&mut self, path: &Utf8Path, others: &Self) {
        match others.0.get(path) {
            Some(held) => self.0.insert(path.to_owned(), held.clone()),
            None => self.0.remove(path),
        };
    }

    /// Files whose state differs from `before`, sorted.
    pub(super) fn difference(&self, before: &Self) -> Vec<Utf8PathBuf> {
        let hash = |files: &Self, path: &Utf8PathBuf| files.0.get(path).map(|held| held.hash);
        let mut paths: Vec<&Utf8PathBuf> = self.0.keys().chain(before.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let differ = paths
            .into_iter()
            .filter(|path| hash(self, path) != hash(before, path));
        differ.cloned().collect()
    }

    /// The change from `before` to these files.
    pub(super) fn since(&self, before: &Self) -> Change {
        let paths = self.difference(before);
        let changes = paths.iter().map(|path| FileChange {
            path: path.clone(),
            kind: match (before.0.contains_key(path), self.0.contains_key(path)) {
                (false, _) => ChangeKind::Added,
                (_, false) => ChangeKind::Deleted,
                _ => ChangeKind::Modified,
            },
        });
        let held = paths.iter().filter_map(|path| {
            let content = before.0.get(path)?.content.clone()?;
            Some((path.clone(), content))
        });
        Change::from_earlier_content(
            "the last run that passed".to_owned(),
            changes.collect(),
            held.collect(),
        )
    }
}

impl FileState {
    fn of(content: Vec<u8>) -> Self {
        Self {
            hash: blake3::hash(&content),
            content: Some(content),
        }
    }
}
