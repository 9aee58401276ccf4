//! The commands, each in the same four beats: load, derive, act, report.

pub mod affected;
pub mod deps;
pub mod init;
