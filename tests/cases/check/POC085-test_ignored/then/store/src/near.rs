//! Near.

#[test]
fn ignores_blanks() {}
