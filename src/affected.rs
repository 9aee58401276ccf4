//! Selects the tests that a change can affect.
//!
//! Input: the workspace and the change. Output: [`Selection`], the tests whose outcome the change can alter, each with its reason.
//! If no rule applies, the selection widens and the reason states it.

pub mod arguments;
mod compile;
mod conflicts;
pub mod coverage;
mod dependencies;
pub mod doctests;
pub mod failed;
pub mod file_effect;
pub mod items;
mod listed_paths;
mod lockfile;
mod manifests;
pub mod nextest_filters;
pub(crate) mod nextest_list;
mod outside;
mod packages;
mod quiet_files;
mod rules;
pub mod selection;
mod selector;
mod source_tests;
mod targets;
mod toml;
mod touched;
pub mod unrun;

pub(crate) use coverage::body_changes::at_build;
pub(crate) use outside::Outside;
pub use packages::affected_packages;
pub use selection::{Reason, Selection, Step, TargetSelection, TestSelector};
pub(crate) use selector::{
    broken_in, buildable_groups_in, buildable_groups_of, compiles, source_files_in, source_tests_in,
};
pub use selector::{select, select_in, select_to_run, select_with_failed, unrun_in};
pub use source_tests::{SourceTest, source_tests};
pub(crate) use targets::every_target;
pub use targets::{TestTarget, TestTargetKind, all_targets};
pub use touched::TouchedItems;
pub(crate) use unrun::tests_of_build;
