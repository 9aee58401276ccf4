//! A macro that hands its input on to another one of its name.

mod real {
    macro_rules! answer {
        ($name:ident, $value:expr $(, $more:ident)*) => {
            fn $name() -> u32 {
                $value
            }
        };
    }
    pub(super) use answer;
}

#[cfg(unix)]
macro_rules! answer {
    ($($input:tt)*) => {
        crate::features::handed::real::answer!($($input)*, on_unix);
    };
}

#[cfg(not(unix))]
macro_rules! answer {
    ($($input:tt)*) => {
        crate::features::handed::real::answer!($($input)*, elsewhere);
    };
}

answer!(seven, helper());

fn helper() -> u32 {
    7
}

#[test]
fn handed_on() {
    assert_eq!(seven(), 7);
}
