//! `cargo poc`: plans, evidence and affected tests for proof-of-concept work in a Rust workspace.

pub mod affected;
pub mod change;
pub mod cli;
pub mod config;
pub mod document;
pub mod exit;
pub mod sys;
pub mod workspace;
