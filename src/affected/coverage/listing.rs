//! What a collect run needs of nextest's list of tests.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::Utf8PathBuf;

use super::recorded::RecordFolder;
use crate::affected::nextest_list::{BuildMeta, NextestList};
use crate::sys::files;

impl NextestList {
    /// Adds what another build of the same target directory lists.
    pub(super) fn add(&mut self, other: Self) {
        self.rust_suites.extend(other.rust_suites);
        let BuildMeta {
            target_directory,
            base_output_directories,
        } = other.rust_build_meta;
        self.rust_build_meta.target_directory = target_directory;
        let folders = &mut self.rust_build_meta.base_output_directories;
        folders.extend(base_output_directories);
    }

    /// The number of listed tests with results of an interrupted run.
    pub(super) fn known(&self, records: &RecordFolder) -> Result<usize> {
        let mut known = 0;
        for (binary, suite) in &self.rust_suites {
            for name in suite.testcases.keys() {
                let seen = records.get(binary, name)?;
                known += usize::from(seen.is_some_and(|seen| seen.why_not.is_none()));
            }
        }
        Ok(known)
    }

    /// Every executable that may be a test or started by one.
    pub(super) fn executables(&self) -> Result<BTreeSet<Utf8PathBuf>> {
        let mut paths: BTreeSet<Utf8PathBuf> = self
            .rust_suites
            .values()
            .map(|suite| suite.binary_path.clone())
            .collect();
        for folder in &self.rust_build_meta.base_output_directories {
            let built = self.rust_build_meta.target_directory.join(folder);
            for folder in [built.clone(), built.join("examples")] {
                for name in files::list(&folder)? {
                    let path = folder.join(name);
                    // Executables have no extension, or that of the platform.
                    let extension = std::env::consts::EXE_EXTENSION;
                    if path.extension().unwrap_or_default() == extension && path.is_file() {
                        paths.insert(path);
                    }
                }
            }
        }
        Ok(paths)
    }
}
