//! The inputs of a run by name and hash, and how those of two moments differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::CHANGED;
use crate::sys::cargo::LOCKFILE;
use crate::workspace::Workspace;

/// Maps an input to the first 12 hex digits of its BLAKE3 hash, which distinguish the contents of one workspace and fit into a
/// document. Inputs are members' names, [`LOCKFILE`], [`TOOLCHAIN`], [`WORKSPACE`], variables, and the rest of the environment.
pub type Inputs = BTreeMap<String, String>;

/// The output of `rustc -vV`.
pub const TOOLCHAIN: &str = "toolchain";
/// The build configuration of a run whose commands depend on it.
pub const CONFIGURATION: &str = "configuration";
/// Files of the workspace that belong to no member.
pub const WORKSPACE: &str = "workspace files";
/// A lockfile that git ignores, so that a clone lacks it.
pub const IGNORED_LOCKFILE: &str = "Cargo.lock (ignored by git)";
/// The variables and configuration that cargo and rustc read, as one input.
pub(super) const BUILD: &str = "build environment";
/// How the name of a file begins that is not among those of the workspace.
pub(super) const FILE: &str = "file ";
/// How the name of a package's folder begins that is outside of the workspace.
pub(super) const FOLDER: &str = "folder ";
/// The prefix of a variable's input name.
pub(super) const VARIABLE: &str = "$";

/// Replaces the hash of the lockfile with that of `after`, or removes it.
pub fn keep_lockfile(inputs: &mut Inputs, after: &Inputs) {
    for name in [LOCKFILE, IGNORED_LOCKFILE] {
        match after.get(name) {
            Some(hash) => inputs.insert(name.to_owned(), hash.clone()),
            None => inputs.remove(name),
        };
    }
}

/// The variables of the build configuration, as an input of a plan's commands, which contain the other options. `None` if the
/// configuration sets none.
#[must_use]
pub fn environment(workspace: &Workspace) -> Option<(String, String)> {
    let environment = &workspace.configuration.environment;
    let hash = || short(blake3::hash(format!("{environment:?}").as_bytes()));
    (!environment.is_empty()).then(|| (CONFIGURATION.to_owned(), hash()))
}

/// The build configuration as an input of a run whose commands depend on it, so that the run proves nothing for another
/// configuration. `None` for a build without options, as in records of earlier versions.
#[must_use]
pub fn configuration(workspace: &Workspace) -> Option<(String, String)> {
    let hash = short(blake3::hash(workspace.build_fingerprint()?.as_bytes()));
    Some((CONFIGURATION.to_owned(), hash))
}

/// The names whose current hashes differ from the recorded ones, sorted. Empty means fresh.
#[must_use]
pub fn changed(recorded: &Inputs, now: &Inputs) -> Vec<String> {
    let names: BTreeSet<&String> = recorded.keys().chain(now.keys()).collect();
    names
        .into_iter()
        .filter(|name| !is_same(name, recorded.get(*name), now.get(*name)))
        .cloned()
        .collect()
}

/// Whether an input equals the recorded one. Older records have longer hashes. A clone has no files that git does not have: no
/// lockfile that git ignores, whose versions are not known until it is built.
fn is_same(name: &str, recorded: Option<&String>, now: Option<&String>) -> bool {
    match (recorded, now) {
        (Some(recorded), Some(now)) => recorded == now || is_start(now, recorded),
        (Some(_), None) => name == IGNORED_LOCKFILE || is_elsewhere(name),
        // A record from before the environment was recorded says nothing of it.
        (None, Some(_)) => name == BUILD,
        (None, None) => true,
    }
}

fn is_start(short: &str, long: &str) -> bool {
    short.len() == 12 && long.len() == 16 && long.starts_with(short)
}

/// The same for a `now` that may contain more inputs than the record.
#[must_use]
pub fn changed_of(recorded: &Inputs, now: &Inputs) -> Vec<String> {
    let changed = |(name, hash): &(&String, &String)| !is_same(name, Some(*hash), now.get(*name));
    let changed = recorded.iter().filter(changed);
    let configured = [CONFIGURATION.to_owned()].into_iter();
    let configured =
        configured.filter(|name| now.contains_key(name) && !recorded.contains_key(name));
    changed
        .map(|(name, _)| name.clone())
        .chain(configured)
        .collect()
}

/// Marks the inputs that changed during a run, so that no later state equals them.
pub fn mark_changed(inputs: &mut Inputs, after: &Inputs) {
    for name in changed(inputs, after) {
        inputs.insert(name, CHANGED.to_owned());
    }
}

/// Whether an input of a record changed during its run.
#[must_use]
pub fn changed_while_it_ran(inputs: &Inputs) -> bool {
    inputs.values().any(|hash| hash == CHANGED)
}

pub(super) fn short(hash: blake3::Hash) -> String {
    hash.to_hex()[..12].to_owned()
}

/// Whether an input is outside git, so that no commit contains it.
pub(super) fn is_in_no_commit(name: &str) -> bool {
    [TOOLCHAIN, CONFIGURATION, IGNORED_LOCKFILE].contains(&name) || is_outside(name)
}

/// The name of an input's variable.
pub(super) fn variable(input: &str) -> Option<&str> {
    input.strip_prefix(VARIABLE)
}

/// Whether an input is not a file of the workspace.
fn is_outside(input: &str) -> bool {
    input == BUILD || variable(input).is_some() || is_elsewhere(input)
}

/// Whether an input is outside of the files that a clone has.
fn is_elsewhere(input: &str) -> bool {
    input.starts_with(FILE) || input.starts_with(FOLDER)
}
