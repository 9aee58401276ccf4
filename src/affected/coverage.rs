//! Coverage: the functions that each test executed in one run of the suite, and selections that use it.
//!
//! [`collect`] runs the suite once with instrumentation under nextest, which starts a process per test. [`run`] wraps each of them and
//! records the executed functions ([`profile`], [`recorded`]). The coverage maps of all executables ([`coverage_map`]) contain the
//! positions of functions, [`source_map`] maps positions to items, and the [`store`] saves the items of each test. [`audit`] checks the
//! item graph: a test that executed an item must be selected if the item changes. [`narrow`] removes tests from a selection that
//! executed none of the functions whose bodies changed ([`body_changes`]). With strace, a run also records the files that each test and
//! the build touched ([`trace`]).
//!
//! ```text
//! suite ─run→ profiles ─seen→ functions per test ┐
//! executables ─coverage_map→ function → place ───┴─places→ items per test ─store→ audit, narrow
//! ```

pub mod arguments;
pub mod audit;
pub mod body_changes;
mod build_reads;
pub mod collect;
pub mod coverage_map;
pub mod environment;
mod functions;
mod kept_tests;
mod listing;
pub mod narrow;
pub mod profile;
pub mod recorded;
pub mod run;
pub mod source_map;
pub mod state;
pub mod store;
mod touched_files;
pub mod trace;
mod unproven;
