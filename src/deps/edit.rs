//! The change of one manifest.

use camino::Utf8PathBuf;

use crate::diff::unified;

/// One manifest to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The manifest, from the workspace root, with `/`.
    pub path: Utf8PathBuf,
    /// Its text on disk.
    pub old: String,
    /// Its text to be.
    pub new: String,
}

impl Edit {
    /// The edit as a unified diff with three lines of context, as `git apply` reads it.
    #[must_use]
    pub fn diff(&self) -> String {
        unified(self.path.as_str(), &self.old, &self.new)
    }
}
