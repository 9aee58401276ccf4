//! What a PoC's status is computed from, beside its documents.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::other_plans::OtherPlans;
use crate::change::Change;
use crate::config::Config;
use crate::contract::ContractState;
use crate::deps;
use crate::evidence::{Evidence, Located};
use crate::freshness::since::{Aspect, Unaffected};
use crate::workspace::Workspace;
use crate::workspace::graph::relative_text;

/// The input for the status of a PoC, besides its documents.
pub struct Context<'a> {
    /// The workspace; `None` for documents outside a workspace.
    pub workspace: Option<&'a Workspace>,
    /// Base of shown paths: the workspace root or the current folder.
    pub root: &'a Utf8Path,
    /// Its evidence.
    pub evidence: &'a Evidence,
    /// The change since its base, or the text of the error.
    pub change: Result<&'a Change, String>,
    /// Its dependencies compared with the manifests, or the text of the error.
    pub dependencies: Result<deps::Outcome, String>,
    /// The current hashes of all inputs that its evidence names.
    pub inputs: &'a BTreeMap<String, String>,
    /// Runs whose tests no change since can affect.
    pub unaffected: &'a Unaffected,
    /// Whether the work tree equals HEAD, except for documents.
    pub is_committed: bool,
    /// The contract, and how the plan differs from it.
    pub contract: &'a ContractState,
    /// Settings, which distinguish plans and results from other files.
    pub config: &'a Config,
    /// The files and manifests that other plans of the folder name.
    pub other_plans: &'a OtherPlans,
    /// Whether findings carry their fixes, which requires reading the documents again.
    pub fixes: bool,
}

impl Context<'_> {
    /// `path` relative to [`Self::root`], with `/`.
    #[must_use]
    pub fn shown(&self, path: &Utf8Path) -> String {
        relative_text(self.root, path)
    }

    /// Whether no change since a run can affect this aspect of it.
    #[must_use]
    pub fn is_unaffected(&self, run: &Located, aspect: Aspect) -> bool {
        self.unaffected.contains(&(run.checksum.clone(), aspect))
    }
}
