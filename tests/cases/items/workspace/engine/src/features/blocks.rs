//! Items in bodies.

pub struct Lamp;

pub fn never_called() {
    impl Lamp {
        pub fn light(&self) -> u32 {
            3
        }
    }
}

mod words {
    pub fn hello() -> &'static str {
        "hello"
    }

    pub fn goodbye() -> &'static str {
        "goodbye"
    }
}

thread_local! {
    static DEPTH: u32 = start();
}

fn start() -> u32 {
    4
}

#[test]
fn impl_in_a_body() {
    assert_eq!(Lamp.light(), 3);
}

#[test]
fn glob_in_a_body() {
    use words::*;
    assert_eq!(hello(), "hello");
}

#[test]
fn rename_in_a_body() {
    use words::goodbye as bye;
    assert_eq!(bye(), "goodbye");
}

#[test]
fn thread_local_start() {
    assert_eq!(DEPTH.with(|depth| *depth), 4);
}
