//! The commands, each in the same four beats: load, derive, act, report.

pub mod affected;
pub mod amend;
mod base;
pub mod check;
pub mod complete;
mod completed;
pub mod completions;
pub mod coverage;
mod culprit;
pub mod demo;
pub mod deps;
mod history;
pub mod init;
mod replay;
pub mod report;
pub mod status;
pub mod step;
mod summary;
pub mod update;
pub mod verify;
pub mod workset;
