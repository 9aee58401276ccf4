//! What one changed file reaches, whichever rule decided.

use std::collections::BTreeSet;

use super::targets::TestTarget;
use crate::workspace::{PackageId, Workspace};

/// What a changed file reaches.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileEffect {
    /// No test, and why.
    Nothing(String),
    /// Just these targets, and what the file is to them.
    Targets(Vec<TestTarget>, String),
    /// These packages and with them all that link them, and what the file is to them.
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
