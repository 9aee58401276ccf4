// The first line.
pub fn here() -> u32 {
    line!()
}

#[track_caller]
fn caller() -> u32 {
    std::panic::Location::caller().line()
}

pub fn called() -> u32 {
    caller()
}

pub fn text() -> &'static str {
    stringify!(a+b)
}

#[test]
fn line() {
    assert_eq!(here(), 3);
}

#[test]
fn line_of_the_caller() {
    assert_eq!(called(), 12);
}

#[test]
fn spelling() {
    assert_eq!(text(), "a+b");
}

#[test]
fn nowhere() {
    assert_eq!(0, 0);
}
