//! Computes a [`Selection`] from a change: classifies each changed file and joins the effects.

mod builder;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::compile::may_not_compile;
use super::conflicts::{self, buildable_groups};
use super::failed::TestNames;
use super::file_effect::FileEffect;
use super::items::affected_tests::Affected;
use super::items::{Cache, Changed, CrateGraph, Graph, Reader, Uncached};
use super::listed_paths;
use super::outside::Outside;
use super::packages;
use super::quiet_files;
use super::rules::{self, Ruling};
use super::selection::Selection;
use super::source_tests::{SourceTest, source_files, source_tests};
use super::targets::TestTarget;
use super::unrun::{UnrunTest, unrun_tests};
use crate::change::Change;
use crate::config::Config;
use crate::project::Project;
use crate::sys::git::ChangeKind;
use crate::workspace::{Configuration, PackageId, Workspace};
use builder::SelectionBuilder;

/// The tests of `wanted` targets that are reached by `change` in the workspace's configuration; of other targets it may tell
/// nothing.
/// `reader` gives the items of source files.
///
/// The rules decide about manifests, the lockfile, the toolchain and files in a user's rule; the item graph ([`super::items`]) decides about other
/// files, and the rules again about those that the graph does not contain.
///
/// # Errors
/// When git cannot return the old content of a changed file.
pub fn select(
    workspace: &Workspace,
    config: &Config,
    change: &Change,
    reader: &dyn Reader,
    wanted: &dyn Fn(&TestTarget) -> bool,
) -> Result<Selection> {
    let outside = Arc::new(Outside::read(workspace));
    let classified = ClassifiedFiles::new(workspace, &outside, config, change)?;
    let mut crates = configured(workspace, outside);
    crates.keep_tests(wanted);
    let graph = Graph::build(crates, &classified.changed, reader);
    let found = graph.select(&classified.changed);
    let failed = TestNames::new();
    Ok(selected(
        workspace, config, change, classified, graph, &found, &failed,
    ))
}

/// All tests of a project that `change` affects in its configuration; with `cached`, sources are read through the cache.
///
/// # Errors
/// As [`select`].
pub fn select_in(project: &Project, change: &Change, cached: bool) -> Result<Selection> {
    select_with_failed(project, change, cached, &TestNames::new())
}

/// [`select_in`], and the tests that `failed` names.
///
/// # Errors
/// As [`select`].
pub fn select_with_failed(
    project: &Project,
    change: &Change,
    cached: bool,
    failed: &TestNames,
) -> Result<Selection> {
    select_adjusted(project, change, cached, failed, &mut |_, _| ())
}

/// [`select_with_failed`], and the targets that the run of the selection must build.
///
/// # Errors
/// As [`select`].
pub fn select_to_run(project: &Project, change: &Change, failed: &TestNames) -> Result<Selection> {
    let mut broken = BTreeMap::new();
    let mut selection = select_adjusted(project, change, true, failed, &mut |graph, changed| {
        broken = may_not_compile(graph, changed);
    })?;
    selection.may_not_compile = broken;
    Ok(selection)
}

/// [`select_with_failed`]. `adjust` can change what the graph knows before the search.
///
/// # Errors
/// As [`select`].
pub(super) fn select_adjusted(
    project: &Project,
    change: &Change,
    cached: bool,
    failed: &TestNames,
    adjust: &mut dyn FnMut(&mut Graph, &mut Changed),
) -> Result<Selection> {
    let (workspace, config) = (&project.workspace, &project.config);
    let outside = Arc::new(Outside::read(workspace));
    let ((crates, cache), classified) = rayon::join(
        || {
            let crates = configured(workspace, Arc::clone(&outside));
            (crates, cached.then(|| open(project)))
        },
        || ClassifiedFiles::new(workspace, &outside, config, change),
    );
    let mut classified = classified?;
    let reader: &dyn Reader = match &cache {
        Some(cache) => cache,
        None => &Uncached,
    };
    let mut graph = graph_of(workspace, crates, &classified.changed, reader);
    adjust(&mut graph, &mut classified.changed);
    let found = graph.select(&classified.changed);
    let mut selection = selected(workspace, config, change, classified, graph, &found, failed);
    selection.notes.extend(cache.and_then(save));
    Ok(selection)
}

/// The tests of a project that none of these configurations runs.
#[must_use]
pub fn unrun_in(project: &Project, configurations: &[Configuration]) -> BTreeSet<UnrunTest> {
    unrun_tests(&project.workspace, configurations, &open(project))
}

/// The tests in the sources of the targets that are `wanted`, see [`source_tests`].
///
/// # Errors
/// When the root file of a target cannot be read.
pub(crate) fn source_tests_in(
    project: &Project,
    wanted: &dyn Fn(&TestTarget) -> bool,
) -> Result<BTreeMap<TestTarget, Vec<SourceTest>>> {
    source_tests(&project.workspace, &open(project), wanted)
}

/// The source files of the libraries and programs of a package.
pub(crate) fn source_files_in(project: &Project, package: PackageId) -> BTreeSet<Utf8PathBuf> {
    source_files(&project.workspace, &open(project), package)
}

/// Whether a workspace in its configuration compiles these sources of a project.
#[must_use]
pub(crate) fn compiles(project: &Project, workspace: &Workspace, sources: &[&Utf8Path]) -> bool {
    conflicts::compiles(workspace, sources, &open(project))
}

/// The packages of a project that a workspace in its configuration does not compile even alone, each with the place of the
/// `compile_error!`.
#[must_use]
pub(crate) fn broken_in(project: &Project, workspace: &Workspace) -> BTreeMap<PackageId, String> {
    conflicts::broken(workspace, &open(project))
}

/// The packages of a project in groups that each compile.
#[must_use]
pub(crate) fn buildable_groups_in(project: &Project) -> Vec<BTreeSet<PackageId>> {
    buildable_groups(&project.workspace, &open(project))
}

/// The packages of a workspace in another configuration, in groups that each compile.
#[must_use]
pub(crate) fn buildable_groups_of(
    workspace: &Workspace,
    configuration: &Configuration,
) -> Vec<BTreeSet<PackageId>> {
    workspace.groups_in(configuration, |configured| {
        buildable_groups(configured, &Cache::open(&workspace.target_directory, None))
    })
}

/// The graph of a workspace. If features of packages exclude each other, the packages are built in several groups from here on.
fn graph_of(
    workspace: &Workspace,
    crates: CrateGraph,
    changed: &Changed,
    reader: &dyn Reader,
) -> Graph {
    let graph = Graph::build(crates, changed, reader);
    if !graph.may_hold_compile_error() {
        return graph;
    }
    let groups = buildable_groups(workspace, reader);
    if groups.len() == 1 {
        return graph;
    }
    workspace.build_in_groups(groups);
    let outside = Arc::new(Outside::read(workspace));
    Graph::build(configured(workspace, outside), changed, reader)
}

/// The crates of a workspace as its configuration builds them.
fn configured(workspace: &Workspace, outside: Arc<Outside>) -> CrateGraph {
    let mut crates = CrateGraph::with_outside(workspace, outside);
    crates.configure(workspace);
    crates
}

/// The cache of parsed sources.
fn open(project: &Project) -> Cache {
    let target = &project.workspace.target_directory;
    Cache::open(target, project.repository().ok().as_ref())
}

/// Saves newly parsed sources; a note if that fails.
fn save(cache: Cache) -> Option<String> {
    let error = cache.save().err()?;
    Some(format!("{error:#}; the next run parses all sources again"))
}

/// Joins the results of the rules and the graph.
fn selected(
    workspace: &Workspace,
    config: &Config,
    change: &Change,
    mut classified: ClassifiedFiles,
    graph: Graph,
    found: &Affected,
    failed: &TestNames,
) -> Selection {
    for path in found.unmounted.iter().chain(&found.not_embedded) {
        let effect = rules::by_place(workspace, &graph.crates.outside, path);
        classified.reach(workspace, effect, path);
    }
    for path in &found.unread {
        if let Some(kind) = quiet_files::kind_of(workspace, path) {
            let why = format!("{kind}, which no known code reads");
            classified.reach(workspace, FileEffect::Nothing(why), path);
        }
    }
    let mut selecting = SelectionBuilder::new(workspace, &graph);
    let not_compiled = found.not_compiled.iter();
    let not_compiled: Vec<String> = not_compiled.map(|path| workspace.slashed(path)).collect();
    selecting.without_effect(&not_compiled, "this configuration does not compile it");
    for (reach, files) in classified.reached {
        selecting.by_rule(reach, &files);
    }
    selecting.by_items(found);
    selecting.by_failure(failed);
    let mut selection = selecting.selection;
    selection.items = found.changed_items;
    let files = change.files.iter();
    selection.files = files.map(|file| workspace.slashed(&file.path)).collect();
    let owners = change.files.iter();
    let owners = owners.filter(|file| !config.is_document(workspace.relative(&file.path)));
    selection.touched = owners
        .filter_map(|file| workspace.owner(&file.path))
        .collect();
    selection.compiled_in = packages::compiled_in(workspace, &graph, change);
    // Freeing the graph takes as long as a search, so it is done in the background.
    rayon::spawn(move || drop(graph));
    selection
}

/// Changed files, by the part that decides about them.
struct ClassifiedFiles {
    /// Effects of rules, with their files.
    reached: BTreeMap<FileEffect, Vec<String>>,
    /// The item graph.
    changed: Changed,
}

impl ClassifiedFiles {
    fn new(
        workspace: &Workspace,
        outside: &Outside,
        config: &Config,
        change: &Change,
    ) -> Result<Self> {
        let ruled: Vec<Option<Ruling>> = change
            .files
            .par_iter()
            .map(|file| rules::by_name(workspace, outside, config, change, file))
            .collect::<Result<_>>()?;
        let mut classified = Self {
            reached: BTreeMap::new(),
            changed: Changed {
                whole: change.base.is_none(),
                head_moved: change.head_moved,
                ..Changed::default()
            },
        };
        let mut sources = Vec::new();
        for (file, ruled) in change.files.iter().zip(ruled) {
            let path = &file.path;
            if let Some(ruling) = ruled {
                for effect in ruling.effects {
                    classified.reach(workspace, effect, path);
                }
                classified.changed.besides |= ruling.rules_tools;
                classified.changed.gained.extend(ruling.gained);
                if ruling.is_data {
                    classified.changed.quiet.insert(path.clone());
                    classified.changed.others.insert(path.clone());
                }
                continue;
            }
            let is_quiet = quiet_files::kind_of(workspace, path).is_some();
            if is_quiet {
                classified.changed.quiet.insert(path.clone());
                // `cargo package` lists the files, and `cargo metadata` names the README.
                classified.changed.besides |= file.kind != ChangeKind::Modified;
            } else {
                for effect in rules::through_outside(workspace, outside, path) {
                    classified.reach(workspace, effect, path);
                }
            }
            if path.extension() == Some("rs") {
                sources.push(file);
            } else {
                classified.changed.others.insert(path.clone());
            }
        }
        let others = &classified.changed.others;
        classified.changed.lists = listed_paths::naming(workspace, config, change, others)?;
        let texts = sources.len();
        let others = change.files.iter();
        let others = others.filter(|file| {
            classified.changed.others.contains(&file.path) && may_be_included(&file.path)
        });
        sources.extend(others);
        for (index, (file, text)) in sources
            .iter()
            .zip(change.texts_before(&sources)?)
            .enumerate()
        {
            let changed = &mut classified.changed;
            let known = if index < texts {
                &mut changed.rust
            } else {
                &mut changed.texts
            };
            known.insert(file.path.clone(), text);
        }
        Ok(classified)
    }

    fn reach(&mut self, workspace: &Workspace, reach: FileEffect, path: &Utf8Path) {
        let files = self.reached.entry(reach).or_default();
        files.push(workspace.slashed(path));
    }
}

/// The maximum size of a file to compare as code, in bytes.
const LARGEST_INCLUDED: u64 = 1 << 20;

/// Whether a file without the extension of Rust may contain code for an `include!`.
fn may_be_included(path: &Utf8Path) -> bool {
    let size = std::fs::metadata(path).map(|about| about.len());
    size.is_ok_and(|size| size <= LARGEST_INCLUDED)
}
