//! Beside it.

pub(super) fn unit() -> u32 {
    5
}
