//! The level of each rule: its default, the manifest's setting, or the one of `-A`, `-W` and `-D`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

use super::rules;
use crate::config::{Config, place_of_lint};
use crate::exit::{Exit, OrExit as _};
use crate::finding::level::Level;
use crate::finding::{Code, Finding, Severity};
use crate::workspace::graph::nearest;

/// Levels that differ from the rules' defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    codes: BTreeMap<Code, Level>,
    warnings: Option<Level>,
}

/// Refers to all rules whose level is a warning.
const WARNINGS: &str = "warnings";

impl Levels {
    /// The levels that `config` sets; later settings override earlier ones.
    ///
    /// # Errors
    /// A usage error for an unknown rule, or for a gate rule that would be lowered. The message contains the line of the manifest
    /// of `root` that sets the level.
    pub fn configured(config: &Config, root: &Utf8Path) -> Result<Self> {
        let mut levels = Self::default();
        for setting in &config.lints {
            let set = levels.set(&setting.lint, setting.level);
            let set = if setting.in_manifest {
                let place = || format!("the lint levels in {}", place_of_lint(root, &setting.lint));
                set.with_context(place)
            } else {
                set
            };
            set.or_exit(Exit::Usage)?;
        }
        Ok(levels)
    }

    fn set(&mut self, name: &str, level: Level) -> Result<()> {
        if name == WARNINGS {
            self.warnings = Some(level);
            return Ok(());
        }
        let code = rule(name)?;
        let lowers = match level {
            Level::Allow => true,
            Level::Warn => code.severity() == Severity::Error,
            Level::Deny => false,
        };
        if lowers && code.is_gate() {
            bail!(
                "{code} ({}) cannot be lowered, because `--check` would then accept unproven claims; for the known \
                 findings of old documents use `cargo poc check --baseline FILE --write-baseline`",
                code.title()
            );
        }
        self.codes.insert(code, level);
        Ok(())
    }

    /// Applies the levels and removes allowed findings.
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

/// The rule with this code or name.
///
/// # Errors
/// If there is none. The message suggests a similar one.
pub fn rule(text: &str) -> Result<Code> {
    if let Some(code) = rules::find(text) {
        return Ok(code);
    }
    let upper = text.to_uppercase();
    let rules = rules::all();
    let codes: Vec<&str> = rules.iter().map(|code| code.as_str()).collect();
    let names: Vec<&str> = rules.iter().map(|code| code.name()).collect();
    let hint = match nearest(&upper, &codes) {
        hint if hint.is_empty() => nearest(text, &names),
        hint => hint,
    };
    bail!(
        "no rule has the code or name `{text}`{hint}; `cargo poc check --explain` lists all rules"
    )
}
