//! The copy of the work tree in which mutants are built. The work tree of the user is never changed.

use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Options;
use crate::config::configurations::WrittenConfiguration;
use crate::project::Project;
use crate::sys::cargo::{LOCKFILE, own_folder};
use crate::sys::files;
use crate::sys::git::copy::Copy;
use crate::sys::git::{ChangeKind, Repository};
use crate::sys::lock::{Lock, lock};
use crate::sys::terminal::Terminal;

/// The copy, and the folders beside it. They are kept, so that the next run builds less.
#[derive(Debug)]
pub(super) struct Tree {
    /// The folder of this program with the copy and all that belongs to it.
    pub(super) folder: Utf8PathBuf,
    /// The workspace root in the copy.
    pub(super) root: Utf8PathBuf,
    /// The target folder of all builds in the copy.
    pub(super) target: Utf8PathBuf,
    _lock: Lock,
}

impl Tree {
    /// Makes the copy equal to the work tree.
    ///
    /// # Errors
    /// When the repository has no commit, git fails, or a file cannot be copied.
    pub(super) fn open(project: &Project, terminal: &mut Terminal) -> Result<Self> {
        let folder = own_folder(&project.workspace.target_directory).join("strength");
        files::create_folder(&folder)?;
        let lock = lock(&folder, &folder.with_extension("lock"), || {
            terminal.status("Waiting", "for another run of `verify --strength`")
        })?;
        let repository = project.repository()?;
        let root = folder.join("tree");
        let copy = synchronized(&repository, &root)
            .with_context(|| format!("failed to copy the work tree to {root}"))?;
        let tree = Self {
            root: copy.root.join(project.prefix()),
            target: folder.join("target"),
            folder,
            _lock: lock,
        };
        // A lockfile that git ignores.
        if let Some(locked) = files::read_if_exists(&project.workspace.root.join(LOCKFILE))? {
            tree.write(Utf8Path::new(LOCKFILE), &locked)?;
        }
        Ok(tree)
    }

    /// The project of the copy in the same configuration. It uses the caches and the coverage of the user's target folder.
    ///
    /// # Errors
    /// As for [`Project::load`].
    pub(super) fn project(&self, original: &Project) -> Result<Project> {
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
    pub(super) fn write(&self, file: &Utf8Path, content: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if files::read_if_exists(&path)?.is_some_and(|known| known == content) {
            return Ok(());
        }
        files::write_atomic(&path, content)
    }
}

/// A clone with the files of the work tree. Files that are already equal are not written, so that cargo does not build them again.
fn synchronized(repository: &Repository, root: &Utf8Path) -> Result<Copy> {
    let head = repository
        .head()?
        .context("the repository has no commit; commit something first")?;
    let known = Copy {
        root: root.to_owned(),
    };
    let copy = if root.join(".git").is_dir() && known.check_out(&head).is_ok() {
        known
    } else {
        let copy = repository.copy(root)?;
        copy.check_out(&head)?;
        copy
    };
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
    Ok(copy)
}
