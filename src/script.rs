//! A shell block of a plan: its commands, the tests they call, and the expected result of each.

pub(crate) mod calls;
pub(crate) mod cargo_arguments;
pub mod commands;
mod comments;
pub mod expectation;
mod lexer;
pub(crate) mod lines;
pub(crate) mod measure;
pub(crate) mod relative;
pub mod shell;
pub(crate) mod simple_commands;
pub(crate) mod wrappers;
