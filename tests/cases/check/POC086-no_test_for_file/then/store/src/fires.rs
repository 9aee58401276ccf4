//! Fires.

/// Answers.
pub fn reply() -> u32 {
    42
}
