//! Used by files that a macro lists.

pub fn add(x: u32, y: u32) -> u32 {
    x + y
}
