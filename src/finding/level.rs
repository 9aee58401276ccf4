//! How much each finding weighs: `[workspace.metadata.poc.lints]`, overruled by `-A`, `-W` and `-D`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde::Deserialize;

use crate::finding::{Code, Finding, Severity};
use crate::workspace::graph::nearest;

/// What to do with a finding, in the words of rustc's lints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is not shown.
    Allow,
    /// It is shown and gates nothing.
    Warn,
    /// It ends a check with 1.
    Deny,
}

/// The levels that differ from the codes' own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    codes: BTreeMap<Code, Level>,
    warnings: Option<Level>,
}

/// The name that stands for everything that would be a warning.
const WARNINGS: &str = "warnings";

impl Levels {
    /// Sets the level of a code, or of all `warnings`; the last word counts.
    ///
    /// # Errors
    /// An unknown code, or one that the gate rests on and that is to be lowered; without a place, which the caller knows.
    pub fn set(&mut self, name: &str, level: Level) -> Result<()> {
        if name == WARNINGS {
            self.warnings = Some(level);
            return Ok(());
        }
        let Some(code) = Code::find(name) else {
            let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
            bail!(
                "`{name}` is no code of a finding{}; `cargo poc check --explain` lists them",
                nearest(name, &codes)
            );
        };
        let lowers = match level {
            Level::Allow => true,
            Level::Warn => code.severity() == Severity::Error,
            Level::Deny => false,
        };
        if lowers && code.is_gate() {
            bail!(
                "{code} ({}) cannot be lowered: what is proven rests on it, and `--check` would pass what nobody has shown; \
                 `cargo poc check --baseline FILE --write-baseline` takes what old documents have as known",
                code.title()
            );
        }
        self.codes.insert(code, level);
        Ok(())
    }

    /// The findings at these levels, without those that are allowed.
    #[must_use]
    pub fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let at_level = |mut finding: Finding| {
            match self.codes.get(&finding.code) {
                Some(Level::Allow) => return None,
                Some(Level::Warn) => finding.severity = Severity::Warning,
                Some(Level::Deny) => finding.severity = Severity::Error,
                None => {}
            }
            if finding.severity == Severity::Warning {
                match self.warnings {
                    Some(Level::Allow) if !finding.code.is_gate() => return None,
                    Some(Level::Deny) => finding.severity = Severity::Error,
                    _ => {}
                }
            }
            Some(finding)
        };
        findings.into_iter().filter_map(at_level).collect()
    }
}
