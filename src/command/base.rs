//! The base commit of a PoC.

use anyhow::Result;

use crate::project::Poc;
use crate::sys::git::Repository;

/// A base, and the reason if it differs from the one in the plan.
pub(super) struct PocBase {
    pub(super) commit: String,
    pub(super) note: Option<String>,
}

/// The base of a PoC: the commit in its plan or, if its branch was rebased onto the default branch or has merged it, the
/// current merge base. `None` if the plan has no base.
///
/// # Errors
/// When the plan's base is not a commit, or git cannot be run.
pub(super) fn of_poc(repository: &Repository, poc: &Poc) -> Result<Option<PocBase>> {
    let Some(recorded) = &poc.plan.base else {
        return Ok(None);
    };
    let (commit, moved) = repository.current_base(recorded, &poc.paths.plan)?;
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    let note = moved.then(|| {
        format!(
            "the base of {} is now {}, where its branch leaves the default branch; the plan records {}, from before \
             a rebase or merge",
            poc.paths.name,
            short(&commit),
            short(recorded)
        )
    });
    Ok(Some(PocBase { commit, note }))
}
