//! For people at a terminal: the selection of `affected`.

use anyhow::Result;

use super::counted;
use crate::affected::{Reason, Selection};
use crate::change::Change;
use crate::terminal::{BOLD, DIM, LITERAL, Terminal};
use crate::workspace::Workspace;

/// Files that reach no test, shown unasked.
const UNREAD: usize = 5;

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
        "{BOLD}{} of {} test targets{BOLD:#} can be affected by {} ({base})",
        selection.targets.len(),
        selection.total,
        counted(change.files.len(), "changed file")
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
    let unread: Vec<&(String, String)> = selection
        .without_effect
        .iter()
        .filter(|(file, _)| explain.is_none_or(|text| file.contains(text)))
        .collect();
    let shown = if explain.is_some() {
        unread.len()
    } else {
        UNREAD
    };
    for (file, why) in unread.iter().take(shown) {
        writeln!(out, "  {DIM}{file}: no test ({why}){DIM:#}")?;
    }
    if unread.len() > shown {
        let more = unread.len() - shown;
        writeln!(
            out,
            "  {DIM}and {more} more files that reach no test; --explain lists them{DIM:#}"
        )?;
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
