//! The edit of one manifest.

use camino::Utf8PathBuf;

use crate::diff::unified;

/// The edit of one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The manifest, relative to the workspace root, with `/`.
    pub path: Utf8PathBuf,
    /// Its text on disk.
    pub old: String,
    /// Its new text.
    pub new: String,
}

impl Edit {
    /// The edit as a unified diff with three lines of context, in the format of `git apply`.
    #[must_use]
    pub fn diff(&self) -> String {
        unified(self.path.as_str(), &self.old, &self.new)
    }
}
