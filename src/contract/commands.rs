//! The commands of a block in the form that contracts compare.

use serde::{Deserialize, Serialize};

use super::wording::is_placeholder;
use crate::script::commands::{continuation, expectation};

/// A command and its expectations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedCommand {
    /// The command on one line.
    pub command: String,
    /// The texts after `# Expected:`.
    pub expected: Vec<String>,
}

/// Every command on one line (lines that end in a backslash are joined), with the expectations in comments after or below it.
pub(super) fn read(script: &str) -> Vec<LockedCommand> {
    let mut promises: Vec<LockedCommand> = Vec::new();
    let mut open = String::new();
    let mut expects = false;
    for line in script.lines().map(str::trim) {
        if open.is_empty() && line.starts_with('#') {
            let text = expectation(line);
            let more = continuation(line).filter(|_| expects);
            expects = text.is_some() || more.is_some();
            // Skip a placeholder: filling it in later is not an added command.
            if text.is_none() && more.is_none() && is_placeholder(line) {
                promises.push(LockedCommand {
                    command: line.to_owned(),
                    expected: Vec::new(),
                });
            }
            let Some(promise) = promises.last_mut() else {
                continue;
            };
            if let Some(text) = text {
                promise.expected.push(text.to_owned());
            } else if let (Some(more), Some(last)) = (more, promise.expected.last_mut()) {
                let gap = if last.is_empty() { "" } else { "\n" };
                last.push_str(gap);
                last.push_str(more);
            }
            continue;
        }
        expects = false;
        if line.is_empty() && open.is_empty() {
            continue;
        }
        let goes_on = line.ends_with('\\');
        open.push_str(line.trim_end_matches('\\').trim_end());
        if goes_on {
            open.push(' ');
            continue;
        }
        let (command, expected) = behind(&open);
        promises.push(LockedCommand { command, expected });
        open.clear();
    }
    if !open.trim().is_empty() {
        let (command, expected) = behind(open.trim());
        promises.push(LockedCommand { command, expected });
    }
    promises
}

/// Splits a command from the expectation in its trailing comment.
fn behind(line: &str) -> (String, Vec<String>) {
    let comment = line.match_indices(" #").find_map(|(at, _)| {
        let text = expectation(&line[at + 1..])?;
        Some((line[..at].trim_end().to_owned(), vec![text.to_owned()]))
    });
    comment.unwrap_or_else(|| (line.to_owned(), Vec::new()))
}
