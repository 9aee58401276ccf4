//! The status of one PoC, the input of reports.

use crate::finding::Finding;
use crate::next::Next;
use crate::status::Assessment;

/// One PoC.
#[derive(Debug)]
pub struct PocStatus {
    /// The states of its parts.
    pub assessment: Assessment,
    /// The findings on it, by file and line.
    pub findings: Vec<Finding>,
    /// The next action; `None` when nothing is left to do.
    pub next: Option<Next>,
}
