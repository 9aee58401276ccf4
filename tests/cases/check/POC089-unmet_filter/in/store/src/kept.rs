//! Words that a macro could make names of: keeps, seven.

pub const ANSWERS: u32 = 7;
