//! Functions whose names procedural macros compute.

#[allow(dead_code)]
fn eighteen() -> u32 {
    18
}

#[allow(dead_code)]
fn nineteen() -> u32 {
    19
}

#[test]
fn without_a_word() {
    assert_eq!(derives::without_call!(call_eighteen), 18);
}

#[test]
fn backwards() {
    assert_eq!(derives::backwards!(neetenin), 19);
}
