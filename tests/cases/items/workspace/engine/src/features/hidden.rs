//! Declared by a macro.

pub fn value() -> u32 {
    8
}
