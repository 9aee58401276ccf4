//! Copies of a repository, with the files of earlier commits.

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::process::{split_nul, successful};
use super::{Repository, run};
use crate::sys::files;

/// A clone with its own work tree, which uses the objects of the original repository.
#[derive(Debug)]
pub struct Copy {
    /// The top folder of its work tree.
    pub root: Utf8PathBuf,
}

/// A commit of the first-parent history.
#[derive(Debug)]
pub struct Commit {
    /// Its full id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
}

impl Repository {
    /// The commits of HEAD's first-parent history after `start`, a full id, oldest first.
    ///
    /// # Errors
    /// When that history does not contain `start`, or git fails.
    pub fn first_parents_since(&self, start: &str) -> Result<Vec<Commit>> {
        let range = format!("{start}..HEAD");
        let lines = [
            "log",
            "--first-parent",
            "--reverse",
            "--format=%H %s",
            &range,
        ];
        let lines = self.text(&lines)?;
        let commits = lines.lines().map(|line| {
            let (id, subject) = line.split_once(' ').unwrap_or((line, ""));
            Commit {
                id: id.to_owned(),
                subject: subject.to_owned(),
            }
        });
        let commits: Vec<Commit> = commits.collect();
        let first = commits
            .first()
            .with_context(|| format!("no commit follows {start}"))?;
        let parents = self.text(&["log", "--max-count=1", "--format=%P", &first.id])?;
        if parents.split(' ').next() != Some(start) {
            bail!("the first-parent history of HEAD does not contain {start}");
        }
        Ok(commits)
    }

    /// HEAD and its ancestors through first parents, at most `count`, oldest first.
    ///
    /// # Errors
    /// When git fails, or there is no commit.
    pub fn first_parents(&self, count: usize) -> Result<Vec<String>> {
        let count = format!("--max-count={count}");
        let commits = self.text(&["rev-list", "--first-parent", "--reverse", &count, "HEAD"])?;
        Ok(commits.lines().map(str::to_owned).collect())
    }

    /// Replaces `folder` by a copy of this repository without checked out files.
    ///
    /// # Errors
    /// When the folder cannot be replaced, or git fails.
    pub fn copy(&self, folder: &Utf8Path) -> Result<Copy> {
        files::remove_folder(folder)?;
        let clone = ["clone", "--quiet", "--shared", "--no-checkout"];
        let paths = [self.root.as_str(), folder.as_str()];
        self.bytes(&[&clone[..], &paths].concat())?;
        Ok(Copy {
            root: folder.to_owned(),
        })
    }
}

impl Copy {
    /// Replaces the work tree by the files of a commit; files that git ignores remain.
    ///
    /// # Errors
    /// When git fails.
    pub fn check_out(&self, commit: &str) -> Result<()> {
        successful(
            &self.root,
            &["checkout", "--quiet", "--force", "--detach", commit],
        )?;
        successful(&self.root, &["clean", "--quiet", "-d", "--force"])?;
        Ok(())
    }

    /// The files that differ between two commits, relative to the root.
    ///
    /// # Errors
    /// When git fails, or a path is not UTF-8.
    pub fn differences(&self, before: &str, after: &str) -> Result<Vec<Utf8PathBuf>> {
        let arguments = [
            "diff",
            "--name-only",
            "--no-renames",
            "-z",
            before,
            after,
            "--",
        ];
        let paths = successful(&self.root, &arguments)?;
        Ok(split_nul(&paths)?.into_iter().map(Into::into).collect())
    }

    /// Replaces a file by its content at a commit, or removes it if the commit does not have it.
    ///
    /// # Errors
    /// When git fails, or the file cannot be removed.
    pub fn restore(&self, commit: &str, path: &Utf8Path) -> Result<()> {
        let file = format!(":(literal){}", files::slashed(path));
        let done = run(
            &self.root,
            &["checkout", "--quiet", commit, "--", file.as_str()],
        )?;
        if done.status.success() {
            return Ok(());
        }
        files::remove(&self.root.join(path))
    }
}
