//! The commands, each in the same four beats: load, derive, act, report.

pub mod affected;
pub mod amend;
mod base;
pub mod check;
pub mod complete;
mod completed;
pub mod completions;
pub mod coverage;
pub mod demo;
pub mod deps;
pub mod init;
mod replay;
pub mod report;
pub mod status;
pub mod step;
mod summary;
pub mod update;
pub mod verify;
pub mod workset;
