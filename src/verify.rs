//! Runs checks and tells what they did: outcomes, counts, and what became worse.

pub mod observe;
