//! Changed files that tests read at run time, from the files that the tests and the build touched when coverage was collected.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::store::{Store, Test};
use crate::change::Change;
use crate::sys::files;
use crate::sys::git::{ChangeKind, FileChange, Repository};
use crate::workspace::Workspace;

/// A changed file.
#[derive(Debug)]
struct ChangedFile {
    /// Relative to the repository's root.
    path: String,
    /// The folders with another list of entries, as in a trace.
    folders: Vec<String>,
}

impl ChangedFile {
    /// `None` for a file outside of the repository.
    fn of(file: &FileChange, repository: &Repository, store: &Store) -> Option<Self> {
        let path = file.path.strip_prefix(&repository.root).ok()?;
        let mut folders = Vec::new();
        if file.kind != ChangeKind::Modified {
            for folder in path.ancestors().skip(1) {
                let name = files::slashed(folder) + "/";
                let mut known = store.state.files.range(name.clone()..);
                let was_there = known
                    .next()
                    .is_some_and(|(path, _)| path.starts_with(&name));
                folders.push(name);
                // A new folder changes the list of the folder around it.
                if was_there && repository.root.join(folder).is_dir() {
                    break;
                }
            }
        }
        Some(Self {
            path: files::slashed(path),
            folders,
        })
    }

    /// Whether a process that touched these paths may depend on the file. One that reads git's own files depends on every file.
    fn affects(&self, touched: &BTreeSet<&str>) -> bool {
        let mut below_git = touched.range(".git/"..);
        let mut folders = self.folders.iter();
        touched.contains(self.path.as_str())
            || folders.any(|folder| touched.contains(folder.as_str()))
            || below_git
                .next()
                .is_some_and(|path| path.starts_with(".git/"))
    }
}

/// The changed files that each test of the store touched: the first one, relative to the workspace, and a description.
pub(super) fn touching(
    workspace: &Workspace,
    repository: &Repository,
    store: &Store,
    change: &Change,
) -> BTreeMap<usize, (String, String)> {
    let files = change.files.iter().filter_map(|file| {
        let changed = ChangedFile::of(file, repository, store)?;
        Some((changed, workspace.slashed(&file.path)))
    });
    let files: Vec<_> = files.collect();
    let mut found = BTreeMap::new();
    for (index, test) in store.tests.iter().enumerate() {
        let Some(touched) = &test.touched else {
            continue;
        };
        let touched = store.paths_of(touched);
        let mut files = files.iter();
        if let Some((_, file)) = files.find(|(changed, _)| changed.affects(&touched)) {
            let what = format!("it opened or looked up `{file}`");
            found.insert(index, (file.clone(), what));
        }
    }
    found
}

/// Changed files whose readers at run time are known, because coverage was collected with the files of the build.
#[derive(Debug, Default)]
pub(super) struct DataFiles {
    files: Vec<ChangedFile>,
    /// Whether every changed Rust source is among them.
    pub(super) has_all_sources: bool,
}

impl DataFiles {
    /// Finds these files, and takes those out of the change that the build did not touch: they affect only tests that touch them. Rust
    /// sources stay, because they are code as well.
    pub(super) fn take_from(change: &mut Change, repository: &Repository, store: &Store) -> Self {
        let mut data = Self::default();
        let Some(build) = &store.build else {
            return data;
        };
        data.has_all_sources = true;
        let build = store.paths_of(build);
        change.files.retain(|file| {
            let is_source = file.path.extension() == Some("rs");
            let Some(changed) = ChangedFile::of(file, repository, store) else {
                data.has_all_sources &= !is_source;
                return true;
            };
            let is_only_data = !is_of_cargo(&file.path) && !changed.affects(&build);
            if is_source || is_only_data {
                data.files.push(changed);
            }
            !is_only_data
        });
        data
    }

    /// The tests that may depend on one of these files.
    pub(super) fn readers(&self, store: &Store) -> Vec<usize> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let reads = |test: &Test| {
            test.touched.as_ref().is_none_or(|touched| {
                let touched = store.paths_of(touched);
                self.files.iter().any(|file| file.affects(&touched))
            })
        };
        let tests = store.tests.iter().enumerate();
        let tests = tests.filter(|(_, test)| reads(test));
        tests.map(|(index, _)| index).collect()
    }
}

/// Whether a file is code, or changes a build that has not touched it.
fn is_of_cargo(path: &Utf8Path) -> bool {
    let names = [
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain",
        "rust-toolchain.toml",
        ".gitmodules",
    ];
    path.extension() == Some("rs")
        || names.contains(&path.file_name().unwrap_or_default())
        || path.components().any(|part| part.as_str() == ".cargo")
        || path.is_dir()
}
