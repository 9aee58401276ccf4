//! For GitHub Actions: workflow commands for annotations, and a summary in Markdown.
//!
//! Source of the escapes and limits: GitHub's documentation, "Workflow commands" (`%`, carriage return and line feed
//! everywhere; `:` and `,` in properties too), and 10 error and 10 warning annotations a step.

use std::fmt::Write as _;

use anyhow::Result;
use camino::Utf8Path;

use crate::finding::{Finding, Severity};
use crate::status::Status;
use crate::terminal::Terminal;

/// Annotations of one severity that GitHub shows for a step.
const SHOWN: usize = 10;

/// Prints annotations for the findings, as many as GitHub shows; the rest is in [`summary`]. `prefix` is the
/// workspace's folder within the repository, which GitHub takes paths from.
///
/// # Errors
/// When the output cannot be written.
pub fn annotations<'a>(
    terminal: &mut Terminal,
    prefix: &Utf8Path,
    findings: impl IntoIterator<Item = &'a Finding>,
) -> Result<()> {
    let findings: Vec<&Finding> = findings.into_iter().collect();
    for (severity, command) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        for finding in findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .take(SHOWN)
        {
            writeln!(terminal.out(), "{}", annotation(command, prefix, finding))?;
        }
    }
    Ok(())
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

/// A path of the workspace from the repository's root, with `/`.
pub(super) fn below(prefix: &Utf8Path, path: &str) -> String {
    prefix.join(path).as_str().replace('\\', "/")
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary that a step appends to `$GITHUB_STEP_SUMMARY`: a table of PoCs and steps, and every finding.
#[must_use]
pub fn summary(prefix: &Utf8Path, statuses: &[Status]) -> String {
    let mut text = String::from(
        "## cargo poc\n\n| PoC | State | Steps proven | Next |\n|-----|-------|--------------|------|\n",
    );
    for status in statuses {
        let (proven, steps) = status.proven();
        let next = status
            .next
            .as_ref()
            .map_or(String::new(), |next| format!("`{}`", cell(&next.command)));
        let _ = writeln!(
            text,
            "| {} | {} | {proven}/{steps} | {next} |",
            cell(&status.name),
            status.state.word(),
        );
    }
    let findings: Vec<&Finding> = statuses
        .iter()
        .flat_map(|status| &status.findings)
        .collect();
    if !findings.is_empty() {
        text.push_str("\n| Finding | Where | What |\n|---------|-------|------|\n");
    }
    for finding in findings {
        let _ = writeln!(
            text,
            "| {} | {}:{} | {} |",
            finding.code,
            cell(&below(prefix, &finding.path)),
            finding.line,
            cell(&finding.text())
        );
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;

    #[test]
    fn nothing_in_a_finding_can_end_its_annotation() {
        let path = "docs/a,b:c-plan.md";
        let finding = Finding::new(Code::Claimed, path, 3, "100 %\n::error::x");
        assert_eq!(
            annotation("error", Utf8Path::new("rust"), &finding),
            "::error file=rust/docs/a%2Cb%3Ac-plan.md,line=3,col=1,title=POC020::100 %25%0A::error::x"
        );
    }
}
