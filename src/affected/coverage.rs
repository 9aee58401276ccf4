//! Coverage: the functions that each test executed in one run of the suite, and the selections that follow.
//!
//! [`collect`] runs the suite once, instrumented, under nextest, which starts a process per test. [`run`] stands in front
//! of each and keeps what ran ([`profile`], [`recorded`]); the coverage maps of all executables ([`coverage_map`]) then tell
//! where those functions stand, [`source_map`] in which items, and the [`store`] keeps them per test. [`audit`] holds the item
//! graph against it: a test that ran an item must be selected when the item changes. [`narrow`] leaves out of a selection what ran none of the
//! functions whose [`body_changes`] changed.
//!
//! ```text
//! suite ─run→ profiles ─seen→ functions per test ┐
//! executables ─coverage_map→ function → place ───┴─places→ items per test ─store→ audit, narrow
//! ```

pub mod audit;
pub mod body_changes;
pub mod collect;
pub mod coverage_map;
pub mod environment;
mod functions;
pub mod narrow;
pub mod profile;
pub mod recorded;
pub mod run;
pub mod source_map;
pub mod state;
pub mod store;
mod unproven;
