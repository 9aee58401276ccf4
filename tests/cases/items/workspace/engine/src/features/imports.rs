//! Imports that decide what is meant.

mod first {
    pub fn value() -> u32 {
        1
    }

    pub trait Go {
        fn go(&self) -> u32;
    }

    impl Go for u8 {
        fn go(&self) -> u32 {
            1
        }
    }
}

mod second {
    pub fn value() -> u32 {
        2
    }

    pub trait Go {
        fn go(&self) -> u32;
    }

    impl Go for u8 {
        fn go(&self) -> u32 {
            2
        }
    }
}

mod exported {
    pub use super::first::value;
}

mod calls {
    use super::first::Go as _;

    pub fn call() -> u32 {
        0u8.go()
    }
}

mod shadowed {
    use super::first::*;

    pub fn shown() -> u32 {
        value()
    }
}

mod levels {
    #[derive(PartialEq, PartialOrd)]
    pub enum Level {
        Low,
        High,
    }

    pub use Level::*;
}

use levels::{High, Low};

unsafe extern "C" {
    safe fn items_hook() -> u32;
}

mod hooks {
    #[unsafe(no_mangle)]
    extern "C" fn items_hook() -> u32 {
        6
    }
}

#[test]
fn exported_value() {
    assert_eq!(exported::value(), 1);
}

#[test]
fn trait_in_scope() {
    assert_eq!(calls::call(), 1);
}

#[test]
fn shadows() {
    assert_eq!(shadowed::shown(), 1);
}

#[test]
fn order_of_variants() {
    assert!(Low < High);
}

#[test]
fn by_symbol() {
    assert_eq!(items_hook(), 6);
}
