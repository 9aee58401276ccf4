//! Findings: disagreements between documents, workspace and evidence, each with a stable code, a place and a remedy.
//!
//! A [`Code`] identifies a rule. Rules are declared in `lint`, each beside the function that checks it.

pub mod level;

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use crate::document::Span;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Does not affect the exit code.
    Warning,
    /// `check` and `status --check` exit with 1.
    Error,
}

/// How the gate (`status --check`, `check`) treats a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The rule may be lowered.
    Independent,
    /// The gate needs the rule, so it cannot be lowered.
    Required,
    /// Like `Required`, and a finding means that evidence is stale: exit code 3 instead of 1.
    Stale,
}

/// Everything about a rule except the function that checks it.
#[derive(Debug)]
pub struct Rule {
    /// `POC001`; a code is a public contract and is never used for another rule.
    pub code: &'static str,
    /// `unclear-text`, which configuration accepts as well.
    pub name: &'static str,
    /// Its severity unless the configuration changes it.
    pub severity: Severity,
    /// How the gate depends on it.
    pub gate: Gate,
    /// A short description.
    pub title: &'static str,
    /// Its section of `docs/findings.md`, in Markdown.
    pub page: &'static str,
}

/// The code of a rule.
#[derive(Clone, Copy)]
pub struct Code(&'static Rule);

impl Code {
    /// The code of `rule`.
    #[must_use]
    pub const fn new(rule: &'static Rule) -> Self {
        Self(rule)
    }

    /// The printed form: `POC001`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.code
    }

    /// The name of its rule: `unclear-text`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The severity of its findings unless the configuration changes it.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// A short description.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Whether the gate depends on it. Such a rule cannot be lowered, or unproven claims would pass.
    #[must_use]
    pub fn is_gate(self) -> bool {
        self.0.gate != Gate::Independent
    }

    /// Whether a finding means that evidence is stale.
    #[must_use]
    pub fn is_stale(self) -> bool {
        self.0.gate == Gate::Stale
    }

    /// Its section of `docs/findings.md`, without the heading.
    #[must_use]
    pub fn explain(self) -> String {
        let severity = match self.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let page = self.0.page.trim();
        format!("Severity: {severity}. Name: `{}`.\n\n{page}", self.name())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Whether a finding makes the gate fail with exit code 1. Stale evidence exits with 3.
#[must_use]
pub fn has_errors(findings: &[Finding]) -> bool {
    let mut findings = findings.iter();
    findings.any(|finding| finding.severity == Severity::Error && !finding.code.is_stale())
}

/// Whether a finding means that evidence is stale.
#[must_use]
pub fn has_stale(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.code.is_stale())
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that reports it.
    pub code: Code,
    /// The severity of its code, unless the configuration changes it.
    pub severity: Severity,
    /// The file below the workspace root, with `/`.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The bytes of the file it is about, on one line; `None` for the line as a whole.
    pub span: Option<Span>,
    /// Distinguishes several findings at the same position: a file, a criterion.
    pub subject: String,
    /// The problem.
    pub message: String,
    /// The remedy; empty if the message suffices.
    pub help: String,
    /// A safe change that resolves it.
    pub fix: Option<Fix>,
}

/// Edits of one file that resolve a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The file below the workspace root, with `/`.
    pub path: String,
    /// A description in the imperative: `give the heading the plan's title`.
    pub what: String,
    /// Byte ranges of the file and their replacements.
    pub edits: Vec<(Span, String)>,
}

impl Finding {
    /// A finding on a whole line.
    #[must_use]
    pub fn new(
        code: Code,
        path: impl Into<String>,
        line: usize,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            path: path.into(),
            line,
            column: 1,
            span: None,
            subject: String::new(),
            message: message.into(),
            help: String::new(),
            fix: None,
        }
    }

    /// Adds a remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds a subject, which distinguishes findings at the same position.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// The problem and the remedy, on one line.
    #[must_use]
    pub fn text(&self) -> String {
        if self.help.is_empty() {
            self.message.clone()
        } else {
            format!("{}; {}", self.message, self.help)
        }
    }
}
