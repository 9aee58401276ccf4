//! Macros under names that others are known by.

use outside::concat;
use outside::*;

fn formatted() -> u32 {
    18
}

pub fn text() -> u32 {
    concat!("text")
}

#[derive(Display)]
pub struct Shown;

impl Shown {
    fn secret(&self) -> u32 {
        19
    }
}

#[test]
fn a_name_of_the_standard_library() {
    assert_eq!(text(), 18);
}

#[test]
fn a_name_of_a_known_crate() {
    assert_eq!(Shown.show(), 19);
}
