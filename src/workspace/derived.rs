//! Values derived from the configuration of a workspace, computed on first use.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use super::configuration::Configuration;
use super::id::PackageId;
use super::resolver::Resolver;
use super::source::cfg::CfgOptions;

/// Values computed on first use.
#[derive(Debug, Clone, Default)]
pub(super) struct Derived {
    pub(super) manifest: OnceLock<String>,
    pub(super) resolver: OnceLock<Resolver>,
    pub(super) features: OnceLock<Enabled>,
    /// The groups of packages that build together, if some packages exclude each other.
    pub(super) groups: OnceLock<Vec<BTreeSet<PackageId>>>,
    /// The features where each group is built for itself.
    pub(super) features_by_group: OnceLock<Enabled>,
    pub(super) platforms: OnceLock<Platforms>,
    /// The features in other configurations.
    pub(super) elsewhere: Arc<Mutex<FeaturesByConfiguration>>,
    /// The groups of packages in other configurations.
    pub(super) groups_elsewhere: Arc<Mutex<GroupsByConfiguration>>,
}

/// The groups of packages that build together in several configurations.
pub(super) type GroupsByConfiguration = Vec<(Configuration, Vec<BTreeSet<PackageId>>)>;

/// The features of each member in several configurations.
pub(super) type FeaturesByConfiguration = Vec<(Configuration, Arc<Enabled>)>;

/// `cfg` options without features.
#[derive(Debug, Clone, Default)]
pub(super) struct Platforms {
    /// Those of the target; equal to the host's without `--target`.
    pub(super) target: CfgOptions,
    pub(super) host: CfgOptions,
    /// The target's triple, if it is not the host.
    pub(super) triple: Option<String>,
}

/// The features of each member in one build, by [`PackageId`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enabled {
    /// For code of the target, including tests; `None` if a member is not built for it.
    pub target: Vec<Option<BTreeSet<String>>>,
    /// For code of the host: procedural macros, build scripts and their dependencies.
    pub host: Vec<Option<BTreeSet<String>>>,
    /// For each member, those of its builds with other groups of packages.
    pub elsewhere: Vec<Vec<BTreeSet<String>>>,
}

impl Enabled {
    /// The features of a member when its tests are built.
    #[must_use]
    pub fn of(&self, package: PackageId) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        let built = self.target[package].as_ref();
        built.or(self.host[package].as_ref()).unwrap_or(&NONE)
    }
}
