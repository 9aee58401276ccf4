//! The effect of one changed file on packages and tests.

use std::collections::BTreeSet;

use super::targets::TestTarget;
use crate::workspace::{PackageId, Workspace};

/// The effect of a changed file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileEffect {
    /// It affects no test, with the reason.
    Nothing(String),
    /// It affects only these targets, with the description of the file.
    Targets(Vec<TestTarget>, String),
    /// It affects these packages and all packages that link them. The text describes the file.
    Packages(BTreeSet<PackageId>, String),
}

impl FileEffect {
    /// The whole workspace.
    #[must_use]
    pub fn everything(workspace: &Workspace, why: impl Into<String>) -> Self {
        Self::Packages((0..workspace.packages.len()).collect(), why.into())
    }

    /// One package.
    #[must_use]
    pub fn package(package: PackageId, why: impl Into<String>) -> Self {
        Self::Packages(BTreeSet::from([package]), why.into())
    }
}
