//! The outcome of `verify`, as the input of reports for programs.

use crate::evidence::{Check, Record, Scope, Selected};
use crate::exit::Exit;
use crate::finding::Finding;
use crate::verify;

/// A run.
pub struct Run<'a> {
    /// The scope.
    pub scope: &'a Scope,
    /// How the program will end.
    pub exit: Exit,
    /// How many tests the change selects, where the run follows from one.
    pub selection: Option<Selected>,
    /// One record for each PoC, or a single one; none if nothing had to run. All have the same checks.
    pub records: &'a [RecordedRun],
    /// The commands in the order in which they ran.
    pub checks: &'a [Check],
    /// The run itself; none of shards that ran elsewhere.
    pub ran: Option<&'a verify::Report>,
    /// The findings on the run.
    pub findings: Vec<Finding>,
}

/// A record of a run, and where it was written.
pub struct RecordedRun {
    /// What the run showed for one PoC, or for none.
    pub record: Record,
    /// Whether there was a baseline to measure it against.
    pub measured: bool,
    /// The results document it was recorded in, from the workspace root.
    pub results: Option<String>,
}

impl RecordedRun {
    /// A record that was measured against nothing and is written nowhere.
    #[must_use]
    pub fn of(record: Record) -> Self {
        Self {
            record,
            measured: false,
            results: None,
        }
    }
}
