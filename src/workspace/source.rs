//! Rust sources read without a compiler: which files make up a target, which tests and documentation they hold.
//!
//! In: the root file of a target. Out: a [`Unit`]. Reading is total: a file that cannot be read or understood is
//! a [`Problem`](file::Problem) of its unit, never an error.

mod assertion;
pub mod attribute;
pub mod cfg;
pub mod doc;
pub mod expand;
pub mod file;
pub mod lex;
pub mod listing;
pub mod modules;
pub mod syntax;
pub mod unit;

pub use unit::{Test, Unit, UnitDoctest, read_unit, read_units, sentence};
