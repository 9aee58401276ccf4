//! A selection, narrowed by what was observed.
//!
//! A test that was observed passed, on files in a state that is known. Between that state and now a list of things changed.
//! The test's run is still the same, and so is its outcome, when for each of these it is either not reached by the sources, or
//! is the body of a function that the test did not run ([`BodyChanges`]). Such a test is left out, whatever it was selected for.
//! All else that decides a run must be as it was too: toolchain, features, profile.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use rustc_hash::{FxHashMap, FxHashSet};

use super::body_changes::{BodyChanges, Texts};
use super::store::{State, Store};
use crate::affected::selector::select_but_in;
use crate::affected::{Selection, TestSelector, TestTarget};
use crate::change::Change;
use crate::project::Project;
use crate::sys::git::{ChangeKind, FileChange, Repository};
use crate::workspace::Workspace;

/// What decides a test's run besides the files.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    /// The toolchain, as [`compiler`](super::collect::compiler) gives it.
    pub toolchain: &'a str,
    /// What is built, as [`of_build`](super::collect::of_build) gives it.
    pub built_with: &'a [String],
}

/// What narrowing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Narrowed {
    /// So many tests are left out of the selection.
    By(usize),
    /// What was observed says nothing about this change; why, in words.
    Not(String),
}

/// Leaves out of `selection` the tests that, by what was observed, run as they did. Sources that were read before are not
/// read again where `cached`.
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
    if store.toolchain != conditions.toolchain {
        return Ok(Narrowed::Not(
            "it was collected with another toolchain, or other RUSTFLAGS".to_owned(),
        ));
    }
    if store.built_with != conditions.built_with {
        let with = if store.built_with.is_empty() {
            "the workspace's own features".to_owned()
        } else {
            store.built_with.join(" ")
        };
        return Ok(Narrowed::Not(format!("it was collected with {with}")));
    }
    let workspace = &project.workspace;
    let repository = project.repository()?;
    let Some(since) = Since::of(workspace, store, &repository)? else {
        return Ok(Narrowed::Not(
            "git no longer holds the files it was collected on".to_owned(),
        ));
    };
    let mut bodies = BodyChanges::default();
    let rest = select_but_in(project, &since.change, cached, &mut |graph| {
        bodies = BodyChanges::of(workspace, graph, store, &since.texts);
        bodies.nodes.clone()
    })?;
    let unchanged = UnchangedTests::of(store, &rest, &bodies.items);
    let before = selection.count();
    selection.targets.retain(|target, part| {
        if part.whole.is_empty() {
            part.tests
                .retain(|name, _| !unchanged.is_among(workspace, target, name));
        }
        !part.whole.is_empty() || !part.tests.is_empty()
    });
    Ok(Narrowed::By(before - selection.count()))
}

/// What changed since the suite was run.
struct Since {
    change: Change,
    texts: FxHashMap<String, Texts>,
}

impl Since {
    /// None where git does not hold what a source was then.
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
            if before == after && before.is_none_or(|id| !id.is_empty()) {
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
                .context("failed to compare it with what it was")?;
            if let Ok(now) = String::from_utf8(now) {
                texts.insert(workspace.slashed(&file.path), Texts { before, now });
            }
        }
        let change =
            Change::from_held("collected".to_owned(), files, held).with_links(repository)?;
        Ok(Some(Self { change, texts }))
    }
}

/// The tests that run as they did, by binary id.
struct UnchangedTests<'s> {
    listed: FxHashMap<&'s str, Vec<&'s str>>,
    moved: FxHashMap<&'s str, Vec<&'s str>>,
    rest: &'s Selection,
}

impl<'s> UnchangedTests<'s> {
    fn of(store: &'s Store, rest: &'s Selection, changed: &FxHashSet<u32>) -> Self {
        let mut unchanged = Self {
            listed: FxHashMap::default(),
            moved: FxHashMap::default(),
            rest,
        };
        for test in &store.tests {
            let stays = test
                .ran
                .as_ref()
                .is_ok_and(|ran| ran.iter().all(|item| !changed.contains(item)));
            let of = if stays {
                &mut unchanged.listed
            } else {
                &mut unchanged.moved
            };
            of.entry(test.binary.as_str()).or_default().push(&test.name);
        }
        unchanged
    }

    /// Whether all tests that go by a name run as they did, of which there must be one.
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
