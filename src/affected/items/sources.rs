//! The sources of a workspace: files before and after the change, the modules that they stand in, and how they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::crate_graph::UnitId;
use super::extract::{self, Digest, FileItems};
use crate::sys::files;
use crate::workspace::PackageId;
use crate::workspace::source::modules::Child;

/// A file's index into [`Sources::files`].
pub type FileId = usize;

/// The sources of a workspace.
#[derive(Debug, Default)]
pub struct Sources {
    /// Every file that some unit mounts.
    pub files: Vec<SourceFile>,
    /// Changed files that the configuration compiles nowhere, though modules of the workspace declare them.
    pub not_compiled: BTreeSet<Utf8PathBuf>,
    /// Where they stand, in the order they were found: a unit's root comes before what it declares.
    pub mounts: Vec<ModuleFile>,
}

/// A file as it is, and as it was where it changed.
#[derive(Debug)]
pub struct SourceFile {
    /// Absolute.
    pub path: Utf8PathBuf,
    /// What it holds; none when it is gone.
    pub now: Option<Arc<FileItems>>,
    /// What it held before, if it is among the changed files and was there.
    pub before: Option<Arc<FileItems>>,
    /// Whether it is among the changed files.
    pub changed: bool,
    /// What a macro call stands for, with the call's line: no file of its own.
    pub expansion: Option<u32>,
    /// Whether the macro that was expanded writes the attributes of its input anew: `#[$attribute]`.
    pub rewrites_attributes: bool,
    /// Modules and includes that it declares and that the build does not compile.
    pub left_out: Vec<Child>,
    /// Whether the build leaves out some of its items.
    pub partial: bool,
    /// By item: the words of the files whose text is code of the item; none where such a file is not found.
    pub texts: FxHashMap<u32, Option<Vec<String>>>,
}

impl SourceFile {
    /// What it holds, or held before the change.
    #[must_use]
    pub fn items(&self, before: bool) -> Option<&FileItems> {
        if before { &self.before } else { &self.now }.as_deref()
    }
}

/// A file in a module of a unit.
#[derive(Debug)]
pub struct ModuleFile {
    /// The unit.
    pub unit: UnitId,
    /// The file.
    pub file: FileId,
    /// The mount that declares it, with the item index there (before the change, and after); none for a unit's root.
    pub declared: Option<Declared>,
}

/// Where a file is declared.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// The declaring mount, as its index.
    pub mount: usize,
    /// Item in its file: the `mod x;` or `include!`.
    pub item: u32,
    /// The item is one of the file as it was before the change.
    pub before: bool,
    /// An `include!` or an expanded macro call: its items stand in the declaring module itself.
    pub include: bool,
}

/// The change, by its files' old contents.
#[derive(Debug, Default)]
pub struct Changed {
    /// Rust files, absolute: their text before the change, none where they were not there.
    pub rust: BTreeMap<Utf8PathBuf, Option<String>>,
    /// Other changed files, absolute.
    pub others: BTreeSet<Utf8PathBuf>,
    /// Those of the others that count only where code embeds, names or walks to them: another rule has judged them, or
    /// no build and no test reads such files unless its code says so.
    pub quiet: BTreeSet<Utf8PathBuf>,
    /// Dependencies that members have gained: the member, and the name that its code calls the crate by.
    pub gained: BTreeSet<(PackageId, String)>,
    /// The text before the change of those among them that code may include; none where they were not there.
    pub texts: BTreeMap<Utf8PathBuf, Option<String>>,
    /// Take the changed Rust files as changed in every item: their old text is not known.
    pub whole: bool,
    /// More changed than the items that are taken as changed: a test that runs cargo or rustc can tell.
    pub besides: bool,
}

/// Reads a file's items, from a cache or anew. None when there is no such file.
pub trait Reader: Sync {
    /// The items of the file as it is.
    fn read(&self, path: &Utf8Path) -> Option<Arc<FileItems>>;

    /// What `make` makes; `key` tells all that goes into it.
    fn made(&self, key: Digest, make: &dyn Fn() -> FileItems) -> Arc<FileItems>;

    /// The text of a file that documentation embeds. None when there is no such file.
    fn text(&self, path: &Utf8Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    /// The names in a folder; none of them where it cannot be listed. None when there is no such folder.
    fn folder(&self, path: &Utf8Path) -> Option<Vec<String>> {
        path.is_dir().then(|| files::list(path).unwrap_or_default())
    }
}

/// Reads files anew each time.
#[derive(Debug, Default)]
pub struct Uncached;

impl Reader for Uncached {
    fn read(&self, path: &Utf8Path) -> Option<Arc<FileItems>> {
        Some(Arc::new(extract::read_bytes(std::fs::read(path).ok()?)))
    }

    fn made(&self, _key: Digest, make: &dyn Fn() -> FileItems) -> Arc<FileItems> {
        Arc::new(make())
    }
}
