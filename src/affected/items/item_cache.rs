//! A cache of parsed source files, keyed by content.

use std::sync::Arc;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::extract::{self, Digest, FileItems, content_key, decided_key, digest};
use super::sources::Reader;
use crate::sys::cache;
use crate::sys::cargo::own_folder;
use crate::sys::git::{Listed, Repository};
use crate::workspace::source::cfg::CfgOptions;

/// The version is increased when the parsed data or its format changes.
const FORMAT: &str = concat!("cargo-poc items 23 ", env!("CARGO_PKG_VERSION"), "\n");

/// The size limit of the cache, as a multiple of the size for the workspace.
const SPARE: usize = 2;

/// Reads files through a cache.
#[derive(Debug)]
pub struct Cache {
    kept: cache::Cache,
    /// The content hash of files that match git's index, by absolute path.
    clean: FxHashMap<Utf8PathBuf, Digest>,
}

impl Cache {
    /// Opens the cache of the workspace with the target folder `target`; empty if it is missing or has another version. Files that `repository`
    /// knows need not be read.
    #[must_use]
    pub fn open(target: &Utf8Path, repository: Option<&Repository>) -> Self {
        let path = own_folder(target).join("items");
        let listing =
            repository.and_then(|repository| Some((repository, repository.listing().ok()?)));
        let clean = listing.map_or_else(FxHashMap::default, |(repository, listing)| {
            let known = listing
                .files
                .iter()
                .filter_map(|(path, listed)| match listed {
                    Listed::Clean(id) if path.extension() == Some("rs") => {
                        Some((repository.root.join(path), of_git(id)))
                    }
                    _ => None,
                });
            known.collect()
        });
        Self {
            kept: cache::Cache::open(path, FORMAT),
            clean,
        }
    }

    /// Writes the cache if a file was parsed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(self) -> Result<()> {
        self.kept.save(SPARE)
    }
}

impl Reader for Cache {
    fn read(&self, path: &Utf8Path) -> Option<Arc<FileItems>> {
        let known = self.clean.get(path).copied();
        if let Some(items) = known.and_then(|key| self.kept.get(&key)) {
            return Some(Arc::new(items));
        }
        let bytes = std::fs::read(path).ok()?;
        let key = known.unwrap_or_else(|| content_key(&bytes));
        if known.is_none()
            && let Some(items) = self.kept.get(&key)
        {
            return Some(Arc::new(items));
        }
        let items = extract::read_bytes(bytes);
        self.kept.put(key, &items);
        Some(Arc::new(items))
    }

    fn read_for(
        &self,
        path: &Utf8Path,
        options: &CfgOptions,
        decisions: &[u8],
    ) -> Option<Arc<FileItems>> {
        let known = self.clean.get(path).copied();
        let read = || std::fs::read_to_string(path).ok();
        let text = if known.is_some() { None } else { Some(read()?) };
        let content = known.or_else(|| Some(content_key(text.as_ref()?.as_bytes())))?;
        let key = decided_key(&content, decisions);
        if let Some(items) = self.kept.get(&key) {
            return Some(Arc::new(items));
        }
        let items = extract::read_for(&text.or_else(read)?, options);
        self.kept.put(key, &items);
        Some(Arc::new(items))
    }

    fn made(&self, key: Digest, make: &dyn Fn() -> FileItems) -> Arc<FileItems> {
        Arc::new(self.kept.get(&key).unwrap_or_else(|| {
            let items = make();
            self.kept.put(key, &items);
            items
        }))
    }
}

fn of_git(id: &str) -> Digest {
    digest([b"git".as_slice(), id.as_bytes()])
}
