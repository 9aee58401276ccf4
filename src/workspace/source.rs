//! TEMPORARY
use anyhow::Result;
use camino::*;
/// u
#[derive(Default)]
pub struct Unit {
    /// f
    pub doc: Option<String>,
    /// t
    pub tests: Vec<u8>,
    /// d
    pub doctests: usize,
    /// u
    pub unsafe_blocks: usize,
}
/// r
pub fn read_unit(_root: &Utf8Path) -> Result<Unit> {
    Ok(Unit::default())
}
