//! One configuration that was found, and why.

use crate::workspace::Configuration;

/// A configuration that a file of the project tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The configuration, with a proposed name.
    pub configuration: Configuration,
    /// The command, without its tests; of a build for documentation its options.
    pub command: String,
    /// Whether it runs tests; else it builds documentation.
    pub runs_tests: bool,
    /// Whether it tests one of several features that are never tested together.
    pub is_alternative: bool,
    /// The file that runs it, relative to the workspace root.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl Detected {
    /// The reason for the proposal: `CI.yml:79 runs cargo test --all-features`.
    #[must_use]
    pub fn reason(&self) -> String {
        let verb = if self.runs_tests {
            "runs"
        } else {
            "builds documentation with"
        };
        format!("{}:{} {verb} `{}`", self.file, self.line, self.command)
    }

    /// Whether it is a build for this machine with options, so that it can run here. `all` are the detected configurations: another
    /// profile alone tests nothing else.
    #[must_use]
    pub fn is_for_here(&self, all: &[Self]) -> bool {
        let configuration = &self.configuration;
        let usual = Configuration {
            name: None,
            profile: None,
            ..configuration.clone()
        };
        let is_known = || {
            let mut others = all.iter().map(|other| &other.configuration);
            usual.is_plain()
                || others.any(|other| {
                    let other = Configuration {
                        name: None,
                        ..other.clone()
                    };
                    other == usual
                })
        };
        !configuration.is_plain()
            && configuration.target.is_none()
            && (configuration.profile.is_none() || !is_known())
    }
}
