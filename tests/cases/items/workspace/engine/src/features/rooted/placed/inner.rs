//! It calls a macro that its own file defines.

macro_rules! value {
    ($value:expr) => {
        pub(super) fn value() -> u32 {
            $value
        }
    };
}

value!(super::super::three());
