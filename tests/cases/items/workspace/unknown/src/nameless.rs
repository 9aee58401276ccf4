//! Macros that name what their input does not.

mod inner {
    outside::total!();
}

pub use inner::*;

fn base() -> u32 {
    16
}

mod hooks {
    pub fn before() -> u32 {
        17
    }
}

#[outside::hooked]
pub fn replaced_by_hook() -> u32 {
    0
}

#[test]
fn by_a_path_of_its_own() {
    assert_eq!(total(), 16);
}

#[test]
fn by_an_attribute() {
    assert_eq!(replaced_by_hook(), 17);
}
