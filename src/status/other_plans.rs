//! What other plans of the same folder account for: the work of one PoC is no surprise in another.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use camino::Utf8PathBuf;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::document::plan::Action;
use crate::document::{Plan, condensed};
use crate::project::{Paths, read_document};

/// The files and manifests that one plan names.
#[derive(Debug)]
pub struct NamedPaths {
    poc: String,
    files: BTreeSet<String>,
    globs: GlobSet,
    manifests: BTreeSet<String>,
}

impl NamedPaths {
    /// What `plan`, of the PoC called `poc`, names.
    #[must_use]
    pub fn of(poc: &str, plan: &Plan) -> Self {
        let mut globs = GlobSetBuilder::new();
        for row in &plan.files {
            if row.path.contains(['*', '?', '{'])
                && let Ok(glob) = Glob::new(&row.path)
            {
                globs.add(glob);
            }
        }
        let files = plan.files.iter().flat_map(|row| match &row.action {
            Action::Rename(to) => vec![row.path.clone(), to.clone()],
            _ => vec![row.path.clone()],
        });
        let manifests = plan.dependencies.iter();
        let manifests = manifests.filter_map(|block| block.manifest.as_deref());
        Self {
            poc: poc.to_owned(),
            files: files.collect(),
            globs: globs.build().unwrap_or_default(),
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
    /// The folder that keeps what was read of documents.
    kept: Utf8PathBuf,
    read: OnceLock<Unread>,
}

/// What was unread, once it is read.
#[derive(Debug, Default)]
struct Unread {
    named: Vec<NamedPaths>,
    /// Why the next run has to read it again.
    note: Option<String>,
}

impl OtherPlans {
    /// `known` are those at hand, `unread` the others: they are read when it is first asked for what they name, through the
    /// folder `kept`.
    #[must_use]
    pub fn new(known: Vec<NamedPaths>, unread: Vec<Paths>, kept: Utf8PathBuf) -> Self {
        Self {
            known,
            unread,
            kept,
            read: OnceLock::new(),
        }
    }

    /// What went otherwise than it should while reading, and changes nothing.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.read.get()?.note.as_deref()
    }

    fn read_unread(&self) -> Unread {
        if self.unread.is_empty() {
            return Unread::default();
        }
        let reader = condensed::Reader::new(&self.kept);
        // One that cannot be read names nothing; `status` says so when it is asked about it. Not in parallel: others, who are,
        // wait for it.
        let named = self.unread.iter().filter_map(|paths| {
            let document = read_document(&paths.plan).ok()??;
            Some(NamedPaths::of(&paths.name, &reader.plan(&document)))
        });
        Unread {
            named: named.collect(),
            note: reader.save(),
        }
    }

    fn others<'s>(&'s self, poc: &'s str) -> impl Iterator<Item = &'s NamedPaths> {
        let read = &self.read.get_or_init(|| self.read_unread()).named;
        let plans = self.known.iter().chain(read);
        plans.filter(move |plan| plan.poc != poc)
    }

    /// Whether a plan other than that of `poc` names this file, given from the workspace root.
    #[must_use]
    pub fn names(&self, poc: &str, path: &str) -> bool {
        self.others(poc).any(|plan| {
            plan.files.contains(path) || plan.manifests.contains(path) || plan.globs.is_match(path)
        })
    }

    /// Whether a plan other than that of `poc` has dependencies for this manifest.
    #[must_use]
    pub fn declares(&self, poc: &str, manifest: &str) -> bool {
        self.others(poc)
            .any(|plan| plan.manifests.contains(manifest))
    }
}
