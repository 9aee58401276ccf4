//! What a run depends on, as short content hashes by name.
//!
//! A package's name stands for all its files; `Cargo.lock`, `toolchain` and `workspace` (the root manifest and
//! cargo's configuration) for theirs. Files that git ignores do not count, and neither do plans and results: a
//! tick in a box makes no evidence stale.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use ignore::WalkBuilder;
use rayon::prelude::*;

use crate::config::Config;
use crate::sys::files;
use crate::workspace::{PackageId, Workspace};

/// Files of the workspace root that rule every build.
const WORKSPACE_FILES: [&str; 6] = [
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    ".cargo/config",
    ".cargo/config.toml",
    ".config/nextest.toml",
];

/// Hashes what the tests of `packages` depend on: these packages, every member they can link, the lockfile, the
/// workspace's own files, and the toolchain, of which `toolchain` is rustc's description.
///
/// # Errors
/// Names the file that cannot be read.
pub fn inputs(
    workspace: &Workspace,
    config: &Config,
    packages: &BTreeSet<PackageId>,
    toolchain: &str,
) -> Result<BTreeMap<String, String>> {
    let linked = workspace.links(packages);
    let hashed: Result<Vec<_>> = linked
        .par_iter()
        .map(|&package| {
            Ok((
                name(workspace, package),
                hash_package(workspace, config, package)?,
            ))
        })
        .collect();
    let mut inputs: BTreeMap<String, String> = hashed?.into_iter().collect();
    let lockfile = files::read_if_exists(&workspace.root.join("Cargo.lock"))?;
    inputs.insert(
        "Cargo.lock".to_owned(),
        short(blake3::hash(&lockfile.unwrap_or_default())),
    );
    inputs.insert(
        "toolchain".to_owned(),
        short(blake3::hash(toolchain.as_bytes())),
    );
    let rooted = WORKSPACE_FILES.map(|file| workspace.root.join(file));
    inputs.insert("workspace".to_owned(), hash_files(workspace, &rooted)?);
    Ok(inputs)
}

/// A member's name, with its folder where members share the name.
fn name(workspace: &Workspace, package: PackageId) -> String {
    let own = &workspace.packages[package].name;
    let same = workspace.packages.iter().filter(|other| other.name == *own);
    if same.count() > 1 {
        format!("{own} ({})", workspace.slashed(workspace.folder(package)))
    } else {
        own.to_string()
    }
}

fn hash_package(workspace: &Workspace, config: &Config, package: PackageId) -> Result<String> {
    let folder = workspace.folder(package);
    let owned = folder.to_owned();
    let target = workspace.target_directory.clone();
    let other_members: BTreeSet<Utf8PathBuf> = (0..workspace.packages.len())
        .filter(|&other| other != package)
        .map(|other| workspace.folder(other).to_owned())
        .collect();
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(move |entry| {
            let path = Utf8Path::from_path(entry.path()).unwrap_or(&owned);
            path != target && entry.file_name() != ".git" && !other_members.contains(path)
        })
        .build();
    let mut paths = Vec::new();
    for entry in walk {
        let entry = entry.with_context(|| format!("failed to list the files of {folder}"))?;
        // A folder's files are listed for themselves; a link counts with what it leads to.
        if entry.file_type().is_some_and(|kind| !kind.is_dir())
            && let Ok(path) = Utf8PathBuf::try_from(entry.into_path())
            && !config.is_document(workspace.relative(&path))
        {
            paths.push(path);
        }
    }
    paths.sort();
    hash_files(workspace, &paths)
}

/// One hash over the names and contents of files; one that is missing counts as missing.
fn hash_files(workspace: &Workspace, paths: &[Utf8PathBuf]) -> Result<String> {
    let contents: Result<Vec<_>> = paths
        .par_iter()
        .map(|path| {
            // A folder behind a link, or a link to nowhere, has no content of its own.
            let content = if path.is_file() {
                files::read_if_exists(path)?
            } else {
                None
            };
            Ok((
                workspace.slashed(path),
                content.map(|bytes| blake3::hash(&bytes)),
            ))
        })
        .collect();
    let mut hasher = blake3::Hasher::new();
    for (path, hash) in contents? {
        hasher.update(path.as_bytes());
        hasher.update(&[0]);
        hasher.update(hash.as_ref().map_or(&[][..], |hash| hash.as_bytes()));
    }
    Ok(short(hasher.finalize()))
}

/// Enough digits to tell contents of one workspace apart, few enough for a comment in a document.
fn short(hash: blake3::Hash) -> String {
    hash.to_hex()[..16].to_owned()
}
