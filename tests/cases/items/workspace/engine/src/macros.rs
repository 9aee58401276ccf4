//! Macros that define and call.

/// Defines a function of a fixed name.
#[macro_export]
macro_rules! define_helper {
    () => {
        pub fn helper() -> u32 {
            $crate::plain::triple(1)
        }
    };
}

macro_rules! call {
    ($module:ident, $name:ident) => {
        $module::$name()
    };
}

macro_rules! one {
    () => {
        1
    };
}

macro_rules! cases {
    ($($name:ident: $input:expr => $expected:expr,)*) => {
        $(
            #[test]
            fn $name() {
                assert_eq!($input, $expected);
            }
        )*
    };
}

macro_rules! modules {
    ($(mod $name:ident;)*) => {
        $(pub mod $name;)*
    };
}

macro_rules! items {
    (#![$about:meta] $($item:item)*) => {
        $(#[$about] $item)*
    };
}
