pub mod generated {
    include!(concat!(env!("OUT_DIR"), "/grammar.rs"));
}

pub fn leaf() -> u32 {
    15
}

#[test]
fn parses() {
    assert_eq!(generated::parse(), 15);
}
