//! Findings: one disagreement each, with a stable code, a place, what to do about it, and a fix where one is safe.
//!
//! [`Code`] is the only list of codes. Each has a section in `docs/findings.md`, which [`Code::explain`] prints; a test
//! holds the two together.

pub mod level;

use std::fmt;

use serde::Serialize;

use crate::document::Span;

/// Every code with its explanation, as `docs/findings.md` has them.
const DOCUMENTATION: &str = include_str!("../docs/findings.md");

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To look at; gates nothing.
    Warning,
    /// Something claimed is not so; `check` and `status --check` end with 1.
    Error,
}

/// Whether a finding makes the gate fail with exit code 1; stale evidence has an exit code of its own.
#[must_use]
pub fn has_errors(findings: &[Finding]) -> bool {
    let mut findings = findings.iter();
    findings.any(|finding| finding.severity == Severity::Error && !finding.code.is_stale())
}

/// Whether a finding says that evidence is stale.
#[must_use]
pub fn has_stale(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.code.is_stale())
}

impl Code {
    /// Whether it means that evidence is stale.
    #[must_use]
    pub fn is_stale(self) -> bool {
        matches!(self, Self::Stale | Self::OtherCommands)
    }
}

/// The enum of codes from one table: name, code, severity, title. A title stands as a heading in `docs/findings.md`.
macro_rules! codes {
    ($($name:ident $code:literal $severity:ident $title:literal;)*) => {
        /// What kind of disagreement; the codes are a public contract and are never used twice.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed: `POC001`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it weighs where the configuration says nothing of it.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it is about, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

// POC060 to POC079: locks, amendments, expectations.
codes! {
    Unclear "POC001" Warning "a part of a document could not be read, or not as it was meant";
    Unreliable "POC002" Error "a document cannot be relied on";
    NoResults "POC003" Error "a plan without its results document";
    Placeholder "POC004" Warning "something is left to fill in";
    NoCriteria "POC005" Warning "a plan without success criteria";
    NoVerification "POC006" Warning "a step without verification";
    NoTestRun "POC007" Warning "a verification that runs no test where one is due";
    HiddenFailure "POC008" Warning "a command whose failure is hidden";
    OutsidePath "POC009" Error "a file that lies outside the workspace";
    DamagedEvidence "POC010" Error "evidence that was edited, cut, or belongs to another PoC";
    BrokenToml "POC011" Error "a block of dependencies that cannot be read";
    Counts "POC012" Warning "counts of tests that contradict each other";
    ResultsLink "POC013" Warning "a plan that links to other results";
    Claimed "POC020" Error "said to be done, and no run has shown it";
    Failed "POC021" Error "the last run failed";
    Stale "POC022" Warning "passed once, and what it depended on has changed";
    Regression "POC023" Error "the baseline passed a test that fails or is gone now";
    DirtyEvidence "POC024" Warning "evidence of sources that are in no commit";
    OtherCommands "POC025" Warning "evidence of other commands than the plan's";
    Dependencies "POC030" Error "the Dependencies section cannot be compared with the manifests";
    UnknownChange "POC031" Warning "what changed since the base cannot be found out";
    MissingDependency "POC032" Warning "a planned dependency that is in no manifest";
    ConflictingDependency "POC033" Error "a planned dependency that the manifest contradicts";
    SuperfluousDependency "POC034" Warning "a dependency planned as new that was there before";
    UndeclaredDependency "POC035" Warning "a dependency that the plan does not declare";
    CreatedBefore "POC036" Warning "a file to create that existed at the base";
    NotThereToModify "POC037" Warning "a file to modify that did not exist at the base";
    LeftUndone "POC038" Error "said to be complete, and a planned file is left undone";
    Renamed "POC039" Warning "a planned file that was renamed";
    MissingStep "POC040" Error "a step of the plan that the results lack";
    ExtraStep "POC041" Error "a step of the results that the plan lacks";
    WithdrawnStep "POC042" Warning "a step that only one of the documents has withdrawn";
    RetitledStep "POC043" Warning "a step under another title";
    DroppedCriterion "POC044" Error "a criterion of the plan that the results lack";
    RewordedCriterion "POC045" Error "a criterion that says something else in the results";
    ExtraCriterion "POC046" Warning "a criterion of the results that the plan lacks";
    ContradictingTick "POC047" Warning "ticks that contradict the status above them";
    OpenCriteria "POC048" Error "said to be complete with open criteria";
    OpenFlag "POC049" Error "said to be complete with an open FLAG";
    Totals "POC050" Error "totals that do not add up";
    FallingCount "POC051" Warning "a count of tests that falls from one step to the next";
    Dates "POC052" Warning "dates out of order";
    Mark "POC053" Warning "a mark in a heading that contradicts the status below it";
    OpenStep "POC054" Error "said to be complete with a step that is not";
    Footer "POC055" Error "a line under the criteria that contradicts them";
    StaleExpectation "POC056" Warning "an expected count that the results contradict";
    Unconfirmed "POC060" Warning "a run waits for a person to look at what a command did";
    Weakened "POC061" Error "less is promised than when the work began, and nobody has amended it";
    Changed "POC062" Error "something else is promised than when the work began, and nobody has amended it";
    Extended "POC063" Warning "more is promised than when the work began, and nobody has amended it";
    DamagedContract "POC064" Error "a lock or an amendment that was edited, cut, or belongs to another PoC";
    Overridden "POC065" Warning "a step was called done without proof";
    Unplanned "POC080" Warning "a changed file that the plan does not name";
    UnknownTarget "POC081" Warning "a package or test target that does not exist";
    OtherCount "POC082" Warning "a count of tests that a run contradicts";
    StubLeft "POC083" Error "the checklist says no stub is left, and one is";
    UnwrapAdded "POC084" Error "the checklist says no unwrap was added, and one was";
    TestIgnored "POC085" Error "the checklist says no test was switched off, and one was";
    NoTestForFile "POC086" Error "the checklist says every created file has tests, and one has none";
    Undocumented "POC087" Error "the checklist says everything public is documented, and something is not";
    Secret "POC088" Error "the checklist says there is no secret, and something looks like one";
    UnmetFilter "POC089" Warning "a filter of tests that no source can meet";
}

impl Code {
    /// The code that is printed as `text`, in capitals or not.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let same = |code: &&Self| code.as_str().eq_ignore_ascii_case(text);
        Self::ALL.iter().find(same).copied()
    }

    /// Whether the gate itself rests on it: what nobody has shown cannot be configured away.
    #[must_use]
    pub fn is_gate(self) -> bool {
        matches!(
            self,
            Self::Unreliable
                | Self::NoResults
                | Self::DamagedEvidence
                | Self::Claimed
                | Self::Failed
                | Self::Stale
                | Self::OtherCommands
                | Self::Regression
                | Self::Weakened
                | Self::Changed
                | Self::DamagedContract
        )
    }

    /// Its section of `docs/findings.md`, without its heading.
    #[must_use]
    pub fn explain(self) -> &'static str {
        let heading = format!("\n## {}: {}\n", self.as_str(), self.title());
        let Some((_, section)) = DOCUMENTATION.split_once(&heading) else {
            return "";
        };
        let end = section.find("\n## ").unwrap_or(section.len());
        section[..end].trim()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// How much it weighs: the code's own severity, unless the configuration says otherwise.
    pub severity: Severity,
    /// The file below the workspace root, with `/`.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The bytes of the file it is about, on one line; `None` for the line as a whole.
    pub span: Option<Span>,
    /// What tells it from others at the same place, where there can be several: a file, a criterion.
    pub subject: String,
    /// What disagrees.
    pub message: String,
    /// What to do; empty where the message says all.
    pub help: String,
    /// A change that mends it and can do no harm.
    pub fix: Option<Fix>,
}

/// Edits of one file that mend a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The file below the workspace root, with `/`.
    pub path: String,
    /// What it does, as a command to a person: `give the heading the plan's title`.
    pub what: String,
    /// Bytes of the file and what stands there instead.
    pub edits: Vec<(Span, String)>,
}

impl Finding {
    /// A finding on a line as a whole.
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

    /// The same, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The same, told apart from others at its place.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// The same, with a fix.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// What disagrees and what to do, on one line.
    #[must_use]
    pub fn text(&self) -> String {
        if self.help.is_empty() {
            self.message.clone()
        } else {
            format!("{}; {}", self.message, self.help)
        }
    }
}
