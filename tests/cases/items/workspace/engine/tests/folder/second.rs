#[test]
fn alone() {
    assert_eq!(1 + 1, 2);
}
