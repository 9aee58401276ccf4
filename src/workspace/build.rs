//! Applies a workspace's configuration to its packages: the resolver's rules, features, and `cfg` options.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use cargo_metadata::Dependency;

use super::configuration::Configuration;
use super::derived::{Derived, Enabled, Platforms};
use super::features;
use super::manifest::Manifest;
use super::resolver::Resolver;
use super::source::attribute::attributes;
use super::source::cfg::{Build, CfgOptions, Compiled, Features, Predicate};
use super::source::syntax::Syntax;
use super::{PackageId, Workspace};
use crate::sys::{cargo, files};

impl Workspace {
    /// The same workspace in another configuration.
    #[must_use]
    pub fn configured_as(&self, configuration: Configuration) -> Self {
        let mut other = self.clone();
        other.configuration = configuration;
        other.derived = Derived::default();
        other
    }

    /// The fingerprint of its configuration, with the names of packages; `None` for a build without options.
    #[must_use]
    pub fn build_fingerprint(&self) -> Option<String> {
        self.configuration
            .fingerprint(|package| self.packages[package].name.to_string())
    }

    /// The text of the root manifest; empty if it cannot be read, which cargo has reported then.
    pub(super) fn root_manifest(&self) -> &str {
        self.derived.manifest.get_or_init(|| {
            let text = files::read(&self.root.join("Cargo.toml")).unwrap_or_default();
            String::from_utf8(text).unwrap_or_default()
        })
    }

    /// The rules of the feature resolver.
    #[must_use]
    pub fn resolver(&self) -> &Resolver {
        self.derived.resolver.get_or_init(|| {
            let root = self.root.join("Cargo.toml");
            let root = self
                .packages
                .iter()
                .position(|package| package.manifest_path == root);
            let edition = root.map(|root| self.packages[root].edition.to_string());
            Resolver::of(self.root_manifest(), root, edition.as_deref())
        })
    }

    /// The features of each member when all packages of the configuration are built and tested.
    #[must_use]
    pub fn features(&self) -> &Enabled {
        self.derived.features.get_or_init(|| {
            let roots = self.configured_packages();
            features::enabled(self, &roots, &features::requested(self, &roots))
        })
    }

    /// The packages of the configuration.
    #[must_use]
    pub fn configured_packages(&self) -> BTreeSet<PackageId> {
        (0..self.packages.len())
            .filter(|package| self.configuration.applies_to(*package))
            .collect()
    }

    /// Whether a dependency applies to the target platform; true if that is unknown.
    pub(super) fn is_for_target(&self, dependency: &Dependency, host: bool) -> bool {
        let Some(platform) = &dependency.target else {
            return true;
        };
        let platforms = self.platforms();
        let text = platform.to_string();
        if !text.starts_with("cfg(") {
            let triple = platforms.triple.as_ref().filter(|_| !host);
            return match triple {
                Some(triple) => *triple == text,
                None => {
                    let os = match std::env::consts::OS {
                        "macos" => "darwin",
                        os => os,
                    };
                    text.contains(os) && text.starts_with(std::env::consts::ARCH)
                }
            };
        }
        let code = format!("#[{text}] fn f() {{}}");
        let Ok(syntax) = Syntax::read(&code) else {
            return true;
        };
        let Some(item) = syntax.items.first() else {
            return true;
        };
        let own = attributes(&syntax, item.attributes.clone());
        let options = if host {
            &platforms.host
        } else {
            &platforms.target
        };
        let holds = |predicate: Predicate| predicate.evaluate(options, Build::Any);
        Predicate::of(&syntax, &own).map(holds) != Some(Compiled::No)
    }

    /// The `cfg` options of a member's builds; options that differ between its builds for the host and the target are undecided.
    #[must_use]
    pub fn cfg_options(&self, package: PackageId) -> CfgOptions {
        let features = self.features();
        let (target, host) = (&features.target[package], &features.host[package]);
        let platforms = self.platforms();
        let mut options = match (target, host) {
            (_, None) => platforms.target.clone(),
            (None, Some(_)) => platforms.host.clone(),
            (Some(_), Some(_)) => platforms.target.common(&platforms.host),
        };
        let none = BTreeSet::new();
        let (first, second) = match (target, host) {
            (Some(target), Some(host)) => (target, host),
            (Some(only), None) | (None, Some(only)) => (only, only),
            // It is not built with the workspace's tests, but cargo may build it otherwise.
            (None, None) => (&none, &none),
        };
        let is_built = target.is_some() || host.is_some();
        options.features = Some(Features {
            on: first.intersection(second).cloned().collect(),
            undecided: first.symmetric_difference(second).cloned().collect(),
            open: !is_built || self.resolver().is_patched,
        });
        options
    }

    fn platforms(&self) -> &Platforms {
        self.derived.platforms.get_or_init(|| self.read_platforms())
    }

    fn read_platforms(&self) -> Platforms {
        let configs = self.cargo_configs();
        let given = self.configuration.target.clone();
        let variable = |name: &str| {
            let set = self.configuration.environment.get(name).cloned();
            set.or_else(|| std::env::var(name).ok())
                .filter(|value| !value.is_empty())
        };
        let in_config = || {
            configs.iter().find_map(|text| {
                let manifest = Manifest::parse(text).ok()?;
                Some(manifest.get(&["build", "target"])?.as_str()?.to_owned())
            })
        };
        let triple = given
            .or_else(|| variable("CARGO_BUILD_TARGET"))
            .or_else(in_config);
        let mut host = CfgOptions::host();
        let mut target = match &triple {
            None => host.clone(),
            // The options of a target unknown to rustc are all undecided.
            Some(triple) => cargo::target_cfg(triple, &self.root)
                .map(|text| CfgOptions::printed(&text))
                .unwrap_or_default(),
        };
        let profile = self.configuration.profile.as_deref();
        let usual = matches!(profile, None | Some("dev" | "test"))
            && !self.root_manifest().contains("debug-assertions");
        let flags = [
            variable("RUSTFLAGS").unwrap_or_default(),
            variable("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default(),
        ];
        for options in [&mut host, &mut target] {
            options.debug_assertions = options.debug_assertions.filter(|_| usual);
            for name in flags.iter().flat_map(|flags| names_set_by(flags)) {
                options.set(&name);
            }
            // The flags that apply depend on the target and on the order of the files.
            for name in configs.iter().flat_map(|text| names_set_by(text)) {
                options.unset.remove(&name);
            }
        }
        Platforms {
            target,
            host,
            triple,
        }
    }

    /// The texts of cargo's configuration files, the innermost first.
    fn cargo_configs(&self) -> Vec<String> {
        let around = self.root.ancestors().map(|folder| folder.join(".cargo"));
        let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from);
        let folders = around.chain(home);
        let paths =
            folders.flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name)));
        let texts = paths.filter_map(|path| files::read_if_exists(&path).ok().flatten());
        texts
            .filter_map(|text| String::from_utf8(text).ok())
            .collect()
    }
}

/// The names that `--cfg name` sets among these flags, with any quotes and separators.
fn names_set_by(flags: &str) -> Vec<String> {
    let parts = flags.split("--cfg").skip(1);
    let names = parts.filter_map(|part| {
        let part = part.trim_start_matches(|letter: char| {
            letter.is_whitespace() || matches!(letter, '=' | '"' | '\'' | ',' | '\u{1f}')
        });
        let end = part
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(part.len());
        // `--cfg key="value"` sets no name.
        let value = part[end..].trim_start().starts_with('=');
        (end > 0 && !value).then(|| part[..end].to_owned())
    });
    names.collect()
}

impl CfgOptions {
    /// The common values of these options and others; different values are undecided.
    #[must_use]
    fn common(&self, other: &Self) -> Self {
        let both = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
            left.intersection(right).cloned().collect()
        };
        let target = self.target.iter();
        let target = target.filter(|(key, values)| other.target.get(*key) == Some(values));
        Self {
            features: None,
            target: target
                .map(|(key, values)| (key.clone(), values.clone()))
                .collect::<BTreeMap<_, _>>(),
            names: both(&self.names, &other.names),
            unset: both(&self.unset, &other.unset),
            debug_assertions: self
                .debug_assertions
                .filter(|_| self.debug_assertions == other.debug_assertions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_flags_and_configuration_files() {
        assert_eq!(
            names_set_by("--cfg loom -C opt-level=3 --cfg=miri"),
            ["loom", "miri"]
        );
        assert_eq!(
            names_set_by("--cfg\u{1f}tokio_unstable"),
            ["tokio_unstable"]
        );
        assert_eq!(
            names_set_by("rustflags = [\"--cfg\", \"docsrs\", \"--cfg\", 'a=\"b\"']"),
            ["docsrs"]
        );
    }
}
