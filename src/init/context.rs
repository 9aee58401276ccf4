//! Data from the sources and the crate graph about the planned files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use camino::Utf8PathBuf;
use rayon::prelude::*;
use semver::Version;

use super::dependencies::locked_versions;
use super::draft::TestTarget as Row;
use super::request::Request;
use crate::affected::{self, Selection, TestTarget, TestTargetKind};
use crate::change::Change;
use crate::project::Project;
use crate::sys::files;
use crate::verify;
use crate::workspace::source::doc;
use crate::workspace::source::lex::lex;
use crate::workspace::{PackageId, Workspace};

/// The data that a draft needs, read once.
pub struct Context {
    /// The tests that the plan's files can affect.
    pub selection: Selection,
    /// The newest locked version of every package.
    pub locked: BTreeMap<String, Version>,
    /// Whether the workspace's tests run under nextest.
    pub nextest: bool,
    /// The module documentation of affected targets, by root file.
    sentences: BTreeMap<Utf8PathBuf, String>,
    /// The number of `unsafe` uses in the libraries and binaries of touched packages.
    unsafe_uses: BTreeMap<PackageId, usize>,
}

impl Context {
    /// Reads the roots of affected targets and the sources of touched packages, in parallel.
    ///
    /// # Errors
    /// When a source or the lockfile cannot be read.
    pub fn gather(project: &Project, request: &Request) -> Result<Self> {
        let workspace = &project.workspace;
        let selection =
            affected::select_in(project, &planned_change(project, request), true)?.by_target();
        let roots: BTreeSet<&Utf8PathBuf> = selection
            .targets
            .keys()
            .filter_map(|target| root_of(workspace, target))
            .collect();
        let sentences = roots
            .into_par_iter()
            .filter_map(|root| Some((root.clone(), doc::sentence(root)?)))
            .collect();
        let unsafe_uses = request
            .packages
            .par_iter()
            .map(|package| Ok((*package, unsafe_uses(project, *package)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            selection,
            locked: locked_versions(&workspace.root.join("Cargo.lock"))?,
            nextest: verify::uses_nextest(project.config.runner, &workspace.root),
            sentences,
            unsafe_uses,
        })
    }

    /// The target's row of the Test Summary; `None` if it is not affected.
    #[must_use]
    pub fn row(&self, workspace: &Workspace, target: &TestTarget) -> Option<Row> {
        let part = self.selection.targets.get(target)?;
        let root = root_of(workspace, target);
        let sentence = root.and_then(|root| self.sentences.get(root).cloned());
        Some(Row {
            path: root.map_or_else(String::new, |root| workspace.slashed(root)),
            note: if target.kind == TestTargetKind::Doc {
                "doctests"
            } else {
                ""
            },
            tests: part.count_known(),
            covers: sentence.unwrap_or_default(),
        })
    }

    /// The number of `unsafe` uses in a touched package's library and binaries.
    #[must_use]
    pub fn unsafe_uses(&self, package: PackageId) -> usize {
        self.unsafe_uses.get(&package).copied().unwrap_or_default()
    }
}

fn unsafe_uses(project: &Project, package: PackageId) -> Result<usize> {
    let files = affected::source_files_in(project, package).into_iter();
    let uses = files.map(|file| {
        let text = String::from_utf8_lossy(&files::read(&file)?).into_owned();
        // A file that does not parse is reported by the compiler.
        let tokens = lex(&text).unwrap_or_default();
        let words = tokens
            .iter()
            .map(|token| &text[token.start as usize..token.end as usize]);
        Ok(words.filter(|word| *word == "unsafe").count())
    });
    uses.sum()
}

/// A change of the planned files, and the touched packages without a planned file.
fn planned_change(project: &Project, request: &Request) -> Change {
    let workspace = &project.workspace;
    let mut files: BTreeSet<Utf8PathBuf> =
        request.files.iter().map(|file| file.path.clone()).collect();
    for &package in &request.packages {
        let named = request
            .files
            .iter()
            .any(|file| workspace.owner(&file.path) == Some(package));
        if !named || (package == request.dependent && !request.dependencies.is_empty()) {
            files.insert(workspace.packages[package].manifest_path.clone());
        }
    }
    Change::of_files(files)
}

fn root_of<'a>(workspace: &'a Workspace, target: &TestTarget) -> Option<&'a Utf8PathBuf> {
    Some(&target.described(workspace)?.src_path)
}

/// The maximum number of packages in the graph; more would be unreadable.
const DRAWN: usize = 24;

/// A Mermaid graph of the packages whose tests are affected, with the touched ones marked. If there are too many, only the touched
/// ones and their direct dependents.
#[must_use]
pub fn mermaid(workspace: &Workspace, selection: &Selection, touched: &[PackageId]) -> String {
    let mut shown = selection.packages();
    shown.extend(touched);
    let all = shown.len();
    if all > DRAWN {
        let near = workspace
            .edges()
            .iter()
            .filter(|edge| touched.contains(&edge.to))
            .map(|edge| edge.from);
        shown = touched.iter().copied().chain(near).collect();
    }
    let shown: BTreeSet<PackageId> = shown.into_iter().take(DRAWN.max(touched.len())).collect();
    let mut text = String::from("graph TD");
    for &package in &shown {
        let class = if touched.contains(&package) {
            ":::touched"
        } else {
            ""
        };
        let _ = write!(
            text,
            "\n    p{package}[\"{}\"]{class}",
            workspace.packages[package].name
        );
    }
    let edges: BTreeSet<(PackageId, PackageId)> = workspace
        .edges()
        .iter()
        .map(|edge| (edge.from, edge.to))
        .collect();
    for (from, to) in edges {
        if from != to && shown.contains(&from) && shown.contains(&to) {
            let _ = write!(text, "\n    p{from} --> p{to}");
        }
    }
    if shown.len() < all {
        let _ = write!(
            text,
            "\n    more[\"and {} more affected packages\"]",
            all - shown.len()
        );
    }
    text.push_str("\n    classDef touched stroke-width:3px");
    text
}
