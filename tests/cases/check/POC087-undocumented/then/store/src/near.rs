//! Near.

/// Answers.
pub fn answer() -> u32 {
    within()
}

pub(crate) fn within() -> u32 {
    42
}
