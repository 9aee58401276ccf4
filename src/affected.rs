//! Which tests a change can affect.
//!
//! In: the workspace and the change. Out: [`Selection`], the tests whose outcome the change can alter, each with the
//! reason that led to it. Where no rule decides, the selection widens and the reason says so.

pub mod arguments;
mod conflicts;
pub mod coverage;
mod dependencies;
pub mod failed;
pub mod file_effect;
pub mod items;
mod lockfile;
mod manifests;
mod outside;
mod quiet_files;
mod rules;
pub mod selection;
mod selector;
mod targets;
mod toml;
pub mod unrun;

pub use selection::{Reason, Selection, Step, TargetSelection, TestSelector};
pub(crate) use selector::buildable_groups_in;
pub use selector::{select, select_in, select_with_failed, unrun_in};
pub(crate) use targets::every_target;
pub use targets::{TestTarget, TestTargetKind, all_targets};
pub(crate) use unrun::tests_of_build;
