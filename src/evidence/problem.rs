//! Why a part of a region cannot be used.

/// A part of the evidence that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceProblem {
    /// Its kind.
    pub kind: ProblemKind,
    /// Its line, counted from 1.
    pub line: usize,
    /// The problem and its remedy, for people.
    pub message: String,
}

/// The kind of a problem in the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The checksum is not that of the record: it was edited.
    Edited,
    /// The line is cut, wrapped, or no record at all.
    Damaged,
    /// A version of this program that we do not know wrote it.
    UnknownVersion,
    /// The record before this one is missing.
    Gap,
    /// A begin or end marker of the region without the other.
    Unpaired,
    /// A row of the table differs from the records, or a record has no row.
    Row,
}
