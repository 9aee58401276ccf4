//! Prints findings like compiler diagnostics, with the line, the message and the remedy.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use anyhow::Result;

use super::sanitize;
use crate::finding::{Code, Finding, Severity};
use crate::lint::evidence::UNPROVEN_CLAIM;
use crate::lint::rules;
use crate::sys::terminal::{BOLD, DIM, LITERAL, Terminal};
use crate::sys::text::counted;

/// The maximum number of bytes of a line to show.
const WIDEST: usize = 400;

/// Prints each finding, with its line if `line` returns it: its text, and the byte of the file at which it starts.
///
/// # Errors
/// When the output cannot be written.
pub fn findings(
    terminal: &mut Terminal,
    findings: &[&Finding],
    line: &dyn Fn(&Finding) -> Option<(usize, String)>,
) -> Result<()> {
    let links = terminal.links();
    let renderer = Renderer::styled().term_width(terminal.width());
    for finding in findings {
        let line = line(finding).and_then(|(start, text)| shown_line(finding, start, &text));
        let shown = renderer.render(&[group(finding, line.as_ref())]);
        let shown = links.in_output(&shown, &sanitize(&finding.path), finding.line);
        writeln!(terminal.out(), "{shown}\n")?;
    }
    Ok(())
}

/// A line of a file, and the bytes of the finding.
struct Line {
    text: String,
    span: std::ops::Range<usize>,
}

fn shown_line(finding: &Finding, start: usize, line: &str) -> Option<Line> {
    let whole = line.trim_end();
    let blank = whole.len() - whole.trim_start_matches([' ', '\t', '\u{feff}']).len();
    let within = finding.span.as_ref().and_then(|span| {
        let span = span.start.checked_sub(start)?..span.end.checked_sub(start)?.min(whole.len());
        (!span.is_empty() && whole.get(span.clone()).is_some()).then_some(span)
    });
    let span = within.unwrap_or(blank..whole.len());
    let mark = whole.len() - whole.trim_start_matches('\u{feff}').len();
    let end = (0..=whole.len().min(WIDEST.max(span.start + 40)))
        .rev()
        .find(|end| whole.is_char_boundary(*end))?;
    let text = whole[mark..end].to_owned();
    let span = span.start.saturating_sub(mark).min(text.len())..span.end.min(end) - mark;
    Some(Line { text, span })
}

fn group<'a>(finding: &'a Finding, line: Option<&'a Line>) -> annotate_snippets::Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(sanitize(&finding.message))
        .id(finding.code.as_str());
    let path = sanitize(&finding.path);
    let mut group = match line {
        Some(line) if !line.text.is_empty() => title.element(
            Snippet::source(line.text.as_str())
                .line_start(finding.line)
                .path(path)
                .annotation(AnnotationKind::Primary.span(line.span.clone())),
        ),
        _ => title.element(
            Origin::path(path)
                .line(finding.line)
                .char_column(finding.column),
        ),
    };
    if !finding.help.is_empty() {
        group = group.element(Level::HELP.message(sanitize(&finding.help)));
    }
    if let Some(fix) = &finding.fix {
        group = group.element(Level::HELP.message(format!("`--fix` can {}", fix.what)));
    }
    group
}

/// Prints every rule with its severity, name and title.
///
/// # Errors
/// When the output cannot be written.
pub fn codes(terminal: &mut Terminal) -> Result<()> {
    let rules = rules::all();
    for code in &rules {
        let severity = severity(*code);
        writeln!(
            terminal.out(),
            "{LITERAL}{code}{LITERAL:#}  {severity:<7}  {:<26}  {}",
            code.name(),
            code.title()
        )?;
    }
    writeln!(
        terminal.out(),
        "{DIM}{}; `cargo poc check --explain {}` explains one{DIM:#}",
        counted(rules.len(), "rule"),
        UNPROVEN_CLAIM
    )?;
    Ok(())
}

/// Prints the documentation of a code.
///
/// # Errors
/// When the output cannot be written.
pub fn explanation(terminal: &mut Terminal, code: Code) -> Result<()> {
    writeln!(
        terminal.out(),
        "{BOLD}{code}: {}{BOLD:#} ({})\n\n{}",
        code.title(),
        severity(code),
        code.explain()
    )?;
    Ok(())
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
