//! Code in files of other extensions.

pub mod items {
    include!("part.in");
}

pub fn value() -> u32 {
    include!("value.in")
}

fn forty() -> u32 {
    40
}

#[test]
fn included_items() {
    assert_eq!(items::of_a_part(), 41);
}

#[test]
fn included_expression() {
    assert_eq!(value(), 40);
}

#[test]
fn idle() {
    assert_eq!(0, 0);
}
