//! Parses one Rust source without a compiler: its tokens, items, attributes, declared modules and documentation.

pub mod assertion;
pub mod attribute;
pub mod cfg;
pub mod doc;
pub mod expand;
pub mod keywords;
pub mod lex;
pub mod listing;
pub mod modules;
pub mod syntax;
