//! A module in another place than its name says.

mod beside;

pub fn distance() -> u32 {
    beside::unit()
}

#[test]
fn far() {
    assert_eq!(distance(), 5);
}
