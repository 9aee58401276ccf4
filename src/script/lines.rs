//! The commands of a shell block by its lines, without bash: for text that is compared and never run.
//!
//! Locked contracts contain commands in this form, so it must not change.

use super::comments::{continuation, expectation};

/// A line that is a command, with the lines that a backslash joins to it and its expectations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The command on one line, without an expectation after it.
    pub(crate) command: String,
    /// The texts after `# Expected:` after or below it, each with the index of its line.
    pub(crate) expected: Vec<(usize, String)>,
}

/// The commands of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandLines {
    /// The expectations above the first command, each with the index of its line.
    pub(crate) above: Vec<(usize, String)>,
    /// In order.
    pub(crate) list: Vec<CommandLine>,
}

/// Parses a block; comments for which `is_command` holds count as commands. Other comments without an expectation are skipped.
pub(crate) fn command_lines(script: &str, is_command: impl Fn(&str) -> bool) -> CommandLines {
    let mut found = CommandLines::default();
    let mut open = String::new();
    let mut expects = false;
    for (index, line) in script.lines().map(str::trim).enumerate() {
        if open.is_empty() && line.starts_with('#') {
            let text = expectation(line);
            let more = continuation(line).filter(|_| expects);
            expects = text.is_some() || more.is_some();
            if !expects && is_command(line) {
                found.list.push(CommandLine {
                    command: line.to_owned(),
                    expected: Vec::new(),
                });
            }
            let command = found.list.last_mut();
            let expected = command.map_or(&mut found.above, |command| &mut command.expected);
            if let Some(text) = text {
                expected.push((index, text.to_owned()));
            } else if let (Some(more), Some((_, last))) = (more, expected.last_mut()) {
                if !last.is_empty() {
                    last.push('\n');
                }
                last.push_str(more);
            }
            continue;
        }
        expects = false;
        if line.is_empty() && open.is_empty() {
            continue;
        }
        open.push_str(line.trim_end_matches('\\').trim_end());
        if line.ends_with('\\') {
            open.push(' ');
        } else {
            found.list.push(with_expectation(&open, index));
            open.clear();
        }
    }
    if !open.trim().is_empty() {
        found
            .list
            .push(with_expectation(open.trim(), script.lines().count() - 1));
    }
    found
}

/// Splits a command from the expectation in its trailing comment.
fn with_expectation(line: &str, index: usize) -> CommandLine {
    let comment = line.match_indices(" #").find_map(|(at, _)| {
        let text = expectation(&line[at + 1..])?;
        Some((line[..at].trim_end().to_owned(), text.to_owned()))
    });
    let (command, expected) = match comment {
        Some((command, text)) => (command, vec![(index, text)]),
        None => (line.to_owned(), Vec::new()),
    };
    CommandLine { command, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_form() {
        let script = "# Expected: first\n\n# [fill in: a command]\n\ncargo test \\\n  -p a # Expected: 3 passed\n#   and more\n                      # Expected:\n# \"x\"\n# \"y\"\n# a note\n# 2. next\necho 'a\n# b' # c\ncat \\";
        let lines = command_lines(script, |comment| comment.contains("[fill in:"));
        assert_eq!(lines.above, [(0, "first".to_owned())]);
        let line = |command: &str, expected: &[(usize, &str)]| CommandLine {
            command: command.to_owned(),
            expected: expected
                .iter()
                .map(|(index, text)| (*index, (*text).to_owned()))
                .collect(),
        };
        assert_eq!(
            lines.list,
            [
                line("# [fill in: a command]", &[]),
                line(
                    "cargo test -p a",
                    &[(5, "3 passed"), (7, "\"x\"\n\"y\"\na note")]
                ),
                line("echo 'a", &[]),
                line("cat", &[]),
            ]
        );
    }
}
