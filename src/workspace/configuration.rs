//! A build configuration: the options that determine the build of the workspace, and so its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::PackageId;

/// Everything that determines a build besides the sources. The default is a build without options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its name in `[workspace.metadata.poc.configurations]`; `None` if it has none or flags have changed it.
    pub name: Option<String>,
    /// Features as in cargo's `--features`: `feature` or `package/feature`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--target`: a triple or a file.
    pub target: Option<String>,
    /// `--profile`; `release` for `--release`.
    pub profile: Option<String>,
    /// Environment variables for cargo and the tests.
    pub environment: BTreeMap<String, String>,
    /// Further arguments for cargo, before `--`.
    pub arguments: Vec<String>,
    /// The packages to build; empty for all.
    pub packages: BTreeSet<PackageId>,
}

impl Configuration {
    /// Whether the build has no options.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let named = Self {
            name: self.name.clone(),
            ..Self::default()
        };
        *self == named
    }

    /// Whether the configuration includes the package.
    #[must_use]
    pub fn applies_to(&self, package: PackageId) -> bool {
        self.packages.is_empty() || self.packages.contains(&package)
    }

    /// The features as arguments for the whole workspace.
    #[must_use]
    pub fn feature_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if self.all_features {
            arguments.push("--all-features".to_owned());
        }
        if self.no_default_features {
            arguments.push("--no-default-features".to_owned());
        }
        if !self.features.is_empty() {
            arguments.extend(["--features".to_owned(), self.features.join(",")]);
        }
        arguments
    }

    /// Target, profile and further arguments of `cargo test` and `cargo check`.
    #[must_use]
    pub fn build_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(target) = &self.target {
            arguments.extend(["--target".to_owned(), target.clone()]);
        }
        match self.profile.as_deref() {
            Some("release") => arguments.push("--release".to_owned()),
            Some(profile) => arguments.extend(["--profile".to_owned(), profile.to_owned()]),
            None => {}
        }
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }

    /// Everything that determines the build as text, equal for equal builds; `None` for a build without options. The configuration's name is not
    /// included.
    #[must_use]
    pub fn fingerprint(&self, package_name: impl Fn(PackageId) -> String) -> Option<String> {
        if self.is_plain() {
            return None;
        }
        let features: BTreeSet<&String> = self.features.iter().collect();
        let packages: BTreeSet<String> = self.packages.iter().map(|id| package_name(*id)).collect();
        Some(format!(
            "{features:?} {} {} {:?} {:?} {:?} {:?} {packages:?}",
            self.all_features,
            self.no_default_features,
            self.target,
            self.profile,
            self.environment,
            self.arguments
        ))
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = self.environment.iter();
        let variables = environment.map(|(name, value)| {
            let quoted = shlex::try_quote(value).unwrap_or(value.into());
            format!("{name}={quoted}")
        });
        let arguments = [self.feature_arguments(), self.build_arguments()].concat();
        let arguments = arguments.iter().map(|word| {
            let quoted = shlex::try_quote(word).unwrap_or(word.into());
            quoted.into_owned()
        });
        let flags = variables.chain(arguments).collect::<Vec<_>>().join(" ");
        match (&self.name, flags.is_empty()) {
            (Some(name), true) => write!(formatter, "{name}"),
            (Some(name), false) => write!(formatter, "{name} ({flags})"),
            (None, true) => formatter.write_str("no options"),
            (None, false) => formatter.write_str(&flags),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_does_not_affect_the_fingerprint() {
        let named = Configuration {
            name: Some("all".to_owned()),
            ..Configuration::default()
        };
        assert!(named.is_plain());
        assert_eq!(named.fingerprint(|id| id.to_string()), None);
        let release = Configuration {
            profile: Some("release".to_owned()),
            all_features: true,
            ..named.clone()
        };
        assert!(!release.is_plain());
        assert_eq!(release.to_string(), "all (--all-features --release)");
        let other = Configuration {
            name: None,
            ..release.clone()
        };
        let of = |configuration: &Configuration| configuration.fingerprint(|id| id.to_string());
        assert_eq!(of(&release), of(&other));
    }
}
