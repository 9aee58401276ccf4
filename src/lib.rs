//! `cargo poc`: plans, evidence and affected tests for proof-of-concept work in a Rust workspace.

pub mod exit;
pub mod sys;
pub mod workspace;
