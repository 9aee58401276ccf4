//! The functions that each test of a collect run executed, stored until they are joined with the coverage maps: one small file per test,
//! and one list of function names per binary. An interrupted run can be resumed from these files.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::sys::files;

/// The functions that one test executed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedTest {
    /// nextest's id of its binary.
    pub binary: String,
    /// Its name.
    pub name: String,
    /// One part per binary that ran: the test's own, and those it started.
    pub parts: Vec<ExecutedFunctions>,
    /// The size of its profiles in bytes.
    pub bytes: u64,
    /// The files that it touched, from [`Touched::inside`](super::trace::Touched::inside); `None` without a tracer.
    pub touched: Option<BTreeSet<String>>,
    /// Whether it did not run because its coverage is in the store of an earlier run.
    pub kept: bool,
    /// Why its coverage is unknown.
    pub why_not: Option<String>,
}

/// The executed functions of one binary.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutedFunctions {
    /// The list of the binary's functions.
    pub functions: String,
    /// Indexes into that list, ascending, each as the difference from the previous one.
    pub ran: Vec<u32>,
}

/// The folder of a collect run.
#[derive(Debug)]
pub struct RecordFolder {
    folder: Utf8PathBuf,
}

/// A folder for raw profiles, removed when dropped.
#[derive(Debug)]
pub struct Raw {
    /// The path.
    pub path: Utf8PathBuf,
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Remaining files are removed with the run's folder.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl RecordFolder {
    /// The run that stores its tests in `folder`.
    #[must_use]
    pub fn new(folder: &Utf8Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    fn place(&self, binary: &str, name: &str) -> Utf8PathBuf {
        let id = blake3::hash(format!("{binary}\n{name}").as_bytes());
        self.folder.join("tests").join(&id.to_hex()[..32])
    }

    /// Creates an empty folder for the raw profiles of a test.
    ///
    /// # Errors
    /// When the folder cannot be created; the message contains its path.
    pub fn raw(&self, binary: &str, name: &str) -> Result<Raw> {
        let place = self.place(binary, name);
        let path = self
            .folder
            .join("raw")
            .join(place.file_name().unwrap_or_default());
        files::remove_folder(&path)?;
        files::create_folder(&path)?;
        Ok(Raw { path })
    }

    /// The record of a test; `None` if it has not run, or the record cannot be parsed.
    ///
    /// # Errors
    /// When an existing file cannot be read.
    pub fn get(&self, binary: &str, name: &str) -> Result<Option<RecordedTest>> {
        let bytes = files::read_if_exists(&self.place(binary, name))?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
    }

    /// Saves the record of a test.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn put(&self, seen: &RecordedTest) -> Result<()> {
        let bytes =
            postcard::to_stdvec(seen).context("failed to serialize the coverage of a test")?;
        let place = self.place(&seen.binary, &seen.name);
        files::create_folder(place.parent().unwrap_or(&self.folder))?;
        files::write_atomic(&place, &bytes)
    }

    fn unlisted(&self) -> Utf8PathBuf {
        self.folder.join("unlisted")
    }

    /// Records that a test binary does not list its tests.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn put_unlisted(&self, binary: &str) -> Result<()> {
        let folder = self.unlisted();
        files::create_folder(&folder)?;
        let name = blake3::hash(binary.as_bytes()).to_hex();
        files::write_atomic(&folder.join(&name[..32]), binary.as_bytes())
    }

    /// Removes the records of test binaries that did not list their tests.
    ///
    /// # Errors
    /// When the folder cannot be removed; the message contains its path.
    pub fn clear_unlisted(&self) -> Result<()> {
        files::remove_folder(&self.unlisted())
    }

    /// The paths of test binaries that do not list their tests.
    ///
    /// # Errors
    /// When a file cannot be read; the message contains its path.
    pub fn get_unlisted(&self) -> Result<BTreeSet<String>> {
        let folder = self.unlisted();
        let names = files::list(&folder)?;
        let read = |name: String| {
            let bytes = files::read(&folder.join(name))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        names.into_iter().map(read).collect()
    }

    /// Converts a profile to a part; the function names of a binary are stored once.
    ///
    /// # Errors
    /// When the file cannot be written; the message contains its path.
    pub fn part(&self, profile: &Profile) -> Result<ExecutedFunctions> {
        let bytes: Vec<u8> = profile
            .functions
            .iter()
            .flat_map(|name| name.to_le_bytes())
            .collect();
        let functions = blake3::hash(&bytes).to_hex()[..32].to_owned();
        let place = self.folder.join("functions").join(&functions);
        if !place.is_file() {
            files::create_folder(place.parent().unwrap_or(&self.folder))?;
            files::write_atomic(&place, &bytes)?;
        }
        let mut ran = Vec::new();
        let mut last = 0;
        for (index, _) in (0_u32..).zip(&profile.ran).filter(|(_, ran)| **ran) {
            ran.push(index - last);
            last = index;
        }
        Ok(ExecutedFunctions { functions, ran })
    }
}

/// The function lists of a run, each read once.
#[derive(Debug, Default)]
pub struct FunctionLists {
    lists: FxHashMap<String, Vec<u64>>,
}

impl FunctionLists {
    /// The names of the executed functions.
    ///
    /// # Errors
    /// When the binary's list is missing or does not match.
    pub fn names(&mut self, records: &RecordFolder, part: &ExecutedFunctions) -> Result<Vec<u64>> {
        if !self.lists.contains_key(&part.functions) {
            let bytes = files::read(&records.folder.join("functions").join(&part.functions))?;
            let names = bytes.chunks_exact(8).map(|name| {
                let mut word = [0; 8];
                word.copy_from_slice(name);
                u64::from_le_bytes(word)
            });
            self.lists.insert(part.functions.clone(), names.collect());
        }
        let list = &self.lists[&part.functions];
        let mut at = 0_usize;
        part.ran
            .iter()
            .map(|distance| {
                at += *distance as usize;
                list.get(at)
                    .copied()
                    .context("the list of a binary's functions is truncated")
            })
            .collect()
    }
}
