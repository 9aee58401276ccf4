//! `[workspace.metadata.poc.configurations]`: named build configurations, and the one of this run.

use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::script::cargo_arguments::cargo_arguments;
use crate::workspace::graph::nearest;
use crate::workspace::{Configuration, PackageId, Workspace};

/// One table of `configurations`, as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct WrittenConfiguration {
    features: Vec<String>,
    all_features: bool,
    no_default_features: bool,
    target: Option<String>,
    profile: Option<String>,
    environment: BTreeMap<String, String>,
    arguments: Vec<String>,
    packages: Vec<String>,
}

/// Arguments of cargo that have a key, because the program has to know their values.
const KEYS: [(&str, &str); 9] = [
    ("--features", "features"),
    ("--all-features", "all-features"),
    ("--no-default-features", "no-default-features"),
    ("--target", "target"),
    ("--profile", "profile"),
    ("--cargo-profile", "profile"),
    ("--release", "profile"),
    ("--package", "packages"),
    ("--workspace", "packages"),
];

impl WrittenConfiguration {
    /// The configuration of a workspace, for another commit of it.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        let configuration = &workspace.configuration;
        let packages = configuration.packages.iter();
        Self {
            features: configuration.features.clone(),
            all_features: configuration.all_features,
            no_default_features: configuration.no_default_features,
            target: configuration.target.clone(),
            profile: configuration.profile.clone(),
            environment: configuration.environment.clone(),
            arguments: configuration.arguments.clone(),
            packages: packages
                .map(|package| workspace.packages[*package].name.to_string())
                .collect(),
        }
    }

    /// Resolves the configuration with this name.
    ///
    /// # Errors
    /// A package or feature that does not exist, or an argument that has a key.
    pub(super) fn resolve(
        &self,
        workspace: &Workspace,
        name: Option<&str>,
    ) -> Result<Configuration> {
        let (arguments, for_tests) = cargo_arguments(&self.arguments);
        for argument in arguments {
            if let Some((flag, key)) = KEYS.iter().find(|(known, _)| *known == argument.name) {
                bail!("`{flag}` has a key: write `{key} = …`");
            }
        }
        if !for_tests.is_empty() {
            bail!("arguments after `--` are for the tests; pass them to `cargo poc verify`");
        }
        let packages = self.packages.iter().map(|spec| workspace.find(spec));
        let configuration = Configuration {
            name: name.map(str::to_owned),
            features: self.features.clone(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
            target: self.target.clone(),
            profile: self.profile.clone(),
            environment: self.environment.clone(),
            arguments: self.arguments.clone(),
            packages: packages.collect::<Result<_>>()?,
        };
        check_features(workspace, &configuration)?;
        Ok(configuration)
    }
}

/// The configuration that the options of the command line choose from `named`: the one they name, else the default; feature
/// flags replace its features, `--target` and `--profile` its own.
///
/// # Errors
/// If no configuration has this name, or no package has a feature.
pub(super) fn choose(
    options: &Configuration,
    workspace: &Workspace,
    named: &BTreeMap<String, Configuration>,
    default: Option<&str>,
) -> Result<Configuration> {
    let mut chosen = match options.name.as_deref().or(default) {
        None => Configuration::default(),
        Some(name) => match named.get(name) {
            Some(configuration) => configuration.clone(),
            None => bail!(unknown(name, named)),
        },
    };
    if options.is_plain() {
        return Ok(chosen);
    }
    chosen.name = None;
    if options.all_features || options.no_default_features || !options.features.is_empty() {
        chosen.features.clone_from(&options.features);
        chosen.all_features = options.all_features;
        chosen.no_default_features = options.no_default_features;
        check_features(workspace, &chosen)?;
    }
    chosen.target = options.target.clone().or(chosen.target);
    chosen.profile = options.profile.clone().or(chosen.profile);
    Ok(chosen)
}

/// The error message for an unknown configuration.
pub(super) fn unknown(name: &str, named: &BTreeMap<String, Configuration>) -> String {
    if name.contains('=') || Utf8Path::new(name).extension() == Some("toml") {
        return format!(
            "`--config {name}`: here `--config` names a configuration of the workspace; cargo's own `--config` goes into \
             `arguments` of one, or into .cargo/config.toml"
        );
    }
    let known: Vec<&str> = named.keys().map(String::as_str).collect();
    if known.is_empty() {
        return format!(
            "no configuration `{name}`: the workspace has none; add [workspace.metadata.poc.configurations.{name}]"
        );
    }
    format!(
        "no configuration `{name}`; the configurations are {}{}",
        known.join(", "),
        nearest(name, &known)
    )
}

/// Checks that cargo would accept the features: each belongs to a package of the configuration.
pub(super) fn check_features(workspace: &Workspace, configuration: &Configuration) -> Result<()> {
    let packages: BTreeSet<PackageId> = (0..workspace.packages.len())
        .filter(|package| configuration.applies_to(*package))
        .collect();
    let members = || packages.iter().map(|package| &workspace.packages[*package]);
    for feature in &configuration.features {
        match feature.split_once('/') {
            None => {
                let declared = || members().flat_map(|member| member.features.keys());
                if !declared().any(|known| known == feature) {
                    let names: BTreeSet<&str> = declared().map(String::as_str).collect();
                    let names: Vec<&str> = names.into_iter().collect();
                    let of = if configuration.packages.is_empty() {
                        ""
                    } else {
                        " of the configuration"
                    };
                    bail!(
                        "no package{of} has a feature `{feature}`{}",
                        nearest(feature, &names)
                    );
                }
            }
            Some((owner, name)) => {
                let member = workspace
                    .packages
                    .iter()
                    .find(|member| member.name.as_str() == owner);
                let Some(member) = member else {
                    // The features of a dependency outside the workspace are unknown.
                    continue;
                };
                if !member.features.contains_key(name) {
                    let names: Vec<&str> = member.features.keys().map(String::as_str).collect();
                    bail!("`{owner}` has no feature `{name}`{}", nearest(name, &names));
                }
            }
        }
    }
    Ok(())
}
