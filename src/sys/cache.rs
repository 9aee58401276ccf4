//! A cache of computed values, keyed by the content of their inputs.
//!
//! The cache is one file in the target folder: [`Cache::open`], then [`Cache::get`] and [`Cache::put`] from any thread, then
//! [`Cache::save`]. Entries that are missing, damaged or of another version are computed again. The file is replaced as a whole, so
//! parallel runs lose nothing but work.

use std::collections::{BTreeMap, btree_map};
use std::hash::Hasher as _;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use camino::Utf8PathBuf;
use rustc_hash::{FxHashMap, FxHasher};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys::files;

/// The first half of a BLAKE3 hash.
pub type Key = [u8; 16];

/// The key of a value computed from some bytes; `kind` distinguishes uses of the same bytes.
#[must_use]
pub fn key(kind: &str, bytes: &[u8]) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes()).update(&[0]).update(bytes);
    let mut key = Key::default();
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

/// A file of values by key.
#[derive(Debug)]
pub struct Cache {
    path: Utf8PathBuf,
    /// The header of the file, with the kind of values and the version.
    format: &'static str,
    /// The values in the file.
    bytes: Vec<u8>,
    entries: FxHashMap<Key, Entry>,
    seen: Mutex<Seen>,
}

/// The position of a value in the file, and the checksum of its bytes.
#[derive(Debug, Clone)]
struct Entry {
    checksum: u64,
    at: Range<usize>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Entries that were looked up.
    used: Vec<Key>,
    /// New values.
    new: BTreeMap<Key, Vec<u8>>,
}

impl Cache {
    /// Opens the cache at `path`; empty without a file that starts with `format`. A file that cannot be read counts as missing; writing it
    /// will report the error.
    #[must_use]
    pub fn open(path: Utf8PathBuf, format: &'static str) -> Self {
        let bytes = files::read_if_exists(&path).ok().flatten();
        let bytes = bytes.unwrap_or_default();
        Self {
            entries: entries(&bytes, format).unwrap_or_default(),
            path,
            format,
            bytes,
            seen: Mutex::default(),
        }
    }

    /// The value of a key, including those added in this run; `None` if it is unknown or its checksum is wrong.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let Some(bytes) = self.found(key) else {
            let bytes = self.seen().new.get(key)?.clone();
            return postcard::from_bytes(&bytes).ok();
        };
        let value = postcard::from_bytes(bytes).ok()?;
        self.seen().used.push(*key);
        Some(value)
    }

    /// The bytes for a key in the file, if their checksum is correct.
    fn found(&self, key: &Key) -> Option<&[u8]> {
        let entry = self.entries.get(key)?;
        let bytes = self.bytes.get(entry.at.clone())?;
        (checksum(bytes) == entry.checksum).then_some(bytes)
    }

    /// Adds a value; one that cannot be serialized is ignored.
    pub fn put(&self, key: Key, value: &impl Serialize) {
        if let Ok(bytes) = postcard::to_stdvec(value) {
            self.seen().new.insert(key, bytes);
        }
    }

    /// Writes the values that were looked up or added, if any is new. Other values are kept, for example for other branches, until the file is
    /// `times` as large as the needed ones.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn save(self, times: usize) -> Result<()> {
        let seen = self.seen();
        let Seen { used, new } = &*seen;
        if new.is_empty() {
            return Ok(());
        }
        let mut kept: BTreeMap<Key, &[u8]> = BTreeMap::new();
        kept.extend(used.iter().filter_map(|key| Some((*key, self.found(key)?))));
        kept.extend(new.iter().map(|(key, bytes)| (*key, bytes.as_slice())));
        let needed: usize = kept.values().map(|bytes| bytes.len()).sum();
        let mut room = needed * times.saturating_sub(1);
        for key in self.entries.keys() {
            if let btree_map::Entry::Vacant(vacant) = kept.entry(*key)
                && let Some(bytes) = self.found(key).filter(|bytes| bytes.len() <= room)
            {
                room -= bytes.len();
                vacant.insert(bytes);
            }
        }
        files::keep(&self.path, &written(self.format, &kept))
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Detects accidental corruption; not tamper-proof.
fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// The format: `format`, the number of entries, for each its key, checksum and length, and then the values. Numbers are little-endian
/// with 8 bytes.
fn written(format: &str, entries: &BTreeMap<Key, &[u8]>) -> Vec<u8> {
    let mut bytes = format.as_bytes().to_vec();
    bytes.extend((entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        bytes.extend(key);
        bytes.extend(checksum(value).to_le_bytes());
        bytes.extend((value.len() as u64).to_le_bytes());
    }
    for value in entries.values() {
        bytes.extend_from_slice(value);
    }
    bytes
}

/// The positions of the values; `None` if the bytes do not have the format of [`written`].
fn entries(bytes: &[u8], format: &str) -> Option<FxHashMap<Key, Entry>> {
    let mut rest = bytes.strip_prefix(format.as_bytes())?;
    let count = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).ok()?;
    let mut heads = Vec::new();
    for _ in 0..count {
        let key: &Key = take(&mut rest)?;
        let checksum = u64::from_le_bytes(*take(&mut rest)?);
        let length = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).ok()?;
        heads.push((*key, checksum, length));
    }
    let mut start = bytes.len() - rest.len();
    let mut entries = FxHashMap::default();
    for (key, checksum, length) in heads {
        let end = start
            .checked_add(length)
            .filter(|end| *end <= bytes.len())?;
        let at = start..end;
        entries.insert(key, Entry { checksum, at });
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

    const FORMAT: &str = "a test 1\n";

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("some/cache")).unwrap();
        (folder, path)
    }

    fn filled(path: &Utf8PathBuf) {
        let cache = Cache::open(path.clone(), FORMAT);
        cache.put(key("word", b"one"), &"eins".to_owned());
        cache.put(key("word", b"two"), &"zwei".to_owned());
        cache.save(1).unwrap();
    }

    fn word(cache: &Cache, bytes: &[u8]) -> Option<String> {
        cache.get(&key("word", bytes))
    }

    #[test]
    fn values_are_found_by_their_inputs() {
        let (_folder, path) = folder();
        filled(&path);
        let cache = Cache::open(path, FORMAT);
        assert_eq!(word(&cache, b"one").as_deref(), Some("eins"));
        assert_eq!(word(&cache, b"two").as_deref(), Some("zwei"));
        assert_eq!(word(&cache, b"three"), None);
        assert_eq!(cache.get::<String>(&key("number", b"one")), None);
    }

    #[test]
    fn unused_values_are_dropped_when_the_file_is_too_large() {
        for (times, two) in [(1, false), (2, true)] {
            let (_folder, path) = folder();
            filled(&path);
            let cache = Cache::open(path.clone(), FORMAT);
            assert!(word(&cache, b"one").is_some());
            cache.put(key("word", b"three"), &"drei".to_owned());
            cache.save(times).unwrap();
            let cache = Cache::open(path, FORMAT);
            let found =
                [b"one".as_slice(), b"two", b"three"].map(|each| word(&cache, each).is_some());
            assert_eq!(found, [true, two, true]);
        }
    }

    #[test]
    fn damaged_values_are_dropped() {
        for asked in [true, false] {
            let (_folder, path) = folder();
            filled(&path);
            let mut bytes = files::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 0x41;
            files::keep(&path, &bytes).unwrap();
            let cache = Cache::open(path.clone(), FORMAT);
            let words = [b"one".as_slice(), b"two"];
            let lost = words
                .into_iter()
                .filter(|each| word(&cache, each).is_none());
            let lost: Vec<_> = lost.collect();
            assert_eq!(lost.len(), 1);
            if asked {
                cache.put(key("word", lost[0]), &"anew".to_owned());
            }
            cache.put(key("word", b"three"), &"drei".to_owned());
            cache.save(9).unwrap();
            let cache = Cache::open(path, FORMAT);
            let expected = asked.then_some("anew");
            assert_eq!(word(&cache, lost[0]).as_deref(), expected);
        }
    }

    fn sample() -> Vec<u8> {
        let (first, second) = ([1; 16], [2; 16]);
        written(
            FORMAT,
            &BTreeMap::from([(first, b"one".as_slice()), (second, b"".as_slice())]),
        )
    }

    #[test]
    fn written_values_are_read() {
        let bytes = sample();
        let found = entries(&bytes, FORMAT).unwrap();
        let one = &found[&[1; 16]];
        assert_eq!(&bytes[one.at.clone()], b"one");
        assert_eq!(one.checksum, checksum(b"one"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn truncated_or_other_version_is_not_a_cache() {
        let bytes = sample();
        for length in 0..bytes.len() {
            assert!(entries(&bytes[..length], FORMAT).is_none(), "{length}");
        }
        assert!(entries(b"a test 0\n", FORMAT).is_none());
    }

    #[test]
    fn damaged_file_returns_only_intact_values() {
        let (_folder, path) = folder();
        filled(&path);
        let whole = files::read(&path).unwrap();
        let written = |bytes: &[u8], word: Option<String>| {
            let expected = if bytes == b"one" { "eins" } else { "zwei" };
            word.is_none_or(|word| word == expected)
        };
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x41;
            for damaged in [flipped, whole[..at].to_vec()] {
                files::keep(&path, &damaged).unwrap();
                let cache = Cache::open(path.clone(), FORMAT);
                assert!(written(b"one", word(&cache, b"one")), "{at}");
                assert!(written(b"two", word(&cache, b"two")), "{at}");
            }
        }
        files::keep(&path, &whole).unwrap();
        assert_eq!(word(&Cache::open(path.clone(), "a test 2\n"), b"one"), None);
        assert!(word(&Cache::open(path, FORMAT), b"one").is_some());
    }
}
