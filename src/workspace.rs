//! The packages of a cargo workspace, their dependencies, and their build configuration.

mod build;
pub mod configuration;
pub(crate) mod dep_info;
pub mod derived;
pub mod features;
mod flags;
pub mod graph;
pub mod harness;
mod id;
pub mod manifest;
mod programs;
pub mod resolver;
pub mod source;
pub mod unified;
pub(crate) mod variables;

pub use configuration::Configuration;
pub use graph::Workspace;
pub use id::PackageId;
