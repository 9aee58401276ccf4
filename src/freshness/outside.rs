//! Inputs that no file list of the workspace contains: packages beside it that members depend on, and files that its sources
//! include although git ignores them or they are elsewhere.
//!
//! Which files sources include is known from the dep-info that rustc writes beside what it builds. Files that a test
//! only opens while it runs are not known.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use camino::Utf8PathBuf;

use super::inputs::{FILE, FOLDER, Inputs, short};
use crate::affected::Outside;
use crate::sys::files;
use crate::workspace::{Workspace, dep_info};

/// The inputs outside of the files that are `listed`, each under a name of its own.
pub(super) fn inputs(workspace: &Workspace, listed: &HashSet<Utf8PathBuf>) -> Result<Inputs> {
    let packages = packages(workspace);
    let mut inputs = Inputs::new();
    for folder in &packages {
        let name = format!("{FOLDER}{}", workspace.slashed(folder));
        inputs.extend(hash(workspace, &name)?.map(|hash| (name, hash)));
    }
    let is_known = |path: &Utf8PathBuf| {
        listed.contains(path)
            || path.starts_with(&workspace.target_directory)
            || packages.iter().any(|folder| path.starts_with(folder))
    };
    for path in included(workspace)?.iter().filter(|path| !is_known(path)) {
        let name = format!("{FILE}{}", workspace.slashed(path));
        inputs.extend(hash(workspace, &name)?.map(|hash| (name, hash)));
    }
    Ok(inputs)
}

/// The present hash of such an input; `None` where the name is another's, or nothing is there.
pub(super) fn hash(workspace: &Workspace, name: &str) -> Result<Option<String>> {
    if let Some(path) = name.strip_prefix(FILE) {
        let path = files::normalize(&workspace.root.join(path));
        let bytes = files::read_if_exists(&path)?;
        return Ok(bytes.map(|bytes| short(blake3::hash(&bytes))));
    }
    let Some(folder) = name.strip_prefix(FOLDER) else {
        return Ok(None);
    };
    let folder = files::normalize(&workspace.root.join(folder));
    if !folder.is_dir() {
        return Ok(None);
    }
    let mut whole = blake3::Hasher::new();
    for path in files::walk(&folder)? {
        let relative = path.strip_prefix(&folder).unwrap_or(&path);
        if relative.starts_with("target") || !path.is_file() {
            continue;
        }
        let content = blake3::hash(&files::read(&path)?);
        whole
            .update(relative.as_str().as_bytes())
            .update(&[0])
            .update(content.as_bytes());
    }
    Ok(Some(short(whole.finalize())))
}

/// The folders beside the workspace of packages that its members build.
fn packages(workspace: &Workspace) -> BTreeSet<Utf8PathBuf> {
    let outside = Outside::read(workspace);
    let folders = outside.folders().filter(|folder| {
        !folder.starts_with(&workspace.root) && !workspace.root.starts_with(folder)
    });
    folders.cloned().collect()
}

/// The files that the sources of members were built from, absolute.
fn included(workspace: &Workspace) -> Result<BTreeSet<Utf8PathBuf>> {
    let packages = workspace.packages.iter();
    let crates: HashSet<String> = packages
        .flat_map(|package| &package.targets)
        .map(|target| target.name.replace('-', "_"))
        .collect();
    let is_own = |name: &str| {
        let stem = name
            .strip_suffix(".d")
            .and_then(|stem| stem.rsplit_once('-'));
        stem.is_some_and(|(name, _)| crates.contains(name))
    };
    let target = &workspace.target_directory;
    let profiles = files::list(target)?
        .into_iter()
        .map(|name| target.join(name));
    let mut included = BTreeSet::new();
    for profile in profiles.filter(|profile| profile.is_dir()) {
        // target/debug/deps, or target/x86_64-unknown-linux-gnu/debug/deps.
        let inner = if profile.join("deps").is_dir() {
            vec![profile]
        } else {
            files::list(&profile)?
                .into_iter()
                .map(|name| profile.join(name))
                .collect()
        };
        for folder in inner
            .iter()
            .map(|profile| profile.join("deps"))
            .filter(|folder| folder.is_dir())
        {
            for name in files::list(&folder)?.iter().filter(|name| is_own(name)) {
                if let Some(text) = files::read_if_exists(&folder.join(name))? {
                    let text = String::from_utf8_lossy(&text);
                    included.extend(dep_info::sources(&workspace.root, &text));
                }
            }
        }
    }
    Ok(included)
}
