//! What is asked of git while cargo reads the workspace.

use std::sync::{Arc, OnceLock};

use camino::Utf8PathBuf;

use crate::sys::git::Repository;

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

/// The repository around the folder that cargo starts from, opened in another thread; `None` without one.
pub(super) type Prefetch = Arc<OnceLock<Option<Repository>>>;

/// Asks git in another thread, beside cargo: both walk the whole workspace, and neither needs the other's answer.
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
        // Whoever needs what fails here asks again, and gets the error.
        std::thread::scope(|scope| {
            scope.spawn(|| repository.listing().is_ok());
            if ask == Ask::Base {
                scope.spawn(|| repository.branch_point().is_ok());
            }
        });
    });
    prefetch
}
