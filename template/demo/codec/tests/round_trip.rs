//! Encoded fields decode to the same fields.

#[test]
fn no_fields() {
    assert_eq!(codec::decode(&codec::encode([])).unwrap(), [""; 0]);
}

#[test]
fn a_thousand_fields() {
    let fields: Vec<String> = (0..1000).map(|number| "x".repeat(number % 17)).collect();
    let text = codec::encode(fields.iter().map(String::as_str));
    assert_eq!(codec::decode(&text).unwrap(), fields);
}
