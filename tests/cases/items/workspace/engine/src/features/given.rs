//! Items that a macro is given.

items! {
    #![allow(dead_code)]

    pub trait Counted {
        fn count(&self) -> u32 {
            21
        }

        fn next(&self) -> u32 {
            22
        }
    }

    impl Counted for u8 {}

    fn given() -> u32 {
        23
    }
}

#[test]
fn given_to_a_macro() {
    assert_eq!(given(), 23);
}

#[test]
fn default_of_a_trait_given_to_a_macro() {
    assert_eq!(1_u8.count(), 21);
}
