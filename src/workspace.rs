//! What is: the packages of a cargo workspace and how they depend on each other.

pub mod graph;
pub mod source;

pub use graph::{Edge, PackageId, Workspace};
