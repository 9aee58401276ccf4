//! For GitHub Actions: workflow commands for annotations. The summary of a step is in [`markdown`](super::markdown).
//!
//! Escapes and limits are from GitHub's documentation, "Workflow commands": `%`, carriage return and line feed everywhere, `:`
//! and `,` also in properties; 10 error and 10 warning annotations per step.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::finding::{Finding, Severity};
use crate::sys::files;

/// The number of annotations of one severity that GitHub shows for a step.
const SHOWN: usize = 10;

/// Annotations for the findings, one per line, as many as GitHub shows; the summary contains the rest. `prefix` is the
/// workspace's folder within the repository, because GitHub's paths start there.
pub fn annotations<'a>(
    prefix: &Utf8Path,
    findings: impl IntoIterator<Item = &'a Finding>,
) -> String {
    let mut text = String::new();
    let findings: Vec<&Finding> = findings.into_iter().collect();
    for (severity, command) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        for finding in findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .take(SHOWN)
        {
            let _ = writeln!(text, "{}", annotation(command, prefix, finding));
        }
    }
    text
}

fn annotation(command: &str, prefix: &Utf8Path, finding: &Finding) -> String {
    format!(
        "::{command} file={},line={},col={},title={}::{}",
        property(&below(prefix, &finding.path)),
        finding.line,
        finding.column,
        finding.code,
        data(&finding.text())
    )
}

/// A path relative to the repository's root, with `/`.
pub(super) fn below(prefix: &Utf8Path, path: &str) -> String {
    files::slashed(&prefix.join(path))
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Appends a summary to that of the step on GitHub; elsewhere does nothing.
///
/// # Errors
/// When the file that GitHub names cannot be written.
pub fn add_summary(summary: &str) -> Result<()> {
    match std::env::var("GITHUB_STEP_SUMMARY") {
        Ok(path) if !path.is_empty() => files::append(Utf8Path::new(&path), summary.as_bytes())
            .context("failed to add to $GITHUB_STEP_SUMMARY"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotation_is_escaped() {
        let path = "docs/a,b:c-plan.md";
        let finding = Finding::new(
            crate::lint::evidence::UNPROVEN_CLAIM,
            path,
            3,
            "100 %\n::error::x",
        );
        assert_eq!(
            annotation("error", Utf8Path::new("rust"), &finding),
            "::error file=rust/docs/a%2Cb%3Ac-plan.md,line=3,col=1,title=POC020::100 %25%0A::error::x"
        );
    }
}
