#[test]
fn attribute_like_a_test() {
    assert_eq!(unknown::latest::version(), 16);
}

#[test]
fn not_for_doctests() {
    assert_eq!(unknown::latest::hidden_from_documentation(), 17);
}

#[test]
fn idle() {
    assert_eq!(0, 0);
}
