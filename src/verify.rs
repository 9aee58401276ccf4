//! Runs checks and tells what they did: outcomes, counts, and what became worse.

pub mod binaries;
pub mod observe;
pub mod shell;

/// TEMPORARY
#[must_use]
pub fn uses_nextest(_: crate::cli::Runner, _: &camino::Utf8Path) -> bool {
    false
}
