//! What a plan says.

use serde::{Deserialize, Serialize};

use super::parts::{
    Block, Field, HeadingMark, Item, Label, ParseProblem, Placeholder, Region, Row, Section, StepId,
};
use super::quarantine::Quarantined;
use super::text::Span;
use super::time::Timestamp;

/// A plan as read. Parts that are missing are empty; parts that are doubled are joined in document order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// the first heading of level 1, without markup
    pub title: String,
    /// the results document named above the first section, as written
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
    /// the steps, wherever they stand, in document order
    pub steps: Vec<Step>,
    /// the rows of the tables under Test Summary
    pub tests: Vec<TestRow>,
    /// `**Affected tests: ~12 tests**`
    pub affected_total: Option<Count>,
    /// `**Full suite**: ~300 tests`
    pub full_suite: Option<Count>,
    /// the checkboxes of the Production-Grade Checklist
    pub checklist: Vec<Item>,
    /// the shell blocks under What "Done" Looks Like; those of the baseline in a plan without this section
    pub done: Vec<Block>,
    /// the rows of the tables under Files to Create/Modify
    pub files: Vec<FileRow>,
    /// the toml blocks under Dependencies
    pub dependencies: Vec<DependencyBlock>,
    /// the rows of the tables under Quarantine
    pub quarantine: Vec<Quarantined>,
    /// every heading with its extent, steps included
    pub sections: Vec<Section>,
    /// generated parts
    pub regions: Vec<Region>,
    /// what is left to fill in
    pub placeholders: Vec<Placeholder>,
    /// what could not be read, in document order
    pub problems: Vec<ParseProblem>,
}

/// A need that must be met before the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prerequisite {
    /// the number in its heading, else its place, from 1
    pub number: u64,
    /// the heading without the number and without markup
    pub title: String,
    /// the blocks that bring it about
    pub commands: Vec<Block>,
    /// the blocks that show it is met
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
    /// whether it was struck out: `### ~~Step 6~~: Moved`
    pub withdrawn: bool,
    /// a status mark in the heading
    pub mark: Option<HeadingMark>,
    /// what it is for
    pub goal: String,
    /// its checkboxes, those of acceptance criteria aside
    pub tasks: Vec<Item>,
    /// the blocks under Code, Commands, Specification or an unknown label
    pub code: Vec<Block>,
    /// the blocks under Tests
    pub tests: Vec<Block>,
    /// the blocks under Verification
    pub verification: Vec<Block>,
    /// what it leaves behind
    pub output: String,
    /// all its labelled parts in order
    pub fields: Vec<Field>,
    /// the heading
    pub heading: Span,
    /// what follows the heading
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
    /// whether it is marked as a guess (`~`, `about`) or a lower bound (`+`)
    pub approximate: bool,
}

/// A row of a Test Summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRow {
    /// the test file or target, without markup
    pub target: String,
    /// how many tests; `None` when it cannot be told
    pub count: Option<Count>,
    /// what it covers
    pub covers: String,
    /// the byte at which its table begins
    pub table: usize,
    /// the bytes of the count's cell text
    pub count_span: Span,
    /// the line, from 1
    pub line: usize,
}

/// What happens to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// it is new
    Create,
    /// it changes
    Modify,
    /// it goes
    Delete,
    /// it gets the name given, as written
    Rename(String),
    /// it is named, but stays as it is
    None,
    /// something else, as written
    Unknown(String),
}

/// A row of the Files table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// the path as written, without markup; may hold a glob
    pub path: String,
    /// what happens to it
    pub action: Action,
    /// the Status or Purpose column
    pub note: String,
    /// the bytes of the path's cell text
    pub path_span: Span,
    /// the bytes of the note's cell text; empty where the cell is
    pub note_span: Span,
    /// the whole row
    pub span: Span,
    /// the line, from 1
    pub line: usize,
}

/// A toml block under Dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyBlock {
    /// the manifest it is for, as written; `None` when neither the text above nor a first comment names one
    pub manifest: Option<String>,
    /// the block; `block.code` is the toml
    pub block: Block,
}
