//! The commands of a shell block, each with its expectations.
//!
//! bash determines where a command ends: lines are added until `bash -n`, which only parses, accepts them. So multi-line quotes,
//! here-documents, compound commands and comments in strings are parsed as when they run.

use std::ops::Range;

use anyhow::Result;

use super::comments::{continuation, expectation, is_commented_out, is_numbered};
use super::expectation::{Assertion, Expectation, Expected};
use super::lexer::Lexer;
use super::measure::Limit;
use super::simple_commands::{self, Command};
use crate::sys::exec;

/// A command of a block.
#[derive(Debug, Clone)]
pub struct ScriptCommand {
    /// The text without its line end.
    pub script: String,
    /// The simple commands that it consists of.
    pub(crate) commands: Vec<Command>,
    /// The index of its block, from 0.
    pub block: usize,
    /// Its lines in the block, from 0.
    pub lines: Range<usize>,
    /// Its expectations; all have to be met.
    pub expected: Vec<Expected>,
}

impl ScriptCommand {
    /// The limits of measured values that it is expected to meet.
    pub(crate) fn limits(&self) -> impl Iterator<Item = &Limit> {
        let expected = self.expected.iter();
        let assertions = expected.flat_map(|expected| expected.meaning.assertions());
        assertions.filter_map(|assertion| match assertion {
            Assertion::Measured(limit) => Some(&**limit),
            _ => None,
        })
    }

    /// Whether a part of it can run at the same time as another part, or as the commands after it.
    pub(crate) fn runs_beside_others(&self) -> bool {
        let substitutes = self.script.contains("<(") || self.script.contains(">(");
        substitutes || self.commands.iter().any(Command::runs_beside_next)
    }
}

/// The commands of a block.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// In order.
    pub list: Vec<ScriptCommand>,
    /// Expectations without a command, because the command is commented out.
    pub optional: Vec<Expected>,
}

impl Script {
    /// Splits a block with this index into commands.
    ///
    /// # Errors
    /// When bash cannot be started.
    pub fn of(block: usize, script: &str) -> Result<Self> {
        let script = script.replace("\r\n", "\n");
        let lines: Vec<&str> = script.split('\n').collect();
        let mut reader = Reader {
            block,
            ..Reader::default()
        };
        let mut at = 0;
        while at < lines.len() {
            let line = lines[at].trim();
            at = if line.is_empty() {
                at + 1
            } else if line.starts_with('#') {
                reader.comment(&lines, at)
            } else {
                let end = end_of_command(&lines, at, &mut is_whole)?;
                reader.command(&lines, at..end)?;
                end
            };
        }
        Ok(reader.finish())
    }
}

/// The line after the command that starts at `start`. Text that bash cannot parse is one command up to the end; running it reports the
/// syntax error.
fn end_of_command(
    lines: &[&str],
    start: usize,
    is_whole: &mut dyn FnMut(&str) -> Result<bool>,
) -> Result<usize> {
    let text = lines[start..].join("\n");
    let mut lexer = Lexer::new(&text, 1);
    let ends: Vec<usize> = std::iter::from_fn(|| lexer.next_end())
        .map(|length| start + length)
        .collect();
    // The lexer may be wrong: after the ends that it found, every other line.
    let others = (start + 1..=lines.len()).filter(|end| !ends.contains(end));
    for end in ends.iter().copied().chain(others) {
        if is_whole(&lines[start..end].join("\n"))? {
            return Ok(end);
        }
    }
    Ok(lines.len())
}

/// Whether bash accepts a text as a complete command. A line that ends in a backslash continues; bash only warns about a here-document
/// without its end.
fn is_whole(text: &str) -> Result<bool> {
    let backslashes = text.len() - text.trim_end_matches('\\').len();
    if backslashes % 2 == 1 {
        return Ok(false);
    }
    let command = super::shell::bash()
        .args(["-n", "-c", text])
        .env("LC_ALL", "C");
    let answer = exec::capture(&command)?;
    let warning = String::from_utf8_lossy(&answer.stderr);
    Ok(answer.ended.success() && !warning.contains("here-document"))
}

#[derive(Default)]
struct Reader {
    block: usize,
    commands: Script,
    /// The command of an expectation below.
    owner: Option<usize>,
    /// Whether the last command is commented out.
    commented_out: bool,
    /// Expectations above their command, such as the first of a block.
    above: Option<Vec<Expected>>,
}

impl Reader {
    fn command(&mut self, lines: &[&str], range: Range<usize>) -> Result<()> {
        let script = lines[range.clone()].join("\n");
        let mut expected = self.above.as_mut().map(std::mem::take).unwrap_or_default();
        let last = lines[range.end - 1];
        let before = script.len() - last.len();
        for (at, _) in last.match_indices('#') {
            let comment = expectation(&last[at..]);
            let spaced = last[..at].ends_with([' ', '\t']);
            if let Some(text) = comment.filter(|_| spaced)
                && is_whole(&script[..before + at])?
            {
                expected.push(Expected::new(text, range.end - 1..range.end));
                break;
            }
        }
        self.owner = Some(self.commands.list.len());
        self.commented_out = false;
        self.commands.list.push(ScriptCommand {
            commands: simple_commands::of_text(&script, 1),
            script,
            block: self.block,
            lines: range,
            expected,
        });
        Ok(())
    }

    /// Parses a comment and its continuation lines.
    fn comment(&mut self, lines: &[&str], at: usize) -> usize {
        let Some(first) = expectation(lines[at].trim()) else {
            if is_commented_out(lines[at]) || is_numbered(lines[at]) {
                self.owner = None;
                self.commented_out |= is_commented_out(lines[at]);
            }
            return at + 1;
        };
        let mut text = first.to_owned();
        let mut end = at + 1;
        while let Some(more) = lines.get(end).and_then(|line| continuation(line)) {
            text.push('\n');
            text.push_str(more);
            end += 1;
        }
        self.expect(Expected::new(&text, at..end));
        end
    }

    fn expect(&mut self, expected: Expected) {
        if self.commands.list.is_empty() && !self.commented_out {
            self.above.get_or_insert_default();
        }
        match (&mut self.above, self.owner) {
            (Some(above), _) if !self.commented_out => above.push(expected),
            (_, Some(owner)) => self.commands.list[owner].expected.push(expected),
            _ => self.commands.optional.push(expected),
        }
    }

    /// An expectation without a command below it belongs to the one above.
    fn finish(mut self) -> Script {
        for expected in self.above.unwrap_or_default() {
            match self.commands.list.last_mut() {
                Some(command) => command.expected.push(expected),
                None => self.commands.optional.push(expected),
            }
        }
        self.commands
    }
}

impl Expected {
    fn new(text: &str, lines: Range<usize>) -> Self {
        let text = text.trim().to_owned();
        Self {
            meaning: Expectation::read(&text),
            text,
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command with its expectations.
    fn read(script: &str) -> Vec<(String, Vec<String>)> {
        let commands = Script::of(0, script).expect("bash");
        let told = |command: &ScriptCommand| {
            let expected = command.expected.iter().map(|one| one.text.clone());
            (command.script.clone(), expected.collect())
        };
        commands.list.iter().map(told).collect()
    }

    fn one(script: &str, expected: &[&str]) -> (String, Vec<String>) {
        (
            script.to_owned(),
            expected.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn each_command_has_its_expectations() {
        let script = "# 1. build\ncargo build\n\n# 2. test\ncargo test -p a\n# Expected: 12 passed\r\ncargo test -p b # Expected: \
                      3 passed\n\n# expected output: \"ok\"\n";
        assert_eq!(
            read(script),
            [
                one("cargo build", &[]),
                one("cargo test -p a", &["12 passed"]),
                one(
                    "cargo test -p b # Expected: 3 passed",
                    &["3 passed", "\"ok\""]
                ),
            ]
        );
    }

    #[test]
    fn commands_end_as_in_bash() {
        let script = "echo 'one\n# Expected: in a string\ntwo'\n# Expected: \"one\"\ncat <<'END' |\n# Expected: in a document\nEND\n  cat\nfor x \
                      in a b; do\n  # Expected: inside\n  echo $x\ndone\n# Expected: \"a\"\necho a \\\n  b\n\ntest a &&\n  test b\nf() {\n  echo\n}\necho \"a # Expected: \
                      b\"\n";
        let commands = read(script);
        let heads: Vec<&str> = commands.iter().map(|(script, _)| &script[..5]).collect();
        assert_eq!(
            heads,
            [
                "echo ", "cat <", "for x", "echo ", "test ", "f() {", "echo "
            ]
        );
        let expected: Vec<usize> = commands
            .iter()
            .map(|(_, expected)| expected.len())
            .collect();
        assert_eq!(expected, [1, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn continued_expectations() {
        let script = "a\n# Expected: 293 passed,\n#   2 ignored\n# 2. next\nb\n# Expected:\n#   \"x\"\n#   \"y\"\n# Expected: <1s\n";
        assert_eq!(
            read(script),
            [
                one("a", &["293 passed,\n2 ignored"]),
                one("b", &["\"x\"\n\"y\"", "<1s"])
            ]
        );
    }

    #[test]
    fn commented_out_command_keeps_its_expectation() {
        let script = "cargo test -p a\n\n# 2. (Optional) Full suite\n# cargo test --workspace\n# Expected: All pass\n\n# 3. demo\n./demo\n# \
                      Expected: \"ok\"\n";
        assert_eq!(
            read(script),
            [one("cargo test -p a", &[]), one("./demo", &["\"ok\""])]
        );
        assert_eq!(Script::of(0, script).expect("bash").optional.len(), 1);
        let first = "# cargo bench\n# Expected: fast\ncargo test\n";
        assert_eq!(read(first), [one("cargo test", &[])]);
    }

    #[test]
    fn expectations_above_their_commands() {
        let script = "# Expected: All pass\ncargo test\n\n# Expected: \"ok\"\n./demo\n";
        assert_eq!(
            read(script),
            [one("cargo test", &["All pass"]), one("./demo", &["\"ok\""])]
        );
    }

    #[test]
    fn a_long_here_document_is_parsed_once() {
        let script = format!("cat <<'END'\n{}END\ntrue", "a line\n".repeat(600));
        let lines: Vec<&str> = script.split('\n').collect();
        let mut asked = 0;
        let end = end_of_command(&lines, 0, &mut |text| {
            asked += 1;
            is_whole(text)
        });
        assert_eq!((end.unwrap(), asked), (602, 1));
    }

    #[test]
    fn text_that_bash_cannot_parse_is_one_command() {
        assert_eq!(
            read("true\nfi\ntrue\n"),
            [one("true", &[]), one("fi\ntrue\n", &[])]
        );
        assert_eq!(read("# nothing\n\n"), []);
    }
}
