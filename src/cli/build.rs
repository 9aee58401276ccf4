//! The build options, which several commands share.

use clap::Args;

/// Build options: a named configuration, and cargo's own flags over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Build {
    /// Build in this configuration of [workspace.metadata.poc.configurations] [default: its default-configuration]
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
    /// Build with this profile of cargo
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
    /// The options as the settings take them.
    #[must_use]
    pub fn choice(&self) -> crate::config::BuildChoice {
        let features = self.features.iter();
        let features = features.flat_map(|list| list.split([',', ' ']));
        crate::config::BuildChoice {
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
        }
    }
}
