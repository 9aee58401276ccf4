//! The tests that failed in their last run, stored in the target folder. They stay selected until they pass.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::sys::cargo::own_folder;
use crate::sys::files;
use crate::workspace::Workspace;

/// Names of tests by binary id.
pub type TestNames = BTreeMap<String, BTreeSet<String>>;

/// The failed tests of a workspace, by the fingerprint of the build; an empty one for a build without options.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTests(BTreeMap<String, TestNames>);

impl FailedTests {
    fn path(target_directory: &Utf8Path) -> Utf8PathBuf {
        own_folder(target_directory).join("failed.json")
    }

    /// The failed tests of the workspace in its configuration.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn load(workspace: &Workspace) -> Result<TestNames> {
        let mut all = Self::read(&workspace.target_directory)?;
        Ok(all.0.remove(&key(workspace)).unwrap_or_default())
    }

    fn read(target_directory: &Utf8Path) -> Result<Self> {
        let path = Self::path(target_directory);
        let Some(bytes) = files::read_if_exists(&path)? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).with_context(|| {
            format!("{path}, the list of failed tests, is damaged; remove it and run all tests once: `cargo poc verify --full`")
        })
    }

    /// Changes the failed tests of the workspace in its configuration. The file is written only if they differ.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn update(workspace: &Workspace, change: impl FnOnce(&mut TestNames)) -> Result<()> {
        let mut all = Self::read(&workspace.target_directory)?;
        let failed = all.0.entry(key(workspace)).or_default();
        let before = failed.clone();
        change(failed);
        failed.retain(|_, names| !names.is_empty());
        if *failed == before {
            return Ok(());
        }
        all.0.retain(|_, failed| !failed.is_empty());
        let path = Self::path(&workspace.target_directory);
        files::keep(&path, &serde_json::to_vec(&all)?)
            .context("failed to keep the list of failed tests")
    }
}

fn key(workspace: &Workspace) -> String {
    workspace.build_fingerprint().unwrap_or_default()
}
