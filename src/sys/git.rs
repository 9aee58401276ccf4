//! Runs git to find changes. Paths are always read with `-z`, because git quotes them otherwise.

mod base;
mod batch;
mod changes;
mod ci;
pub mod copy;
mod listing;
mod process;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};

use crate::exit;
use crate::sys::files;

use process::{run, split_nul, successful, text};

pub use listing::{Listed, Listing, can_be_hashed};

/// A git work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The top folder of the work tree, absolute.
    pub root: Utf8PathBuf,
    /// The absolute target folder, whose files are never part of a change; `None` if it is unknown.
    pub built: Option<Utf8PathBuf>,
    /// The commit at HEAD when the repository was opened; `None` before the first commit.
    head: Option<String>,
    listing: Memo<Listing>,
    /// The merge base with the default branch; `None` if there is none.
    branch_point: Memo<Option<String>>,
    /// Differences from a commit, by its id.
    changes: MemoMap<String, Arc<Changes>>,
    /// Contents of files, by commit and path.
    contents: MemoMap<(String, Utf8PathBuf), Option<Vec<u8>>>,
}

/// An answer of git, shared by the clones of a repository; the error's text where git failed.
type Memo<T> = Arc<OnceLock<Result<T, String>>>;

/// Answers of git by question, shared by the clones of a repository.
type MemoMap<Question, Answer> = Arc<Mutex<BTreeMap<Question, Answer>>>;

/// The memoized answer, or the answer of `ask`; concurrent callers block.
fn memoized<T>(answer: &Memo<T>, ask: impl FnOnce() -> Result<T>) -> Result<&T> {
    let answer = answer.get_or_init(|| ask().map_err(|error| format!("{error:#}")));
    answer.as_ref().map_err(|error| anyhow!("{error}"))
}

/// The differences between a commit and the work tree.
#[derive(Debug, Default)]
struct Changes {
    files: Vec<FileChange>,
    /// The old content of sources and manifests in changed submodules.
    submodule_sources: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

/// How a file differs between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new; untracked files that are not ignored count.
    Added,
    /// Its content, mode or type differs.
    Modified,
    /// It was deleted.
    Deleted,
}

/// One changed file. A rename is a deletion and an addition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileChange {
    /// Relative to the repository's root, with `/`.
    pub path: Utf8PathBuf,
    /// The kind of change.
    pub kind: ChangeKind,
}

/// Whether git ignores `path`, relative to `folder`; false where git cannot be asked.
#[must_use]
pub(crate) fn is_ignored(folder: &Utf8Path, path: &Utf8Path) -> bool {
    let asked = process::run(folder, &["check-ignore", "--quiet", "--", path.as_str()]);
    asked.is_ok_and(|output| output.status.success())
}

impl Repository {
    /// Opens the repository around `folder`.
    ///
    /// # Errors
    /// When git cannot be run, or `folder` is not in a work tree.
    pub fn open(folder: &Utf8Path) -> Result<Self> {
        let both = text(folder, &["rev-parse", "--show-toplevel", "HEAD^{commit}"]);
        let both = both.ok().and_then(|both| {
            let (root, head) = both.rsplit_once('\n')?;
            Some((root.to_owned(), head.to_owned()))
        });
        let (root, head) = if let Some((root, head)) = both {
            (root, Some(head))
        } else {
            // There is no commit yet, or no repository.
            let root = text(folder, &["rev-parse", "--show-toplevel"])
                .map_err(|error| error.context(format!("{folder} is in no git work tree")))?;
            (root, None)
        };
        Ok(Self {
            root: root.into(),
            head,
            built: None,
            listing: Arc::default(),
            branch_point: Arc::default(),
            changes: Arc::default(),
            contents: Arc::default(),
        })
    }

    /// The commit at HEAD when this repository, or the one it was cloned from, was opened; `None` before the first commit.
    #[must_use]
    pub fn opened_at(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// The files of the work tree, listed once for this repository and its clones.
    ///
    /// # Errors
    /// When git fails, or a path is not UTF-8.
    pub fn listing(&self) -> Result<&Listing> {
        memoized(&self.listing, || Listing::of(&self.root))
    }

    /// The files that git ignores, relative to the root; a folder that git ignores as a whole stands for its files.
    ///
    /// # Errors
    /// When git fails, or a path is not UTF-8.
    pub fn ignored(&self) -> Result<Vec<Utf8PathBuf>> {
        let listed = self.bytes(&[
            "ls-files",
            "-z",
            "--others",
            "--ignored",
            "--exclude-standard",
            "--directory",
        ])?;
        let paths = split_nul(&listed)?.into_iter();
        Ok(paths
            .map(|path| path.trim_end_matches('/').into())
            .collect())
    }

    /// The ids that git computes for the content of these regular files, relative to the root, in the same order: the ids of [`Listed::Clean`]
    /// after a commit.
    ///
    /// # Errors
    /// When git fails because a file does not exist or cannot be read.
    pub fn content_ids(&self, paths: &[&Utf8Path]) -> Result<Vec<String>> {
        listing::content_ids(&self.root, paths)
    }

    /// The full commit id of `revision`.
    ///
    /// # Errors
    /// When it is not a commit: a usage error, with the remedy for a shallow clone.
    pub fn commit(&self, revision: &str) -> Result<String> {
        if let Some(head) = self.head.as_ref().filter(|_| revision == "HEAD") {
            return Ok(head.clone());
        }
        let branch_point = self.branch_point.get();
        let branch_point = branch_point.and_then(|found| found.as_ref().ok()?.as_deref());
        if [branch_point, self.head.as_deref()].contains(&Some(revision)) {
            return Ok(revision.to_owned());
        }
        let spec = format!("{revision}^{{commit}}");
        if let Ok(commit) = self.text(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &spec,
        ]) {
            return Ok(commit);
        }
        if let Some(depth) = self.depth()? {
            // A commit can be fetched only by its full id, without the commits in between.
            let full =
                revision.len() >= 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
            let next = if full {
                format!("git fetch --depth=1 origin {revision}")
            } else {
                "git fetch --unshallow".to_owned()
            };
            let missing = anyhow!(
                "the base `{revision}` is not in this shallow clone of {depth} commits; fetch it with `{next}` (in CI: a \
                 fetch depth of 0)"
            );
            return Err(exit::with_next(next, missing));
        }
        let unknown = exit::usage(format!(
            "`{revision}` is not a commit in {}; `git log --oneline` lists the commits",
            self.root
        ));
        Err(exit::with_next("git log --oneline", unknown))
    }

    /// Whether the repository is a shallow clone.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn is_shallow(&self) -> Result<bool> {
        Ok(self.text(&["rev-parse", "--is-shallow-repository"])? == "true")
    }

    /// The number of commits from HEAD in a shallow clone; `None` for a complete history.
    fn depth(&self) -> Result<Option<u64>> {
        if !self.is_shallow()? {
            return Ok(None);
        }
        let count = self.text(&["rev-list", "--count", "HEAD"])?;
        let count = count.parse().context("git printed no number of commits")?;
        Ok(Some(count))
    }

    /// The commit at HEAD; `None` before the first commit.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn head(&self) -> Result<Option<String>> {
        let output = run(
            &self.root,
            &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
        )?;
        Ok(output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }

    /// The user's name in git: `A Person`. Documents do not contain the email address.
    ///
    /// # Errors
    /// When git does not know it; the message contains the settings.
    pub fn author(&self) -> Result<String> {
        let ident = self.text(&["var", "GIT_AUTHOR_IDENT"]).context(
            "git does not know who you are; set `git config user.name` and `git config user.email`",
        )?;
        let end = ident.find(" <").unwrap_or(ident.len());
        Ok(ident[..end].to_owned())
    }

    /// The content of `path` (relative to the root) at `commit`; `None` if it did not exist.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn show(&self, commit: &str, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
        let output = run(&self.root, &["cat-file", "blob", &blob(commit, path)])?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// The contents of `paths` (relative to the root) at `commit`, in the same order; `None` for missing files.
    ///
    /// # Errors
    /// When git fails.
    pub fn contents(&self, commit: &str, paths: &[&Utf8Path]) -> Result<Vec<Option<Vec<u8>>>> {
        let plain = |path: &&Utf8Path| !path.as_str().contains('\n');
        if !paths.iter().all(plain) {
            return paths.iter().map(|path| self.show(commit, path)).collect();
        }
        let mut known = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let question = |path: &Utf8Path| (commit.to_owned(), path.to_owned());
        let new = paths.iter().copied();
        let new: Vec<&Utf8Path> = new
            .filter(|path| !known.contains_key(&question(path)))
            .collect();
        let asked = new.iter().map(|path| blob(commit, path));
        let answer = batch::ask(&self.root, &["cat-file", "--batch"], asked)?;
        let answers = batch::blobs(&answer, new.len())?;
        known.extend(new.into_iter().map(question).zip(answers));
        let contents = paths.iter().map(|path| known.get(&question(path))?.clone());
        Ok(contents.collect())
    }

    /// The contents with these ids, in the same order; `None` for unknown ids.
    ///
    /// # Errors
    /// When git fails.
    pub fn blobs(&self, ids: &[&str]) -> Result<Vec<Option<Vec<u8>>>> {
        let asked = ids.iter().map(ToString::to_string);
        let answer = batch::ask(&self.root, &["cat-file", "--batch"], asked)?;
        batch::blobs(&answer, ids.len())
    }

    /// The files of a commit by path relative to the root, each with the id of its content and whether it may be executed.
    ///
    /// # Errors
    /// When git fails, or a path is not UTF-8.
    pub fn tree(&self, commit: &str) -> Result<Vec<(Utf8PathBuf, String, bool)>> {
        let listing = self.bytes(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        // `100644 blob 0e6a78…\tpath\0`: git-ls-tree(1), "Output Format".
        let fields = split_nul(&listing)?.into_iter();
        let files = fields.filter_map(|field| {
            let (about, path) = field.split_once('\t')?;
            let id = about.rsplit(' ').next()?;
            let is_executable = about.starts_with("100755 ");
            Some((path.into(), id.to_owned(), is_executable))
        });
        Ok(files.collect())
    }

    /// The id of the content of `path`, relative to the root, at `commit`; `None` if it did not exist.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn content_id(&self, commit: &str, path: &Utf8Path) -> Result<Option<String>> {
        let spec = blob(commit, path);
        let output = run(&self.root, &["rev-parse", "--verify", "--quiet", &spec])?;
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(id))
    }

    /// The first commit that added `text` to the file at `path`, relative to the root; `None` if no ancestor of HEAD did.
    ///
    /// # Errors
    /// When git fails.
    pub fn introducing_commit(&self, text: &str, path: &Utf8Path) -> Result<Option<String>> {
        let pickaxe = format!("-S{text}");
        let path = format!(":(literal){}", files::slashed(path));
        let arguments = ["log", "--reverse", "--format=%H", &pickaxe, "--", &path];
        let commits = self.text(&arguments)?;
        Ok(commits.lines().next().map(str::to_owned))
    }

    fn text(&self, arguments: &[&str]) -> Result<String> {
        text(&self.root, arguments)
    }

    fn bytes(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        successful(&self.root, arguments)
    }
}

/// git's name for the content of `path`, relative to the root, at `commit`.
fn blob(commit: &str, path: &Utf8Path) -> String {
    format!("{commit}:{}", files::slashed(path))
}
