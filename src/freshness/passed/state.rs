//! The files of a work tree at the time of a run, for a later comparison.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::change::snapshot::Snapshot;
use crate::sys::files::{self, USUAL_PERMISSIONS};
use crate::sys::git::Repository;
use crate::sys::stamps::{self, Stamp};
use crate::workspace::Workspace;

/// The maximum number of files to compare that git ignores.
const MOST_IGNORED: usize = 20_000;

/// The files that git ignores, outside of build folders, with their size and the time of their last change.
pub(super) type Ignored = BTreeMap<String, Stamp>;

/// The files of a work tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeState {
    pub(super) snapshot: Snapshot,
    pub(super) ignored: Ignored,
    /// The permissions of tracked files whose owner may do anything other than read and write them: git only has one of them.
    permissions: BTreeMap<String, u32>,
}

impl TreeState {
    /// The current state; the reason if it cannot be compared later.
    ///
    /// # Errors
    /// When git fails or a file cannot be read.
    pub fn of(workspace: &Workspace, repository: &Repository) -> Result<Result<Self, String>> {
        if repository.listing()?.submodules {
            return Ok(Err("the files of submodules are not compared".to_owned()));
        }
        let ignored = match ignored(workspace, repository)? {
            Ok(ignored) => ignored,
            Err(why) => return Ok(Err(why)),
        };
        let permissions = permissions(repository)?;
        let snapshot = Snapshot::of(repository)?;
        let state = snapshot.map(|snapshot| Self {
            snapshot,
            ignored,
            permissions,
        });
        Ok(state.ok_or_else(|| "there is no commit yet".to_owned()))
    }

    /// The files that git ignores and that differ between two states, absolute.
    pub(super) fn changed_ignored(&self, now: &Self, root: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
        let paths = self.ignored.keys().chain(now.ignored.keys());
        let changed = paths.filter(|path| self.ignored.get(*path) != now.ignored.get(*path));
        changed.map(|path| root.join(path)).collect()
    }

    /// The files whose permissions differ between two states, absolute.
    pub(super) fn changed_permissions(&self, now: &Self, root: &Utf8Path) -> Vec<Utf8PathBuf> {
        let paths: BTreeSet<&String> = self
            .permissions
            .keys()
            .chain(now.permissions.keys())
            .collect();
        let paths = paths.into_iter();
        let changed =
            paths.filter(|path| self.permissions.get(*path) != now.permissions.get(*path));
        changed.map(|path| root.join(path)).collect()
    }
}

/// The unusual permissions of the files that git does not ignore.
fn permissions(repository: &Repository) -> Result<BTreeMap<String, u32>> {
    let files = repository.listing()?.files.keys();
    let all = files.map(|path| {
        let permissions = files::permissions(&repository.root.join(path));
        (path.to_string(), permissions)
    });
    let unusual = all.filter(|(_, permissions)| *permissions != USUAL_PERMISSIONS);
    Ok(unusual.collect())
}

/// The state of the files that git ignores; the reason if it cannot be compared.
fn ignored(workspace: &Workspace, repository: &Repository) -> Result<Result<Ignored, String>> {
    let is_source = |path: &Utf8Path| {
        let is_built = workspace.is_built(path) || path.join("CACHEDIR.TAG").is_file();
        !is_built && path.file_name() != Some(".git")
    };
    let mut found = Ignored::new();
    for path in repository.ignored()? {
        let most = MOST_IGNORED.saturating_sub(found.len());
        let stamps = match stamps::of(&repository.root.join(path), most, &is_source) {
            Ok(Some(stamps)) => stamps,
            Ok(None) => {
                return Ok(Err(format!(
                    "git ignores more than {MOST_IGNORED} files outside of the target folder"
                )));
            }
            Err(error) => return Ok(Err(format!("{error:#}"))),
        };
        found.extend(stamps.into_iter().map(|(path, stamp)| {
            let path = path.strip_prefix(&repository.root).unwrap_or(&path);
            (path.to_string(), stamp)
        }));
    }
    Ok(Ok(found))
}
