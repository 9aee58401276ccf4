//! Runs invocations and reports outcomes, test counts and regressions.
//!
//! Input: [`Invocation`]s, from a selection of tests ([`runner`]) or from the blocks of a plan. Output: a [`Report`], which
//! [`Report::record`] converts to evidence. Output is shown while it runs; only the caller writes files.

mod accounts;
mod baseline;
pub mod binaries;
mod blocks;
mod compare;
pub mod deal;
pub mod failed_report;
mod harness;
mod hidden;
mod invocation;
pub(crate) mod listing;
mod nextest_arguments;
mod options;
pub mod order;
pub mod partition;
mod progress;
mod quarantine;
pub(crate) mod recording;
pub mod relative;
mod report;
mod run;
pub mod runner;
mod session;
pub mod shard;
pub mod test_filter;
pub mod test_output;

pub use baseline::reject_idle_targets;
pub use blocks::{blocks, commands_hash, planned};
pub use invocation::{Invocation, InvocationResult, Program};
pub use options::Options;
pub use recording::{RecordContext, confirmation_id, exit};
pub use report::Report;
pub use run::{commands_of, run};
pub use runner::{Runner, uses_nextest};
