//! Output for people and programs.
//!
//! In: what a command has computed, [`PocStatus`] for a PoC. Nothing is computed here.

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
