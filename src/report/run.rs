//! What a run of `verify` came to, as its reports for programs have it.

use crate::evidence::{Check, Record, Scope, Selected};
use crate::exit::Exit;
use crate::finding::Finding;
use crate::verify;

/// A run.
pub struct Run<'a> {
    /// What was verified.
    pub scope: &'a Scope,
    /// How the program will end.
    pub exit: Exit,
    /// How many tests the change selects, where the run follows from one.
    pub selection: Option<Selected>,
    /// One record for each PoC, or the only one; none where nothing was to be run. They tell of the same checks.
    pub records: &'a [RecordedRun],
    /// What was run, in order.
    pub checks: &'a [Check],
    /// The run itself; none of shards that ran elsewhere.
    pub ran: Option<&'a verify::Report>,
    /// What it shows to be wrong.
    pub findings: Vec<Finding>,
}

/// A record of a run, and what became of it.
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
