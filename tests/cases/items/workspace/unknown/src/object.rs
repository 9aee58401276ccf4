pub struct Query;

#[outside::object]
impl Query {
    pub fn users(&self) -> u32 {
        count()
    }
}

fn count() -> u32 {
    12
}

#[test]
fn calls_a_method_by_a_generated_one() {
    assert_eq!(Query.resolve(), 12);
}
