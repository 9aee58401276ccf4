//! What macros make.

#[cfg(test)]
use one as single;

mod parts {
    pub fn left() -> u32 {
        11
    }

    pub fn right() -> u32 {
        12
    }
}

fn helper_of_cases() -> u32 {
    13
}

cases! {
    case_one: helper_of_cases() => 13,
    case_two: 2 => 2,
}

#[test]
fn composed_path() {
    assert_eq!(call!(parts, left), 11);
}

#[test]
fn renamed_macro() {
    assert_eq!(single!(), 1);
}
