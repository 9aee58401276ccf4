//! The files that instrumented builds touched.
//!
//! A build skips units that are up to date, so the files of all builds in a target folder count. The list is removed while a
//! build runs: if it is missing, the target folder is not known completely and is built again.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use crate::sys::files;

/// The list of a target folder.
#[derive(Debug)]
pub(super) struct BuildReads {
    path: Utf8PathBuf,
    touched: BTreeSet<String>,
}

impl BuildReads {
    /// Begins the builds of a collection in `target`. A traced build removes a target folder whose files are not known.
    pub(super) fn new(target: &Utf8Path, is_traced: bool) -> Result<Self> {
        let path = target.join("touched");
        let earlier = files::read_if_exists(&path)?;
        if earlier.is_none() && is_traced {
            files::remove_folder(target)?;
        }
        if earlier.is_some() {
            files::remove(&path)?;
        }
        let earlier = String::from_utf8_lossy(&earlier.unwrap_or_default()).into_owned();
        Ok(Self {
            path,
            touched: earlier.lines().map(str::to_owned).collect(),
        })
    }

    /// Adds the files of a build that has ended.
    pub(super) fn add(&mut self, touched: BTreeSet<String>) {
        self.touched.extend(touched);
    }

    /// Writes the list, once all builds have ended, and returns it.
    pub(super) fn finish(self) -> Result<BTreeSet<String>> {
        // A path with a line end would be two paths, which selects more.
        let lines: Vec<&str> = self.touched.iter().map(String::as_str).collect();
        files::keep(&self.path, (lines.join("\n") + "\n").as_bytes())?;
        Ok(self.touched)
    }
}

/// Numbers of paths, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct PathNumbers(FxHashMap<String, u32>);

impl PathNumbers {
    pub(super) fn of(&mut self, paths: BTreeSet<String>) -> Vec<u32> {
        let mut numbers = Vec::new();
        for path in paths {
            let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
            numbers.push(*self.0.entry(path).or_insert(next));
        }
        numbers.sort_unstable();
        numbers
    }

    pub(super) fn into_paths(self) -> Vec<String> {
        let mut paths: Vec<(String, u32)> = self.0.into_iter().collect();
        paths.sort_by_key(|(_, number)| *number);
        paths.into_iter().map(|(path, _)| path).collect()
    }
}
