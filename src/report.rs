//! Output for people and programs.
//!
//! Input: the results of a command, such as [`PocStatus`] for a PoC. Reports compute no states.

pub mod coverage;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod page;
mod poc_status;
pub mod run;
pub mod sarif;

pub use self::poc_status::PocStatus;
