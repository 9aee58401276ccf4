//! The tests that failed in their last run, stored in the target folder. They stay selected until they pass.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::sys::cargo::own_folder;
use crate::sys::files;
use crate::workspace::{Configuration, Workspace};

/// Names of tests by binary id.
pub type TestNames = BTreeMap<String, BTreeSet<String>>;

/// The failed tests of a workspace, by build configuration.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTests(BTreeMap<String, TestNames>);

impl FailedTests {
    fn path(target_directory: &Utf8Path) -> Utf8PathBuf {
        own_folder(target_directory).join("failed.json")
    }

    /// The failed tests of the workspace in its configuration, by binary id.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn load(workspace: &Workspace) -> Result<TestNames> {
        let mut all = Self::read(&workspace.target_directory)?;
        Ok(all
            .0
            .remove(&key(&workspace.configuration))
            .unwrap_or_default())
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

    /// Replaces the failed tests of the workspace in its configuration.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn save(workspace: &Workspace, failed: TestNames) -> Result<()> {
        let directory = &workspace.target_directory;
        let mut all = Self::read(directory)?;
        let key = key(&workspace.configuration);
        let before = if failed.is_empty() {
            all.0.remove(&key)
        } else {
            all.0.insert(key.clone(), failed)
        };
        if before.as_ref() == all.0.get(&key) {
            return Ok(());
        }
        files::keep(&Self::path(directory), &serde_json::to_vec(&all)?)
            .context("failed to keep the list of failed tests")
    }
}

/// The cargo arguments that select the configuration.
fn key(configuration: &Configuration) -> String {
    let features = configuration.feature_arguments();
    [features, configuration.build_arguments()]
        .concat()
        .join(" ")
}
