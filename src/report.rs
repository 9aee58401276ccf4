//! What a run prints, for people and for programs.

pub mod coverage;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod page;
pub mod run;
pub mod sarif;
