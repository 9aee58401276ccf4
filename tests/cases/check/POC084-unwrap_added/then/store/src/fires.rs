//! Fires.

/// The first.
pub fn first(of: &[u32]) -> u32 {
    *of.first().unwrap()
}
