//! What a PoC's status is computed from, beside its documents.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::other_plans::OtherPlans;
use crate::change::Change;
use crate::config::Config;
use crate::contract::ContractState;
use crate::deps;
use crate::evidence::Evidence;
use crate::workspace::Workspace;
use crate::workspace::graph::relative_text;

/// What a PoC's status is computed from, beside its documents.
pub struct Context<'a> {
    /// The workspace; `None` for documents that lie in none.
    pub workspace: Option<&'a Workspace>,
    /// Where paths are shown from: the workspace root, else the current folder.
    pub root: &'a Utf8Path,
    /// Its evidence.
    pub evidence: &'a Evidence,
    /// What changed since its base; the error's text where that is not known.
    pub change: Result<&'a Change, String>,
    /// Its dependencies against the manifests; the error's text where they cannot be compared.
    pub dependencies: Result<deps::Outcome, String>,
    /// The present hashes of every input that its evidence names.
    pub inputs: &'a BTreeMap<String, String>,
    /// Checksums of records none of whose tests what changed since can affect.
    pub unaffected: &'a BTreeSet<String>,
    /// Whether the work tree, documents aside, is as HEAD has it.
    pub is_committed: bool,
    /// The contract, and how the plan differs from it.
    pub contract: &'a ContractState,
    /// Settings; they tell plans and results from other files.
    pub config: &'a Config,
    /// What the other plans of the folder name.
    pub other_plans: &'a OtherPlans,
    /// Whether findings carry their fixes, which requires reading the documents again.
    pub fixes: bool,
}

impl Context<'_> {
    /// `path` as reports show it: from [`Self::root`], with `/`.
    #[must_use]
    pub fn shown(&self, path: &Utf8Path) -> String {
        relative_text(self.root, path)
    }
}
