//! Helped.
