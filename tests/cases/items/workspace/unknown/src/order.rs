macro_rules! level {
    () => {
        1
    };
}

pub fn low() -> u32 {
    level!()
}

macro_rules! level {
    () => {
        2
    };
}

#[test]
fn by_the_macro_above() {
    assert_eq!(low(), 1);
    assert_eq!(level!(), 2);
}

#[test]
fn nothing() {
    assert_eq!(0, 0);
}
