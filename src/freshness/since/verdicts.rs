//! A cache of verdicts on evidence. The key is a hash of the question and of the state of the workspace.
//!
//! The state is the metadata from cargo, the content of every file that git lists, and everything else that a selection
//! read: ignored files, files outside, and paths without a file. The cache stores these paths, so that the next run hashes
//! them too. If anything differs, the key differs and no verdict is found.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::affected::items::extract::{Digest, FileItems};
use crate::affected::items::{self, Reader};
use crate::change;
use crate::config::Config;
use crate::sys::cache::{self, Cache, Key};
use crate::sys::cargo::own_folder;
use crate::sys::git::{Listed, Listing, Repository, can_be_hashed};
use crate::sys::{self, files};
use crate::workspace::Workspace;

/// The version is increased when the stored values or the parts of a key change.
const FORMAT: &str = concat!("cargo-poc verdicts 2 ", env!("CARGO_PKG_VERSION"), "\n");

/// The size limit for other states, as a multiple of the size of the current one.
const TIMES: usize = 8;

/// The verdicts for the current state of the workspace.
#[derive(Debug)]
pub(super) struct Verdicts<'w> {
    workspace: &'w Workspace,
    config: &'w Config,
    repository: Repository,
    /// `None` if git does not list all files of the workspace; then nothing is cached.
    known: Option<Known>,
    /// Opened by the first selection.
    reader: OnceLock<Watched>,
}

#[derive(Debug)]
struct Known {
    kept: Cache,
    /// A hash of the listed files.
    listed: Key,
    /// Absolute paths of files whose content is part of `listed`.
    told: Arc<FxHashSet<Utf8PathBuf>>,
    /// Other paths that selections have read in this state of the listed files.
    beside: BTreeMap<Utf8PathBuf, Key>,
    /// A hash of `listed` and `beside`.
    now: Key,
    /// Cached and new verdicts by question.
    given: BTreeMap<Vec<u8>, bool>,
}

impl<'w> Verdicts<'w> {
    /// Loads the cached verdicts.
    ///
    /// # Errors
    /// When git fails.
    pub(super) fn open(
        workspace: &'w Workspace,
        config: &'w Config,
        repository: &Repository,
    ) -> Result<Self> {
        Ok(Self {
            workspace,
            config,
            repository: repository.clone(),
            known: Known::open(workspace, config, repository)?,
            reader: OnceLock::new(),
        })
    }

    /// The cached verdict on `question`, which contains every input other than the workspace.
    pub(super) fn get(&mut self, question: &[u8]) -> Option<bool> {
        let known = self.known.as_mut()?;
        let verdict = known.kept.get(&of_verdict(&known.now, question))?;
        known.given.insert(question.to_vec(), verdict);
        Some(verdict)
    }

    /// Stores a verdict that was computed from files read through [`Self::reader`].
    pub(super) fn put(&mut self, question: Vec<u8>, verdict: bool) {
        if let Some(known) = &mut self.known {
            known.given.insert(question, verdict);
        }
    }

    /// The reader of sources for selections.
    pub(super) fn reader(&self) -> &Watched {
        self.reader.get_or_init(|| Watched {
            cache: items::Cache::open(&self.workspace.target_directory, Some(&self.repository)),
            told: self.known.as_ref().map(|known| Arc::clone(&known.told)),
            read: Mutex::default(),
            made: Mutex::default(),
            looked: Mutex::default(),
        })
    }

    /// Writes new verdicts, unless the workspace has changed since.
    ///
    /// # Errors
    /// When git fails, or a file cannot be written; the message contains its path.
    pub(super) fn save(self) -> Result<()> {
        let Some(reader) = self.reader.into_inner() else {
            return Ok(());
        };
        reader.cache.save()?;
        let Some(mut known) = self.known else {
            return Ok(());
        };
        let looked = reader.looked.into_inner();
        for (path, state) in looked.unwrap_or_else(PoisonError::into_inner) {
            if *known.beside.entry(path).or_insert(state) != state {
                return Ok(());
            }
        }
        let anew = change::repository_of(self.workspace)?;
        match listed(self.workspace, self.config, &anew)? {
            Some((listed, _)) if listed == known.listed => known.save(),
            _ => Ok(()),
        }
    }
}

impl Known {
    fn open(
        workspace: &Workspace,
        config: &Config,
        repository: &Repository,
    ) -> Result<Option<Self>> {
        let Some((listed, told)) = listed(workspace, config, repository)? else {
            return Ok(None);
        };
        let folder = own_folder(&workspace.target_directory);
        let kept = Cache::open(folder.join("verdicts"), FORMAT);
        let beside: Vec<String> = kept.get(&of_paths(&listed)).unwrap_or_default();
        let beside = beside.into_par_iter().map(Utf8PathBuf::from);
        let beside = beside.map(|path| {
            let state = state(&path);
            (path, state)
        });
        let beside = beside.collect();
        Ok(Some(Self {
            now: now(&listed, &beside),
            kept,
            listed,
            told: Arc::new(told),
            beside,
            given: BTreeMap::new(),
        }))
    }

    /// # Errors
    /// When the file cannot be written; the message contains its path.
    fn save(self) -> Result<()> {
        let paths: Vec<&str> = self.beside.keys().map(|path| path.as_str()).collect();
        self.kept.put(of_paths(&self.listed), &paths);
        let now = now(&self.listed, &self.beside);
        for (question, verdict) in &self.given {
            self.kept.put(of_verdict(&now, question), verdict);
        }
        self.kept.save(TIMES)
    }
}

fn of_paths(listed: &Key) -> Key {
    cache::key("paths", listed)
}

fn of_verdict(now: &Key, question: &[u8]) -> Key {
    cache::key("verdict", &[now.as_slice(), question].concat())
}

fn now(listed: &Key, beside: &BTreeMap<Utf8PathBuf, Key>) -> Key {
    let mut bytes = listed.to_vec();
    for (path, state) in beside {
        bytes.extend(path.as_str().bytes().chain([0]));
        bytes.extend(state);
    }
    cache::key("now", &bytes)
}

/// A hash of the workspace according to cargo and git, including this program, with the files whose content it covers; `None` if a
/// submodule has changes. Plans, results and build outputs are excluded.
fn listed(
    workspace: &Workspace,
    config: &Config,
    repository: &Repository,
) -> Result<Option<(Key, FxHashSet<Utf8PathBuf>)>> {
    let listing = repository.listing()?;
    // Another build of this program may select other tests.
    let Some(program) = sys::own_build().filter(|_| !listing.submodules) else {
        return Ok(None);
    };
    let files = files_of(workspace, config, repository, listing)?;
    let mut bytes = program.into_bytes();
    let described = (&workspace.packages, &workspace.metadata);
    let places = [
        &workspace.root,
        &workspace.target_directory,
        &repository.root,
        &config.docs,
    ];
    serde_json::to_writer(&mut bytes, &(described, places))
        .context("failed to note what cargo says of the workspace")?;
    for (path, content) in &files {
        let fields = [path.as_str(), content.as_deref().unwrap_or_default()];
        bytes.extend(fields.iter().flat_map(|field| field.bytes().chain([0])));
    }
    // Manifests of members are read even if they are not listed.
    let manifests = workspace.packages.iter();
    let manifests = manifests.map(|package| &package.manifest_path);
    for manifest in manifests.filter(|path| !matches!(files.get(*path), Some(Some(_)))) {
        bytes.extend(state(manifest));
    }
    let told = files.into_iter().filter(|(_, content)| content.is_some());
    let told = told.map(|(path, _)| path).collect();
    Ok(Some((cache::key("listed", &bytes), told)))
}

/// The listed files with absolute paths, and git's id of their content if known, and whether they may be executed.
fn files_of(
    workspace: &Workspace,
    config: &Config,
    repository: &Repository,
    listing: &Listing,
) -> Result<BTreeMap<Utf8PathBuf, Option<String>>> {
    let mut files = BTreeMap::new();
    let mut asked = Vec::new();
    let with_mode = |path: &Utf8Path, id: &str| {
        let is_executable = listing.is_executable(&repository.root, path);
        let mode = if is_executable { " executable" } else { "" };
        format!("{id}{mode}")
    };
    for (path, listed) in &listing.files {
        let absolute = repository.root.join(path);
        let is_document = config.is_document(workspace.relative(&absolute));
        if is_document || workspace.is_built(&absolute) {
            continue;
        }
        let content = match listed {
            Listed::Clean(id) => Some(with_mode(path, id)),
            Listed::Unknown | Listed::Untracked => {
                if can_be_hashed(&absolute) {
                    asked.push(path.as_path());
                }
                None
            }
        };
        files.insert(absolute, content);
    }
    for (path, id) in asked.iter().zip(repository.content_ids(&asked)?) {
        files.insert(repository.root.join(path), Some(with_mode(path, &id)));
    }
    Ok(files)
}

/// A hash of a file's content or of the names in a folder; a fixed value if it cannot be read.
fn state(path: &Utf8Path) -> Key {
    if path.is_dir() {
        let mut names = files::list(path).unwrap_or_default();
        names.sort();
        return cache::key("folder", names.join("\0").as_bytes());
    }
    match files::read(path) {
        Ok(bytes) => cache::key("file", &bytes),
        Err(_) => cache::key("nothing", &[]),
    }
}

/// Reads sources through the cache of items, each once for all selections, and records the paths that git does not list.
#[derive(Debug)]
pub(super) struct Watched {
    cache: items::Cache,
    read: Mutex<FxHashMap<Utf8PathBuf, Option<Arc<FileItems>>>>,
    made: Mutex<FxHashMap<Digest, Arc<FileItems>>>,
    /// `None` if paths need not be recorded.
    told: Option<Arc<FxHashSet<Utf8PathBuf>>>,
    looked: Mutex<BTreeMap<Utf8PathBuf, Key>>,
}

impl Watched {
    fn note(&self, path: &Utf8Path) {
        if self.told.as_ref().is_none_or(|told| told.contains(path)) {
            return;
        }
        if !lock(&self.looked).contains_key(path) {
            let state = state(path);
            lock(&self.looked).entry(path.to_owned()).or_insert(state);
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader for Watched {
    fn read(&self, path: &Utf8Path) -> Option<Arc<FileItems>> {
        if let Some(items) = lock(&self.read).get(path) {
            return items.clone();
        }
        self.note(path);
        let items = self.cache.read(path);
        lock(&self.read).insert(path.to_owned(), items.clone());
        items
    }

    fn made(&self, key: Digest, make: &dyn Fn() -> FileItems) -> Arc<FileItems> {
        if let Some(items) = lock(&self.made).get(&key) {
            return Arc::clone(items);
        }
        let items = self.cache.made(key, make);
        lock(&self.made).insert(key, Arc::clone(&items));
        items
    }

    fn text(&self, path: &Utf8Path) -> Option<String> {
        self.note(path);
        self.cache.text(path)
    }

    fn folder(&self, path: &Utf8Path) -> Option<Vec<String>> {
        self.note(path);
        self.cache.folder(path)
    }
}
