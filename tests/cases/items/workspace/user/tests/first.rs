//! Names that others have too.

use engine::features::seen;

fn twin() -> u32 {
    2
}

fn ninth_of_mine() -> u32 {
    9
}

fn tenth_of_mine() -> u32 {
    10
}

macro_rules! check {
    ($expected:expr) => {
        assert_eq!(engine::features::seen::rare(), $expected)
    };
}

#[test]
fn own_function() {
    assert_eq!(twin(), 2);
}

#[test]
fn variable_of_its_name() {
    assert_eq!(seen::twofold(2), 4);
}

#[test]
fn written_by_a_procedural_macro() {
    assert_eq!(derives::ninth!(), 9);
}

#[test]
fn written_by_a_macro_that_a_call_defines() {
    assert_eq!(engine::tenth!(), 10);
}

#[test]
fn by_its_macro() {
    check!(3);
}
