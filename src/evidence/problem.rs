//! Problems of records in a region.

/// A part of the evidence that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceProblem {
    /// Its kind.
    pub kind: ProblemKind,
    /// Its line, from 1.
    pub line: usize,
    /// The problem and its remedy, for people.
    pub message: String,
}

/// The kind of a problem in the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The checksum does not match: the record was edited.
    Edited,
    /// The line is truncated, wrapped, or not a record.
    Damaged,
    /// An unknown version of this program wrote it.
    UnknownVersion,
    /// The record before this one is missing.
    Gap,
    /// A begin or end marker of the region without the other.
    Unpaired,
    /// A row of the table differs from the records, or a record has no row.
    Row,
}
