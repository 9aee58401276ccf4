pub mod inner {
    #[outside::wrap]
    pub fn fetch() -> u32 {
        11
    }
}

#[test]
fn calls_what_an_attribute_adds() {
    assert_eq!(inner::fetch_blocking(), 11);
}
