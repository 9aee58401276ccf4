//! Files and manifests that other plans of the same folder name, so that they are not reported as unplanned.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use globset::GlobMatcher;

use crate::document::plan::Action;
use crate::document::{Plan, read_plan};
use crate::project::{Paths, read_document};
use crate::sys::glob;

/// The files and manifests that one plan names.
#[derive(Debug)]
pub struct NamedPaths {
    poc: String,
    files: BTreeSet<String>,
    globs: Vec<GlobMatcher>,
    manifests: BTreeSet<String>,
}

impl NamedPaths {
    /// The paths that `plan` of the PoC `poc` names.
    #[must_use]
    pub fn of(poc: &str, plan: &Plan) -> Self {
        let globs = plan.files.iter().filter_map(|row| glob::matcher(&row.path));
        let globs = globs.collect();
        let files = plan.files.iter().flat_map(|row| match &row.action {
            Action::Rename(to) => vec![row.path.clone(), to.clone()],
            _ => vec![row.path.clone()],
        });
        let manifests = plan.dependencies.iter();
        let manifests = manifests.filter_map(|block| block.manifest.as_deref());
        Self {
            poc: poc.to_owned(),
            files: files.collect(),
            globs,
            manifests: manifests
                .map(|path| path.trim_start_matches("./").to_owned())
                .collect(),
        }
    }
}

/// The plans of the folder.
#[derive(Debug, Default)]
pub struct OtherPlans {
    known: Vec<NamedPaths>,
    unread: Vec<Paths>,
    read: OnceLock<Vec<NamedPaths>>,
}

impl OtherPlans {
    /// `known` are plans that have been read; those of `unread` are read on the first lookup.
    #[must_use]
    pub fn new(known: Vec<NamedPaths>, unread: Vec<Paths>) -> Self {
        Self {
            known,
            unread,
            read: OnceLock::new(),
        }
    }

    fn read_unread(&self) -> Vec<NamedPaths> {
        // A plan that cannot be read names nothing; `status` reports it for its own PoC. Do not read in parallel: parallel
        // callers wait for this.
        let named = self.unread.iter().filter_map(|paths| {
            let document = read_document(&paths.plan).ok()??;
            Some(NamedPaths::of(&paths.name, &read_plan(&document)))
        });
        named.collect()
    }

    fn others<'s>(&'s self, poc: &'s str) -> impl Iterator<Item = &'s NamedPaths> {
        let read = self.read.get_or_init(|| self.read_unread());
        let plans = self.known.iter().chain(read);
        plans.filter(move |plan| plan.poc != poc)
    }

    /// Whether a plan other than that of `poc` names this file, relative to the workspace root.
    #[must_use]
    pub fn names(&self, poc: &str, path: &str) -> bool {
        self.others(poc).any(|plan| {
            plan.files.contains(path)
                || plan.manifests.contains(path)
                || plan.globs.iter().any(|glob| glob.is_match(path))
        })
    }

    /// Whether a plan other than that of `poc` has dependencies for this manifest.
    #[must_use]
    pub fn declares(&self, poc: &str, manifest: &str) -> bool {
        self.others(poc)
            .any(|plan| plan.manifests.contains(manifest))
    }
}
