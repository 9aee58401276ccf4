//! Profiles of nextest that leave tests out by default.

use camino::Utf8Path;

use crate::sys::files;
use crate::workspace::manifest::{Manifest, line_of};

/// A sentence for each profile of `.config/nextest.toml` with a `default-filter`: `cargo test` runs tests that nextest leaves
/// out by default.
pub(super) fn default_filters(root: &Utf8Path) -> Vec<String> {
    const FILE: &str = ".config/nextest.toml";
    let Some(text) = files::text(&root.join(FILE)) else {
        return Vec::new();
    };
    let Ok(manifest) = Manifest::parse(&text) else {
        return Vec::new();
    };
    let profiles = manifest
        .get(&["profile"])
        .and_then(|table| table.as_table_like());
    let profiles = profiles.into_iter().flat_map(|table| table.iter());
    let filters = profiles.filter_map(|(name, profile)| {
        let filter = profile.as_table_like()?.get("default-filter")?.as_str()?;
        let entry = manifest.entry(&["profile", name, "default-filter"])?;
        let line = line_of(manifest.text(), entry.span.start);
        Some(format!(
            "{FILE}:{line}: the profile `{name}` of nextest runs only the tests of `{filter}` by default"
        ))
    });
    filters.collect()
}
