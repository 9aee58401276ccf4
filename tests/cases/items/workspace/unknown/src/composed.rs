pub fn start_impl() -> u32 {
    14
}

pub fn start() -> u32 {
    outside::call!(start)
}

#[test]
fn composes() {
    assert_eq!(start(), 14);
}
