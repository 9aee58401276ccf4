//! Why a part of a region cannot be used.

/// A part of the evidence that cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceProblem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Its line, counted from 1.
    pub line: usize,
    /// What is wrong and what to do, for people.
    pub message: String,
}

/// What is wrong with a part of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The checksum is not that of the record: it was edited.
    Edited,
    /// The line is cut, wrapped, or no record at all.
    Damaged,
    /// A version of this program that we do not know wrote it.
    UnknownVersion,
    /// The record before this one is gone.
    Gap,
    /// A marker of the region stands without the other.
    Unpaired,
    /// A row of the table says something else than the records, or a record has no row.
    Row,
}
