#[outside::latest]
pub fn version() -> u32 {
    16
}

#[cfg(not(doctest))]
pub fn hidden_from_documentation() -> u32 {
    17
}
