//! The outcome of `verify`, the input of machine-readable reports.

use std::time::Duration;

use crate::evidence::{Check, Names, Record, Scope, Selected, Strength};
use crate::exit::Exit;
use crate::finding::Finding;
use crate::verify;

/// A run.
pub struct Run<'a> {
    /// The scope.
    pub scope: &'a Scope,
    /// The exit code of the program.
    pub exit: Exit,
    /// The number of tests that the change selects, if the run depends on a change.
    pub selection: Option<Selected>,
    /// The number of selected tests that did not run because they passed before.
    pub reused: usize,
    /// The tests that were not selected, if they ran as well.
    pub shadow: Option<&'a Shadow>,
    /// The outcomes of mutants, if they ran.
    pub strength: Option<&'a Strength>,
    /// One record for each PoC, or a single one; empty if nothing had to run. All have the same checks.
    pub records: &'a [RecordedRun],
    /// The commands in the order in which they ran.
    pub checks: &'a [Check],
    /// The run itself; `None` if shards ran elsewhere.
    pub ran: Option<&'a verify::Report>,
    /// The findings on the run.
    pub findings: Vec<Finding>,
}

/// The result of `verify --shadow`.
pub struct Shadow {
    /// The number of tests that failed, selected or not.
    pub failing: usize,
    /// The failed tests that were not selected.
    pub escapes: Names,
    /// The duration of the selected tests, with their build.
    pub selected: Duration,
    /// The duration of all other tests, with their build.
    pub others: Duration,
}

/// A record of a run, and its document.
pub struct RecordedRun {
    /// The record for one PoC, or for none.
    pub record: Record,
    /// Whether a baseline was available for comparison.
    pub measured: bool,
    /// The results document with the record, relative to the workspace root.
    pub results: Option<String>,
}

impl RecordedRun {
    /// A record without baseline and document.
    #[must_use]
    pub fn of(record: Record) -> Self {
        Self {
            record,
            measured: false,
            results: None,
        }
    }
}
