//! Hashes of the inputs of a run. Evidence is fresh while they are unchanged.
//!
//! Input: the tested packages. Output: [`Inputs`], a short hash for each package they link, for the files that belong to no
//! package, for the toolchain and for the environment. Files that no test reads are excluded by the same rules as in
//! `affected`: files that git ignores, plans and results, and files that the configuration excludes.

pub(crate) mod build;
mod environment;
mod hasher;
mod inputs;
mod outside;
pub mod passed;
mod reach;
mod script;
pub mod since;

pub use hasher::Hasher;
pub use inputs::{
    IGNORED_LOCKFILE, Inputs, TOOLCHAIN, WORKSPACE, changed, changed_of, changed_while_it_ran,
    configuration, environment, keep_lockfile, mark_changed,
};
pub use script::packages_of_script;
