//! Ids of workspace members.

/// A member, as its index into [`Workspace::packages`](super::Workspace::packages).
pub type PackageId = usize;
