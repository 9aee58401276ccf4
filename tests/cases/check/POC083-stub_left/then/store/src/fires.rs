//! Fires.

/// Answers.
pub fn answer() -> u32 {
    todo!("ask again")
}
