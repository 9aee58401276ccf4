//! Deeper.

pub(in super::super) fn far() -> u32 {
    4
}
