//! Neutralizes CI commands in the output of programs.
//!
//! GitHub, Azure Pipelines and `TeamCity` read commands from the log of a job: `::add-mask::x`, `##[error]x`,
//! `##vso[task.setvariable]x`, `##teamcity[buildStop]`. A test that prints one must not control the job. An inserted space neutralizes the
//! command and keeps the text readable.

/// Variables that CI services set.
const SERVICES: [&str; 4] = ["CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"];
/// The longest text before the bracket of a command.
const LONGEST: usize = "##teamcity".len();

/// Whether a CI service reads the output of this program.
#[must_use]
pub fn is_read_by_ci() -> bool {
    SERVICES.iter().any(|name| std::env::var_os(name).is_some())
}

/// Neutralizes the commands in a stream of bytes; a command may be split.
#[derive(Debug, Default)]
pub struct CiCommands {
    /// The end of the open line, at most [`LONGEST`] bytes.
    end: Vec<u8>,
    /// Whether the line contains more than white space before `end`.
    begun: bool,
}

impl CiCommands {
    /// `bytes` without commands.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if self.completes(*byte) {
                kept.push(b' ');
            }
            kept.push(*byte);
            self.remember(*byte);
        }
        kept
    }

    /// Whether `byte` completes a command.
    fn completes(&self, byte: u8) -> bool {
        let ends = |text: &str| self.end.ends_with(text.as_bytes());
        match byte {
            b':' => !self.begun && self.end.trim_ascii() == b":",
            b'[' => ends("##") || ends("##vso") || ends("##teamcity"),
            _ => false,
        }
    }

    fn remember(&mut self, byte: u8) {
        if matches!(byte, b'\n' | b'\r') {
            self.end.clear();
            self.begun = false;
            return;
        }
        if self.end.len() == LONGEST {
            self.begun |= !self.end[0].is_ascii_whitespace();
            self.end.remove(0);
        }
        self.end.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_commands_are_neutralized() {
        let cases = [
            ("::add-mask::x\n", ": :add-mask::x\n"),
            ("  ::error::x\n", "  : :error::x\n"),
            ("a ##vso[task.x]\n", "a ##vso [task.x]\n"),
            (
                "##[group]a\r##teamcity[b]\n",
                "## [group]a\r##teamcity [b]\n",
            ),
            ("std::vec::Vec [1] # [a]\n", "std::vec::Vec [1] # [a]\n"),
            ("                    ::x\n", "                    : :x\n"),
        ];
        for (text, expected) in cases {
            for size in 1..text.len() {
                let mut commands = CiCommands::default();
                let kept: Vec<u8> = text
                    .as_bytes()
                    .chunks(size)
                    .flat_map(|chunk| commands.take(chunk))
                    .collect();
                assert_eq!(String::from_utf8(kept).unwrap(), expected);
            }
        }
    }
}
