//! Narrows a selection by coverage.
//!
//! A test with coverage passed on a known state of files. The result is still the same if each change since then is either unreachable
//! from the test according to the sources, or in the body of a function that the test did not execute ([`BodyChanges`]), or a file that
//! neither the test nor the build touched ([`DataFiles`]). Such a test is removed from the selection, whatever its reason. Toolchain,
//! features, profile and environment must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use rustc_hash::{FxHashMap, FxHashSet};

use super::body_changes::{BodyChanges, Texts, at_build, runs_at_build};
use super::environment;
use super::store::{State, Store, Test};
use super::touched_files::{DataFiles, touching};
use super::unproven::Unproven;
use crate::affected::failed::TestNames;
use crate::affected::items::Graph;
use crate::affected::items::extract::Digest;
use crate::affected::selector::select_adjusted;
use crate::affected::targets::{TestTarget, all_targets};
use crate::affected::{Reason, Selection, TargetSelection, TestSelector};
use crate::change::Change;
use crate::project::Project;
use crate::sys::git::{ChangeKind, FileChange, Repository};
use crate::workspace::Workspace;
use crate::workspace::source::syntax::ItemKind;

/// Conditions of a test's run besides the files.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    /// The toolchain, from [`compiler`](super::collect::compiler).
    pub toolchain: &'a str,
    /// Arguments that affect the build, from [`of_configuration`](super::arguments::of_configuration).
    pub built_with: &'a [String],
}

/// The result of narrowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Narrowed {
    /// The number of tests removed from the selection.
    By(usize),
    /// The coverage cannot be used for this change, with the reason.
    Not(String),
}

/// Adds the tests that executed a changed function to `selection`, and removes those whose coverage proves that they execute nothing that
/// changed. With `cached`, sources are read through the cache.
///
/// # Errors
/// When git fails, or a file cannot be read.
pub fn narrow(
    project: &Project,
    store: &Store,
    conditions: Conditions<'_>,
    cached: bool,
    selection: &mut Selection,
) -> Result<Narrowed> {
    let since = match SinceCollected::of(project, store, conditions, cached)? {
        Ok(since) => since,
        Err(why) => return Ok(Narrowed::Not(why)),
    };
    let workspace = &project.workspace;
    since.executed.join(workspace, store, selection);
    let rest = &since.rest;
    let unchanged = UnchangedTests::of(store, rest, &since.changed, &since.unproven.tests);
    let before = selection.count();
    selection.targets.retain(|target, part| {
        let stays = |name: &TestSelector| !unchanged.is_among(workspace, target, name);
        let whole = rest.targets.get(target).map(|part| &part.whole);
        if whole.is_none_or(BTreeSet::is_empty) && !part.known.iter().all(stays) {
            part.name_tests();
        }
        if part.whole.is_empty() {
            part.tests
                .retain(|name, reason| *reason == Reason::Failed || stays(name));
        }
        !part.whole.is_empty() || !part.tests.is_empty()
    });
    let variable = since.unproven.variable.iter();
    selection.notes.extend(variable.map(|variable| {
        format!(
            "more tests may be left out with the variables of the collection: {variable} differs, and functions may read it"
        )
    }));
    Ok(Narrowed::By(before - selection.count()))
}

/// The tests of the store, as indexes, whose results no change since the collection can affect; or why the coverage cannot be used.
///
/// # Errors
/// As for [`narrow`].
pub fn unaffected(
    project: &Project,
    store: &Store,
    conditions: Conditions<'_>,
) -> Result<Result<FxHashSet<usize>, String>> {
    let since = match SinceCollected::of(project, store, conditions, true)? {
        Ok(since) => since,
        Err(why) => return Ok(Err(why)),
    };
    let workspace = &project.workspace;
    let targets = targets_by_id(workspace);
    let is_selected = |test: &Test| {
        let target = targets.get(&test.binary);
        let part = target.map(|target| since.rest.targets.get(target));
        part.is_none_or(|part| part.is_some_and(|part| part.runs(&test.name)))
    };
    let tests = store.with_coverage().filter(|(index, ran)| {
        !since.unproven.tests.contains(index)
            && !since.executed.items.contains_key(index)
            && !ran.iter().any(|item| since.changed.contains(item))
            && !is_selected(&store.tests[*index])
    });
    Ok(Ok(tests.map(|(index, _)| index).collect()))
}

/// The effects of the changes since coverage was collected.
struct SinceCollected {
    /// The selection by changes other than those of bodies and data files.
    rest: Selection,
    executed: Executed,
    /// The items of the store whose bodies changed.
    changed: FxHashSet<u32>,
    /// The tests of the store whose coverage proves nothing.
    unproven: Unproven,
}

impl SinceCollected {
    /// `Err` with the reason if the coverage cannot be used.
    fn of(
        project: &Project,
        store: &Store,
        conditions: Conditions<'_>,
        cached: bool,
    ) -> Result<Result<Self, String>> {
        if store.toolchain != conditions.toolchain {
            return Ok(Err(
                "it was collected with another toolchain, or other RUSTFLAGS".to_owned(),
            ));
        }
        if store.built_with != conditions.built_with {
            let with = if store.built_with.is_empty() {
                "the workspace's own features".to_owned()
            } else {
                store.built_with.join(" ")
            };
            return Ok(Err(format!("it was collected with {with}")));
        }
        if let Some(name) = environment::difference(&store.environment) {
            return Ok(Err(format!(
                "it was collected with another value of the environment variable {name}"
            )));
        }
        let workspace = &project.workspace;
        let repository = project.repository()?;
        let Some(mut since) = Since::of(workspace, store, &repository)? else {
            return Ok(Err(
                "git no longer has the files it was collected on".to_owned()
            ));
        };
        let mut bodies = BodyChanges::default();
        let mut unproven = Unproven::default();
        let touching = touching(workspace, &repository, store, &since.change);
        let data = DataFiles::take_from(&mut since.change, &repository, store);
        let mut executed = Executed::default();
        let rest = select_adjusted(
            project,
            &since.change,
            cached,
            &TestNames::new(),
            &mut |graph, changed| {
                bodies = BodyChanges::of(workspace, graph, store, &since.texts);
                unproven = Unproven::of(workspace, graph, store, &bodies);
                executed = Executed::of(workspace, graph, store);
                bodies.leave_out(graph, changed);
                if data.has_all_sources && changed.others.is_empty() {
                    let at_build = at_build(workspace);
                    graph.forget_walking_readers(|unit| runs_at_build(unit, &at_build));
                }
            },
        )?;
        for (test, why) in touching {
            executed.items.entry(test).or_insert(why);
        }
        unproven.tests.extend(data.readers(store));
        Ok(Ok(Self {
            rest,
            executed,
            changed: bodies.items,
            unproven,
        }))
    }
}

/// The changed functions that tests executed, and the changed files that they touched, even without a path in the sources.
#[derive(Default)]
struct Executed {
    /// The file of the first such function or file of each test of the store, and a description.
    items: BTreeMap<usize, (String, String)>,
}

impl Executed {
    fn of(workspace: &Workspace, graph: &Graph, store: &Store) -> Self {
        let mut changed: FxHashMap<(&str, Digest, Digest), u32> = FxHashMap::default();
        for (index, item) in (0..).zip(&store.items) {
            let file = store.files[item.file as usize].as_str();
            changed.insert((file, item.key, item.hash), index);
        }
        let mut names: FxHashMap<u32, (String, String)> = FxHashMap::default();
        for (id, node) in (0..).zip(&graph.nodes.nodes) {
            if !node.changed || !node.before || node.kind != ItemKind::Fn {
                continue;
            }
            let item = graph.nodes.item(&graph.sources, id);
            let file = workspace.slashed(&graph.sources.files[node.file as usize].path);
            if let Some(index) = changed.get(&(file.as_str(), item.key, item.hash)) {
                names.insert(*index, (file, graph.describe(id)));
            }
        }
        let mut items = BTreeMap::new();
        for (test, ran) in store.with_coverage().filter(|_| !names.is_empty()) {
            if let Some(name) = ran.iter().find_map(|item| names.get(item)) {
                let (file, item) = name.clone();
                items.insert(test, (file, format!("it executed `{item}`")));
            }
        }
        Self { items }
    }

    /// Selects the tests that executed a function in a file of the change.
    fn join(&self, workspace: &Workspace, store: &Store, selection: &mut Selection) {
        let targets = targets_by_id(workspace);
        for (test, (file, what)) in &self.items {
            if !selection.files.contains(file) {
                continue;
            }
            let test = &store.tests[*test];
            let Some(target) = targets.get(&test.binary) else {
                continue;
            };
            let reason = || {
                Reason::Widened(format!(
                    "{what} when coverage was collected, although the sources show no path"
                ))
            };
            let part = selection.targets.entry(target.clone());
            let part = part.or_insert_with(|| TargetSelection {
                known: Arc::new(
                    store
                        .tests
                        .iter()
                        .filter(|other| other.binary == test.binary)
                        .map(|other| TestSelector::Exact(other.name.clone()))
                        .collect(),
                ),
                ..TargetSelection::default()
            });
            let is_selected =
                !part.whole.is_empty() || part.tests.keys().any(|name| name.matches(&test.name));
            if is_selected {
                continue;
            }
            let by_name = TestSelector::Exact(test.name.clone());
            let known = part.known.iter();
            let selector = known
                .filter(|known| known.matches(&test.name))
                .min()
                .cloned()
                .unwrap_or(by_name);
            part.tests.insert(selector, reason());
        }
    }
}

/// The targets of the workspace by nextest's id.
fn targets_by_id(workspace: &Workspace) -> FxHashMap<String, TestTarget> {
    let targets = all_targets(workspace).into_iter();
    targets
        .map(|target| (target.binary_id(workspace), target))
        .collect()
}

/// The change since the coverage was collected.
struct Since {
    change: Change,
    texts: FxHashMap<String, Texts>,
}

impl Since {
    /// `None` if git no longer has an old source.
    fn of(workspace: &Workspace, store: &Store, repository: &Repository) -> Result<Option<Self>> {
        let (then, now) = (
            &store.state,
            State::of(repository, &workspace.root.join("Cargo.lock"))?,
        );
        let mut files = Vec::new();
        let mut held: BTreeMap<Utf8PathBuf, Vec<u8>> = BTreeMap::new();
        let mut asked: Vec<(&str, Utf8PathBuf)> = Vec::new();
        let paths: std::collections::BTreeSet<&String> =
            then.files.keys().chain(now.files.keys()).collect();
        for path in paths {
            let (before, after) = (then.files.get(path), now.files.get(path));
            let same_mode = then.executable.contains(path) == now.executable.contains(path);
            if before == after && same_mode && before.is_none_or(|id| !id.is_empty()) {
                continue;
            }
            let absolute = repository.root.join(path);
            let kind = match (before, after) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Deleted,
                _ => ChangeKind::Modified,
            };
            if let Some(text) = then.texts.get(path) {
                held.insert(absolute.clone(), text.clone());
            } else if let Some(id) = before
                && matches!(absolute.extension(), Some("rs" | "toml" | "lock"))
            {
                asked.push((id, absolute.clone()));
            }
            files.push(FileChange {
                path: absolute,
                kind,
            });
        }
        let ids: Vec<&str> = asked.iter().map(|(id, _)| *id).collect();
        if ids.iter().any(|id| id.is_empty()) {
            return Ok(None);
        }
        for ((_, path), text) in asked.iter().zip(repository.blobs(&ids)?) {
            let Some(text) = text else { return Ok(None) };
            held.insert(path.clone(), text);
        }
        let mut texts = FxHashMap::default();
        for file in &files {
            let before = held
                .get(&file.path)
                .and_then(|text| String::from_utf8(text.clone()).ok());
            let is_source =
                file.path.extension() == Some("rs") && file.kind == ChangeKind::Modified;
            let Some(before) = before.filter(|_| is_source) else {
                continue;
            };
            let now = crate::sys::files::read(&file.path)
                .context("failed to compare it with its earlier state")?;
            if let Ok(now) = String::from_utf8(now) {
                texts.insert(workspace.slashed(&file.path), Texts { before, now });
            }
        }
        let change = Change::from_earlier_content("collected".to_owned(), files, held)
            .with_links(repository)?;
        Ok(Some(Self { change, texts }))
    }
}

/// The tests with an unchanged result, by binary id.
struct UnchangedTests<'s> {
    listed: FxHashMap<&'s str, Vec<&'s str>>,
    moved: FxHashMap<&'s str, Vec<&'s str>>,
    rest: &'s Selection,
}

impl<'s> UnchangedTests<'s> {
    fn of(
        store: &'s Store,
        rest: &'s Selection,
        changed: &FxHashSet<u32>,
        unproven: &FxHashSet<usize>,
    ) -> Self {
        let mut unchanged = Self {
            listed: FxHashMap::default(),
            moved: FxHashMap::default(),
            rest,
        };
        for (index, test) in store.tests.iter().enumerate() {
            let ran = test.ran.as_ref();
            let stays = !unproven.contains(&index)
                && ran.is_ok_and(|ran| ran.iter().all(|item| !changed.contains(item)));
            let of = if stays {
                &mut unchanged.listed
            } else {
                &mut unchanged.moved
            };
            of.entry(test.binary.as_str()).or_default().push(&test.name);
        }
        unchanged
    }

    /// Whether there are tests with this name, and all have an unchanged result.
    fn is_among(&self, workspace: &Workspace, target: &TestTarget, name: &TestSelector) -> bool {
        if let Some(part) = self.rest.targets.get(target)
            && (!part.whole.is_empty() || part.tests.contains_key(name))
        {
            return false;
        }
        let binary = target.binary_id(workspace);
        let any = |of: &FxHashMap<&str, Vec<&str>>| {
            let names = of.get(binary.as_str());
            names.is_some_and(|names| names.iter().any(|listed| name.matches(listed)))
        };
        any(&self.listed) && !any(&self.moved)
    }
}
