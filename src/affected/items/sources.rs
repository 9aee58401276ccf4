//! The sources of a workspace: files before and after the change, the modules that they stand in, and how they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::crate_graph::UnitId;
use super::extract::{self, Digest, DocItem, FileItems};
use crate::sys::files;
use crate::workspace::PackageId;
use crate::workspace::source::cfg::CfgOptions;
use crate::workspace::source::modules::{Child, normal};

/// A file's index into [`Sources::files`].
pub type FileId = usize;

/// The sources of a workspace.
#[derive(Debug, Default)]
pub struct Sources {
    /// Every file that a unit mounts.
    pub files: Vec<SourceFile>,
    /// Changed files that modules declare but the configuration does not compile.
    pub not_compiled: BTreeSet<Utf8PathBuf>,
    /// Positions of files in order of discovery: a unit's root precedes the files it declares.
    pub mounts: Vec<ModuleFile>,
    /// The number of lines of each file that documentation embeds.
    pub embedded_lines: FxHashMap<Utf8PathBuf, u32>,
}

/// A file in its current and, if it changed, its old version.
#[derive(Debug)]
pub struct SourceFile {
    /// Absolute.
    pub path: Utf8PathBuf,
    /// The current content; `None` if it was deleted.
    pub now: Option<Arc<FileItems>>,
    /// The old content, if it changed and existed.
    pub before: Option<Arc<FileItems>>,
    /// Whether it changed.
    pub changed: bool,
    /// The line of a macro call, if this is its expansion and not a file.
    pub expansion: Option<u32>,
    /// Whether the macro that was expanded writes the attributes of its input anew: `#[$attribute]`.
    pub rewrites_attributes: bool,
    /// Modules and includes that it declares but the build does not compile.
    pub left_out: Vec<Child>,
    /// Whether the build excludes some of its items.
    pub partial: bool,
    /// The words of files whose text is code of an item, by item; `None` if such a file is not found.
    pub texts: FxHashMap<u32, Option<Vec<String>>>,
}

impl SourceFile {
    /// Its content, or its old content.
    #[must_use]
    pub fn items(&self, before: bool) -> Option<&FileItems> {
        if before { &self.before } else { &self.now }.as_deref()
    }

    /// The file with the text of documentation.
    #[must_use]
    pub fn embedded(&self, test: &DocItem) -> Option<Utf8PathBuf> {
        let written = test.embedded.as_ref()?;
        let folder = self.path.parent().unwrap_or(&self.path);
        Some(normal(&folder.join(written)))
    }
}

/// A file in a module of a unit.
#[derive(Debug)]
pub struct ModuleFile {
    /// The unit.
    pub unit: UnitId,
    /// The file.
    pub file: FileId,
    /// The declaring mount, with the item's index there (before and after the change); `None` for a unit's root.
    pub declared: Option<Declared>,
}

/// The declaration of a file.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// The declaring mount, as its index.
    pub mount: usize,
    /// The item in its file: the `mod x;` or `include!`.
    pub item: u32,
    /// Whether the item belongs to the old version of the file.
    pub before: bool,
    /// Whether it is an `include!` or an expanded macro call, whose items are in the declaring module.
    pub include: bool,
}

/// The change, with the old content of its files.
#[derive(Debug, Default)]
pub struct Changed {
    /// Rust files by absolute path: their old text, `None` if they did not exist.
    pub rust: BTreeMap<Utf8PathBuf, Option<String>>,
    /// Other changed files, absolute.
    pub others: BTreeSet<Utf8PathBuf>,
    /// Other files that count only if code embeds, names or walks to them: another rule has handled them, or no build and no test reads such
    /// files without code that does.
    pub quiet: BTreeSet<Utf8PathBuf>,
    /// Unchanged files that name a changed one in their text, absolute.
    pub lists: BTreeMap<Utf8PathBuf, NamingList>,
    /// Dependencies that members have gained: the member, and the crate's name in code.
    pub gained: BTreeSet<(PackageId, String)>,
    /// The old text of other files that code may include; `None` if they did not exist.
    pub texts: BTreeMap<Utf8PathBuf, Option<String>>,
    /// Whether all items of changed Rust files count as changed, because their old text is unknown.
    pub whole: bool,
    /// Whether HEAD is another commit.
    pub head_moved: bool,
    /// Whether more changed than the items, so that a test that runs cargo or rustc is affected.
    pub besides: bool,
}

/// An unchanged file that names a changed one.
#[derive(Debug)]
pub struct NamingList {
    /// The changed file, absolute.
    pub file: Utf8PathBuf,
    /// Whether it is data of another package than the changed file, so that code of its package which reads files may read it.
    pub is_data: bool,
}

/// Reads a file's items, optionally from a cache; `None` if the file does not exist.
pub trait Reader: Sync {
    /// The current items of the file.
    fn read(&self, path: &Utf8Path) -> Option<Arc<FileItems>>;

    /// The items of the file for the options of a build, whose decisions about the code inside items are `decisions`.
    fn read_for(
        &self,
        path: &Utf8Path,
        options: &CfgOptions,
        _decisions: &[u8],
    ) -> Option<Arc<FileItems>> {
        let text = self.text(path)?;
        Some(Arc::new(extract::read_for(&text, options)))
    }

    /// The result of `make`, cached by `key`, which must cover all inputs.
    fn made(&self, key: Digest, make: &dyn Fn() -> FileItems) -> Arc<FileItems>;

    /// The text of a file that documentation embeds; `None` if it does not exist.
    fn text(&self, path: &Utf8Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    /// The names in a folder; empty if it cannot be listed, `None` if it does not exist.
    fn folder(&self, path: &Utf8Path) -> Option<Vec<String>> {
        path.is_dir().then(|| files::list(path).unwrap_or_default())
    }
}

/// Reads files without a cache.
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
