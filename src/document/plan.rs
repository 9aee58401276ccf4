//! The parts of a plan.

use serde::{Deserialize, Serialize};

use super::parts::{
    Block, Field, HeadingMark, Item, Label, ParseProblem, Placeholder, Region, Row, Section, StepId,
};
use super::quarantine::Quarantined;
use super::text::Span;
use super::time::Timestamp;

/// A parsed plan. Missing parts are empty; duplicate parts are joined in document order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// the first heading of level 1, without markup
    pub title: String,
    /// the results document linked above the first section, as written
    pub results_link: Option<String>,
    /// the rows of the Overview
    pub overview: Vec<Row>,
    /// Overview: Name
    pub name: Option<String>,
    /// Overview: Type, as written (`PoC`, `Feature`, …)
    pub kind: Option<String>,
    /// Overview: Proves
    pub proves: Option<String>,
    /// Overview: Created
    pub created: Option<Timestamp>,
    /// Overview: Base, a commit or another git revision
    pub base: Option<String>,
    /// Overview: Packages
    pub packages: Vec<String>,
    /// Overview: Configurations, the builds that every step has to be proven in
    pub configurations: Vec<String>,
    /// `### 1. …` under Prerequisites
    pub prerequisites: Vec<Prerequisite>,
    /// the shell blocks of prerequisite 1
    pub baseline: Vec<Block>,
    /// the checkboxes under Success Criteria
    pub criteria: Vec<Item>,
    /// the steps of all sections, in document order
    pub steps: Vec<Step>,
    /// the rows of the tables under Test Summary
    pub tests: Vec<TestRow>,
    /// `**Affected tests: ~12 tests**`
    pub affected_total: Option<Count>,
    /// `**Full suite**: ~300 tests`
    pub full_suite: Option<Count>,
    /// the checkboxes of the Production-Grade Checklist
    pub checklist: Vec<Item>,
    /// the shell blocks under What "Done" Looks Like; without this section, those of the baseline
    pub done: Vec<Block>,
    /// the rows of the tables under Files to Create/Modify
    pub files: Vec<FileRow>,
    /// the toml blocks under Dependencies
    pub dependencies: Vec<DependencyBlock>,
    /// the rows of the tables under Quarantine
    pub quarantine: Vec<Quarantined>,
    /// every heading with its range, including steps
    pub sections: Vec<Section>,
    /// generated parts
    pub regions: Vec<Region>,
    /// placeholders
    pub placeholders: Vec<Placeholder>,
    /// problems, in document order
    pub problems: Vec<ParseProblem>,
}

/// A condition for the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prerequisite {
    /// the number in its heading, or its position, from 1
    pub number: u64,
    /// the heading without the number and without markup
    pub title: String,
    /// the blocks that establish it
    pub commands: Vec<Block>,
    /// the blocks that verify it
    pub verification: Vec<Block>,
    /// all its labelled parts
    pub fields: Vec<Field>,
    /// heading and body
    pub span: Span,
    /// the line of the heading, from 1
    pub line: usize,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// its id
    pub id: StepId,
    /// the heading without id, mark and markup
    pub title: String,
    /// whether it is struck out: `### ~~Step 6~~: Moved`
    pub withdrawn: bool,
    /// a status mark in the heading
    pub mark: Option<HeadingMark>,
    /// its goal
    pub goal: String,
    /// its checkboxes, without acceptance criteria
    pub tasks: Vec<Item>,
    /// the blocks under Code, Commands, Specification or an unknown label
    pub code: Vec<Block>,
    /// the blocks under Tests
    pub tests: Vec<Block>,
    /// the blocks under Verification
    pub verification: Vec<Block>,
    /// its output
    pub output: String,
    /// all its labelled parts, in order
    pub fields: Vec<Field>,
    /// the heading
    pub heading: Span,
    /// the text below the heading
    pub body: Span,
    /// the line of the heading, from 1
    pub line: usize,
}

impl Step {
    /// The first field of a kind.
    #[must_use]
    pub fn field(&self, label: Label) -> Option<&Field> {
        self.fields.iter().find(|field| field.label == label)
    }
}

/// A number of tests as written: `12`, `~12`, `12+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// the number
    pub value: u64,
    /// whether it is approximate (`~`, `about`) or a lower bound (`+`)
    pub approximate: bool,
}

/// A row of a Test Summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRow {
    /// the test file or target, without markup
    pub target: String,
    /// the number of tests; `None` if it is unclear
    pub count: Option<Count>,
    /// what it covers
    pub covers: String,
    /// the first byte of its table
    pub table: usize,
    /// the bytes of the count's cell text
    pub count_span: Span,
    /// the line, from 1
    pub line: usize,
}

/// The planned action on a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// create it
    Create,
    /// modify it
    Modify,
    /// delete it
    Delete,
    /// rename it to this path, as written
    Rename(String),
    /// leave it unchanged
    None,
    /// an unknown action, as written
    Unknown(String),
}

/// A row of the Files table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// the path as written, without markup; may contain a glob
    pub path: String,
    /// the planned action
    pub action: Action,
    /// the Status or Purpose column
    pub note: String,
    /// the bytes of the path's cell text
    pub path_span: Span,
    /// the bytes of the note's cell text; empty for an empty cell
    pub note_span: Span,
    /// the whole row
    pub span: Span,
    /// the line, from 1
    pub line: usize,
}

/// A toml block under Dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyBlock {
    /// the path of its manifest, as written; `None` if neither the text above nor the first comment contains it
    pub manifest: Option<String>,
    /// the block; `block.code` is the TOML text
    pub block: Block,
}
