//! For people at a terminal: the selection of `affected`.

use anyhow::Result;

use crate::affected::{Reason, Selection};
use crate::change::Change;
use crate::terminal::{BOLD, DIM, LITERAL, Terminal};
use crate::workspace::Workspace;

/// The selection by package, a line a target; with reasons where `explain` asks for them.
///
/// # Errors
/// When the output cannot be written.
pub fn selection(
    terminal: &mut Terminal,
    workspace: &Workspace,
    change: &Change,
    selection: &Selection,
    explain: Option<&str>,
) -> Result<()> {
    let out = terminal.out();
    let base = change
        .base
        .as_deref()
        .map_or("given files".to_owned(), |base| {
            format!("since {}", &base[..base.len().min(12)])
        });
    writeln!(
        out,
        "{BOLD}{} of {} test targets{BOLD:#} can be affected by {} changed files ({base})",
        selection.targets.len(),
        selection.total,
        change.files.len()
    )?;
    for package in selection.packages() {
        let member = &workspace.packages[package];
        let targets = selection
            .targets
            .iter()
            .filter(|(target, _)| target.package == package);
        if explain.is_none() {
            let kinds: Vec<String> = targets.map(|(target, _)| target.kind.to_string()).collect();
            writeln!(
                out,
                "  {LITERAL}{}{LITERAL:#}  {}",
                member.name,
                kinds.join(", ")
            )?;
            continue;
        }
        for (target, reasons) in targets {
            let name = format!("{} {}", member.name, target.kind);
            let wanted = |reason: &&Reason| {
                explain.is_none_or(|text| name.contains(text) || reason.file.contains(text))
            };
            let reasons: Vec<&Reason> = reasons.iter().filter(wanted).collect();
            if reasons.is_empty() {
                continue;
            }
            writeln!(out, "  {LITERAL}{name}{LITERAL:#}")?;
            for reason in reasons {
                writeln!(out, "    {}", reason_line(workspace, reason))?;
            }
        }
    }
    for (file, why) in &selection.without_effect {
        if explain.is_some_and(|text| file.contains(text)) {
            writeln!(out, "  {DIM}{file}: no test ({why}){DIM:#}")?;
        }
    }
    Ok(())
}

/// `src/a.rs (source of the package) and 2 more → core → app`.
#[must_use]
pub fn reason_line(workspace: &Workspace, reason: &Reason) -> String {
    let more = match reason.more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names: Vec<&str> = reason
        .chain
        .iter()
        .map(|package| workspace.packages[*package].name.as_str())
        .collect();
    format!(
        "{}{more} ({}) → {}",
        reason.file,
        reason.rule,
        names.join(" → ")
    )
}
