//! Options that several commands share.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::workspace::Configuration;

/// Build options: a named configuration, and cargo's flags, which override it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Build {
    /// Use this configuration of [workspace.metadata.poc.configurations] [default: its default-configuration]
    #[arg(
        long,
        value_name = "NAME",
        env = "CARGO_POC_CONFIG",
        help_heading = "Build options"
    )]
    pub config: Option<String>,
    /// Features to activate, separated by spaces or commas (repeatable)
    #[arg(
        short = 'F',
        long,
        value_name = "FEATURES",
        help_heading = "Build options"
    )]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long, help_heading = "Build options")]
    pub all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long, help_heading = "Build options")]
    pub no_default_features: bool,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE", help_heading = "Build options")]
    pub target: Option<String>,
    /// Build with this cargo profile
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "release",
        help_heading = "Build options"
    )]
    pub profile: Option<String>,
    /// Build with the release profile
    #[arg(short = 'r', long, help_heading = "Build options")]
    pub release: bool,
}

impl Build {
    /// The options as a configuration, whose name is that of `--config`.
    #[must_use]
    pub fn choice(&self) -> Configuration {
        let features = self.features.iter();
        let features = features.flat_map(|list| list.split([',', ' ']));
        Configuration {
            name: self.config.clone(),
            features: features
                .filter(|feature| !feature.is_empty())
                .map(str::to_owned)
                .collect(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
            target: self.target.clone(),
            profile: if self.release {
                Some("release".to_owned())
            } else {
                self.profile.clone()
            },
            ..Configuration::default()
        }
    }
}

/// The PoCs of a report.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// Name of the PoC [default: all]
    pub name: Option<String>,
    /// Read this plan, in any folder: of cargo poc, tasks.md of spec-kit or OpenSpec, or a task of Backlog.md. Outside a workspace, some states are unknown
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub plan: Option<Utf8PathBuf>,
}

/// Output formats of `status`, `check` and `verify`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people.
    #[default]
    Human,
    /// Version 1 of the documented format.
    Json,
    /// Annotations for GitHub Actions, and a summary in $GITHUB_STEP_SUMMARY.
    Github,
    /// JUnit XML. `status` and `check` write one suite for the steps and one for the findings of each PoC. `verify` writes one
    /// suite for the commands and one for the tests of each binary.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Tables in Markdown, for a comment on a pull request.
    Markdown,
}
