//! Near.

/// The variable that holds it.
pub const API_TOKEN: &str = "SERVICE_API_TOKEN";
