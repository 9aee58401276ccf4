//! Applies a workspace's configuration to its packages: the resolver's rules, features, and `cfg` options.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

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

    /// The packages of the configuration in groups that build together.
    #[must_use]
    pub fn groups(&self) -> Vec<BTreeSet<PackageId>> {
        let groups = self.derived.groups.get();
        groups.map_or_else(|| vec![self.configured_packages()], Clone::clone)
    }

    /// The packages of another configuration in groups, which `find` computes.
    pub(crate) fn groups_in(
        &self,
        configuration: &Configuration,
        find: impl FnOnce(&Self) -> Vec<BTreeSet<PackageId>>,
    ) -> Vec<BTreeSet<PackageId>> {
        let known = self.derived.groups_elsewhere.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some((_, groups)) = known.iter().find(|(other, _)| other == configuration) {
            return groups.clone();
        }
        let groups = find(&self.configured_as(configuration.clone()));
        known.push((configuration.clone(), groups.clone()));
        groups
    }

    /// Builds and tests these groups of packages one after the other, because features of some exclude those of others.
    pub(crate) fn build_in_groups(&self, groups: Vec<BTreeSet<PackageId>>) {
        if groups.len() > 1 {
            self.derived.groups.get_or_init(|| groups);
        }
    }

    /// The index of a package's group.
    #[must_use]
    pub fn group_of(&self, package: PackageId) -> usize {
        let groups = self.derived.groups.get();
        let mut groups = groups.into_iter().flatten();
        groups
            .position(|group| group.contains(&package))
            .unwrap_or(0)
    }

    /// The features of each member when all packages of the configuration are built and tested.
    #[must_use]
    pub fn features(&self) -> &Enabled {
        if let Some(groups) = self.derived.groups.get() {
            let by_group = &self.derived.features_by_group;
            return by_group.get_or_init(|| features::enabled_by_group(self, groups));
        }
        self.derived.features.get_or_init(|| {
            let roots = self.configured_packages();
            features::enabled(self, &roots, &features::requested(self, &roots))
        })
    }

    /// The features of each member in another configuration.
    #[must_use]
    pub fn features_in(&self, configuration: &Configuration) -> Arc<Enabled> {
        let known = || {
            let known = self.derived.elsewhere.lock();
            known.unwrap_or_else(PoisonError::into_inner)
        };
        let found = known()
            .iter()
            .find_map(|(other, features)| (other == configuration).then(|| Arc::clone(features)));
        found.unwrap_or_else(|| {
            let configured = self.configured_as(configuration.clone());
            let features = Arc::new(configured.features().clone());
            known().push((configuration.clone(), Arc::clone(&features)));
            features
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
        self.is_platform(&platform.to_string(), host)
    }

    /// Whether a key of `[target]` in a manifest, a triple or `cfg(…)`, is the target platform; true if that is unknown.
    pub(super) fn is_platform(&self, text: &str, host: bool) -> bool {
        let platforms = self.platforms();
        if !text.starts_with("cfg(") {
            let triple = platforms.triple.as_ref().filter(|_| !host);
            return match triple {
                Some(triple) => triple == text,
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

    /// The `cfg` options of the unit tests of a member's library.
    #[must_use]
    pub fn unit_test_cfg_options(&self, package: PackageId) -> CfgOptions {
        let host = self.features().host[package].as_ref();
        if features::is_for_host(self, package) && host.is_some() {
            return self.options_of(package, None, host, &[]);
        }
        self.test_cfg_options(package)
    }

    /// The `cfg` options of a member's other tests, which are built for the target.
    #[must_use]
    pub fn test_cfg_options(&self, package: PackageId) -> CfgOptions {
        let features = self.features();
        let target = &features.target[package];
        let host = features.host[package].as_ref();
        let host = host.filter(|_| target.is_none());
        self.options_of(package, target.as_ref(), host, &[])
    }

    /// The `cfg` options of a member's build script, which is built for the host.
    #[must_use]
    pub fn script_cfg_options(&self, package: PackageId) -> CfgOptions {
        CfgOptions {
            features: self.cfg_options(package).features,
            ..self.platforms().host.clone()
        }
    }

    /// The `cfg` options of all builds of a member's library; options that differ between its builds for the host and the target are
    /// undecided.
    #[must_use]
    pub fn cfg_options(&self, package: PackageId) -> CfgOptions {
        let features = self.features();
        self.options_of(
            package,
            features.target[package].as_ref(),
            features.host[package].as_ref(),
            &features.elsewhere[package],
        )
    }

    /// The common options of a build for the target, one for the host, and others, by their features.
    fn options_of(
        &self,
        package: PackageId,
        target: Option<&BTreeSet<String>>,
        host: Option<&BTreeSet<String>>,
        others: &[BTreeSet<String>],
    ) -> CfgOptions {
        let platforms = self.platforms();
        let mut options = match (target, host) {
            (_, None) => platforms.target.clone(),
            (None, Some(_)) => platforms.host.clone(),
            (Some(_), Some(_)) => platforms.target.common(&platforms.host),
        };
        // A package without a build may be built otherwise.
        let mut builds = target.into_iter().chain(host).chain(others);
        let first = builds.next().cloned().unwrap_or_default();
        let (mut on, mut any) = (first.clone(), first);
        for features in builds {
            on.retain(|feature| features.contains(feature));
            any.extend(features.iter().cloned());
        }
        let is_built = target.is_some() || host.is_some();
        let script = self.set_by_script(package);
        for name in script.iter().flatten() {
            options.unset.remove(name);
        }
        let possible = options.possible.zip(script);
        let possible = possible.map(|(flags, script)| flags.union(&script).cloned().collect());
        let is_possible = |key: &str| {
            let options: Option<&BTreeSet<String>> = possible.as_ref();
            options.is_some_and(|options| options.contains(key))
        };
        options.features = Some(Features {
            undecided: any.difference(&on).cloned().collect(),
            on,
            open: !is_built || self.resolver().is_patched || is_possible("feature"),
        });
        options.possible = possible;
        options
    }

    pub(super) fn platforms(&self) -> &Platforms {
        self.derived.platforms.get_or_init(|| self.read_platforms())
    }

    fn read_platforms(&self) -> Platforms {
        let configs = self.cargo_configs();
        let given = self.configuration.target.clone();
        let in_config = || {
            configs.iter().find_map(|text| {
                let manifest = Manifest::parse(text).ok()?;
                Some(manifest.get(&["build", "target"])?.as_str()?.to_owned())
            })
        };
        let triple = given
            .or_else(|| self.variable("CARGO_BUILD_TARGET"))
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
        let flags = self.flags(&configs);
        let usual =
            matches!(profile, None | Some("dev" | "test")) && !flags.may_change_debug_assertions;
        // With a target, the flags do not apply to the host.
        for (options, applies) in [(&mut host, triple.is_none()), (&mut target, true)] {
            options.debug_assertions = options.debug_assertions.filter(|_| usual);
            for name in flags.possible.iter().flatten() {
                options.unset.remove(name);
                options.target.remove(name);
            }
            for name in flags.set.iter().filter(|_| applies) {
                options.set(name);
            }
            options.possible.clone_from(&flags.possible);
        }
        Platforms {
            target,
            host,
            triple,
        }
    }
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
            possible: self.possible.clone().filter(|_| other.possible.is_some()),
            debug_assertions: self
                .debug_assertions
                .filter(|_| self.debug_assertions == other.debug_assertions),
        }
    }
}
