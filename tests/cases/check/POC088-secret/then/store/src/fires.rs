//! Fires.

/// For the service.
pub const API_TOKEN: &str = "9f2b7c41d05e4a8893aa";
