#[derive(outside::Builder)]
pub struct Conf {
    pub size: u32,
}

impl Conf {
    fn from_builder() -> Conf {
        Conf { size: 13 }
    }
}

#[test]
fn builds() {
    assert_eq!(ConfBuilder.build().size, 13);
}
