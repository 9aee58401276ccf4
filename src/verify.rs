//! Runs checks and tells what they did: outcomes, counts, and what became worse.

pub mod binaries;
pub mod observe;
pub mod shell;

/// TEMPORARY
#[must_use]
pub fn uses_nextest(_: crate::cli::Runner, _: &camino::Utf8Path) -> bool {
    false
}

/// TEMPORARY
#[must_use]
pub fn commands_hash(blocks: &[crate::document::Block]) -> String {
    let mut hasher = blake3::Hasher::new();
    for block in blocks {
        hasher.update(block.code.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
