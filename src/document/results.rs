//! What a results document says.

use serde::{Deserialize, Serialize};

use super::parts::{
    Block, Field, Footer, HeadingMark, Item, Label, ParseProblem, Placeholder, Region, Row,
    Section, Status, StepId,
};
use super::plan::Count;
use super::text::Span;
use super::time::Timestamp;

/// A results document as read. Parts that are missing are empty; parts that are doubled are joined.
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
    /// the line under them
    pub footer: Option<Footer>,
    /// the checkboxes under Prerequisites Completed
    pub prerequisites: Vec<Item>,
    /// the steps, wherever they stand, in document order
    pub steps: Vec<ResultStep>,
    /// the Final Validation
    pub validation: Validation,
    /// every heading with its extent, steps included
    pub sections: Vec<Section>,
    /// generated parts, evidence among them
    pub regions: Vec<Region>,
    /// what is left to fill in
    pub placeholders: Vec<Placeholder>,
    /// what could not be read, in document order
    pub problems: Vec<ParseProblem>,
}

/// A status as a person wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusText {
    /// what it says; `None` when it cannot be told
    pub status: Option<Status>,
    /// as written, without markup
    pub text: String,
    /// a date in parentheses behind it: `Complete (2026-01-16T16:25:00-0800)`
    pub stamp: Option<Timestamp>,
    /// the bytes of the text
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// What is recorded of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultStep {
    /// its id, the one of the plan
    pub id: StepId,
    /// the heading without id, mark and markup
    pub title: String,
    /// whether it was struck out
    pub withdrawn: bool,
    /// a status mark in the heading; the truth is `status`
    pub mark: Option<HeadingMark>,
    /// the `**Status**:` line
    pub status: Option<StatusText>,
    /// what should come out
    pub expected: String,
    /// what was done: text and entries, joined by line
    pub implementation: String,
    /// what the tests gave
    pub test_results: Option<TestResults>,
    /// issues met; empty for `None`
    pub issues: Vec<String>,
    /// lessons learned; empty for `None`
    pub lessons: Vec<String>,
    /// the closing word
    pub result: String,
    /// its checkboxes
    pub tasks: Vec<Item>,
    /// the verdict of its review
    pub review: Option<Review>,
    /// when it was begun: `**Started**`, else the date behind a status that says it is in progress
    pub started: Option<Timestamp>,
    /// when it was completed: `**Completed**`, else the date behind a status that says it is complete
    pub completed: Option<Timestamp>,
    /// when it was reviewed: `**Reviewed**`
    pub reviewed: Option<Timestamp>,
    /// its code blocks
    pub blocks: Vec<Block>,
    /// all its labelled parts in order
    pub fields: Vec<Field>,
    /// the heading
    pub heading: Span,
    /// what follows the heading
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
    /// fine
    Pass,
    /// something is open
    Flag,
}

/// A Review block; it may stand before or after the Result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// PASS or FLAG: the one right behind the label, else the last one named; `None` when neither is
    pub verdict: Option<Verdict>,
    /// the bytes of the block
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// What a Test Results line says. People write it in many shapes; only what can be read surely is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResults {
    /// as written, without markup, on one line
    pub text: String,
    /// whether it says that there is nothing to test (`N/A …`)
    pub not_applicable: bool,
    /// tests passed, all kinds added; those of the full suite only when the line names no others
    pub passed: Option<u64>,
    /// tests run, likewise
    pub total: Option<u64>,
    /// tests failed
    pub failed: Option<u64>,
    /// passed and total of the full suite, where the line names it
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
    /// the total it names
    pub total: Option<Count>,
    /// the line of that total, from 1; 0 without one
    pub total_line: usize,
    /// named parts of the total, in order: the rows of its table, or the numbered lines of its list
    pub parts: Vec<(String, Count)>,
    /// its line, from 1; 0 when there is none
    pub line: usize,
}
