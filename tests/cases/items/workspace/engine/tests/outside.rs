//! An integration test.

use engine::features::shapes::Shape;

struct Star;

impl Shape for Star {}

#[test]
fn default_method() {
    assert_eq!(Star.name(), "shape");
}

#[test]
fn triples() {
    assert_eq!(engine::plain::triple(1), 3);
}
