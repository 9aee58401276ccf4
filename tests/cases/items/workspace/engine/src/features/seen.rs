//! Names that mean one thing here, and another for whoever uses this.

mod other {
    pub mod part {
        pub fn unmarked() -> u32 {
            4
        }
    }
}

mod outer {
    pub use super::other::*;
    pub mod part {
        pub fn marked() -> u32 {
            5
        }
    }
}

pub mod far {
    pub fn marked() -> u32 {
        50
    }
}

#[cfg(debug_assertions)]
mod place {
    derives::function!(spot => super::placed);
}

#[cfg(not(debug_assertions))]
mod place {
    pub fn spot() -> u32 {
        6
    }
}

fn placed() -> u32 {
    6
}

/// Has a local variable of a name that others give a function.
pub fn twofold(x: u32) -> u32 {
    let twin = x;
    derives::same!(twin * 2)
}

derives::define_macro!(tenth => tenth_of_mine);

pub fn rare() -> u32 {
    3
}

pub struct Plate;
pub struct Board;

impl Plate {
    derives::method!(thickness => thin);
}

impl Board {
    pub fn thickness(&self) -> u32 {
        4
    }
}

derives::unit_struct!(Hollow);

impl Hollow {
    derives::method!(depth => deep);
}

fn deep() -> u32 {
    8
}

fn thin() -> u32 {
    1
}

#[test]
fn by_the_module_that_has_the_name() {
    use outer::part::marked;
    assert_eq!(marked(), 5);
}

#[test]
fn by_the_name_of_another() {
    assert_eq!(far::marked(), 50);
}

#[test]
fn by_one_of_two_modules() {
    assert_eq!(place::spot(), 6);
}

#[test]
fn method_of_a_call() {
    assert_eq!(Plate.thickness(), 1);
}

#[test]
fn method_of_another_type() {
    assert_eq!(Board.thickness(), 4);
}

#[test]
fn method_of_a_type_of_a_call() {
    assert_eq!(Hollow.depth(), 8);
}
