//! Lists the files of a work tree, with the ids of contents that git knows.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::batch;
use super::process::{self, split_nul};
use crate::sys::files;

/// Files that are tracked, or untracked and not ignored.
#[derive(Debug, Default)]
pub struct Listing {
    /// By path relative to the root of the work tree, with `/`.
    pub files: FxHashMap<Utf8PathBuf, Listed>,
    /// Tracked files that differ from the index: changed or deleted.
    pub modified: BTreeSet<Utf8PathBuf>,
    /// Tracked files that may be executed according to the index.
    executable: FxHashSet<Utf8PathBuf>,
    /// Symbolic links.
    pub links: Vec<Utf8PathBuf>,
    /// Whether there is a submodule, whose files are not listed.
    pub submodules: bool,
    /// Tracked files that git does not check (`assume-unchanged`, `skip-worktree`), with the content id in the index.
    hidden: Vec<(Utf8PathBuf, Hidden)>,
}

/// Why git does not check a file, and its content in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hidden {
    id: String,
    /// Whether it is `skip-worktree`: the file may be absent, as in a sparse checkout.
    skipped: bool,
    link: bool,
}

/// A file of a [`Listing`]; a tracked file may be missing on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// Equal to the index according to git: the id of its content.
    Clean(String),
    /// Tracked and changed, or without a content id in the index (a link, a submodule, a file that git does not check).
    Unknown,
    /// Not tracked.
    Untracked,
}

impl Listing {
    /// Runs git. Files of which only the time stamp changed are compared by content, and so are files that git does not check, because cargo
    /// builds the files on disk.
    pub(super) fn of(root: &Utf8Path) -> Result<Self> {
        let mut listing = Self::parse(&process::successful(
            root,
            &[
                "ls-files",
                "-z",
                "-v",
                "--stage",
                "--modified",
                "--others",
                "--exclude-standard",
            ],
        )?)?;
        // What this process prints into a file is no source.
        let written = files::own_outputs();
        listing.files.retain(|path, listed| {
            *listed != Listed::Untracked || !written.contains(&root.join(path))
        });
        listing.compare_hidden(root)?;
        let is_link = |path: &Utf8Path| root.join(path).is_symlink();
        let untracked = listing.files.iter();
        let untracked = untracked.filter(|(_, listed)| **listed == Listed::Untracked);
        let links: Vec<Utf8PathBuf> = untracked
            .map(|(path, _)| path.clone())
            .filter(|path| is_link(path))
            .collect();
        listing.links.extend(links);
        listing.links.sort();
        Ok(listing)
    }

    /// Whether a file, relative to `root`, may be executed: according to git if it is equal to the index, because not every file system
    /// knows that.
    #[must_use]
    pub fn is_executable(&self, root: &Utf8Path, path: &Utf8Path) -> bool {
        match self.files.get(path) {
            Some(Listed::Clean(_)) => self.executable.contains(path),
            _ => files::is_executable(&root.join(path)),
        }
    }

    /// Adds unchecked files to [`Self::modified`] whose content on disk differs from the index.
    fn compare_hidden(&mut self, root: &Utf8Path) -> Result<()> {
        let mut hashed = Vec::new();
        for (path, hidden) in &self.hidden {
            let absolute = root.join(path);
            if absolute.symlink_metadata().is_err() {
                if !hidden.skipped {
                    self.modified.insert(path.clone());
                }
            } else if !hidden.link && can_be_hashed(&absolute) {
                hashed.push((path.as_path(), hidden.id.as_str()));
            } else {
                // A link, or a name that cannot be passed to git: it cannot be compared, so it counts as changed.
                self.modified.insert(path.clone());
            }
        }
        let paths: Vec<&Utf8Path> = hashed.iter().map(|(path, _)| *path).collect();
        let ids = content_ids(root, &paths)?;
        for ((path, known), id) in hashed.iter().zip(ids) {
            if *known != id {
                self.modified.insert((*path).to_owned());
            }
        }
        Ok(())
    }

    /// Parses `H 100644 0e6a78… 0\tpath\0` for tracked files, again with `C` for modified ones, and `? path\0`: git-ls-files(1), "Output" and
    /// `-v`.
    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut files = FxHashMap::default();
        let mut modified = BTreeSet::new();
        let mut links = Vec::new();
        let mut hidden = Vec::new();
        let mut executable = FxHashSet::default();
        let mut submodules = false;
        for field in split_nul(bytes)? {
            if let Some(path) = field.strip_prefix("? ") {
                // Another process of this program is about to rename or remove it.
                if files::is_temporary(Utf8Path::new(path)) {
                    continue;
                }
                files.insert(path.into(), Listed::Untracked);
                continue;
            }
            let (about, path) = field
                .split_once('\t')
                .with_context(|| format!("git listed a file in an unknown format: {field}"))?;
            if about.starts_with(['C', 'c']) {
                modified.insert(path.into());
            }
            if about.contains(" 100755 ") {
                executable.insert(path.into());
            }
            submodules |= about.contains(" 160000 ");
            let link = about.contains(" 120000 ");
            let mut clean = None;
            match about.split(' ').collect::<Vec<_>>()[..] {
                ["H", "100644" | "100755", id, "0"] => {
                    clean = Some(Listed::Clean(id.to_owned()));
                }
                // `S`: skip-worktree; lower case: assume-unchanged. git-ls-files(1), `-t` and `-v`.
                ["h" | "s" | "S", mode, id, "0"] if mode != "160000" => {
                    let skipped = about.starts_with(['s', 'S']);
                    let id = id.to_owned();
                    hidden.push((path.into(), Hidden { id, skipped, link }));
                }
                _ => {}
            }
            if link && !files.contains_key(Utf8Path::new(path)) {
                links.push(path.into());
            }
            // Listed twice: modified, or in conflict.
            files
                .entry(path.into())
                .and_modify(|listed| *listed = Listed::Unknown)
                .or_insert(clean.unwrap_or(Listed::Unknown));
        }
        Ok(Self {
            files,
            modified,
            executable,
            links,
            submodules,
            hidden,
        })
    }
}

/// Whether `git hash-object` can hash an absolute path: a regular file (it would follow a link, whose text is in the index) whose path fits on
/// a line.
#[must_use]
pub fn can_be_hashed(path: &Utf8Path) -> bool {
    let regular = path.symlink_metadata().is_ok_and(|about| about.is_file());
    regular && !path.as_str().contains(['\n', '"'])
}

/// The ids that git computes for the content of these regular files, relative to `root`, in the same order.
///
/// # Errors
/// When git fails because a file does not exist or cannot be read.
pub(super) fn content_ids(root: &Utf8Path, paths: &[&Utf8Path]) -> Result<Vec<String>> {
    let paths_text = paths.iter().map(ToString::to_string);
    let answer = batch::ask(root, &["hash-object", "--stdin-paths"], paths_text)?;
    let ids = String::from_utf8(answer).context("git printed text that is not UTF-8")?;
    let ids: Vec<String> = ids.lines().map(str::to_owned).collect();
    if ids.len() != paths.len() {
        bail!(
            "`git hash-object` hashed {} of {} files",
            ids.len(),
            paths.len()
        );
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_equal_to_the_index_are_clean() {
        let listing = Listing::parse(
            b"? new file.rs\0H 100644 aa 0\tclean.rs\0H 100644 bb 0\tchanged.rs\0C 100644 bb 0\tchanged.rs\0\
              h 100644 cc 0\tassumed.rs\0S 100644 dd 0\tskipped.rs\0H 120000 ee 0\tlink\0H 160000 ff 0\tmodule\0\
              M 100644 11 1\tunmerged.rs\0M 100644 22 2\tunmerged.rs\0H 100755 33 0\ta\ttab.sh\0",
        )
        .unwrap();
        let clean: BTreeSet<_> = listing
            .files
            .iter()
            .filter(|(_, listed)| matches!(listed, Listed::Clean(_)))
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(clean, ["a\ttab.sh", "clean.rs"].into());
        assert_eq!(
            listing.files[Utf8Path::new("new file.rs")],
            Listed::Untracked
        );
        assert_eq!(listing.files.len(), 9);
        let modified: Vec<_> = listing.modified.iter().collect();
        assert_eq!(modified, ["changed.rs"]);
        assert!(listing.submodules);
    }
}
