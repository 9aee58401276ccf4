//! Finds the base commit of a branch.

use anyhow::{Result, anyhow, bail};
use camino::Utf8Path;

use super::ci::{self, CiBase};
use super::process::run;
use super::{Repository, memoized};
use crate::exit::{self, Exit};

/// Names of the default branch, in order: those that the remotes define, then the usual names.
const DEFAULT_BRANCHES: [&str; 7] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/upstream/HEAD",
    "refs/remotes/*/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

impl Repository {
    /// The base of this branch: the one that the CI system provides, the merge base with the default branch, or HEAD on the only branch of a
    /// repository.
    ///
    /// # Errors
    /// When there is no commit. If the base cannot be determined: exit code 4, with the remedy.
    pub fn default_base(&self) -> Result<String> {
        if let Some(base) = ci::base(&self.root) {
            return self.ci_base(&base);
        }
        let Some(head) = &self.head else {
            bail!("{} has no commit; create a first one", self.root);
        };
        if let Some(commit) = self.branch_point()? {
            // On a CI checkout of the newest commit of the default branch, the merge base would mean "no change".
            if commit != head || !ci::is_ci() || self.current_branch()?.is_some() {
                return Ok(commit.to_owned());
            }
        }
        if let Some(depth) = self.depth()? {
            let next = "git fetch --unshallow origin";
            let missing = anyhow!(
                "where this branch left the default branch is not in this shallow clone of {depth} commits; fetch the \
                 history with `{next}` (in CI: a fetch depth of 0), or name the base with --base"
            );
            return Err(exit::with_next(next, missing));
        }
        let own = self.current_branch()?;
        if own.is_some_and(|own| self.is_only_branch(&own).unwrap_or(false)) {
            return Ok(head.clone());
        }
        let how = ci::how_to_name_it();
        let unknown = anyhow!(
            "the base is unknown: {} names no default branch, and HEAD would hide all commits; add `{how}`, or name \
             the default branch with `git remote set-head origin --auto`",
            self.root
        );
        let next = "git remote set-head origin --auto";
        Err(exit::with_next(
            next,
            exit::with_exit(Exit::CouldNotRun, unknown),
        ))
    }

    /// The commit of a base that a CI system provides.
    fn ci_base(&self, base: &CiBase) -> Result<String> {
        let branch = match base {
            CiBase::Commit(commit) => {
                return self
                    .commit(commit)
                    .map_err(|error| exit::with_exit(Exit::CouldNotRun, error));
            }
            CiBase::Branch(branch) => branch,
            CiBase::MergeCommit(branch) => {
                let parent = |number: u8| format!("HEAD^{number}^{{commit}}");
                let is_merge = self.resolve(&parent(2))?.is_some();
                if let Some(commit) = self.resolve(&parent(1))?.filter(|_| is_merge) {
                    return Ok(commit);
                }
                branch
            }
        };
        let names = [
            format!("refs/remotes/origin/{branch}"),
            format!("refs/heads/{branch}"),
        ];
        for name in &names {
            if let Some(commit) = self.merge_base(name)? {
                return Ok(commit);
            }
        }
        let next = format!("git fetch origin {branch}:refs/remotes/origin/{branch}");
        let missing = anyhow!(
            "the CI system names `{branch}` as the branch to compare with, but where this one left it is not in this \
             clone; fetch it with `{next}` and the history with `git fetch --unshallow` (in CI: a fetch depth of 0), \
             or name the base with --base"
        );
        Err(exit::with_next(
            next,
            exit::with_exit(Exit::CouldNotRun, missing),
        ))
    }

    /// The current base of work that started at `recorded`, and whether it is another commit: after a rebase onto the default branch, or a merge
    /// of it, the current merge base. `file`, absolute, was committed with the work: if the default branch contains it, the work is merged and
    /// the base is kept.
    ///
    /// # Errors
    /// When `recorded` is not a commit, or git cannot be run.
    pub fn current_base(&self, recorded: &str, file: &Utf8Path) -> Result<(String, bool)> {
        let commit = self.commit(recorded)?;
        let Some(now) = self.branch_point()? else {
            return Ok((commit, false));
        };
        if now == commit || self.head.as_deref() == Some(now) {
            return Ok((commit, false));
        }
        let is_older = run(&self.root, &["merge-base", "--is-ancestor", &commit, now])?;
        let merged = match file.strip_prefix(&self.root) {
            Ok(file) => self.content_id(now, file)?.is_some(),
            Err(_) => true,
        };
        if is_older.status.success() && !merged {
            return Ok((now.to_owned(), true));
        }
        Ok((commit, false))
    }

    /// The merge base with the default branch; `None` without such a branch, or without a common commit.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn branch_point(&self) -> Result<Option<&str>> {
        let found = memoized(&self.branch_point, || self.find_branch_point())?;
        Ok(found.as_deref())
    }

    fn find_branch_point(&self) -> Result<Option<String>> {
        let question = [
            &["for-each-ref", "--format=%(objectname) %(refname)"][..],
            &DEFAULT_BRANCHES,
        ];
        let known = self.text(&question.concat())?;
        let known: Vec<(&str, &str)> = known
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect();
        for branch in DEFAULT_BRANCHES {
            let matches = |name: &str| match branch.split_once('*') {
                Some((start, end)) => name.starts_with(start) && name.ends_with(end),
                None => name == branch,
            };
            let found = known.iter().find(|(_, name)| matches(name));
            let Some((commit, name)) = found else {
                continue;
            };
            if self.head.as_deref() == Some(*commit) {
                return Ok(self.head.clone());
            }
            if let Some(commit) = self.merge_base(name)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// The commit that HEAD and a revision share; `None` if there is none.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn merge_base(&self, name: &str) -> Result<Option<String>> {
        let output = run(&self.root, &["merge-base", "HEAD", name])?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(commit))
    }

    fn resolve(&self, revision: &str) -> Result<Option<String>> {
        let output = run(&self.root, &["rev-parse", "--verify", "--quiet", revision])?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(commit))
    }

    /// The branch at HEAD; `None` if HEAD is detached.
    fn current_branch(&self) -> Result<Option<String>> {
        let output = run(&self.root, &["symbolic-ref", "--quiet", "HEAD"])?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(name))
    }

    /// Whether there is no other branch, so that all work is on this one.
    fn is_only_branch(&self, own: &str) -> Result<bool> {
        let names = self.text(&[
            "for-each-ref",
            "--format=%(refname)",
            "refs/heads",
            "refs/remotes",
        ])?;
        Ok(names.lines().all(|name| name == own))
    }
}
