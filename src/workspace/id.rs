//! How members are referred to.

/// A member, as its index into [`Workspace::packages`](super::Workspace::packages).
pub type PackageId = usize;
