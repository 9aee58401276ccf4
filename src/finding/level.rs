//! Levels of findings, as `[workspace.metadata.poc.lints]` and `-A`, `-W` and `-D` set them.

use clap::ValueEnum;
use serde::Deserialize;

/// How findings of a rule are reported, with the names of rustc's lint levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not reported.
    Allow,
    /// A warning.
    Warn,
    /// An error.
    Deny,
}

/// The level that a user gives to a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The code or name of a rule, or `warnings`.
    pub lint: String,
    /// The level.
    pub level: Level,
    /// Whether the manifest sets it, and not the command line.
    pub in_manifest: bool,
}
