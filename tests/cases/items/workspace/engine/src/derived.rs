//! A derive behind a renaming `use`, whose attribute names a function in a string.

pub use derives::Answer as Ask;

pub trait Answer {
    fn answer(&self) -> u32;
}

pub fn add_one(x: u32) -> u32 {
    x + 1
}

#[derive(Ask)]
#[answer(with = "crate::derived::add_one")]
pub struct Question;

#[test]
fn answers() {
    assert_eq!(Question.answer(), 21);
}

#[test]
fn unrelated_to_derives() {
    assert_eq!(1 + 1, 2);
}
