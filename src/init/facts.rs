//! What the sources and the graph say about the plan's files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use camino::Utf8PathBuf;
use cargo_metadata::TargetKind;
use rayon::prelude::*;
use semver::Version;

use super::TestTarget as Row;
use super::dependencies::locked_versions;
use super::request::Request;
use crate::affected::{self, Selection, TestKind, TestTarget, all_targets};
use crate::change::Change;
use crate::project::Project;
use crate::verify;
use crate::workspace::graph::{is_kind, is_library};
use crate::workspace::source::{Unit, read_unit};
use crate::workspace::{PackageId, Workspace};

/// Everything the draft needs to know, read once.
pub struct Facts {
    /// The tests that the plan's files can affect.
    pub selection: Selection,
    /// The newest locked version of every package.
    pub locked: BTreeMap<String, Version>,
    /// Whether the workspace's tests run under nextest.
    pub nextest: bool,
    units: BTreeMap<Utf8PathBuf, Unit>,
}

impl Facts {
    /// Reads the sources of every test target, in parallel.
    ///
    /// # Errors
    /// When a source or the lockfile cannot be read.
    pub fn gather(project: &Project, request: &Request) -> Result<Self> {
        let workspace = &project.workspace;
        let roots: BTreeSet<&Utf8PathBuf> = all_targets(workspace)
            .iter()
            .filter_map(|target| root_of(workspace, target))
            .collect();
        let units = roots
            .into_par_iter()
            .map(|root| Ok((root.clone(), read_unit(root)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            selection: affected::select_in(project, &planned_change(project, request), true)?
                .by_target(),
            locked: locked_versions(&workspace.root.join("Cargo.lock"))?,
            nextest: verify::uses_nextest(project.config.runner, &workspace.root),
            units,
        })
    }

    /// How many tests a target holds, as its source tells.
    #[must_use]
    pub fn tests(&self, workspace: &Workspace, target: &TestTarget) -> usize {
        let unit = root_of(workspace, target).and_then(|root| self.units.get(root));
        unit.map_or(0, |unit| match target.kind {
            TestKind::Doc => unit.doctests.len(),
            _ => unit.tests.len(),
        })
    }

    /// The target's row of the Test Summary.
    #[must_use]
    pub fn row(&self, workspace: &Workspace, target: &TestTarget) -> Row {
        let root = root_of(workspace, target);
        let doc = root.and_then(|root| self.units.get(root)?.doc.clone());
        let package = &workspace.packages[target.package].name;
        Row {
            path: root.map_or_else(String::new, |root| workspace.slashed(root)),
            note: if target.kind == TestKind::Doc {
                "doctests"
            } else {
                ""
            },
            tests: self.tests(workspace, target),
            covers: doc.unwrap_or_else(|| format!("`{package}` {}", target.kind)),
        }
    }

    /// Uses of `unsafe` in the package's library and binaries.
    #[must_use]
    pub fn unsafe_uses(&self, workspace: &Workspace, package: PackageId) -> usize {
        let targets = workspace.packages[package].targets.iter();
        targets
            .filter(|target| is_library(target) || is_kind(target, &[TargetKind::Bin]))
            .filter_map(|target| self.units.get(&target.src_path))
            .map(|unit| unit.unsafe_uses)
            .sum()
    }
}

/// The planned files as if they had changed, and the touched packages that no planned file stands for.
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

/// Packages drawn in the graph; more would be a hairball.
const DRAWN: usize = 24;

/// The packages whose tests are affected and the dependencies between them, as Mermaid draws them; touched ones stand
/// out. Where there are too many, the touched ones and who depends on them directly.
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
