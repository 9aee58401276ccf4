//! A build configuration: what decides how cargo builds the workspace, and with that which tests there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id::PackageId;

/// Everything that decides a build besides the sources. The default is a build without any option.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Its name in `[workspace.metadata.poc.configurations]`; `None` where it has none or flags have changed it.
    pub name: Option<String>,
    /// Features as cargo's `--features` takes them: `feature` or `package/feature`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--target`: a triple or a file.
    pub target: Option<String>,
    /// `--profile`; `release` for `--release`.
    pub profile: Option<String>,
    /// Variables that cargo and the tests see.
    pub environment: BTreeMap<String, String>,
    /// Further arguments for cargo, before `--`.
    pub arguments: Vec<String>,
    /// The packages that are built so; empty for all.
    pub packages: BTreeSet<PackageId>,
}

impl Configuration {
    /// Whether the build is one without any option.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let named = Self {
            name: self.name.clone(),
            ..Self::default()
        };
        *self == named
    }

    /// Whether the package is built in this configuration.
    #[must_use]
    pub fn applies_to(&self, package: PackageId) -> bool {
        self.packages.is_empty() || self.packages.contains(&package)
    }

    /// The features of the configuration as one would type them for the whole workspace.
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

    /// Target, profile and further arguments, as `cargo test` and `cargo check` take them.
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

    /// Everything that decides the build, as text that is equal for equal builds; `None` for a build without options. The
    /// name of a configuration is no part of it.
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
    fn a_name_alone_decides_nothing() {
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
