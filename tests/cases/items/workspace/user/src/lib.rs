//! Uses a macro of another crate that defines a function of a fixed name.

engine::define_helper!();

#[test]
fn helps() {
    assert_eq!(helper(), 3);
}

#[test]
fn idle() {
    assert_eq!(0, 0);
}
