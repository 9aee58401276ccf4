//! A copy of the repository in the target folder, with the files of the work tree or of a commit. The work tree is never changed.

use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use super::Project;
use crate::config::Options;
use crate::config::configurations::WrittenConfiguration;
use crate::sys::cargo::{LOCKFILE, own_folder};
use crate::sys::files;
use crate::sys::git::copy::Copy;
use crate::sys::git::{ChangeKind, Repository};
use crate::sys::lock::{Lock, lock};
use crate::sys::terminal::Terminal;

/// The copy, and the folders beside it. They are kept, so that the next run builds less.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The folder that contains the copy and its target folder.
    pub(crate) folder: Utf8PathBuf,
    /// The workspace root in the copy.
    pub(crate) root: Utf8PathBuf,
    /// The target folder of all builds in the copy.
    pub(crate) target: Utf8PathBuf,
    _lock: Lock,
}

impl Tree {
    /// Makes the copy with this name equal to a commit, or without one to the work tree.
    ///
    /// # Errors
    /// When the repository has no commit, git fails, or a file cannot be copied.
    pub(crate) fn open(
        project: &Project,
        name: &str,
        commit: Option<&str>,
        terminal: &mut Terminal,
    ) -> Result<Self> {
        let folder = own_folder(&project.workspace.target_directory).join(name);
        files::create_folder(&folder)?;
        let lock = lock(&folder, &folder.with_extension("lock"), || {
            terminal.status("Waiting", format!("for another run that uses {folder}"))
        })?;
        let repository = project.repository()?;
        let root = folder.join("tree");
        let copy = checked_out(&repository, &root, commit)
            .and_then(|copy| {
                if commit.is_none() {
                    add_changes(&repository, &root)?;
                }
                Ok(copy)
            })
            .with_context(|| format!("failed to copy the repository to {root}"))?;
        let tree = Self {
            root: copy.root.join(project.prefix()),
            target: folder.join("target"),
            folder,
            _lock: lock,
        };
        // A lockfile that git ignores has no earlier version.
        let lockfile = project.workspace.root.join(LOCKFILE);
        let has_own = match commit {
            Some(commit) => repository
                .content_id(commit, &project.prefix().join(LOCKFILE))?
                .is_some(),
            None => false,
        };
        if let Some(locked) = files::read_if_exists(&lockfile)?.filter(|_| !has_own) {
            tree.write(Utf8Path::new(LOCKFILE), &locked)?;
        }
        Ok(tree)
    }

    /// The project of the copy in the same configuration. It uses the caches and the coverage of the user's target folder.
    ///
    /// # Errors
    /// As for [`Project::load`].
    pub(crate) fn project(&self, original: &Project) -> Result<Project> {
        let mut project = Project::load(Options {
            manifest_path: Some(self.root.join("Cargo.toml")),
            cargo_flags: original.cargo.flags.clone(),
            configuration: Some(WrittenConfiguration::of(&original.workspace)),
            ..Options::default()
        })?;
        let target = &original.workspace.target_directory;
        project.workspace.target_directory.clone_from(target);
        Ok(project)
    }

    /// Replaces a file, relative to the workspace root, if its content differs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, file: &Utf8Path, content: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if files::read_if_exists(&path)?.is_some_and(|known| known == content) {
            return Ok(());
        }
        files::write_atomic(&path, content)
    }
}

/// A clone with the files of a commit, or of HEAD. Files that are already equal are not written, so that cargo does not build them
/// again.
fn checked_out(repository: &Repository, root: &Utf8Path, commit: Option<&str>) -> Result<Copy> {
    let commit = match commit {
        Some(commit) => commit.to_owned(),
        None => repository
            .head()?
            .context("the repository has no commit; commit something first")?,
    };
    let known = Copy {
        root: root.to_owned(),
    };
    if root.join(".git").is_dir() && known.check_out(&commit).is_ok() {
        return Ok(known);
    }
    let copy = repository.copy(root)?;
    copy.check_out(&commit)?;
    Ok(copy)
}

/// Copies the changed files of the work tree.
fn add_changes(repository: &Repository, root: &Utf8Path) -> Result<()> {
    let head = repository.head()?.unwrap_or_default();
    for change in repository.changes_since(&head)? {
        let (from, to) = (repository.root.join(&change.path), root.join(&change.path));
        let built = repository.built.as_ref();
        if built.is_some_and(|folder| from.starts_with(folder)) {
            continue;
        }
        if change.kind == ChangeKind::Deleted {
            files::remove(&to)?;
            continue;
        }
        if from.is_dir() {
            continue;
        }
        if let Some(folder) = to.parent() {
            files::create_folder(folder)?;
        }
        files::write_atomic(&to, &files::read(&from)?)?;
        let copied =
            fs::metadata(&from).and_then(|about| fs::set_permissions(&to, about.permissions()));
        copied.with_context(|| format!("failed to copy {from}"))?;
    }
    Ok(())
}
