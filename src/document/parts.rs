//! Parts of plans and results.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::{Document, Span};

/// The id of a step: `0`, `4b`, `N` in an unfilled template. Compared by number, then by letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StepId(String);

impl StepId {
    /// Parses an id; letters after the number are lowered, so that `4B` and `4b` are the same id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        let id = id.trim();
        if id.starts_with(|character: char| character.is_ascii_digit()) {
            Self(id.to_ascii_lowercase())
        } else {
            Self(id.to_owned())
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number (`u64::MAX` if it is missing or too large) and the text after it.
    fn parts(&self) -> (u64, &str) {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        (
            self.0[..digits].parse().unwrap_or(u64::MAX),
            &self.0[digits..],
        )
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Ord for StepId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts()
            .cmp(&other.parts())
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for StepId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The status that a person wrote for a step, a prerequisite or the whole work. A claim, never evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// not started
    Pending,
    /// started, or partly done
    InProgress,
    /// marked as complete
    Complete,
    /// blocked
    Blocked,
    /// failed
    Failed,
    /// skipped deliberately
    Skipped,
    /// removed from the plan, or moved elsewhere
    Withdrawn,
}

/// A status mark in a heading, such as ` ✅` or ` -- Complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadingMark {
    /// the status
    pub status: Status,
    /// the word or sign, without the dash before it
    pub span: Span,
}

/// A checkbox of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// whether the box is ticked
    pub checked: bool,
    /// the text without markup, on one line
    pub text: String,
    /// nested bullets and paragraphs of an outermost entry, as written; otherwise empty
    pub detail: String,
    /// the nesting depth of the list, 0 for the outermost
    pub depth: usize,
    /// the whole list entry, including nested entries
    pub span: Span,
    /// the bytes between the brackets: one character, or none in `[]`
    pub mark: Span,
    /// the line of the box, from 1
    pub line: usize,
}

/// A code block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// the first word after the fence in lower case (`bash`, `rust`, `toml`); empty without one
    pub lang: String,
    /// the content, with `\n` line ends and without the indentation of the enclosing list
    pub code: String,
    /// the block with its fences
    pub span: Span,
    /// the bytes of the content
    pub code_span: Span,
    /// the line of the opening fence, from 1
    pub line: usize,
}

impl Block {
    /// Whether the block contains shell commands.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        matches!(self.lang.as_str(), "bash" | "sh" | "shell" | "zsh")
    }
}

/// The kind of a field, by the first words of its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the labels")]
pub enum Label {
    Goal,
    WhyNeeded,
    Tasks,
    TasksCompleted,
    /// `**Code**`, ``**Update** `f`:``, `**Create** …`
    Code,
    Commands,
    Tests,
    Verification,
    VerificationResults,
    /// `**Output**` and `**Expected Output**`
    Output,
    Expected,
    Status,
    Implementation,
    TestResults,
    Issues,
    LessonsLearned,
    Result,
    Review,
    Deviation,
    Specification,
    AcceptanceCriteria,
    TradeOffs,
    Started,
    Completed,
    Reviewed,
    /// any other label
    Other,
}

/// A labelled part: `**Label** (note): value` and everything up to the next label or heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// the kind of the field
    pub label: Label,
    /// the label as written, without markup and colon
    pub name: String,
    /// the text between the label and the colon, without markup: `(add to tests/a.rs)`, `src/a.rs`
    pub note: String,
    /// the text after the colon up to the end of its paragraph, without markup, on one line
    pub value: String,
    /// the bytes of that text; empty, directly after the colon, if there is none
    pub value_span: Span,
    /// the text after the value, without markup: bullets and numbered entries without a box, and further paragraphs
    pub entries: Vec<String>,
    /// checkboxes
    pub items: Vec<Item>,
    /// code blocks
    pub blocks: Vec<Block>,
    /// the whole field
    pub span: Span,
    /// the line of the label, from 1
    pub line: usize,
}

impl Field {
    /// The value and the entries, one per line.
    #[must_use]
    pub fn text(&self) -> String {
        let value = Some(self.value.as_str()).filter(|value| !value.is_empty());
        let lines: Vec<_> = value
            .into_iter()
            .chain(self.entries.iter().map(String::as_str))
            .collect();
        lines.join("\n")
    }
}

/// A row of a table of keys and values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// the key, without markup
    pub key: String,
    /// the value, without markup
    pub value: String,
    /// the bytes of the key's text
    pub key_span: Span,
    /// the bytes of the value's text; empty for an empty cell
    pub value_span: Span,
    /// the line, from 1
    pub line: usize,
}

/// The kind of a section, by its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SectionKind {
    /// the first heading of level 1
    Title,
    Overview,
    Summary,
    Goal,
    Prerequisites,
    SuccessCriteria,
    Architecture,
    Steps,
    /// the heading of a step
    Step,
    TestSummary,
    Checklist,
    Done,
    Files,
    Dependencies,
    Quarantine,
    Risks,
    ErrorCodes,
    NextSteps,
    Deliverables,
    FinalValidation,
    Decisions,
    Unlocks,
    /// any other heading
    Other,
}

/// A heading and its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// the kind of the section
    pub kind: SectionKind,
    /// the heading without markup
    pub title: String,
    /// the level, from 1 for `#` to 6
    pub level: u8,
    /// the heading
    pub heading: Span,
    /// the heading and everything up to the next one of the same or a higher level
    pub span: Span,
    /// the line of the heading, from 1
    pub line: usize,
}

/// The summary line under the criteria of a results document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// the line without markup
    pub text: String,
    /// whether it claims that all criteria are met; `None` if it is unclear
    pub met: Option<bool>,
    /// the numbers of met and of all criteria, if the line contains them
    pub counts: Option<(u64, u64)>,
    /// the bytes of the line
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// A placeholder that a person has to fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placeholder {
    /// as written, with its brackets
    pub text: String,
    /// its bytes
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// A generated part, between `<!-- cargo-poc:begin NAME -->` and `<!-- cargo-poc:end NAME -->`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// the name in both markers
    pub name: String,
    /// the bytes between the markers, from the line after the first
    pub inner: Span,
    /// the bytes of the region with its markers
    pub outer: Span,
    /// the line of the first marker, from 1
    pub line: usize,
}

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// parsed, but perhaps not as intended
    Warning,
    /// the document is ambiguous
    Error,
}

/// The kind of a problem in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProblemKind {
    /// no step heading in the whole document
    NoSteps,
    /// two steps with the same id
    DuplicateStep,
    /// a heading that resembles a step but has no valid id, or a repeated one
    AmbiguousStep,
    /// a code fence that is not closed
    UnclosedFence,
    /// a line inside a code fence that looks like an opening fence
    NestedFence,
    /// a step heading inside a code fence, which does not count
    StepInFence,
    /// `<!--` without `-->`: everything after it is hidden
    UnclosedComment,
    /// a `cargo-poc:begin` or `cargo-poc:end` marker without its counterpart
    UnbalancedRegion,
    /// a second heading of level 1, which is ignored
    SecondTitle,
    /// an invalid date
    UnreadableTimestamp,
    /// an unknown status
    UnreadableStatus,
    /// an unknown action in the Files table
    UnreadableAction,
    /// conflict markers of git
    Conflict,
    /// lines that resemble a table but are none (no delimiter row, or another number of cells)
    BrokenTable,
    /// a table row with more cells than the header; the additional cells are not shown
    ExtraCells,
    /// a list, table or code block in a known section that is not parsed
    Unread,
    /// a duplicate key in an Overview or Summary
    DuplicateRow,
    /// a duplicate criterion
    DuplicateCriterion,
}

impl ProblemKind {
    /// The severity of problems of this kind.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Conflict
            | Self::NoSteps
            | Self::DuplicateStep
            | Self::UnclosedComment
            | Self::UnbalancedRegion => Severity::Error,
            _ => Severity::Warning,
        }
    }
}

/// A part of the document that was not understood, or perhaps not as intended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseProblem {
    /// its kind
    pub kind: ProblemKind,
    /// its bytes
    pub span: Span,
    /// its line, from 1
    pub line: usize,
    /// its column in characters, from 1
    pub column: usize,
    /// the problem and the remedy
    pub message: String,
}

impl Document {
    /// A problem at a position. [`Document::sort`] computes the columns of all problems at once.
    pub(super) fn problem(&self, kind: ProblemKind, span: Span, message: &str) -> ParseProblem {
        let line = self.line_of(span.start);
        ParseProblem {
            kind,
            line,
            column: 0,
            span,
            message: message.to_owned(),
        }
    }

    /// Sorts problems and computes their columns. Columns are counted from the previous problem on the same line: counting each from
    /// the start of the line takes minutes in a document with one huge line.
    pub(super) fn sort(&self, problems: &mut [ParseProblem]) {
        problems.sort_by_key(|problem| (problem.span.start, problem.kind));
        let mut before = (0, 0, 1);
        for problem in problems {
            let at = problem.span.start;
            let (line, start, column) = before;
            problem.column = if problem.line == line {
                column
                    + self
                        .text()
                        .get(start..at)
                        .unwrap_or_default()
                        .chars()
                        .count()
            } else {
                self.column_of(at)
            };
            before = (problem.line, at, problem.column);
        }
    }
}
