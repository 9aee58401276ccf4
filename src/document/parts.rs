//! The parts that plans and results share.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::{Document, Span};

/// The id of a step: `0`, `4b`, `N` in an unfilled template. Compared by number, then by letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StepId(String);

impl StepId {
    /// Takes an id as written; letters after the number are lowered, so that `4B` and `4b` are one id.
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

    /// The number (`u64::MAX` when there is none or it is too long) and what follows it.
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

/// What a person says about a step, a prerequisite or the whole. A claim, never evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// not started
    Pending,
    /// begun, or done in part
    InProgress,
    /// said to be complete
    Complete,
    /// cannot go on
    Blocked,
    /// tried, and failed
    Failed,
    /// left out on purpose
    Skipped,
    /// taken out of the plan, or moved elsewhere
    Withdrawn,
}

/// A status mark in a heading, such as ` ✅` or ` -- Complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadingMark {
    /// what the mark says
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
    /// nested bullets and paragraphs of an outermost entry, as written; empty when there are none
    pub detail: String,
    /// how deep the list is nested, 0 for the outermost
    pub depth: usize,
    /// the whole list entry, nested entries included
    pub span: Span,
    /// what stands between the brackets: one character, or nothing in `[]`
    pub mark: Span,
    /// the line of the box, from 1
    pub line: usize,
}

/// A code block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// the first word after the fence, lowered (`bash`, `rust`, `toml`); empty without one
    pub lang: String,
    /// the content, with `\n` line ends and without the indentation of the list it stands in
    pub code: String,
    /// the block with its fences
    pub span: Span,
    /// the content as it stands in the document
    pub code_span: Span,
    /// the line of the opening fence, from 1
    pub line: usize,
}

impl Block {
    /// Whether the block holds shell commands.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        matches!(self.lang.as_str(), "bash" | "sh" | "shell" | "zsh")
    }
}

/// What a field is, by the first words of its label.
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

/// A labelled part: `**Label** (note): value` and all that follows up to the next label or heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// what the field is
    pub label: Label,
    /// the label as written, without markup and colon
    pub name: String,
    /// what stands between the label and the colon: `(add to tests/a.rs)`, `src/a.rs`; without markup
    pub note: String,
    /// the text after the colon up to the end of its paragraph, without markup, on one line
    pub value: String,
    /// the bytes of that text; empty, right after the colon, when there is none
    pub value_span: Span,
    /// what follows the value: bullets and numbered entries without a box, and further paragraphs, without markup
    pub entries: Vec<String>,
    /// checkboxes
    pub items: Vec<Item>,
    /// code blocks
    pub blocks: Vec<Block>,
    /// the field with all that belongs to it
    pub span: Span,
    /// the line of the label, from 1
    pub line: usize,
}

impl Field {
    /// The value and the entries, one a line.
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
    /// the bytes of the value's text; empty where the cell is
    pub value_span: Span,
    /// the line, from 1
    pub line: usize,
}

/// What a section is, by its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the headings")]
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
    /// a step's own heading
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

/// A heading and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// what the section is
    pub kind: SectionKind,
    /// the heading without markup
    pub title: String,
    /// 1 for `#`, to 6
    pub level: u8,
    /// the heading
    pub heading: Span,
    /// the heading and all up to the next one of its level or above
    pub span: Span,
    /// the line of the heading, from 1
    pub line: usize,
}

/// The line under the criteria of a results document that sums them up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// the line without markup
    pub text: String,
    /// whether it claims that all criteria are met; `None` when it cannot be told
    pub met: Option<bool>,
    /// met and total, where the line names them
    pub counts: Option<(u64, u64)>,
    /// the bytes of the line
    pub span: Span,
    /// its line, from 1
    pub line: usize,
}

/// Something a person still has to fill in.
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
    /// what stands between the markers, from the start of the line after the first
    pub inner: Span,
    /// the markers and what stands between them
    pub outer: Span,
    /// the line of the first marker, from 1
    pub line: usize,
}

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// read, but perhaps not as meant
    Warning,
    /// the document cannot be relied on
    Error,
}

/// What was wrong with a document's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProblemKind {
    /// no step heading in the whole document
    NoSteps,
    /// two steps of one id
    DuplicateStep,
    /// a heading that begins like a step but has no id that can be read, or repeats one without being a step
    AmbiguousStep,
    /// a code fence that is not closed before the document ends
    UnclosedFence,
    /// a line inside a code fence that looks like the opening of another
    NestedFence,
    /// a step heading inside a code fence, so not counted
    StepInFence,
    /// `<!--` without `-->`: all that follows is hidden
    UnclosedComment,
    /// a `cargo-poc:begin` or `cargo-poc:end` marker without its partner
    UnbalancedRegion,
    /// a heading of level 1 after the first, ignored
    SecondTitle,
    /// a date that cannot be read
    UnreadableTimestamp,
    /// a status that cannot be read
    UnreadableStatus,
    /// an action of the Files table that cannot be read
    UnreadableAction,
    /// the markers that git puts around the two sides of a conflict
    Conflict,
    /// lines that look like a table but are none (no delimiter row, or another number of cells)
    BrokenTable,
    /// a table row with more cells than the header; the rest is not shown
    ExtraCells,
    /// a list, table or code block of a known section that is not read
    Unread,
    /// a key that an Overview or Summary has twice
    DuplicateRow,
    /// a criterion that a document has twice
    DuplicateCriterion,
}

impl ProblemKind {
    /// How much it weighs.
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

/// Something in the document that was not understood, or perhaps not as it was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseProblem {
    /// what it is
    pub kind: ProblemKind,
    /// where it is
    pub span: Span,
    /// its line, from 1
    pub line: usize,
    /// its column in characters, from 1
    pub column: usize,
    /// what was found and what to do
    pub message: String,
}

impl Document {
    /// A problem at a place; its column is filled in by [`Document::sort`], for all problems at once.
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

    /// Puts problems in order and gives them their columns. Columns count from the problem before where that stands on
    /// the same line: counting each from the line's start takes minutes when a document is one huge line.
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
