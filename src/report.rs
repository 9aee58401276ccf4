//! What a run prints, for people and for programs.

pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod observed;
pub mod page;
pub mod run;
pub mod sarif;
