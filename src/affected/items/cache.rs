//! What was read of source files before, by their content: a file that has not changed is not parsed again.
//!
//! One file below the target folder. It is replaced as a whole, so that runs side by side lose nothing but work; it
//! holds the version of what wrote it, and a checksum for each entry: what does not fit is read anew.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::extract::{self, Digest, FileItems, digest};
use super::mount::Reader;
use crate::sys::files;
use crate::sys::git::{Listed, Repository};
use crate::workspace::Workspace;

/// Counts up whenever what is read of a file, or how it is written, changes.
const FORMAT: &str = concat!("cargo-poc items 1 ", env!("CARGO_PKG_VERSION"), "\n");

/// Entries that no file of the workspace has any more are kept, for branches one comes back to, until the cache is this
/// many times as large as what is needed.
const SPARE: usize = 2;

/// Reads files through a cache.
#[derive(Debug)]
pub struct Cache {
    /// Where it is kept.
    path: Utf8PathBuf,
    /// As it was found.
    bytes: Vec<u8>,
    entries: FxHashMap<Digest, Entry>,
    /// By absolute path, the content of files that git vouches for.
    clean: FxHashMap<Utf8PathBuf, Digest>,
    seen: Mutex<Seen>,
}

/// Where an entry lies in the file.
#[derive(Debug, Clone, Copy)]
struct Entry {
    checksum: Digest,
    start: usize,
    end: usize,
}

#[derive(Debug, Default)]
struct Seen {
    /// Found and still needed.
    used: Vec<Digest>,
    /// Read anew.
    new: BTreeMap<Digest, Vec<u8>>,
}

impl Cache {
    /// The cache of a workspace, empty where there is none that fits; `repository` tells which files need not be looked at.
    #[must_use]
    pub fn open(workspace: &Workspace, repository: Option<&Repository>) -> Self {
        let path = workspace.target_directory.join("cargo-poc").join("items");
        // A cache that cannot be read is none; writing it will say why.
        let bytes = files::read_if_exists(&path)
            .ok()
            .flatten()
            .unwrap_or_default();
        let entries = entries(&bytes).unwrap_or_default();
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
            path,
            bytes,
            entries,
            clean,
            seen: Mutex::default(),
        }
    }

    /// Writes what was read anew, if anything was.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(self) -> Result<()> {
        let Ok(seen) = self.seen.into_inner() else {
            return Ok(());
        };
        if seen.new.is_empty() {
            return Ok(());
        }
        let old = |key: &Digest| {
            self.entries
                .get(key)
                .map(|entry| &self.bytes[entry.start..entry.end])
        };
        let mut kept: BTreeMap<Digest, &[u8]> = BTreeMap::new();
        kept.extend(seen.new.iter().map(|(key, bytes)| (*key, bytes.as_slice())));
        kept.extend(seen.used.iter().filter_map(|key| Some((*key, old(key)?))));
        let needed: usize = kept.values().map(|bytes| bytes.len()).sum();
        let mut room = needed * (SPARE - 1);
        for key in self.entries.keys() {
            let Some(bytes) = old(key).filter(|bytes| bytes.len() <= room) else {
                continue;
            };
            if kept.insert(*key, bytes).is_none() {
                room -= bytes.len();
            }
        }
        files::keep(&self.path, &written(&kept))
    }

    fn key_of(&self, path: &Utf8Path) -> Option<Digest> {
        self.clean.get(path).copied()
    }

    fn get(&self, key: &Digest) -> Option<FileItems> {
        let entry = self.entries.get(key)?;
        let bytes = self.bytes.get(entry.start..entry.end)?;
        let items = (digest([bytes]) == entry.checksum)
            .then(|| postcard::from_bytes(bytes).ok())
            .flatten()?;
        if let Ok(mut seen) = self.seen.lock() {
            seen.used.push(*key);
        }
        Some(items)
    }

    fn put(&self, key: Digest, items: &FileItems) {
        // What cannot be written is read again the next time.
        if let (Ok(bytes), Ok(mut seen)) = (postcard::to_stdvec(items), self.seen.lock()) {
            seen.new.insert(key, bytes);
        }
    }
}

impl Reader for Cache {
    fn read(&self, path: &Utf8Path) -> Option<FileItems> {
        let known = self.key_of(path);
        if let Some(items) = known.and_then(|key| self.get(&key)) {
            return Some(items);
        }
        let bytes = std::fs::read(path).ok()?;
        let key = known.unwrap_or_else(|| digest([b"content".as_slice(), &bytes]));
        if known.is_none()
            && let Some(items) = self.get(&key)
        {
            return Some(items);
        }
        let items = extract::read_bytes(bytes);
        self.put(key, &items);
        Some(items)
    }

    fn made(&self, key: Digest, make: &dyn Fn() -> FileItems) -> FileItems {
        self.get(&key).unwrap_or_else(|| {
            let items = make();
            self.put(key, &items);
            items
        })
    }
}

fn of_git(id: &str) -> Digest {
    digest([b"git".as_slice(), id.as_bytes()])
}

/// [`FORMAT`], how many entries there are, for each its key, checksum and length, and then the entries themselves. Numbers
/// are little-endian, of 8 bytes.
fn written(entries: &BTreeMap<Digest, &[u8]>) -> Vec<u8> {
    let mut bytes = FORMAT.as_bytes().to_vec();
    bytes.extend((entries.len() as u64).to_le_bytes());
    for (key, entry) in entries {
        bytes.extend(key);
        bytes.extend(digest([*entry]));
        bytes.extend((entry.len() as u64).to_le_bytes());
    }
    for entry in entries.values() {
        bytes.extend_from_slice(entry);
    }
    bytes
}

/// Where the entries lie; none where the bytes are not in the form of [`written`].
fn entries(bytes: &[u8]) -> Option<FxHashMap<Digest, Entry>> {
    let mut rest = bytes.strip_prefix(FORMAT.as_bytes())?;
    let count = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).ok()?;
    let mut heads = Vec::new();
    for _ in 0..count {
        let (key, checksum): (&Digest, &Digest) = (take(&mut rest)?, take(&mut rest)?);
        let length = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).ok()?;
        heads.push((*key, *checksum, length));
    }
    let mut start = bytes.len() - rest.len();
    let mut entries = FxHashMap::default();
    for (key, checksum, length) in heads {
        let end = start
            .checked_add(length)
            .filter(|end| *end <= bytes.len())?;
        let entry = Entry {
            checksum,
            start,
            end,
        };
        entries.insert(key, entry);
        start = end;
    }
    Some(entries)
}

fn take<'b, const N: usize>(rest: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let (first, second) = ([1; 16], [2; 16]);
        written(&BTreeMap::from([
            (first, b"one".as_slice()),
            (second, b"".as_slice()),
        ]))
    }

    #[test]
    fn what_is_written_is_found_again() {
        let bytes = sample();
        let found = entries(&bytes).unwrap();
        let one = found[&[1; 16]];
        assert_eq!(&bytes[one.start..one.end], b"one");
        assert_eq!(one.checksum, digest([b"one".as_slice()]));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_cut_off_or_of_another_version_is_no_cache() {
        let bytes = sample();
        for length in 0..bytes.len() {
            assert!(entries(&bytes[..length]).is_none(), "{length}");
        }
        assert!(entries(b"cargo-poc items 0 0.0.0\n").is_none());
    }
}
