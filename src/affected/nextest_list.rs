//! The list of tests that `cargo nextest list --message-format json` prints, without unused fields.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use serde::Deserialize;

/// All test binaries and their tests.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct NextestList {
    #[serde(default)]
    pub(crate) rust_build_meta: BuildMeta,
    /// By binary id.
    pub(crate) rust_suites: BTreeMap<String, Suite>,
}

/// The folders of the build.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct BuildMeta {
    pub(crate) target_directory: Utf8PathBuf,
    pub(crate) base_output_directories: BTreeSet<Utf8PathBuf>,
}

/// A test binary.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Suite {
    #[serde(default)]
    pub(crate) binary_path: Utf8PathBuf,
    /// Its tests by name.
    #[serde(default)]
    pub(crate) testcases: BTreeMap<String, Case>,
}

/// A test.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Case {
    pub(crate) ignored: bool,
    pub(crate) filter_match: Match,
}

/// Whether the filters select a test, and if not, why.
#[derive(Debug, Deserialize)]
pub(crate) struct Match {
    status: String,
    pub(crate) reason: Option<String>,
}

impl NextestList {
    /// Parses the output of nextest.
    ///
    /// # Errors
    /// If it does not have the format of nextest 0.9.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).context(
            "failed to parse nextest's list of tests; cargo-poc supports the format of nextest 0.9",
        )
    }
}

impl Match {
    pub(crate) fn is_selected(&self) -> bool {
        self.status == "matches"
    }
}
