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

/// Its function is named by the macro alone.
pub mod halved {
    pub fn of(x: u32) -> u32 {
        half(x)
    }

    fn half(x: u32) -> u32 {
        x / 2
    }
}

#[test]
fn answers_by_a_module() {
    #[derive(Ask)]
    #[answer(module = "crate::derived::halved")]
    struct Half;
    assert_eq!(Half.answer(), 10);
}

#[test]
fn answers() {
    assert_eq!(Question.answer(), 21);
}

#[test]
fn unrelated_to_derives() {
    assert_eq!(1 + 1, 2);
}
