//! Files that differ between a commit and the work tree.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use super::process::split_nul;
use super::{ChangeKind, Changes, FileChange, Listed, Repository};

/// The mode of a submodule, whose content is a commit of another repository.
const SUBMODULE: &str = "160000";

/// An entry of `git diff --raw`.
struct Entry {
    path: Utf8PathBuf,
    kind: ChangeKind,
    /// Its mode and content id at the commit.
    before: (String, String),
    /// Its current mode.
    mode: String,
}

impl Repository {
    /// Files that differ between the commit `base` and the work tree: committed since, staged, unstaged, and untracked but not ignored. A submodule
    /// is replaced by its changed files, if its repository is checked out and has the commit of `base`. Sorted by path.
    ///
    /// # Errors
    /// When git fails, or a path is not UTF-8.
    pub fn changes_since(&self, base: &str) -> Result<Vec<FileChange>> {
        Ok(self.all_changes(base)?.files.clone())
    }

    /// The content of changed sources and manifests in submodules at the commit `base`, by path relative to the root.
    ///
    /// # Errors
    /// As [`Self::changes_since`].
    pub fn submodule_sources(&self, base: &str) -> Result<BTreeMap<Utf8PathBuf, Vec<u8>>> {
        Ok(self.all_changes(base)?.submodule_sources.clone())
    }

    fn all_changes(&self, base: &str) -> Result<Arc<Changes>> {
        let mut known = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = known.get(base) {
            return Ok(changes.clone());
        }
        let changes = Arc::new(self.find_changes(base)?);
        known.insert(base.to_owned(), changes.clone());
        Ok(changes)
    }

    fn find_changes(&self, base: &str) -> Result<Changes> {
        let differing = |how: &[&str]| {
            let arguments = [
                "diff",
                "--raw",
                "-z",
                "--no-abbrev",
                "--no-renames",
                "--no-ext-diff",
                "--ignore-submodules=none",
            ];
            self.bytes(&[&arguments, how, &[base, "--"]].concat())
        };
        // The listing, which another thread may be reading, contains the differences from the index, so the work tree is not compared again.
        let mut diff = differing(&["--cached"])?;
        let listing = self.listing()?;
        if listing.submodules {
            diff = differing(&[])?;
        }
        let entries = parse_raw_diff(&diff)?;
        let mut changes: BTreeMap<Utf8PathBuf, ChangeKind> = entries
            .iter()
            .map(|entry| (entry.path.clone(), entry.kind))
            .collect();
        for path in &listing.modified {
            let exists = self.root.join(path).symlink_metadata().is_ok();
            match (changes.get(path), exists) {
                (Some(ChangeKind::Added), false) => {
                    changes.remove(path);
                }
                (Some(ChangeKind::Added), true) => {}
                (_, true) => {
                    changes.insert(path.clone(), ChangeKind::Modified);
                }
                (_, false) => {
                    changes.insert(path.clone(), ChangeKind::Deleted);
                }
            }
        }
        let untracked = listing
            .files
            .iter()
            .filter(|(_, listed)| **listed == Listed::Untracked);
        for (path, _) in untracked {
            // Removed from the index, but still on disk.
            let kind = if changes.contains_key(path) {
                ChangeKind::Modified
            } else {
                ChangeKind::Added
            };
            changes.insert(path.clone(), kind);
        }
        let mut submodule_sources = BTreeMap::new();
        for entry in &entries {
            if [entry.mode.as_str(), entry.before.0.as_str()].contains(&SUBMODULE) {
                self.expand_submodule(entry, &mut changes, &mut submodule_sources);
            }
        }
        let files = changes.into_iter();
        Ok(Changes {
            files: files
                .map(|(path, kind)| FileChange { path, kind })
                .collect(),
            submodule_sources,
        })
    }

    /// Replaces a changed submodule by its changed files. It stays in the list, as a change of unknown content, if its repository is not checked
    /// out or does not have its earlier commit.
    fn expand_submodule(
        &self,
        entry: &Entry,
        changes: &mut BTreeMap<Utf8PathBuf, ChangeKind>,
        sources: &mut BTreeMap<Utf8PathBuf, Vec<u8>>,
    ) {
        let folder = self.root.join(&entry.path);
        if entry.mode != SUBMODULE || !folder.join(".git").exists() {
            return;
        }
        let Ok(inner) = Self::open(&folder) else {
            return;
        };
        let was_submodule = entry.before.0 == SUBMODULE;
        let found = if was_submodule {
            inner.all_changes(&entry.before.1)
        } else {
            inner.listing().map(|listing| {
                let added = |path: &Utf8PathBuf| FileChange {
                    path: path.clone(),
                    kind: ChangeKind::Added,
                };
                Arc::new(Changes {
                    files: listing.files.keys().map(added).collect(),
                    submodule_sources: BTreeMap::new(),
                })
            })
        };
        let Ok(found) = found else { return };
        let is_source =
            |path: &Utf8Path| matches!(path.extension(), Some("rs" | "toml" | "lock" | "in"));
        let asked: Vec<&Utf8Path> = found
            .files
            .iter()
            .filter(|file| file.kind != ChangeKind::Added && is_source(&file.path))
            .map(|file| file.path.as_path())
            .collect();
        let Ok(texts) = inner.contents(&entry.before.1, &asked) else {
            return;
        };
        changes.remove(&entry.path);
        for file in &found.files {
            changes.insert(entry.path.join(&file.path), file.kind);
        }
        for (path, text) in asked.iter().zip(texts) {
            sources.extend(text.map(|text| (entry.path.join(path), text)));
        }
        for (path, text) in &found.submodule_sources {
            sources.insert(entry.path.join(path), text.clone());
        }
    }
}

/// Parses `:100644 100644 old new M\0path\0` repeated: `git diff --raw -z`, git-diff(1) "Raw output format".
fn parse_raw_diff(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut fields = split_nul(bytes)?.into_iter();
    let mut entries = Vec::new();
    while let Some(header) = fields.next() {
        let path = fields
            .next()
            .context("git printed a change without a path")?;
        let words: Vec<&str> = header.trim_start_matches(':').split(' ').collect();
        let [mode_before, mode, id_before, _, status] = words[..] else {
            anyhow::bail!("git printed a change in an unknown format: {header}");
        };
        entries.push(Entry {
            path: path.into(),
            kind: match status {
                "A" => ChangeKind::Added,
                "D" => ChangeKind::Deleted,
                _ => ChangeKind::Modified,
            },
            before: (mode_before.to_owned(), id_before.to_owned()),
            mode: mode.to_owned(),
        });
    }
    Ok(entries)
}
