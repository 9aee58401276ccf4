#[test]
fn adds() {
    assert_eq!(engine::listed::add(1, 1), 2);
}
