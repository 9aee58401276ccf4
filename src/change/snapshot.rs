//! The state of the work tree at a recorded run, to find later what has changed since.
//!
//! Without uncommitted changes the commit is enough. Otherwise the differences from it are stored in the target folder under the
//! record of the run. Evidence from another machine has no stored differences; then the commit that introduced the record is used,
//! if it contains every input of the run unchanged.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::evidence::Record;
use crate::sys::cache::{self, Cache, Key};
use crate::sys::cargo::LOCKFILE;
use crate::sys::cargo::own_folder;
use crate::sys::files;
use crate::sys::git::{ChangeKind, FileChange, Repository, can_be_hashed};

/// A commit and the differences from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Snapshot {
    /// The commit at HEAD.
    pub commit: String,
    /// The differing files, by path relative to the repository's root.
    pub files: BTreeMap<String, StoredFile>,
}

/// The state of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StoredFile {
    /// Missing.
    Gone,
    /// A regular file.
    Held {
        /// git's id of its content.
        id: String,
        /// The content of sources and manifests.
        text: Option<Vec<u8>>,
        /// Whether it may be executed.
        is_executable: bool,
    },
    /// A link, a submodule or a folder, which are not compared.
    Other,
}

impl StoredFile {
    /// Whether the file is the same as `now`. Links, submodules and folders never are.
    fn is_same(&self, now: &Self) -> bool {
        match (self, now) {
            (
                Self::Held {
                    id, is_executable, ..
                },
                Self::Held {
                    id: id_now,
                    is_executable: is_executable_now,
                    ..
                },
            ) => id == id_now && is_executable == is_executable_now,
            _ => false,
        }
    }
}

/// The header of the snapshots file, with the version of the format.
const FORMAT: &str = "cargo-poc snapshots 2\n";
/// The size limit for older snapshots, as a multiple of the size of a new one.
const TIMES: usize = 64;

impl Snapshot {
    /// The current work tree; `None` before the first commit.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn of(repository: &Repository) -> Result<Option<Self>> {
        let Some(commit) = repository.head()? else {
            return Ok(None);
        };
        let changes = repository.changes_since(&commit)?;
        let paths = changes.iter().map(|change| change.path.as_path());
        let files = then(repository, paths)?;
        Ok(Some(Self { commit, files }))
    }

    /// Removes the files, relative to the repository's root, for which `unread` returns true.
    #[must_use]
    pub fn without(mut self, unread: impl Fn(&Utf8Path) -> bool) -> Self {
        self.files.retain(|path, _| !unread(Utf8Path::new(path)));
        self
    }

    /// Updates the lockfile, if git has it, because cargo changes it before it builds.
    ///
    /// # Errors
    /// When git fails or the lockfile cannot be read.
    pub fn refresh_lockfile(&mut self, repository: &Repository, root: &Utf8Path) -> Result<()> {
        let path = root.join(LOCKFILE);
        let Ok(path) = path.strip_prefix(&repository.root) else {
            return Ok(());
        };
        if !repository.listing()?.files.contains_key(path) {
            return Ok(());
        }
        let now = then(repository, std::iter::once(path))?;
        let committed = repository.content_id(&self.commit, path)?;
        for (path, then) in now {
            match &then {
                StoredFile::Held { id, .. } if Some(id) == committed.as_ref() => {
                    self.files.remove(&path);
                }
                _ => {
                    self.files.insert(path, then);
                }
            }
        }
        Ok(())
    }

    /// The files that differed from the commit and differ now from their state then, with absolute paths and their earlier content.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn moved(&self, repository: &Repository) -> Result<Vec<(FileChange, Option<Vec<u8>>)>> {
        let paths = self.files.keys().map(|path| Utf8Path::new(path.as_str()));
        let now = then(repository, paths)?;
        let mut moved = Vec::new();
        for (path, before) in &self.files {
            let kind = match (before, now.get(path)) {
                (StoredFile::Gone, Some(StoredFile::Gone)) => continue,
                (before, Some(now)) if before.is_same(now) => continue,
                (StoredFile::Gone, _) => ChangeKind::Added,
                (_, Some(StoredFile::Gone)) => ChangeKind::Deleted,
                _ => ChangeKind::Modified,
            };
            let text = match before {
                StoredFile::Held { text, .. } => text.clone(),
                StoredFile::Gone | StoredFile::Other => None,
            };
            let path = repository.root.join(path);
            moved.push((FileChange { path, kind }, text));
        }
        Ok(moved)
    }
}

/// The states of these files, relative to the repository's root.
///
/// # Errors
/// When git fails or a file cannot be read.
fn then<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p Utf8Path>,
) -> Result<BTreeMap<String, StoredFile>> {
    let mut all = BTreeMap::new();
    let mut asked = Vec::new();
    for path in paths {
        let absolute = repository.root.join(path);
        if can_be_hashed(&absolute) {
            asked.push(path);
        } else {
            let gone = absolute.symlink_metadata().is_err();
            let then = if gone {
                StoredFile::Gone
            } else {
                StoredFile::Other
            };
            all.insert(path.to_string(), then);
        }
    }
    for (path, id) in asked.iter().zip(repository.content_ids(&asked)?) {
        let told = matches!(path.extension(), Some("rs" | "toml" | "lock"));
        let text = told.then(|| files::read(&repository.root.join(path)));
        let text = text.transpose()?;
        let is_executable = files::is_executable(&repository.root.join(path));
        let held = StoredFile::Held {
            id,
            text,
            is_executable,
        };
        all.insert(path.to_string(), held);
    }
    Ok(all)
}

/// The stored snapshots, by record.
#[derive(Debug)]
pub struct Snapshots(Cache);

impl Snapshots {
    /// Opens the snapshots of a workspace with this target folder; empty if the file is missing or damaged.
    #[must_use]
    pub fn open(target_directory: &Utf8Path) -> Self {
        let path = own_folder(target_directory).join("snapshots");
        Self(Cache::open(path, FORMAT))
    }

    /// The state of the work tree at the run of this record.
    #[must_use]
    pub fn get(&self, record: &Record) -> Option<Snapshot> {
        self.0.get(&key(record)?)
    }

    /// Stores `snapshot` for each of `records`.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn keep<'r>(
        self,
        records: impl Iterator<Item = &'r Record>,
        snapshot: &Snapshot,
    ) -> Result<()> {
        for key in records.filter_map(key) {
            self.0.put(key, snapshot);
        }
        self.0.save(TIMES)
    }
}

/// The key of a record: all fields except those that are set when it is written into a document.
fn key(record: &Record) -> Option<Key> {
    let mut record = record.shortened();
    record.previous.clear();
    record.contract = None;
    let text = serde_json::to_vec(&record).ok()?;
    Some(cache::key("record", &text))
}
