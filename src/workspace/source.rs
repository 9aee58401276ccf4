//! x

pub mod lex;
pub mod syntax;
