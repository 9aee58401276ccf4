//! The parts of a results document.

use serde::{Deserialize, Serialize};

use super::parts::{
    Block, Field, Footer, HeadingMark, Item, Label, ParseProblem, Placeholder, Region, Row,
    Section, Status, StepId,
};
use super::plan::Count;
use super::text::Span;
use super::time::Timestamp;

/// A parsed results document. Missing parts are empty; duplicate parts are joined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// the first heading of level 1, without markup
    pub title: String,
    /// the rows of the Summary
    pub summary: Vec<Row>,
    /// Summary: Status
    pub status: Option<StatusText>,
    /// Summary: Started
    pub started: Option<Timestamp>,
    /// Summary: Completed
    pub completed: Option<Timestamp>,
    /// Summary: Reviewed
    pub reviewed: Option<Timestamp>,
    /// Summary: Proves
    pub proves: Option<String>,
    /// the text under Goal
    pub goal: String,
    /// the checkboxes under Success Criteria
    pub criteria: Vec<Item>,
    /// the summary line under them
    pub footer: Option<Footer>,
    /// the checkboxes under Prerequisites Completed
    pub prerequisites: Vec<Item>,
    /// the steps of all sections, in document order
    pub steps: Vec<ResultStep>,
    /// the Final Validation
    pub validation: Validation,
    /// every heading with its range, including steps
    pub sections: Vec<Section>,
    /// generated parts, including evidence
    pub regions: Vec<Region>,
    /// placeholders
    pub placeholders: Vec<Placeholder>,
    /// problems, in document order
    pub problems: Vec<ParseProblem>,
}

/// A status that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusText {
    /// its meaning; `None` if it is unknown
    pub status: Option<Status>,
    /// as written, without markup
    pub text: String,
    /// the date in parentheses after it: `Complete (2026-01-16T16:25:00-0800)`
    pub stamp: Option<Timestamp>,
    /// the bytes of the text
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// The results of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultStep {
    /// its id, as in the plan
    pub id: StepId,
    /// the heading without id, mark and markup
    pub title: String,
    /// whether it is struck out
    pub withdrawn: bool,
    /// a status mark in the heading; `status` takes precedence
    pub mark: Option<HeadingMark>,
    /// the `**Status**:` line
    pub status: Option<StatusText>,
    /// the expected outcome
    pub expected: String,
    /// the implementation: text and entries, joined by line
    pub implementation: String,
    /// the results of the tests
    pub test_results: Option<TestResults>,
    /// issues; empty for `None`
    pub issues: Vec<String>,
    /// lessons learned; empty for `None`
    pub lessons: Vec<String>,
    /// the result
    pub result: String,
    /// its checkboxes
    pub tasks: Vec<Item>,
    /// the verdict of its review
    pub review: Option<Review>,
    /// when it was started: `**Started**`, or the date after the status "in progress"
    pub started: Option<Timestamp>,
    /// when it was completed: `**Completed**`, or the date after the status "complete"
    pub completed: Option<Timestamp>,
    /// when it was reviewed: `**Reviewed**`
    pub reviewed: Option<Timestamp>,
    /// its code blocks
    pub blocks: Vec<Block>,
    /// all its labelled parts, in order
    pub fields: Vec<Field>,
    /// the heading
    pub heading: Span,
    /// the text below the heading
    pub body: Span,
    /// the line of the heading, from 1
    pub line: usize,
}

impl ResultStep {
    /// The first field of a kind.
    #[must_use]
    pub fn field(&self, label: Label) -> Option<&Field> {
        self.fields.iter().find(|field| field.label == label)
    }
}

/// The verdict of a Review block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// passed
    Pass,
    /// a point is open
    Flag,
}

/// A Review block; it may precede or follow the Result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// PASS or FLAG: the one directly after the label, or the last one in the block; `None` if there is none
    pub verdict: Option<Verdict>,
    /// the bytes of the block
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// A Test Results line. People write it in many forms; only unambiguous numbers are parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResults {
    /// as written, without markup, on one line
    pub text: String,
    /// whether it states that there is nothing to test (`N/A …`)
    pub not_applicable: bool,
    /// passed tests of all kinds; those of the full suite only if the line contains no others
    pub passed: Option<u64>,
    /// tests that ran, counted in the same way
    pub total: Option<u64>,
    /// tests failed
    pub failed: Option<u64>,
    /// passed and all tests of the full suite, if the line contains them
    pub full_suite: Option<(u64, u64)>,
    /// the bytes of the value
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// The Final Validation section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// its labelled parts
    pub fields: Vec<Field>,
    /// its checkboxes
    pub items: Vec<Item>,
    /// its code blocks
    pub blocks: Vec<Block>,
    /// each total, with its line, from 1
    pub totals: Vec<(Count, usize)>,
    /// named parts of the total, in order: the rows of its table, or the numbered lines of its list
    pub parts: Vec<(String, Count)>,
    /// its line, from 1; 0 when there is none
    pub line: usize,
}

impl Validation {
    /// The first total, which counts.
    #[must_use]
    pub fn total(&self) -> Option<Count> {
        self.totals.first().map(|(count, _)| *count)
    }
}
