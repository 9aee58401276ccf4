//! What is: the packages of a cargo workspace and how they depend on each other.

pub mod features;
pub mod graph;
pub mod manifest;
pub mod source;

pub use graph::{Edge, PackageId, Workspace};
