//! What a run prints, for people and for programs.
//!
//! In: what a command has computed, [`PocStatus`] for a PoC. Nothing is computed here.

pub mod coverage;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod page;
pub mod run;
pub mod sarif;

use crate::finding::Finding;
use crate::next::Next;
use crate::status::Assessment;

/// One PoC as reports show it.
#[derive(Debug)]
pub struct PocStatus {
    /// The states of its parts.
    pub assessment: Assessment,
    /// The findings on it, by file and line.
    pub findings: Vec<Finding>,
    /// The next action; `None` when nothing is left to do.
    pub next: Option<Next>,
}
