//! git queries that run while cargo reads the workspace.

use std::sync::{Arc, OnceLock};

use camino::Utf8PathBuf;

use crate::sys::git::Repository;

/// The git queries of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// None.
    Nothing,
    /// The repository's files.
    Files,
    /// Also the merge base with the default branch.
    Base,
}

/// The repository around the folder that cargo starts from, opened in another thread; `None` without one.
pub(super) type Prefetch = Arc<OnceLock<Option<Repository>>>;

/// Runs git in another thread, in parallel with cargo: both read the whole workspace, independently of each other.
pub(super) fn prefetch_git(folder: Utf8PathBuf, ask: Ask) -> Prefetch {
    let prefetch = Prefetch::default();
    if ask == Ask::Nothing {
        return prefetch;
    }
    let answer = Arc::clone(&prefetch);
    std::thread::spawn(move || {
        let Some(repository) = answer.get_or_init(|| Repository::open(&folder).ok()) else {
            return;
        };
        // On an error, the query is repeated on demand and reports it.
        std::thread::scope(|scope| {
            scope.spawn(|| repository.listing().is_ok());
            if ask == Ask::Base {
                scope.spawn(|| repository.branch_point().is_ok());
            }
        });
    });
    prefetch
}
