//! Parses Rust sources without a compiler: the files of a target, its tests and its documentation.
//!
//! Input: the root file of a target. Output: a [`Unit`]. Parsing is total: a file that cannot be read or parsed is a
//! [`Problem`](file::Problem) of its unit, never an error.

mod assertion;
pub mod attribute;
pub mod cfg;
pub mod doc;
pub mod expand;
pub mod file;
pub mod keywords;
pub mod lex;
pub mod listing;
pub mod modules;
pub mod syntax;
pub mod unit;

pub use unit::{Test, Unit, read_unit, read_units, sentence};
